"""Hits whose arguments are large: telling calls apart takes a look at every byte."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xxhash

from benchmarks.speed.study import summary
from benchmarks.speed.task import Stage, Task, must_hit, must_run


def array_argument(stage: Stage, *, count: int) -> Task:
    """Hit with an array of so many double floats; by hand: one pass of a fast hash over it."""
    array = _noise(count)
    return _hash([array]) if stage.is_raw else _hit(stage, array)


def same_array_again(stage: Stage, *, count: int) -> Task:
    """Hit with the same array, which is read-only."""
    array = _noise(count)
    array.flags.writeable = False
    return _hit(stage, array)


def same_map_again(stage: Stage, *, count: int) -> Task:
    """Hit with the same memory map of a file."""
    path = stage.folder / "recording.npy"
    np.save(path, _noise(count))
    return _hit(stage, np.load(path, mmap_mode="r"))


def frame_argument(stage: Stage, *, count: int) -> Task:
    """Hit with a frame of so many numbers in eight columns; by hand: one pass over its bytes."""
    import pandas as pd

    floats = {f"channel_{i}": _noise(count // 8) for i in range(6)}
    whole = {name: np.arange(count // 8) for name in ("trial", "sample")}
    if stage.is_raw:
        return _hash([*floats.values(), *whole.values()])
    return _hit(stage, pd.DataFrame(floats | whole))


def _noise(count: int) -> np.ndarray:
    return np.random.default_rng(3).normal(size=count)


def _hash(arrays: Sequence[np.ndarray]) -> Task:
    def call() -> list[bytes]:
        return [xxhash.xxh3_128_digest(array) for array in arrays]

    return Task(call)


def _hit(stage: Stage, argument: Any) -> Task:
    remembered = stage.remember(summary)
    expected = summary(argument)

    def call() -> Any:
        return remembered.call(argument)

    must_run(call, expected)
    return Task(call, must_hit(call, expected))
