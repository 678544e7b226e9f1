"""How long do `neurotools ls`, `stats` and `du` take on 100,000 entries, against `du -s`?

A cache is made of real entries: some are stored by a remembered function, and written again under
other names. Each command runs in a process of its own, in turn with `du -s` of the same folder, so
that what else the machine does hits all of them alike. Warm: after a look at all. Cold: after the
kernel was told to forget all folders and files, which takes root.

    python -m benchmarks.inventory                   # some minutes
    python -m benchmarks.inventory --entries 10000   # less
    python -m benchmarks.inventory --keep            # writes what the documentation shows
"""

from __future__ import annotations

import argparse
import base64
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.tables import circumstances, grid, keep
from neurotools.jobs.cache import disk_cacher

#: Entries of one version of a function.
_IN_A_FOLDER = 5000
_DROP = Path("/proc/sys/vm/drop_caches")
_COMMANDS = ("ls", "stats", "du")


def fill(folder: Path, entries: int) -> None:
    """Make a cache with so many entries."""

    @disk_cacher(folder)
    def measure(n: int) -> np.ndarray:
        return np.arange(64) * n

    measure(1)
    first = next(folder.rglob("*.npy"))
    content, root = first.read_bytes(), folder / "__neurotools_cache__"
    for start in range(0, entries, _IN_A_FOLDER):
        number = start // _IN_A_FOLDER
        place = root / "study" / f"module{number // 8}" / f"f{number // 2}" / f"version{number:07d}"
        place.mkdir(parents=True)
        for _ in range(start, min(start + _IN_A_FOLDER, entries)):
            parts = base64.urlsafe_b64encode(os.urandom(70)).decode()
            (place / f"{parts[:14]}.{parts[14:].rstrip('=')}.npy").write_bytes(content)


def seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def forget() -> None:
    """Make the kernel forget what it knows of files."""
    subprocess.run(["sync"], check=True)
    _DROP.write_text("3")


def measured(folder: Path, repeats: int, before: Callable[[], None]) -> dict[str, list[float]]:
    ours = {name: [sys.executable, "-m", "neurotools.console", name, str(folder)]
            for name in _COMMANDS}  # fmt: skip
    commands = {"du -s": ["du", "-s", str(folder)], **ours}
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(repeats):
        for name, command in commands.items():
            before()
            times[name].append(seconds(command))
    return times


def rows(label: str, times: dict[str, list[float]]) -> list[list[str]]:
    theirs = times["du -s"]
    table = []
    for name, own in times.items():
        ratios = [mine / other for mine, other in zip(own, theirs, strict=True)]
        shown = name if name == "du -s" else f"neurotools {name}"
        ratio = "" if name == "du -s" else f"{statistics.median(ratios):.1f}"
        table.append([label, f"``{shown}``", f"{statistics.median(own):.2f}", ratio])
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--folder", type=Path, help="where to make the cache (default: temporary)")
    parser.add_argument("--keep", action="store_true", help="write what the documentation shows")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="inventory-", dir=chosen.folder) as scratch:
        folder = Path(scratch)
        fill(folder, chosen.entries)
        seconds(["du", "-s", str(folder)])
        table = rows("warm", measured(folder, chosen.repeats, lambda: None))
        if os.access(_DROP, os.W_OK):
            table += rows("cold", measured(folder, max(3, chosen.repeats // 3), forget))
        else:
            print("cold: left out, the kernel does not let us make it forget files")
    title = f"**{chosen.entries:,} entries**\n\n"
    text = title + grid(["", "command", "seconds", "times ``du -s``"], table)
    told = circumstances("inventory.py")
    text += f"\n{told.replace('benchmarks/inventory.py', '-m benchmarks.inventory')}\n"
    print(text)
    if chosen.keep:
        keep("inventory.inc", text)


if __name__ == "__main__":
    main()
