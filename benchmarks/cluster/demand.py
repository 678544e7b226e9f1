"""What workers ask of a store, in tables: at full speed, and as the store lets them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.cluster.counted import Steps
from benchmarks.cluster.simulation import Outcome, Simulation
from benchmarks.cluster.stores import Store

#: How long a result takes to compute, and the bytes that it has.
WORKS = [
    (0.01, 1_000, "10 ms, 1 kB"),
    (1.0, 100_000, "1 s, 100 kB"),
    (60.0, 10_000_000, "1 min, 10 MB"),
    (3600.0, 100_000_000, "1 h, 100 MB"),
]
#: The share of calls whose result is there, and of the others those that somebody computes already.
HITS, SHARED = 0.5, 0.1

Table = tuple[list[str], list[list[str]]]


def of_each_step(steps: Steps) -> Table:
    """Return what each step takes in the code."""
    names = {
        "hit": "a hit",
        "miss": "a miss",
        "beat": "a sign of life, every 20 to 30 s",
        "poll": "a look of one who waits: at the lease",
        "look": "or at the result",
    }
    kinds = {
        "locks": "a folder, locks that all see",
        "leases": "a folder, leases",
        "requests": "an object store, leases",
    }
    rows = [[told, *(_words(steps[kind][step]) for kind in kinds)] for step, told in names.items()]
    return ["", *kinds.values()], rows


def _words(counts: dict[str, int]) -> str:
    order = ("get", "head", "put", "delete", "missing", "look", "lock", "open", "read", "create")
    names = sorted(counts, key=lambda name: (order.index(name) if name in order else 99, name))
    told = [f"{counts[name]} {name}" if counts[name] > 1 else name for name in names]
    return f"{sum(counts.values())}: {', '.join(told)}"


def of_workers(steps: Steps, stores: Sequence[Store], workers: int) -> Table:
    """Return what a number of workers ask, and how much of their time they lose by it."""
    header = [
        "store",
        "a result takes",
        "calls/s",
        "requests/s",
        "for turns",
        "MB/s",
        "busy",
        "lost",
    ]
    rows = []
    for store in stores:
        name = store.name
        for seconds, size, told in WORKS:
            outcome = simulated(steps, store, workers, seconds)
            rows.append([name, told, *_cells(outcome, store, workers, size)])
            name = ".."
        outcome = _crowd(steps, store, workers)
        rows.append([name, "all wait for one", *_cells(outcome, store, workers, 0)])
    return header, rows


def _cells(outcome: Outcome, store: Store, workers: int, size: int) -> list[str]:
    span = outcome.seconds
    asked = {kind: outcome.asked[kind] / span for kind in store.rates}
    calls = sum(outcome.done.values()) / span
    busy = min(1.0, sum_of_shares(store, asked))
    lost = max(0.0, 1 - sum(outcome.spent.values()) / (workers * span))
    return [
        _number(calls),
        _number(sum(asked.values())),
        _number(outcome.asked["turns"] / span),
        _number(calls * size / 1e6),
        _percent(busy),
        _percent(lost),
    ]


def sum_of_shares(store: Store, asked: Mapping[str, float]) -> float:
    """Return how much of a store is in use, where a second is asked for so many of each kind."""
    shares = [asked[kind] / rate for kind, rate in store.rates.items()]
    # Kinds share one server, but for S3, which counts them apart.
    return max(shares) if store.kind == "requests" else sum(shares)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.1 else f"{share:.1%}"


def filled_at(steps: Steps, store: Store, workers: int) -> float:
    """Return how long results must take to compute, so that the workers just fill the store."""
    return wanted(steps, store, workers, 1.0)


def wanted(steps: Steps, store: Store, workers: int, seconds: float) -> float:
    """Return what the workers would use of a store that kept nobody waiting, as a share of it."""
    calls = workers / ((1 - HITS) * seconds)
    hits = store.requests(steps[store.kind]["hit"]) * (not store.is_behind)
    misses = store.requests(steps[store.kind]["miss"])
    kinds = store.rates
    mean = {kind: HITS * hits.count(kind) + (1 - HITS) * misses.count(kind) for kind in kinds}
    return calls * sum_of_shares(store, mean)


def simulated(steps: Steps, store: Store, workers: int, seconds: float) -> Outcome:
    """Return what came of workers that call for as long as there is something to see."""
    simulation = Simulation(store, steps, lambda _: seconds)
    simulation.knows(range(1_000))
    keys = _Keys(workers)
    until = max(3 * seconds, 30 * store.seconds, min(20 * seconds, 20.0), 2.0)
    return simulation.run([keys.of_worker() for _ in range(workers)], until, seconds)


def _crowd(steps: Steps, store: Store, workers: int) -> Outcome:
    """Return what came of workers that all ask for one result, which takes ten minutes."""
    return Simulation(store, steps, lambda _: 600.0).run([[0]] * workers, 600.0)


class _Keys:
    """The keys that workers ask for: some are there, some are asked for by others as well."""

    def __init__(self, workers: int) -> None:
        self._random = random.Random(5)
        self._new = itertools.count(1_000_000)
        self._recent: list[int] = [0]
        self._workers = workers

    def of_worker(self) -> Iterator[int]:
        while True:
            if self._random.random() < HITS:
                yield self._random.randrange(1_000)
            elif self._random.random() < SHARED:
                yield self._random.choice(self._recent[-self._workers :])
            else:
                key = next(self._new)
                self._recent.append(key)
                yield key
