"""One byte of a cache's lock file for each key, so that processes that share it take turns.

The kernel refuses a lock that would close a circle of waiting processes. A process that was started
by a computation is not one it knows of, and looks after itself. Where there are no locks, or the
place of the file does not answer, everybody goes on without.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import xxhash

from neurotools.memo import careful
from neurotools.memo.entry import Key
from neurotools.memo.locking.lockfiles import (
    BEYOND,
    POLL_SECONDS,
    LockFile,
    health_of,
    holder,
    opened,
    try_lock,
    unlock,
    wait_lock,
)
from neurotools.memo.log import Log

if TYPE_CHECKING:
    from neurotools.memo.locking.standstill import ProcessWatch

log = Log(__name__)


class FileLock:
    """A key's byte of a lock file, or nothing where there are no locks.

    Parameters
    ----------
    folder : str or None
        Holds the lock file; None for no lock.
    key : Key
        What it is about.
    """

    __slots__ = ("_above", "_file", "_folder", "_health", "_offset", "_watch")

    def __init__(self, folder: str | None, key: Key) -> None:
        # Two keys that share a byte by chance (one in 2**62) merely wait for each other.
        name = key.path.encode("utf-8", "surrogatepass")
        self._folder, self._offset = folder, xxhash.xxh3_64_intdigest(name) >> 2
        self._health = None if folder is None else health_of(folder)
        self._file: LockFile | None = None
        self._above: set[int] | None = None
        self._watch: ProcessWatch | None = None

    def try_take(self) -> bool:
        """Take it if no other process has it; tell whether to go on."""
        if self._folder is None:
            return True
        try:
            if self._health is None:
                file = self._file = self._file or opened(self._folder)
                return try_lock(file.descriptor, self._offset)
            tried = self._file, self._folder, self._offset
            self._file, taken = self._health.run("lock", _tried, *tried, late=self._freed_late)
        except OSError as error:
            _raise_if_not_ours(error)
            self.go_without(error)
            return True
        return taken

    def _freed_late(self, found: Any) -> None:
        """Free what comes when nobody waits for it any more."""
        if isinstance(found, tuple):
            file, taken = found
            if taken:
                unlock(file.descriptor, self._offset)
            file.leave()

    def try_again(self, parent: int = 0) -> bool:
        """Take it as `try_take` does, but do not wait for a process that waits for us.

        Parameters
        ----------
        parent : int
            The process whose computation of this very key we are a part of.
        """
        if self.try_take() or self._file is None:
            return True
        from neurotools.memo.locking.standstill import ProcessWatch, ancestors  # few ever wait

        # A place that may hang is asked no more than it must be.
        other = holder(self._file.descriptor, self._offset) if self._health is None else 0
        if self._above is None:
            self._above = ancestors()
        if not other or not (other == parent or other in self._above):
            self._watch = None
            return False
        if self._watch is None or self._watch.process != other:
            self._watch = ProcessWatch(other)
        if other != parent and not self._watch.stands():
            return False
        if self._offset & BEYOND:
            self.go_without(f"process {other} seems to wait for us")
            return True
        # Processes whose ancestor computes, and waits for them, take turns at another byte.
        self._offset |= BEYOND
        return self.try_again(parent)

    def take(
        self,
        parent: int,
        *,
        nested: bool,
        hopeless: Callable[[], bool],
        gone: Callable[[], bool] | None = None,
    ) -> None:
        """Wait for it.

        Parameters
        ----------
        parent : int
            As for `try_again`.
        nested : bool
            Whether the caller holds another key.
        hopeless : function
            Asked now and then, where waiting may be for ever, whether it is.
        gone : function, optional
            Asked now and then, of a place on a server, whether who has the lock has died.
        """
        polls = False
        while not self.try_again(parent):
            if self._watch is None and not polls:
                polls = not self._wait(nested=nested, gone=gone)
            elif polls and hopeless():
                self.go_without("a computation of ours waits for this one")
            else:
                time.sleep(POLL_SECONDS)

    def _wait(self, *, nested: bool, gone: Callable[[], bool] | None) -> bool:
        """Let the kernel wait for it; tell whether it does."""
        file = self._file
        if file is not None:
            try:
                if self._health is None:
                    wait_lock(file.descriptor, self._offset)
                else:
                    self._wait_patiently(file, gone)
            except OSError as error:
                _raise_if_not_ours(error)
                # The kernel looks at processes: other threads of ours may close its circle.
                if getattr(error, "errno", 0) == errno.EDEADLK and not nested:
                    return False
                self.go_without(error)
        return True

    def _wait_patiently(self, file: LockFile, gone: Callable[[], bool] | None) -> None:
        """Wait for as long as the place answers at all, and who has the lock lives.

        Raises
        ------
        OSError
            If it does not, or he does not.
        """
        health, offset = self._health, self._offset
        if health is None:
            return

        def free_late(error: Any) -> None:
            if error is None:
                unlock(file.descriptor, offset)

        with health.begun(wait_lock, file.descriptor, offset, late=free_late) as task:
            while not task.wait(health.patience):
                health.run("lock", os.stat, self._folder)
                if gone is not None and gone():
                    raise OSError(errno.ETIMEDOUT, "who has it gives no sign of life")
            task.result()

    @property
    def is_held(self) -> bool:
        """Whether it is taken, once `take` or `try_take` has said so."""
        return self._file is not None

    def holder(self) -> int:
        """Return the process that has it, 0 where nobody can tell."""
        if self._file is None or self._health is not None:
            return 0  # a place that may hang is asked no more than it must be
        return holder(self._file.descriptor, self._offset)

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
        try:
            if self._health is None:
                unlock(file.descriptor, self._offset)
            else:
                # Waited for: freed later, it could be the lock of the next one of our threads.
                self._health.run("lock", unlock, file.descriptor, self._offset)
        except OSError:
            pass  # somebody has closed the file, and freed it so
        self._file = None
        file.leave()


def _tried(file: LockFile | None, folder: str, offset: int) -> tuple[LockFile, bool]:
    file = file or opened(folder)
    return file, try_lock(file.descriptor, offset)


def _raise_if_not_ours(error: Exception) -> None:
    # A handler of signals may raise a TimeoutError, which is one of these.
    if careful.is_meant_to_end(error):
        raise error
