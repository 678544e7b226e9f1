"""Names under which entries are written before they are renamed; what killed processes left.

An entry is written in the folder where it will be: a rename within a folder does not hold up other
processes. The name begins with a dot and ends like no entry's. A process uses few such names again
and again, one for each folder and each thread that writes there at the same time, and lists them in
a file of its own before it uses them: what it left when it was killed is found in its list, however
many entries there are.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import itertools
import os
import threading
import time

from neurotools.memo.watch.deadline import moved
from neurotools.memo.watch.health import known_health

#: A file that nobody has touched for so many seconds is left over, whoever made it.
LEFTOVER_SECONDS = 24 * 3600.0
#: So old are lists of processes that may still run, perhaps elsewhere, when they are removed.
_FORGOTTEN_SECONDS = 30 * LEFTOVER_SECONDS


class Unfinished:
    """The names that this process uses in one cache.

    Parameters
    ----------
    root : str
        The cache's folder.
    lists : str
        Folder of the lists, one for each process that writes.
    """

    def __init__(self, root: str, lists: str) -> None:
        self._root, self._lists = root, lists
        self._process = f"{_host()}-{os.getpid()}-{time.time_ns():x}"
        self._free: dict[str, list[str]] = {}
        self._left: list[str] = []
        self._swept = False
        self._lock = threading.Lock()

    def take(self, folder: str) -> str:
        """Return a path in a folder that nobody else uses until it is given back."""
        free = self._free.get(folder)
        if free:
            with contextlib.suppress(IndexError):  # another thread was faster
                return free.pop()
        return self._new(folder)

    def leave(self, path: str) -> None:
        """Say that something has that name that could not be removed; it is tried again later."""
        self._left.append(path)

    def give_back(self, path: str) -> None:
        """Say that nothing has that name any more."""
        while self._left:
            with contextlib.suppress(IndexError):
                if not is_gone(left := self._left.pop()):
                    self._left.append(left)
                    break
        free = self._free.get(path.rpartition(os.sep)[0])
        if free is not None:
            free.append(path)

    def forget(self) -> None:
        """List all names anew: the list may have been removed."""
        with self._lock:
            self._free = {}

    def end(self) -> None:
        """Remove the list: nothing is left over."""
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(self._lists, self._process))

    def _new(self, folder: str) -> str:
        with self._lock:
            path = os.path.join(folder, f".{self._process}-{next(_NUMBERS)}")
            self._list(os.path.relpath(path, self._root))
            self._free.setdefault(folder, [])
        return path

    def _list(self, name: str) -> None:
        os.makedirs(self._lists, mode=0o700, exist_ok=True)
        if not self._swept:
            self._swept = True
            self._sweep()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        descriptor = os.open(os.path.join(self._lists, self._process), flags, 0o600)
        try:
            os.write(descriptor, os.fsencode(name) + b"\n")
        finally:
            os.close(descriptor)

    def _sweep(self) -> None:
        """Remove what killed processes left unfinished."""
        with contextlib.suppress(OSError), os.scandir(self._lists) as lists:
            for one in lists:
                moved()
                with contextlib.suppress(OSError, ValueError):
                    _clear_up(one, self._root)


def is_gone(path: str) -> bool:
    """Remove a file; return whether it is not there now."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _clear_up(one: os.DirEntry[str], root: str) -> None:
    """Remove what a listed process left, as far as it is left over, and the list with the last."""
    host, process, _ = one.name.rsplit("-", 2)
    ended = host == _host() and not _runs(int(process))
    # A file is no older than the list that names it.
    if not ended and not _is_older(one.path, LEFTOVER_SECONDS):
        return
    with open(one.path, "rb") as file:
        names = os.fsdecode(file.read()).split("\n")
    for name in names:
        path = os.path.join(root, name)
        if not _is_below(name, one.name) or not (ended or _is_older(path, LEFTOVER_SECONDS)):
            continue
        with contextlib.suppress(OSError):
            os.unlink(path)
    if ended or _is_older(one.path, _FORGOTTEN_SECONDS):
        os.unlink(one.path)


def _is_below(name: str, process: str) -> bool:
    """Return whether a listed name is one that the process can have used, below the root."""
    parts = name.split(os.sep)
    return ".." not in parts and not os.path.isabs(name) and parts[-1].startswith(f".{process}-")


def _is_older(path: str, seconds: float) -> bool:
    try:
        return time.time() - os.lstat(path).st_mtime > seconds
    except OSError:
        return False


def _runs(process: int) -> bool:
    if os.name == "nt":
        return True  # Signals cannot ask there; what is left goes when it is old.
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


@functools.cache
def _host() -> str:
    """Return the name of this machine, as the names carry it."""
    import socket  # 3 ms to load, for writing only

    return socket.gethostname()[:40]


_ALL: dict[str, Unfinished] = {}
# One cache may have several names: no two of them get the same number.
_NUMBERS = itertools.count()


def unfinished_in(root: str, lists: str) -> Unfinished:
    """Return the names that this process uses in a cache."""
    names = _ALL.get(root)
    return _ALL.setdefault(root, Unfinished(root, lists)) if names is None else names


def _nothing() -> None:
    pass


@atexit.register
def _end() -> None:
    for root, names in _ALL.items():
        health = known_health(root)
        # A list that cannot be removed now is removed by the next process, this one being dead.
        with contextlib.suppress(OSError):
            if health is None or health.is_plain:
                names.end()
            else:
                health.run("write", names.end, probe=_nothing)


if hasattr(os, "register_at_fork"):
    # A child is a process of its own: its parent goes on using its names.
    os.register_at_fork(after_in_child=_ALL.clear)
