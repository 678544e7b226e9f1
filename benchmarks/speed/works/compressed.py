"""Compressed results: how small, how fast."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.contestants import RAW
from benchmarks.speed.study import given
from benchmarks.speed.task import Stage, Task, must_hit, must_run, same

CHANNELS, RATE = 32, 1000.0


def recording(samples: int) -> np.ndarray:
    """Return a recording as an amplifier gives it: rhythms, drift and noise in steps of 0.1."""
    rng = np.random.default_rng(3)
    time = np.arange(samples) / RATE
    drift = np.cumsum(rng.normal(size=(CHANNELS, samples), scale=0.4), axis=1)
    rhythm = 20 * np.sin(2 * np.pi * 10 * time + rng.uniform(0, 6, size=(CHANNELS, 1)))
    noise = rng.normal(size=(CHANNELS, samples), scale=3)
    return (np.round((drift + rhythm + noise) * 10) / 10).astype(np.float32)


def compressed_size(stage: Stage, *, samples: int) -> Task:
    """Keep a recording compressed: bytes on disk; by hand: gzip, level 6."""
    task = compressed_write(stage, samples=samples)
    task.check()
    if task.reset:
        task.reset()
    task.call()
    return Task(task.call, task.check, measure=lambda: float(_size(stage.folder)))


def _size(folder: Path) -> int:
    return sum(
        file.stat().st_size
        for file in folder.rglob("*")
        if file.is_file() and file.suffix in {".npy", ".gz", ".b2", ".pkl", ".bytes"}
    )


def compressed_write(stage: Stage, *, samples: int) -> Task:
    """Keep a recording compressed: bytes of it per second."""
    array = recording(samples)
    if stage.contestant in _BY_HAND:
        write, read = _by_hand(stage)
        return _rated(Task(lambda: write(array), lambda: _is_kept(write, read, array)), array)
    remembered = stage.remember(given, ignore="made", compress=True)

    def call() -> Any:
        return remembered.call(3, array)

    def check() -> None:
        remembered.clear()
        must_run(call, array)
        must_hit(call, array)()

    return _rated(Task(call, check, reset=remembered.clear), array)


def compressed_read(stage: Stage, *, samples: int) -> Task:
    """Read a compressed recording back: bytes of it per second."""
    array = recording(samples)
    if stage.contestant in _BY_HAND:
        write, read = _by_hand(stage)
        write(array)
        return _rated(Task(read, lambda: _is_kept(write, read, array)), array)
    remembered = stage.remember(given, ignore="made", compress=True)
    must_run(lambda: remembered.call(3, array), array)
    return _rated(
        Task(lambda: remembered.call(3, None), must_hit(lambda: remembered.call(3, None), array)),
        array,
    )


def _rated(task: Task, array: np.ndarray) -> Task:
    """Return the task with bytes per second for its figure."""
    return Task(
        task.call,
        task.check,
        task.reset,
        lambda: array.nbytes / Task(task.call, reset=task.reset).figure(),
    )


# ---------------------------------------------------------------- by hand


def _gzip(path: Path) -> tuple[Callable[[np.ndarray], None], Callable[[], np.ndarray]]:
    def write(array: np.ndarray) -> None:
        with gzip.open(path, "wb", 6) as file:
            np.save(file, array)

    def read() -> np.ndarray:
        with gzip.open(path) as file:
            return np.load(file)

    return write, read


def _blosc(path: Path) -> tuple[Callable[[np.ndarray], None], Callable[[], np.ndarray]]:
    import blosc2

    def write(array: np.ndarray) -> None:
        if path.exists():
            os.unlink(path)
        blosc2.save_array(array, str(path), cparams=parameters)

    def read() -> np.ndarray:
        return blosc2.load_array(str(path))

    parameters = {"codec": blosc2.Codec.ZSTD, "clevel": 1, "nthreads": 2}
    return write, read


_BY_HAND = {RAW: (_gzip, "result.gz"), "blosc2": (_blosc, "result.b2")}


def _by_hand(stage: Stage) -> tuple[Callable[[np.ndarray], None], Callable[[], np.ndarray]]:
    maker, name = _BY_HAND[stage.contestant]
    return maker(stage.folder / name)


def _is_kept(write: Any, read: Any, array: np.ndarray) -> None:
    write(array)
    assert same(read(), array), "the wrong array"
