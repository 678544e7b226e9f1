"""Processes that write to a cache show each other that they live.

Each holds a byte of one file for as long as it lives: a lock that the system frees, however the
process ends. Neither the time nor process numbers tell that so well. The file serves nothing else:
to close any descriptor of a file is to free all locks that a process has in it. Not here: one
computation per key at a time (`neurotools.memo.locking.locks`).
"""

from __future__ import annotations

import contextlib
import os

import xxhash

from neurotools.memo import forks
from neurotools.memo.locking.lockfiles import OPEN, LockFile

#: Path -> each file in use. It stays open.
_FILES: dict[str, LockFile] = {}
# New in a forked child, as the descriptors are; the locks in files have stayed with its parent.
_lock = forks.lock_of(__name__)


def show(path: str, process: str, mode: int = 0o600) -> None:
    """Show that this process lives, under a name of its own, where there are locks."""
    with contextlib.suppress(OSError, ImportError):
        _take(_descriptor(path, mode), process)


def lives(path: str, process: str, mode: int = 0o600) -> bool | None:
    """Return whether another process shows that it lives; None where that cannot be seen."""
    try:
        descriptor = _descriptor(path, mode)
        if not _take(descriptor, process):
            return True
        _free(descriptor, process)
    except (OSError, ImportError):
        return None
    return False


def _descriptor(path: str, mode: int) -> int:
    with _lock:
        known = _FILES.get(path)
        if known is not None and known.links():
            return known.descriptor
        _close_removed()
        descriptor = os.open(path, OPEN, mode)
        facts = os.fstat(descriptor)
        if facts.st_mode & mode != mode:
            with contextlib.suppress(OSError, AttributeError):  # another user's, or Windows
                os.fchmod(descriptor, mode)
        _FILES[path] = LockFile(descriptor, facts)
        return descriptor


def _close_removed() -> None:
    """Close files that were removed with their caches, so that descriptors do not pile up."""
    for path, file in list(_FILES.items()):
        links = file.links()
        if not links:
            del _FILES[path]
        if links == 0:
            os.close(file.descriptor)


def _place(process: str) -> int:
    return xxhash.xxh3_64_intdigest(process.encode("utf-8", "surrogatepass")) >> 2


def _take(descriptor: int, process: str) -> bool:
    import fcntl  # Windows has none

    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _place(process))
    except (BlockingIOError, PermissionError):
        return False
    return True


def _free(descriptor: int, process: str) -> None:
    import fcntl

    fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, _place(process))
