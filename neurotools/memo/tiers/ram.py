"""Entries in this process's memory, bounded, the least recently used going first."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from neurotools.memo import forks
from neurotools.memo.entry import Blob, Key, Record
from neurotools.memo.tiers.kept import Kept

if TYPE_CHECKING:
    from neurotools.memo.tiers.graves import Grave

#: Bytes kept unless told otherwise: what a laptop can spare.
DEFAULT_MAX_BYTES = 1 << 30

#: Versions whose code is remembered, a few kilobytes each: the oldest are forgotten first.
_MOST_MANIFESTS = 1000
#: What went lately is remembered, so that people can be told.
_MOST_GRAVES = 1000


class RamTier:
    """Entries in memory.

    Parameters
    ----------
    max_bytes : int
        How much is kept; an entry larger than that is not kept at all.
    max_entries : int, optional
        How many are kept.

    Attributes
    ----------
    pins : set of str
        Places that stay whatever the limits: an entry's path, or the folder of several.

    Notes
    -----
    What is kept are the bytes of an entry, and what its value is made from. Every hit gets a value
    of its own, so that no caller can spoil what the next one is given.
    """

    #: Nobody has to see to it that nobody waits for it.
    answers_at_once = True

    def __init__(self, max_bytes: int = DEFAULT_MAX_BYTES, max_entries: int | None = None) -> None:
        if max_bytes < 0:
            raise ValueError(f"max_bytes is {max_bytes}; give the bytes to keep, 0 or more")
        if max_entries is not None and max_entries < 0:
            raise ValueError(f"max_entries is {max_entries}; give the entries to keep, 0 or more")
        self.name = "ram://"
        self.max_bytes, self.max_entries = max_bytes, max_entries
        self.pins: set[str] = set()
        self._graves: OrderedDict[Key, tuple[float, float]] = OrderedDict()
        self._size = 0
        self._entries: OrderedDict[Key, Kept] = OrderedDict()
        self._manifests: dict[tuple[str, str], bytes] = {}
        self._lock = forks.lock_of(self)

    def get(self, key: Key) -> Kept | None:
        kept = self._entries.get(key)
        if kept is not None:
            # Each step is one for all threads; another may have removed the entry in between.
            try:  # noqa: SIM105 - suppress takes as long as all the rest
                self._entries.move_to_end(key)
            except KeyError:
                pass
        return kept

    def put(self, key: Key, blob: Blob) -> None:
        kept = Kept(key, blob, self._grown) if blob.size <= self.max_bytes else None
        with self._lock:
            self._remove(key)
            if kept is not None:
                self._entries[key] = kept
                self._size += kept.size
                self._shrink()

    def discard(self, key: Key) -> bool:
        with self._lock:
            return self._remove(key)

    def clear(self, function: str, code: str) -> set[str]:
        with self._lock:
            keys = [key for key in self._entries if (key.function, key.code) == (function, code)]
            return {f"{key.call}.{key.method}" for key in keys if self._remove(key)}

    def _remove(self, key: Key) -> bool:
        kept = self._entries.pop(key, None)
        self._graves.pop(key, None)
        if kept is None:
            return False
        self._size -= kept.size
        return True

    def _grown(self, kept: Kept, size: int) -> None:
        with self._lock:
            if self._entries.get(kept.key) is kept:
                kept.size += size
                self._size += size
                self._shrink()

    def _shrink(self) -> None:
        most = len(self._entries) if self.max_entries is None else self.max_entries
        passed = 0
        while passed < len(self._entries) and (
            self._size > self.max_bytes or len(self._entries) > most
        ):
            if self.pins and (pinned := self._first_pinned()) is not None:
                self._entries.move_to_end(pinned)
                passed += 1
                continue
            key, oldest = self._entries.popitem(last=False)
            self._size -= oldest.size
            self._graves[key] = time.time(), oldest.seconds
            if len(self._graves) > _MOST_GRAVES:
                self._graves.popitem(last=False)

    def _first_pinned(self) -> Key | None:
        """Return the entry that is to go first, if it is pinned."""
        try:
            key = next(iter(self._entries))
        except RuntimeError:  # somebody has read one meanwhile
            return self._first_pinned()
        parts = key.path.split("/")
        places = ("/".join(parts[: end + 1]) for end in range(len(parts)))
        return key if any(place in self.pins for place in places) else None

    def grave_of(self, key: Key) -> Grave | None:
        """Return what is noted of an entry that had to go; None if nothing is."""
        if (noted := self._graves.get(key)) is None:
            return None
        from neurotools.memo.tiers.graves import Grave

        return Grave(noted[0], "not used for longest", noted[1])

    def record(self, key: Key) -> Record | None:
        kept = self._entries.get(key)
        return None if kept is None else kept.record

    def size(self, key: Key) -> int:
        kept = self._entries.get(key)
        return 0 if kept is None else kept.size

    def has(self, key: Key) -> bool:
        return key in self._entries

    def keys(self, function: str = "") -> Iterator[Key]:
        with self._lock:
            keys = list(self._entries)
        return (key for key in keys if not function or key.function == function)

    def location(self, key: Key) -> str:
        return f"ram://{key.path}"

    def put_manifest(self, key: Key, content: bytes) -> None:
        with self._lock:
            self._manifests[key.function, key.code] = content
            while len(self._manifests) > _MOST_MANIFESTS:
                del self._manifests[next(iter(self._manifests))]

    def get_manifest(self, function: str, code: str) -> bytes | None:
        return self._manifests.get((function, code))

    def __getstate__(self) -> dict[str, int | None]:
        # Another process starts with an empty memory of the same size.
        return {"max_bytes": self.max_bytes, "max_entries": self.max_entries}

    def __setstate__(self, state: dict[str, int | None]) -> None:
        self.__init__(**state)  # type: ignore[misc]
