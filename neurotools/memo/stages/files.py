"""Paths among the inputs and results of stages: what is a file counts by its content.

A text, or a path object, is a file if there is one; also deep inside of lists, tuples, sets and
dicts. Nothing that is given is changed.
"""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import xxhash

from neurotools.memo.commands.contents import Contents, File
from neurotools.memo.errors import UnreadableFile
from neurotools.memo.whole import write

_SEQUENCES = (list, tuple, set, frozenset)
#: Files known by their times, besides those of the last run.
_MOST_KNOWN = 4096


class Content:
    """Stands in a key for a path that is a file.

    Parameters
    ----------
    kind : str
        Type of the path.
    hash : str
        SHA-256 of the file.
    name : str
        The path where it counts, too; else nothing.
    """

    __slots__ = ("_facts",)

    def __init__(self, kind: str, hash: str, name: str = "") -> None:  # noqa: A002
        self._facts = kind, hash, name

    def __neurotools_digest__(self) -> Any:
        return self._facts


def path_in(value: Any) -> str | None:
    """Return the path of the file that a value names, or None."""
    if isinstance(value, (str, pathlib.PurePath)):
        path = os.fspath(value)
        try:
            return path if os.path.isfile(path) else None
        except (ValueError, OSError):
            return None
    return None


def replaced(value: Any, replace: Callable[[Any, str], Any]) -> Any:
    """Return a value in which what names a file is replaced; where nothing is, the value itself."""
    if (path := path_in(value)) is not None:
        return replace(value, path)
    kind = type(value)
    if kind in _SEQUENCES:
        items = [replaced(item, replace) for item in value]
        is_same = all(new is old for new, old in zip(items, value, strict=True))
        return value if is_same else kind(items)
    if kind is dict:
        made = {key: replaced(item, replace) for key, item in value.items()}
        return value if all(made[key] is item for key, item in value.items()) else made
    return value


def paths_in(value: Any) -> Iterator[str]:
    """Give the paths of files in a value, in the order in which they stand there."""
    if (path := path_in(value)) is not None:
        yield path
    elif type(value) in _SEQUENCES or type(value) is dict:
        for item in value.values() if type(value) is dict else value:
            yield from paths_in(item)


def texts_in(value: Any) -> Iterator[str]:
    """Give all texts and paths in a value."""
    if isinstance(value, (str, pathlib.PurePath)):
        yield os.fspath(value)
    elif type(value) in _SEQUENCES or type(value) is dict:
        for item in value.values() if type(value) is dict else value:
            yield from texts_in(item)


def folders_in(value: Any) -> list[str]:
    """Return the paths of folders in a value."""
    return [text for text in texts_in(value) if "\0" not in text and os.path.isdir(text)]


def speaks_of(results: Any, paths: Iterable[str]) -> bool:
    """Tell whether results name files after those that went in, as ``a_mask.nii`` of ``a.nii``."""
    prefixes = [os.path.basename(path).partition(".")[0] for path in paths]
    names = [part for text in texts_in(results) for part in text.replace(os.sep, "/").split("/")]
    return any(name.startswith(prefix) for prefix in filter(None, prefixes) for name in names)


class KnownFiles:
    """Files that were read before, and need not be read again; kept in one small file.

    Parameters
    ----------
    path : str
        The file.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self.contents = Contents()
        self._is_loaded = False

    def of(self, path: str) -> File:
        """Return what a file holds.

        Raises
        ------
        UnreadableFile
            If it cannot be read.
        """
        if not self._is_loaded:
            self._is_loaded = True
            self.contents.learn(self._loaded())
        return self.contents.of(path)

    def _loaded(self) -> list[File]:
        try:
            with open(self._path, "rb") as file:
                checksum, _, content = file.read().partition(b"\n")
            if checksum.decode() == xxhash.xxh3_128_hexdigest(content):
                return [File.from_json(facts) for facts in json.loads(content)]
        except (OSError, ValueError, KeyError, TypeError):
            pass  # they are read again
        return []

    def save(self) -> None:
        """Keep what was learnt; what cannot be kept is read again."""
        if not self.contents.has_learnt:
            return
        known = [file for file in self.contents.known() if file.is_settled][-_MOST_KNOWN:]
        content = json.dumps([file.as_json() for file in known]).encode()
        try:
            write(self._path, f"{xxhash.xxh3_128_hexdigest(content)}\n".encode() + content)
        except OSError:
            return
        self.contents.has_learnt = False


def is_as_it_was(file: File, known: KnownFiles) -> str:
    """Return what has become of a file, or nothing."""
    try:
        return "" if known.of(file.path).hash == file.hash else f"{file.path} has changed"
    except UnreadableFile as error:
        return str(error)
