"""One byte of one lock file for each key, so that processes that share a folder take turns.

It is held as a POSIX record lock: the kernel frees it when its holder dies, it works over NFS, and
nothing piles up however many keys there are. (Lock files, one per key, as lock libraries offer
them, pile up or race when they are removed.) The kernel refuses a lock that would close a circle of
waiting processes; a process that was started by a computation is not one it knows of, and looks
after itself. Where there are no locks, everybody goes on without.
"""

from __future__ import annotations

import contextlib
import errno
import os
import struct
import sys
import threading
import time
from collections.abc import Callable

import xxhash

from neurotools.memo import careful
from neurotools.memo.entry import Key
from neurotools.memo.standstill import ProcessWatch, ancestors

log = careful.logger(__name__)

#: Seconds between two looks at a lock that cannot be waited for (Windows, coroutines, ancestors).
POLL_SECONDS = 0.02
#: Lock files without a lock in them that stay open, so that descriptors do not pile up.
_MOST_IDLE = 16
#: Processes whose ancestor computes, and waits for them, take turns at a byte beyond all others.
_BEYOND = 1 << 62


class _LockFile:
    """An open lock file, which file that is, and how many locks of ours are in it."""

    __slots__ = ("descriptor", "device", "inode", "users")

    def __init__(self, descriptor: int) -> None:
        facts = os.fstat(descriptor)
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


_FILES: dict[str, _LockFile] = {}
# A signal handler, or what is run when an object goes, may call a memoized function meanwhile.
_FILES_LOCK = threading.RLock()


def _forget() -> None:
    """Have a new lock in a forked child: the old one may be held by a thread that is not there."""
    # The file descriptors are as good as new: record locks stay with the parent.
    global _FILES_LOCK
    _FILES_LOCK = threading.RLock()
    for file in _FILES.values():
        file.users = 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


class FileLock:
    """A key's byte of a lock file, or nothing where there are no locks.

    Parameters
    ----------
    folder : str or None
        Holds the lock file; None for no lock.
    key : Key
        What it is about.
    """

    __slots__ = ("_above", "_file", "_folder", "_offset", "_watch")

    def __init__(self, folder: str | None, key: Key) -> None:
        # Two keys that share a byte by chance (one in 2**62) merely wait for each other.
        name = key.path.encode("utf-8", "surrogatepass")
        self._folder, self._offset = folder, xxhash.xxh3_64_intdigest(name) >> 2
        self._file: _LockFile | None = None
        self._above: set[int] | None = None
        self._watch: ProcessWatch | None = None

    def try_take(self) -> bool:
        """Take it if no other process has it; tell whether to go on."""
        if self._folder is None:
            return True
        try:
            if self._file is None:
                self._file = _opened(self._folder)
            return _try_lock(self._file.descriptor, self._offset)
        except OSError as error:
            _raise_if_not_ours(error)
            self.go_without(error)
            return True

    def try_again(self, parent: int = 0) -> bool:
        """Take it as `try_take` does, but do not wait for a process that waits for us.

        Parameters
        ----------
        parent : int
            The process whose computation of this very key we are a part of.
        """
        if self.try_take() or self._file is None:
            return True
        holder = _holder(self._file.descriptor, self._offset)
        if self._above is None:
            self._above = ancestors()
        if not holder or not (holder == parent or holder in self._above):
            self._watch = None
            return False
        if self._watch is None or self._watch.process != holder:
            self._watch = ProcessWatch(holder)
        if holder != parent and not self._watch.stands():
            return False
        if self._offset & _BEYOND:
            self.go_without(f"process {holder} seems to wait for us")
            return True
        self._offset |= _BEYOND
        return self.try_again(parent)

    def take(self, parent: int, *, nested: bool, hopeless: Callable[[], bool]) -> None:
        """Wait for it.

        Parameters
        ----------
        parent : int
            As for `try_again`.
        nested : bool
            Whether the caller holds another key.
        hopeless : function
            Asked now and then, where waiting may be for ever, whether it is.
        """
        polls = False
        while not self.try_again(parent):
            if self._watch is None and not polls:
                polls = not self._wait(nested=nested)
            elif polls and hopeless():
                self.go_without("a computation of ours waits for this one")
            else:
                time.sleep(POLL_SECONDS)

    def _wait(self, *, nested: bool) -> bool:
        """Let the kernel wait for it; tell whether it does."""
        if self._file is not None:
            try:
                _wait_lock(self._file.descriptor, self._offset)
            except OSError as error:
                _raise_if_not_ours(error)
                # The kernel looks at processes: other threads of ours may close its circle.
                if error.errno == errno.EDEADLK and not nested:
                    return False
                self.go_without(error)
        return True

    def go_without(self, reason: object) -> None:
        """Compute without a lock."""
        log.info("no lock in %s, going on without it: %s", self._folder, reason)
        self.free()
        self._folder = None

    def free(self) -> None:
        """Give it back, if it was taken; may be called again."""
        file = self._file
        if file is None:
            return
        with contextlib.suppress(OSError):
            _unlock(file.descriptor, self._offset)
        self._file = None
        with _FILES_LOCK:
            file.users = max(0, file.users - 1)


def _raise_if_not_ours(error: OSError) -> None:
    # A handler of signals may raise a TimeoutError, which is one of these.
    if careful.is_meant_to_end(error):
        raise error


def _opened(folder: str) -> _LockFile:
    """Return the open lock file, for one more lock; to close it would be to free all of ours."""
    with _FILES_LOCK:
        file = _FILES.get(folder)
        if file is None or not file.links():
            _close_idle()
            os.makedirs(folder, mode=0o700, exist_ok=True)
            path = os.path.join(folder, "locks")
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
            file = _FILES[folder] = _LockFile(os.open(path, flags, 0o600))
        file.users += 1
        return file


def _close_idle() -> None:
    """Close lock files that were removed with their caches, and some that nobody uses."""
    # One file may have two names: to close either would free the locks of both.
    used = {(file.device, file.inode) for file in _FILES.values() if file.users}
    idle = [name for name, file in _FILES.items() if (file.device, file.inode) not in used]
    many = len(idle) >= _MOST_IDLE
    for folder in idle:
        links = _FILES[folder].links()
        if many or not links:
            file = _FILES.pop(folder)
            if links is not None:
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

    def _holder(descriptor: int, offset: int) -> int:  # noqa: ARG001 - nobody tells
        return 0

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

    #: The kernel's ``struct flock``: type, whence, start, length, process; or the last three first.
    _FLOCK = struct.Struct("hhqqi4x" if sys.platform == "linux" else "qqihh")

    def _holder(descriptor: int, offset: int) -> int:
        """Return the process that has a lock, or 0 if none has or nobody can tell."""
        wanted = {"linux": (fcntl.F_WRLCK, os.SEEK_SET, offset, 1, 0)}
        others = (offset, 1, 0, fcntl.F_WRLCK, os.SEEK_SET)
        ask = _FLOCK.pack(*wanted.get(sys.platform, others))
        try:
            facts = _FLOCK.unpack(fcntl.fcntl(descriptor, fcntl.F_GETLK, ask))
        except (OSError, struct.error):
            return 0
        kind, process = (facts[0], facts[4]) if sys.platform == "linux" else (facts[3], facts[2])
        return 0 if kind == fcntl.F_UNLCK else int(process)
