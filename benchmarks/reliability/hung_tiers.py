"""What does a server that stops answering cost? A real one: a folder served by a program, stopped.

Two tiers, a local folder and a served one. Timed are calls that compute nothing: before the server
is stopped, the first call afterwards, the calls that follow while it is stopped; then how long it
takes after the server goes on until the tier is used again, while one call is made every 50 ms.

    python -m benchmarks.reliability.hung_tiers             # under a minute; needs bindfs and root
    python -m benchmarks.reliability.hung_tiers --many 200  # calls in the outage
"""

from __future__ import annotations

import argparse
import itertools
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

from neurotools.jobs.cache import hierarchical_cacher
from tests.faults.places import served


def seconds(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def plus_one(x: int) -> int:
    return x + 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it and print the times."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--many", type=int, default=100, help="calls in each phase")
    many = parser.parse_args(arguments).many
    logging.getLogger("neurotools").setLevel(logging.ERROR)
    numbers = itertools.count()
    with tempfile.TemporaryDirectory() as top, served(top) as server:
        alone = hierarchical_cacher(os.path.join(top, "alone"))(plus_one)
        both = hierarchical_cacher((os.path.join(top, "fast"), server.folder))(plus_one)
        before = [seconds(lambda: both(next(numbers))) for _ in range(many)]
        hits = [seconds(lambda: both(0)) for _ in range(many)]
        only = [seconds(lambda: alone(next(numbers))) for _ in range(many)]
        server.stop()
        first = seconds(lambda: both(next(numbers)))
        after = [seconds(lambda: both(next(numbers))) for _ in range(many)]
        hits_after = [seconds(lambda: both(0)) for _ in range(many)]
        time.sleep(5)
        both(next(numbers))
        server.go_on()
        started = time.perf_counter()
        while both.cache_info().tiers[-1].left_alone:
            both(next(numbers))
            time.sleep(0.05)
        back = time.perf_counter() - started
    for name, told in (
        ("a miss, both tiers", f"{statistics.median(before) * 1e3:.2f} ms"),
        ("a miss, the local tier alone", f"{statistics.median(only) * 1e3:.2f} ms"),
        ("the first miss after the server stopped", f"{first:.2f} s"),
        ("the misses after that: median", f"{statistics.median(after) * 1e3:.2f} ms"),
        ("the longest of them", f"{max(after) * 1e3:.2f} ms"),
        ("a hit before, after", f"{min(hits) * 1e6:.0f}, {min(hits_after) * 1e6:.0f} microseconds"),
        ("used again after the server went on", f"{back:.1f} s"),
    ):
        print(f"{name:<42}{told}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
