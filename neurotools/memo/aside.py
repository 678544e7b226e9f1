"""Computing aside from the cache: memoized functions neither look for results nor keep any.

What is computed to be compared with a kept result must not come out of the cache itself, nor from a
memoized helper's. It holds for the block's own thread and the coroutines that it awaits; threads
and processes that the block starts are not reached.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextvars import ContextVar

#: How many blocks are under way, alone in a list: a call looks no further while it is 0.
UNDER_WAY = [0]
_IS_ASIDE: ContextVar[bool] = ContextVar("neurotools_is_aside", default=False)
_lock = threading.Lock()


def is_aside() -> bool:
    """Tell whether calls here are made without the cache."""
    return _IS_ASIDE.get()


@contextlib.contextmanager
def aside() -> Iterator[None]:
    """Make all calls in the block without the cache."""
    token = _IS_ASIDE.set(True)
    with _lock:
        UNDER_WAY[0] += 1
    try:
        yield
    finally:
        with _lock:
            UNDER_WAY[0] -= 1
        _IS_ASIDE.reset(token)
