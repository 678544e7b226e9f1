"""One computation per key at a time: across threads, and across processes that share a folder.

Across processes a key is a lock in a file (`neurotools.memo.locks`), where the kernel refuses to
close a circle of waiting processes; among threads of one process the circle is looked for here.
Whoever would wait for ever computes instead: that costs work, never correctness.
"""

from __future__ import annotations

import contextlib
import enum
import os
import threading
from collections.abc import AsyncIterator

from neurotools.memo.entry import Key
from neurotools.memo.locks import NO_LOCK, POLL_SECONDS, FileLock, file_lock, try_file_lock


class Flight:
    """Computations under way.

    Parameters
    ----------
    folder : str or None
        Holds the lock file that other processes see; None for this process alone.
    """

    def __init__(self, folder: str | None) -> None:
        self.folder = folder

    def alone(self, key: Key) -> _Alone:
        """Hold a key while computing it, in a ``with`` statement.

        It gives whether somebody else held the key meanwhile, so that a result may be there now.
        """
        return _Alone(self.folder, key)

    @contextlib.asynccontextmanager
    async def alone_async(self, key: Key) -> AsyncIterator[bool]:
        """Hold a key as `alone` does, letting other coroutines run while waiting."""
        import asyncio  # 30 ms to load, for coroutines only

        try:
            me = id(asyncio.current_task())
        except RuntimeError:  # another event loop than asyncio's: it has no tasks to wait for
            yield False
            return
        name, waited = f"{self.folder}\0{key.path}", False
        try:
            while (state := _HELD.attempt(name, me)) is _State.TAKEN:
                waited = True
                await asyncio.sleep(POLL_SECONDS)
        finally:
            _HELD.stop_waiting(me)
        try:
            while not (lock := try_file_lock(self.folder if state is _State.HELD else None, key)):
                waited = True
                await asyncio.sleep(POLL_SECONDS)
            with lock:
                yield waited
        finally:
            if state is _State.HELD:
                _HELD.release(name)


class _Alone:
    """A key, held while the block runs; a class, since a generator takes twice the time."""

    __slots__ = ("_folder", "_held", "_key", "_lock", "_name")

    def __init__(self, folder: str | None, key: Key) -> None:
        self._folder, self._key = folder, key
        self._name = f"{folder}\0{key.path}"
        self._lock: FileLock = NO_LOCK

    def __enter__(self) -> bool:
        self._held, waited = _HELD.acquire(self._name, threading.get_ident())
        if not self._held:
            return waited
        try:
            self._lock, waited_too = file_lock(self._folder, self._key)
        except BaseException:
            _HELD.release(self._name)
            raise
        return waited or waited_too

    def __exit__(self, *_: object) -> None:
        try:
            self._lock.free()
        finally:
            if self._held:
                _HELD.release(self._name)


class _State(enum.Enum):
    HELD = "ours now"
    TAKEN = "somebody else's"
    CIRCLE = "held by whoever waits for us"


class _Held:
    """Keys held by the threads and tasks of this process, and who waits for which."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.RLock())
        self._owner: dict[str, int] = {}
        self._waits: dict[int, str] = {}

    def attempt(self, name: str, me: int) -> _State:
        """Take a key if it is free; otherwise note that we wait for it, unless that is hopeless."""
        with self._changed:
            if name not in self._owner:
                self._owner[name] = me
                return _State.HELD
            if self._closes_circle(name, me):
                return _State.CIRCLE
            self._waits[me] = name
            return _State.TAKEN

    def acquire(self, name: str, me: int) -> tuple[bool, bool]:
        """Wait for a key; return whether it is ours now, and whether we waited."""
        waited = False
        with self._changed:
            if name not in self._owner:
                self._owner[name] = me
                return True, False
            try:
                while (state := self.attempt(name, me)) is _State.TAKEN:
                    waited = True
                    self._changed.wait()
            finally:
                self.stop_waiting(me)
        return state is _State.HELD, waited

    def stop_waiting(self, me: int) -> None:
        with self._changed:
            self._waits.pop(me, None)

    def _closes_circle(self, name: str, me: int) -> bool:
        owner = self._owner.get(name)
        while owner is not None:
            if owner == me:
                return True
            owner = self._owner.get(self._waits.get(owner, ""))
        return False

    def release(self, name: str) -> None:
        with self._changed:
            self._owner.pop(name, None)
            self._changed.notify_all()


_HELD = _Held()


def _forget() -> None:
    """Start afresh in a forked child, which holds none of its parent's keys."""
    global _HELD
    _HELD = _Held()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
