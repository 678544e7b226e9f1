"""One computation per key at a time: across threads, and across processes that share a folder.

Across processes a key is one byte of one lock file, held as a POSIX record lock: the kernel frees
it when its holder dies, it works over NFS, and nothing piles up however many keys there are. (Lock
files, one per key, as lock libraries offer them, pile up or race when they are removed.) The kernel
also refuses a lock that would close a circle of waiting processes; among threads of one process the
circle is looked for here. Whoever would wait for ever computes instead: that costs work, never
correctness.
"""

from __future__ import annotations

import contextlib
import enum
import errno
import logging
import os
import threading
import time
from collections.abc import AsyncIterator
from typing import NamedTuple

import xxhash

from neurotools.memo.entry import Key

log = logging.getLogger(__name__)

#: Seconds between two looks at a lock that cannot be waited for (Windows, coroutines).
_POLL_SECONDS = 0.02


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
                await asyncio.sleep(_POLL_SECONDS)
        finally:
            _HELD.stop_waiting(me)
        try:
            while not (lock := _try_file_lock(self.folder if state is _State.HELD else None, key)):
                waited = True
                await asyncio.sleep(_POLL_SECONDS)
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
        self._lock: _FileLock = _NO_LOCK

    def __enter__(self) -> bool:
        self._held, waited = _HELD.acquire(self._name, threading.get_ident())
        if not self._held:
            return waited
        try:
            self._lock, waited_too = _file_lock(self._folder, self._key)
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


class _LockFile(NamedTuple):
    """An open lock file, and which file that is."""

    descriptor: int
    device: int
    inode: int

    def links(self) -> int | None:
        """Return how many names the file has, or None if somebody has closed it."""
        # Programs that become daemons close what they know nothing of: the number may be theirs.
        try:
            facts = os.fstat(self.descriptor)
        except OSError:
            return None
        is_ours = (facts.st_dev, facts.st_ino) == (self.device, self.inode)
        return facts.st_nlink if is_ours else None


_FILES: dict[str, _LockFile] = {}
_FILES_LOCK = threading.Lock()


def _forget() -> None:
    """Start afresh in a forked child, which holds none of its parent's locks."""
    # A fork copies locks that other threads held: only new ones are sure to be free. The file
    # descriptors themselves are as good as new: record locks stay with the parent.
    global _HELD, _FILES_LOCK
    _HELD, _FILES_LOCK = _Held(), threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


class _FileLock:
    """A key's byte of a lock file, or nothing where there are no locks; freed on leaving."""

    def __init__(self, descriptor: int | None, offset: int) -> None:
        self._descriptor, self._offset = descriptor, offset

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self.free()

    def free(self) -> None:
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                _unlock(self._descriptor, self._offset)


_NO_LOCK = _FileLock(None, 0)


def _file_lock(folder: str | None, key: Key) -> tuple[_FileLock, bool]:
    """Wait for a key's lock; return it, held, and whether somebody else held it."""
    if lock := _try_file_lock(folder, key):
        return lock, False
    return _wait_file_lock(str(folder), key), True


def _try_file_lock(folder: str | None, key: Key) -> _FileLock | None:
    """Return a key's lock, held, or None if another process has it."""
    if folder is None:
        return _NO_LOCK
    try:
        descriptor, offset = _lock_file(folder), _offset(key)
        return _FileLock(descriptor, offset) if _try_lock(descriptor, offset) else None
    except OSError as error:
        log.info("no lock in %s, going on without it: %s", folder, error)
        return _NO_LOCK


def _wait_file_lock(folder: str, key: Key) -> _FileLock:
    try:
        descriptor, offset = _lock_file(folder), _offset(key)
        _wait_lock(descriptor, offset)
        return _FileLock(descriptor, offset)
    except OSError as error:  # EDEADLK among them: the circle that the kernel has seen
        log.info("no lock in %s, going on without it: %s", folder, error)
        return _NO_LOCK


def _offset(key: Key) -> int:
    # Two keys that share a byte by chance (one in 2**62) merely wait for each other.
    return xxhash.xxh3_64_intdigest(key.path.encode("utf-8", "surrogatepass")) >> 2


def _lock_file(folder: str) -> int:
    """Return the open lock file; it stays open, since closing it would free all our locks."""
    with _FILES_LOCK:
        file = _FILES.get(folder)
        if file is None or not file.links():
            _close_removed()
            os.makedirs(folder, mode=0o700, exist_ok=True)
            path = os.path.join(folder, "locks")
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
            facts = os.fstat(descriptor)
            file = _FILES[folder] = _LockFile(descriptor, facts.st_dev, facts.st_ino)
        return file.descriptor


def _close_removed() -> None:
    """Close lock files that were removed with their caches, so that descriptors do not pile up."""
    for folder, file in list(_FILES.items()):
        links = file.links()
        if not links:
            del _FILES[folder]
        if links == 0:
            os.close(file.descriptor)


try:
    import fcntl
except ImportError:  # Windows
    import msvcrt

    def _try_lock(descriptor: int, offset: int) -> bool:
        os.lseek(descriptor, offset, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True

    def _wait_lock(descriptor: int, offset: int) -> None:
        while not _try_lock(descriptor, offset):
            time.sleep(_POLL_SECONDS)

    def _unlock(descriptor: int, offset: int) -> None:
        os.lseek(descriptor, offset, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined]

else:

    def _try_lock(descriptor: int, offset: int) -> bool:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, offset)
        except OSError as error:
            if error.errno in {errno.EACCES, errno.EAGAIN}:
                return False
            raise
        return True

    def _wait_lock(descriptor: int, offset: int) -> None:
        fcntl.lockf(descriptor, fcntl.LOCK_EX, 1, offset)

    def _unlock(descriptor: int, offset: int) -> None:
        fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, offset)
