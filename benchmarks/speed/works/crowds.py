"""Several processes at once, on one cache."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.client import Failed, Worker, at_once
from benchmarks.speed.contestants import RAW
from benchmarks.speed.study import constant, count_in, executions, filled, slowly
from benchmarks.speed.task import Stage, Task, must_hit, nothing

#: Members have a result within a few seconds, unless they wait for each other for ever.
_PATIENCE_SECONDS = 8.0
_MOMENTS = 5


def crew(
    stage: Stage, work: str, size: int, *, patience: float = 600, **options: Any
) -> tuple[list[Worker], Callable[[], None]]:
    """Return workers that have prepared the same work in the same folder, and what ends them."""
    stack = ExitStack()
    members = [stack.enter_context(Worker(stage.folder, patience=patience)) for _ in range(size)]
    shared = stage.folder / "shared"
    tally = stage.folder / "shared.tally"
    count_in(str(tally))

    def prepare(number: int, member: Worker) -> None:
        member.prepare(work, stage.contestant, folder=shared, tally=tally, number=number, **options)

    prepare(0, members[0])  # what is kept there for all is made once
    with ThreadPoolExecutor(size) as pool:
        list(pool.map(prepare, range(1, size), members[1:]))
    return members, stack.close


# ---------------------------------------------------------------- hits


def hits_together(stage: Stage, *, processes: int, count: int, seconds: float) -> Task:
    """Hit with so many processes at once: their hits per second, of those of one alone."""
    members, close = crew(stage, "hits_per_second", processes, count=count, seconds=seconds)

    def measure() -> float:
        # The best moments: at others, something else on the machine takes a processor away.
        moments = [(members[0].figure(), sum(at_once(members))) for _ in range(_MOMENTS)]
        alone, together = map(max, zip(*moments, strict=True))
        return together / alone

    return Task(nothing, measure=measure, close=close)


def hits_of_all(stage: Stage, *, processes: int, count: int, seconds: float) -> Task:
    """Hit with so many processes at once: seconds for each hit, whoever has it."""
    members, close = crew(stage, "hits_per_second", processes, count=count, seconds=seconds)
    return Task(nothing, measure=lambda: 1 / sum(at_once(members)), close=close)


def hits_per_second(stage: Stage, *, number: int, count: int, seconds: float) -> Task:
    """Hit for a while."""
    if stage.is_raw:
        path = str(stage.folder / f"{number}.npy")
        np.save(path, constant(3, count))
        return Task(nothing, measure=lambda: _rate(lambda: np.load(path), seconds))
    remembered = stage.remember(filled)
    remembered.call(3, count)

    def call() -> Any:
        return remembered.call(3, count)

    return Task(call, must_hit(call, constant(3, count)), measure=lambda: _rate(call, seconds))


def _rate(call: Callable[[], Any], seconds: float) -> float:
    started, done = time.perf_counter(), 0
    while (passed := time.perf_counter() - started) < seconds:
        for _ in range(10):
            call()
        done += 10
    return done / passed


# ---------------------------------------------------------------- one computation


def one_computation(stage: Stage, *, processes: int, seconds: float) -> Task:
    """Ask for the same new result with so many processes at once: seconds until all have it."""
    patience = seconds + _PATIENCE_SECONDS
    members, close = crew(stage, "compute_slowly", processes, patience=patience, seconds=seconds)
    ran: list[int] = []

    def measure() -> float:
        before, started = executions(), time.perf_counter()
        at_once(members)
        passed = time.perf_counter() - started
        ran.append(executions() - before)
        return passed

    try:
        measure()
    except Failed:
        close()
        raise
    note = f"{ran[0]} execution{'s' * (ran[0] > 1)}"
    return Task(nothing, measure=measure, note=note, close=close)


def compute_slowly(stage: Stage, *, number: int, seconds: float) -> Task:  # noqa: ARG001
    """Ask for a result that nobody has computed yet; each time the next one."""
    numbers = itertools.count(1)
    call = slowly if stage.contestant == RAW else stage.remember(slowly).call

    def measure() -> float:
        started = time.perf_counter()
        call(next(numbers), seconds)
        return time.perf_counter() - started

    return Task(nothing, measure=measure)


# ---------------------------------------------------------------- storing


def store_together(stage: Stage, *, processes: int, entries: int, count: int) -> Task:
    """Store new results with so many processes: seconds for each; by hand: save and rename."""
    members, close = crew(stage, "store_some", processes, entries=entries, count=count)

    def measure() -> float:
        started = time.perf_counter()
        at_once(members)
        return (time.perf_counter() - started) / (entries * processes)

    return Task(nothing, measure=measure, close=close)


def store_some(stage: Stage, *, number: int, entries: int, count: int) -> Task:
    """Store so many results, other ones each time."""
    numbers = itertools.count(number * 1_000_000_000)
    call = _saver(stage.folder) if stage.is_raw else stage.remember(filled).call

    def measure() -> float:
        before, started = executions(), time.perf_counter()
        for n in itertools.islice(numbers, entries):
            call(n, count)
        passed = time.perf_counter() - started
        assert executions() - before >= entries, "some were not computed"
        return passed

    return Task(nothing, measure=measure)


def _saver(folder: Path) -> Callable[[int, int], None]:
    def save(number: int, count: int) -> None:
        path = folder / f"{number}.npy"
        part = folder / f"{number}.part.npy"
        np.save(part, filled(number, count))
        os.replace(part, path)

    return save
