"""Whether two results are the same, and if not, where they differ and by how much.

The same means: the same types all through, the same dtypes and shapes, equal values, NaN equal to
NaN. Numbers may differ by a tolerance where one is given. Not here: computing (`recomputing`).
"""

from __future__ import annotations

import inspect
import math
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from neurotools.memo.careful import is_meant_to_end, spelled
from neurotools.memo.digest.values import digest
from neurotools.memo.key import code_name

#: Values are shown so long at most.
_SHOWN = 60


class Difference(NamedTuple):
    """Where two results differ first, and how.

    Attributes
    ----------
    where : str
        The part of the result, as Python spells it: ``"['mean'][3]"``; empty for the whole.
    what : str
        What differs, in words.
    absolute, relative : float
        The largest difference between numbers in that part, and the largest one in proportion to
        the number before; NaN where the difference is not one of numbers.
    """

    where: str
    what: str
    absolute: float = math.nan
    relative: float = math.nan

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data; None for what is no number: JSON has no NaN."""
        numbers = {"absolute": self.absolute, "relative": self.relative}
        told = {name: value if math.isfinite(value) else None for name, value in numbers.items()}
        return {"where": self.where, "what": self.what, **told}


class Tolerance(NamedTuple):
    """How far numbers may be apart: ``abs(now - before) <= atol + rtol * abs(before)``."""

    rtol: float = 0.0
    atol: float = 0.0

    @property
    def is_exact(self) -> bool:
        """Whether they may not be apart at all."""
        return not (self.rtol or self.atol)


def checked_tolerance(rtol: Any, atol: Any) -> Tolerance:
    """Return a tolerance.

    Raises
    ------
    ValueError
        If one of the two is no number, negative, infinite or NaN.
    """
    for name, value in (("rtol", rtol), ("atol", atol)):
        is_number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not (is_number and 0 <= value < math.inf):
            raise ValueError(f"{name}={value!r} is no tolerance; give a number, 0 or more")
    return Tolerance(float(rtol), float(atol))


def difference(old: Any, new: Any, tolerance: Tolerance | None = None) -> Difference | None:
    """Return how two results differ, or None if they are the same."""
    try:
        return _compared(old, new, tolerance or Tolerance(), "")
    except RecursionError:
        return Difference("", "it is nested too deeply, or in itself, to be compared")
    except BaseException as error:  # objects may fail in any way when they are looked at
        if is_meant_to_end(error):
            raise
        return Difference("", f"it cannot be compared: {spelled(error)}")


def _compared(old: Any, new: Any, tolerance: Tolerance, where: str) -> Difference | None:
    if type(old) is not type(new):
        return Difference(where, f"{_kind(old)} before, {_kind(new)} now")
    kind = type(old)
    if kind is np.ndarray:
        return _arrays(old, new, tolerance, where)
    if kind in (int, float, complex) or isinstance(old, np.generic):
        return _numbers(old, new, tolerance, where)
    rule = _CONTAINERS.get(kind)
    return rule(old, new, tolerance, where) if rule else _objects(old, new, tolerance, where)


def _kind(value: Any) -> str:
    kind = type(value)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return f"{module}{kind.__qualname__}"


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _unequal(old: Any, new: Any, where: str) -> Difference:
    return Difference(where, f"{_show(old)} before, {_show(new)} now")


# ---------------------------------------------------------------- numbers and arrays


def _numbers(old: Any, new: Any, tolerance: Tolerance, where: str) -> Difference | None:
    before, now = np.asarray(old), np.asarray(new)
    if isinstance(old, int) and {before.dtype.kind, now.dtype.kind} != {"i"}:
        return None if old == new else _unequal(old, new, where)  # beyond 64 bits
    return _arrays(before, now, tolerance, where)


def _arrays(old: Any, new: Any, tolerance: Tolerance, where: str) -> Difference | None:
    if old.dtype != new.dtype:
        return Difference(where, f"dtype {old.dtype} before, {new.dtype} now")
    if old.shape != new.shape:
        return Difference(where, f"shape {old.shape} before, {new.shape} now")
    if old.dtype.names:
        return _first(
            _arrays(old[name], new[name], tolerance, f"{where}[{name!r}]")
            for name in old.dtype.names
        )
    if old.dtype == object:
        pairs = zip(np.ndindex(old.shape), old.flat, new.flat, strict=True)
        return _first(_compared(a, b, tolerance, f"{where}{list(at)}") for at, a, b in pairs)
    bad = _differing(old, new, tolerance)
    return _described(old, new, bad, where) if bad.any() else None


def _differing(old: Any, new: Any, tolerance: Tolerance) -> Any:
    """Return which elements differ."""
    kind = old.dtype.kind
    if kind in "mM":
        old, new = old.view("i8"), new.view("i8")  # as numbers, for "not a time" is not itself
    if kind == "V":
        size = old.dtype.itemsize
        old, new = (np.ascontiguousarray(a).reshape(-1).view("u1") for a in (old, new))
        return (old.reshape(-1, size) != new.reshape(-1, size)).any(axis=1)
    bad: Any
    if kind == "c":
        bad = _unlike(old.real, new.real) | _unlike(old.imag, new.imag)
    else:
        bad = _unlike(old, new) if kind == "f" else np.asarray(old != new)
    if not tolerance.is_exact and kind in "iufc" and bad.any():
        bad = np.array(bad)  # of a single number, too
        bad[bad] = ~_near(old[bad], new[bad], tolerance)
    return bad


def _unlike(old: Any, new: Any) -> Any:
    """Return which floats differ: NaN equals itself, and zeros have a sign."""
    signs = (old == 0) & (np.signbit(old) != np.signbit(new))
    return ((old != new) & ~(np.isnan(old) & np.isnan(new))) | (signs & (new == 0))


def _near(old: Any, new: Any, tolerance: Tolerance) -> Any:
    before, now = old.astype(_wide(old.dtype)), new.astype(_wide(old.dtype))
    with np.errstate(all="ignore"):
        near = abs(now - before) <= tolerance.atol + tolerance.rtol * abs(before)
    return (old == new) | (near & np.isfinite(before) & np.isfinite(now))


def _wide(dtype: Any) -> Any:
    """Return a type in which differences of such numbers are right, integers of 64 bits too."""
    return np.result_type(dtype, np.longdouble if dtype.kind in "iu" else np.float64)


def _described(old: Any, new: Any, bad: Any, where: str) -> Difference:
    """Return how arrays differ: how many elements, and the two that are furthest apart."""
    absolute = relative = math.nan
    at = int(np.flatnonzero(bad)[0])
    if old.dtype.kind in "iufc":
        wide = _wide(old.dtype)
        before, now = old[bad].astype(wide), new[bad].astype(wide)
        with np.errstate(all="ignore"):
            by = abs(now - before)
            relation = np.where(by == 0, 0, by / abs(before))
        finite = np.where(np.isnan(by), -1, by)
        at = int(np.flatnonzero(bad)[int(np.argmax(finite))])
        absolute, relative = float(np.max(by)), float(np.max(relation))
    a, b = old.reshape(-1)[at], new.reshape(-1)[at]
    told = f"{_plain(a)} before, {_plain(b)} now"
    if not old.ndim:
        return Difference(where, told, absolute, relative)
    index = ", ".join(str(int(i)) for i in np.unravel_index(at, old.shape))
    number = f"{int(bad.sum()):,} of {old.size:,} elements differ"
    return Difference(where, f"{number}; at [{index}] {told}", absolute, relative)


def _plain(value: Any) -> str:
    return _show(value.item() if isinstance(value, np.generic) else value)


# ---------------------------------------------------------------- containers and objects


def _first(found: Iterable[Difference | None]) -> Difference | None:
    return next(filter(None, found), None)


def _sequences(old: Any, new: Any, tolerance: Tolerance, where: str) -> Difference | None:
    if len(old) != len(new):
        return Difference(where, f"length {len(old)} before, {len(new)} now")
    pairs = enumerate(zip(old, new, strict=True))
    return _first(_compared(a, b, tolerance, f"{where}[{i}]") for i, (a, b) in pairs)


def _mappings(old: Any, new: Any, tolerance: Tolerance, where: str) -> Difference | None:
    names = {key: key for key in new}
    for key in old:
        if key not in names or type(names[key]) is not type(key):
            return Difference(where, f"the key {_show(key)} is gone")
    if added := [key for key in new if key not in old]:
        return Difference(where, f"the key {_show(added[0])} is new")
    if type(old) is OrderedDict and list(old) != list(new):
        return Difference(where, "the keys stand in another order")
    return _first(_compared(old[k], new[k], tolerance, f"{where}[{_show(k)}]") for k in old)


def _equal(old: Any, new: Any, tolerance: Tolerance, where: str) -> Difference | None:  # noqa: ARG001
    return None if old == new else _unequal(old, new, where)


_Rule = Callable[[Any, Any, Tolerance, str], Difference | None]
_CONTAINERS: dict[type, _Rule] = {
    **dict.fromkeys([tuple, list], _sequences),
    **dict.fromkeys([dict, OrderedDict], _mappings),
    **dict.fromkeys([str, bytes, bytearray, bool, type(None), type(...)], _equal),
}


def _objects(old: Any, new: Any, tolerance: Tolerance, where: str) -> Difference | None:
    """Compare what is none of the above: by content, then part by part."""
    try:
        if digest(old, code_name) == digest(new, code_name):
            return None
    except BaseException as error:
        if is_meant_to_end(error):
            raise  # what has no digest may have parts that can be compared
    if isinstance(old, np.ndarray):
        # Masks and the like are attributes.
        found = _arrays(old.view(np.ndarray), new.view(np.ndarray), tolerance, where)
        return found or _mappings(vars(old), vars(new), tolerance, where)
    if inspect.isclass(old) or inspect.isroutine(old):
        return _unequal(old, new, where)
    if (parts := _parts(old)) is None or (others := _parts(new)) is None:
        return _unequal(old, new, where)
    return _sequences(parts, others, tolerance, where) if parts else _unequal(old, new, where)


def _parts(value: Any) -> tuple[Any, ...] | None:
    """Return what an object is made of, as pickle sees it; None where it cannot be taken apart."""
    if isinstance(value, (set, frozenset)):
        return None
    reduced = value.__reduce_ex__(4)
    if not isinstance(reduced, tuple):
        return None
    _, arguments, state, items, pairs = (*reduced, None, None, None)[:5]
    return (
        tuple(_named(one) for one in arguments),
        state,
        None if items is None else list(items),
        None if pairs is None else dict(pairs),
    )


def _named(value: Any) -> Any:
    # A class stands for itself: it is the same one before and now.
    return f"{value.__module__}:{value.__qualname__}" if isinstance(value, type) else value
