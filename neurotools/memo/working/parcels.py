"""Calls and their outcomes as bytes, so that what cannot travel is known here, and named.

A pool that pickles by itself says so late, blames others, or dies of an exception that cannot be
opened. cloudpickle, where it is installed, sends functions and classes of scripts and notebooks.
"""

from __future__ import annotations

import functools
import io
import pickle
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

from neurotools.memo.errors import CannotTravel, FailedElsewhere

#: What cloudpickle makes a class with.
_CLASS = b"_make_skeleton_class"
#: Functions kept open in a worker: one for each kind of work that comes again and again.
_KEPT = 8
#: Bytes of a function, with what it holds, that are better sent once than with each call.
_LARGE = 1 << 18


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
        self.__qualname__ = name_of(function)
        self.content = _dumped(function, self.__qualname__)

    @property
    def is_whole(self) -> bool:
        """Whether it is better sent anew with the arguments of each call.

        A class that comes by value again has methods with other globals from then on. What uses
        the class should then come with it, or they do not belong together any more.
        """
        return _CLASS in self.content

    @property
    def is_large(self) -> bool:
        """Whether to send it with each call would take longer than the rest."""
        return len(self.content) > _LARGE

    def __call__(self, *args: Any) -> Any:
        return opened(self.content)(*args)

    def __reduce__(self) -> Any:
        return opened, (self.content,)


class Fresh:
    """Values that are sent with a function, and made anew for each call: calls may change them.

    Parameters
    ----------
    value : object
        The values.

    Raises
    ------
    CannotTravel
        If they cannot be pickled.
    """

    def __init__(self, value: Any) -> None:
        self._content = _dumped(value, "what all calls have in common")

    def made(self) -> Any:
        """Return the values, used by nobody else."""
        return pickle.loads(self._content)


class Whole:
    """Values that are sent with a function anew for each call, in the place of `Fresh` ones.

    Parameters
    ----------
    value : object
        The values.
    """

    def __init__(self, value: Any) -> None:
        self._value = value

    def made(self) -> Any:
        """Return the values."""
        return self._value


def packed(function: Any) -> Any:
    """Return a function for many calls: packed, or as it is sent anew for each.

    Raises
    ------
    CannotTravel
        If it cannot be pickled.
    """
    made = Packed(function)
    if not made.is_whole:
        return made
    return function.whole() if hasattr(function, "whole") else function


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
        # To open a call may give classes other methods, while another thread looks at them.
        with _OPENING:
            function, args = pickle.loads(call)
            if hasattr(function, "prepare"):
                function.prepare(*args)
    except Exception as error:  # classes and modules that are not there, or differ
        return _failure(CannotTravel("a call", f"a worker cannot open it: {error!r}"))
    return _made(function, args)


_OPENING = threading.RLock()


def run_with(content: bytes, call: bytes) -> bytes:
    """Run a packed call of a function that was packed apart, as `run` does."""
    try:
        function, (_, args) = opened(content), pickle.loads(call)
    except Exception as error:  # the same
        return _failure(CannotTravel("a call", f"a worker cannot open it: {error!r}"))
    return _made(function, args)


def _made(function: Callable[..., Any], args: tuple[Any, ...]) -> bytes:
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
        is_value, value, *told = _Unpickler(io.BytesIO(content)).load()
    except Exception as error:  # the same
        return False, CannotTravel("a result", f"it cannot be opened here: {error!r}")
    if not is_value:
        value.__cause__ = _Traceback(*told)
    return is_value, value


class _Unpickler(pickle.Unpickler):
    """Leaves classes that come back from a worker as they are here."""

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name)
        return functools.partial(_set_unless_here, found) if name == "_class_setstate" else found


def _set_unless_here(set_state: Callable[..., Any], kind: type, state: Any) -> type:
    place: Any = sys.modules.get(kind.__module__)
    for name in kind.__qualname__.split("."):
        place = getattr(place, name, None)
    if place is not kind:
        set_state(kind, state)
    return kind


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
def opened(content: bytes) -> Any:
    """Return a function that was packed."""
    return pickle.loads(content)
