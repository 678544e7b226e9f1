"""What do many calls cost at once: executions counted, and the time beyond the work itself?

Executions are counted by files, one for each. Hits of ``f.map`` are measured in turns with a plain
loop over the same calls; what is told is the median of the differences.

    python -m benchmarks.map            # a minute on a quiet machine
    python -m benchmarks.map --keep     # writes what the documentation shows
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import logging
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from benchmarks.tables import circumstances, grid, keep
from neurotools.jobs.cache import disk_cacher

#: Calls of which half are duplicates, and the processes that make them.
CALLS, PROCESSES = 2_000, 4


def counted(x: int, runs: str) -> int:
    """Leave a file that says so, and give something to be found again."""
    name = f"{x}-{os.getpid()}-{time.monotonic_ns()}"
    with open(os.path.join(runs, name), "x"):
        return 3 * x


def executions(folder: str, door: Callable[[Any, list[int], str], list[int]]) -> tuple[int, float]:
    """Return how often a function ran for calls of which half are duplicates, and the seconds."""
    runs = tempfile.mkdtemp(dir=folder)
    function = disk_cacher(tempfile.mkdtemp(dir=folder))(counted)
    half = np.random.default_rng(0).permutation(CALLS // 2).tolist()
    calls = [x for pair in zip(half, half[::-1], strict=True) for x in pair]
    started = time.perf_counter()
    results = door(function, calls, runs)
    seconds = time.perf_counter() - started
    if results != [3 * x for x in calls]:
        raise SystemExit("wrong results")
    return len(os.listdir(runs)), seconds


@contextlib.contextmanager
def cluster() -> Iterator[Any]:
    """Give a client of a Dask cluster of as many processes."""
    from distributed import Client, LocalCluster

    options = {"n_workers": PROCESSES, "threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(silence_logs=logging.ERROR, **options) as made, Client(made) as client:
        yield client


def doors(client: Any) -> dict[str, Callable[[Any, list[int], str], list[int]]]:
    """Return the ways to make many calls of a remembered function."""
    from joblib import Parallel, delayed

    return {
        f"``f.map(xs, executor={PROCESSES})``": lambda f, xs, runs: f.map(
            xs, runs=runs, executor=PROCESSES
        ),
        "``f.map(xs, executor=client)``": lambda f, xs, runs: f.map(xs, runs=runs, executor=client),
        "``client.map(f, xs, pure=False)``": lambda f, xs, runs: client.gather(
            client.map(f, xs, runs=runs, pure=False)
        ),
        f"``joblib.Parallel({PROCESSES})``": lambda f, xs, runs: Parallel(PROCESSES)(
            delayed(f)(x, runs) for x in xs
        ),
        "``f.map(xs, executor=threads)``": _by_threads,
        "``f.map(xs)``": lambda f, xs, runs: f.map(xs, runs=runs),
    }


def _by_threads(f: Any, xs: list[int], runs: str) -> list[int]:
    with ThreadPoolExecutor(PROCESSES) as pool:
        return list(f.map(xs, runs=runs, executor=pool))


def hits(folder: str, argument: Callable[[int], Any], many: int) -> tuple[float, float]:
    """Return the seconds of a plain hit, and what a hit of ``map`` takes beyond that."""
    function = disk_cacher(tempfile.mkdtemp(dir=folder))(_same)
    arguments = [argument(n) for n in range(many)]
    function.map(arguments)
    plain, beyond = [], []
    for _ in range(7):
        gc.collect()
        started = time.perf_counter()
        for value in arguments:
            function(value)
        between = time.perf_counter()
        function.map(arguments)
        plain.append((between - started) / many)
        beyond.append((time.perf_counter() - between) / many - plain[-1])
    return statistics.median(plain), statistics.median(beyond)


def _same(value: Any) -> int:
    return int(np.size(value))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--keep", action="store_true", help="write what the documentation shows")
    chosen = parser.parse_args()
    counts, times = [], []
    with tempfile.TemporaryDirectory(prefix="map-") as folder:
        with cluster() as client:
            for name, door in doors(client).items():
                ran, seconds = executions(folder, door)
                each = f"{seconds / CALLS * 1e3:.2f}"
                counts.append([name, f"{CALLS:,}", f"{CALLS // 2:,}", f"{ran:,}", each])
                print(*counts[-1], flush=True)
        kinds: dict[str, Callable[[int], Any]] = {
            "10,000 numbers": int,
            "10,000 arrays of 1 kB": lambda n: np.full(128, float(n)),
        }
        for name, argument in kinds.items():
            hit, beyond = hits(folder, argument, 10_000)
            times.append([name, f"{hit * 1e6:.0f}", f"{beyond * 1e6:.0f}"])
    header = ["way", "calls", "keys", "executions", "ms for each call"]
    text = grid(header, counts)
    text += "\n" + grid(["hits", "µs in a loop", "µs more in ``f.map``"], times)
    text += "\n" + circumstances("map.py").replace(
        "python benchmarks/map.py", "python -m benchmarks.map"
    )
    print(text)
    if chosen.keep:
        keep("map.inc", text + "\n")


if __name__ == "__main__":
    main()
