"""A glance at a folder: what it holds, as far as that can be counted in a moment."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from neurotools.memo.formats.registry import FORMATS
from neurotools.memo.tiers.census import PRIVATE
from neurotools.memo.tiers.uses import Use, totals, write_own
from neurotools.memo.watch.health import health_at

#: Seconds that a glance may take, about; a notebook waits for it.
SECONDS = 1.0
#: So many files are looked at between two looks at the clock.
_BETWEEN = 256
_SUFFIXES = tuple(f".{method}" for method in FORMATS)


class Kept(NamedTuple):
    """What is kept of a version of a function, or of all of its versions.

    Attributes
    ----------
    function : str
        The function's folder.
    code : str
        The version; empty for all.
    versions, entries, size : int
        How many, and their bytes.
    last : float
        When one was last written or used, seconds since the epoch.
    use : Use
        How often they were loaded, and the seconds that saved.
    """

    function: str
    code: str
    versions: int
    entries: int
    size: int
    last: float
    use: Use


class Glance(NamedTuple):
    """What was seen: versions with entries, and whether that is all there is."""

    kept: tuple[Kept, ...]
    is_whole: bool


def glance(root: str, under: str = "", seconds: float = SECONDS) -> Glance:
    """Return what a cache, or a part of it, holds; only as far as there is time to count.

    Parameters
    ----------
    root : str
        The cache's folder.
    under : str
        A part of it, with forward slashes.
    seconds : float
        Time to take.

    Raises
    ------
    OSError
        If it does not answer, or cannot be looked at.
    """
    return health_at(root).run("read", _glance, root, under, seconds)


def _glance(root: str, under: str, seconds: float) -> Glance:
    ends = time.monotonic() + seconds
    write_own(root)
    used = totals(root)
    kept: list[Kept] = []
    waiting = [under.strip("/")]
    while waiting:
        if time.monotonic() > ends and kept:
            return Glance(tuple(kept), is_whole=False)
        place = waiting.pop()
        folders, one, is_whole = _folder(root, place, used, ends)
        if one is not None:
            kept.append(one)
        if not is_whole:
            return Glance(tuple(kept), is_whole=False)
        waiting += sorted((f"{place}/{name}" if place else name for name in folders), reverse=True)
    return Glance(tuple(kept), is_whole=True)


def _folder(
    root: str, place: str, used: dict[str, Use], ends: float
) -> tuple[list[str], Kept | None, bool]:
    """Return the folders in a folder, what its entries are, and whether these are all of them."""
    folders: list[str] = []
    entries, size, last, is_whole = 0, 0, 0.0, True
    for number, item in enumerate(_listed(os.path.join(root, *place.split("/")))):
        if number % _BETWEEN == _BETWEEN - 1 and time.monotonic() > ends:
            is_whole = False
            break
        if item.is_dir(follow_symlinks=False):
            if item.name != PRIVATE:
                folders.append(item.name)
        elif item.name[0] != "." and item.name.endswith(_SUFFIXES):
            try:
                facts = item.stat(follow_symlinks=False)
            except OSError:
                continue  # removed since
            entries, size = entries + 1, size + facts.st_size
            last = max(last, facts.st_mtime)
    if not entries:
        return folders, None, is_whole
    function, _, code = place.rpartition("/")
    use = used.get(place, Use(0, 0.0, 0.0))
    return folders, Kept(function, code, 1, entries, size, max(last, use.last), use), is_whole


def _listed(path: str) -> Iterator[os.DirEntry[str]]:
    # An open folder is not looked up anew for each of its files.
    try:
        place: Any = os.open(path, os.O_RDONLY) if os.scandir in os.supports_fd else path
    except FileNotFoundError:
        return
    try:
        with os.scandir(place) as listing:
            yield from listing
    except FileNotFoundError:
        return
    finally:
        if place is not path:
            os.close(place)


def by_function(kept: Iterable[Kept]) -> list[Kept]:
    """Return the sums of each function's versions, the largest first."""
    found: dict[str, Kept] = {}
    for one in kept:
        old = found.get(one.function)
        found[one.function] = one._replace(code="") if old is None else total([old, one])
    return sorted(found.values(), key=lambda one: -one.size)


def total(kept: Iterable[Kept]) -> Kept:
    """Return the sum of some; it is called what the first is."""
    every = list(kept)
    use = Use(
        sum(one.use.times for one in every),
        sum(one.use.seconds for one in every),
        max((one.use.last for one in every), default=0.0),
    )
    return Kept(
        every[0].function if every else "",
        "",
        sum(one.versions for one in every),
        sum(one.entries for one in every),
        sum(one.size for one in every),
        max((one.last for one in every), default=0.0),
        use,
    )
