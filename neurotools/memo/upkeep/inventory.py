"""What is in a cache, for people who look: caches, versions of functions, entries.

All of it comes from one pass over the folders (`neurotools.memo.tiers.census`) and the log of what
was used; no entry is opened for a listing. Not here: what is printed (`neurotools.console`).
"""

from __future__ import annotations

import math
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from neurotools.memo.errors import NoCache, NoEntry
from neurotools.memo.formats.registry import FORMATS
from neurotools.memo.tiers.census import PRIVATE, Found, Shelf, census, taken, times_at
from neurotools.memo.tiers.uses import Use, totals

#: Names that caches have by default, below the folder that was given for them.
IDENTIFIERS = ("__neurotools_cache__", "neurotools_cache")
#: Folders beside each other in which caches are looked for, to name them in an error.
_LOOKED_INTO = 100
#: An entry lies at least so deep: function, version, file.
_DEPTH = 3


class Place(NamedTuple):
    """A cache, or a part of one: its folder, and the path of the part below it."""

    root: str
    under: str = ""

    @property
    def path(self) -> str:
        """Where it is."""
        return os.path.join(self.root, *self.under.split("/")) if self.under else self.root


def is_cache(folder: str) -> bool:
    """Tell whether a folder is a cache."""
    is_named = os.path.basename(folder) in IDENTIFIERS and os.path.isdir(folder)
    return is_named or os.path.isdir(os.path.join(folder, PRIVATE))


def places_at(path: str | os.PathLike[str]) -> list[Place]:
    """Return the caches that somebody means who names a folder.

    It may be a cache, a folder with caches in it, such as the one given to ``disk_cacher``, or a
    folder in a cache.

    Raises
    ------
    NoCache
        If there is none.
    OSError
        If the folder cannot be looked at.
    """
    if "://" in os.fspath(path):
        raise NoCache(os.fspath(path), "only folders are looked at; neurotools sync copies to one")
    folder = os.path.abspath(os.path.expanduser(os.fspath(path)))
    if not stat.S_ISDIR(os.stat(folder).st_mode):
        raise NoCache(folder, "it is a file")
    if is_cache(folder):
        return [Place(folder)]
    with os.scandir(folder) as listing:
        names = sorted(item.name for item in listing if item.is_dir())
    below = [root for name in names if (root := _cache_in(os.path.join(folder, name)))]
    if below:
        return [Place(root) for root in below]
    above = root_above(folder)
    if above is None:
        remedy = "it holds no folder that a cacher has made. Give the one given to disk_cacher"
        near = [name for name in names[:_LOOKED_INTO] if _holds_caches(os.path.join(folder, name))]
        raise NoCache(folder, f"{remedy}, such as {' or '.join(near[:3])}" if near else remedy)
    return [Place(above, os.path.relpath(folder, above).replace(os.sep, "/"))]


def _cache_in(folder: str) -> str:
    """Return the folder if it is a cache, or that of functions in it, as a ``Memory`` has one."""
    functions = os.path.join(folder, "functions")
    return folder if is_cache(folder) else functions if is_cache(functions) else ""


def _holds_caches(folder: str) -> bool:
    try:
        with os.scandir(folder) as listing:
            return any(_cache_in(item.path) for item in listing if item.is_dir())
    except OSError:
        return False


def root_above(path: str) -> str | None:
    """Return the cache in which something lies, or None."""
    folder = os.path.dirname(path)
    while folder != os.path.dirname(folder):
        if is_cache(folder):
            return folder
        folder = os.path.dirname(folder)
    return None


class VersionSummary(NamedTuple):
    """What is kept of one version of a function.

    Attributes
    ----------
    root, function, code : str
        The cache, the function's folder in it, the version.
    entries, size, room : int
        How many, their bytes, and the bytes that they take on the disk.
    first, last : float
        When the first and the last of them were written, seconds since the epoch.
    use : Use
        How often they were used, the seconds that saved, and when that was last.
    methods : dict of int
        How many there are of each format.
    """

    root: str
    function: str
    code: str
    entries: int
    size: int
    room: int
    first: float
    last: float
    use: Use
    methods: dict[str, int]


def versions_in(
    place: Place,
    told: Callable[[OSError], object] | None = None,
    moved: Callable[[], object] | None = None,
) -> Iterator[VersionSummary]:
    """Give the versions of functions that have entries, function by function."""
    used = totals(place.root)
    for shelf in census(place.root, place.under, told=told, moved=moved):
        if shelf.entries:
            yield _summary(place.root, shelf, used.get(shelf.name))


def _summary(root: str, shelf: Shelf, use: Use | None) -> VersionSummary:
    entries = shelf.entries
    sizes = [found.size for found in entries]
    written = [found.written for found in entries]
    if use is None:
        # What the file system has noted, where it does: to the day, at best.
        use = Use(0, 0.0, max(max(written), max(found.read for found in entries)))
    suffixes = Counter(found.name[-4:] for found in entries)
    methods = {m: suffixes[m[-4:].rjust(4, ".")] for m in FORMATS}
    return VersionSummary(
        root,
        shelf.function,
        shelf.code,
        len(entries),
        sum(sizes),
        sum(map(taken, sizes)),
        min(written),
        max(written),
        use,
        {method: count for method, count in methods.items() if count},
    )


class Located(NamedTuple):
    """One entry: its cache, its shelf with no other entry on it, and itself."""

    root: str
    shelf: Shelf
    found: Found

    @property
    def path(self) -> str:
        """Where it is."""
        return os.path.join(self.shelf.path, self.found.name)


def located(path: str) -> Located:
    """Return the entry whose file lies at a path.

    Raises
    ------
    NoEntry
        If nothing in a cache is named so.
    OSError
        If it cannot be looked at.
    """
    path = os.path.abspath(os.path.expanduser(path))
    facts, root = os.lstat(path), root_above(path)
    if root is None:
        raise NoEntry(path, "it does not lie in a cache")
    parts = os.path.relpath(path, root).split(os.sep)
    call, _, method = parts[-1].rpartition(".")
    if len(parts) < _DEPTH or not call or method not in FORMATS or not stat.S_ISREG(facts.st_mode):
        raise NoEntry(path, "it is no file of an entry")
    shelf = Shelf("/".join(parts[:-2]), parts[-2], os.path.dirname(path))
    found = Found(parts[-1], facts.st_size, facts.st_mtime, facts.st_atime)
    return Located(root, shelf, found)


def entries_in(places: Iterable[Place]) -> Iterator[Located]:
    """Give all entries of some places."""
    for place in places:
        for shelf in census(place.root, place.under):
            for found in shelf.entries:
                yield Located(place.root, shelf, found)


def chosen(text: str, places: Sequence[Place]) -> Iterator[Located]:
    """Give the entries that a person means by a text.

    It may be the beginning of a file's name, which is its hash; that with the beginning of its
    version in front, and a slash between; a path below the cache; the name of a function, or of a
    module, or a version.
    """
    wanted = text.strip("/").replace(".", "/")
    version, slash, name = text.strip("/").rpartition("/")
    for place in places:
        for shelf in census(place.root, place.under):
            whole = f"/{shelf.name}/".replace(".", "/")
            fits = f"/{wanted}/" in whole
            is_version = bool(slash) and f"/{shelf.name}".rfind(f"/{version}") >= 0
            for found in shelf.entries:
                is_named = found.name.startswith(text)
                if fits or is_named or (is_version and found.name.startswith(name)):
                    yield Located(place.root, shelf, found)


def one_entry(text: str, places: Sequence[Place]) -> Located:
    """Return the one entry that a person means.

    Raises
    ------
    NoEntry
        If there is none, or more than one.
    """
    if os.path.lexists(os.path.expanduser(text)) and not os.path.isdir(text):
        return located(text)
    found = []
    for entry in chosen(text, places):
        found.append(entry)
        if len(found) > 1:
            both = " and ".join(f"{one.shelf.code[:6]}/{one.found.name[:14]}" for one in found)
            raise NoEntry(text, f"more than one is named so, {both} among them; name one of them")
    if not found:
        raise NoEntry(text, f"nothing is named so in {', '.join(place.path for place in places)}")
    return found[0]


def mean_cost(entries: Sequence[Located], most: int = 256) -> float:
    """Return the mean seconds that entries took to compute, of some of them; NaN for none."""
    step = max(1, len(entries) // most)
    times = [times_at(entry.path) for entry in entries[::step][:most]]
    seconds = [one.seconds for one in times if one is not None]
    return sum(seconds) / len(seconds) if seconds else math.nan


def human_name(function: str) -> str:
    """Return a function's name as it is imported, from its folder."""
    return function.replace("/", ".")
