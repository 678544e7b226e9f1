"""What does a hit of an interface cost, beside nipype's own ``Memory``?

Both memories have the same node, and are asked for it in turn, some thousand times; a round is a
loop of calls, and what counts is the median of the rounds' ratios. Three interfaces: a command line
with one small file (``gzip``), one of nipype's own in Python, and ``gzip`` on an image of 100 MB,
of which it is counted how many bytes a hit reads. Needs nipype: pip install 'neurotools[nipype]'.

    python -m benchmarks.interfaces            # half a minute
    python -m benchmarks.interfaces --keep     # writes what the documentation shows
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.tables import circumstances, grid, keep

ROUNDS, CALLS = 60, 25
IMAGE_BYTES = 100_000_000
_HEADER = ("a hit of", "nipype", "neurotools", "share", "a new process")
_BELOW = """
Microseconds of one hit, the median of {rounds} rounds of {calls} calls, in turn, when both are
warm; the share is the median of the rounds' ratios. *A new process*: the first hit there, in
milliseconds, when nipype has been loaded. A hit on the image of 100 MB read {bytes:,} bytes
of it. {circumstances}
"""


def interfaces() -> dict[str, Any]:
    """Return the interfaces; nipype is loaded here."""
    os.environ.setdefault("NIPYPE_NO_ET", "1")
    from nipype.interfaces.utility import Rename

    from benchmarks.gzip_interface import Gzip

    for name in ("nipype", "nipype.workflow", "nipype.interface", "nipype.utils"):
        logging.getLogger(name).setLevel("CRITICAL")
    return {"Gzip": Gzip, "Rename": Rename}


def works(folder: Path) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return what is called: a title, the interface, and its inputs."""
    small, image = folder / "small.txt", folder / "image.nii"
    small.write_bytes(bytes(1000))
    if not image.exists():
        image.write_bytes(os.urandom(1 << 20) * (IMAGE_BYTES >> 20))
    return {
        "``gzip``, one file of 1 kB": ("Gzip", {"in_file": str(small)}),
        "``Rename``, one file of 1 kB": ("Rename", {"in_file": str(small), "format_string": "x"}),
        "``gzip``, an image of 100 MB": ("Gzip", {"in_file": str(image)}),
    }


def seconds(call: Callable[[], Any], calls: int = CALLS) -> float:
    """Return how long one call takes, with a look at an output."""
    started = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - started) / calls


@contextmanager
def reading() -> Iterator[list[int]]:
    """Count the bytes that this process reads from files, as Linux says."""
    before, found = _read(), [0]
    yield found
    found[0] = _read() - before


def _read() -> int:
    try:
        with open("/proc/self/io", encoding="ascii") as file:
            return int(file.readline().split()[1])
    except OSError:  # not Linux
        return 0


def measure(folder: Path, rounds: int, calls: int) -> tuple[list[list[str]], int]:
    """Return the rows of the table, and how many bytes a hit on the image reads."""
    from nipype.caching import Memory as Theirs

    from neurotools.jobs.memory import Memory as Ours

    classes, rows, read = interfaces(), [], 0
    (folder / "theirs").mkdir(exist_ok=True)
    for title, (name, inputs) in works(folder).items():
        memories = Theirs(str(folder / "theirs")), Ours(folder / "ours")
        theirs, ours = (memory.cache(classes[name]) for memory in memories)
        first = _first_of(lambda ours=ours, inputs=inputs: ours(**inputs).outputs.out_file)
        both = [
            lambda call=call, inputs=inputs: call(**inputs).outputs.out_file
            for call in (theirs, ours)
        ]
        for call in both:
            seconds(call, calls)  # until both are warm
        with reading() as found:
            both[1]()
        if inputs["in_file"].endswith(".nii"):
            read = found[0]
        times = [[seconds(call, calls) for call in both] for _ in range(rounds)]
        ratio = statistics.median(mine / other for other, mine in times)
        medians = [statistics.median(column) * 1e6 for column in zip(*times, strict=True)]
        rows.append([title, *(f"{m:.0f}" for m in medians), f"{ratio:.3f}", f"{first * 1e3:.1f}"])
    return rows, read


def _first_of(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--keep", action="store_true", help="write it into the documentation")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.folder:  # the run that makes the nodes, so that the other is a new process
        measure(chosen.folder, 1, 1)
        return
    with tempfile.TemporaryDirectory(prefix="interfaces-") as name:
        import subprocess

        works(Path(name))
        time.sleep(2.5)  # of files as young as that, times cannot be relied on
        command = [sys.executable, "-m", "benchmarks.interfaces", "--folder", name]
        subprocess.run(command, check=True)
        time.sleep(2.5)
        rows, read = measure(Path(name), chosen.rounds, chosen.calls)
    where = circumstances("").replace("python benchmarks/", "python -m benchmarks.interfaces")
    told = _BELOW.format(rounds=chosen.rounds, calls=chosen.calls, bytes=read, circumstances=where)
    text = grid(_HEADER, rows) + told
    print(text)
    if chosen.keep:
        keep("interfaces-hit.inc", text)


if __name__ == "__main__":
    main()
