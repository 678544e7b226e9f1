"""What cannot be memoized, and why."""

from __future__ import annotations

import inspect
from typing import Any

from neurotools.memo.errors import UnsupportedFunction


def check_supported(function: Any) -> None:
    """Raise `UnsupportedFunction` for what cannot be memoized."""
    name = getattr(function, "__qualname__", None) or repr(function)
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise UnsupportedFunction(name, "it is a generator; return a list of its items instead")
    if inspect.isclass(function):
        raise UnsupportedFunction(
            name, "it is a class; memoize a function that makes its instances"
        )
    if not callable(function):
        raise UnsupportedFunction(name, f"it is no function but of type {type(function).__name__}")
    try:
        inspect.signature(function)
    except (TypeError, ValueError):
        reason = "its parameters are not known; wrap it in a function of your own"
        raise UnsupportedFunction(name, reason) from None
