"""Hits: results that are there, read back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.study import bundle, constant, filled
from benchmarks.speed.task import Stage, Task, must_hit, must_run


def hit(stage: Stage, *, count: int, **wish: Any) -> Task:
    """Read back an array of so many double floats; by hand: ``np.load``."""
    if stage.is_raw:
        return _load(stage, constant(3, count), "r" if wish.get("mmap") else None)
    remembered = stage.remember(filled, **wish)
    expected = constant(3, count)

    def call() -> Any:
        return remembered.call(3, count)

    must_run(call, expected)
    check = must_hit(call, expected)
    check()
    note = _spoils(call, check) if wish.get("ram") else ""
    return Task(call, check, note=note)


def _load(stage: Stage, array: np.ndarray, mmap_mode: Any) -> Task:
    path = str(stage.folder / "result.npy")
    np.save(path, array)

    def call() -> Any:
        return np.load(path, mmap_mode=mmap_mode)

    return Task(call, must_hit(call, array))


def _spoils(call: Any, check: Any) -> str:
    """Change a result, and tell whether the next caller gets it changed; then mend it."""
    value = call()
    if not value.flags.writeable:
        return "read-only"
    before, value[0] = value[0], -77
    try:
        check()
    except AssertionError:
        value[0] = before
        return "its caller can spoil it"
    return ""


def hit_bundle(stage: Stage, *, arrays: int, count: int, method: str = "npy") -> Task:
    """Read back a dictionary of arrays and scalars; by hand: its bytes, once."""
    expected = bundle(3, arrays, count)
    if stage.is_raw:
        path = stage.folder / "bytes"
        path.write_bytes(b"".join(expected[f"channel_{i}"].tobytes() for i in range(arrays)))
        return Task(lambda: _read(path))
    remembered = stage.remember(bundle, method=method)

    def call() -> Any:
        return remembered.call(3, arrays, count)

    must_run(call, expected)
    return Task(call, must_hit(call, expected))


def _read(path: Path) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read()


def promote(stage: Stage, *, count: int, tiers: int = 2) -> Task:
    """Read back an array from the slowest folder, copying it up; by hand: load, save, rename."""
    expected = constant(3, count)
    if stage.is_raw:
        return _promote_by_hand(stage, expected)
    remembered = stage.remember(filled, tiers=tiers)
    must_run(lambda: remembered.call(3, count), expected)
    fast = [remembered.call.locate(3, count)]
    for i in range(1, tiers - 1):
        fast.append(fast[0].replace("tier-0", f"tier-{i}"))

    def reset() -> None:
        for path in fast:
            os.unlink(path)

    def check() -> None:
        reset()
        must_hit(lambda: remembered.call(3, count), expected)()
        assert all(map(os.path.exists, fast)), f"nothing was copied to {fast}"

    return Task(lambda: remembered.call(3, count), check, reset)


def _promote_by_hand(stage: Stage, array: np.ndarray) -> Task:
    slow, fast = (str(stage.folder / f"{name}.npy") for name in ("slow", "fast"))
    np.save(slow, array)
    np.save(fast, array)

    def call() -> Any:
        value = np.load(slow)
        np.save(fast + ".part.npy", value)
        os.replace(fast + ".part.npy", fast)
        return value

    return Task(call, must_hit(call, array), lambda: os.unlink(fast))
