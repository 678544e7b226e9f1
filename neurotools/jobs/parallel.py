"""Make many calls at once, of any function.

A remembered function offers the same as its own ``map`` and ``starmap``: given one, the functions
here use these. Of other functions each call is made, and nothing is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import MethodType
from typing import Any

from neurotools.memo.bound import BoundMemoized
from neurotools.memo.function import Memoized
from neurotools.memo.many.calls import Call, call, of_items, of_iterables
from neurotools.memo.many.work import Common

__all__ = ["Call", "call", "map", "starmap"]


def map(  # noqa: A001 - it is Python's own, for many workers
    function: Callable[..., Any],
    /,
    *iterables: Iterable[Any],
    executor: Any = None,
    progress: bool = True,
    on_error: str = "raise",
    **common: Any,
) -> list[Any]:
    """Call a function with items of iterables as arguments, and return the results in order.

    Parameters
    ----------
    function : callable
        The function.
    *iterables : iterable
        First arguments, second arguments and so on, equally many.
    executor : None, int, concurrent.futures.Executor or distributed.Client
        Who makes the calls: this process, so many processes of this computer (these need the extra
        ``parallel``), any executor, a Dask cluster.
    progress : bool
        Whether to show a bar, where somebody sees it.
    on_error : {'raise', 'collect'}
        What to do when a call fails: begin no other one, wait for those that run, and raise the
        first error; or go on, and have errors in the places of results.
    **common
        Keyword arguments of all calls.

    Returns
    -------
    list
        The results.

    Raises
    ------
    NotCalls
        If an argument is no list of arguments, such as a single text or a table.
    UnknownExecutor, UnknownChoice, MissingExtra
        If nobody can make the calls so.
    CannotTravel, WorkersLost
        If a call or its result could not be sent, or its worker is gone.
    Exception
        What the function raises, with a note which call it was (Python 3.11 and later).

    Examples
    --------
    >>> map(pow, [2, 3], [5, 2])
    [32, 9]
    >>> map(int, ["11", "12", "x"], base=3, on_error="collect")
    [4, 5, ValueError("invalid literal for int() with base 3: 'x'")]
    """
    given = {"executor": executor, "progress": progress, "on_error": on_error}
    if (offered := _offered(function, "map")) is not None:
        return list(offered(*iterables, **given, **common))
    calls = of_iterables(iterables, common)
    return _made(function, calls, common, given)


def starmap(
    function: Callable[..., Any],
    items: Iterable[Any],
    /,
    *,
    executor: Any = None,
    progress: bool = True,
    on_error: str = "raise",
    **common: Any,
) -> list[Any]:
    """Call a function many times, each with arguments of its own.

    Parameters
    ----------
    function : callable
        The function.
    items : iterable of tuple, list, dict or call
        The arguments of each call: positional ones, keywords, or both as in ``call(1, n=2)``.
    executor, progress, on_error
        See `map`.
    **common
        Keyword arguments of all calls that do not give them.

    Returns
    -------
    list
        The results.

    Examples
    --------
    >>> starmap(int, [("11",), call("12", base=5)], base=3)
    [4, 7]
    """
    given = {"executor": executor, "progress": progress, "on_error": on_error}
    if (offered := _offered(function, "starmap")) is not None:
        return list(offered(items, **given, **common))
    calls = of_items(items, common)
    return _made(function, calls, common, given)


def _offered(function: Any, name: str) -> Any:
    """Return what a remembered function or method itself offers, or None."""
    inner = getattr(function, "__func__", function)
    if not isinstance(inner, Memoized):
        return None
    if isinstance(function, MethodType):  # by `classmethod` of Python 3.13, which binds by itself
        function = BoundMemoized(inner, function.__self__)
    return getattr(function, name)


def _made(function: Any, calls: list[Call], common: Any, options: dict[str, Any]) -> list[Any]:
    from neurotools.memo.many.plainly import run_plainly

    return run_plainly(function, calls, Common((), common), **options)
