"""Many callers at once: how often is a function run, is anything wrong, who takes over.

    python -m benchmarks.reliability.herd [--many 100]

Thirty-two callers, threads and processes and tasks of event loops in several mixtures, ask for the
same results at the same moment, over and over; each result is to be computed once. Then a computing
process is killed while another waits for it, and computations ask for themselves in all the ways of
`tests.faults.circles`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from neurotools.jobs.cache import hierarchical_cacher

#: Name, processes, threads in each, tasks in each thread, keys asked for at once.
CROWDS = (
    ("32 threads", 1, 32, 0, 1),
    ("32 processes", 32, 1, 0, 1),
    ("8 processes of 4 threads", 8, 4, 0, 1),
    ("32 tasks", 1, 1, 32, 1),
    ("4 processes of 2 threads of 4 tasks", 4, 2, 4, 1),
    ("8 processes of 4 threads, 5 results", 8, 4, 0, 5),
    ("32 threads, 5 results", 1, 32, 0, 5),
)
CIRCLES = (
    *("in_pool", "in_map", "in_thread", "in_multiprocessing_threads", "with_a_worker"),
    *("in_subprocess", "in_fork", "in_spawn", "in_forkserver", "with_processes_from_before"),
    *("in_bare_fork", "with_tasks", "in_to_thread", "in_executor", "in_opposite_order"),
    *("in_two_processes", "in_tasks_of_two_processes"),
)


def expected(number: int) -> np.ndarray:
    """Return the right result of a call."""
    return np.random.default_rng(number).normal(size=1000)


# ---------------------------------------------------------------- a process of callers


def work(root: str, threads: int, tasks: int, keys: int) -> None:
    """Make the calls of each round, as the lines of standard input tell its number."""
    cacher = hierarchical_cacher(("ram://", f"{root}/cache"), allow_mutable_bindings=True)

    def run(number: int) -> np.ndarray:
        with open(f"{root}/runs/{number}", "a") as file:
            file.write("x")
        return expected(number)

    @cacher
    def compute(number: int) -> np.ndarray:
        value = run(number)
        time.sleep(number % 7 / 100)
        return value

    @cacher
    async def compute_in_task(number: int) -> np.ndarray:
        value = run(number)
        await asyncio.sleep(number % 7 / 100)
        return value

    def ask(numbers: list[int]) -> int:
        found = [compute(number) for number in numbers]
        return _wrong(numbers, found)

    async def ask_in_task(numbers: list[int]) -> int:
        return _wrong(numbers, [await compute_in_task(number) for number in numbers])

    async def ask_in_tasks(numbers: list[int]) -> int:
        return sum(await asyncio.gather(*(ask_in_task(_mixed(numbers)) for _ in range(tasks))))

    def caller(numbers: list[int]) -> int:
        barrier.wait()
        return asyncio.run(ask_in_tasks(numbers)) if tasks else ask(_mixed(numbers))

    barrier = threading.Barrier(threads)
    print("ready", flush=True)
    with ThreadPoolExecutor(threads) as pool:
        for line in sys.stdin:
            numbers = [int(line) * keys + key for key in range(keys)]
            print(sum(pool.map(caller, [numbers] * threads)), flush=True)


def _wrong(numbers: list[int], found: list[np.ndarray]) -> int:
    return sum(
        not np.array_equal(value, expected(number))
        for number, value in zip(numbers, found, strict=True)
    )


def _mixed(numbers: list[int]) -> list[int]:
    return random.sample(numbers, len(numbers))


# ---------------------------------------------------------------- the crowds


@contextmanager
def _started(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "benchmarks.reliability.herd", *map(str, arguments)]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True, bufsize=1) as worker:
        try:
            yield worker
        except BaseException:
            worker.kill()
            raise


def crowd(root: str, processes: int, threads: int, tasks: int, keys: int, many: int) -> list[int]:
    """Return how many results were asked for, how often they were computed, how many were wrong."""
    os.makedirs(f"{root}/runs")
    wrong = 0
    with ExitStack() as stack:
        workers = [
            stack.enter_context(_started("--work", root, threads, tasks, keys))
            for _ in range(processes)
        ]
        for worker in workers:
            worker.stdout.readline()
        for number in range(many):
            for worker in workers:
                worker.stdin.write(f"{number}\n")
            wrong += sum(int(worker.stdout.readline()) for worker in workers)
    runs = sum(os.path.getsize(one.path) for one in os.scandir(f"{root}/runs"))
    return [many * keys, processes * threads * max(tasks, 1), runs, wrong]


# ---------------------------------------------------------------- who takes over


def hold(root: str, how: str) -> None:
    """Compute for ever, or until the process ends itself when told."""
    cacher = hierarchical_cacher((f"{root}/cache",), allow_mutable_bindings=True)
    # Not a constant of the function: all who wait compute the same.
    os.environ["HOW"] = how

    @cacher
    def compute(number: int) -> int:
        if os.path.exists(f"{root}/begun"):
            with open(f"{root}/over", "w") as file:
                file.write(repr(time.time()))
            return number
        with open(f"{root}/begun", "w") as file:
            file.write("x")
        print("computing", flush=True)
        sys.stdin.readline()
        with open(f"{root}/ended", "w") as file:
            file.write(repr(time.time()))
        if os.environ["HOW"] == "exit":
            os._exit(3)
        if os.environ["HOW"] == "crash":
            import ctypes

            ctypes.string_at(0)
        os.kill(os.getpid(), signal.SIGKILL)
        return -1

    if how == "wait":
        print("waiting", flush=True)
    print(compute(1), flush=True)


def takeover(how: str) -> float:
    """Return how long a waiter takes to begin when the computing process ends, in seconds."""
    with tempfile.TemporaryDirectory() as root:
        with _started("--hold", root, how) as one:
            assert one.stdout.readline() == "computing\n"
            with _started("--hold", root, "wait") as other:
                assert other.stdout.readline() == "waiting\n"
                time.sleep(0.5)
                one.stdin.write("\n")
                assert other.stdout.readline() == "1\n"
        ended, over = (float(Path(root, name).read_text()) for name in ("ended", "over"))
        return over - ended


def circle(name: str) -> float:
    """Return how long a computation that asks for itself takes until it has its result."""
    with tempfile.TemporaryDirectory() as root:
        started = time.perf_counter()
        command = [sys.executable, "-m", "tests.faults.circles", name]
        own = {**os.environ, "CIRCLES": root}
        done = subprocess.run(command, stdout=-1, stderr=-1, timeout=120, check=True, env=own)
        assert done.stdout.split()[0] == b"42"
        return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--many", type=int, default=100, help="rounds of each crowd")
    parser.add_argument("--work", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--hold", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        root, *numbers = given.work
        return work(root, *map(int, numbers))
    if given.hold:
        return hold(*given.hold)
    print(f"{'callers':40} {'results':>8} {'callers':>8} {'computed':>9} {'wrong':>6}")
    for name, *sizes in CROWDS:
        with tempfile.TemporaryDirectory() as root:
            results, callers, runs, wrong = crowd(root, *sizes, given.many)
        print(f"{name:40} {results:8} {callers:8} {runs:9} {wrong:6}", flush=True)
    print("\nthe computing process ends: a waiter begins after")
    for how in ("kill", "exit", "crash"):
        times = [takeover(how) for _ in range(max(3, given.many // 20))]
        print(f"{how:10} median {statistics.median(times) * 1e3:6.1f} ms", flush=True)
    print("\ncomputations that ask for themselves: seconds, the start of Python included")
    for name in CIRCLES:
        print(f"{name:30} {circle(name):6.1f}", flush=True)
    return None


if __name__ == "__main__":
    main()
