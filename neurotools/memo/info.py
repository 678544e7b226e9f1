"""What a memoized function has done in this process: what `cache_info` gives."""

from __future__ import annotations

from typing import NamedTuple


class TierInfo(NamedTuple):
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


class CacheInfo(NamedTuple):
    """What a memoized function has done in this process.

    ``hits`` were loaded, ``misses`` computed and kept, ``uncached`` computed without being kept (no
    digest, no room, or faster than loading).
    """

    hits: int
    misses: int
    uncached: int
    tiers: tuple[TierInfo, ...]
