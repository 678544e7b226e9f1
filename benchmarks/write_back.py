"""How long is a call kept by a slow place behind a fast folder, and how quickly is one sent to it?

Calls that miss run in turn with the fast folder alone, with the slow place written to at once, and
with ``write_back='async'``. The slow place is a folder that waits before it stores something, as a
far server does. Then ``neurotools sync`` copies many results from one folder to another.

    python benchmarks/write_back.py            # a minute or two
    python benchmarks/write_back.py --keep     # writes what the documentation shows
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tables import circumstances, grid, keep

from neurotools.jobs.cache import hierarchical_cacher
from neurotools.memo.entry import Blob, Key
from neurotools.memo.tiers.directory import DirectoryTier

#: Seconds that a store takes more than in a folder.
DELAYS = (0.0, 0.002, 0.02)
#: Bytes of a result.
SIZES = (1_000, 1_000_000)
MODES = ("the fast folder alone", "``write_back=True``", "``write_back='async'``")
ROUNDS, SYNCED = 200, 10_000


class Slow(DirectoryTier):
    """A folder that takes its time."""

    def __init__(self, root: str, delay: float) -> None:
        super().__init__(root)
        self._delay = delay

    def put(self, key: Key, blob: Blob) -> None:
        time.sleep(self._delay)
        super().put(key, blob)


def functions(top: Path, delay: float, size: int) -> dict[str, Any]:
    """Return a remembered function for each way of writing."""

    def compute(number: int) -> np.ndarray[Any, Any]:
        return np.full(size // 8, float(number))

    made = {}
    for place, mode in enumerate(MODES):
        fast, slow = str(top / f"fast{place}"), Slow(str(top / f"slow{place}"), delay)
        tiers: tuple[Any, ...] = (fast,) if place == 0 else (fast, slow)
        made[mode] = hierarchical_cacher(tiers, write_back="async" if place == 2 else True)(compute)
    return made


def misses(delay: float, size: int, rounds: int) -> list[float]:
    """Return the median milliseconds of a miss, for each way of writing."""
    with tempfile.TemporaryDirectory(dir=_place()) as top:
        made = functions(Path(top), delay, size)
        times: dict[str, list[float]] = {mode: [] for mode in made}
        for number in range(rounds + 5):
            for mode, function in made.items():
                seconds = _timed(lambda call=function, x=number: call(x))
                times[mode] += [seconds] if number >= 5 else []
        made[MODES[2]].flush()
        return [1e3 * statistics.median(times[mode]) for mode in MODES]


def hits(rounds: int) -> list[float]:
    """Return the median microseconds of a hit, for each way of writing."""
    with tempfile.TemporaryDirectory(dir=_place()) as top:
        made = functions(Path(top), 0.0, 1_000)
        for function in made.values():
            function(1)
        made[MODES[2]].flush()
        times: dict[str, list[float]] = {mode: [] for mode in made}
        for _ in range(rounds):
            for mode, function in made.items():
                times[mode].append(_timed(lambda call=function: [call(1) for _ in range(100)]))
        return [1e4 * statistics.median(times[mode]) for mode in MODES]


def synced(number: int) -> dict[str, float]:
    """Return the entries per second that the command copies, and how long it takes for none."""
    with tempfile.TemporaryDirectory(dir=_place()) as top:
        f = hierarchical_cacher(f"{top}/fast")(lambda x: np.full(125, float(x)))
        for x in range(number):
            f(x)
        rates, again = [], []
        for turn in range(3):
            command = [sys.executable, "-c", _SYNC, "sync", "--to", f"{top}/fast", f"{top}/{turn}"]
            run = lambda command=command: subprocess.run(  # noqa: E731 - timed
                command, check=True, stdout=subprocess.DEVNULL
            )
            rates.append(number / _timed(run))
            again.append(_timed(run))
    return {"rate": statistics.median(rates), "again": statistics.median(again)}


_SYNC = "import sys; from neurotools.console.main import main; sys.exit(main())"


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _place() -> str | None:
    return "/dev/shm" if os.path.isdir("/dev/shm") else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--keep", action="store_true", help="write what the documentation shows")
    chosen = parser.parse_args()
    rows = []
    for size in SIZES:
        for delay in DELAYS:
            times = misses(delay, size, ROUNDS if delay < 0.01 else ROUNDS // 4)
            told = f"{size // 1000:,} kB", f"{delay * 1e3:g} ms"
            rows.append([*told, *(f"{one:.2f}" for one in times)])
    table = grid(["result", "a store takes", *MODES], rows)
    of_hits = ", ".join(f"{one:.1f}" for one in hits(ROUNDS))
    done = synced(SYNCED)
    text = (
        "Milliseconds that a call takes which computes and stores a result, medians:\n\n"
        f"{table}\n"
        f"A hit in the fast folder takes {of_hits} µs, in the same order. ``neurotools sync``\n"
        f"copies {done['rate']:,.0f} results of 1 kB per second from one folder to another, its\n"
        f"start and both listings included; where none of {SYNCED:,} is missing, it takes\n"
        f"{done['again']:.2f} s. {circumstances('write_back.py')}\n"
    )
    print(text)
    if chosen.keep:
        keep("write-back.inc", text)


if __name__ == "__main__":
    main()
