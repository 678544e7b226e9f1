"""What is on its way to slower tiers in this process: one lane for each place, with its threads.

Callers are never kept waiting: they leave a key and go on. A lane's threads begin with its first
entry and end when there is nothing more to do. They hold few entries in memory at a time, read
when their turn comes. A place that fails is tried again, as its health allows, until the program
ends. Not here: what is done for one entry (`sending`), and the end of the program (`flushing`).
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue

from neurotools.memo.background.room import Room
from neurotools.memo.background.sending import Parcel, Route, is_passing
from neurotools.memo.errors import LeftAlone
from neurotools.memo.log import Log
from neurotools.memo.tiers.base import Entry

log = Log(__name__)

#: Threads that send to one place at most: a far one takes its time for each entry.
_MOST_THREADS = 4
#: One more is started for each so many entries that wait.
_PER_THREAD = 8
#: Seconds after which a thread with nothing to do ends.
_IDLE_SECONDS = 1.0
#: Bytes of entries that are held on their way to one place, or one entry, if that is larger.
MOST_HELD = 256 << 20
#: Keys that wait in memory at most; the marks tell of all others.
_MOST_KNOWN = 100_000
#: Seconds until a place that failed is tried again, at first and at most.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
#: An entry that failed so often while others arrived is left to the next process.
_MOST_TRIES = 4
#: Seconds until it is looked again whether processes have ended that left something unsent: those
#: of which that cannot be seen, and those that live.
_UNSEEN_SECONDS, _LIVING_SECONDS = 10.0, 60.0


class Lane:
    """What is on its way to one place.

    Attributes
    ----------
    pending, left_by_others : set of Parcel
        All that has not arrived: what this process has computed, and what others left to it.
    is_failing : bool
        Whether the last attempt failed.
    attempts : int
        How many came to an end.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.pending: set[Parcel] = set()
        self.left_by_others: set[Parcel] = set()
        self.is_failing = False
        self.attempts = self._arrived = self._failures = 0
        # Steps that Python does not interrupt, so that callers need no lock; what is our own goes
        # before what others left.
        self._own: deque[Parcel] = deque()
        self._found: deque[Parcel] = deque()
        self._turns: SimpleQueue[None] = SimpleQueue()
        self._later: list[tuple[float, _Look]] = []
        self._looking = threading.Lock()
        self._names: set[str] = set()
        self._threads: set[threading.Thread] = set()
        self._routes: dict[str, Route] = {}
        self._looks: set[_Look] = set()
        self._changed = threading.Condition()
        # A signal handler may leave something to be sent while one is started.
        self._starting = threading.RLock()
        self._nudges = 0
        # What is read while it is sent, and what memory alone keeps.
        self._sending, self._waiting = Room(MOST_HELD), Room(MOST_HELD)

    # ------------------------------------------------------------ for callers

    def add(self, parcel: Parcel) -> None:
        """Send something as soon as possible.

        Raises
        ------
        RuntimeError
            If no thread can be started.
        """
        self._routes[parcel.route.keeper.name] = parcel.route
        try:
            self._all_like(parcel).add(parcel)
            self._names.add(parcel.name)
            (self._found if parcel.is_found else self._own).append(parcel)
            self._begin()
        except KeyboardInterrupt:
            self._names.discard(parcel.name)
            self._all_like(parcel).discard(parcel)
            raise

    def _all_like(self, parcel: Parcel) -> set[Parcel]:
        return self.left_by_others if parcel.is_found else self.pending

    def has_room(self) -> bool:
        """Return whether more may wait in memory."""
        return len(self.pending) + len(self.left_by_others) < _MOST_KNOWN

    def hold(self, parcel: Parcel, entry: Entry, size: int) -> None:
        """Hold a parcel's entry until it is sent, if there is room for it."""
        if self._waiting.take(size, waits=False):
            parcel.entry, parcel.size = entry, size

    def look(self, route: Route) -> None:
        """Look for what other processes have left, in the background.

        Raises
        ------
        RuntimeError
            If no thread can be started.
        """
        self._look(_Look(route))

    def look_again(self) -> None:
        """Look for what others have left since, such as children of this process."""
        for route in list(self._routes.values()):
            if route.unsent.is_lasting:
                with contextlib.suppress(RuntimeError):
                    self.look(route)

    def _look(self, look: _Look) -> None:
        self._routes[look.route.keeper.name] = look.route
        self._looks.add(look)
        self._later.append((0.0, look))
        self._begin()

    def _begin(self) -> None:
        self._turns.put(None)
        # An interrupt may have kept one from being started.
        alive = sum(thread.is_alive() for thread in self._threads.copy())
        waiting = len(self._own) + len(self._found)
        if alive == 0 or (alive < _MOST_THREADS and waiting > _PER_THREAD * alive):
            self._start_one()

    def _start_one(self) -> None:
        with self._starting:
            alive = sum(thread.is_alive() for thread in self._threads.copy())
            if alive >= _MOST_THREADS:
                return  # others have come before us
            thread = threading.Thread(target=self._serve, name="neurotools-sender", daemon=True)
            self._threads.add(thread)
            try:
                thread.start()
            except RuntimeError:
                self._threads.discard(thread)
                if not alive:
                    raise

    def nudge(self) -> None:
        """Try again now what is put off."""
        with self._changed:
            self._nudges += 1
            self._changed.notify_all()
        self._look_for_more()
        if self.pending or self.left_by_others:
            with contextlib.suppress(RuntimeError):  # no thread is to be had any more
                self._begin()

    def _look_for_more(self) -> None:
        """Look for what is marked and not known here, if there is any."""
        for route in _OVERFLOWED.copy():
            if route.slow.name == self.name:
                _OVERFLOWED.discard(route)
                with contextlib.suppress(RuntimeError):
                    self.look(route)

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is so, looking whenever something has been tried."""
        with self._changed:
            return self._changed.wait_for(until, seconds)

    @property
    def is_searching(self) -> bool:
        """Whether it is not known yet what others have left."""
        return bool(self._looks)

    # ------------------------------------------------------------ in its threads

    def _serve(self) -> None:
        me = threading.current_thread()
        while True:
            is_idle = self._is_idle()
            was_busy = self._look_if_due()
            # All there is: an interrupt may have come between a parcel and its turn.
            while (parcel := self._next()) is not None:
                self._deal_with(parcel)
                was_busy = True
            if is_idle and not was_busy and not self._later:
                # Whoever comes from here on starts another thread.
                self._threads.discard(me)
                if self._turns.empty():
                    return
                self._threads.add(me)

    def _is_idle(self) -> bool:
        """Wait for a turn; tell whether none has come for a while."""
        try:
            self._turns.get(timeout=self._seconds())
        except Empty:
            return True
        return False

    def _seconds(self) -> float:
        due = min((due for due, _ in list(self._later)), default=_IDLE_SECONDS + time.monotonic())
        return min(max(due - time.monotonic(), 0.01), _IDLE_SECONDS)

    def _next(self) -> Parcel | None:
        for waiting in (self._own, self._found):
            try:
                return waiting.popleft()
            except IndexError:
                continue
        return None

    def _deal_with(self, parcel: Parcel) -> None:
        try:
            self._send(parcel)
        except Exception as error:  # a boundary: nobody is here to be told
            self._failed(parcel, error)
        else:
            self._arrived += 1
            self.is_failing = False
            self._is_done(parcel)

    def _send(self, parcel: Parcel) -> None:
        shut = parcel.route.slow.health.seconds_shut("write")
        if shut:
            raise LeftAlone(self.name, "it failed lately")
        size = parcel.route.keeper.size(parcel.key) if parcel.size == 0 else 0
        self._sending.take(size)
        try:
            parcel.send()
        finally:
            self._sending.give_back(size)

    def _is_done(self, parcel: Parcel) -> None:
        if parcel.entry is not None:
            self._waiting.give_back(parcel.size)
            parcel.entry = None
        self._names.discard(parcel.name)
        with self._changed:
            self._all_like(parcel).discard(parcel)
            self.attempts += 1
            self._changed.notify_all()
        if not self.pending and not self.left_by_others:
            self._look_for_more()

    def _failed(self, parcel: Parcel, error: Exception) -> None:
        route = parcel.route
        if not is_passing(error):
            if isinstance(error, OSError):
                route.give_up(parcel)
            log.warning("%s was not sent to %s: %r", parcel.key.path, self.name, error)
            self._is_done(parcel)
            return
        route.failed(error)
        # One that fails while others arrive is to blame itself.
        parcel.tries += self._arrived > parcel.since >= 0
        parcel.since = self._arrived
        if parcel.tries >= _MOST_TRIES:
            log.warning("%s was not sent to %s for now: %s", parcel.key.path, self.name, error)
            self._is_done(parcel)
            return
        (self._found if parcel.is_found else self._own).append(parcel)
        self._turns.put(None)
        self._pause(route)

    def _pause(self, route: Route) -> None:
        with self._changed:
            self._failures = self._failures + 1 if self.is_failing else 1
            self.is_failing, nudges = True, self._nudges
            self.attempts += 1
            self._changed.notify_all()
            seconds = min(_FIRST_PAUSE * 2.0 ** min(self._failures, 10), _LONGEST_PAUSE)
            seconds = max(seconds, min(route.slow.health.seconds_shut("write"), _LONGEST_PAUSE))
            self._changed.wait_for(lambda: self._nudges != nudges, seconds)

    def _look_if_due(self) -> bool:
        """Look for what others left, if it is time to; tell whether that was done."""
        now = time.monotonic()
        for one in list(self._later):
            if one[0] <= now:
                try:
                    self._later.remove(one)
                except ValueError:
                    continue  # another thread does it
                self._look_now(one[1])
                return True
        return False

    def _look_now(self, look: _Look) -> None:
        route = look.route
        try:
            # One look at a time: what one finds is known to the next.
            with self._looking:
                for note in route.found(self._names, look.seen):
                    self.add(Parcel(route, note.key, route.unsent.name(note.key), is_found=True))
        except Exception as error:  # a boundary: nobody is here to be told
            log.info("cannot see what is still to be sent to %s: %r", self.name, error)
        else:
            if route.has_more:
                overflows(route)
        finally:
            with self._changed:
                self._looks.discard(look)
                self._changed.notify_all()
        if look.seen:
            first, look.is_first = look.is_first, False
            seconds = _UNSEEN_SECONDS if first else _LIVING_SECONDS
            self._later.append((time.monotonic() + seconds, look))


class _Look:
    """A look for what others have left, perhaps one of several."""

    def __init__(self, route: Route) -> None:
        self.route, self.is_first = route, True
        self.seen: dict[str, bytes] = {}


#: Routes with more on them than is known here.
_OVERFLOWED: set[Route] = set()
_LANES: dict[str, Lane] = {}


def lane_to(name: str) -> Lane:
    """Return the lane to a place."""
    lane = _LANES.get(name)
    return _LANES.setdefault(name, Lane(name)) if lane is None else lane


def all_lanes() -> list[Lane]:
    """Return the lanes to all places to which something was sent."""
    return list(_LANES.values())


def overflows(route: Route) -> None:
    """Say that there may be more to be sent on a route than waits in memory."""
    _OVERFLOWED.add(route)


def _forget() -> None:
    """Start afresh in a forked child: its parent sends what was on its way."""
    _LANES.clear()
    _OVERFLOWED.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
