"""Misses: results computed and kept."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.study import constant, executions, filled, given
from benchmarks.speed.task import Stage, Task, must_hit, must_run


def miss(stage: Stage, *, count: int) -> Task:
    """Compute and keep an array, another each time; by hand: ``np.save``."""
    numbers = itertools.count(1)
    if stage.is_raw:
        return Task(lambda: _save(stage.folder, next(numbers), count))
    remembered = stage.remember(filled)
    before = executions()
    made = 0

    def call() -> Any:
        nonlocal made
        made = next(numbers)
        return remembered.call(made, count)

    def check() -> None:
        ran = executions() - before
        assert ran == made, f"the function ran {ran} times for {made} new calls"
        if made:
            must_hit(lambda: remembered.call(made, count), constant(made, count))()

    call()
    return Task(call, check)


def _save(folder: Path, number: int, count: int) -> None:
    np.save(folder / f"{number}.npy", filled(number, count))


def miss_large(stage: Stage, *, count: int) -> Task:
    """Keep an array that took no time to compute; by hand: ``np.save``."""
    array = np.random.default_rng(3).normal(size=count)
    if stage.is_raw:
        path = str(stage.folder / "result.npy")
        np.save(path, array)
        return Task(lambda: np.save(path, array), reset=lambda: os.unlink(path))
    remembered = stage.remember(given, ignore="made")

    def call() -> Any:
        return remembered.call(3, array)

    def check() -> None:
        remembered.clear()
        must_run(call, array)
        must_hit(call, array)()

    return Task(call, check, reset=remembered.clear)
