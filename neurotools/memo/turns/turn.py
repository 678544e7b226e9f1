"""A key, held by one computation: across threads and tasks, processes and computers.

Among the threads and tasks of this process, a key is held (`held`). Among processes it is a lock in
a file (`locks`), where the kernel refuses to close a circle of waiting processes. Among computers
that share no such file, it is a mark in a tier that they share (`leases`). Whoever would wait for
ever computes instead: that costs work, never correctness.
"""

from __future__ import annotations

import functools
import os
import time
from typing import TYPE_CHECKING, Any

from neurotools.memo.entry import Key
from neurotools.memo.errors import Busy
from neurotools.memo.locking.held import HOLDING, Held, Hold, Patrol
from neurotools.memo.locking.lockfiles import POLL_SECONDS
from neurotools.memo.locking.locks import FileLock

if TYPE_CHECKING:
    from neurotools.memo.locking.standstill import ThreadWatch
    from neurotools.memo.turns.flight import Flight
    from neurotools.memo.turns.lease import Lease

#: A task that holds a key waits so long for another process: the kernel does not see its circles.
_NESTED_TASK_SECONDS = 10.0


class _Turn:
    """What one has while one has a key; whoever loses it has no key any more."""

    __slots__ = ("_before", "_hold", "_is_free", "_key", "_lease", "_lock", "_on_busy")

    is_task = False

    def __init__(self, flight: Flight, key: Key) -> None:
        self._is_free = True
        self._before: tuple[Hold, ...] | None = None
        self._lease: Lease | None = None
        self._key, self._on_busy = key, flight.on_busy
        self._lock = FileLock(flight.folder, key)
        self._hold = Hold(f"{flight.folder}\0{key.path}", is_task=self.is_task)
        if flight.leases is not None:
            # Not our method: who beats for the lease would keep us alive.
            self._lease = flight.leases.of(key, functools.partial(_asked, self._hold))

    def free(self) -> None:
        """Give the key back, if it is held; may be called again."""
        if self._is_free:
            return
        if self._before is not None:
            HOLDING.set(self._before)
            self._before = None
        try:
            if self._lease is not None:
                self._free_lease(self._lease)
        finally:
            self._free_here()
        self._is_free = True  # not before: after an interrupt it is freed once more

    def _free_lease(self, lease: Lease) -> None:
        lease.free()

    def _free_here(self) -> None:
        self._lock.free()
        _HELD.release(self._hold)

    def __del__(self) -> None:
        # After interrupts in quick succession: nobody else would do it.
        if self._is_free:
            return
        if self._lease is not None:
            self._lease.free_later()
        self._free_here()

    def _enter_context(self) -> None:
        self._before = HOLDING.get()
        HOLDING.set((*self._before, self._hold))

    def _taken_here(self, holder: Hold | None) -> dict[str, Any]:
        """Try to take the key from the others of this computer; return what is known of who has it.

        Parameters
        ----------
        holder : Hold or None
            Who has it in this process; None where he waits for us.
        """
        if holder is None:
            return {}
        if holder is not self._hold:
            _HELD.stop_waiting(self._hold)
            return {"process": os.getpid(), "thread": holder.thread}
        self._enter_context()
        return {} if self._lock.try_take() else {"process": self._lock.holder()}

    def _is_left_to(self, facts: dict[str, Any] | None) -> bool:
        """Tell whether the key is left to somebody, of whom this is known.

        Raises
        ------
        Busy
            If that is to be told.
        """
        if not facts:
            return False
        self.free()
        if self._on_busy == "compute":
            return True
        from neurotools.memo.turns.holders import told  # few ask for it

        raise Busy(self._key.function.replace("/", "."), facts, told(facts))


class Alone(_Turn):
    """A key, held while the block runs; a class, since a generator takes twice the time."""

    __slots__ = ()

    def __enter__(self) -> bool:
        hold, lock, self._is_free = self._hold, self._lock, False
        try:
            if self._on_busy != "wait":
                facts = self._taken_here(_HELD.attempt(hold))
                if self._lease is not None and not facts and _HELD.has(hold):
                    facts = self._lease.try_once(has_lock=lock.is_held) or {}
                return self._is_left_to(facts)
            # Mostly it is free, and nothing has to be made for waiting.
            holder = _HELD.attempt(hold)
            waited = holder is not hold and holder is not None
            if waited:
                _HELD.wait_for_turn(hold)
            if holder is hold or _HELD.has(hold):
                self._enter_context()
                if not lock.try_take():
                    waited = True
                    self._wait_for_lock()
                if self._lease is not None:
                    waited = self._take_lease(self._lease, waited=waited)
        except BaseException:
            self.free()
            raise
        return waited

    def _wait_for_lock(self) -> None:
        hold, lease = self._hold, self._lease
        with _HELD.waiting_elsewhere(hold) as lineage:
            parent = _PARENTS.get(hold.name, 0)
            gone = None if lease is None else lease.backs_lock(_paths_of(lineage))
            hopeless = Patrol(_HELD, hold).finds_one
            self._lock.take(parent, nested=bool(lineage), hopeless=hopeless, gone=gone)
        if lease is not None:
            lease.freshen()

    def _take_lease(self, lease: Lease, *, waited: bool) -> bool:
        with _HELD.waiting_elsewhere(self._hold) as lineage:
            return lease.take(_paths_of(lineage), has_lock=self._lock.is_held, waited=waited)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self._lease is not None:
            self._lease.leave()
        self.free()


class AloneAsync(_Turn):
    """A key, held by a task while the block runs."""

    __slots__ = ()

    is_task = True

    def _free_lease(self, lease: Lease) -> None:
        lease.free_later()  # the event loop is not to wait

    async def __aenter__(self) -> bool:
        import asyncio  # 30 ms to load, for coroutines only

        try:
            asyncio.current_task()
        except RuntimeError:  # another event loop than asyncio's: it has no tasks to wait for
            return False
        hold, waited, self._is_free = self._hold, False, False
        try:
            if self._on_busy != "wait":
                return await self._try_to_take()
            watch: ThreadWatch | None = None
            while (holder := _HELD.attempt(hold)) not in {hold, None}:
                waited = True
                watch = _HELD.watched(hold, holder, watch)
                await asyncio.sleep(POLL_SECONDS)
            _HELD.stop_waiting(hold)
            if holder is hold:
                self._enter_context()
                waited = await self._take_outside(waited=waited)
        except BaseException:
            self.free()
            raise
        return waited

    async def _try_to_take(self) -> bool:
        """Take the key unless somebody has it; tell whether it is left to him."""
        import asyncio

        facts: dict[str, Any] | None = self._taken_here(_HELD.attempt(self._hold))
        if self._lease is not None and not facts and _HELD.has(self._hold):
            facts = await asyncio.to_thread(self._lease.try_once, has_lock=self._lock.is_held)
        return self._is_left_to(facts)

    async def _take_outside(self, *, waited: bool) -> bool:
        """Take the key from other processes and computers; return whether we waited."""
        import asyncio

        lease = self._lease
        with _HELD.waiting_elsewhere(self._hold) as lineage:
            gone = None if lease is None else lease.backs_lock(_paths_of(lineage))
            ends = time.monotonic() + _NESTED_TASK_SECONDS
            while not self._lock.try_again(_PARENTS.get(self._hold.name, 0)):
                waited = True
                if time.monotonic() > ends and lineage:
                    self._lock.go_without("it is asked for within another computation")
                    break
                if gone is not None and gone.is_due and await asyncio.to_thread(gone):
                    self._lock.go_without("who holds it gives no sign of life")
                    break
                await asyncio.sleep(POLL_SECONDS)
            if lease is not None:
                ours, has_lock = _paths_of(lineage), self._lock.is_held
                steps = lease.attempts(ours, has_lock=has_lock, waited=waited)
                while (pause := await asyncio.to_thread(next, steps, None)) is not None:
                    waited = True
                    await asyncio.sleep(pause)
        return waited

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._lease is not None:
            import asyncio

            if kind is None:
                self._lease.leave()
            # The key is given to others of this computer only after that, as `free` does it.
            await asyncio.to_thread(self._lease.free)
        self.free()


def _asked(me: Hold) -> list[str]:
    """Return the paths of the keys that a computation waits for."""
    return _paths(_HELD.asked_by(me))


def _paths(names: list[str]) -> list[str]:
    """Return the paths of keys, given the names of their holds."""
    return [name.partition("\0")[2] for name in names]


def _paths_of(holds: list[Hold]) -> list[str]:
    return _paths([hold.name for hold in holds])


_HELD = Held()
#: The keys whose computation has forked this process, and the process that computes them.
_PARENTS: dict[str, int] = {}


def _forget() -> None:
    """Start afresh in a forked child, which holds none of its parent's keys."""
    global _HELD
    here = Hold("", is_task=False)
    _PARENTS.update((hold.name, os.getppid()) for hold in _HELD.lineage(here))
    _HELD = Held()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
