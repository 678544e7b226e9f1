"""Every bit of an entry's file flipped, and every other damage at every place: is any of it served?

An entry of each format is damaged in each way, and asked for through a cache, which must say that
there is none, move the file away, and say so once. Counted as bad: a value, another error, a file
that is still there.

    python -m benchmarks.reliability.damage              # every bit of every format: some minutes
    python -m benchmarks.reliability.damage --step 50    # each fiftieth
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.tables import grid
from neurotools.memo.entry import Key, Record
from neurotools.memo.formats.registry import format_named
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.seal import seal
from neurotools.memo.tiers.directory import DirectoryTier

FORMATS = (
    *(("npy", None), ("npy", "zstd"), ("pickle", None), ("pickle", "zstd")),
    *(("mat", None), ("hdf5", None)),
)
MODES = (None, "r", "c")
VALUE = {"numbers": np.arange(8.0), "text": "it is this", "list": [1, None, 2.5]}
_PAGE = 64


def bits(good: bytes, step: int) -> Iterator[bytes]:
    """Give the file with each of its bits flipped."""
    for bit in range(0, 8 * len(good), step):
        new = bytearray(good)
        new[bit // 8] ^= 1 << bit % 8
        yield bytes(new)


def ends(good: bytes, step: int) -> Iterator[bytes]:
    """Give the file cut off after each of its bytes."""
    yield from (good[:length] for length in range(0, len(good), step))


def zeros(good: bytes, step: int) -> Iterator[bytes]:
    """Give the file with zeros from each place on, and for a while."""
    for start in range(0, len(good), step):
        for end in (len(good), min(start + _PAGE, len(good))):
            new = good[:start] + bytes(end - start) + good[end:]
            if new != good:
                yield new


def more(good: bytes, step: int) -> Iterator[bytes]:
    """Give the file with bytes added at each place, and with each byte left out."""
    for place in range(0, len(good), step):
        yield good[:place] + b"\0" + good[place:]
        yield good[:place] + b"x" * _PAGE + good[place:]
        yield good[:place] + good[place + 1 :]
    yield from (good + bytes(count) for count in range(1, 100))


WAYS = {"a bit": bits, "cut off": ends, "zeros": zeros, "more or less": more}


class Case:
    """One format, read in one way."""

    def __init__(self, method: str, compress: str | None, mode: str | None) -> None:
        tier = DirectoryTier(tempfile.mkdtemp(prefix="neurotools-damage-"), mmap_mode=mode)
        self.cache, form = Hierarchy([tier]), format_named(method, compress)
        self.key = Key("pkg/f", "code", "hash.key", method)
        payload = form.encode(VALUE)
        record = Record(1.0, 1.0, payload.layout, {})
        self.cache.put(self.key, seal(payload, record, self.key, form))
        self.path = tier.location(self.key)
        with open(self.path, "rb") as file:
            self.good = file.read()
        self.said = 0

    def is_refused(self, content: bytes) -> bool:
        """Tell whether a damaged file is a miss, with one warning, and gone."""
        with open(self.path, "wb") as file:
            file.write(content)
        told = _told.count
        found = self.cache.get(self.key)
        return found is None and _told.count == told + 1 and not os.path.exists(self.path)


class _Told(logging.Handler):
    """Counts what is said."""

    count = 0

    def emit(self, _: logging.LogRecord) -> None:
        self.count += 1


_told = _Told(logging.WARNING)


def tried(case: Case, step: int) -> Counter[str]:
    """Return how often each way was tried, and how often it was bad."""
    counts: Counter[str] = Counter()
    for way, damaged in WAYS.items():
        for content in damaged(case.good, step):
            counts[way] += 1
            try:
                counts["bad"] += not case.is_refused(content)
            except Exception as error:
                print(f"{way}: {error!r}", file=sys.stderr)
                counts["bad"] += 1
    return counts


def main(arguments: list[str] | None = None) -> int:
    """Run it from the command line; the exit code is 1 if anything bad was found."""
    plain = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--step", type=int, default=1, help="try only each so many")
    step = parser.parse_args(arguments).step
    logger = logging.getLogger("neurotools")
    logger.addHandler(_told)
    logger.propagate = False
    started, rows, total = time.perf_counter(), list[list[str]](), Counter[str]()
    for method, compress in FORMATS:
        counts: Counter[str] = Counter()
        for mode in MODES:
            case = Case(method, compress, mode)
            counts.update(tried(case, step))
        total.update(counts)
        rows.append(_row(" + ".join(filter(None, (method, compress))), len(case.good), counts))
    header = ("format", "bytes", *WAYS, "bad")
    print(grid(header, [*rows, _row("all", None, total)]))
    print(f"{time.perf_counter() - started:.0f} seconds")
    return 1 if total["bad"] else 0


def _row(name: str, size: int | None, counts: Counter[str]) -> list[str]:
    numbers: list[Any] = [counts[name] for name in (*WAYS, "bad")]
    return [name, "" if size is None else f"{size:,}", *(f"{number:,}" for number in numbers)]


if __name__ == "__main__":
    sys.exit(main())
