"""What does tracing cost?

Runs three computations with ``trace=True`` and without, in turn, and compares the times of the
function itself: one that calls a small function a million times, one that calls numpy, and one that
reads files. Up to Python 3.11 each call is looked at, from 3.12 on only the first of each function:
give the interpreters to compare, each of which has neurotools.

    python benchmarks/trace_cost.py python3.11 python3.13
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from tables import circumstances, grid, keep

from neurotools.memo.trace.recording import recorded

ROUNDS = 9
CALLS = 1_000_000
FILES = 100

_BELOW = """
How long a computation takes with ``trace=True``, as a multiple of what it takes without, in
milliseconds. {circumstances}
"""


def small(x: int) -> int:
    return x + 1


def calls() -> int:
    total = 0
    for number in range(CALLS):
        total += small(number)
    return total


def arrays() -> float:
    signal = np.linspace(0, 1, 1_000_000)
    return float(sum(np.sqrt(signal).sum() for _ in range(50)))


def reader(folder: Path) -> Callable[[], int]:
    paths = [folder / f"{number}.npy" for number in range(FILES)]
    for path in paths:
        np.save(path, np.zeros(100_000))
    # Files that were written a moment ago are read twice: they may still change unseen.
    time.sleep(2.5)
    return lambda: sum(np.load(path).size for path in paths)


def ratio(work: Callable[[], object]) -> tuple[float, float]:
    """Return the median of how much longer it takes, and the seconds that it takes without."""
    ratios, plain = [], []
    for _ in range(ROUNDS):
        without = seconds(work)
        with recorded():
            ratios.append(seconds(work) / without)
        plain.append(without)
    return statistics.median(ratios), statistics.median(plain)


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure() -> dict[str, tuple[float, float]]:
    """Return for each computation how much longer it takes traced, and how long without."""
    with tempfile.TemporaryDirectory(prefix="trace-") as folder:
        works = {
            f"{CALLS:,} calls of a small function": calls,
            "numpy on arrays of 8 MB": arrays,
            f"{FILES} files of 0.8 MB read, unchanged": reader(Path(folder)),
        }
        return {name: ratio(work) for name, work in works.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("python", nargs="*", default=[sys.executable], help="interpreters")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        print(json.dumps([platform.python_version(), measure()]))
        return
    commands = [[python, __file__, "--measure"] for python in chosen.python]
    answers = [json.loads(subprocess.check_output(command)) for command in commands]
    header = ["computation", *(f"Python {version}" for version, _ in answers)]
    rows = [
        [
            name,
            *(f"{found[name][0]:.2f} of {found[name][1] * 1e3:.0f} ms" for _, found in answers),
        ]
        for name in answers[0][1]
    ]
    text = grid(header, rows) + _BELOW.format(circumstances=circumstances("trace_cost.py"))
    print(text)
    keep("trace-cost.inc", text)


if __name__ == "__main__":
    main()
