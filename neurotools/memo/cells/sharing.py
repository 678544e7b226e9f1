"""Whether values have parts in common that can change: a copy of one would not be the same.

Two names of a notebook may stand for one list, or for two views of one array. What comes back from
a cache is a copy, so that a change through one name would not be seen through the other.
"""

from __future__ import annotations

import datetime as dt
import decimal
import gc
import sys
import weakref
from collections.abc import Iterator, Mapping
from types import CodeType, FrameType
from typing import Any

import numpy as np

from neurotools.memo.fingerprint.fixed import is_fixed

#: What cannot change besides what `is_fixed` tells, or is code, and is not looked into.
_LEAVES = (CodeType, FrameType, weakref.ref, dt.tzinfo, decimal.Decimal, range, slice)
_FROZEN = (tuple, frozenset)
#: What most lists hold, told at once.
_PLAIN = frozenset({int, float, complex, bool, str, bytes, type(None)})


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
        (*_byte_bounds(array), name, is_given, id(array))
        for array, name, is_given in arrays
        if array.nbytes and array.flags.writeable
    )
    reaching: list[tuple[int, int, str, bool, int]] = []
    for span in spans:
        reaching = [other for other in reaching if other[1] > span[0]]
        for other in reaching:
            if other[4] != span[4] and (other[3] or span[3]):
                return (span[2], other[2]) if span[3] else (other[2], span[2])
        reaching.append(span)
    return None


def _byte_bounds(array: np.ndarray[Any, Any]) -> tuple[int, int]:
    """Return where an array's memory begins and ends; numpy has it here or there."""
    low = high = array.__array_interface__["data"][0]
    for length, stride in zip(array.shape, array.strides, strict=True):
        low, high = low + min(0, (length - 1) * stride), high + max(0, (length - 1) * stride)
    return low, high + array.itemsize


def _is_atom(value: Any) -> bool:
    """Whether a value is not looked into: it cannot change, or shares nothing that can."""
    # Not `isinstance`: proxies claim the class of what they stand for.
    if issubclass(type(value), _LEAVES) or is_fixed(value):
        return True
    pandas = sys.modules.get("pandas")
    return pandas is not None and issubclass(type(value), pandas.Index)


def _of_table(value: Any) -> list[Any] | None:
    """Return what changes with a table of pandas; None where it is no table.

    Its arrays do not, where a table has memory in common with others only until one is changed.
    """
    pandas = sys.modules.get("pandas")
    if pandas is None or not issubclass(type(value), (pandas.DataFrame, pandas.Series)):
        return None
    # What else pandas keeps, it keeps to itself: some of it is common to tables, and never changes.
    inside = [held for name, held in vars(value).items() if name == "_attrs" or name[0] != "_"]
    is_always = int(pandas.__version__.partition(".")[0]) >= 3
    if not (is_always or pandas.options.mode.copy_on_write is True):
        inside += value._mgr.arrays
    return inside


def parts(value: Any) -> Iterator[Any]:
    """Give all objects that make a value, each once, without running any of its code."""
    seen: dict[int, Any] = {}
    todo = [value]
    while todo:
        one = todo.pop()
        if id(one) in seen or _is_atom(one):
            continue
        seen[id(one)] = one
        yield one
        if (inside := _of_table(one)) is not None:
            todo.extend(inside)
        elif isinstance(one, np.ndarray):
            if one.dtype == object:
                todo.extend(held for held in one.ravel().tolist() if type(held) not in _PLAIN)
            # What lends it its memory is seen by the memory.
        else:
            todo.extend(held for held in gc.get_referents(one) if type(held) not in _PLAIN)
