"""Several tiers as one: read-through, promotion, write-back. Tiers that fail are skipped here.

This is the one place where a tier's failures are caught: a cache must not break the computation
that it speeds up. Each kind of failure of each tier is reported once. Not here: for how long a tier
is waited for or left alone (`neurotools.memo.tiers.guarded`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence
from typing import TYPE_CHECKING

from neurotools.memo import careful
from neurotools.memo.entry import Blob, Key, Record
from neurotools.memo.errors import CacheError, CorruptEntry, LeftAlone, UntrustedEntry
from neurotools.memo.log import Log
from neurotools.memo.tiers.base import Entry, Tier
from neurotools.memo.tiers.guarded import Guarded
from neurotools.memo.watch.health import Health

if TYPE_CHECKING:
    from neurotools.memo.tiers.marks import Marks

log = Log(__name__)


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
        self._guarded = tuple(
            tier if isinstance(tier, Guarded) else Guarded(tier) for tier in self.tiers
        )

    def get(self, key: Key) -> Entry | None:
        """Return an entry of the fastest tier that has it; copy it to those that are faster."""
        for depth, tier in enumerate(self._guarded):
            try:
                entry = tier.get(key)
            except CorruptEntry as error:
                if error.is_set_aside:
                    log.warning("%s", error)  # it is not met again
                else:
                    tier.health.tell(f"{error.location}:{error.reason}", str(error))
                entry = None
            except UntrustedEntry as error:
                tier.health.tell(error.location, str(error))
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
            self._guarded[depth].put(key, blob)
            self.counts[depth]["stores"] += 1
        except Exception as error:  # the named boundary of this module
            self._failed(depth, "write", error)

    def discard(self, key: Key) -> bool:
        removed = [self._discard(depth, key) for depth in range(len(self.tiers))]
        return any(removed)

    def _discard(self, depth: int, key: Key) -> bool:
        try:
            return self._guarded[depth].discard(key)
        except Exception as error:  # the named boundary of this module
            self._failed(depth, "remove from", error)
            return False

    def clear(self, function: str, code: str) -> set[str]:
        names: set[str] = set()
        for depth, tier in enumerate(self._guarded):
            try:
                names |= tier.clear(function, code)
            except Exception as error:  # the named boundary of this module
                self._failed(depth, "remove from", error)
        return names

    def record(self, key: Key) -> Record | None:
        for depth, tier in enumerate(self._guarded):
            try:
                if (record := tier.record(key)) is not None:
                    return record
            except Exception as error:  # the named boundary of this module
                self._failed(depth, "read", error)
        return None

    def size(self, key: Key) -> int:
        for depth, tier in enumerate(self._guarded):
            try:
                if size := tier.size(key):
                    return size
            except Exception as error:  # the named boundary of this module
                self._failed(depth, "read", error)
        return 0

    def has(self, key: Key) -> bool:
        return self.depth_of(key) is not None

    def depth_of(self, key: Key, among: Container[int] | None = None) -> int | None:
        """Return the number of the fastest tier that seems to have an entry, of some or of all."""
        for depth, tier in enumerate(self._guarded):
            try:
                if (among is None or depth in among) and tier.has(key):
                    return depth
            except Exception as error:  # the named boundary of this module
                self._failed(depth, "read", error)
        return None

    def look(self, key: Key) -> tuple[int | None, str]:
        """Look at an entry without reading its payload.

        Returns
        -------
        depth : int or None
            The number of the fastest tier that has it, and would open it.
        refusal : str
            Why a tier that has something would not open it, or nothing.
        """
        refusal = ""
        for depth, tier in enumerate(self._guarded):
            try:
                if tier.has(key) and tier.record(key) is not None:
                    getattr(tier, "require_trust", _no_matter)(key)
                    return depth, ""
            except CacheError as error:
                refusal = refusal or str(error)
            except Exception as error:  # the named boundary of this module
                self._failed(depth, "read", error)
        return None, refusal

    def keys(self, function: str = "") -> Iterator[Key]:
        seen: set[Key] = set()
        for depth, tier in enumerate(self._guarded):
            try:
                keys = set(tier.keys(function)) - seen
            except Exception as error:  # the named boundary of this module
                self._failed(depth, "list", error)
                continue
            seen |= keys
            yield from keys

    def put_manifest(self, key: Key, content: bytes) -> bool:
        """Keep a manifest; return whether each tier has it now."""
        is_kept = True
        for depth in range(len(self.tiers) if self.write_back else 1):
            try:
                self._guarded[depth].put_manifest(key, content)
            except Exception as error:  # the named boundary of this module
                self._failed(depth, "write", error)
                is_kept = False
        return is_kept

    def get_manifest(self, function: str, code: str) -> bytes | None:
        for depth, tier in enumerate(self._guarded):
            try:
                if (content := tier.get_manifest(function, code)) is not None:
                    return content
            except Exception as error:  # the named boundary of this module
                self._failed(depth, "read", error)
        return None

    def note(self, name: str) -> bytes | None:
        """Return a note from the fastest tier that keeps notes, or None."""
        for depth, tier in enumerate(self._guarded):
            if hasattr(tier.tier, "note"):
                try:
                    return tier.note(name)
                except Exception as error:  # the named boundary of this module
                    self._failed(depth, "read", error)
        return None

    def keep_note(self, name: str, content: bytes) -> None:
        """Keep a note, which may be lost, in the fastest tier that keeps notes."""
        for depth, tier in enumerate(self._guarded):
            if hasattr(tier.tier, "keep_note"):
                try:
                    tier.keep_note(name, content)
                    return
                except Exception as error:  # the named boundary of this module
                    self._failed(depth, "write", error)

    def each_marks(self, work: Callable[[Marks, str], object], name: str) -> None:
        """Do something with the marks of each tier that has some."""
        for depth, tier in enumerate(self._guarded):
            try:
                if (marks := tier.marks) is not None:
                    work(marks, name)
            except Exception as error:  # the named boundary of this module
                self._failed(depth, "mark something in", error)

    def location(self, key: Key) -> str:
        depth = self.depth_of(key)
        return self.tiers[depth or 0].location(key)

    def health_of(self, depth: int) -> Health:
        """Return how a tier has answered lately."""
        return self._guarded[depth].health

    @property
    def left_alone(self) -> tuple[str, ...]:
        """The tiers that are not used now since they failed lately, and why, in words."""
        told = ((tier.name, tier.health.left_alone) for tier in self._guarded)
        return tuple(f"{name}: {reason}" for name, reason in told if reason)

    def _failed(self, depth: int, action: str, error: Exception) -> None:
        if careful.is_meant_to_end(error):
            raise error
        if isinstance(error, LeftAlone):
            return  # what it is left alone for was counted, and told
        self.counts[depth]["failures"] += 1
        self._guarded[depth].health.tell_failure(action, error)

    def __getstate__(self) -> dict[str, object]:
        return {"tiers": self.tiers, "write_back": self.write_back}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__init__(**state)  # type: ignore[misc]


def _no_matter(_: Key) -> None:
    """Do nothing: what is in memory was looked at before."""
