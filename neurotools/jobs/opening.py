"""Caches looked into by their folder; not loaded for memoizing."""

from __future__ import annotations

import os

from neurotools.memo.upkeep.opened import Cache, opened

__all__ = ["Cache", "open_cache"]


def open_cache(path: str | os.PathLike[str]) -> Cache:
    """Return a cache to look into: what it holds, entry by entry, without the code that filled it.

    Parameters
    ----------
    path : str or path
        The folder that was given to `disk_cacher`, the cache in it, or a folder in that.

    Returns
    -------
    Cache
        Its ``functions()``, ``entries(name)`` and ``entry(name)``; notebooks show it as a table.

    Raises
    ------
    NoCache
        If there is none.
    OSError
        If the folder cannot be looked at.
    """
    return opened(path)
