"""One thread that works along with whoever reads or writes something large."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from queue import SimpleQueue

#: A helper that was late is not asked for so many times; twice as many where that happens again.
_REST, _LONGEST_REST = 64, 1 << 14


class _Helper:
    """A thread that does what it is asked, started when first needed; it may take a rest."""

    def __init__(self) -> None:
        self._asked: SimpleQueue[Callable[[], object]] | None = None
        self._lock = threading.Lock()
        self._resting, self._rest = 0, _REST

    def ask(self, work: Callable[[], object]) -> None:
        """Have work done some time, or never."""
        if self._resting:
            self._resting -= 1
            return
        if self._asked is None:
            with self._lock, contextlib.suppress(RuntimeError):
                if self._asked is None and _processors() > 1:
                    from queue import SimpleQueue  # not loaded before it is needed

                    asked: SimpleQueue[Callable[[], object]] = SimpleQueue()
                    run = functools.partial(_run, asked)
                    threading.Thread(target=run, name="neurotools", daemon=True).start()
                    self._asked = asked
        if self._asked is not None:
            self._asked.put(work)

    def rest(self, *, late: bool) -> None:
        """Do nothing for a while, if it was late."""
        if late:
            self._resting = self._rest
        self._rest = min(2 * self._rest, _LONGEST_REST) if late else _REST


def _run(asked: SimpleQueue[Callable[[], object]]) -> None:
    while True:
        # Who needs what was asked for finds out that it was not done, and does it.
        with contextlib.suppress(Exception):
            asked.get()()


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
