"""One line that shows how far a pipeline has come."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import TextIO

_WIDTH = 24


class Progress:
    """A bar on one line, drawn anew whenever a stage begins or ends.

    Parameters
    ----------
    total : int
        How many stages there are.
    stream : file, optional
        Where it is drawn; standard error by default.
    """

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        self._total, self._stream = total, stream or sys.stderr
        self._done, self._running, self._began = 0, list[str](), time.monotonic()
        self._lock = threading.Lock()
        self._drawn = 0

    def began(self, name: str) -> None:
        with self._lock:
            self._running.append(name)
            self._draw()

    def ended(self, name: str) -> None:
        with self._lock:
            self._running.remove(name)
            self._done += 1
            self._draw()

    def close(self) -> None:
        """Leave the line."""
        self._write("\n")

    def _draw(self) -> None:
        filled = _WIDTH * self._done // self._total
        bar = "#" * filled + "." * (_WIDTH - filled)
        seconds = time.monotonic() - self._began
        names = ", ".join(self._running)
        line = f"[{bar}] {self._done}/{self._total} {seconds:.0f} s {names}"[:100]
        self._write(f"\r{line:<{self._drawn}}")
        self._drawn = len(line)

    def _write(self, text: str) -> None:
        # Where nobody looks any more, the stages go on.
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()


class NoProgress:
    """Shows nothing."""

    def began(self, name: str) -> None:
        pass

    def ended(self, name: str) -> None:
        pass

    def close(self) -> None:
        """Do nothing."""
