"""What is to stay whatever it is worth: an entry, a version, or all of a function.

A pin is a mark of the cache that names a place in it; what lies below is spared by `gc` and by
budgets. It does not keep anybody from removing an entry on purpose.
"""

from __future__ import annotations

import contextlib
import os
from typing import NoReturn

import xxhash

from neurotools.memo.tiers.marks import MARKS, FolderMarks, Marks

_FOLDER = "pins"


def pin(marks: Marks, place: str) -> None:
    """Keep what lies at a place below the cache: an entry's path, or the folder of several."""
    marks.keep(_name(place), place.encode("utf-8", "surrogatepass"))


def unpin(marks: Marks, place: str) -> bool:
    """Keep it no longer; return whether it was kept by a pin of that very place."""
    return marks.drop(_name(place))


def pinned(marks: Marks) -> Pins:
    """Return all that is pinned."""
    found = set()
    for name in marks.names(_FOLDER):
        content = marks.read(name)
        with contextlib.suppress(UnicodeDecodeError):
            found.add((content or b"").decode("utf-8", "surrogatepass"))
    return Pins(found - {""})


def pins_in(root: str) -> Pins:
    """Return all that is pinned in a cache; nothing is written there."""
    return pinned(FolderMarks(root, _no_writer))


def pins_changed(root: str) -> int:
    """Return a number that is another one when something was pinned meanwhile, or no longer is."""
    try:
        return os.stat(os.path.join(root, *MARKS.split("/"), _FOLDER)).st_mtime_ns
    except OSError:
        return 0


def _no_writer() -> NoReturn:
    raise AssertionError("pins are read here")


def _name(place: str) -> str:
    return f"{_FOLDER}/{xxhash.xxh3_64_hexdigest(place.encode('utf-8', 'surrogatepass'))}"


class Pins:
    """What is pinned in a cache.

    Parameters
    ----------
    places : set of str
        Paths of entries and folders below the cache, with forward slashes.
    """

    def __init__(self, places: set[str]) -> None:
        self.places = frozenset(places)

    def has_shelf(self, shelf: str) -> bool:
        """Tell whether a version is pinned as a whole."""
        parts = shelf.split("/") if self.places else []
        return any("/".join(parts[: end + 1]) in self.places for end in range(len(parts)))

    def has(self, shelf: str, name: str) -> bool:
        """Tell whether an entry is pinned by itself."""
        return bool(self.places) and f"{shelf}/{name}" in self.places
