"""Argument signatures, and small decorators. Not here: caches on disk (`neurotools.jobs.cache`)."""

from __future__ import annotations

import functools
import re
import time
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from neurotools.memo import literals
from neurotools.memo.entry import Signature
from neurotools.memo.errors import UnknownChoice, WrongArguments
from neurotools.memo.key import code_name
from neurotools.memo.signature import Binder, canonical, canonical_value

__all__ = [
    "argument_signature",
    "clear_memoized",
    "memoize",
    "print_signature",
    "sanitize",
    "timed",
    "unwrap",
]

F = TypeVar("F", bound=Callable[..., Any])

_MODES = ("liberal", "strict")


def argument_signature(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Signature:
    """Return a call's arguments bound to parameter names, defaults filled in.

    Parameters
    ----------
    function : callable
        The function that is called.
    *args, **kwargs
        What it is called with.

    Returns
    -------
    named : tuple of (str, object) pairs
        Sorted by name; values are in the form that `sanitize` gives them.
    extra : tuple or None
        Extra positional arguments, if any.

    Raises
    ------
    ValueError
        If the function does not take these arguments.
    UndigestableValue
        If an argument has no reliable digest.

    Examples
    --------
    >>> def f(a, b=2, *more, **options):
    ...     pass
    >>> argument_signature(f, 1)
    ((('a', 1), ('b', 2)), None)
    >>> argument_signature(f, 1, 3, 4, c=[5])
    ((('a', 1), ('b', 3), ('c', [5])), (4,))
    """
    try:
        bound = Binder(unwrap(function)).bind(args, kwargs)
    except WrongArguments as error:
        raise ValueError(str(error)) from None
    return canonical(bound, code_name)


def sanitize(sig: Any, mode: str = "liberal") -> Any:
    """Return a value, or a whole signature, in canonical form.

    Small plain values stay as they are, with their types; arrays, objects and long text become a
    `Digested`, which holds their type, shape and a digest of their content.

    Parameters
    ----------
    sig : object
        Any value.
    mode : {'liberal', 'strict'}
        ``'strict'`` takes only numbers, booleans, None, and strings of letters, digits and spaces,
        in tuples and lists.

    Raises
    ------
    ValueError
        If ``'strict'`` does not take the value, or the mode is unknown.
    UndigestableValue
        If the value has no reliable digest.
    """
    if mode not in _MODES:
        raise UnknownChoice("mode", mode, _MODES)
    if mode == "strict":
        _require_strict(sig)
    return canonical_value(sig, code_name)


def _require_strict(value: Any) -> None:
    if type(value) in (tuple, list):
        for item in value:
            _require_strict(item)
    elif type(value) is str:
        if not re.fullmatch("[A-Za-z0-9 ]*", value):
            raise ValueError(f"strict mode takes letters, digits and spaces only, not {value!r}")
    elif type(value) not in (int, float, bool, type(None)):
        raise ValueError(f"strict mode takes numbers, booleans, None and text, not {value!r}")


def print_signature(sig: Signature) -> str:
    """Return an argument signature as people write a call: ``a=1,b='x'``.

    Parameters
    ----------
    sig : Signature
        As `argument_signature` returns it.

    Examples
    --------
    >>> print_signature(((('a', 1), ('b', 'x')), (3,)))
    "a=1,b='x',3"
    """
    named, extra = sig
    pieces = [f"{name}={value!r}" for name, value in named]
    return ",".join(pieces + [repr(value) for value in extra or ()])


def timed(f: Callable[..., Any]) -> Callable[..., tuple[float, Any]]:
    """Make a function return how long it took along with its result.

    Parameters
    ----------
    f : callable
        The function.

    Returns
    -------
    callable
        Returns ``(milliseconds, result)``.
    """

    @functools.wraps(f)
    def timed_call(*args: Any, **kwargs: Any) -> tuple[float, Any]:
        started = time.perf_counter()
        result = f(*args, **kwargs)
        return (time.perf_counter() - started) * 1e3, result

    return timed_call


# All caches of memoized functions that are still in use, for clear_memoized.
_CACHES: weakref.WeakSet[_Cache] = weakref.WeakSet()


class _Cache(dict[bytes, Any]):
    """A dictionary that weak references can point to."""

    __hash__ = object.__hash__  # type: ignore[assignment]


def memoize(f: F) -> F:
    """Make a function remember its results in memory, for as long as the process lives.

    Parameters
    ----------
    f : callable
        The function. Its results are handed out as they are, not copied.

    Returns
    -------
    callable
        Has the attribute ``__cache__``, which `clear_memoized` empties.

    See Also
    --------
    neurotools.jobs.cache.hierarchical_cacher : with ``'ram://'``, protects results, follows code.

    Examples
    --------
    >>> @memoize
    ... def double(x):
    ...     print("computing")
    ...     return 2 * x
    >>> double(2), double(x=2)
    computing
    (4, 4)
    """
    cache = _Cache()
    binder = Binder(f)
    _CACHES.add(cache)

    @functools.wraps(f)
    def memoized(*args: Any, **kwargs: Any) -> Any:
        call = literals.encode(canonical(binder.bind(args, kwargs), code_name))
        if call not in cache:
            cache[call] = f(*args, **kwargs)
        return cache[call]

    memoized.__cache__ = cache  # type: ignore[attr-defined]
    return memoized  # type: ignore[return-value]


def clear_memoized(verbose: bool = False) -> None:
    """Empty the memory of all functions made with `memoize`.

    Parameters
    ----------
    verbose : bool
        Whether to print how many results were forgotten.
    """
    caches = list(_CACHES)
    if verbose:
        total = sum(map(len, caches))
        print(f"forgetting {total} results of {len(caches)} functions")  # noqa: T201 - asked
    for cache in caches:
        cache.clear()


def unwrap(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function without its decorators, as far as they say what they wrap.

    Parameters
    ----------
    f : callable
        A function; decorators leave what they wrap in ``__wrapped__``.

    Examples
    --------
    >>> def f():
    ...     pass
    >>> unwrap(timed(memoize(f))) is f
    True
    """
    seen = {id(f)}
    while (inner := getattr(f, "__wrapped__", None)) is not None and id(inner) not in seen:
        seen.add(id(inner))
        f = inner
    return f
