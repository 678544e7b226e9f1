"""One byte of one lock file for each key, so that processes that share a folder take turns.

It is held as a POSIX record lock: the kernel frees it when its holder dies, it works over NFS, and
nothing piles up however many keys there are. (Lock files, one per key, as lock libraries offer
them, pile up or race when they are removed.) The kernel refuses a lock that would close a circle of
waiting processes. Where there are no locks, everybody goes on without.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import threading
import time
from typing import Any, NamedTuple

import xxhash

from neurotools.memo.entry import Key
from neurotools.memo.watch.health import Health, known_health

log = logging.getLogger(__name__)

#: Seconds between two looks at a lock that cannot be waited for (Windows, coroutines).
POLL_SECONDS = 0.02


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
_FILES_LOCKS: dict[str, threading.Lock] = {}


def _forget() -> None:
    """Have new locks in a forked child: old ones may be held by threads that are not there."""
    # The file descriptors are as good as new: record locks stay with the parent.
    _FILES_LOCKS.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


class FileLock:
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


class _WatchedLock(FileLock):
    """A lock in a place that may hang."""

    def __init__(self, lock: FileLock, health: Health) -> None:
        self._lock, self._health = lock, health

    def free(self) -> None:
        # Waited for: freed later, it could be the lock of the next one of our threads.
        with contextlib.suppress(OSError):
            self._health.run("lock", self._lock.free)


NO_LOCK = FileLock(None, 0)


def file_lock(folder: str | None, key: Key) -> tuple[FileLock, bool]:
    """Wait for a key's lock; return it, held, and whether somebody else held it."""
    if lock := try_file_lock(folder, key):
        return lock, False
    health = _health_of(str(folder))
    if health is None:
        return _waited_for(str(folder), key), True
    return _waited_with_patience(health, str(folder), key), True


def try_file_lock(folder: str | None, key: Key) -> FileLock | None:
    """Return a key's lock, held, or None if another process has it."""
    if folder is None:
        return NO_LOCK
    health = _health_of(folder)
    if health is None:
        return _tried(folder, key)
    try:
        lock = health.run(
            "lock", _tried, folder, key, probe=lambda: _free(_tried(folder, key)), late=_free
        )
    except OSError as error:
        log.info("no lock in %s, going on without it: %s", folder, error)
        return NO_LOCK
    return lock and _WatchedLock(lock, health)


def _health_of(folder: str) -> Health | None:
    """Return the health of the cache that holds a lock folder, if it is to be seen to."""
    health = known_health(os.path.dirname(folder))
    return health if health is not None and health.is_guarded else None


def _free(lock: Any) -> None:
    """Free a lock that came too late."""
    if isinstance(lock, FileLock):
        lock.free()


def _tried(folder: str, key: Key) -> FileLock | None:
    try:
        descriptor, offset = _lock_file(folder), _offset(key)
        return FileLock(descriptor, offset) if _try_lock(descriptor, offset) else None
    except OSError as error:
        log.info("no lock in %s, going on without it: %s", folder, error)
        return NO_LOCK


def _waited_with_patience(health: Health, folder: str, key: Key) -> FileLock:
    """Wait for a key's lock for as long as the place answers at all."""
    try:
        with health.begun(_waited_for, folder, key, late=_free) as task:
            while not task.wait(health.patience):
                health.run("lock", os.stat, folder)
            return _WatchedLock(task.result(), health)
    except OSError as error:
        log.info("no lock in %s, going on without it: %s", folder, error)
        return NO_LOCK


def _waited_for(folder: str, key: Key) -> FileLock:
    try:
        descriptor, offset = _lock_file(folder), _offset(key)
        _wait_lock(descriptor, offset)
        return FileLock(descriptor, offset)
    except OSError as error:  # EDEADLK among them: the circle that the kernel has seen
        log.info("no lock in %s, going on without it: %s", folder, error)
        return NO_LOCK


def _offset(key: Key) -> int:
    # Two keys that share a byte by chance (one in 2**62) merely wait for each other.
    return xxhash.xxh3_64_intdigest(key.path.encode("utf-8", "surrogatepass")) >> 2


def _lock_file(folder: str) -> int:
    """Return the open lock file; it stays open, since closing it would free all our locks."""
    with _lock_of(folder):
        file = _FILES.get(folder)
        if file is None or not file.links():
            _close_removed()
            os.makedirs(folder, mode=0o700, exist_ok=True)
            path = os.path.join(folder, "locks")
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
            facts = os.fstat(descriptor)
            file = _FILES[folder] = _LockFile(descriptor, facts.st_dev, facts.st_ino)
        return file.descriptor


def _lock_of(folder: str) -> threading.Lock:
    """Return what one thread at a time holds to open a lock file: a folder may hang in that."""
    lock = _FILES_LOCKS.get(folder)
    return _FILES_LOCKS.setdefault(folder, threading.Lock()) if lock is None else lock


def _close_removed() -> None:
    """Close lock files that were removed with their caches, so that descriptors do not pile up."""
    for folder, file in list(_FILES.items()):
        if _health_of(folder) is not None:
            continue  # it may hang
        links = file.links()
        if not links:
            closed = _FILES.pop(folder, None)
            if links == 0 and closed is file:
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
            time.sleep(POLL_SECONDS)

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
