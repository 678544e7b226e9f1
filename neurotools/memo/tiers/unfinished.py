"""Names under which entries are written before they are renamed; what killed processes left.

An entry is written in the folder where it will be: a rename within a folder does not hold up other
processes. The name begins with a dot and ends like no entry's. A process uses few such names again
and again, one for each folder and each thread that writes there at the same time, and lists them in
a file of its own before it uses them: what it left when it was killed is found in its list, however
many entries there are. Now and then each process that writes looks at some lists of others.

Whether the process of a list still lives is not asked by its number, which another may have by now,
or which counts in another container, and not by the clock: while it lives it holds a lock
(`neurotools.memo.tiers.alive`), which the system frees. Locks of other computers are not seen
everywhere. Where they may not be, what is left goes when it is a day old by the file system's own
clock.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import itertools
import os
import stat
import threading
from collections.abc import Iterable, Iterator

from neurotools.memo.tiers import alive
from neurotools.memo.tiers.folders import Folders
from neurotools.memo.tiers.trust import Trust
from neurotools.memo.watch.deadline import moved
from neurotools.memo.watch.health import known_health

#: A file that nobody has touched for so many seconds is left over, whoever made it.
LEFTOVER_SECONDS = 24 * 3600.0
#: So old are lists of processes that may still run, perhaps elsewhere, when they are removed.
_FORGOTTEN_SECONDS = 30 * LEFTOVER_SECONDS
#: Others' lists are looked at in a process's first write and each so many writes, so many at once.
_EVERY, _AT_ONCE = 64, 64
#: Others may write lists, too: none is read that is longer.
_LONGEST_LIST = 16 << 20

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
        self._process = this_process()
        self._own = os.path.join(lists, self._process)
        self._alive = os.path.join(os.path.dirname(lists), "alive")
        self._free: dict[str, list[str]] = {}
        self._made, self._is_known = 0, False
        self._writes = itertools.count(1)
        # Where looking begins: many processes that live shortly are to come to all lists.
        self._position = int(self._process[-8:], 16)
        self._left: list[str] = []
        self._lock = threading.Lock()

    def take(self, folder: str) -> str:
        """Return a path in a folder that nobody else uses until it is given back."""
        if next(self._writes) % _EVERY == 0:
            with self._lock:
                self._look_around()
        try:
            return self._free[folder].pop()
        except (KeyError, IndexError):
            return self._new(folder)

    def leave(self, path: str) -> None:
        """Say that something has that name that could not be removed; it is tried again later."""
        self._left.append(path)

    def give_back(self, path: str) -> None:
        """Say that nothing has that name any more."""
        if self._left:
            self._try_again()
        self._is_free(path)

    def _try_again(self) -> None:
        """Remove what could not be removed before."""
        while self._left:
            with contextlib.suppress(IndexError):  # another thread was faster
                if not is_gone(left := self._left.pop()):
                    self._left.append(left)
                    break
                self._is_free(left)

    def _is_free(self, path: str) -> None:
        free = self._free.get(path.rpartition(os.sep)[0])
        if free is not None:
            free.append(path)

    def lives(self, process: str) -> bool | None:
        """Return whether a process that writes here still lives; None where that is not seen."""
        if process == self._process:
            return True
        lives = alive.lives(self._alive, process, self._folders.file_mode)
        return lives if lives or self._sees_locks_of(process, self._lists) else None

    def forget(self) -> None:
        """List all names anew: the list may have been removed."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        self._free, self._made, self._is_known = {}, 0, False

    def clear_up(self, folder: str, names: Iterable[str]) -> None:
        """Remove what lies in a folder and stands in no list: a failing power can lose lists."""
        with contextlib.suppress(OSError):
            listed = set(os.listdir(self._lists)) | {self._process}
            found = {name: name[1:].rpartition("-")[0] for name in names if name.startswith(".")}
            for name, process in found.items():
                if process not in listed and process.count("-") >= 2:
                    is_gone(os.path.join(folder, name))

    def end(self) -> None:
        """Remove the list, if nothing is left over."""
        # A thread that is stopped in the middle of a write has not given its name back.
        if sum(map(len, self._free.values())) >= self._made:
            with contextlib.suppress(OSError):
                os.unlink(self._own)

    def _new(self, folder: str) -> str:
        with self._lock:
            if not self._is_known:
                self._look_around()
            path = os.path.join(folder, f".{self._process}-{next(_NUMBERS)}")
            self._list(os.path.relpath(path, self._root))
            self._free.setdefault(folder, [])
            self._made += 1
        return path

    def _list(self, name: str) -> None:
        descriptor = os.open(self._own, _APPEND, self._folders.file_mode)
        try:
            self._folders.allow(descriptor)
            os.write(descriptor, os.fsencode(name) + b"\n")
        finally:
            os.close(descriptor)

    def _look_around(self) -> None:
        """Show that we live, and remove what others left unfinished that do not."""
        self._folders.make(self._lists)
        # Held before the list is there, so that nobody finds it without.
        alive.show(self._alive, self._process, self._folders.file_mode)
        if not os.path.exists(self._own):
            self._forget()
        self._is_known = True
        with contextlib.suppress(OSError):
            now = self._now()
            for one in self._others():
                moved()
                with contextlib.suppress(OSError, ValueError):
                    self._clear_up(one, now)

    def _now(self) -> float:
        """Return the time on the file system's own clock, which need not be ours."""
        os.close(os.open(self._own, _APPEND, self._folders.file_mode))
        os.utime(self._own)
        return os.stat(self._own).st_mtime

    def _others(self) -> Iterator[str]:
        names = sorted(set(os.listdir(self._lists)) - {self._process})
        for place in range(self._position, self._position + min(_AT_ONCE, len(names))):
            yield names[place % len(names)]
        self._position += _AT_ONCE

    def _clear_up(self, process: str, now: float) -> None:
        """Remove what a process left, as far as it is left over, and its list with the last."""
        place = os.path.join(self._lists, process)
        lives = alive.lives(self._alive, process, self._folders.file_mode)
        ended = lives is False and self._sees_locks_of(process, place)
        # A file is no older than the list that names it.
        if lives or not (ended or _is_older(place, now, LEFTOVER_SECONDS)):
            return
        names = [name for name in _listed(place) if _is_below(name, process)]
        paths = [os.path.join(self._root, name) for name in names]
        left = [path for path in paths if ended or _is_older(path, now, LEFTOVER_SECONDS)]
        removed = [self._is_cleared(path) for path in left]
        if (ended and all(removed)) or _is_older(place, now, _FORGOTTEN_SECONDS):
            os.unlink(place)

    def _is_cleared(self, path: str) -> bool:
        """Remove what was left, unless another's link leads there; tell whether it is gone."""
        try:
            self._folders.check(os.path.dirname(path))
        except OSError:
            return False
        return is_gone(path)

    def _sees_locks_of(self, process: str, place: str) -> bool:
        """Tell for certain that we would see a lock that a process has."""
        host, _, kernel = process.rsplit("-", 2)[0].rpartition("+")
        own_host, _, own_kernel = self._process.rsplit("-", 2)[0].rpartition("+")
        # The same computer, before it was started anew: nobody else has such a name and the disk.
        is_own_disk = os.name != "nt" and os.major(os.lstat(place).st_dev) != 0
        return kernel == own_kernel or (host == own_host and is_own_disk)


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


def _is_older(path: str, now: float, seconds: float) -> bool:
    """Return whether a file is as old as that, or as far in the future: then a clock was wrong."""
    try:
        return abs(now - os.lstat(path).st_mtime) > seconds
    except OSError:
        return False


def is_gone(path: str) -> bool:
    """Remove a file; return whether it is not there now."""
    try:
        os.unlink(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return True


@functools.cache
def this_process() -> str:
    """Return a name for this process that no other has, here or elsewhere, now or later."""
    import socket  # 3 ms to load, for writing only

    # By chance, not by the clock: one that starts at the same time again would repeat itself.
    host = socket.gethostname()[:40].replace("/", "_").replace("+", "_")
    return f"{host}+{_kernel()}-{os.getpid()}-{os.urandom(8).hex()}"


@functools.cache
def _kernel() -> str:
    """Return what all processes share that see each other's locks for certain."""
    try:
        with open("/proc/sys/kernel/random/boot_id", "rb") as file:
            return file.read(64).decode("ascii").strip().replace("-", "")[:16]
    except (OSError, ValueError):
        import socket

        return socket.gethostname()[:40].replace("+", "_")


_ALL: dict[str, Unfinished] = {}
# One cache may have several names: no two of them get the same number.
_NUMBERS = itertools.count()


def unfinished_in(root: str, lists: str, folders: Folders) -> Unfinished:
    """Return the names that this process uses in a cache."""
    names = _ALL.get(root)
    return _ALL.setdefault(root, Unfinished(root, lists, folders)) if names is None else names


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


def _begin_anew() -> None:
    """Be a process of its own in a forked child: its parent goes on using its names."""
    _ALL.clear()
    this_process.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
