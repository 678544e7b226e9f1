"""Not in the way: tracebacks stay those of the user's own code, and telling things never fails."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import MutableMapping
from typing import Any

#: Raised by whoever wants to end or interrupt a program, wherever it is; never kept from doing so.
ENDS = (KeyboardInterrupt, SystemExit, GeneratorExit)


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
