"""Waiting until slower tiers have what they lack: when it is asked for, and when the program ends.

Python lets nothing new begin once it ends, so the wait comes before that: before the threads that
libraries work with are told to stop. A process that ends in another way (killed, `os._exit`) does
not wait; what it had not sent yet is marked, and sent by the next one.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shlex
import threading
import time
from collections import Counter
from collections.abc import Sequence

# Its own end, which comes after ours, removes the list of what was being written.
import neurotools.memo.tiers.unfinished  # noqa: F401
from neurotools.memo.background.lanes import Lane, all_lanes
from neurotools.memo.background.sending import Route
from neurotools.memo.log import Log
from neurotools.memo.progress import bar
from neurotools.memo.tiers.directory import DirectoryTier

log = Log(__name__)

#: Seconds that the end of a program waits unless it is told otherwise: longer than a place takes
#: that answers, shorter than people wait before they kill the program.
FLUSH_SECONDS = 30.0
#: Seconds between two looks at how far it is.
_GLANCE_SECONDS = 0.1


def flush(lanes: Sequence[Lane], timeout: float | None = None, *, own: bool = False) -> int:
    """Wait until everything has arrived that is on its way.

    Parameters
    ----------
    lanes : sequence of Lane
        Where to.
    timeout : float, optional
        Seconds to wait at most.
    own : bool
        Whether to wait only for what this process has computed.

    Returns
    -------
    int
        How much has not arrived: no time was left, or a place cannot be used now.
    """
    waits = [_Wait(lane, own=own) for lane in lanes]
    ends = float("inf") if timeout is None else time.monotonic() + timeout
    total = sum(wait.left for wait in waits)
    with bar("sending results", total) as show:
        while (going := [wait for wait in waits if wait.goes_on()]) and time.monotonic() < ends:
            going[0].glance(min(_GLANCE_SECONDS, ends - time.monotonic()))
            show(total - sum(wait.left for wait in waits))
    return sum(wait.left for wait in waits)


class _Wait:
    """A wait for one lane; it is tried at once what had been put off."""

    def __init__(self, lane: Lane, *, own: bool) -> None:
        self._lane, self._own, self._attempts = lane, own, lane.attempts
        lane.nudge()
        if not own:
            lane.look_again()

    @property
    def left(self) -> int:
        lane = self._lane
        return len(lane.pending) + (0 if self._own else len(lane.left_by_others))

    def goes_on(self) -> bool:
        lane = self._lane
        if not (self.left or (lane.is_searching and not self._own)):
            return False
        return not (lane.is_failing and lane.attempts > self._attempts)

    def glance(self, seconds: float) -> None:
        self._lane.wait(lambda: not self.goes_on(), seconds)


def prepare(route: Route) -> None:
    """See to it that the end of the program waits for what is sent on a route."""
    # Libraries that speak to servers stop at the end, in the reverse order of their beginning.
    if not isinstance(route.slow.tier, DirectoryTier):
        import concurrent.futures.thread  # noqa: F401
    if route.slow.name not in _PREPARED:
        _PREPARED.add(route.slow.name)
        with contextlib.suppress(RuntimeError):  # the end has begun
            # Private, but what the standard library's own pools rely on.
            getattr(threading, "_register_atexit", atexit.register)(_end)


_PREPARED: set[str] = set()
_ENDED: set[int] = set()


def _end() -> None:
    """Wait for what is on its way, but not for long; say what has not arrived."""
    if os.getpid() in _ENDED:
        return  # it was registered for several places, and comes first for the last one
    _ENDED.add(os.getpid())
    lanes = all_lanes()
    own = [parcel for lane in lanes for parcel in lane.pending.copy()]
    limit = max((parcel.route.flush_seconds for parcel in own), default=0.0)
    try:
        flush(lanes, limit, own=True)
    except KeyboardInterrupt:
        pass  # whoever cannot wait need not
    except Exception as error:  # a boundary: the program ends, whatever its terminal says
        log.info("cannot wait for what is being sent: %r", error)
    left = [parcel for lane in lanes for parcel in lane.pending.copy()]
    routes = Counter(parcel.route for parcel in left if parcel.manifest is None)
    for (keeper, slow), (number, route) in _by_names(routes).items():
        log.warning("%s", _told(number, keeper, slow, route))


def _by_names(routes: Counter[Route]) -> dict[tuple[str, str], tuple[int, Route]]:
    found: dict[tuple[str, str], tuple[int, Route]] = {}
    for route, number in routes.items():
        names = route.keeper.name, route.slow.name
        found[names] = found.get(names, (0, route))[0] + number, route
    return found


def _told(number: int, keeper: str, slow: str, route: Route) -> str:
    results = "1 result has" if number == 1 else f"{number} results have"
    if not route.unsent.is_lasting:
        return f"{results} not reached {slow}, and went with this process's memory"
    return (
        f"{results} not reached {slow} yet, but stayed in {keeper}: the next run sends what is "
        f"left, or '{command(keeper, slow)}'"
    )


def command(keeper: str, slow: str) -> str:
    """Return what to type to have a tier sent what another has."""
    (fast, identifier), (far, other) = _split(keeper), _split(slow)
    if identifier != other or not fast or not far:
        return "neurotools sync"
    return f"neurotools sync --to --cache-identifier {shlex.join([identifier, fast, far])}"


def _split(name: str) -> tuple[str, str]:
    """Return the location of a tier, and its cache identifier."""
    place, _, identifier = name.replace("\\", "/").rstrip("/").rpartition("/")
    return place, identifier
