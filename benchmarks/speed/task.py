"""One contestant's part in a work: what is timed, and how it is known to be right."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.contestants import ADAPTERS, RAW, Remembered, Wish
from benchmarks.speed.study import executions

#: Calls are timed together until they last about so long.
_BATCH_SECONDS = 0.02
_MOST_CALLS = 20_000


@dataclass(frozen=True)
class Stage:
    """Where a work is prepared: for which contestant, in which empty folder."""

    contestant: str
    folder: Path

    @property
    def is_raw(self) -> bool:
        return self.contestant == RAW

    def remember(self, function: Callable[..., Any], **wish: Any) -> Remembered:
        """Return the function, remembered by the contestant."""
        return ADAPTERS[self.contestant](function, self.folder / "cache", Wish(**wish))


def nothing() -> None:
    pass


@dataclass(frozen=True)
class Task:
    """What one contestant does in a work.

    Attributes
    ----------
    call : callable
        What is timed.
    check : callable
        Raises `AssertionError` unless calls give what they should, executing what they should.
    reset : callable or None
        Run before each call, untimed.
    measure : callable or None
        Returns a figure, where that is another than seconds for a call.
    note : str
        What a reader of the figure must know.
    close : callable
        Ends what the work has started.
    """

    call: Callable[[], Any]
    check: Callable[[], Any] = nothing
    reset: Callable[[], Any] | None = None
    measure: Callable[[], float] | None = None
    note: str = ""
    close: Callable[[], Any] = nothing

    def figure(self) -> float:
        """Measure once."""
        gc.collect()
        if self.measure is not None:
            return self.measure()
        return self._alone() if self.reset is not None else self._in_a_row()

    def _alone(self) -> float:
        times: list[float] = []
        while not times or (sum(times) < _BATCH_SECONDS and len(times) < 100):
            assert self.reset is not None
            self.reset()
            started = time.perf_counter()
            kept = self.call()
            times.append(time.perf_counter() - started)
            del kept
        return float(np.median(times))

    def _in_a_row(self) -> float:
        call = self.call
        call()  # what another process has driven out of the processor's caches
        started = time.perf_counter()
        call()
        once = time.perf_counter() - started
        count = min(_MOST_CALLS, int(_BATCH_SECONDS / max(once, 1e-7)))
        if count < 2:
            return once
        started = time.perf_counter()
        for _ in repeat(None, count):
            call()
        return (time.perf_counter() - started) / count


def must_hit(call: Callable[[], Any], expected: Any) -> Callable[[], None]:
    """Return a check that a call gives this value, and executes nothing."""

    def check() -> None:
        before = executions()
        value = call()
        ran = executions() - before
        assert ran == 0, f"the function ran {ran} times where it should have been remembered"
        assert same(value, expected), f"the wrong result: {type(value).__name__} {str(value)[:80]}"

    return check


def must_run(call: Callable[[], Any], expected: Any) -> None:
    """Check that a call gives this value, and executes the function once."""
    before = executions()
    value = call()
    ran = executions() - before
    assert ran == 1, f"the function ran {ran} times where it should have run once"
    assert same(value, expected), f"the wrong result: {type(value).__name__} {str(value)[:80]}"


def same(one: Any, other: Any) -> bool:
    """Tell whether results are equal, in type and in every bit that counts."""
    if isinstance(other, np.ndarray):
        fits = isinstance(one, np.ndarray) and one.dtype == other.dtype
        return fits and np.array_equal(one, other)
    if isinstance(other, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in other)
    return type(one) is type(other) and bool(one == other)
