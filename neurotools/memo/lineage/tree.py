"""A result, the cached calls that it was made from, and so on: as text and as data.

The entries are kept side by side, each once, since one result may be used by many others. Not here:
reading them (`reading`), pictures (`drawing`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from neurotools.memo.explanation import finite, visible
from neurotools.memo.spoken import date, span, stamp

#: Characters that are shown of a checksum, and of a line that a call stands on.
_SHORT, _LINE = 10, 80
#: Branches that lie deeper are drawn no further to the right.
_WIDEST = 30

#: States of an entry: it is there; it was removed, and that was noted; nothing of it is found,
#: perhaps since it could not be kept; it is there and cannot be read.
KEPT, REMOVED, MISSING, DAMAGED = "kept", "removed", "missing", "damaged"


class FileUsed(NamedTuple):
    """A file that a computation was given, or was seen to read.

    Attributes
    ----------
    kind : {'argument', 'read'}
        How it is known.
    name : str
        Name of the argument, or the path.
    path : str
        Where it was; empty where that is not known.
    digest : str
        Of its content, 128 bits in base64; empty where there was no file.
    """

    kind: str
    name: str
    path: str
    digest: str


class Used(NamedTuple):
    """An entry that another one was made from.

    Attributes
    ----------
    path : str
        Its function, version and call: its path below whatever place has it.
    checksum : str
        Of the entry as it was used, record and all; empty where that is not known.
    cache : str
        The cache that it was in, where that is another one.
    """

    path: str
    checksum: str
    cache: str = ""


@dataclass(frozen=True)
class Step:
    """One entry, there or not.

    Attributes
    ----------
    path : str
        Its function, version and call: its path below whatever place has it.
    function, version, method : str
        The function as it is imported, the code of its version, the format.
    call : str
        The call as one would write it, long arguments cut.
    state : {'kept', 'removed', 'missing', 'damaged'}
        Whether it is there.
    detail : str
        When it was removed and why, or what is damaged.
    location, checksum : str
        Where it is, and its checksum now.
    seconds, created : float or None
        How long it took to compute, and when that was, seconds since the epoch.
    host, python, numpy : str
        Where, and with which versions.
    files : tuple of FileUsed
        Files that it depends on.
    made_from : tuple of Used
        The entries that it was made from, in the order of their first use.
    more : int
        How many more there were than an entry has room for.
    """

    path: str
    function: str
    version: str
    method: str
    call: str
    state: str = MISSING
    detail: str = ""
    location: str = ""
    checksum: str = ""
    seconds: float | None = None
    created: float | None = None
    host: str = ""
    python: str = ""
    numpy: str = ""
    files: tuple[FileUsed, ...] = ()
    made_from: tuple[Used, ...] = ()
    more: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data; ``created`` is a text in ISO 8601, UTC."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        plain["seconds"] = finite(self.seconds)
        plain["created"] = "" if self.created is None else stamp(self.created)
        plain["files"] = [file._asdict() for file in self.files]
        plain["made_from"] = [used._asdict() for used in self.made_from]
        return plain


@dataclass(frozen=True)
class Lineage:
    """A result and all that it was made from.

    ``print`` shows it as a tree, ``as_dict`` gives it as data, ``save`` draws it.

    Attributes
    ----------
    root : str
        Path of the result's entry below its cache, as in `steps`.
    steps : dict of Step
        All entries, by their paths; each once, however often it was used.
    left_out : int
        How many entries were not looked at, since there were too many.
    """

    root: str
    steps: dict[str, Step]
    left_out: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data, as ``neurotools lineage --json`` prints it.

        Returns
        -------
        dict
            ``root``, ``left_out``, and ``entries``: a list of dictionaries with the attributes of
            `Step`, the result's first, each once.
        """
        return {
            "root": self.root,
            "left_out": self.left_out,
            "entries": [step.as_dict() for step in self.steps.values()],
        }

    def save(self, path: str) -> str:
        """Draw it; return where.

        Parameters
        ----------
        path : str
            Ends with ``.png``, ``.svg`` or ``.pdf``; or with ``.dot`` for Graphviz, as text.

        Raises
        ------
        ValueError
            If it ends otherwise.
        MissingExtra
            If matplotlib is not installed, which all but ``.dot`` need.
        OSError
            If it cannot be written.
        """
        from neurotools.memo.lineage.drawing import save

        return save(self, path)

    def __repr__(self) -> str:
        return str(self)  # what a session shows of it

    def __str__(self) -> str:
        return "\n".join(map(visible, self._lines()))

    def _repr_html_(self) -> str:
        """Return it for notebooks."""
        from neurotools.memo.pages.parts import Html, escape, fragment

        return fragment(Html(f"<pre>{escape(self)}</pre>"))

    def _lines(self) -> Iterator[str]:
        """Give the tree line by line. No recursion: chains of calls may be long."""
        seen: set[str] = set()
        waiting = [(Used(self.root, self.steps[self.root].checksum), "", "")]
        while waiting:
            used, first, rest = waiting.pop()
            step = self.steps.get(used.path)
            if step is None:
                yield f"{first}{_cut(used.path, _LINE // 2)}: not looked at"
                continue
            yield f"{first}{_cut(_called(step), max(_LINE - len(first), _WIDEST))}"
            is_again = used.path in seen and bool(step.made_from or step.files)
            below = step.made_from if not is_again else ()
            bar = "│ " if below else "  "
            yield f"{rest}{bar}{_facts(step, used)}"
            if used.cache:
                yield f"{rest}{bar}kept in {used.cache}"
            if is_again:
                yield f"{rest}  what it was made from stands above"
                continue
            seen.add(used.path)
            yield from (f"{rest}{bar}{line}" for line in _files(step))
            if step.more:
                yield f"{rest}{bar}and {step.more} calls more, which were not written down"
            waiting += reversed(list(_branches(below, rest)))
        if self.left_out:
            yield f"{self.left_out} entries were not looked at: there are too many"


def _branches(below: tuple[Used, ...], rest: str) -> Iterator[tuple[Used, str, str]]:
    shown = rest if len(rest) < _WIDEST else f"{rest[: _WIDEST - 2]}… "
    for number, used in enumerate(below, 1):
        is_last = number == len(below)
        yield used, f"{shown}{'└─ ' if is_last else '├─ '}", f"{shown}{'   ' if is_last else '│  '}"


def _called(step: Step) -> str:
    """Return an entry's call with its module in front."""
    module = step.function.removesuffix(step.call.partition("(")[0]).partition(".(locals)")[0]
    return f"{module.rstrip('.')}.{step.call}"


def _facts(step: Step, used: Used) -> str:
    """Return what is known of an entry, on one line."""
    facts = [f"version {step.version[:6]}"]
    if step.state == KEPT:
        if step.created is not None and step.seconds is not None:
            facts.append(f"{date(step.created)} in {span(step.seconds)}")
        if checksum := used.checksum or step.checksum:  # a bucket does not tell it
            facts.append(f"result {checksum[:_SHORT]}")
        if used.checksum and step.checksum and used.checksum != step.checksum:
            facts.append(f"stored anew since: {step.checksum[:_SHORT]}")
    else:
        facts.append(f"{step.state}: {step.detail}" if step.detail else step.state)
        if used.checksum:
            facts.append(f"result {used.checksum[:_SHORT]}")
    return ", ".join(facts)


def _files(step: Step) -> Iterator[str]:
    for file in step.files:
        name = f"{file.name} = {file.path}" if file.kind == "argument" and file.path else file.name
        yield f"file {name}, content {file.digest[:_SHORT] or 'not there'}"


def _cut(text: str, most: int) -> str:
    half = (most - 3) // 2
    return text if len(text) <= most else f"{text[: most - 3 - half]}...{text[-half:]}"
