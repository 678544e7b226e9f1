"""Values whose content identity checks can vouch for, so that they need not be digested again."""

from __future__ import annotations

import datetime as dt
import enum
import functools
import re
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from types import MappingProxyType, MethodType, SimpleNamespace
from typing import Any

import numpy as np

from neurotools.memo.digest.objects import COMPILED
from neurotools.memo.digest.values import is_immutable
from neurotools.memo.fingerprint import classes, origin
from neurotools.memo.fingerprint.guards import Guards
from neurotools.memo.fingerprint.unwrap import is_code
from neurotools.memo.pathlike import is_path

#: More than this is digested: checking so many identities would cost as much.
_MOST = 5_000

#: Modules whose exact types of these kinds never change.
_UNCHANGING = (
    *(enum.Enum, re.Pattern, dt.date, dt.time, dt.timedelta),
    *(np.dtype, np.number, np.bool_, np.str_, np.bytes_, np.datetime64, np.timedelta64),
)
_THEIR_MODULES = ("enum", "pathlib", "re", "datetime", "numpy")


def is_fixed(value: Any) -> bool:
    """Whether an object has the same content for as long as it lives."""
    if value is None or is_immutable(value) or is_code(value):
        return True
    cls = type(value)
    if cls.__name__ in COMPILED:
        return origin.of(value) is not origin.USER  # a library's stands for its name, as others do
    if not issubclass(cls, _UNCHANGING) and not is_path(value):
        return False
    return issubclass(cls, enum.Enum) or cls.__module__.partition(".")[0] in _THEIR_MODULES


def watch(value: Any, guards: Guards) -> bool:
    """Guard the content of a value by identities; False, and nothing done, where that cannot be.

    Parameters
    ----------
    value : object
        Made of containers and plain instances around fixed values and code.
    guards : Guards
        Where the checks are noted.
    """
    notes: list[Callable[[], None]] = []
    seen: dict[int, Any] = {}
    todo = [value]
    while todo:
        item = todo.pop()
        if is_fixed(item) or id(item) in seen:
            continue
        inside = _INSIDE.get(type(item)) or (_instance if classes.is_plain_instance(item) else None)
        seen[id(item)] = item
        if inside is None or len(seen) + len(todo) > _MOST:
            return False
        todo.extend(inside(item, guards, notes))
    for note in notes:
        note()
    return True


Notes = list[Callable[[], None]]


def _items(value: Any, guards: Guards, notes: Notes) -> Iterator[Any]:
    notes.append(lambda: guards.items(value, iter))
    return iter(value)


def _pairs(value: Any, guards: Guards, notes: Notes) -> Iterator[Any]:
    notes.append(lambda: guards.items(value, iter))
    notes.append(lambda: guards.items(value, type(value).values))
    return iter([*value, *value.values()])


def _attributes(*names: str) -> Callable[[Any, Guards, Notes], list[Any]]:
    def inside(value: Any, guards: Guards, notes: Notes) -> list[Any]:
        notes.extend(functools.partial(guards.attribute, value, name) for name in names)
        return [getattr(value, name) for name in names]

    return inside


_instance = _attributes("__dict__", "__class__")

_INSIDE: dict[type, Callable[[Any, Guards, Notes], Any]] = {
    **dict.fromkeys((list, tuple, set, frozenset, deque), _items),
    **dict.fromkeys((dict, OrderedDict, MappingProxyType), _pairs),
    functools.partial: _attributes("func", "args", "keywords", "__dict__"),
    MethodType: _attributes("__func__", "__self__"),
    SimpleNamespace: _attributes("__dict__"),
}
