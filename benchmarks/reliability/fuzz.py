"""Hostile inputs for everything that reads: a value comes out, or the error that is documented.

Real inputs are changed at random, with checksums made to fit, and given to each decoder. What is
counted as bad: any other error, more memory than a bound, two seconds of a processor, a crash.

    python -m benchmarks.reliability.fuzz                   # 20,000 inputs, some seconds
    python -m benchmarks.reliability.fuzz --many 1000000    # a few minutes
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import random
import shutil
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

from benchmarks.reliability import decoders
from benchmarks.tables import grid

#: Room for one process beyond what it has when it starts, and seconds of a processor for one input.
ROOM_BYTES, SECONDS = 1 << 30, 2.0
_EXAMPLES = 3
_PROCESSES = 2


class Found:
    """What came of the inputs of one decoder.

    Attributes
    ----------
    counts : Counter
        How often there was a ``value``, a ``refusal``, and something ``bad``.
    examples : list of str
        What was bad, the first few.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.examples: list[str] = []

    def bad(self, given: Any, error: object) -> None:
        self.counts["bad"] += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(f"{error!r:.200} of {given!r:.300}")


def fuzz(decoder: decoders.Decoder, many: int, seed: int) -> Found:
    """Give a decoder so many inputs; the same ones for the same seed."""
    found, dice = Found(), random.Random(seed)
    if hasattr(signal, "SIGPROF"):
        signal.signal(signal.SIGPROF, _stop)
    for _ in range(many):
        try:
            given = decoder.make(dice)
        except RecursionError:
            continue  # nested too deep to be written
        try:
            with _in_time():
                decoders.look_at(decoder.read(given))
        except decoder.refuses:
            found.counts["refusal"] += 1
        except Exception as error:
            found.bad(given, error)
        else:
            found.counts["value"] += 1
    return found


class TooSlow(BaseException):
    """An input took too long; nothing that reads catches this."""


def _stop(*_: object) -> None:
    raise TooSlow


@contextlib.contextmanager
def _in_time() -> Iterator[None]:
    if not hasattr(signal, "setitimer"):
        yield
        return
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    except TooSlow:
        raise RuntimeError(f"not done after {SECONDS} seconds") from None
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def limited() -> None:
    """Bound the memory of this process."""
    with contextlib.suppress(ImportError, OSError):
        import resource

        with open("/proc/self/statm", encoding="ascii") as file:
            pages = int(file.read().split()[0])
        bound = pages * resource.getpagesize() + ROOM_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (bound, resource.RLIM_INFINITY))


def _work(job: tuple[str, int, int]) -> tuple[str, Counter[str], list[str]]:
    warnings.simplefilter("ignore")  # of numpy, about odd types
    name, many, seed = job
    found = fuzz(decoders.decoders()[name], many, seed)
    return name, found.counts, found.examples


def main(arguments: list[str] | None = None) -> int:
    """Run it from the command line; the exit code is 1 if anything bad was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--many", type=int, default=20_000, help="how many inputs, in all")
    parser.add_argument("--seed", type=int, default=0, help="another number gives other inputs")
    options = parser.parse_args(arguments)
    started, totals, examples = time.perf_counter(), dict[str, Counter[str]](), list[str]()
    jobs = [
        (name, -(-many // 8), options.seed * 1000 + part)
        for name, many in decoders.numbers(options.many).items()
        for part in range(8)
    ]
    context = multiprocessing.get_context("spawn")
    # A process that crashes breaks the pool, which is an error of its own.
    with context.Pool(_PROCESSES, limited) as pool:
        for name, counts, seen in pool.imap_unordered(_work, jobs):
            totals.setdefault(name, Counter()).update(counts)
            examples += [f"{name}: {one}" for one in seen]
    shutil.rmtree(decoders._PLACE, ignore_errors=True)
    whole = sum(totals.values(), Counter())
    rows = [_row(name, totals[name]) for name in decoders.decoders()]
    header = ("what is read", "inputs", "values", "refused", "bad")
    print(grid(header, [*rows, _row("all", whole)]))
    print(f"{time.perf_counter() - started:.0f} seconds, seed {options.seed}", *examples, sep="\n")
    return 1 if whole["bad"] else 0


def _row(name: str, counts: Counter[str]) -> tuple[str, ...]:
    numbers = (counts.total(), counts["value"], counts["refusal"], counts["bad"])
    return name, *(f"{number:,}" for number in numbers)


if __name__ == "__main__":
    sys.exit(main())
