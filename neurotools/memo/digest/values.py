"""Values -> canonical 128-bit digests. Not here: the digests of code (`fingerprint`).

A value is written as bytes, by content and with all its types, and these are digested. `walk`
writes containers, `scalars` what they hold in the end, `writers` all else; those are loaded for the
first value that is no scalar.
"""

from __future__ import annotations

import datetime as dt
import enum
import functools
import re
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import xxhash

from neurotools.memo.digest import files
from neurotools.memo.digest.scalars import SCALARS, shorten
from neurotools.memo.pathlike import is_plain_path

if TYPE_CHECKING:
    from neurotools.memo.digest.walk import CodeName

Rule = Callable[[Any], Any]
RuleT = TypeVar("RuleT", bound=Rule)


def qualified_name(value: Any) -> str:
    """Return the name of a function, class or module, ``'module:qualname'``.

    Parameters
    ----------
    value : function, class, module or the like
        For a module the part behind the colon is empty.

    Returns
    -------
    str
        Its name, by which it may be imported, unless it is local to a function.
    """
    if isinstance(value, types.ModuleType):
        return f"{_module(value.__name__)}:"
    owner = getattr(value, "__objclass__", value)
    name = getattr(value, "__qualname__", None) or value.__name__
    return f"{_module(getattr(owner, '__module__', None) or type(value).__module__)}:{name}"


def _module(name: str) -> str:
    # Workers started afresh see the main script under another name.
    return "__main__" if name == "__mp_main__" else name


def digest(
    value: Any,
    code: CodeName = qualified_name,
    *,
    ordered: bool = False,
    most: int | None = None,
) -> str:
    """Return the digest of a value's content and types.

    Parameters
    ----------
    value : object
        Anything that is made of data.
    code : callable
        Called with each function, class and module inside the value; what it returns stands for
        them. The default goes by name only.
    ordered : bool
        Whether the order of dictionaries counts.
    most : int, optional
        Refuse a value with more objects inside than this; numbers and text are not counted.

    Returns
    -------
    str
        128 bits as URL-safe base64, 22 characters. The same in every process and on every machine.

    Raises
    ------
    UndigestableValue
        If a part has no content to speak of, such as an open file; ``where`` says which.

    Examples
    --------
    >>> digest({"a": 1, "b": [2.0]}) == digest({"b": [2.0], "a": 1})
    True
    >>> digest(1) == digest(True)
    False
    """
    scalar = SCALARS.get(type(value))
    encoding = _written(value, code, ordered, most) if scalar is None else scalar(value)
    return files.base64(xxhash.xxh3_128_digest(encoding))


def _written(value: Any, code: CodeName, ordered: bool, most: int | None) -> bytes:
    from neurotools.memo.digest.walk import TOO_DEEP, Walk, refusal
    from neurotools.memo.digest.writers import ARRAY, choose, plain_array

    if type(value) is np.ndarray and (written := plain_array(value)) is not None:
        return shorten(ARRAY + written)  # a short way to what a walk would come to
    try:
        return Walk(code, choose, ordered, most).encode(value)
    except RecursionError:
        raise refusal(value, TOO_DEEP) from None


def register_digest(type_: type, function: RuleT | None = None) -> Any:
    """Tell how values of a type are digested that one does not own.

    A class of one's own may have a method ``__neurotools_digest__`` instead, which takes nothing
    and returns what ``function`` does.

    Parameters
    ----------
    type_ : type
        Subclasses inherit; the most specific type wins.
    function : callable, optional
        Takes a value and returns what counts in it as plain data: numbers, text, arrays and
        containers. Left out, `register_digest` is a decorator.

    Returns
    -------
    callable
        The function.

    Raises
    ------
    ValueError
        If the type is one of those that plain data are made of.

    Examples
    --------
    >>> class Probe:
    ...     def __init__(self, depth):
    ...         self.depth, self.last_read = depth, None
    >>> @register_digest(Probe)
    ... def probe(value):
    ...     return value.depth
    """
    if function is None:
        return functools.partial(register_digest, type_)
    from neurotools.memo.digest.writers import CORE, registered

    if type_ in SCALARS or type_ in CORE:
        raise ValueError(f"values of type {type_.__qualname__} are digested by their content")
    registered[type_] = function
    return function


#: Exact types whose values keep their content as long as they live.
_IMMUTABLE = frozenset(
    {
        *(SCALARS.keys() - {bytearray}),
        *(range, re.Pattern, dt.date, dt.timedelta, dt.timezone),
    }
)
_IMMUTABLE_MODULES = frozenset({"decimal", "fractions", "uuid", "zoneinfo"})

#: Parts looked at; what has more is taken for mutable, so that the answer is always quick.
_MOST_PARTS = 1000


def is_immutable(value: Any) -> bool:
    """Tell whether an object keeps its content as long as it lives.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    bool
        True for numbers, text, dates and the like, and for tuples and frozensets of these. False
        for all else, and if in doubt.
    """
    pending = [value]
    for part in pending:
        kind = type(part)
        if kind in _IMMUTABLE:
            continue
        inner = _immutable_if(part, kind)
        if inner is None or len(pending) + len(inner) > _MOST_PARTS:
            return False
        pending.extend(inner)
    return True


def _immutable_if(value: Any, kind: type) -> tuple[Any, ...] | frozenset[Any] | None:
    """Return the parts that decide, or None if the value is mutable whatever they are."""
    if kind is tuple or kind is frozenset:
        return value  # type: ignore[no-any-return]
    if kind is dt.datetime or kind is dt.time:
        return (value.tzinfo,)
    if is_plain_path(kind):
        return ()
    if isinstance(kind, enum.EnumMeta):
        return (value._value_,)
    plain_dtype = issubclass(kind, np.dtype) and value.names is None and not value.metadata
    return () if plain_dtype or _is_plain(kind) else None


def _is_plain(kind: type) -> bool:
    if kind.__module__ not in _IMMUTABLE_MODULES:
        return False
    from neurotools.memo.digest import plain

    return plain.rule(kind) is not None
