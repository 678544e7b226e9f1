"""Keys held by the threads and tasks of this process, and who of them waits for which.

What a computation's own thread and its tasks ask for is asked for by it. Whoever would wait for
ever is told so, and computes instead. Not here: other processes (`neurotools.memo.locking.locks`).
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neurotools.memo.locking.standstill import ThreadWatch

#: Seconds between two looks at a thread that is waited for.
_PATROL_SECONDS = 0.1
#: What the code that runs here is part of.
HOLDING: ContextVar[tuple[Hold, ...]] = ContextVar("neurotools_holding", default=())


class Hold:
    """A key that somebody wants, has, or had."""

    __slots__ = ("is_task", "name", "thread", "wakers")

    def __init__(self, name: str, *, is_task: bool) -> None:
        self.name, self.is_task = name, is_task
        self.thread = threading.get_ident()
        self.wakers: list[threading.Lock] = []


class Held:
    """Keys held by the threads and tasks of this process, and who waits for which.

    Plain locks, since no interrupt comes between getting one and entering its block.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._owner: dict[str, Hold] = {}
        self._waits: dict[Hold, list[Hold]] = {}
        self._elsewhere: dict[Hold, list[Hold]] = {}

    def attempt(self, me: Hold) -> Hold | None:
        """Take a key if it is free; otherwise note that we wait for it, unless that is hopeless.

        Returns
        -------
        Hold or None
            Who has the key now; None where its holder waits for us.
        """
        with self._lock:
            holder = self._owner.setdefault(me.name, me)
            if holder is me:
                self._waits.pop(me, None)
                return me
            lineage = self.lineage(me)
            if self._closes_circle(holder, lineage):
                self._waits.pop(me, None)
                return None
            self._waits[me] = lineage
            return holder

    def wait_for_turn(self, me: Hold) -> None:
        """Wait for a key that somebody has, unless that is hopeless; `has` tells which."""
        waker, watch = threading.Lock(), None
        waker.acquire()
        try:
            while (holder := self.attempt(me)) is not None and holder is not me:
                watch = self.watched(me, holder, watch)
                # It may have gone in between: then nobody wakes us, and we look again.
                if waker not in holder.wakers:
                    holder.wakers.append(waker)
                waker.acquire(timeout=_PATROL_SECONDS if self.has(holder) else 0)
        finally:
            self.stop_waiting(me)

    def has(self, me: Hold) -> bool:
        return self._owner.get(me.name) is me

    def stop_waiting(self, me: Hold) -> None:
        with self._lock:
            self._waits.pop(me, None)

    def lineage(self, me: Hold) -> list[Hold]:
        """Return the holders that are waiting for us to go on: we are asked by them."""
        owners = list(self._owner.values())
        beneath = [hold for hold in owners if hold.thread == me.thread and not hold.is_task]
        return [hold for hold in (*beneath, *HOLDING.get()) if hold is not me and self.has(hold)]

    def _closes_circle(self, holder: Hold | None, lineage: list[Hold]) -> bool:
        left, seen = [holder], set()
        while left:
            holder = left.pop()
            if holder in lineage:
                return True
            if holder is not None and holder not in seen:
                seen.add(holder)
                waits = self._waits.items()
                left += [self._owner.get(one.name) for one, asked in waits if holder in asked]
        return False

    def take_over(self, me: Hold, holder: Hold) -> None:
        """Have a key whose holder stands still; others wait for us now."""
        with self._lock:
            if self.has(holder):
                self._owner[me.name] = me

    def release(self, me: Hold) -> None:
        if self._owner.get(me.name) is me or me in self._waits:
            with self._lock:
                self._waits.pop(me, None)
                if self._owner.get(me.name) is me:
                    del self._owner[me.name]
        while me.wakers:
            with contextlib.suppress(RuntimeError):  # nobody waits with it any more
                me.wakers.pop().release()

    def watched(
        self, me: Hold, holder: Hold | None, watch: ThreadWatch | None
    ) -> ThreadWatch | None:
        """Look at who is waited for; take the key over if he waits for us, it seems."""
        if holder is None or holder.thread == me.thread:
            return watch
        if watch is None or watch.thread != holder.thread:
            from neurotools.memo.locking.standstill import ThreadWatch  # few ever wait

            watch = ThreadWatch(holder.thread)
        if watch.stands():
            self.take_over(me, holder)
        return watch

    @contextlib.contextmanager
    def waiting_elsewhere(self, me: Hold) -> Iterator[list[Hold]]:
        """Say that who has a key here waits for another process; give who waits for him."""
        lineage = self._elsewhere[me] = self.lineage(me)
        try:
            yield lineage
        finally:
            self._elsewhere.pop(me, None)

    def asked_by(self, me: Hold) -> list[str]:
        """Return the names of the keys that a computation waits for."""
        waits = [*list(self._waits.items()), *list(self._elsewhere.items())]
        return [one.name for one, lineage in waits if me in lineage]

    def others(self, me: Hold) -> list[Hold]:
        return [hold for hold in list(self._owner.values()) if hold.thread != me.thread]


class Patrol:
    """A look, now and then, at all computations of this process but one's own."""

    def __init__(self, held: Held, me: Hold) -> None:
        self._held, self._me = held, me
        self._watches: dict[Hold, ThreadWatch] = {}

    def finds_one(self) -> bool:
        """Tell whether one of them stands still."""
        from neurotools.memo.locking.standstill import ThreadWatch

        for hold in self._held.others(self._me):
            watch = self._watches.setdefault(hold, ThreadWatch(hold.thread))
            if watch.stands():
                return True
        return False
