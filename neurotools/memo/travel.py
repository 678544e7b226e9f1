"""How a memoized function goes to another process: by name, or by value."""

from __future__ import annotations

import sys
from typing import Any


def asked_by_cloudpickle() -> bool:
    """Return whether the caller, a ``__reduce_ex__``, was called by cloudpickle."""
    # Frame 2 called the C pickler's dump: cloudpickle's own, or one that ray or joblib bring along.
    return "cloudpickle" in str(sys._getframe(2).f_globals.get("__name__", ""))


def is_importable(memoized: Any) -> bool:
    """Return whether a memoized function is found by its name elsewhere."""
    if memoized.__module__ == "__main__":
        return False
    place: Any = sys.modules.get(memoized.__module__)
    for name in memoized.__qualname__.split("."):
        place = getattr(place, name, None)
    return place is memoized
