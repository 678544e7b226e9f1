"""What does a skipped command cost, process start included?

Starts ``neurotools-memo`` on a small command that is remembered, in turn with ``python -c pass``,
``python -c 'import numpy'``, and the command alone, and compares the medians. Also: a skipped
command with a large input, and a skipped stage.

    python benchmarks/command_start.py
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tables import circumstances, grid, keep

from neurotools.jobs.pipeline import Stage

ROUNDS = 25
INPUT_BYTES = 1 << 30

_BELOW = """
Medians of {rounds} interleaved runs, process start included, and as multiples of ``python -c
'import numpy'``. {circumstances}
"""


def commands(folder: Path) -> dict[str, list[str]]:
    """Return what is measured; what is to be skipped has run."""
    memo = shutil.which("neurotools-memo", path=str(Path(sys.executable).parent))
    assert memo is not None, "neurotools is not installed here"
    small = [memo, "-d", str(folder / "cache"), "true"]
    large = folder / "large"
    with large.open("wb") as file:
        file.truncate(INPUT_BYTES)
    time.sleep(0.2)  # so that a change could not look the same
    big = [memo, "-d", str(folder / "cache"), "-o", str(folder / "out"), *_counting(large, folder)]
    for command in (small, big, big):
        subprocess.run(command, check=True)
    return {
        "``python -c pass``": [sys.executable, "-c", "pass"],
        "``python -c 'import numpy'``": [sys.executable, "-c", "import numpy"],
        "a small command, skipped": small,
        "a command with an input of 1 GiB, skipped": big,
    }


def _counting(large: Path, folder: Path) -> list[str]:
    script = folder / "count.sh"
    script.write_text(f'#!/bin/sh\nwc -c "$1" > {folder}/out\n')
    script.chmod(0o755)
    return [str(script), str(large)]


def seconds(command: list[str]) -> float:
    """Return how long a process takes."""
    started = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - started


def double(x: int) -> int:
    return 2 * x


def stage_seconds(folder: Path) -> float:
    """Return how long a stage takes that is remembered."""
    stage = Stage(double, hash_output=folder)
    stage.run(1)
    started = time.perf_counter()
    for _ in range(200):
        stage.run(1)
    return (time.perf_counter() - started) / 200


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measured = commands(folder)
        times: dict[str, list[float]] = {told: [] for told in measured}
        for _ in range(ROUNDS):
            for told, command in measured.items():
                times[told].append(seconds(command))
        stage = stage_seconds(folder / "stages")
    medians = {told: statistics.median(each) for told, each in times.items()}
    unit = medians["``python -c 'import numpy'``"]
    rows = [
        [told, f"{value * 1e3:.0f} ms", f"{value / unit:.2f}"] for told, value in medians.items()
    ]
    rows.append(["a stage, remembered, in a running process", f"{stage * 1e3:.2f} ms", ""])
    below = _BELOW.format(rounds=ROUNDS, circumstances=circumstances("command_start.py"))
    text = grid(["what", "time", "multiple"], rows) + below
    print(text)
    keep("command-start.inc", text)


if __name__ == "__main__":
    main()
