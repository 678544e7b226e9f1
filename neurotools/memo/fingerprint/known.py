"""What a code object does, as far as earlier processes have learnt it from files still the same.

Finding a definition in a file, compiling it for comparison and taking it apart costs about a
millisecond. So what was found is kept on a shelf beside the entries, one note for each file, and
serves for as long as the file's content and the code object are the same. A note is read from a
folder that others may write to: reading one is bounded, checks every type, and runs nothing.
"""

from __future__ import annotations

import sys
from types import CodeType
from typing import Any, Protocol

import xxhash

from neurotools.memo import json_in_c as json
from neurotools.memo.digest.files import file_digest
from neurotools.memo.errors import UndigestableValue
from neurotools.memo.fingerprint.bytecode import content
from neurotools.memo.fingerprint.reads import Import, Read, Reads
from neurotools.memo.rows import Row

#: Raise it when the canonical text, or what counts as read, changes.
_LAYOUT = 1


class Shelf(Protocol):
    """Keeps small notes from process to process. Losing one costs time, nothing else."""

    def note(self, name: str) -> bytes | None:
        """Return a note, or None."""

    def keep_note(self, name: str, content: bytes) -> None:
        """Keep a note in place of the one of that name."""


class Described(Row):
    """What one code object does.

    Attributes
    ----------
    qualname : str or None
        Such as ``'make.<locals>.inner'``; None without source, or where that is of other code.
    text : str or None
        The definition as written, decorators included.
    body : str
        Canonical text, or a digest of the code object where there is no source.
    reads : Reads
        What it reads from outside itself.
    """

    qualname: str | None
    text: str | None
    body: str
    reads: Reads


class Known:
    """What is known of the files that one walk reads.

    Parameters
    ----------
    shelf : Shelf
        Where it is kept.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._files: dict[str, _File | None] = {}

    def described(self, code: CodeType, docstrings: bool) -> Described | None:
        """Return what a code object does, if an earlier process has seen it."""
        file = self._file(code)
        row = None if file is None else file.rows.get(_name(code, docstrings))
        return None if row is None else _decoded(row)

    def learn(self, code: CodeType, docstrings: bool, found: Described) -> None:
        """Note what a code object does, to be kept by `save`."""
        file = self._file(code)
        if file is not None and found.qualname is not None:
            file.rows[_name(code, docstrings)] = _encoded(found)
            file.is_new = True

    def save(self) -> None:
        """Keep what was learnt, beside what others have learnt of the same files meanwhile."""
        for path, file in self._files.items():
            if file is not None and file.is_new:
                rows = {**self._rows(path, file.digest), **file.rows}
                note = json.dumps({"layout": _LAYOUT, "file": file.digest, "rows": rows})
                self._shelf.keep_note(_place(path), f"{short_digest(note)}\n{note}".encode())
                file.is_new = False

    def _file(self, code: CodeType) -> _File | None:
        path = code.co_filename
        if path not in self._files:
            digest = _digest(path)
            known = None if digest is None else _File(digest, self._rows(path, digest))
            self._files[path] = known
        return self._files[path]

    def _rows(self, path: str, digest: str) -> dict[str, Any]:
        """Return what the shelf has of a file, if the file was the same then."""
        try:
            checksum, _, text = (self._shelf.note(_place(path)) or b"").decode().partition("\n")
            # What is damaged on a disk might leave out something that code depends on.
            note = json.loads(text) if checksum == short_digest(text) else {}
            if note.get("layout") == _LAYOUT and note.get("file") == digest:
                return dict(note["rows"])
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            pass  # written by somebody else: it is learnt anew
        return {}


class _File:
    """What is known of one file, and whether that is more than the shelf has."""

    def __init__(self, digest: str, rows: dict[str, Any]) -> None:
        self.digest, self.rows, self.is_new = digest, rows, False


def _digest(path: str) -> str | None:
    """Return a digest of a file's content; None for a cell, or what lies in an archive."""
    try:
        return None if path.startswith("<") else file_digest(path)
    except UndigestableValue:
        return None


def _place(path: str) -> str:
    # Code objects of one Python say nothing to another.
    return f"source-{short_digest(f'{sys.implementation.cache_tag}:{path}')}"


def _name(code: CodeType, docstrings: bool) -> str:
    where = getattr(code, "co_qualname", ""), code.co_firstlineno, docstrings
    return f"{short_digest(repr(content(code)))}-{short_digest(repr(where))}"


def short_digest(text: str) -> str:
    """Return 32 characters that stand for a text."""
    return xxhash.xxh3_128_hexdigest(text.encode("utf-8", "surrogatepass"))


# Notes are JSON: lists stand for tuples and sets.


def _encoded(found: Described) -> list[Any]:
    reads = found.reads
    uses = [[*read, how] for read, how in reads.uses.items()]
    computed = [[*read, literals] for read, literals in reads.computed.items()]
    facts = [uses, computed, sorted(reads.imports, key=repr), sorted(reads.attributes), reads.debug]
    return [found.qualname, found.text, found.body, *facts]


def _decoded(row: Any) -> Described | None:
    """Return what a row says, or None for one that says something else."""
    try:
        qualname, text, body, uses, computed, imports, attributes, debug = row
        reads = Reads(
            {_read(*facts): _checked(how, int) for *facts, how in uses},
            {_read(*facts): [_literal(one) for one in literals] for *facts, literals in computed},
            {_import(target) for target in imports},
            {_checked(name, str) for name in attributes},
            debug=_checked(debug, bool),
        )
        return Described(_checked(qualname, str), _checked(text, str), _checked(body, str), reads)
    except (TypeError, ValueError):
        return None


def _read(root: Any, chain: Any, declared: Any) -> Read:
    root = root if type(root) is str else _import(root)
    names = tuple([_checked(name, str) for name in chain]) if chain else ()
    return Read(root, names, _checked(declared, bool))


def _import(target: Any) -> Import:
    level, module, name = target
    return Import(_checked(level, int), _checked(module, str), _literal(name))


def _literal(value: Any) -> str | None:
    return None if value is None else _checked(value, str)


def _checked(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{value!r:.40} is no {kind.__name__}")
    return value
