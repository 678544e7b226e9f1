"""Not in the way: tracebacks stay those of the user's own code, and telling things never fails."""

from __future__ import annotations

import contextlib
import logging
import signal
import traceback
from collections.abc import MutableMapping
from types import CodeType
from typing import Any

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
    codes = {frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)}
    if codes & _handlers():
        return True
    return not isinstance(error, Exception) and _HOOKS.isdisjoint(code.co_name for code in codes)


def _handlers() -> set[CodeType]:
    """Return the code of the handlers of signals."""
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


class _Careful(logging.LoggerAdapter):  # type: ignore[type-arg]
    """A logger whose handlers may fail: that is no reason to lose a result."""

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        if self.isEnabledFor(level):
            with contextlib.suppress(Exception):
                # Seen from the handlers, this module does not say anything.
                self.logger.log(level, msg, *args, stacklevel=3, **kwargs)

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        return msg, kwargs


def logger(name: str) -> _Careful:
    """Return a logger that never raises."""
    return _Careful(logging.getLogger(name), {})
