"""What does a budget cost those who write, and how closely is it kept?

Two processes store results as fast as they can, for as long as is asked: in turns with a budget
and without one, in slices, so that what else the machine does hits both alike. A third process
looks at the folder meanwhile, and notes what the entries take.

    python -m benchmarks.budget                      # two minutes
    python -m benchmarks.budget --minutes 10         # with a budget, for ten minutes
    python -m benchmarks.budget --keep               # writes what the documentation shows
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import statistics
import tempfile
import time
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np

from benchmarks.tables import circumstances, grid, keep
from neurotools.jobs.cache import disk_cacher
from neurotools.memo.tiers.census import census, taken

_WRITERS = 2
#: Bytes of the budget, and numbers in a result: 16 kB and its record.
_BUDGET, _NUMBERS = 64_000_000, 1500


def write(folder: str, limit: int | None, number: int, stop: Event, stored: Synchronized) -> None:
    """Store results until it is time to stop."""

    @disk_cacher(folder, max_bytes=limit)
    def result(i: int, who: int) -> np.ndarray:
        return np.full(_NUMBERS, float(i + who))

    first = i = time.time_ns()  # nobody has stored these before
    while not stop.is_set():
        result(i, number)
        i += 1
        stored.value = i - first


def room(folder: Path) -> int:
    return sum(taken(found.size) for shelf in census(str(folder)) for found in shelf.entries)


def slice_of(folder: Path, limit: int | None, seconds: float) -> tuple[float, list[float]]:
    """Return stores per second, and shares of the budget that were taken."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    counts = [context.Value("q", 0) for _ in range(_WRITERS)]
    writers = [
        context.Process(target=write, args=(str(folder), limit, number, stop, count))
        for number, count in enumerate(counts)
    ]
    for writer in writers:
        writer.start()
    while not all(count.value for count in counts):
        time.sleep(0.01)
    before, started, shares = sum(count.value for count in counts), time.perf_counter(), []
    while (passed := time.perf_counter() - started) < seconds:
        if limit is not None:
            shares.append(room(folder) / limit)
        time.sleep(min(1.0, seconds - passed))
    speed = (sum(count.value for count in counts) - before) / (time.perf_counter() - started)
    stop.set()
    for writer in writers:
        writer.join()
    return speed, shares


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=1.0, help="with a budget, in all")
    parser.add_argument("--slice", type=float, default=10.0, help="seconds of each turn")
    parser.add_argument("--folder", type=Path, help="where to write (default: temporary)")
    parser.add_argument("--keep", action="store_true", help="write what the documentation shows")
    chosen = parser.parse_args()
    lost, speeds, shares = [], [], []
    with tempfile.TemporaryDirectory(prefix="budget-", dir=chosen.folder) as scratch:
        limited = Path(scratch) / "limited"
        # Full at first: it is a full folder that costs something.
        slice_of(limited, _BUDGET, chosen.slice)
        while room(limited) < 0.9 * _BUDGET:
            slice_of(limited, _BUDGET, chosen.slice)
        for turn in range(max(1, round(60 * chosen.minutes / chosen.slice))):
            free = Path(scratch) / f"free{turn}"
            plain, _ = slice_of(free, None, chosen.slice)
            shutil.rmtree(free)
            speed, found = slice_of(limited, _BUDGET, chosen.slice)
            speeds.append((plain, speed))
            lost.append(1 - speed / plain)
            shares += found
    plain, speed = (statistics.median(pair[i] for pair in speeds) for i in (0, 1))
    table = grid(
        ["", "without", "with a budget"],
        [
            ["results stored per second, two writers", f"{plain:.0f}", f"{speed:.0f}"],
            ["throughput lost, median of the turns", "", f"{statistics.median(lost):.1%}"],
            ["taken, least and most of the budget", "", f"{min(shares):.1%} to {max(shares):.1%}"],
        ],
    )
    told = circumstances("budget.py").replace("benchmarks/budget.py", "-m benchmarks.budget")
    minutes = f"{len(lost)} turns of {chosen.slice:.0f} s each way, a budget of 64 MB"
    text = f"{table}\n{minutes}. {told}\n"
    print(text)
    if chosen.keep:
        keep("budget.inc", text)


if __name__ == "__main__":
    main()
