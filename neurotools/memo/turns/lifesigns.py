"""For how long something has not changed, and when to look again; by nobody's clock but our own."""

from __future__ import annotations

import random
import time

#: Seconds between two looks: the first, the longest, and the share of the wait in between.
_FIRST, _LONGEST, _SHARE = 0.05, 2.0, 0.1
#: A look may take so much longer than it was to take before we count as stopped ourselves.
_SLACK = 1.0


class Watch:
    """What one who waits has seen of a mark."""

    def __init__(self) -> None:
        self._content: object = self  # nothing that was ever read
        self._still = self._waited = self._pause = 0.0
        self._looked = time.monotonic()
        self._turns = 0
        self._failing_since: float | None = None

    def pause(self) -> float:
        """Return the seconds to wait until the next look; longer from look to look."""
        share = min(_LONGEST, max(_FIRST, _SHARE * self._waited))
        # Many who wait for one do not look in step.
        self._pause = share * random.uniform(0.8, 1.2)
        self._waited += self._pause
        return self._pause

    @property
    def expected(self) -> float:
        """Seconds between two looks at the mark itself."""
        return 2 * self._pause if self._turns else float("inf")

    def is_turn_of_result(self) -> bool:
        """Tell whether the result is to be looked for now, instead of the mark."""
        if self._pause:
            self._turns += 1
        return self._turns % 2 == 1

    def unchanged(self, content: bytes | None, expected: float) -> float:
        """Return for how many seconds a mark has said the same.

        Parameters
        ----------
        content : bytes or None
            What it says now.
        expected : float
            Seconds since the last look, as they were meant to be: time in which we were stopped
            ourselves, perhaps together with who has the mark, does not count.
        """
        now, self._failing_since = time.monotonic(), None
        passed, self._looked = min(now - self._looked, expected + _SLACK), now
        self._still = self._still + passed if content == self._content else 0.0
        self._content = content
        return self._still

    def failing(self) -> float:
        """Return for how many seconds each look at the mark has failed; called when one has."""
        now = time.monotonic()
        if self._failing_since is None:
            self._failing_since = now
        return now - self._failing_since

    def start_again(self) -> None:
        """Count from now on."""
        self._still = 0.0
