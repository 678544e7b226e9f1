"""What does it cost that entries record which cached calls they were made from?

Hits and misses are timed in turn, with the recording and with stand-ins that do nothing in its
place. What a hit outside of any computation does more, one look whether there is a computation, is
too short for that, and is timed by itself.

    python -m benchmarks.lineage_cost            # a quarter of a minute
    python -m benchmarks.lineage_cost --keep     # writes what the documentation shows
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import tempfile
import time
import timeit
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.tables import circumstances, grid, keep
from neurotools.jobs.cache import disk_cacher
from neurotools.memo import function, making

ROUNDS, CALLS = 31, 200

_BELOW = """
Medians of {rounds} rounds of {calls} calls, in time of the processor, with results of 1 kB in a
folder in memory; the ratios are those of neighbouring rounds. {circumstances}
"""


@contextlib.contextmanager
def without() -> Iterator[None]:
    """Have nothing recorded in the block."""
    before = function.MAKINGS, making.Making.begin, making.Making.end
    function.MAKINGS = set()
    making.Making.begin = making.Making.end = _nothing  # type: ignore[method-assign]
    try:
        yield
    finally:
        function.MAKINGS = before[0]
        making.Making.begin, making.Making.end = before[1:]  # type: ignore[method-assign]


def _nothing(_: making.Making) -> None:
    """Stand for what notes something."""


def seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return (time.process_time() - started) / CALLS


def compared(work: Callable[[], object]) -> tuple[float, float, float]:
    """Return the seconds of a call without and with recording, and the median of the ratios."""
    plain, recorded = [], []
    for number in range(ROUNDS):
        for is_plain in (number % 2 == 0, number % 2 != 0):
            with without() if is_plain else contextlib.nullcontext():
                (plain if is_plain else recorded).append(seconds(work))
    ratios = [one / other for one, other in zip(recorded, plain, strict=True)]
    return statistics.median(plain), statistics.median(recorded), statistics.median(ratios)


def measure(folder: str) -> list[list[str]]:
    """Return a row for each kind of call."""
    remember, fresh = disk_cacher(folder), iter(range(10**9))

    @remember
    def low(x: int) -> Any:
        return np.full(128, float(x))

    @remember
    def high(x: int) -> Any:
        return sum(low(n) for n in range(10)) + x

    def inside() -> None:
        # As a computation that uses hits alone would.
        made = making.Making()
        made.begin()
        try:
            for n in range(CALLS):
                low(n % 100)
        finally:
            made.end()

    for n in range(100):
        low(n)
    hit = statistics.median(
        seconds(lambda: [low(n % 100) for n in range(CALLS)]) for _ in range(ROUNDS)
    )
    look = min(timeit.repeat("if x: pass", globals={"x": making.MAKINGS}, number=10**6)) / 1e6
    rows = [
        ["a hit outside of computations", _told(hit - look), _told(hit), f"{1 + look / hit:.4f}"]
    ]
    works = {
        "a hit within a computation": inside,
        "a miss": lambda: [low(-1 - next(fresh)) for _ in range(CALLS)],
        "a miss that uses ten hits": lambda: [high(next(fresh)) for _ in range(CALLS)],
    }
    for name, work in works.items():
        plain, recorded, ratio = compared(work)
        rows.append([name, _told(plain), _told(recorded), f"{ratio:.3f}"])
    return rows


def _told(found: float) -> str:
    return f"{found * 1e6:.1f} us"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--keep", action="store_true", help="write what the documentation shows")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lineage-", dir=_memory()) as folder:
        rows = measure(folder)
    below = circumstances("lineage_cost.py").replace("python benchmarks/", "python -m benchmarks.")
    below = below.replace("lineage_cost.py", "lineage_cost")
    text = grid(["call", "without", "with", "ratio"], rows)
    text += _BELOW.format(rounds=ROUNDS, calls=CALLS, circumstances=below)
    print(text)
    if chosen.keep:
        keep("lineage-cost.inc", text)


def _memory() -> str | None:
    return "/dev/shm" if os.path.isdir("/dev/shm") else None


if __name__ == "__main__":
    main()
