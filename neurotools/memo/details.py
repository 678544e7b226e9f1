"""What an entry's record tells of its making."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

from neurotools import __version__
from neurotools.memo import naming


class Details:
    """Details of the entries of one function.

    Parameters
    ----------
    function : callable
        The function.
    name : str
        Its module and qualified name.
    """

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self._function, self._name = function, name
        self._script: str | None = None

    def of(self, text: bytes) -> dict[str, Any]:
        """Return the details of a call that happens now, from its signature's text."""
        if self._script is None:
            self._script = naming.script_of(self._function)
        return {
            "function": self._name,
            "signature": text.decode("utf-8", "surrogatepass"),
            "script": self._script,
            **_environment(),
            "process": os.getpid(),
        }


@functools.cache
def _environment() -> dict[str, str]:
    import platform
    import socket  # 3 ms to load, for misses only

    import numpy as np

    return {
        "host": socket.gethostname(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "neurotools": __version__,
    }
