"""Which cached calls a result is made from: noted while it is computed, kept in its record.

A call that is found, or computed and kept, tells the computation in whose context it happens, which
is the innermost one. Tasks and ``asyncio.to_thread`` have their maker's context, plain threads do
not. Not here: what is made of that later (`neurotools.memo.lineage`).
"""

from __future__ import annotations

import contextlib
import os
import weakref
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from itertools import islice
from typing import Any

from neurotools.memo import forks
from neurotools.memo.digest.files import File, base64, content
from neurotools.memo.entry import Key, Signature
from neurotools.memo.errors import UndigestableValue

#: Of calls beyond that, only the number is kept: a record is read as a whole, from slow places too.
MOST = 1000
#: Names in an entry's record: what it was made from, and how much more.
MADE_FROM, MORE = "made_from", "made_from_more"
#: And the files that it was given: their paths are not in its name.
FILES_GIVEN = "files"


class Making:
    """A computation under way, and the cached calls that it has used.

    Attributes
    ----------
    used : dict
        Key of an entry to what is known of it: its checksum, nothing where that is not known, and
        the name of its cache.
    more : int
        How often a call was used that has no place in ``used`` any more.
    """

    __slots__ = ("_outer", "more", "used")

    def __init__(self) -> None:
        self.used: dict[Key, tuple[bytes, str]] = {}
        self.more = 0
        self._outer: Making | None = None

    def begin(self) -> None:
        """Have calls in this context told to this computation."""
        self._outer = _CURRENT.get()
        MAKINGS.add(self)
        _CURRENT.set(self)

    def end(self) -> None:
        """Have them told to whoever was told before."""
        MAKINGS.discard(self)
        if _CURRENT.get() is self:  # not so where a coroutine is closed by somebody else
            _CURRENT.set(self._outer)

    def note(self, key: Key, checksum: bytes, place: str) -> None:
        """Note that an entry was used."""
        known = self.used.get(key)
        if known is None and len(self.used) >= MOST:
            self.more += 1
        elif known is None or not known[0]:
            self.used[key] = checksum, place

    def told(self, place: str) -> dict[str, Any]:
        """Return what a record says of it; nothing where no cached call was used.

        Parameters
        ----------
        place : str
            The cache of the record: others are named.
        """
        if not self.used:
            return {}
        rows = []
        for key, (checksum, other) in self.used.items():
            row = [key.path, base64(checksum) if checksum else ""]
            rows.append(row if other == place else [*row, other])
        return {MADE_FROM: rows, MORE: self.more} if self.more else {MADE_FROM: rows}


#: Computations under way in this process: while there are none, a hit has nobody to tell.
MAKINGS: set[Making] = set()
_CURRENT: ContextVar[Making | None] = ContextVar("neurotools_making", default=None)
_UNKNOWN = (b"", "")


def current() -> Making | None:
    """Return the computation that this context is part of."""
    return _CURRENT.get()


def used_entry(key: Key, entry: Any, place: str) -> None:
    """Tell the computation that this context is part of, if any, of an entry that a tier had."""
    making = _CURRENT.get()
    if making is not None and not making.used.get(key, _UNKNOWN)[0]:
        making.note(key, entry.checksum, place)


def used(key: Key, checksum: bytes, place: str, made: Making | None = None) -> None:
    """Tell the computation that this context is part of, if any, that it uses an entry.

    Parameters
    ----------
    key : Key
        The entry.
    checksum : bytes
        Its checksum; none where that is not known, or it could not be kept.
    place : str
        Name of its cache.
    made : Making, optional
        How it was computed just now. What it used is handed on where it has no record to say so.
    """
    making = _CURRENT.get()
    if making is None:
        return
    making.note(key, checksum, place)
    if made is not None and not checksum:
        making.more += made.more
        for other, known in made.used.items():
            making.note(other, *known)


def files_in(signature: Signature) -> dict[str, list[str]]:
    """Return the files among a call's arguments: name to path and digest of the content.

    Parameters
    ----------
    signature : Signature
        The arguments, bound to names and otherwise untouched.
    """
    named, extra = signature
    every = (*named, *((f"*{number}", value) for number, value in enumerate(extra or ())))
    found = {}
    for name, path in islice(_files(every), MOST):
        with contextlib.suppress(UndigestableValue):  # it has gone since the call was named
            found[name] = [os.path.abspath(path), base64(content(path)[1])]
    return found


def _files(named: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    """Give the files among some values, and in lists and dictionaries that these are."""
    for name, value in named:
        if isinstance(value, File):
            yield name, value
        elif isinstance(value, (list, tuple)):
            yield from _files((f"{name}[{number}]", one) for number, one in enumerate(value))
        elif isinstance(value, dict):
            yield from _files((f"{name}[{key!r}]", one) for key, one in value.items())


_places: weakref.WeakSet[Any] = weakref.WeakSet()
_lock = forks.lock_of(__name__)


def in_use(hierarchy: Any) -> None:
    """Have entries looked for in a cache as well, as long as somebody has it."""
    with _lock:
        _places.add(hierarchy)


def places() -> list[Any]:
    """Return the caches that functions of this process keep their results in."""
    with _lock:
        return list(_places)


class Within:
    """A block in another thread that is part of a computation, or of none."""

    __slots__ = ("_before", "_making")

    def __init__(self, making: Making | None) -> None:
        self._making = making
        self._before: Making | None = None

    def __enter__(self) -> None:
        self._before = _CURRENT.get()
        _CURRENT.set(self._making)

    def __exit__(self, *_: object) -> None:
        _CURRENT.set(self._before)
