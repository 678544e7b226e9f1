"""The function whose results are kept, lost and damaged, and how they are told to be right."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

#: Every method, plain and compressed.
FORMS: tuple[tuple[str, str | None], ...] = (
    ("npy", None),
    ("pickle", None),
    ("mat", None),
    ("hdf5", None),
    ("npy", "zstd"),
    ("pickle", "zstd"),
)
#: Of results, in bytes; one in sixteen is larger than a megabyte.
SMALLEST, LARGEST = 1 << 10, 64 << 20


def pattern(seed: int, count: int) -> Any:
    """Return numbers that no other call has."""
    numbers = np.arange(count, dtype=np.int64)
    numbers *= 2 * seed + 1
    numbers += seed
    return numbers


#: Another number makes another version of `worn`, with the same results.
VERSION = 0


def worn(seed: int, count: int) -> Any:
    """Return what `pattern` does: results that are purged, cleared and damaged."""
    return pattern(seed, count) if VERSION >= 0 else None


def is_right(value: Any, seed: int, count: int) -> bool:
    return (
        type(value) is np.ndarray
        and value.dtype == np.int64
        and value.shape == (count,)
        and bool((value == pattern(seed, count)).all())
    )


def chosen_count(chance: random.Random, largest: int = LARGEST) -> int:
    """Return how many numbers a result is to have: mostly few, every size is equally rare."""
    top = largest if chance.random() < 0.1 else min(largest, 64 << 10)
    return int(SMALLEST * (top / SMALLEST) ** chance.random()) // 8
