"""What does a budget cost those who write, and how closely is it kept?

Two processes store results as fast as they can, in short turns, again and again: without a budget;
without one but removing a file for each that is stored, with ``os.unlink`` and nothing else; with a
budget. Each way has a folder of its own with as many files in it, and the same two processes, so
that what a folder's size, a start, or other work on the machine costs is the same for all. To
remove as many files as are stored is what no budget can do without: what a budget costs beyond that
is its own. A third process looks at the folder meanwhile, in all turns alike, and notes what the
entries take.

    python -m benchmarks.budget                      # two minutes
    python -m benchmarks.budget --minutes 10         # with a budget; a quarter of an hour
    python -m benchmarks.budget --kilobytes 1000     # other results
    python -m benchmarks.budget --keep               # writes what the documentation shows
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import tempfile
import time
from collections import deque
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.tables import circumstances, grid, keep
from neurotools.jobs.cache import disk_cacher
from neurotools.memo.tiers.census import census, taken

_WRITERS = 2
#: The budget has room for so many entries.
_ENTRIES = 4000
#: Turns with a budget are so many times as long as the others: they are what is looked at.
_LONGER = 4
#: Without a budget; the same, with `os.unlink` of a file for each that is stored; with a budget.
_WAYS = ("plain", "bare", "budget")
#: Beyond these: the second folder is filled.
_FILL = len(_WAYS)
_BARRIER_SECONDS = 600.0


class Meeting(NamedTuple):
    """What the driver and the writers share."""

    barrier: Barrier
    stop: Event
    way: Synchronized
    speeds: list[Synchronized]
    costs: list[Synchronized]


def write(scratch: str, numbers: int, limit: int, who: int, meeting: Meeting) -> None:
    """Store results in each turn, the way that is asked for, until none is."""

    def result(i: int, who: int) -> np.ndarray:
        return np.full(numbers, float(i + who))

    remembered = [
        disk_cacher(Path(scratch) / way, max_bytes=limit if way == "budget" else None)(result)
        for way in _WAYS
    ]
    i = time.time_ns()  # nobody has stored these before
    while True:
        meeting.barrier.wait(_BARRIER_SECONDS)
        if (way := meeting.way.value) < 0:
            return
        old = deque(paths_in(Path(scratch) / "bare")[who::_WRITERS] if way == 1 else ())
        meeting.barrier.wait(_BARRIER_SECONDS)
        function, first = remembered[1 if way == _FILL else way], i
        started, busy = time.perf_counter(), time.process_time()
        while not meeting.stop.is_set():
            function(i, who)
            i += 1
            if old:
                os.unlink(old.popleft())
        meeting.speeds[who].value = (i - first) / (time.perf_counter() - started)
        meeting.costs[who].value = (time.process_time() - busy) / (i - first)
        meeting.barrier.wait(_BARRIER_SECONDS)


def paths_in(folder: Path) -> list[str]:
    """Return the entries of a folder, the oldest first."""
    found = [
        (one.written, os.path.join(shelf.path, one.name))
        for shelf in census(str(folder))
        for one in shelf.entries
    ]
    return [path for _, path in sorted(found)]


def room(folder: Path) -> int:
    return sum(taken(found.size) for shelf in census(str(folder)) for found in shelf.entries)


class Turns:
    """Turns of two writers in three folders."""

    def __init__(self, scratch: Path, numbers: int, limit: int) -> None:
        self.scratch, self.limit = scratch, limit
        context = multiprocessing.get_context("spawn")
        self.meeting = Meeting(
            context.Barrier(_WRITERS + 1),
            context.Event(),
            context.Value("i", 0),
            *([context.Value("d", 0.0) for _ in range(_WRITERS)] for _ in range(2)),
        )
        self.writers = [
            context.Process(target=write, args=(str(scratch), numbers, limit, who, self.meeting))
            for who in range(_WRITERS)
        ]
        for writer in self.writers:
            writer.start()

    def take(self, way: str, seconds: float) -> tuple[float, float, list[float]]:
        """Return stores per second, seconds of a processor for each, and what was taken meanwhile.

        That is looked at now and then, as shares of the budget.
        """
        meeting, shares = self.meeting, []
        meeting.way.value = _WAYS.index(way) if way in _WAYS else _FILL
        meeting.barrier.wait(_BARRIER_SECONDS)
        meeting.barrier.wait(_BARRIER_SECONDS)
        started = time.perf_counter()
        while (left := started + seconds - time.perf_counter()) > 0:
            shares.append(room(self.scratch / (way if way in _WAYS else _WAYS[1])) / self.limit)
            time.sleep(min(0.5, left))
        meeting.stop.set()
        meeting.barrier.wait(_BARRIER_SECONDS)
        meeting.stop.clear()
        cost = statistics.fmean(cost.value for cost in meeting.costs)
        return sum(speed.value for speed in meeting.speeds), cost, shares

    def trim(self, way: str, entries: int) -> None:
        """Remove the oldest entries beyond some number."""
        found = paths_in(self.scratch / way)
        for path in found[: max(0, len(found) - entries)]:
            os.unlink(path)

    def end(self) -> None:
        self.meeting.way.value = -1
        self.meeting.barrier.wait(_BARRIER_SECONDS)
        for writer in self.writers:
            writer.join()


def measured(scratch: Path, numbers: int, minutes: float, turn: float) -> tuple[str, int]:
    """Return a table of what was found, and the number of rounds."""
    limit = _ENTRIES * taken(numbers * 8 + 2000)
    rounds = max(2, round(60 * minutes / (_LONGER * turn)))
    speeds: dict[str, list[float]] = {way: [] for way in _WAYS}
    costs: dict[str, list[float]] = {way: [] for way in _WAYS}
    shares: list[float] = []
    turns = Turns(scratch, numbers, limit)
    # Full at first: it is a full folder that costs something.
    while not shares or shares[-1] < 0.9:
        shares = turns.take("budget", turn)[2]
    shares.clear()
    full = len(paths_in(scratch / "budget"))
    for way, folder in (("plain", "plain"), ("fill", "bare")):
        while len(paths_in(scratch / folder)) < full:
            turns.take(way, turn)
    for number in range(rounds):
        for way in _WAYS if number % 2 else _WAYS[::-1]:
            if way != "budget":
                turns.trim(way, full)
            speed, cost, found = turns.take(way, turn * _LONGER if way == "budget" else turn)
            speeds[way].append(speed)
            costs[way].append(cost)
            shares += found if way == "budget" else []
    turns.end()
    rows = [["results stored per second, two writers"], ["processor time for each, microseconds"]]
    for way in _WAYS:
        rows[0].append(f"{statistics.median(speeds[way]):.0f}")
        rows[1].append(f"{1e6 * statistics.median(costs[way]):.0f}")
    for said, way in (("without a budget", "plain"), ("``os.unlink``", "bare")):
        found = [f"{lost(speeds[way], speeds[other]):+.1%}" for other in _WAYS]
        rows.append([f"throughput lost against {said}", *found])
    more = [f"{-lost(costs['bare'], costs[way]):+.1%}" for way in _WAYS]
    rows.append(["processor time more than with ``os.unlink``", *more])
    rows.append(["taken of the budget", "", "", f"{min(shares):.1%} to {max(shares):.1%}"])
    return grid(["", "without", "``os.unlink``", "budget"], rows), rounds


def lost(without: list[float], speeds: list[float]) -> float:
    """Return what is lost, as the median over the rounds."""
    return 1 - statistics.median(own / other for own, other in zip(speeds, without, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=1.0, help="with a budget, in all")
    parser.add_argument("--turn", type=float, default=1.5, help="seconds of a turn without one")
    parser.add_argument("--kilobytes", type=float, default=12.0, help="of numbers in a result")
    parser.add_argument("--folder", type=Path, help="where to write (default: temporary)")
    parser.add_argument("--keep", action="store_true", help="write what the documentation shows")
    chosen = parser.parse_args()
    numbers = round(chosen.kilobytes * 125)
    with tempfile.TemporaryDirectory(prefix="budget-", dir=chosen.folder) as scratch:
        table, rounds = measured(Path(scratch), numbers, chosen.minutes, chosen.turn)
    told = circumstances("budget.py").replace("benchmarks/budget.py", "-m benchmarks.budget")
    minutes = f"{rounds * chosen.turn * _LONGER / 60:.1f} minutes with a budget in {rounds} turns"
    about = f"results of {chosen.kilobytes:g} kB, room for {_ENTRIES}"
    load = (
        f" The load was {os.getloadavg()[0]:.0f} at the end." if hasattr(os, "getloadavg") else ""
    )
    gained = "What is lost below zero was gained."
    text = f"{table}\n{minutes}, {about}. {gained} {told}{load}\n"
    print(text)
    if chosen.keep:
        keep("budget.inc", text)


if __name__ == "__main__":
    main()
