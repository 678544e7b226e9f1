"""What a wrapper stands for, and what is code."""

from __future__ import annotations

import functools
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

import numpy as np

#: What `functools.lru_cache` makes of a function.
LruCache = type(functools.lru_cache(len))

#: Code without a body that could be read.
IN_C: tuple[type, ...] = (
    BuiltinFunctionType,
    MethodDescriptorType,
    WrapperDescriptorType,
    ClassMethodDescriptorType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodWrapperType,
    np.ufunc,
)

_CODE: tuple[type, ...] = (FunctionType, type, ModuleType, LruCache, *IN_C)


def is_code(value: Any) -> bool:
    """Whether something is, or stands for, a function, class or module; all else is a value."""
    # Not `isinstance`: `list[int]` and proxies claim the class of what they stand for.
    return issubclass(type(value), _CODE)


def name_of(value: Any) -> str:
    """Return the name that something goes by, ``'module:qualname'``."""
    if isinstance(value, ModuleType):
        return f"{value.__name__}:"
    owner = getattr(value, "__objclass__", value)
    module = getattr(value, "__module__", None) or getattr(owner, "__module__", None)
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    return f"{module or 'builtins'}:{name or type(value).__qualname__}"


def unwrapped(value: Any) -> Any:
    """Return the function that one of our own wrappers stands for, or else the value itself."""
    while type(value).__module__.startswith(("neurotools.memo.", "neurotools.jobs.")):
        inner = getattr(value, "__wrapped__", None)
        if inner is None:
            break
        value = inner
    return value
