"""What a memoized function has done in this process: what `cache_info` gives."""

from __future__ import annotations

from collections.abc import Mapping

from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.rows import Row


class TierInfo(Row):
    """What one tier has done: how often it had an entry, lacked one, kept one, failed.

    ``left_alone`` says in words what it is not used for now since it failed lately, and is empty
    otherwise; ``unsent`` counts the new entries that are on their way to it.
    """

    name: str
    hits: int
    misses: int
    stores: int
    failures: int
    left_alone: str = ""
    unsent: int = 0


class CacheInfo(Row):
    """What a memoized function has done in this process.

    ``hits`` were loaded, ``misses`` computed and kept, ``uncached`` computed without being kept (no
    digest, no room, or faster than loading).
    """

    hits: int
    misses: int
    uncached: int
    tiers: tuple[TierInfo, ...]


def info_of(counts: Mapping[str, int], hierarchy: Hierarchy) -> CacheInfo:
    """Return what a function and its tiers have done, given what the function has counted."""
    tiers = range(len(hierarchy.tiers))
    infos = tuple(_tier_info(hierarchy, depth) for depth in tiers)
    return CacheInfo(counts["hits"], counts["misses"], counts["uncached"], infos)


def _tier_info(hierarchy: Hierarchy, depth: int) -> TierInfo:
    count = hierarchy.counts[depth]
    return TierInfo(
        hierarchy.tiers[depth].name,
        count["hits"],
        count["misses"],
        count["stores"],
        count["failures"],
        hierarchy.health_of(depth).left_alone,
        hierarchy.unsent(depth),
    )
