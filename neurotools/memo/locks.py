"""One byte of one lock file for each key, so that processes that share a folder take turns.

It is held as a POSIX record lock: the kernel frees it when its holder dies, it works over NFS, and
nothing piles up however many keys there are. (Lock files, one per key, as lock libraries offer
them, pile up or race when they are removed.) The kernel refuses a lock that would close a circle of
waiting processes. Where there are no locks, everybody goes on without. A process that writes holds
a byte of its own for as long as it lives: neither clocks nor process numbers tell that so well.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import threading
import time
from typing import Any, NamedTuple

import xxhash

from neurotools.memo.entry import Key
from neurotools.memo.log import Log
from neurotools.memo.watch.health import Health, known_health

log = Log(__name__)

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
#: The byte of this process in the lock file of each folder where it writes.
_LIVES: dict[str, int] = {}


def _forget() -> None:
    """Have new locks in a forked child: old ones may be held by threads that are not there."""
    # The file descriptors are as good as new: record locks stay with the parent.
    _FILES_LOCKS.clear()
    _LIVES.clear()


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


def hold_for_life(folder: str, process: str) -> None:
    """Show other processes that this one lives, until it ends, however it does."""
    _LIVES[folder] = _offset_of_process(process)
    with contextlib.suppress(OSError):
        _try_lock(_lock_file(folder), _LIVES[folder])


def is_alive(folder: str, process: str) -> bool | None:
    """Return whether another process shows that it lives, None where that cannot be seen."""
    try:
        descriptor, offset = _lock_file(folder), _offset_of_process(process)
        if not _try_lock(descriptor, offset):
            return True
        _unlock(descriptor, offset)
    except OSError:
        return None
    return False


def _offset_of_process(process: str) -> int:
    # Behind those of all keys.
    return (1 << 62) + (xxhash.xxh3_64_intdigest(process.encode("utf-8", "surrogatepass")) >> 2)


def _offset(key: Key) -> int:
    # Two keys that share a byte by chance (one in 2**62) merely wait for each other.
    return xxhash.xxh3_64_intdigest(key.path.encode("utf-8", "surrogatepass")) >> 2


def _lock_file(folder: str) -> int:
    """Return the open lock file; it stays open, since closing it would free all our locks."""
    with _lock_of(folder):
        file = _FILES.get(folder)
        if file is None or not file.links():
            _close_removed()
            _make(folder)
            descriptor, facts = _opened(folder)
            file = _FILES[folder] = _LockFile(descriptor, facts.st_dev, facts.st_ino)
            if folder in _LIVES:
                _try_lock(descriptor, _LIVES[folder])
        return file.descriptor


def _make(folder: str) -> None:
    """Make the folder of a lock file, shared with a group where the folder above is.

    Raises
    ------
    OSError
        If it cannot be made, or is a symbolic link that somebody else has made.
    """
    above = os.path.dirname(folder)
    os.makedirs(above, mode=0o700, exist_ok=True)
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        facts = os.lstat(folder)
        if stat.S_ISLNK(facts.st_mode) and not _is_ours(facts):
            reason = f"user {facts.st_uid} made this symbolic link"
            raise OSError(errno.EPERM, reason, folder) from None
    else:
        wanted = 0o2770 if _is_shared(above) else 0o700
        if stat.S_IMODE(os.stat(folder).st_mode) != wanted and hasattr(os, "geteuid"):
            os.chmod(folder, wanted)


def _is_ours(facts: os.stat_result) -> bool:
    return not hasattr(os, "geteuid") or facts.st_uid in {os.geteuid(), 0}


def _is_shared(folder: str) -> bool:
    """Tell whether a group may write to a folder, and to what is made in it."""
    mode = os.stat(folder).st_mode
    return bool(mode & stat.S_ISGID and mode & stat.S_IWGRP)


_OPEN = (
    os.O_RDWR
    | os.O_CREAT
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
)


def _opened(folder: str) -> tuple[int, os.stat_result]:
    """Open a folder's lock file, which is shared with a group where the folder is.

    Raises
    ------
    OSError
        If there is something else, or a file with which anybody could keep us waiting for ever.
    """
    path = os.path.join(folder, "locks")
    descriptor = os.open(path, _OPEN, 0o600)
    try:
        facts = os.fstat(descriptor)
        mode = facts.st_mode
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "it is no regular file", path)
        if not _is_ours(facts) and mode & stat.S_IWOTH:
            raise OSError(errno.EPERM, f"user {facts.st_uid} lets everybody write to it", path)
        wanted = 0o660 if _is_shared(folder) else 0o600
        if mode & wanted != wanted and hasattr(os, "fchmod") and _is_ours(facts):
            os.fchmod(descriptor, wanted)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, facts


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
