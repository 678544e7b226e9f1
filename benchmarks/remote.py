"""What does a hit in an S3 tier cost, beside reading the same object with s3fs alone?

A real S3 server (moto's) runs on this computer, as a program of its own. Timed are, in turn, a
remembered function whose only tier is there, ``cat_file`` of s3fs, which asks how long an object is
and then reads it, and ``cat_file`` of a range, which asks once. A hit looks at the function's code,
reads, verifies the checksum and gives an array; the others give bytes. Requests are counted where
they arrive, by a proxy, in calls of their own.

    python -m benchmarks.remote                # a minute
    python -m benchmarks.remote --rounds 100   # steadier
    python -m benchmarks.remote --keep         # writes what the documentation shows
"""

from __future__ import annotations

import argparse
import logging
import statistics
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from benchmarks.tables import circumstances, grid, keep
from neurotools.jobs.cache import disk_cacher
from tests.faults.proxy import Proxy
from tests.faults.stores import S3, s3_server

#: Sizes of the arrays in bytes, and how many calls make a round.
SIZES = {"1 kB": (1_000, 10), "1 MB": (1_000_000, 5), "100 MB": (100_000_000, 1)}
WAYS = ("neurotools", "s3fs", "s3fs, one range")


def zeros(size: int) -> np.ndarray[Any, Any]:
    return np.zeros(size, np.uint8)


def stored(server: S3, url: str, bucket: str) -> Any:
    return disk_cacher(f"s3://{bucket}/x", storage_options=server.options_at(url))(zeros)


def seconds(call: Callable[[], object], calls: int) -> float:
    started = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - started) / calls


def measured(server: S3, bucket: str, size: int, calls: int, rounds: int) -> dict[str, list[float]]:
    """Return the seconds that a hit took, in each round, in each way."""
    f, system = stored(server, server.url, bucket), server.system()
    f(size)
    place = f.locate(size).removeprefix("s3://")
    whole = {"start": 0, "end": system.size(place)}
    ways = (
        lambda: f(size),
        lambda: system.cat_file(place),
        lambda: system.cat_file(place, **whole),
    )
    found: dict[str, list[float]] = {name: [] for name in WAYS}
    for number in range(rounds + 1):
        # Each in turn, and first in turn: what comes later finds other caches.
        for turn in range(3):
            name, call = list(zip(WAYS, ways, strict=True))[(turn + number) % 3]
            passed = seconds(call, calls)
            if number:
                found[name].append(passed)
    assert f.cache_info().misses == 1
    return found


def requests(server: S3, bucket: str) -> tuple[int, int, int]:
    """Return how many requests a hit, a miss and a store make."""
    proxy = Proxy(server.port)
    tier = stored(server, proxy.url, bucket)._hierarchy.tiers[0]
    (key,) = tier.keys()
    blob = tier.get(key).blob
    counts = []
    for use in (
        lambda: tier.get(key).value(),
        lambda: tier.get(key._replace(call="none")),
        lambda: tier.put(key, blob),
    ):
        proxy.count()
        use()
        counts.append(proxy.count())
    proxy.end()
    return counts[0], counts[1], counts[2]


def row(title: str, size: int, found: dict[str, list[float]], counts: Sequence[int]) -> list[str]:
    ours = found["neurotools"]
    medians = [statistics.median(found[name]) for name in WAYS]
    ratios = [
        statistics.median(other / own for own, other in zip(ours, found[name], strict=True))
        for name in WAYS[1:]
    ]
    return [
        title,
        *(f"{1 / median:.1f}" for median in medians),
        f"{size / medians[0] / 1e6:.1f}",
        *(f"{ratio:.2f}" for ratio in ratios),
        ", ".join(map(str, counts)),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=20, help="of each way, for each size")
    parser.add_argument("--keep", action="store_true", help="write what the documentation shows")
    chosen = parser.parse_args(arguments)
    logging.getLogger("neurotools").setLevel(logging.ERROR)
    rows = []
    with s3_server() as server:
        for title, (size, calls) in SIZES.items():
            bucket = server.bucket()
            found = measured(server, bucket, size, calls, chosen.rounds)
            rows.append(row(title, size, found, requests(server, bucket)))
    header = ["array", "hits/s", "s3fs/s", "range/s", "MB/s", "hit : s3fs", "hit : range"]
    text = grid([*header, "requests"], rows)
    where = circumstances("remote.py").replace("benchmarks/remote.py", "-m benchmarks.remote")
    text += f"\n{where}\ns3fs {version('s3fs')}, moto {version('moto')}.\n"
    print(text)
    if chosen.keep:
        keep("remote.inc", text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
