"""Whether values have parts in common that can change: a copy of one would not be the same.

Two names of a notebook may stand for one list, or for two views of one array. What comes back from
a cache is a copy, so that a change through one name would not be seen through the other.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, ModuleType
from typing import Any

import numpy as np

#: What cannot change, or is code, and is not looked into.
_LEAVES: tuple[type, ...] = (
    *(type, FunctionType, BuiltinFunctionType, ModuleType, CodeType, FrameType, np.dtype),
    *(str, bytes, int, float, complex, range, slice, type(None), type(Ellipsis), np.generic),
)
_FROZEN = (tuple, frozenset)


def shared(given: Mapping[str, Any], taken: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return two names whose values have something changeable in common, the first one given.

    One object that several outputs hold is well: it stays one, if they are kept together. Arrays
    that are different objects and use the same memory do not.

    Parameters
    ----------
    given : mapping
        What a cell gives, by name.
    taken : mapping
        What it has taken.
    """
    theirs: dict[int, str] = {}
    arrays: list[tuple[np.ndarray[Any, Any], str, bool]] = []
    keep: list[Any] = []  # what is gone would leave its number to others
    for name, value in taken.items():
        for part in parts(value):
            keep.append(part)
            theirs.setdefault(id(part), name)
            if isinstance(part, np.ndarray):
                arrays.append((part, name, False))
    for name, value in given.items():
        for part in parts(value):
            keep.append(part)
            if id(part) in theirs and _can_change(part):
                return name, theirs[id(part)]
            if isinstance(part, np.ndarray):
                arrays.append((part, name, True))
    return _overlapping(arrays)


def _can_change(part: Any) -> bool:
    if isinstance(part, np.ndarray):
        return bool(part.flags.writeable)
    return not isinstance(part, _FROZEN)


def _overlapping(arrays: list[tuple[np.ndarray[Any, Any], str, bool]]) -> tuple[str, str] | None:
    """Return the names of two arrays that use the same memory, one of them given."""
    spans = sorted(
        (
            (*np.lib.array_utils.byte_bounds(array), name, is_given, id(array))
            if hasattr(np.lib, "array_utils")
            else (*np.byte_bounds(array), name, is_given, id(array))
        )
        for array, name, is_given in arrays
        if array.nbytes and array.flags.writeable
    )
    reach: list[tuple[int, int, str, bool, int]] = []
    for span in spans:
        reach = [other for other in reach if other[1] > span[0]]
        for other in reach:
            if other[4] != span[4] and (other[3] or span[3]):
                return (span[2], other[2]) if span[3] else (other[2], span[2])
        reach.append(span)
    return None


def parts(value: Any) -> Iterator[Any]:
    """Give all objects that make a value, each once, without running any of its code."""
    seen: dict[int, Any] = {}
    todo = [value]
    while todo:
        one = todo.pop()
        # Not `isinstance`: proxies claim the class of what they stand for.
        if issubclass(type(one), _LEAVES) or id(one) in seen:
            continue
        seen[id(one)] = one
        yield one
        if isinstance(one, np.ndarray) and one.dtype == object:
            todo.extend(one.ravel().tolist())
        elif isinstance(one, np.ndarray) and not isinstance(one.base, np.ndarray):
            continue  # what lends it its memory is seen by the memory
        else:
            todo.extend(gc.get_referents(one))
