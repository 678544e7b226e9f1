"""What goes first when there is no room for all: entries, in the order in which they are given up.

By default that is what saves the least time for its bytes: the seconds that an entry took to
compute, times how often it was used, against what it takes on the disk. An entry that nobody has
used yet counts as used once, so that what is new is not given up for being new. Not here: what has
been used (`uses`), and when somebody is to be given up (`budget`).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from neurotools.memo.entry import Key
from neurotools.memo.tiers import uses
from neurotools.memo.tiers.census import (
    MANIFEST,
    Found,
    Shelf,
    census,
    taken,
    times_at,
)
from neurotools.memo.tiers.folders import Folders
from neurotools.memo.tiers.pins import Pins
from neurotools.memo.tiers.uses import Use


class Candidate(NamedTuple):
    """An entry that may have to go.

    Attributes
    ----------
    shelf, name : str
        Place of its version below the cache, and name of its file.
    room : int
        What it takes on the disk, in bytes.
    seconds : float
        How long it took to compute.
    times : int
        How often it was used.
    written, last : float
        When it was written, and last used, as far as that is known.
    """

    shelf: str
    name: str
    room: int
    seconds: float = 0.0
    times: int = 0
    written: float = 0.0
    last: float = 0.0

    @property
    def key(self) -> Key:
        """Its key."""
        function, _, code = self.shelf.rpartition("/")
        call, _, method = self.name.rpartition(".")
        return Key(function, code, call, method)

    def path(self, root: str) -> str:
        """Return where it is, in a cache."""
        return os.path.join(root, *self.shelf.split("/"), self.name)


def _worth(one: Candidate) -> tuple[float, float]:
    return one.seconds * (1 + one.times) / max(one.room, 1), one.last


def _last_use(one: Candidate) -> tuple[float, float]:
    return one.last, one.written


def _age(one: Candidate) -> tuple[float, float]:
    return one.written, one.last


#: What is lowest goes first.
ORDERS: dict[str, Callable[[Candidate], tuple[float, float]]] = {
    "value": _worth,
    "lru": _last_use,
    "oldest": _age,
}


def candidates(
    root: str,
    pins: Pins,
    shelves: Iterable[Shelf] | None = None,
    *,
    costs: bool = True,
) -> Iterator[Candidate]:
    """Give the entries of a cache that are not pinned.

    Parameters
    ----------
    root : str
        The cache's folder.
    pins : Pins
        What is to stay.
    shelves : iterable of Shelf, optional
        What lies in the cache, if that has been looked at; all of it by default.
    costs : bool
        Whether the end of an entry's file is read where nobody has noted how long it took.
    """
    book = uses.by_entry(root)
    for shelf in census(root) if shelves is None else shelves:
        place = shelf.name
        if not shelf.entries or pins.has_shelf(place):
            continue
        known = book.get(place, {})
        for found in shelf.entries:
            if not pins.has(place, found.name):
                use = known.get(found.mark) or _unknown(shelf, found, costs=costs)
                yield Candidate(
                    place,
                    found.name,
                    taken(found.size),
                    use.seconds,
                    use.times,
                    found.written,
                    max(use.last, found.written),
                )


def _unknown(shelf: Shelf, found: Found, *, costs: bool) -> Use:
    times = times_at(os.path.join(shelf.path, found.name)) if costs else None
    # Disks that note reading do so once a day; it is all that is known here.
    return Use(0, times.seconds if times else 0.0, max(found.read, found.written))


def remove(folders: Folders, one: Candidate) -> bool:
    """Remove an entry; return whether it was there.

    Raises
    ------
    OSError
        If it cannot be removed, or somebody else's link leads there.
    """
    path = one.path(folders.root)
    folders.check(os.path.dirname(path))
    return is_unlinked(path)


def is_unlinked(path: str, folder: int | None = None) -> bool:
    """Remove a file; return whether it was there, and is not in use on Windows.

    Parameters
    ----------
    path : str
        Where it is.
    folder : int, optional
        Descriptor of an open folder that the path begins in.
    """
    try:
        os.unlink(path, dir_fd=folder)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except PermissionError:
        if os.name == "nt":
            return False  # somebody is reading it
        raise
    return True


def clear_away(root: str, shelf: str) -> None:
    """Remove the folder of a version that has no entries left, and those above that are empty."""
    folder = os.path.join(root, *shelf.split("/"))
    with contextlib.suppress(OSError):
        if os.listdir(folder) == [MANIFEST]:
            os.unlink(os.path.join(folder, MANIFEST))
        while folder != root:
            os.rmdir(folder)
            folder = os.path.dirname(folder)
