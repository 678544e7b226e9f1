"""When a folder with a budget is to be looked at again.

A look gives the order in which entries go, and the right counts. It is repeated seldom, the more so
the longer it takes; and soon where others have removed or stored something without counting it.
Not here: the look itself (`budget`).
"""

from __future__ import annotations

import math
import threading
import time

#: A look is too old after so many seconds, or so many times what it took.
_OLD_SECONDS, _TIMES = 10.0, 100.0
#: So soon after the last one that was made for a doubt, if there is a doubt.
_DOUBTED_SECONDS, _DOUBTED_TIMES = 0.1, 20.0


class Looks:
    """The looks of this process at one folder.

    Attributes
    ----------
    ordered : float
        When, by the monotonic clock, the last one ended that gave an order; 0 where none did, or
        the order does not hold any more.
    is_exact : bool
        Whether nothing came while somebody looked.
    done : threading.Event
        Set unless a look is under way.
    """

    def __init__(self) -> None:
        self.ordered, self._doubts_ended, self._seconds = 0.0, -math.inf, 0.0
        self.is_exact, self.done = True, threading.Event()
        self.done.set()

    def is_due(self, *, is_doubted: bool) -> bool:
        """Tell whether it is time for another, if one is needed.

        Parameters
        ----------
        is_doubted : bool
            Whether somebody has changed the folder and not said how much.
        """
        now = time.monotonic()
        if is_doubted:
            soon = max(_DOUBTED_SECONDS, _DOUBTED_TIMES * self._seconds)
            return now - self._doubts_ended > soon
        age = now - self.ordered
        return not self.ordered or age > max(_OLD_SECONDS, _TIMES * self._seconds)

    def ended(self, begun: float, *, has_order: bool, was_doubted: bool) -> None:
        """Say that one has ended that began at a monotonic time."""
        now = time.monotonic()
        self._seconds, self.ordered = now - begun, now if has_order else 0.0
        if was_doubted:
            self._doubts_ended = now
        self.done.set()
