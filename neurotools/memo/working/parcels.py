"""Calls and their outcomes as bytes, so that what cannot travel is known here, and named.

A pool that pickles by itself says so late, blames others, or dies of an exception that cannot be
opened. cloudpickle, where it is installed, sends functions and classes of scripts and notebooks.
"""

from __future__ import annotations

import functools
import pickle
import traceback
from collections.abc import Callable
from typing import Any

from neurotools.memo.errors import CannotTravel, FailedElsewhere

#: Functions kept open in a worker: one for each kind of work that comes again and again.
_KEPT = 16


class Packed:
    """A function that is packed once for many calls, and opened once in each worker.

    What it has closed over, and the globals of a script, travel as they are now.

    Parameters
    ----------
    function : callable
        The function.

    Raises
    ------
    CannotTravel
        If it cannot be pickled.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.__name__ = name_of(function)
        self._content = _dumped(function, self.__name__)

    def __call__(self, *args: Any) -> Any:
        return self.function(*args)

    def __reduce__(self) -> Any:
        return _opened, (self._content,)


def name_of(function: Callable[..., Any]) -> str:
    """Return what people call a function."""
    inner = getattr(function, "func", function)  # a partial's
    return str(getattr(inner, "__qualname__", None) or type(inner).__qualname__)


def pack(function: Callable[..., Any], args: tuple[Any, ...]) -> bytes:
    """Return a call as bytes.

    Raises
    ------
    CannotTravel
        If the function or an argument cannot be pickled.
    """
    return _dumped((function, args), f"a call of {name_of(function)}")


def run(call: bytes) -> bytes:
    """Run a packed call, and return its outcome as bytes: what a worker does."""
    try:
        function, args = pickle.loads(call)
    except Exception as error:  # classes and modules that are not there, or differ
        return _failure(CannotTravel("a call", f"a worker cannot open it: {error!r}"))
    try:
        value = function(*args)
    except BaseException as error:  # also what ends a program: it must not end the worker
        return _failure(error)
    try:
        return _dumped((True, value), f"the result of {name_of(function)}")
    except CannotTravel as error:
        return _failure(error)


def outcome(content: bytes) -> tuple[bool, Any]:
    """Return whether a call went well, and its value or its error."""
    try:
        is_value, value, *told = pickle.loads(content)
    except Exception as error:  # the same
        return False, CannotTravel("a result", f"it cannot be opened here: {error!r}")
    if not is_value:
        value.__cause__ = _Traceback(*told)
    return is_value, value


class _Traceback(Exception):
    """A worker's traceback, shown above the error that it led to."""

    def __str__(self) -> str:
        return f"\n\n{self.args[0]}"


def _failure(error: BaseException) -> bytes:
    told = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    # Some classes cannot be made from what their errors are pickled to; what they hold may do.
    bare = _Bare(type(error), error.args, dict(vars(error)))
    instead = FailedElsewhere(f"{type(error).__qualname__}: {_text(error)}")
    for one in (error, bare, instead):
        try:
            content = _dumped((False, one, told), "an error")
            pickle.loads(content)
        except Exception:
            continue
        return content
    return _dumped((False, FailedElsewhere("an error that cannot be shown"), told), "an error")


class _Bare:
    """An error that is made again without its class being asked how."""

    def __init__(self, kind: type[BaseException], args: tuple[Any, ...], facts: Any) -> None:
        self._facts = kind, args, facts

    def __reduce__(self) -> Any:
        return _made_again, self._facts


def _made_again(kind: type[BaseException], args: tuple[Any, ...], facts: Any) -> BaseException:
    error = kind.__new__(kind)
    error.args = args
    vars(error).update(facts)
    return error


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "(it cannot be shown)"


def _dumped(value: Any, what: str) -> bytes:
    try:
        return bytes(_dumps()(value, protocol=pickle.HIGHEST_PROTOCOL))
    except Exception as error:  # pickling runs the user's own code
        raise CannotTravel(what, f"it cannot be pickled: {error!r}") from error


@functools.cache
def _dumps() -> Callable[..., Any]:
    try:
        import cloudpickle
    except ImportError:
        return pickle.dumps
    return cloudpickle.dumps  # type: ignore[no-any-return, unused-ignore]


@functools.lru_cache(maxsize=_KEPT)
def _opened(content: bytes) -> Any:
    return pickle.loads(content)
