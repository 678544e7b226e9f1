"""What is to be removed from a cache, and removing it: the engine of ``neurotools gc``."""

from __future__ import annotations

import math
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable
from typing import NamedTuple

from neurotools.memo.errors import UnknownChoice
from neurotools.memo.progress import passing
from neurotools.memo.tiers import graves, pins, uses, worth
from neurotools.memo.tiers.census import Shelf, census, mark_of, taken
from neurotools.memo.tiers.folders import Folders
from neurotools.memo.tiers.graves import Grave
from neurotools.memo.tiers.trust import Trust
from neurotools.memo.tiers.worth import Candidate
from neurotools.memo.upkeep.inventory import Place


class Limits(NamedTuple):
    """What is to be kept at most; None where there is no limit.

    Attributes
    ----------
    max_bytes, max_entries : int
        On the disk, in whole blocks; of all entries below the place.
    min_free : int
        Bytes that are to be free on the disk.
    older_than : float
        Entries that were not used for so many seconds go.
    keep_versions : int
        Of each function, so many versions stay: those used last.
    """

    max_bytes: int | None = None
    max_entries: int | None = None
    min_free: int | None = None
    older_than: float | None = None
    keep_versions: int | None = None


class Plan(NamedTuple):
    """What is to go, with the reason; how much stays; whether that is little enough.

    It is not where what is pinned takes more.
    """

    going: list[tuple[Candidate, str]]
    staying: int
    room_staying: int
    is_enough: bool = True


def plan(place: Place, limits: Limits, order: str = "value") -> Plan:
    """Return what has to go to keep to some limits; nothing is removed.

    Raises
    ------
    UnknownChoice
        If there is no such order.
    """
    if order not in worth.ORDERS:
        raise UnknownChoice("order", order, worth.ORDERS)
    shelves = list(passing(census(place.root, place.under), what="looking"))
    kept = pins.pins_in(place.root)
    total = sum(len(shelf.entries) for shelf in shelves)
    weighed = worth.candidates(place.root, kept, shelves, costs=order == "value")
    found = list(passing(weighed, total, "weighing"))
    going = _too_old(found, limits) + _superseded(found, limits)
    gone = {(one.shelf, one.name) for one, _ in going}
    left = [one for one in found if (one.shelf, one.name) not in gone]
    # What is pinned counts, and cannot go.
    count, room = _all_of(shelves)
    count -= len(gone)
    room -= sum(one.room for one in {(c.shelf, c.name): c for c, _ in going}.values())
    missing = _missing(place.root, limits.min_free, sum(one.room for one, _ in going))
    enough_room = min(_or_infinite(limits.max_bytes), room - missing)
    enough = _or_infinite(limits.max_entries)
    for one in (
        sorted(left, key=worth.ORDERS[order]) if room > enough_room or count > enough else ()
    ):
        if room <= enough_room and count <= enough:
            break
        going.append((one, _REASONS[order]))
        room, count = room - one.room, count - 1
    is_enough = room <= enough_room and count <= enough
    return Plan(list(dict(going).items()), count, room, is_enough)


_REASONS = {
    "value": "saved least for its size",
    "lru": "not used for longest",
    "oldest": "oldest",
}


def _or_infinite(limit: int | None) -> float:
    return math.inf if limit is None else limit


def _all_of(shelves: Iterable[Shelf]) -> tuple[int, int]:
    sizes = [taken(found.size) for shelf in shelves for found in shelf.entries]
    return len(sizes), sum(sizes)


def _missing(root: str, min_free: int | None, freed: int) -> int:
    if min_free is None:
        return 0
    return max(0, min_free - shutil.disk_usage(root).free - freed)


def _too_old(found: Iterable[Candidate], limits: Limits) -> list[tuple[Candidate, str]]:
    if limits.older_than is None:
        return []
    latest = time.time() - limits.older_than
    return [(one, "not used for long") for one in found if one.last < latest]


def _superseded(found: Iterable[Candidate], limits: Limits) -> list[tuple[Candidate, str]]:
    if limits.keep_versions is None:
        return []
    versions: defaultdict[str, defaultdict[str, list[Candidate]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for one in found:
        versions[one.shelf.rpartition("/")[0]][one.shelf].append(one)
    going = []
    for of_function in versions.values():
        newest_first = sorted(
            of_function.values(), key=lambda entries: -max(one.last for one in entries)
        )
        for entries in newest_first[limits.keep_versions :]:
            going += [(one, "an earlier version") for one in entries]
    return going


def carry_out(
    root: str, going: Iterable[tuple[Candidate, str]], failed: Callable[[OSError], object]
) -> Generator[Candidate, None, None]:
    """Remove entries; give those that were there. What was done stays done when it is stopped.

    Parameters
    ----------
    root : str
        The cache's folder.
    going : iterable of (Candidate, str)
        What is to go, and why.
    failed : callable
        Called with the error of each that cannot be removed.
    """
    removed: list[tuple[str, str, Grave]] = []
    shelves: dict[str, None] = {}
    folders = Folders(root, Trust())
    try:
        for one, why in going:
            try:
                if not worth.remove(folders, one):
                    continue
            except OSError as error:
                failed(error)
                continue
            shelves[one.shelf] = None
            removed.append((one.shelf, mark_of(one.name), Grave(time.time(), why, one.seconds)))
            yield one
    finally:
        if removed:
            graves.bury(root, removed)
        for shelf in shelves:
            worth.clear_away(root, shelf)


def forget_use(root: str) -> None:
    """Sum up what is noted of use, for entries that are still there."""
    uses.forget(root, census(root))
