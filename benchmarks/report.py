"""How long does `neurotools report` take for 100,000 entries, and how large is its page?

A cache like that of a lab is made: modules, functions, versions, calls with arguments, sizes over
six decades, two years of writing and loading. Its files have the length that they say and are
otherwise empty, so that it takes little room; a report looks at their ends alone.

    python -m benchmarks.report                      # a minute
    python -m benchmarks.report --folder lab-cache   # keeps the cache and its page, to be looked at
    python -m benchmarks.report --keep               # writes what the documentation shows
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.tables import circumstances, grid, keep
from neurotools.jobs.cache import disk_cacher
from neurotools.memo import naming
from neurotools.memo.tiers import days
from neurotools.memo.tiers.census import PRIVATE, mark_of
from neurotools.memo.tiers.days import Day

_DAY = 86400.0
#: Function: share of the entries, typical bytes, typical seconds, typical loads, arguments.
_LAB = {
    "lab.preproc.filters.bandpass": (14, 3e6, 2.0, 6, "subject band order"),
    "lab.preproc.filters.notch": (6, 3e6, 0.4, 2, "subject hertz"),
    "lab.preproc.motion.realign": (5, 2.2e7, 95.0, 9, "subject session"),
    "lab.preproc.motion.scrub": (4, 1.8e7, 1.2, 0, "subject threshold"),
    "lab.preproc.register.to_template": (3, 4e7, 600.0, 14, "subject template"),
    "lab.spikes.sorting.cluster": (5, 8e5, 240.0, 11, "probe shank seed"),
    "lab.spikes.sorting.waveforms": (9, 6e6, 8.0, 3, "probe unit"),
    "lab.spikes.quality.isolation": (9, 2e3, 0.6, 5, "probe unit"),
    "lab.models.glm.fit": (12, 4e4, 18.0, 22, "subject contrast penalty"),
    "lab.models.glm.permute": (6, 9e5, 1500.0, 4, "subject contrast seed"),
    "lab.models.decoding.crossval": (7, 1.2e4, 130.0, 17, "subject roi fold"),
    "lab.models.decoding.searchlight": (2, 5e7, 5200.0, 6, "subject radius"),
    "lab.stats.bootstrap": (8, 3e4, 25.0, 8, "name draws seed"),
    "lab.figures.fig2.panels": (2, 2e5, 3.0, 1, "subject"),
    "lab.figures.fig3.surface": (1, 8e6, 12.0, 0, "hemisphere"),
    "anna_test.try_wavelets": (2, 6e7, 30.0, 0, "subject wavelet"),
    "notebooks.explore.tsne": (2, 7e5, 85.0, 2, "perplexity seed"),
    "simulate.network.run": (3, 2.8e7, 900.0, 3, "neurons rate seed"),
}
#: How many years ago the newest and the oldest entries were written, where not in the last two.
_YEARS = {
    "anna_test.try_wavelets": (1.4, 1.9),
    "simulate.network.run": (0, 0.08),
    "lab.models.decoding.searchlight": (0, 0.3),
    "lab.models.glm.fit": (0, 0.2),
}
_WORDS = {"band": ("alpha", "beta", "gamma"), "template": ("MNI152", "fsaverage"),
          "contrast": ("faces", "houses", "words"), "roi": ("V1", "MT", "FFA"),
          "hemisphere": ("left", "right"), "wavelet": ("morlet", "dog")}  # fmt: skip


class Written(NamedTuple):
    """What is known of an entry that was made."""

    mark: str
    loads: int
    seconds: float
    written: float
    used: float


def fill(folder: Path, entries: int, seed: int = 1) -> None:
    """Make a cache with so many entries, some versions of each function, and two years of use."""
    chance, now = random.Random(seed), time.time()
    root, foot = folder / "__neurotools_cache__", _foot(folder)
    share = sum(one[0] for one in _LAB.values())
    book: dict[str, list[Written]] = defaultdict(list)
    for name, (weight, size, seconds, loads, words) in _LAB.items():
        count = max(1, entries * weight // share)
        codes = [
            naming.base64hash10bytes(f"{name} {n}") for n in range(chance.choice((1, 2, 3, 5)))
        ]
        for number in range(count):
            code = codes[int(len(codes) * chance.random() ** 0.6)]
            newest, oldest = _YEARS.get(name, (0, 2))
            part = (1 - (codes.index(code) + chance.random()) / len(codes)) ** 1.3
            age = 365 * _DAY * (newest + (oldest - newest) * part)
            place = root.joinpath(*name.split("."), code)
            if not book[f"{name.replace('.', '/')}/{code}"]:
                place.mkdir(parents=True)
                (place / "manifest.json").write_text("{}")
            path = place / f"{_call(words, number, chance)}.npy"
            _write(path, int(size * chance.lognormvariate(0, 0.7)) + 300, foot, now - age)
            times = int(chance.expovariate(1 / (loads * (0.3 + age / (365 * _DAY)) + 1e-9)))
            used = now - age * chance.random() ** 3 if times else now - age
            took = seconds * chance.lognormvariate(0, 0.4)
            key = f"{name.replace('.', '/')}/{code}"
            book[key].append(Written(mark_of(path.name), times, took, now - age, used))
    _note(root / PRIVATE / "uses", book, chance)


def _foot(folder: Path) -> bytes:
    """Return the end of a real entry, and leave the folder of a cache with nothing in it."""

    @disk_cacher(folder)
    def area(n: int) -> int:
        return n

    area(1)
    foot = next(folder.rglob("*.npy")).read_bytes()[-64:]
    area.purge()
    return foot


def _call(words: str, number: int, chance: random.Random) -> str:
    """Return the stem of a call's name: the first argument tells it from all others."""
    pairs = [(word, chance.choice(_WORDS.get(word, range(40)))) for word in words.split()]
    first = words.split()[0]
    pairs[0] = (first, f"sub-{number:04d}" if first in {"subject", "name"} else number)
    return naming.stem((tuple(sorted(pairs)), None))


def _write(path: Path, size: int, foot: bytes, when: float) -> None:
    with path.open("wb") as file:
        file.seek(size - len(foot))
        file.write(foot)
    os.utime(path, (when, when))


def _note(place: Path, book: dict[str, list[Written]], chance: random.Random) -> None:
    """Write the log of uses as processes have left it that are long over."""
    place.mkdir(exist_ok=True)
    used: dict[int, Day] = {}
    with (place / "sums").open("w") as file:
        for shelf, all_ in book.items():
            saved = sum(one.loads * one.seconds for one in all_)
            loads, last = sum(one.loads for one in all_), max(one.used for one in all_)
            file.write(f"@{shelf}\t{loads}\t{saved:.6g}\t{last:.0f}\n")
            for one in all_:
                file.write(f"{one.mark}\t{one.loads}\t{one.seconds:.6g}\t{one.used:.0f}\n")
                for _ in range(one.loads):
                    day = int(chance.uniform(one.written, one.used) // _DAY)
                    # Nobody works on Sundays; the epoch began on a Thursday.
                    day -= (day + 4) % 7 == 3
                    used[day] = used.get(day, days.NOTHING).plus(Day(1, one.seconds))
    days.add(str(place), used, 0o600)


def measured(folder: Path, page: Path, repeats: int) -> Iterator[float]:
    """Give the seconds of each run of the command."""
    command = [
        sys.executable,
        "-m",
        "neurotools.console",
        "report",
        str(folder),
        "--html",
        str(page),
    ]
    for _ in range(repeats):
        started = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        yield time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where to make the cache, to be kept")
    parser.add_argument("--keep", action="store_true", help="write what the documentation shows")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="report-") as scratch:
        folder = chosen.folder or Path(scratch)
        if not (folder / "__neurotools_cache__").exists():
            fill(folder, chosen.entries)
        page = folder / "report.html"
        times = list(measured(folder, page, chosen.repeats))
        size = page.stat().st_size
    row = [f"{chosen.entries:,}", f"{statistics.median(times):.1f}", f"{max(times):.1f}",
           f"{size / 1e6:.2f}"]  # fmt: skip
    table = grid(["entries", "seconds, median", "seconds, longest", "page, MB"], [row])
    told = circumstances("report.py").replace("benchmarks/report.py", "-m benchmarks.report")
    text = f"{table}\n{told}\n"
    print(text)
    if chosen.keep:
        keep("report.inc", text)


if __name__ == "__main__":
    main()
