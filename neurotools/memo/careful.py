"""Not in the way: the user's own exceptions, and what ends a program, go on as they are."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import CodeType

#: Raised by whoever wants to end or interrupt a program.
_ENDS = (KeyboardInterrupt, SystemExit, GeneratorExit)
#: Methods of the user's that are asked for an object's content.
_HOOKS = frozenset(
    {
        *("__reduce__", "__reduce_ex__", "__getstate__", "__setstate__", "__getnewargs__"),
        *("__getnewargs_ex__", "__getattr__", "__getattribute__", "__neurotools_digest__"),
    }
)


def is_meant_to_end(error: BaseException) -> bool:
    """Tell whether an exception comes from outside of what was done, and has to go on its way.

    A handler of signals may raise anything, such as a `TimeoutError`, wherever the program is.
    """
    if isinstance(error, _ENDS):
        return True
    codes = set(_codes(error))
    if codes & _handlers():
        return True
    return not isinstance(error, Exception) and _HOOKS.isdisjoint(code.co_name for code in codes)


def _codes(error: BaseException) -> Iterator[CodeType]:
    place = error.__traceback__
    while place is not None:
        yield place.tb_frame.f_code
        place = place.tb_next


def _handlers() -> set[CodeType]:
    """Return the code of the handlers of signals."""
    # Whoever has set a handler has loaded the module; where all descriptors are in use, nobody can.
    if (signal := sys.modules.get("signal")) is None:
        return set()
    handlers = map(signal.getsignal, signal.valid_signals())
    functions = (getattr(handler, "__func__", handler) for handler in handlers)
    return {code for one in functions if isinstance(code := getattr(one, "__code__", 0), CodeType)}


def step_aside(error: BaseException) -> None:
    """Leave the frame that has caught an error out of its traceback, before a plain ``raise``.

    Python 3.10 puts it back.
    """
    if error.__traceback__ is not None:
        error.__traceback__ = error.__traceback__.tb_next


def spelled(error: BaseException) -> str:
    """Return an exception as text, even one of a class that cannot be shown."""
    try:
        return repr(error)
    except Exception:
        return type(error).__name__
