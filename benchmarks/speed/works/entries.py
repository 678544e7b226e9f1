"""Many entries of one function: finding one among them, listing them, clearing them."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks.speed.contestants import OURS, Remembered
from benchmarks.speed.study import constant, filled
from benchmarks.speed.task import Stage, Task, must_hit, nothing

#: Double floats in a result of 1 kB.
_COUNT = 128


def fill(remembered: Remembered, entries: int, contestant: str) -> str:
    """Make entries; return the folder that holds ours.

    Ours are copies of one file under the names of other calls: many in a moment. They would not
    pass for these calls' results, which nobody asks for.
    """
    if contestant != OURS:
        for number in range(entries):
            remembered.call(number, _COUNT)
        return ""
    remembered.call(0, _COUNT)
    content = Path(remembered.call.locate(0, _COUNT)).read_bytes()
    return _copies((remembered.call.locate(n, _COUNT) for n in range(1, entries)), content)


def _copies(paths: Iterable[str], content: bytes) -> str:
    path = ""
    for path in paths:
        with open(path, "wb", buffering=0) as file:
            file.write(content)
    return os.path.dirname(path)


def hit_among(stage: Stage, *, entries: int) -> Task:
    """Hit where the function has so many entries."""
    remembered = stage.remember(filled)
    fill(remembered, entries, stage.contestant)
    expected = constant(0, _COUNT)
    return Task(
        lambda: remembered.call(0, _COUNT), must_hit(lambda: remembered.call(0, _COUNT), expected)
    )


def scan(stage: Stage, *, entries: int) -> Task:
    """List so many entries with their arguments: entries per second."""
    from neurotools.jobs.cache import scan_cachedir

    folder = fill(stage.remember(filled), entries, stage.contestant)

    def check() -> None:
        found = sorted(named["number"] for named, _ in scan_cachedir(folder).values())
        assert found == list(range(entries)), f"{len(found)} of {entries} entries were listed"

    def measure() -> float:
        started = time.perf_counter()
        scan_cachedir(folder)
        return entries / (time.perf_counter() - started)

    return Task(check, check, measure=measure)


def clear(stage: Stage, *, entries: int) -> Task:
    """Remove so many entries: seconds for each; by hand: ``rm -r`` of one folder of files."""
    if stage.is_raw:
        folder = stage.folder / "files"
        content = bytes(1280)  # what an entry of ours has

        def fill_folder() -> None:
            folder.mkdir()
            _copies((str(folder / f"{number}.npy") for number in range(entries)), content)

        return Task(nothing, measure=lambda: _timed(fill_folder, _remover(folder), entries))
    remembered = stage.remember(filled)

    def refill() -> None:
        fill(remembered, entries, stage.contestant)

    def check() -> None:
        refill()
        remembered.clear()
        left = [name for name in _files(stage.folder) if name.endswith((".npy", ".pkl", ".val"))]
        assert not left, f"{len(left)} files are left, such as {left[0]}"

    return Task(check, check, remembered.clear, lambda: _timed(refill, remembered.clear, entries))


def _files(folder: Path) -> list[str]:
    return [name for _, _, names in os.walk(folder) for name in names]


def _remover(folder: Path) -> Callable[[], object]:
    if shutil.which("rm") is None:
        return lambda: shutil.rmtree(folder)
    return lambda: subprocess.run(["rm", "-r", str(folder)], check=True)


def _timed(before: Callable[[], None], work: Callable[[], object], entries: int) -> float:
    before()
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) / entries
