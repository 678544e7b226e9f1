"""The one lock file of each cache: opened safely, kept open while needed, its bytes locked.

Locks are POSIX record locks: the kernel frees them when their holder dies, they work over NFS, and
nothing piles up however many there are. (Lock files, one per key, as lock libraries offer them,
pile up or race when they are removed.) To close the file would be to free all locks of a process
in it. Not here: which byte is a key's, and waiting (`locks`).
"""

from __future__ import annotations

import errno
import functools
import os
import stat
import struct
import sys
import threading
import time

from neurotools.memo.watch.health import Health, known_health

#: Seconds between two looks at a lock that cannot be waited for (Windows, coroutines, ancestors).
POLL_SECONDS = 0.02
#: Bytes from here on are no key's.
BEYOND = 1 << 62
#: Lock files without a lock in them that stay open, so that descriptors do not pile up.
_MOST_IDLE = 16


class LockFile:
    """An open lock file, which file that is, and how many locks of ours are in it."""

    __slots__ = ("descriptor", "device", "inode", "users")

    def __init__(self, descriptor: int, facts: os.stat_result) -> None:
        self.descriptor, self.device, self.inode = descriptor, facts.st_dev, facts.st_ino
        self.users = 0

    def links(self) -> int | None:
        """Return how many names the file has, or None if somebody has closed it."""
        # Programs that become daemons close what they know nothing of: the number may be theirs.
        try:
            facts = os.fstat(self.descriptor)
        except OSError:
            return None
        is_ours = (facts.st_dev, facts.st_ino) == (self.device, self.inode)
        return facts.st_nlink if is_ours else None

    def leave(self) -> None:
        """Say that one lock less is in it."""
        with _COUNTING:
            self.users = max(0, self.users - 1)


_FILES: dict[str, LockFile] = {}
# A signal handler, or what is run when an object goes, may call a memoized function meanwhile.
_FILES_LOCKS: dict[str, threading.RLock] = {}  # type: ignore[valid-type, unused-ignore]
_COUNTING = threading.RLock()


def _forget() -> None:
    """Have new locks in a forked child: old ones may be held by threads that are not there."""
    # The file descriptors are as good as new: record locks stay with the parent.
    global _COUNTING
    _FILES_LOCKS.clear()
    _COUNTING = threading.RLock()
    for file in _FILES.values():
        file.users = 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def opened(folder: str) -> LockFile:
    """Return a folder's open lock file, for one more lock.

    Raises
    ------
    OSError
        If there is none to be had.
    """
    file = _counted(folder)
    if file is not None:
        if file.links():
            return file
        file.leave()
    with _lock_of(folder):
        file = _FILES.get(folder)
        if file is None or not file.links():
            _close_idle()
            _make(folder)
            file = _FILES[folder] = _open(folder)
        with _COUNTING:
            file.users += 1
        return file


def _counted(folder: str) -> LockFile | None:
    """Return a folder's lock file, if it is open: mostly it is, and there is nothing to wait for.

    It counts as used before anybody looks at it: so nobody closes it meanwhile.
    """
    with _COUNTING:
        file = _FILES.get(folder)
        if file is not None:
            file.users += 1
        return file


def health_of(folder: str) -> Health | None:
    """Return the health of the cache that holds a lock folder, if it is to be seen to."""
    health = known_health(_above(folder))
    return health if health is not None and health.is_guarded else None


_above = functools.lru_cache(maxsize=64)(os.path.dirname)


def _lock_of(folder: str) -> threading.RLock:  # type: ignore[valid-type, unused-ignore]
    """Return what one thread at a time holds to open a lock file: a folder may hang in that."""
    lock = _FILES_LOCKS.get(folder)
    return _FILES_LOCKS.setdefault(folder, threading.RLock()) if lock is None else lock


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


#: How files are opened that are there for locks alone.
OPEN = (
    os.O_RDWR
    | os.O_CREAT
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
)


def _open(folder: str) -> LockFile:
    """Open a folder's lock file, which is shared with a group where the folder is.

    Raises
    ------
    OSError
        If there is something else, or a file with which anybody could keep us waiting for ever.
    """
    path = os.path.join(folder, "locks")
    descriptor = os.open(path, OPEN, 0o600)
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
    return LockFile(descriptor, facts)


def _close_idle() -> None:
    """Close lock files that were removed with their caches, and some that nobody uses."""
    with _COUNTING:
        files = list(_FILES.items())
        # One file may have two names: to close either would free the locks of both.
        used = {(file.device, file.inode) for _, file in files if file.users}
        idle = [(name, file) for name, file in files if (file.device, file.inode) not in used]
        many = len(idle) >= _MOST_IDLE
        for folder, file in idle:
            if health_of(folder) is not None:
                continue  # it may hang
            links = file.links()
            if (many or not links) and _FILES.pop(folder, None) is file and links is not None:
                os.close(file.descriptor)


try:
    import fcntl
except ImportError:  # Windows
    import msvcrt

    def try_lock(descriptor: int, offset: int) -> bool:
        """Lock a byte, unless another process has it; tell whether it is ours."""
        os.lseek(descriptor, offset, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True

    def wait_lock(descriptor: int, offset: int) -> None:
        """Wait for a byte, and lock it."""
        while not try_lock(descriptor, offset):
            time.sleep(POLL_SECONDS)

    def unlock(descriptor: int, offset: int) -> None:
        """Free a byte."""
        os.lseek(descriptor, offset, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined]

    def holder(descriptor: int, offset: int) -> int:  # noqa: ARG001 - nobody tells
        """Return the process that has a byte, or 0 if none has or nobody can tell."""
        return 0

else:

    def try_lock(descriptor: int, offset: int) -> bool:
        """Lock a byte, unless another process has it; tell whether it is ours."""
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, offset)
        except OSError as error:
            if error.errno in {errno.EACCES, errno.EAGAIN}:
                return False
            raise
        return True

    def wait_lock(descriptor: int, offset: int) -> None:
        """Wait for a byte, and lock it."""
        fcntl.lockf(descriptor, fcntl.LOCK_EX, 1, offset)

    def unlock(descriptor: int, offset: int) -> None:
        """Free a byte."""
        fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, offset)

    #: The kernel's ``struct flock``: type, whence, start, length, process; or the last three first.
    _FLOCK = struct.Struct("hhqqi4x" if sys.platform == "linux" else "qqihh")

    def holder(descriptor: int, offset: int) -> int:
        """Return the process that has a byte, or 0 if none has or nobody can tell."""
        wanted = {"linux": (fcntl.F_WRLCK, os.SEEK_SET, offset, 1, 0)}
        others = (offset, 1, 0, fcntl.F_WRLCK, os.SEEK_SET)
        ask = _FLOCK.pack(*wanted.get(sys.platform, others))
        try:
            facts = _FLOCK.unpack(fcntl.fcntl(descriptor, fcntl.F_GETLK, ask))
        except (OSError, struct.error):
            return 0
        kind, process = (facts[0], facts[4]) if sys.platform == "linux" else (facts[3], facts[2])
        return 0 if kind == fcntl.F_UNLCK else int(process)
