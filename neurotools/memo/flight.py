"""One computation per key at a time: across threads and tasks, and across processes.

Among processes a key is a lock in a file (`neurotools.memo.locks`), where the kernel refuses to
close a circle of waiting processes; among threads and tasks of one process the circle is looked for
here. What a computation's own thread and its tasks ask for is asked for by it. Whoever would wait
for ever computes instead: that costs work, never correctness.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING

from neurotools.memo.entry import Key
from neurotools.memo.lockfiles import POLL_SECONDS
from neurotools.memo.locks import FileLock

if TYPE_CHECKING:
    from neurotools.memo.standstill import ThreadWatch

#: Seconds between two looks at a thread that is waited for.
_PATROL_SECONDS = 0.1
#: A task that holds a key waits so long for another process: the kernel does not see its circles.
_NESTED_TASK_SECONDS = 10.0


class Flight:
    """Computations under way.

    Parameters
    ----------
    folder : str or None
        Holds the lock file that other processes see; None for this process alone.
    """

    def __init__(self, folder: str | None) -> None:
        self.folder = folder

    def alone(self, key: Key) -> Alone:
        """Hold a key while computing it, in a ``with`` statement.

        It gives whether somebody else held the key meanwhile, so that a result may be there now.
        An interrupt may come just as the block ends: `Alone.free`, called once more, makes sure.
        """
        return Alone(self.folder, key)

    def alone_async(self, key: Key) -> AloneAsync:
        """Hold a key as `alone` does, letting other coroutines run while waiting."""
        return AloneAsync(self.folder, key)


class _Hold:
    """A key that somebody wants, has, or had."""

    __slots__ = ("is_task", "name", "thread", "wakers")

    def __init__(self, name: str, *, is_task: bool) -> None:
        self.name, self.is_task = name, is_task
        self.thread = threading.get_ident()
        self.wakers: list[threading.Lock] = []


class _Turn:
    """What one has while one has a key; whoever loses it has no key any more."""

    __slots__ = ("_before", "_hold", "_lock")

    is_task = False

    def __init__(self, folder: str | None, key: Key) -> None:
        self._before: tuple[_Hold, ...] | None = None
        self._lock = FileLock(folder, key)
        self._hold = _Hold(f"{folder}\0{key.path}", is_task=self.is_task)

    def free(self) -> None:
        """Give the key back, if it is held; may be called again."""
        if self._before is not None:
            _HOLDING.set(self._before)
            self._before = None
        self._lock.free()
        _HELD.release(self._hold)

    def __del__(self) -> None:
        # After interrupts in quick succession: nobody else would do it.
        self._lock.free()
        _HELD.release(self._hold)

    def _enter_context(self) -> None:
        self._before = _HOLDING.get()
        _HOLDING.set((*self._before, self._hold))


class Alone(_Turn):
    """A key, held while the block runs; a class, since a generator takes twice the time."""

    __slots__ = ()

    def __enter__(self) -> bool:
        hold, lock = self._hold, self._lock
        try:
            waited = _HELD.acquire(hold)
            if _HELD.has(hold):
                self._enter_context()
                if not lock.try_take():
                    waited = True
                    nested = bool(_HELD.lineage(hold))
                    parent = _PARENTS.get(hold.name, 0)
                    lock.take(parent, nested=nested, hopeless=_Patrol(hold).finds_one)
        except BaseException:
            self.free()
            raise
        return waited

    def __exit__(self, *_: object) -> None:
        self.free()


class AloneAsync(_Turn):
    """A key, held by a task while the block runs."""

    __slots__ = ()

    is_task = True

    async def __aenter__(self) -> bool:
        import asyncio  # 30 ms to load, for coroutines only

        try:
            asyncio.current_task()
        except RuntimeError:  # another event loop than asyncio's: it has no tasks to wait for
            return False
        hold, waited = self._hold, False
        try:
            watch: ThreadWatch | None = None
            while (holder := _HELD.attempt(hold)) not in {hold, None}:
                waited = True
                watch = _watched(hold, holder, watch)
                await asyncio.sleep(POLL_SECONDS)
            _HELD.stop_waiting(hold)
            if holder is hold:
                self._enter_context()
                ends = time.monotonic() + _NESTED_TASK_SECONDS
                while not self._lock.try_again(_PARENTS.get(hold.name, 0)):
                    waited = True
                    if time.monotonic() > ends and _HELD.lineage(hold):
                        self._lock.go_without("it is asked for within another computation")
                        break
                    await asyncio.sleep(POLL_SECONDS)
        except BaseException:
            self.free()
            raise
        return waited

    async def __aexit__(self, *_: object) -> None:
        self.free()


class _Held:
    """Keys held by the threads and tasks of this process, and who waits for which.

    Plain locks, since no interrupt comes between getting one and entering its block.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._owner: dict[str, _Hold] = {}
        self._waits: dict[_Hold, list[_Hold]] = {}

    def attempt(self, me: _Hold) -> _Hold | None:
        """Take a key if it is free; otherwise note that we wait for it, unless that is hopeless.

        Returns
        -------
        _Hold or None
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

    def acquire(self, me: _Hold) -> bool:
        """Wait for a key, unless that is hopeless; return whether we waited."""
        # Mostly it is free, and nothing has to be made for waiting.
        holder = self.attempt(me)
        if holder is None or holder is me:
            return False
        self._wait_for_turn(me)
        return True

    def _wait_for_turn(self, me: _Hold) -> None:
        waker, watch = threading.Lock(), None
        waker.acquire()
        try:
            while (holder := self.attempt(me)) is not None and holder is not me:
                watch = _watched(me, holder, watch)
                # It may have gone in between: then nobody wakes us, and we look again.
                if waker not in holder.wakers:
                    holder.wakers.append(waker)
                waker.acquire(timeout=_PATROL_SECONDS if self.has(holder) else 0)
        finally:
            self.stop_waiting(me)

    def has(self, me: _Hold) -> bool:
        return self._owner.get(me.name) is me

    def stop_waiting(self, me: _Hold) -> None:
        with self._lock:
            self._waits.pop(me, None)

    def lineage(self, me: _Hold) -> list[_Hold]:
        """Return the holders that are waiting for us to go on: we are asked by them."""
        owners = list(self._owner.values())
        beneath = [hold for hold in owners if hold.thread == me.thread and not hold.is_task]
        return [hold for hold in (*beneath, *_HOLDING.get()) if hold is not me and self.has(hold)]

    def _closes_circle(self, holder: _Hold | None, lineage: list[_Hold]) -> bool:
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

    def take_over(self, me: _Hold, holder: _Hold) -> None:
        """Have a key whose holder stands still; others wait for us now."""
        with self._lock:
            if self.has(holder):
                self._owner[me.name] = me

    def release(self, me: _Hold) -> None:
        if self.has(me) or me in self._waits:
            with self._lock:
                self._waits.pop(me, None)
                if self.has(me):
                    del self._owner[me.name]
        while me.wakers:
            with contextlib.suppress(RuntimeError):  # nobody waits with it any more
                me.wakers.pop().release()

    def others(self, me: _Hold) -> list[_Hold]:
        return [hold for hold in list(self._owner.values()) if hold.thread != me.thread]


def _watched(me: _Hold, holder: _Hold | None, watch: ThreadWatch | None) -> ThreadWatch | None:
    """Look at who is waited for; take the key over if he waits for us, it seems."""
    if holder is None or holder.thread == me.thread:
        return watch
    if watch is None or watch.thread != holder.thread:
        from neurotools.memo.standstill import ThreadWatch  # few ever wait

        watch = ThreadWatch(holder.thread)
    if watch.stands():
        _HELD.take_over(me, holder)
    return watch


class _Patrol:
    """A look, now and then, at all computations of this process but one's own."""

    def __init__(self, me: _Hold) -> None:
        self._me = me
        self._watches: dict[_Hold, ThreadWatch] = {}

    def finds_one(self) -> bool:
        """Tell whether one of them stands still."""
        from neurotools.memo.standstill import ThreadWatch

        for hold in _HELD.others(self._me):
            watch = self._watches.setdefault(hold, ThreadWatch(hold.thread))
            if watch.stands():
                return True
        return False


_HELD = _Held()
#: What the code that runs here is part of.
_HOLDING: ContextVar[tuple[_Hold, ...]] = ContextVar("neurotools_holding", default=())
#: The keys whose computation has forked this process, and the process that computes them.
_PARENTS: dict[str, int] = {}


def _forget() -> None:
    """Start afresh in a forked child, which holds none of its parent's keys."""
    global _HELD
    here = _Hold("", is_task=False)
    _PARENTS.update((hold.name, os.getppid()) for hold in _HELD.lineage(here))
    _HELD = _Held()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
