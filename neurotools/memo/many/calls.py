"""What people pass to ``map`` and ``starmap`` -> calls. Not here: making them (`run`)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from neurotools.memo.errors import NotCalls

#: Of a call's arguments, so many characters are shown.
_SHOWN = 60
_TABLES = frozenset(["DataFrame", "LazyFrame", "Dataset"])


class Call(NamedTuple):
    """The arguments of one call."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def told(self, name: str) -> str:
        """Return the call as people write it, cut short."""
        parts = [_shown(value) for value in self.args]
        parts += [f"{key}={_shown(value)}" for key, value in self.kwargs.items()]
        text = ", ".join(parts)
        return f"{name}({text if len(text) <= _SHOWN else f'{text[:_SHOWN]}...'})"


def call(*args: Any, **kwargs: Any) -> Call:
    """Return the arguments of a call, for ``starmap``.

    Examples
    --------
    >>> call(1, scale=2)
    Call(args=(1,), kwargs={'scale': 2})
    """
    return Call(args, kwargs)


def of_iterables(
    iterables: tuple[Iterable[Any], ...],
    common: Mapping[str, Any],
    *,
    bound: tuple[Any, ...] = (),
) -> list[Call]:
    """Return the calls that ``map`` is asked for.

    Parameters
    ----------
    iterables : tuple of iterable
        First arguments, second arguments and so on.
    common : mapping
        Keyword arguments of all calls.
    bound : tuple
        First arguments of all calls, as a method's instance.

    Raises
    ------
    NotCalls
        If one of them is none, or is more likely one argument for all calls; if they have different
        lengths.
    """
    if not iterables:
        raise NotCalls("map", "give one iterable for each argument that differs between the calls")
    columns = [_items(iterable, number) for number, iterable in enumerate(iterables)]
    lengths = [len(column) for column in columns if not isinstance(column, itertools.repeat)]
    if len(set(lengths)) != 1:
        told = " and ".join(map(str, lengths)) or "endlessly many"
        reason = f"the iterables have {told} items; give what is the same in all calls by keyword"
        raise NotCalls("map", reason)
    return [Call((*bound, *args), common) for args in zip(*columns, strict=False)]


def _items(iterable: Any, number: int) -> Sequence[Any] | itertools.repeat[Any]:
    """Return what an iterable gives, all of it: a generator may change what it has given before."""
    reason = _not_meant(iterable)
    if reason:
        where = f"argument {number + 1} of map is {reason}"
        raise NotCalls("map", f"{where}; to give all of it to each call, pass it by keyword")
    if isinstance(iterable, itertools.repeat):
        return iterable
    return list(iterable)


def _not_meant(iterable: Any) -> str:
    """Return why something is no list of arguments, or nothing."""
    kind = type(iterable).__name__
    if isinstance(iterable, (str, bytes, bytearray)):
        return f"a single {kind}, put it into a list"
    # Whoever passes a table does not mean the names of its columns.
    if type(iterable).__name__ in _TABLES and hasattr(iterable, "shape"):
        return f"a {kind}; give one of its columns, or its rows to starmap"
    if getattr(iterable, "ndim", 1) == 0:
        return f"a {kind} of no dimension, put it into a list"
    if not hasattr(iterable, "__iter__") and not hasattr(iterable, "__getitem__"):
        return f"a single {kind}, put it into a list"
    return ""


def of_items(
    items: Iterable[Any], common: Mapping[str, Any], *, bound: tuple[Any, ...] = ()
) -> list[Call]:
    """Return the calls that ``starmap`` is asked for.

    Parameters
    ----------
    items : iterable of tuple, list, dict or Call
        The arguments of each call: positional ones, keywords, or both.
    common : mapping
        Keyword arguments of all calls; those of a call count before them.
    bound : tuple
        First arguments of all calls, as a method's instance.

    Raises
    ------
    NotCalls
        If one of them is something else.
    """
    if reason := _not_meant(items):
        raise NotCalls("starmap", f"its argument is {reason}")
    return [_call(item, number, common, bound) for number, item in enumerate(list(items))]


def _call(item: Any, number: int, common: Mapping[str, Any], bound: tuple[Any, ...]) -> Call:
    if isinstance(item, Call):
        return Call((*bound, *item.args), {**common, **item.kwargs})
    if type(item) in (tuple, list):
        return Call((*bound, *item), common)
    if isinstance(item, dict) and all(isinstance(key, str) for key in item):
        return Call(bound, {**common, **item})
    kind = type(item).__name__
    if hasattr(item, "_asdict"):
        reason = f"call {number} is a {kind}; give tuple(row), or row._asdict() to go by its names"
        raise NotCalls("starmap", reason)
    raise NotCalls("starmap", f"call {number} is a {kind}; give a tuple, a dict or a call(...)")


def _shown(value: Any) -> str:
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return f"<{type(value).__name__} {shape}>"
    rule: Callable[[Any], str] = repr if isinstance(value, _PLAIN) else _kind
    try:
        text = rule(value)
    except Exception:  # a user's class may not be shown
        return _kind(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _kind(value: Any) -> str:
    return f"<{type(value).__name__}>"


_PLAIN = (str, bytes, int, float, complex, bool, type(None))
