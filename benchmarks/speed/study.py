"""The functions that are remembered: quick ones, since what is measured is the cache around them.

Each reaches ten helpers, as a function of a study would, and counts its executions in a file that
is open under a number of its own. A counter in memory would be a value that the code depends on,
and the caches that look at such values would rightly compute anew.
"""

from __future__ import annotations

import os
import resource
import time
from typing import Any

import numpy as np

#: Where executions are counted; `count_in` opens it. No program has as many files open.
TALLY = 1000


def count_in(path: str) -> None:
    """Count executions of this process in a file, which other processes may share."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if -1 < allowed <= TALLY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (TALLY + 24, most))
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, TALLY)
    os.close(descriptor)


def executions() -> int:
    """Return how often functions were executed by all processes that share the file."""
    return os.fstat(TALLY).st_size


def executed() -> None:
    os.write(TALLY, b".")


# ---------------------------------------------------------------- ten helpers


def offset(x: float) -> float:
    return x + 0.5


def gain(x: float) -> float:
    return x * 1.25


def clip(x: float) -> float:
    return min(max(x, -1e9), 1e9)


def square(x: float) -> float:
    return x * x


def root(x: float) -> float:
    return abs(x) ** 0.5


def centre(x: float) -> float:
    return x - 0.25


def scale(x: float) -> float:
    return x / 4


def fold(x: float) -> float:
    return x if x > 0 else -x


def soften(x: float) -> float:
    return x / (1 + abs(x))


def level(x: float) -> float:
    return soften(fold(scale(centre(root(square(clip(gain(offset(x)))))))))


# ---------------------------------------------------------------- what is remembered


def constant(number: float, count: int) -> np.ndarray:
    """Return what `filled` does, in no room and without being counted."""
    return np.broadcast_to(np.float64(level(number)), count)


def filled(number: float, count: int) -> np.ndarray:
    """Return an array of so many double floats."""
    executed()
    return np.full(count, level(number))


def bundle(number: float, arrays: int, count: int) -> dict[str, Any]:
    """Return arrays and scalars in a dictionary."""
    executed()
    made: dict[str, Any] = {
        f"channel_{i}": np.full(count, level(number + i)) for i in range(arrays)
    }
    return {**made, "rate": level(number), "trials": 12, "name": "session 3", "good": True}


def given(number: float, made: Any) -> Any:
    """Return what was given, which is not looked at to tell calls apart."""
    executed()
    level(number)
    return made


def summary(recording: Any) -> float:
    """Return a number that takes no time to compute from an array or frame, however large."""
    executed()
    return level(float(len(recording)))


def slowly(number: float, seconds: float) -> float:
    """Return a number after a while."""
    executed()
    time.sleep(seconds)
    return level(number)
