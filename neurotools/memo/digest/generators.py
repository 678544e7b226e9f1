"""The random generators of the whole interpreter, behind `random.random` and `numpy.random.rand`.

They start anywhere, and many objects hold them: they count by name. Others count by their state.
"""

from __future__ import annotations

import sys
from typing import Any


def shared(generator: Any) -> str:
    """Return the module whose own generator an object is, or nothing."""
    if generator is getattr(sys.modules.get("random"), "_inst", sys):
        return "random"
    if generator is getattr(sys.modules.get("numpy.random.mtrand"), "_rand", sys):
        return "numpy.random"
    return ""
