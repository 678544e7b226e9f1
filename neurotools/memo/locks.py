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
from typing import NamedTuple

import xxhash

from neurotools.memo.entry import Key

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
_FILES_LOCK = threading.Lock()


def _forget() -> None:
    """Have a new lock in a forked child: the old one may be held by a thread that is not there."""
    # The file descriptors are as good as new: record locks stay with the parent.
    global _FILES_LOCK
    _FILES_LOCK = threading.Lock()


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


NO_LOCK = FileLock(None, 0)


def file_lock(folder: str | None, key: Key) -> tuple[FileLock, bool]:
    """Wait for a key's lock; return it, held, and whether somebody else held it."""
    if lock := try_file_lock(folder, key):
        return lock, False
    return _waited_for(str(folder), key), True


def try_file_lock(folder: str | None, key: Key) -> FileLock | None:
    """Return a key's lock, held, or None if another process has it."""
    if folder is None:
        return NO_LOCK
    try:
        descriptor, offset = _lock_file(folder), _offset(key)
        return FileLock(descriptor, offset) if _try_lock(descriptor, offset) else None
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
