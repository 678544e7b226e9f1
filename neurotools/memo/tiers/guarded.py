"""Any tier, used as its health allows: waited for only so long, left alone while it is broken."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar, cast
from weakref import WeakSet

from neurotools.memo.entry import Blob, Key, Record
from neurotools.memo.tiers.base import Entry, Tier
from neurotools.memo.watch import deadline
from neurotools.memo.watch.health import Health

if TYPE_CHECKING:
    from neurotools.memo.tiers.marks import Marks

T = TypeVar("T")

#: Smaller entries are copied for a thread that may be left behind, which may then finish.
_COPIED = 4 << 20
#: Lists may take so much longer than anything else.
_LONGER = 10.0
#: What is written to see whether that can be done: a full disk may still take an empty file.
_BLOCK = 4096
#: No entry has this name: to look for it is to see whether there is an answer.
_NOTHING = Key("neurotools", "probe", "probe", "npy")


class Guarded:
    """A tier that keeps nobody waiting for long. It is a tier itself, with all that the tier has.

    Parameters
    ----------
    tier : Tier
        The tier. Where it has a `health`, that counts; all that guard it share it.
    patience : float, optional
        Seconds to wait for an answer; by default, this is the tier's health to say.

    Attributes
    ----------
    listeners : WeakSet or None
        Whose ``stored`` is told the key of each entry that the tier has got, by whichever thread.

    Notes
    -----
    Methods raise what those of the tier raise; `NoAnswer`, an `OSError`, where the tier did not
    answer; and `LeftAlone` where it is not asked, since it failed lately.
    """

    def __init__(self, tier: Tier, patience: float | None = None) -> None:
        self.tier, self.name = tier, tier.name
        health = getattr(tier, "health", None)
        self.listeners: WeakSet[Any] | None = None
        self.health: Health = Health(tier.name, patience) if health is None else health
        if getattr(type(tier), "answers_at_once", False):
            self.get = tier.get  # type: ignore[method-assign] # it answers at once, or never

    def get(self, key: Key) -> Entry | None:
        health = self.health
        if not health.is_plain:
            return health.run("read", self.tier.get, key, probe=self._probe_reading)
        # The way of nearly all hits.
        started = time.monotonic()
        try:
            entry = self.tier.get(key)
        except Exception as error:
            health.failed("read", error, time.monotonic() - started)
            raise
        if (seconds := time.monotonic() - started) > health.patience:
            health.was_slow(seconds, 0 if entry is None else entry.blob.size)
        return entry

    def put(self, key: Key, blob: Blob) -> None:
        # A store that was given up may go on to read the caller's memory, which may have changed.
        if self.health.is_guarded:
            if blob.size <= _COPIED:
                blob = Blob((b"".join(blob.parts),), blob.size)
            elif blob.checksum is not None:
                blob.checksum()  # of what it is now: what is stored later will not fit it
        started = time.monotonic()
        self._write(self.tier.put, key, blob)
        if self.listeners:
            for one in list(self.listeners):
                one.stored(key)
        self.health.was_slow(time.monotonic() - started, blob.size)

    def discard(self, key: Key) -> bool:
        return self._write(self.tier.discard, key)

    def clear(self, function: str, code: str) -> set[str]:
        return self._write(self.tier.clear, function, code, longer=_LONGER)

    def record(self, key: Key) -> Record | None:
        return self._read(self.tier.record, key)

    def size(self, key: Key) -> int:
        return self._read(self.tier.size, key)

    def has(self, key: Key) -> bool:
        return self._read(self.tier.has, key)

    def keys(self, function: str = "") -> Iterator[Key]:
        return iter(self._read(self._listed, function, longer=_LONGER))

    def sizes(self, function: str = "") -> dict[Key, int]:
        """Return the entries and how many bytes each takes."""
        return self._read(self._sizes, function, longer=_LONGER)

    def _sizes(self, function: str) -> dict[Key, int]:
        at_once = getattr(self.tier, "sizes", None)
        if at_once is not None:
            return cast("dict[Key, int]", at_once(function))
        found = {}
        for key in self._listed(function):
            deadline.moved()
            found[key] = self.tier.size(key)
        return found

    def _listed(self, function: str) -> list[Key]:
        keys = []
        for key in self.tier.keys(function):
            deadline.moved()
            keys.append(key)
        return keys

    def location(self, key: Key) -> str:
        return self.tier.location(key)

    def put_manifest(self, key: Key, content: bytes) -> None:
        self._write(self.tier.put_manifest, key, content)

    def looked_at(self, key: Key) -> Entry | None:
        """Return an entry as `get` does, to copy it or to show it: that is no use of it."""
        read = getattr(self.tier, "read", None)
        if read is None:
            return self.get(key)
        return cast("Entry | None", self._read(functools.partial(read, set_aside=True), key))

    def get_manifest(self, function: str, code: str) -> bytes | None:
        return self._read(self.tier.get_manifest, function, code)

    def note(self, name: str) -> bytes | None:
        """Return a note, see `DirectoryTier`."""
        return cast("bytes | None", self._read(cast("Any", self.tier).note, name))

    def keep_note(self, name: str, content: bytes) -> None:
        """Keep a note, see `DirectoryTier`."""
        self._write(cast("Any", self.tier).keep_note, name, content)

    @property
    def marks(self) -> Marks | None:
        """The tier's marks, if it has any, waited for as the tier itself is."""
        marks = getattr(self.tier, "marks", None)
        return None if marks is None else _GuardedMarks(marks, self._read, self._write)

    def _read(self, work: Callable[..., T], *arguments: Any, longer: float = 1.0) -> T:
        return self.health.run("read", work, *arguments, probe=self._probe_reading, longer=longer)

    def _write(self, work: Callable[..., T], *arguments: Any, longer: float = 1.0) -> T:
        return self.health.run("write", work, *arguments, probe=self._probe_writing, longer=longer)

    def _probe_reading(self) -> object:
        return self.tier.get(_NOTHING)

    def _probe_writing(self) -> object:
        if (keep_note := getattr(self.tier, "keep_note", None)) is not None:
            return keep_note("probe", bytes(_BLOCK))
        if (marks := getattr(self.tier, "marks", None)) is not None:
            return marks.keep("probe", bytes(_BLOCK))
        return self.tier.get(_NOTHING)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "listeners": None}

    def __getattr__(self, name: str) -> Any:
        if name in {"tier", "health"}:  # not there yet, in a copy that is being made
            raise AttributeError(name)
        return getattr(self.tier, name)


class _GuardedMarks:
    """Marks of a tier that keeps nobody waiting for long."""

    def __init__(self, marks: Marks, read: Callable[..., Any], write: Callable[..., Any]) -> None:
        self._marks, self._read, self._write = marks, read, write

    @property
    def is_exclusive(self) -> bool:
        return self._marks.is_exclusive  # as far as the tier knows by now

    def create(self, name: str, content: bytes) -> bool:
        return bool(self._write(self._marks.create, name, content))

    def keep(self, name: str, content: bytes) -> None:
        self._write(self._marks.keep, name, content)

    def read(self, name: str) -> bytes | None:
        return cast("bytes | None", self._read(self._marks.read, name))

    def drop(self, name: str) -> bool:
        return bool(self._write(self._marks.drop, name))

    def names(self, above: str) -> list[str]:
        return cast("list[str]", self._read(self._marks.names, above, longer=_LONGER))
