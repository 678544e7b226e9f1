"""Several tiers as one: read-through, promotion, write-back. Tiers that fail are skipped here.

This is the one place where a tier's failures are caught: a cache must not break the computation
that it speeds up. Each kind of failure of each tier is reported once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import cast

from neurotools.memo import careful, forks
from neurotools.memo.entry import Blob, Key, Record
from neurotools.memo.errors import CorruptEntry, UntrustedEntry
from neurotools.memo.tiers.base import Entry, Tier

log = careful.logger(__name__)


class Hierarchy:
    """Tiers, fastest first, behaving as one tier.

    Parameters
    ----------
    tiers : sequence of Tier
        Fastest first.
    write_back : bool
        Whether new entries go to all tiers; otherwise to the fastest alone.

    Attributes
    ----------
    counts : tuple of Counter
        For each tier, how many ``hits``, ``misses``, ``stores`` and ``failures`` there were.
    """

    def __init__(self, tiers: Sequence[Tier], *, write_back: bool = True) -> None:
        if not tiers:
            raise ValueError("a hierarchy needs one tier at least")
        self.tiers = tuple(tiers)
        self.write_back = write_back
        self.name = " > ".join(tier.name for tier in self.tiers)
        self.counts: tuple[Counter[str], ...] = tuple(Counter() for _ in self.tiers)
        self._reported: set[str] = set()
        self._lock = forks.lock_of(self)

    def get(self, key: Key) -> Entry | None:
        """Return an entry of the fastest tier that has it; copy it to those that are faster."""
        for depth, tier in enumerate(self.tiers):
            try:
                entry = tier.get(key)
            except CorruptEntry as error:
                log.warning("%s", error)  # seen once: it has been set aside
                entry = None
            except UntrustedEntry as error:
                self._report(f"{depth}:{error.location}", str(error))
                entry = None
            except Exception as error:  # the named boundary of this module
                self._failed(depth, "read", error)
                entry = None
            if entry is not None:
                self.counts[depth]["hits"] += 1
                if depth:
                    self._promote(key, entry, depth)
                return entry
            self.counts[depth]["misses"] += 1
        return None

    def _promote(self, key: Key, entry: Entry, depth: int) -> None:
        for faster in range(depth):
            self._put(faster, key, entry.blob)

    def put(self, key: Key, blob: Blob) -> None:
        for depth in range(len(self.tiers) if self.write_back else 1):
            self._put(depth, key, blob)

    def _put(self, depth: int, key: Key, blob: Blob) -> None:
        try:
            self.tiers[depth].put(key, blob)
            self.counts[depth]["stores"] += 1
        except Exception as error:  # the named boundary of this module
            self._failed(depth, "write", error)

    def discard(self, key: Key) -> bool:
        removed = [self._discard(depth, key) for depth in range(len(self.tiers))]
        return any(removed)

    def _discard(self, depth: int, key: Key) -> bool:
        try:
            return self.tiers[depth].discard(key)
        except Exception as error:  # the named boundary of this module
            self._failed(depth, "remove from", error)
            return False

    def clear(self, function: str, code: str) -> set[str]:
        names: set[str] = set()
        for depth, tier in enumerate(self.tiers):
            try:
                names |= tier.clear(function, code)
            except Exception as error:  # the named boundary of this module
                self._failed(depth, "remove from", error)
        return names

    def record(self, key: Key) -> Record | None:
        for depth, tier in enumerate(self.tiers):
            try:
                if (record := tier.record(key)) is not None:
                    return record
            except Exception as error:  # the named boundary of this module
                self._failed(depth, "read", error)
        return None

    def size(self, key: Key) -> int:
        for depth, tier in enumerate(self.tiers):
            try:
                if size := tier.size(key):
                    return size
            except Exception as error:  # the named boundary of this module
                self._failed(depth, "read", error)
        return 0

    def has(self, key: Key) -> bool:
        return self.depth_of(key) is not None

    def depth_of(self, key: Key) -> int | None:
        """Return the number of the fastest tier that seems to have an entry."""
        for depth, tier in enumerate(self.tiers):
            try:
                if tier.has(key):
                    return depth
            except Exception as error:  # the named boundary of this module
                self._failed(depth, "read", error)
        return None

    def keys(self, function: str = "") -> Iterator[Key]:
        seen: set[Key] = set()
        for depth, tier in enumerate(self.tiers):
            try:
                keys = set(tier.keys(function)) - seen
            except Exception as error:  # the named boundary of this module
                self._failed(depth, "list", error)
                continue
            seen |= keys
            yield from keys

    def put_manifest(self, key: Key, content: bytes) -> None:
        for depth in range(len(self.tiers) if self.write_back else 1):
            try:
                self.tiers[depth].put_manifest(key, content)
            except Exception as error:  # the named boundary of this module
                self._failed(depth, "write", error)

    def get_manifest(self, function: str, code: str) -> bytes | None:
        for depth, tier in enumerate(self.tiers):
            try:
                if (content := tier.get_manifest(function, code)) is not None:
                    return content
            except Exception as error:  # the named boundary of this module
                self._failed(depth, "read", error)
        return None

    def note(self, name: str) -> bytes | None:
        """Return a note from the fastest tier that keeps notes, or None."""
        for depth, tier in enumerate(self.tiers):
            if (note := getattr(tier, "note", None)) is not None:
                try:
                    return cast("bytes | None", note(name))
                except Exception as error:  # the named boundary of this module
                    self._failed(depth, "read", error)
        return None

    def keep_note(self, name: str, content: bytes) -> None:
        """Keep a note, which may be lost, in the fastest tier that keeps notes."""
        for depth, tier in enumerate(self.tiers):
            if (keep_note := getattr(tier, "keep_note", None)) is not None:
                try:
                    keep_note(name, content)
                    return
                except Exception as error:  # the named boundary of this module
                    self._failed(depth, "write", error)

    def location(self, key: Key) -> str:
        depth = self.depth_of(key)
        return self.tiers[depth or 0].location(key)

    def _failed(self, depth: int, action: str, error: Exception) -> None:
        if careful.is_meant_to_end(error):
            raise error
        self.counts[depth]["failures"] += 1
        cause = f"{depth}:{type(error).__name__}:{getattr(error, 'errno', '')}"
        name = self.tiers[depth].name
        self._report(cause, f"cannot {action} the cache at {name}, going on without it: {error}")

    def _report(self, cause: str, message: str) -> None:
        """Say something once."""
        with self._lock:
            if cause in self._reported:
                return
            self._reported.add(cause)
        log.warning("%s", message)

    def __getstate__(self) -> dict[str, object]:
        return {"tiers": self.tiers, "write_back": self.write_back}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__init__(**state)  # type: ignore[misc]
