"""Peak resident memory, beyond what was there before and the result itself."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.contestants import Cannot
from benchmarks.speed.study import constant, filled, given
from benchmarks.speed.task import Stage, Task, must_hit, must_run
from benchmarks.speed.works.hits import promote

_STATUS, _RESET = Path("/proc/self/status"), "/proc/self/clear_refs"

#: The least that is told, so that figures can be divided by each other.
_PAGE = 4096.0


def load_memory(stage: Stage, *, count: int, ram: bool = False) -> Task:
    """Hit an array: bytes at the peak beyond the result."""
    expected = constant(3, count)
    if stage.is_raw:
        path = stage.folder / "result.npy"
        np.save(path, expected)
        return _measured(lambda: np.load(path), expected.nbytes)
    remembered = stage.remember(filled, ram=ram)
    must_run(lambda: remembered.call(3, count), expected)
    check = must_hit(lambda: remembered.call(3, count), expected)
    return _measured(lambda: remembered.call(3, count), expected.nbytes, check)


def promote_memory(stage: Stage, *, count: int) -> Task:
    """Hit an array in the slow tier, copying it up: bytes at the peak beyond the result."""
    task = promote(stage, count=count)

    def call() -> Any:
        assert task.reset is not None
        task.reset()
        return task.call()

    return _measured(call, count * 8, task.check)


def store_memory(stage: Stage, *, count: int, ram: bool = False) -> Task:
    """Keep an array: bytes at the peak beyond the result, which is there before."""
    array = np.random.default_rng(3).normal(size=count)
    if stage.is_raw:
        return _measured(lambda: np.save(stage.folder / "result.npy", array), 0)
    remembered = stage.remember(given, ignore="made", ram=ram)

    def call() -> Any:
        remembered.clear()
        return remembered.call(3, array)

    def check() -> None:
        must_run(call, array)

    return _measured(call, 0, check)


def _measured(call: Callable[[], Any], size: int, check: Callable[[], Any] = lambda: None) -> Task:
    if not os.access(_RESET, os.W_OK):
        raise Cannot("this system does not say")

    def measure() -> float:
        before = _kilobytes("VmRSS")
        with open(_RESET, "w") as file:
            file.write("5")  # the peak starts anew
        kept = call()
        peak = _kilobytes("VmHWM")
        del kept
        return max(_PAGE, (peak - before) * 1024.0 - size)

    return Task(call, check, measure=measure)


def _kilobytes(name: str) -> int:
    facts = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
    return int(facts[name].split()[0])
