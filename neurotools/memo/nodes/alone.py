"""One run of a node at a time: among the threads of this process, and among processes.

Not the way of functions (`neurotools.memo.turns.flight`), where whoever waits too long computes as
well: two runs in one folder would spoil each other's files.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import Counter
from collections.abc import Iterator

from neurotools.memo import forks
from neurotools.memo.entry import Key
from neurotools.memo.locking.locks import FileLock
from neurotools.memo.tiers.folders import PRIVATE

#: Folder of a node -> its lock, and how many threads have it or wait for it.
_LOCKS: dict[str, threading.RLock] = {}  # type: ignore[valid-type, unused-ignore]
_USERS: Counter[str] = Counter()
_lock = forks.lock_of(__name__)

#: nipype changes the working directory, which all threads share: one of its runs at a time.
_DIRECTORY = threading.RLock()
#: The thread that runs now in another directory, and the one that others have.
_away: tuple[int, str] | None = None


def _file_lock(base: str, node: str) -> FileLock:
    folder, _, name = node.partition("/")
    return FileLock(os.path.join(base, PRIVATE), Key(folder, name, "node", "lock"))


@contextlib.contextmanager
def alone(base: str, node: str) -> Iterator[None]:
    """Hold a node while the block runs; wait for whoever has it.

    Parameters
    ----------
    base : str
        Folder of the nodes.
    node : str
        ``<class>/<hash>``.
    """
    place = os.path.join(base, node)
    with _lock:
        mine = _LOCKS.setdefault(place, threading.RLock())
        _USERS[place] += 1
    try:
        with mine:
            file = _file_lock(base, node)
            try:
                file.take(0, nested=False, hopeless=_never)
                yield
            finally:
                file.free()
    finally:
        _leave(place)


def _leave(place: str) -> None:
    with _lock:
        _USERS[place] -= 1
        if _USERS[place] <= 0:
            del _USERS[place]
            _LOCKS.pop(place, None)


def _never() -> bool:
    return False


@contextlib.contextmanager
def alone_if_free(base: str, node: str) -> Iterator[bool]:
    """Hold a node while the block runs, unless anybody has it; give whether it is held."""
    place = os.path.join(base, node)
    with _lock:
        if place in _LOCKS:
            free = False
        else:
            free = True
            _LOCKS[place] = threading.RLock()
            _USERS[place] += 1
            _LOCKS[place].acquire()
            mine = _LOCKS[place]
    if not free:
        yield False
        return
    try:
        file = _file_lock(base, node)
        try:
            yield file.try_take()
        finally:
            file.free()
    finally:
        mine.release()
        _leave(place)


@contextlib.contextmanager
def in_directory(folder: str) -> Iterator[None]:
    """Have a folder as the working directory, and no other thread of ours in between."""
    global _away
    with _DIRECTORY:
        outer, before = _away, _directory()
        _away = outer or (threading.get_ident(), before)
        try:
            os.chdir(folder)
            yield
        finally:
            if before:
                os.chdir(before)
            _away = outer


def here() -> str:
    """Return the working directory, also while another thread's run has another one; or nothing."""
    away = _away
    return _directory() if away is None or away[0] == threading.get_ident() else away[1]


def _directory() -> str:
    try:
        return os.getcwd()
    except OSError:  # it is gone
        return ""


def _forget() -> None:
    global _DIRECTORY, _away
    _LOCKS.clear()
    _USERS.clear()
    _away = None
    _DIRECTORY = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
