"""Types of the standard library -> plain values that say the same.

Each rule holds for exactly one type. A subclass may have more to it, and goes the way of any other
object (`objects`). Libraries that may be absent are in `foreign`.
"""

from __future__ import annotations

import datetime as dt
import functools
import io
import pathlib
import re
import types
from collections.abc import Callable
from typing import Any

from neurotools.memo.digest import arrays, files, generators

Rule = Callable[[Any], Any]
Rules = dict[type, tuple[str, Rule]]


def attributes(*names: str) -> Rule:
    """Return a rule that takes these attributes for the whole content."""
    return lambda value: {name: getattr(value, name) for name in names}


def _partial(value: functools.partial[Any]) -> Any:
    parts = {"func": value.func, "args": value.args, "keywords": value.keywords}
    return parts | ({"attributes": vars(value)} if vars(value) else {})


def _when(value: Any) -> Any:
    # What pickle keeps: the fields in a few bytes, the fold, and the time zone.
    return value.__reduce_ex__(4)[1]


def _decimal() -> Rules:
    from decimal import Context, Decimal

    return {
        Decimal: ("decimal", lambda value: tuple(value.as_tuple())),
        Context: ("decimal context", _decimal_context),
    }


def _decimal_context(value: Any) -> Any:
    # Its flags tell what has happened, and change nothing of what will.
    names = ("prec", "rounding", "Emin", "Emax", "capitals", "clamp")
    traps = sorted(signal.__name__ for signal, is_on in value.traps.items() if is_on)
    return {"traps": traps, **{name: getattr(value, name) for name in names}}


def _fraction() -> Rules:
    from fractions import Fraction

    return {Fraction: ("fraction", attributes("numerator", "denominator"))}


def _uuid() -> Rules:
    from uuid import UUID

    return {UUID: ("uuid", attributes("int"))}


def _zone() -> Rules:
    from zoneinfo import ZoneInfo

    return {ZoneInfo: ("zone", _zone_name)}


def _zone_name(value: Any) -> str:
    if value.key is None:
        raise ValueError("a time zone that was read from a file has no name")
    return str(value.key)


def _array() -> Rules:
    from array import array

    return {
        array: ("array", lambda a: (a.typecode, a.itemsize, arrays.buffer_digest(memoryview(a))))
    }


def _random() -> Rules:
    from random import Random

    return {Random: ("random", lambda value: generators.shared(value) or value.getstate())}


def _struct() -> Rules:
    from struct import Struct

    return {Struct: ("struct", attributes("format"))}


#: Module -> its rules. These modules are not loaded before somebody uses them.
_LATE: dict[str, Callable[[], Rules]] = {
    "decimal": _decimal,
    "fractions": _fraction,
    "uuid": _uuid,
    "zoneinfo": _zone,
    "array": _array,
    "_struct": _struct,
    "random": _random,
}

#: Exact type -> the name it goes by, the same in every version of Python, and its rule.
_RULES: Rules = {
    types.MethodType: ("method", attributes("__func__", "__self__")),
    types.MethodWrapperType: ("method wrapper", attributes("__name__", "__self__")),
    functools.partial: ("partial", _partial),
    functools.cached_property: ("cached property", attributes("func")),
    staticmethod: ("staticmethod", attributes("__func__")),
    classmethod: ("classmethod", attributes("__func__")),
    property: ("property", attributes("fget", "fset", "fdel")),
    slice: ("slice", attributes("start", "stop", "step")),
    range: ("range", attributes("start", "stop", "step")),
    memoryview: ("memoryview", lambda v: (v.format, v.shape, arrays.buffer_digest(v))),
    types.MappingProxyType: ("mappingproxy", lambda value: value.copy()),
    type({}.keys()): ("dict keys", list),
    type({}.values()): ("dict values", list),
    type({}.items()): ("dict items", list),
    types.SimpleNamespace: ("namespace", lambda value: dict(vars(value))),
    types.GenericAlias: ("alias", attributes("__origin__", "__args__")),
    re.Pattern: ("pattern", attributes("pattern", "flags")),
    dt.date: ("date", _when),
    dt.time: ("time", _when),
    dt.datetime: ("datetime", _when),
    dt.timedelta: ("timedelta", attributes("days", "seconds", "microseconds")),
    dt.timezone: ("timezone", lambda value: value.__getinitargs__()),
    pathlib.PurePosixPath: ("path", str),
    pathlib.PosixPath: ("path", str),
    pathlib.PureWindowsPath: ("windows path", str),
    pathlib.WindowsPath: ("windows path", str),
    files.File: ("file", files.content),
    io.BytesIO: ("bytes io", lambda value: (value.getvalue(), value.tell())),
    io.StringIO: ("string io", lambda value: (value.getvalue(), value.tell())),
}


def rule(kind: type) -> tuple[str, Rule] | None:
    """Return the name and the rule of a type, if it has one."""
    if kind not in _RULES and kind.__module__ in _LATE:
        _RULES.update(_LATE[kind.__module__]())
    return _RULES.get(kind)
