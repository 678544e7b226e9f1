"""What is said of a call before it is run: as text, as data, and as HTML for notebooks.

Not here: how it is found out (`explain`).
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from neurotools.memo.entry import Digested
from neurotools.memo.fingerprint.manifest import Difference
from neurotools.memo.spoken import date, span, stamp

#: A terminal's line, and how much of a value is shown on it.
_WIDTH, _SHOWN = 80, 60
#: A diff is cut where it has more lines; all of them are in the data.
_MOST_LINES = 60
#: What a place may be that is worth a line where it is the only one.
_UNKNOWN = ("failed", "left alone")


class Look(NamedTuple):
    """What one place has of a call.

    Attributes
    ----------
    name : str
        The place: ``ram://``, a folder, a URL.
    state : str
        ``'hit'``, ``'nothing'``; ``'removed'`` or ``'expired'``, with when and why; ``'damaged'``;
        ``'refused'``, since it might run code that somebody else wrote; ``'failed'`` or ``'left
        alone'``, where nobody knows.
    detail : str
        The rest in words.
    location : str
        Where the entry is, or would be.
    seconds : float or None
        How long it took to compute, where that is known.
    created : float or None
        When it was computed, seconds since the epoch.
    """

    name: str
    state: str
    detail: str = ""
    location: str = ""
    seconds: float | None = None
    created: float | None = None


class _Absent:
    """Stands for an argument that a call was not given."""

    def __repr__(self) -> str:
        return "nothing"


ABSENT = _Absent()


@dataclass(frozen=True, repr=False)
class Explanation:
    """Why a call hits or misses.

    ``print`` shows it in words, ``as_dict`` gives it as data, notebooks show it as a table.

    Attributes
    ----------
    hit : bool
        Whether there is an entry that would be used.
    reason : str
        The reason in a sentence.
    location : str
        Where the entry is; for a miss, where the nearest one is, or nothing.
    code : tuple of Difference
        What differs in the code from the nearest version: functions with the lines that changed,
        constants and packages with what they were and are.
    arguments : dict
        What differs in the arguments from the nearest call: name to (there, here).
    doubts : tuple of str
        What the function depends on that cannot be followed.
    left_alone : tuple of str
        Places that are not used now, since they failed lately: there may be more in them.
    kind : str
        The reason in a word: ``'hit'``; ``'new'`` where nothing is kept of the function yet;
        ``'code'``, ``'arguments'``, ``'code and arguments'``, ``'method'`` or ``'file'`` where that
        differs; ``'removed'``, ``'expired'``, ``'damaged'``, ``'refused'`` for an entry that is not
        there any more, or not used; ``'uncached'`` where an argument has no digest.
    function, version : str
        The function, and the code of its present version.
    call : str
        The call as one would write it, cut short.
    files : dict
        Files that the computation read and that have changed: path to (digest then, digest now);
        no digest where there is no file.
    seconds : float or None
        How long computing it took the last time; for a miss without such a time, how long the
        nearest entry took. None where that is not known.
    created : float or None
        When that was, seconds since the epoch.
    tiers : tuple of Look
        What each place has, fastest first.
    """

    hit: bool
    reason: str
    location: str = ""
    code: tuple[Difference, ...] = ()
    arguments: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()
    left_alone: tuple[str, ...] = ()
    kind: str = ""
    function: str = ""
    version: str = ""
    call: str = ""
    files: dict[str, tuple[str, str]] = field(default_factory=dict)
    seconds: float | None = None
    created: float | None = None
    tiers: tuple[Look, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as plain data, as ``neurotools explain --json`` prints it.

        Returns
        -------
        dict
            The attributes by name. ``arguments`` are pairs of texts, as `repr` shows the values;
            ``code`` has dictionaries with ``what``, ``kind``, ``name`` and ``lines``; ``tiers``
            has dictionaries with ``name``, ``state``, ``detail`` and ``location``; ``created`` is
            a text in ISO 8601, UTC, or empty.
        """
        return {
            "hit": self.hit,
            "kind": self.kind or ("hit" if self.hit else "miss"),
            "reason": self.reason,
            "function": self.function,
            "version": self.version,
            "call": self.call,
            "location": self.location,
            "seconds": finite(self.seconds),
            "created": "" if self.created is None else stamp(self.created),
            "tiers": [
                dict(zip(("name", "state", "detail", "location"), look[:4], strict=True))
                for look in self.tiers
            ],
            "arguments": {name: list(map(repr, two)) for name, two in self.arguments.items()},
            "code": [{**part._asdict(), "lines": list(part.lines)} for part in self.code],
            "files": {name: list(two) for name, two in self.files.items()},
            "doubts": list(self.doubts),
            "left_alone": list(self.left_alone),
        }

    def __repr__(self) -> str:
        return str(self)  # what a session shows of it

    def __str__(self) -> str:
        return "\n".join(map(visible, self._lines()))

    def _repr_html_(self) -> str:
        """Return it for notebooks."""
        from neurotools.memo.pages.explanation import page

        return page(self.as_dict(), self.cost, self.place)

    @property
    def cost(self) -> str:
        """What computing it cost the last time, in words; nothing where that is not known."""
        if self.seconds is None:
            return ""
        when = "" if self.created is None else f" on {date(self.created)}"
        of_it = self.hit or not (self.arguments or self.kind == "code and arguments")
        return f"{'it' if of_it else 'that one'} took {span(self.seconds)} to compute{when}"

    @property
    def place(self) -> str:
        """What the location is, in words."""
        return "at" if self.hit or self.kind in ("damaged", "refused") else "nearest entry"

    def _lines(self) -> Iterator[str]:
        # Where it is found stands on one line, to be copied.
        yield from [f"hit: {self.reason}"] if self.hit else _wrapped(f"miss: {self.reason}", "  ")
        if self.location:
            yield f"  {self.place}: {self.location}"
        if self.cost:
            yield f"  {self.cost}"
        for name, two in self.arguments.items():
            yield from _argument(name, *two)
        for path, (then, now) in self.files.items():
            yield f"  file {path}: {then[:8] or 'nothing'} then, {now[:8] or 'nothing'} now"
        for part in self.code:
            yield from changed(part)
        # One place alone has been told of, unless nobody knows what it has.
        if len(self.tiers) > 1 or any(look.state in _UNKNOWN for look in self.tiers):
            yield from self._places()
        for doubt in self.doubts:
            yield from _wrapped(f"doubt: {doubt}", "    ", "  ")
        for place in self.left_alone:
            yield from _wrapped(f"left alone: {place}", "    ", "  ")

    def _places(self) -> Iterator[str]:
        yield "  looked in:"
        for look in self.tiers:
            yield f"    {look.state:<10} {look.name}"
            if look.detail:
                yield from _wrapped(look.detail, " " * 15, " " * 15)


def changed(part: Difference) -> Iterator[str]:
    """Give what differs in one part of the code, line by line: a diff, or the old and the new."""
    minus = [line[1:] for line in part.lines if line.startswith("-")]
    plus = [line[1:] for line in part.lines if line.startswith("+")]
    title = f"  {part.what} {part.kind} {part.name}"
    if part.kind in _SHOWN_AS_DIFF or max(len(minus), len(plus)) > 1 or not part.lines:
        yield title
        yield from (f"  {line}" for line in part.lines[:_MOST_LINES])
        if len(part.lines) > _MOST_LINES:
            yield f"  ... and {len(part.lines) - _MOST_LINES} lines more"
        return
    old, new = "".join(minus) or "nothing", "".join(plus) or "nothing"
    if part.what != "changed":
        yield from _wrapped(
            f"{title.strip()}: {old if part.what == 'removed' else new}", "    ", "  "
        )
    elif len(title) + len(old) + len(new) + 6 <= _WIDTH:
        yield f"{title}: {old} -> {new}"
    else:
        yield from (title, f"    {old}", f"    -> {new}")


#: Parts whose sources are code.
_SHOWN_AS_DIFF = frozenset(["function", "class", "module"])


def _argument(name: str, there: Any, here: Any) -> Iterator[str]:
    was, now = shown(there), shown(here)
    if _is_file(there) and _is_file(here):
        yield f"  file {name}: content {there.digest[:8]} there, {here.digest[:8]} here"
        return
    line = f"  argument {name}: {was} there, {now} here"
    if len(line) <= _WIDTH:
        yield line
    else:
        yield from (f"  argument {name}:", f"    {was} there", f"    {now} here")


def _is_file(value: Any) -> bool:
    return isinstance(value, Digested) and value.kind.endswith(".File")


def shown(value: Any) -> str:
    """Return a value of an argument as one would write it, with its middle left out if long."""
    text = " ".join(repr(value).split())
    half = (_SHOWN - 3) // 2
    return text if len(text) <= _SHOWN else f"{text[:half]}...{text[-half:]}"


def visible(line: str) -> str:
    """Return a line without what could steer a terminal: it may come from anybody's file."""
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() or c == "\t" else f"\\x{ord(c):02x}" for c in line)


def finite(number: float | None) -> float | None:
    """Return a number that JSON knows, or None."""
    return number if number is not None and math.isfinite(number) else None


def _wrapped(text: str, indent: str, first: str = "") -> list[str]:
    return textwrap.wrap(
        " ".join(text.split()),
        _WIDTH,
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
