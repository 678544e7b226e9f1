"""How much a cache was used on each day: what stays of the log of uses when it is summed up.

One line for each day, so the file stays small however long a cache lives. Days are those of UTC.
A figure may be lost, or counted twice where a process is killed; nothing else depends on it.
"""

from __future__ import annotations

import contextlib
import functools
import math
import os
from collections.abc import Iterable
from typing import NamedTuple

from neurotools.memo.tiers.census import PRIVATE

#: File of the days, beside the log.
_NAME = "days"
_DAY = 86400
#: Lines that are read at most: nobody has used a cache for a thousand years.
_MOST, _LONGEST = 366_000, 16 << 20
_SAFE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class Day(NamedTuple):
    """What was noted on one day.

    Attributes
    ----------
    loads : int
        Results that were loaded.
    seconds : float
        How long these had taken to compute: what loading them has saved.
    """

    loads: int
    seconds: float

    def plus(self, other: Day) -> Day:
        """Return the sum of two."""
        return Day(self.loads + other.loads, self.seconds + other.seconds)


NOTHING = Day(0, 0.0)


def noted(lines: Iterable[tuple[float, Day]]) -> dict[int, Day]:
    """Return the sum of what was noted at some times, by day since the epoch."""
    days: dict[int, Day] = {}
    for when, what in lines:
        number = int(when // _DAY)
        if what.loads:
            days[number] = days.get(number, NOTHING).plus(what)
    return days


def kept(root: str) -> dict[int, Day]:
    """Return the days of a cache that have been summed up, by day since the epoch."""
    return _read(os.path.join(root, PRIVATE, "uses", _NAME))


def add(place: str, new: dict[int, Day], mode: int) -> None:
    """Add to the days in the folder of a log; whoever calls sees to it that nobody else does.

    Raises
    ------
    OSError
        If they cannot be written.
    """
    if not new:
        return
    path = os.path.join(place, _NAME)
    days = _read(path)
    for number, what in new.items():
        days[number] = days.get(number, NOTHING).plus(what)
    lines = [f"{n}\t{d.loads}\t{d.seconds:.6g}\n" for n, d in sorted(days.items())]
    fresh = f"{path}-{os.getpid()}.new"
    with open(fresh, "wb", opener=functools.partial(os.open, mode=mode)) as file:
        file.write("".join(lines).encode())
    os.replace(fresh, path)


def _read(path: str) -> dict[int, Day]:
    days: dict[int, Day] = {}
    try:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | _SAFE)) as file:
            lines = file.read(_LONGEST).decode("ascii", "replace").split("\n")
    except OSError:
        return days
    for line in lines[:_MOST]:
        with contextlib.suppress(ValueError):
            number, loads, seconds = line.split("\t")
            day = Day(int(loads), float(seconds))
            # Anybody who may write here may have made it up; it must not break a sum or a page.
            is_sound = 0 <= day.seconds < math.inf and 0 <= day.loads < 1 << 50
            if is_sound and 0 <= int(number) < _MOST:
                days[int(number)] = day
    return days
