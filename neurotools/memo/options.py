"""How a function is memoized, and what it has done: values that hold facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from neurotools.memo.formats.base import PayloadFormat


@dataclass(frozen=True)
class Options:
    """How a function is memoized.

    Attributes
    ----------
    form : PayloadFormat
        How results become bytes.
    cache_root : str or None
        Folder of the fastest tier that is one.
    lock_folder : str or None
        Where computations under way are seen by other processes.
    store : bool
        Whether new results are kept.
    skip_fast : bool
        Whether results are computed again where that is faster than loading them.
    verbose : bool
        Whether to print what happens.
    allow_mutable_bindings : bool
        Whether functions are memoized that depend on something that cannot be followed.
    trace : bool
        Whether to note what really runs and is read, and to compute again when that changes.
    ignore : tuple of str
        Parameters that do not count.
    tracking : dict
        Options of `Tracker`.
    """

    form: PayloadFormat
    cache_root: str | None = None
    lock_folder: str | None = None
    store: bool = True
    skip_fast: bool = False
    verbose: bool = False
    allow_mutable_bindings: bool = False
    trace: bool = False
    ignore: tuple[str, ...] = ()
    tracking: Mapping[str, Any] = field(default_factory=dict)


class TierInfo(NamedTuple):
    """What one tier has done: how often it had an entry, lacked one, kept one, failed.

    ``left_alone`` says in words what it is not used for now since it failed lately, and is empty
    otherwise.
    """

    name: str
    hits: int
    misses: int
    stores: int
    failures: int
    left_alone: str = ""


class CacheInfo(NamedTuple):
    """What a memoized function has done in this process.

    ``hits`` were loaded, ``misses`` computed and kept, ``uncached`` computed without being kept (no
    digest, no room, or faster than loading).
    """

    hits: int
    misses: int
    uncached: int
    tiers: tuple[TierInfo, ...]
