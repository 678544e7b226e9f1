"""Values as text for a reader, without running code of their own."""

from __future__ import annotations

from typing import Any

import numpy as np


def kind(value: Any) -> str:
    """Return the name of a value's class."""
    return f"{type(value).__module__}.{type(value).__qualname__}"


#: Python refuses to write longer ones in decimals.
_LONGEST_INT = 2_000

_SIMPLE = frozenset((int, float, complex, str, bytes, bool, type(None)))


def shown(value: Any) -> str:
    """Return a value for a reader, without running code of the value's own."""
    if type(value) is int and value.bit_length() > _LONGEST_INT:
        text = hex(value)
    elif type(value) in _SIMPLE:
        text = repr(value)
    elif isinstance(value, np.ndarray):
        text = f"array of {value.dtype} {value.shape}"
    elif type(value) in (list, tuple, set, frozenset):
        text = f"{type(value).__name__} of {len(value)}: " + ", ".join(map(shown, list(value)[:20]))
    elif type(value) is dict:
        pairs = list(value.items())[:20]
        text = f"dict of {len(value)}: " + ", ".join(f"{shown(k)}: {shown(v)}" for k, v in pairs)
    else:
        text = f"some {kind(value)}"
    return text if len(text) <= 400 else text[:400] + "..."
