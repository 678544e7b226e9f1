"""Workers that call a function, and a store that answers them: events, one after the other.

Each worker does what the code does: it looks for the result; if there is none it takes its turn,
computes and stores; or it waits for whoever computes, looking again and again. The store answers
each request after a while, and no more of a kind in a second than it sustains.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field

from benchmarks.cluster.counted import Steps
from benchmarks.cluster.stores import TURNS, Store

#: As `neurotools.memo.turns.lifesigns`: the first pause, the longest, and the share of the wait.
_FIRST, _LONGEST, _SHARE = 0.05, 2.0, 0.1
#: As `neurotools.memo.options` and `neurotools.memo.turns.leases`: seconds between two heartbeats.
BEAT_SECONDS = 25.0
#: The seconds that Python takes for a hit and for a miss.
PYTHON = {"hit": 20e-6, "miss": 200e-6}

Events = Generator[tuple[str, float], None, None]


@dataclass
class Outcome:
    """What came of a simulation.

    Attributes
    ----------
    seconds : float
        Simulated.
    done : Counter
        ``hits``, ``computed``, ``waited``.
    asked : Counter
        Requests to the store, by kind; those for taking turns as ``turns``.
    spent : Counter
        Seconds of the workers: ``computing``, ``waiting`` for each other, ``idle`` at first.
    """

    seconds: float = 0.0
    done: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    spent: Counter[str] = field(default_factory=Counter)


class Simulation:
    """Some workers and one store.

    Parameters
    ----------
    store : Store
        What answers.
    steps : Steps
        What each step takes.
    seconds : callable
        Key -> how long it takes to compute.
    """

    def __init__(self, store: Store, steps: Steps, seconds: Callable[[int], float]) -> None:
        self.store, self._compute_seconds = store, seconds
        self._requests = {name: store.requests(step) for name, step in steps[store.kind].items()}
        self._turns_of_miss = len(store.requests(TURNS[store.kind]))
        self._until = float("inf")
        self._free: dict[str, float] = {}
        self._known: set[int] = set()
        self._computing: set[int] = set()
        self._random = random.Random(3)
        self.now, self.outcome = 0.0, Outcome()

    def knows(self, keys: Iterable[int]) -> None:
        """Have results there already."""
        self._known.update(keys)

    def run(
        self,
        workers: Iterable[Iterable[int]],
        until: float = float("inf"),
        spread: float = 0.0,
    ) -> Outcome:
        """Let workers call the function with some keys each, for so many seconds at most.

        They begin one after the other in the first seconds, `spread` in all.
        """
        numbers, self._until = itertools.count(), until
        events = []
        for keys in workers:
            begins = self._random.uniform(0, spread)
            self.outcome.spent["idle"] += begins
            events.append((begins, next(numbers), self._work(keys)))
        heapq.heapify(events)
        while events and events[0][0] < until:
            self.now, _, worker = heapq.heappop(events)
            for what, seconds in worker:
                then = self._answered(what) if what else self.now + seconds
                heapq.heappush(events, (then, next(numbers), worker))
                break
        self.outcome.seconds = min(self.now, until)
        return self.outcome

    def _answered(self, kind: str) -> float:
        # Requests of all kinds share one server, but for S3, which counts them apart.
        server = kind if self.store.kind == "requests" else "all"
        ends = max(self.now, self._free.get(server, 0.0)) + 1 / self.store.rates[kind]
        self._free[server] = ends
        return ends + self.store.seconds

    def _ask(self, step: str, part: slice = slice(None)) -> Events:
        for kind in self._requests[step][part]:
            self.outcome.asked[kind] += 1
            yield kind, 0.0

    def _turns(self, step: str, many: int) -> Events:
        """Ask what only taking turns needs."""
        self.outcome.asked["turns"] += many
        yield from self._ask(step, slice(many))

    def _work(self, keys: Iterable[int]) -> Events:
        for key in keys:
            if key in self._known:
                yield from self._hit("hits")
            elif key in self._computing:
                yield from self._wait(key)
            else:
                yield from self._miss(key)

    def _hit(self, how: str) -> Events:
        yield "", PYTHON["hit"]
        if not self.store.is_behind or how == "waited":
            yield from self._ask("hit")
        self.outcome.done[how] += 1

    def _miss(self, key: int) -> Events:
        self._computing.add(key)
        yield "", PYTHON["miss"]
        # All requests but the last few come before the computation or after it: it is the same.
        self.outcome.asked["turns"] += self._turns_of_miss
        yield from self._ask("miss")
        left = self._compute_seconds(key)
        while left > BEAT_SECONDS:
            yield self._spends(BEAT_SECONDS, "computing")
            left -= BEAT_SECONDS
            yield from self._turns("beat", len(self._requests["beat"]))
        yield self._spends(left, "computing")
        self._computing.discard(key)
        self._known.add(key)
        self.outcome.done["computed"] += 1

    def _spends(self, seconds: float, what: str) -> tuple[str, float]:
        self.outcome.spent[what] += min(seconds, self._until - self.now)
        return "", seconds

    def _wait(self, key: int) -> Events:
        waited, steps = 0.0, itertools.cycle(["poll", "look"])
        yield from self._ask("look")
        while key in self._computing:
            pause = min(_LONGEST, max(_FIRST, _SHARE * waited)) * self._random.uniform(0.8, 1.2)
            yield self._spends(pause, "waiting")
            waited += pause
            step = next(steps)
            yield from self._turns(step, len(self._requests[step]))
        yield from self._hit("waited")
