"""A cache in figures, for a report: what is held, the entries that stand out, days, problems.

One pass over the folders, and the log of what was used. However many entries there are, what comes
out is bounded: the largest functions, versions and entries are named, the rest is summed up. The
ends of some thousand files are looked at; nothing is decoded. Not here: how it is shown.
"""

from __future__ import annotations

import bisect
import dataclasses
import math
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from neurotools.memo.tiers.census import Found, Shelf, census, taken, times_at
from neurotools.memo.tiers.days import NOTHING, Day
from neurotools.memo.tiers.pins import Pins, pins_in
from neurotools.memo.tiers.uses import Use, by_day, by_entry
from neurotools.memo.upkeep import findings
from neurotools.memo.upkeep.findings import Note
from neurotools.memo.upkeep.held import Function, Held, Rest, Version, functions_of, named
from neurotools.memo.upkeep.inventory import Located, Place
from neurotools.memo.upkeep.outstanding import Item, Outstanding

#: The ends of so many files are looked at, evenly spread.
_LOOKED_AT = 20_000
_DAY = 86400.0
#: What is dated earlier, 1 January 2000, has no date that tells anything.
_FIRST_DAY = 10_957
#: Bounds of the time since the last use, in days.
IDLE_DAYS = (1, 7, 30, 90, 365, math.inf)

#: Gives items on and shows how far it is; takes them, how many there are, and a word for it.
Watch = Callable[[Iterable[Any], "int | None", str], Iterator[Any]]


@dataclasses.dataclass
class Summary:
    """A cache in figures.

    Attributes
    ----------
    places : sequence of Place
        What was looked at.
    made : float
        When, seconds since the epoch.
    held : Held
        All entries.
    functions : list of Function
        Those that are named, the largest first.
    functions_count, versions_count : int
        How many there are.
    rests : list of Rest
        What is held of the functions that are not named, by module.
    items : list of Item
        The entries that stand out.
    stored : dict
        Bytes and number of the entries that were written on each day since the epoch, in UTC.
    used : dict of Day
        What was loaded on each day.
    idle : list of Held
        Entries by the time since their last use, in the bounds of `IDLE_DAYS`.
    methods : dict of int
        How many entries there are of each format.
    notes : list of Note
        What is wrong, and what may be worth a look.
    looked_at : int
        Entries whose ends were looked at.
    errors : list of OSError
        Those of folders that could not be looked at.
    """

    places: Sequence[Place]
    made: float
    held: Held = dataclasses.field(default_factory=Held)
    functions: list[Function] = dataclasses.field(default_factory=list)
    functions_count: int = 0
    versions_count: int = 0
    rests: list[Rest] = dataclasses.field(default_factory=list)
    items: list[Item] = dataclasses.field(default_factory=list)
    stored: dict[int, list[int]] = dataclasses.field(default_factory=dict)
    used: dict[int, Day] = dataclasses.field(default_factory=dict)
    idle: list[Held] = dataclasses.field(default_factory=lambda: [Held() for _ in IDLE_DAYS])
    methods: dict[str, int] = dataclasses.field(default_factory=dict)
    notes: list[Note] = dataclasses.field(default_factory=list)
    looked_at: int = 0
    errors: list[OSError] = dataclasses.field(default_factory=list)


def _unwatched(items: Iterable[Any], _total: int | None, _what: str) -> Iterator[Any]:
    yield from items


def summary_of(places: Sequence[Place], watch: Watch = _unwatched) -> Summary:
    """Return a cache in figures.

    Parameters
    ----------
    places : sequence of Place
        Caches, or parts of them.
    watch : callable
        Gives items on and shows how far it is: ``watch(items, total, what)``.

    Raises
    ------
    OSError
        If a cache's own folder cannot be looked at.
    """
    summary = Summary(places, time.time())
    errors: dict[str, list[OSError]] = {place.root: [] for place in places}
    shelves = [
        (place, shelf)
        for place in places
        for shelf in watch(
            census(place.root, place.under, told=errors[place.root].append), None, "looking"
        )
    ]
    reader = _Reader(summary, sum(len(shelf.entries) for _, shelf in shelves))
    versions: dict[tuple[str, str], list[Version]] = defaultdict(list)
    for place, shelf in watch(shelves, len(shelves), "adding up"):
        if shelf.entries:
            held = reader.held(place, shelf)
            versions[place.root, shelf.function].append(Version(shelf.code, held))
    every = functions_of(versions)
    summary.functions_count = len(every)
    summary.versions_count = sum(one.count for one in every)
    summary.functions, summary.rests = named(every)
    summary.items = reader.outstanding.items()
    for place in places:
        own = [shelf for other, shelf in shelves if other.root == place.root]
        summary.errors += errors[place.root]
        summary.notes += findings.of_cache(place.root, own, errors[place.root], reader.unsealed)
        for number, day in by_day(place.root).items() if not place.under else ():
            summary.used[number] = summary.used.get(number, NOTHING).plus(day)
    summary.notes += findings.of_use(summary)
    return summary


class _Reader:
    """Adds up versions, one after the other, and remembers which entries stand out."""

    def __init__(self, summary: Summary, total: int) -> None:
        self.outstanding = Outstanding()
        self.unsealed: list[str] = []
        self._summary, self._step = summary, max(1, -(-total // _LOOKED_AT))
        self._books: dict[str, tuple[dict[str, dict[str, Use]], Pins]] = {}
        self._number = 0

    def held(self, place: Place, shelf: Shelf) -> Held:
        """Return what is held of a version."""
        if place.root not in self._books:
            self._books[place.root] = by_entry(place.root), pins_in(place.root)
        book, pins = self._books[place.root]
        known, entries = book.get(shelf.name, {}), shelf.entries
        noted = [known.get(found.mark) for found in entries]
        seen = self._ends(shelf)
        costs = _costs(noted, seen)
        whole = Held(
            loads=sum(use.times for use in known.values()),
            saved=sum(use.times * use.seconds for use in known.values()),
            computed=len(entries) + len(known) - sum(use is not None for use in noted)
            if known
            else 0,
        )
        is_kept = pins.has_shelf(shelf.name)
        for found, use, cost in zip(entries, noted, costs, strict=True):
            whole.add(self._one(found, use, cost))
            pinned = is_kept or pins.has(shelf.name, found.name)
            times, used = (use.times, use.last) if use else (0, found.read)
            self.outstanding.add(
                Item(
                    Located(place.root, shelf, found),
                    taken(found.size),
                    cost,
                    times,
                    max(used, found.written),
                    pinned,
                )
            )
        self._summary.held.add(whole)
        return whole

    def _one(self, found: Found, use: Use | None, cost: float) -> Held:
        """Add one entry to what is told of all, and return it by itself."""
        used = max(use.last if use else found.read, found.written)
        room = taken(found.size)
        summary = self._summary
        day = int(found.written // _DAY)
        if _FIRST_DAY <= day <= summary.made // _DAY + 1:
            stored = summary.stored.setdefault(day, [0, 0])
            stored[0] += found.size
            stored[1] += 1
        passed = max(0.0, summary.made - used)
        alone = Held(1, found.size, room, first=found.written, last=found.written, used=used)
        alone.cost, alone.idle = 0.0 if math.isnan(cost) else cost, room * passed
        summary.idle[bisect.bisect(IDLE_DAYS[:-1], passed / _DAY)].add(alone)
        summary.methods[found.method] = summary.methods.get(found.method, 0) + 1
        return alone

    def _ends(self, shelf: Shelf) -> dict[int, float]:
        """Look at the ends of some files; return how long these took, by their number."""
        seen = {}
        first = -self._number % self._step
        self._number += len(shelf.entries)
        for number in range(first, len(shelf.entries), self._step):
            path = os.path.join(shelf.path, shelf.entries[number].name)
            times = times_at(path)
            self._summary.looked_at += 1
            if times is not None:
                seen[number] = times.seconds
            elif os.path.lexists(path):
                self.unsealed.append(path)
        return seen


def _costs(noted: Sequence[Use | None], seen: dict[int, float]) -> list[float]:
    """Return the seconds of each entry: as noted, as seen, or the mean of those; NaN for none."""
    known = [
        use.seconds if use is not None else seen.get(number, math.nan)
        for number, use in enumerate(noted)
    ]
    sound = [seconds for seconds in known if seconds == seconds]
    mean = sum(sound) / len(sound) if sound else math.nan
    return [seconds if seconds == seconds else mean for seconds in known]
