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
import stat
import threading
import time

from neurotools.memo.tiers.folders import Folders
from neurotools.memo.tiers.trust import Trust

#: A file that nobody has touched for so many seconds is left over, whoever made it.
LEFTOVER_SECONDS = 24 * 3600.0
#: So old are lists of processes that may still run, perhaps elsewhere, when they are removed.
_FORGOTTEN_SECONDS = 30 * LEFTOVER_SECONDS
#: Others may write lists, too: no more of them are read at once, and none that is longer.
_MOST_LISTS, _LONGEST_LIST = 10_000, 16 << 20

_APPEND = (
    os.O_WRONLY
    | os.O_APPEND
    | os.O_CREAT
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class Unfinished:
    """The names that this process uses in one cache.

    Parameters
    ----------
    root : str
        The cache's folder.
    lists : str
        Folder of the lists, one for each process that writes.
    folders : Folders, optional
        Makes that folder; by default one that is private.
    """

    def __init__(self, root: str, lists: str, folders: Folders | None = None) -> None:
        self._root, self._lists = root, lists
        self._folders = folders or Folders(root, Trust())
        self._process = f"{_host()}-{os.getpid()}-{time.time_ns():x}"
        self._free: dict[str, list[str]] = {}
        self._swept = False
        self._lock = threading.Lock()

    def take(self, folder: str) -> str:
        """Return a path in a folder that nobody else uses until it is given back."""
        free = self._free.get(folder)
        if free:
            with contextlib.suppress(IndexError):  # another thread was faster
                return free.pop()
        return self._new(folder)

    def give_back(self, path: str) -> None:
        """Say that nothing has that name any more."""
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
        self._folders.make(self._lists)
        if not self._swept:
            self._swept = True
            self._sweep()
        path = os.path.join(self._lists, self._process)
        descriptor = os.open(path, _APPEND, self._folders.file_mode)
        try:
            self._folders.allow(descriptor)
            os.write(descriptor, os.fsencode(name) + b"\n")
        finally:
            os.close(descriptor)

    def _sweep(self) -> None:
        """Remove what killed processes left unfinished."""
        with contextlib.suppress(OSError), os.scandir(self._lists) as lists:
            for one in itertools.islice(lists, _MOST_LISTS):
                # What has a number that no process has is no list.
                with contextlib.suppress(OSError, ValueError, OverflowError):
                    _clear_up(one, self._root, self._folders)


def _clear_up(one: os.DirEntry[str], root: str, folders: Folders) -> None:
    """Remove what a listed process left, as far as it is left over, and the list with the last."""
    host, process, _ = one.name.rsplit("-", 2)
    ended = host == _host() and not _runs(int(process))
    # A file is no older than the list that names it.
    if not ended and not _is_older(one.path, LEFTOVER_SECONDS):
        return
    for name in _listed(one.path):
        path = os.path.join(root, name)
        if not _is_below(name, one.name) or not (ended or _is_older(path, LEFTOVER_SECONDS)):
            continue
        with contextlib.suppress(OSError, ValueError):
            folders.check(os.path.dirname(path))
            os.unlink(path)
    if ended or _is_older(one.path, _FORGOTTEN_SECONDS):
        os.unlink(one.path)


def _listed(path: str) -> list[str]:
    """Return the names in a list; none if it is no file, or too long to be a list."""
    descriptor = os.open(path, _READ)
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > _LONGEST_LIST:
            return []
        return os.fsdecode(os.read(descriptor, facts.st_size)).split("\n")
    finally:
        os.close(descriptor)


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


def unfinished_in(root: str, lists: str, folders: Folders) -> Unfinished:
    """Return the names that this process uses in a cache."""
    names = _ALL.get(root)
    return _ALL.setdefault(root, Unfinished(root, lists, folders)) if names is None else names


@atexit.register
def _end() -> None:
    for names in _ALL.values():
        names.end()


if hasattr(os, "register_at_fork"):
    # A child is a process of its own: its parent goes on using its names.
    os.register_at_fork(after_in_child=_ALL.clear)
