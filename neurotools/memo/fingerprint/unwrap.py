"""What a wrapper stands for, and what is code."""

from __future__ import annotations

import functools
import os
import sys
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

import numpy as np

from neurotools.memo.digest import generators
from neurotools.memo.fingerprint.origin import is_made_in_c

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
    np.ufunc,
)

_CODE: tuple[type, ...] = (FunctionType, type, ModuleType, LruCache, *IN_C)


def is_code(value: Any) -> bool:
    """Whether something is, or stands for, a function, class or module; all else is a value."""
    # Not `isinstance`: `list[int]` and proxies claim the class of what they stand for.
    if shared_generator(value):
        return True
    if issubclass(type(value), BuiltinFunctionType):
        # `table.get` holds a table, `Table.fromkeys` a class that may be the user's.
        owner = value.__self__
        is_type = isinstance(owner, type)
        return owner is None or isinstance(owner, ModuleType) or (is_type and is_made_in_c(owner))
    return issubclass(type(value), _CODE)


def is_dunder(name: str) -> bool:
    """Whether a name is one of those that Python and libraries write, such as ``__file__``."""
    return name.startswith("__") and name.endswith("__")


def shared_generator(value: Any) -> str:
    """Return the module whose own generator a bound method draws from, such as `random.choice`."""
    if type(value) in (MethodType, BuiltinFunctionType):
        return generators.shared(value.__self__)
    return ""


def name_of(value: Any) -> str:
    """Return the name that something goes by, ``'module:qualname'``, the same on all Pythons."""
    if isinstance(value, ModuleType):
        return f"{_stable(value.__name__)}:"
    if shared := shared_generator(value):
        return f"{shared}:{value.__name__}"
    owner = getattr(value, "__objclass__", value)
    module = getattr(value, "__module__", None) or getattr(owner, "__module__", None)
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    found = f"{_stable(str(module or 'builtins'))}:{name or type(value).__qualname__}"
    return _RENAMED.get(found, found)


#: Modules of the standard library whose names depend on the system.
_OF_SYSTEM = {os.path.__name__: "os.path", "genericpath": "os.path", "posix": "os", "nt": "os"}

_RENAMED = {
    "enum:EnumType": "enum:EnumMeta",
    "re:PatternError": "re:error",
    "os:_path_normpath": "os.path:normpath",
}


@functools.lru_cache(maxsize=1024)
def _stable(module: str) -> str:
    """Return a module's name without the private parts that versions of Python move about."""
    first, *others = module.split(".")
    if first not in sys.stdlib_module_names:
        return module
    public = [part for part in others if not part.startswith("_")]
    return ".".join([_OF_SYSTEM.get(first, first.lstrip("_")), *public])


def unwrapped(value: Any) -> Any:
    """Return the function that one of our own wrappers stands for, or else the value itself."""
    while _is_ours(value) and (inner := getattr(value, "__wrapped__", None)) is not None:
        instance = getattr(value, "__self__", None)
        if instance is not None and not isinstance(value, FunctionType):
            return MethodType(unwrapped(inner), instance)
        value = inner
    return value


def _is_ours(value: Any) -> bool:
    is_function = isinstance(value, FunctionType)
    home = value.__globals__.get("__name__") if is_function else type(value).__module__
    return isinstance(home, str) and home.startswith(("neurotools.memo.", "neurotools.jobs."))
