"""What loading and computing cost, measured: whether a hit is worth having."""

from __future__ import annotations

from collections import OrderedDict

#: Calls remembered one by one; older ones count through the function's means.
_REMEMBERED = 1024
#: Every so many skipped loads one is done after all, in case that the disk became faster.
_PROBE_EVERY = 32


class _Mean:
    """A running mean that forgets slowly, in seconds."""

    __slots__ = ("count", "seconds")

    def __init__(self) -> None:
        self.seconds, self.count = 0.0, 0

    def add(self, seconds: float) -> None:
        self.count += 1
        self.seconds += (seconds - self.seconds) / min(self.count, 8)


class Pace:
    """Measured times of one function's loads and computations."""

    def __init__(self) -> None:
        self._calls: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._loads = _Mean()
        self._skipped = 0

    def loaded(self, call: str, load_seconds: float, compute_seconds: float) -> None:
        """Note how long a hit took, and how long its result had taken to compute."""
        self._loads.add(load_seconds)
        self._calls[call] = (load_seconds, compute_seconds)
        self._calls.move_to_end(call)
        if len(self._calls) > _REMEMBERED:
            self._calls.popitem(last=False)

    def computed(self, call: str, seconds: float) -> None:
        """Note how long a computation took."""
        if call in self._calls:
            self._calls[call] = (self._calls[call][0], seconds)

    def is_computing_faster(self, call: str) -> bool:
        """Return whether computing a call again takes less time than loading its result.

        Both times of this very call must have been measured: calls of one function may differ.
        """
        load, compute = self._calls.get(call, (0.0, 0.0))
        if compute >= load:
            return False
        self._skipped += 1
        return self._skipped % _PROBE_EVERY != 0

    def is_worth_keeping(self, seconds: float) -> bool:
        """Return whether a result that took so long takes less time to load, as far as is known."""
        return not self._loads.count or seconds >= self._loads.seconds
