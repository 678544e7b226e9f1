"""One thread that works along with whoever reads or writes something large."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from queue import SimpleQueue

#: A helper that was late is not asked for so many times; twice as many where that happens again.
_REST, _LONGEST_REST = 64, 1 << 14


class _Helper:
    """A thread that does what it is asked, started when first needed; it may take a rest."""

    def __init__(self) -> None:
        self._asked: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._lock = threading.Lock()
        self._started = False
        self._resting, self._rest = 0, _REST

    def ask(self, work: Callable[[], object]) -> None:
        """Have work done some time, or never."""
        if self._resting:
            self._resting -= 1
            return
        if not self._started:
            with self._lock, contextlib.suppress(RuntimeError):
                if not self._started and _processors() > 1:
                    threading.Thread(target=self._run, name="neurotools", daemon=True).start()
                    self._started = True
        if self._started:
            self._asked.put(work)

    def rest(self, *, late: bool) -> None:
        """Do nothing for a while, if it was late."""
        if late:
            self._resting = self._rest
        self._rest = min(2 * self._rest, _LONGEST_REST) if late else _REST

    def _run(self) -> None:
        while True:
            # Who needs what was asked for finds out that it was not done, and does it.
            with contextlib.suppress(Exception):
                self._asked.get()()


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_helper = _Helper()


def _forget() -> None:
    """Start afresh in a forked child, where no other thread runs."""
    global _helper
    _helper = _Helper()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def ask(work: Callable[[], object]) -> None:
    """Have work done some time, or never: nobody may count on it."""
    _helper.ask(work)


def rest(*, late: bool) -> None:
    """Tell whether the helper was late: it is left alone for a while, then."""
    _helper.rest(late=late)
