"""Leaves alone, for a while, what fails again and again; tries it again, ever more rarely."""

from __future__ import annotations

import time
from collections.abc import Callable

#: So many failures in a row, and it is left alone.
THRESHOLD = 3
#: Seconds of the first pause; each next one is twice as long.
FIRST_SECONDS = 1.0
#: The longest pause after failures that took no time: to try again costs nothing then.
CHEAP_SECONDS, LONGEST_CHEAP_SECONDS = 0.05, 5.0
#: The longest pause after failures that had to be waited for.
LONGEST_SECONDS = 60.0


class Breaker:
    """One kind of use of one place: allowed, or left alone for a while.

    Parameters
    ----------
    clock : callable
        Returns seconds that only go up.

    Notes
    -----
    It is closed while all goes well. After some failures in a row it is open: nobody is let
    through until a pause is over. Then one is let through; if that goes well the breaker closes,
    and if not the next pause is longer. Threads may share one without a lock: two that come at the
    same moment make one trial more.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = self._pauses = 0
        self._until: float | None = None

    @property
    def is_spotless(self) -> bool:
        """Whether the last use went well."""
        return self._failures == 0

    @property
    def is_open(self) -> bool:
        """Whether it is left alone, but for a trial now and then."""
        return self._until is not None

    @property
    def seconds_left(self) -> float:
        """How long it is left alone from now on, until it is tried again."""
        return 0.0 if self._until is None else max(0.0, self._until - self._clock())

    def lets_through(self) -> bool:
        """Return whether it may be used now; at the end of a pause, True for one who asks."""
        until = self._until
        if until is None:
            return True
        if self._clock() < until:
            return False
        # The others wait for what comes of this trial, and as long again if nothing does.
        self._until = self._clock() + self._pause(LONGEST_SECONDS)
        return True

    def went_well(self, *, on_trial: bool = False) -> None:
        """Note a use that went well; a trial does not say that all is well for long."""
        self._failures, self._until = 0, None
        if not on_trial:
            self._pauses = max(0, self._pauses - 1)

    def failed(self, seconds: float, *, for_certain: bool = False) -> None:
        """Note a failure.

        Parameters
        ----------
        seconds : float
            How long it took.
        for_certain : bool
            Whether this one is enough to leave the place alone.
        """
        self._failures += 1
        if self._failures < THRESHOLD and not for_certain and self._until is None:
            return
        longest = LONGEST_CHEAP_SECONDS if seconds < CHEAP_SECONDS else LONGEST_SECONDS
        self._until = self._clock() + self._pause(longest)
        self._pauses += 1

    def _pause(self, longest: float) -> float:
        return min(FIRST_SECONDS * 2.0 ** min(self._pauses, 30), longest)
