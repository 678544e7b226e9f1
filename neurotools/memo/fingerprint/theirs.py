"""Whether what is found in a library is the library's own, or was put there by the user."""

from __future__ import annotations

import functools
from types import FunctionType, MethodType
from typing import Any

from neurotools.memo.digest.objects import COMPILED
from neurotools.memo.fingerprint import bodies, origin
from neurotools.memo.fingerprint.limits import OF_MACHINE
from neurotools.memo.fingerprint.unwrap import is_code, unwrapped


def is_foreign(value: Any, module: str) -> bool:
    """Whether something found in a library's module is the library's, not put there by the user."""
    if not is_code(value):
        return _is_their_value(value, module)
    if isinstance(value, FunctionType) and bodies.dispatches_to_users(value):
        return False
    return origin.of(value) is not origin.USER and origin.is_at_home(value)


def _is_their_value(value: Any, module: str) -> bool:
    kind = type(value)
    if kind in _HOLDS:
        inner = getattr(value, _HOLDS[kind])
        return inner is None or is_foreign(unwrapped(inner), module)
    if kind in NUMBERS:  # nobody can tell who put it there
        return module.partition(".")[0] in OF_MACHINE
    is_package = isinstance(origin.of_module_named(module), origin.Package)
    if is_package and (is_plain_data(value) or _holds_users(value)):
        return False
    # Functions compiled by Cython are of a type in a module that is none.
    named = getattr(value if kind.__name__ in COMPILED else kind, "__module__", None)
    home = origin.of_module_named(named)
    return kind.__module__ != "unittest.mock" and home is not origin.USER


#: What holds a function -> the attribute under which it does.
_HOLDS: dict[type, str] = {functools.partial: "func", MethodType: "__func__"}

NUMBERS = frozenset((bool, int, float, complex))


def is_plain_data(value: Any) -> bool:
    """Whether a value is text, or a small container of text and numbers: a setting, perhaps."""
    if type(value) in (str, bytes):
        return True
    if type(value) not in (list, tuple, set, frozenset, dict) or len(value) > _MOST_SETTINGS:
        return False
    held = [*value, *value.values()] if type(value) is dict else value
    return all(item is None or type(item) in NUMBERS or type(item) is str for item in held)


def _holds_users(value: Any) -> bool:
    """Whether a library's table has something of the user's in it."""
    if type(value) not in (list, tuple, set, frozenset, dict) or len(value) > _MOST_SETTINGS:
        return False
    held = value.values() if type(value) is dict else value
    kinds = (item if is_code(item) else type(item) for item in map(unwrapped, held))
    return any(origin.of(kind) is origin.USER for kind in kinds)


_MOST_SETTINGS = 1_000
