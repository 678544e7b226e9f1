"""The library's loggers. `logging`, which takes 3 ms to load, is loaded when one has to speak.

They never raise: a handler that fails is no reason to lose a result.
"""

from __future__ import annotations

import contextlib
import sys
from typing import Any

_DEBUG = 10


class Log:
    """What `logging.getLogger` gives for a name, asked for when it is needed.

    Parameters
    ----------
    name : str
        The module's.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._logger: Any = None

    def debug(self, message: str, *args: Any) -> None:
        """Say what only those want to know who look for it."""
        if self.hears_debug():
            with contextlib.suppress(Exception):
                self._logger.debug(message, *args, stacklevel=2)

    def info(self, message: str, *args: Any) -> None:
        """Say what may be good to know."""
        with contextlib.suppress(Exception):
            self._loaded().info(message, *args, stacklevel=2)

    def warning(self, message: str, *args: Any) -> None:
        """Say what the user should know."""
        with contextlib.suppress(Exception):
            self._loaded().warning(message, *args, stacklevel=2)

    def hears_debug(self) -> bool:
        """Tell whether anybody hears what `debug` says."""
        if self._logger is None:
            # Nobody has set a level or a handler yet.
            if "logging" not in sys.modules:
                return False
            self._loaded()
        heard: bool = self._logger.isEnabledFor(_DEBUG)
        return heard

    def _loaded(self) -> Any:
        if self._logger is None:
            import logging

            self._logger = logging.getLogger(self._name)
        return self._logger
