"""Several tiers, asked for all but the values of entries: what they have, and how they fare.

This is where a tier's failures are caught: a cache must not break the computation that it speeds
up. Each kind of failure of each tier is reported once. Not here: for how long a tier is waited for
or left alone (`neurotools.memo.tiers.guarded`).
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Container, Iterator, Sequence

from neurotools.memo import careful
from neurotools.memo.entry import Key, Record
from neurotools.memo.errors import CacheError, LeftAlone
from neurotools.memo.tiers.base import Tier
from neurotools.memo.tiers.guarded import Guarded
from neurotools.memo.watch.health import Health


class Asked:
    """Tiers, fastest first; whoever fails is skipped.

    Parameters
    ----------
    tiers : sequence of Tier
        Fastest first.

    Attributes
    ----------
    counts : tuple of Counter
        For each tier, how many ``hits``, ``misses``, ``stores`` and ``failures`` there were.
    """

    def __init__(self, tiers: Sequence[Tier]) -> None:
        if not tiers:
            raise ValueError("a hierarchy needs one tier at least")
        self.tiers = tuple(tiers)
        self.name = " > ".join(tier.name for tier in self.tiers)
        self.counts: tuple[Counter[str], ...] = tuple(Counter() for _ in self.tiers)
        self._guarded = tuple(
            tier if isinstance(tier, Guarded) else Guarded(tier) for tier in self.tiers
        )

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

    def location(self, key: Key) -> str:
        depth = self.depth_of(key)
        return self.tiers[depth or 0].location(key)

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

    def some_keys(self, function: str, many: int) -> list[Key]:
        """Return some entries of a function, from the fastest tier that has any."""
        for depth, tier in enumerate(self._guarded):
            try:
                if found := tier.health.run("read", _first, tier.tier, function, many):
                    return found
            except Exception as error:  # the named boundary of this module
                self._failed(depth, "list", error)
        return []

    def sizes(self, function: str = "") -> dict[Key, int]:
        """Return the entries and how many bytes each takes, in the fastest tier that has it."""
        found: dict[Key, int] = {}
        for depth, tier in enumerate(self._guarded):
            try:
                found = {**tier.sizes(function), **found}
            except Exception as error:  # the named boundary of this module
                self._failed(depth, "list", error)
        return found

    def get_manifest(self, function: str, code: str) -> bytes | None:
        # What others see, too, comes first: memory has what nobody else has kept.
        for depth, tier in sorted(enumerate(self._guarded), key=_is_in_memory):
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


def _is_in_memory(pair: tuple[int, Guarded]) -> bool:
    return getattr(type(pair[1].tier), "answers_at_once", False)


def _first(tier: Tier, function: str, many: int) -> list[Key]:
    return list(itertools.islice(tier.keys(function), many))


def _no_matter(_: Key) -> None:
    """Do nothing: what is in memory was looked at before."""
