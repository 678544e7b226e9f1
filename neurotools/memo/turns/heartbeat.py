"""One thread of this process that says, now and then, that its computations go on.

It holds nothing up: not the end of the interpreter, and not what computes. What computes in C and
does not give the interpreter away holds it up: who does that for long needs longer leases.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from neurotools.memo import careful, forks
from neurotools.memo.log import Log

if TYPE_CHECKING:
    from queue import SimpleQueue

log = Log(__name__)

#: So many looks at each computation in the time in which it counts as living.
_LOOKS = 6


class Living(Protocol):
    """Something that shows that it goes on."""

    seconds: float
    """Without a sign for so long it counts as dead."""

    def beat(self) -> None:
        """Show it, if it is time."""

    def free(self) -> None:
        """End it."""


class Heart:
    """What goes on in this process."""

    def __init__(self) -> None:
        self._lock = forks.lock_of(self)
        self.forget()

    def forget(self) -> None:
        """Start afresh in a forked child, where no other thread runs and nothing is held."""
        self._living: dict[Living, None] = {}
        self._dropped: list[Living] = []
        self._woken: SimpleQueue[None] | None = None
        self._sleeps = 0.0  # seconds, 0 while it sleeps until it is woken

    def add(self, living: Living) -> None:
        """Have something beat from now on."""
        with self._lock:
            self._living[living] = None
            # Else it looks in time: most computations have ended before that, and wake nobody.
            if not self._sleeps or living.seconds / _LOOKS < self._sleeps:
                self._sleeps = living.seconds / _LOOKS
                self._wake()

    def remove(self, living: Living) -> None:
        """Have it beat no more."""
        with self._lock:
            self._living.pop(living, None)

    def bury(self, living: Living) -> None:
        """Have what ended without its due freed by the thread; never waits."""
        with self._lock:
            self._dropped.append(living)
            self._sleeps = self._sleeps or living.seconds / _LOOKS
            self._wake()

    def _wake(self) -> None:
        if self._woken is None:
            from queue import SimpleQueue  # not loaded before it is needed

            self._woken = SimpleQueue()
            thread = threading.Thread(
                target=self._run, args=(self._woken,), name="neurotools leases", daemon=True
            )
            try:
                thread.start()
            except RuntimeError as error:  # no more threads, or the interpreter ends
                self._woken = None
                log.debug("no thread to keep leases with: %s", error)
                return
        self._woken.put(None)

    def _run(self, woken: SimpleQueue[None]) -> None:
        from queue import Empty

        while True:
            with contextlib.suppress(Empty):
                woken.get(timeout=self._sleeps or None)
            with self._lock:
                living, dropped = list(self._living), self._dropped
                self._dropped = []
                times = [one.seconds / _LOOKS for one in living]
                self._sleeps = min(times, default=0.0)
            for one in living:
                _safely(one.beat)
            for one in dropped:
                _safely(one.free)
            del living, dropped


def _safely(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception as error:  # the thread has to go on
        log.debug("cannot keep a lease: %s", careful.spelled(error))


HEART = Heart()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=HEART.forget)
