"""How often entries were used, and how long they had taken to compute: a log, written now and then.

A hit adds to a list in memory and writes nothing. What has gathered is added to one file of the
cache when there is much of it, when something was stored and some seconds have passed, and when the
process ends; several processes add to the same file, each with one write. When the file has grown,
it is summed up in a second one. All of it may be lost, or made up by whoever may write here: then
something else is evicted first, and a listing tells other figures. Nothing else depends on it.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import math
import os
import stat
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from neurotools.memo.entry import Blob, Key
from neurotools.memo.rows import Row
from neurotools.memo.seal import seconds_of
from neurotools.memo.tiers.census import PRIVATE, Shelf, mark_of
from neurotools.memo.tiers.folders import Folders
from neurotools.memo.watch.health import Health

if TYPE_CHECKING:
    from neurotools.memo.tiers.days import Day

#: So many stores are kept in memory, and for so many seconds.
_MOST, _SECONDS = 4096, 5.0
#: The log is summed up when it is longer than this; nothing longer is ever read.
_LONG, _LIMIT = 1 << 20, 256 << 20
#: So long is a line at most, mostly.
_LINE = 64
LOG, SUMS, _BUSY = "log", "sums", "busy"
#: Whoever sums up takes no longer than this.
_BUSY_SECONDS = 600.0

_OPEN = os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_APPEND = os.O_WRONLY | os.O_APPEND | _OPEN | getattr(os, "O_BINARY", 0)


class Use(Row):
    """What is known of an entry's use, or of that of all entries of a version.

    Attributes
    ----------
    times : int
        How often it was loaded.
    seconds : float
        How long it had taken to compute; for a version, what all loading has saved.
    last : float
        When it was last loaded or stored, about; seconds since the epoch.
    """

    times: int
    seconds: float
    last: float


class Uses:
    """The uses of one cache by this process.

    Parameters
    ----------
    root : str
        The cache's folder.
    folders : Folders
        Makes the folder of the log.
    health : Health
        How the place has answered lately.

    Attributes
    ----------
    fresh : list of (Key, float)
        Entries that were loaded, with the seconds that they had taken; whoever adds to it looks
        at its length, and calls `write` when there are many.
    """

    def __init__(self, root: str, folders: Folders, health: Health) -> None:
        self.fresh: list[tuple[Key, float]] = []
        self._made: list[tuple[Key, float]] = []
        self._root, self._folders, self._health = root, folders, health
        self._place = os.path.join(root, PRIVATE, "uses")
        self._lock = threading.Lock()
        self._next = 0.0

    def stored(self, key: Key, blob: Blob) -> float:
        """Note that an entry was stored; return how long it had taken to compute, in seconds."""
        seconds = seconds_of(blob)
        self._made.append((key, seconds))
        now = time.monotonic()
        if not self._next:
            self._next = now + _SECONDS
        if now >= self._next or len(self._made) >= _MOST:
            self._next = now + _SECONDS
            self.write()
        return seconds

    def write(self) -> None:
        """Add what has gathered to the log; whatever fails, it is forgotten."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            fresh, self.fresh = self.fresh, []
            made, self._made = self._made, []
            # No folder is made anew for a log: the cache may have been removed.
            if (fresh or made) and os.path.isdir(os.path.join(self._root, PRIVATE)):
                content = _encoded(_gathered(fresh, made, time.time()))
                if self._append(content) > _LONG:
                    sum_up(self._place)
        except (OSError, ValueError):
            pass
        finally:
            self._lock.release()

    def end(self) -> None:
        """Write what is left, unless the place does not answer."""
        if not self.fresh and not self._made:
            return
        if self._health.is_plain:
            self.write()
        else:
            with contextlib.suppress(Exception):
                self._health.run("write", self.write)

    def forget(self) -> None:
        """Forget what has gathered: it is another process's."""
        self.fresh, self._made, self._lock = [], [], threading.Lock()

    def _append(self, content: bytes) -> int:
        path = os.path.join(self._place, LOG)
        try:
            descriptor = os.open(path, _APPEND, self._folders.file_mode)
        except FileNotFoundError:
            self._folders.make(self._place)
            descriptor = os.open(path, _APPEND, self._folders.file_mode)
        try:
            with contextlib.suppress(OSError):  # another user's
                self._folders.allow(descriptor)
            os.write(descriptor, content)
            return os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)

    def __reduce__(self) -> tuple[object, ...]:
        return uses_in, (self._root, self._folders, self._health)


#: By version and by short name of the entry.
_Book = dict[str, dict[str, Use]]


def _gathered(
    fresh: Iterable[tuple[Key, float]], made: Iterable[tuple[Key, float]], now: float
) -> _Book:
    book: _Book = {}
    for (key, seconds), times in Counter(fresh).items():
        _add(book, key, Use(times, seconds, now))
    for key, seconds in made:
        _add(book, key, Use(0, seconds, now))
    return book


def _add(book: _Book, key: Key, use: Use) -> None:
    marks = book.setdefault(f"{key.function}/{key.code}", {})
    mark = mark_of(f"{key.call}.{key.method}")
    marks[mark] = _sum(marks.get(mark), use)


def _sum(one: Use | None, other: Use) -> Use:
    if one is None:
        return other
    seconds = other.seconds if other.seconds and other.last >= one.last else one.seconds
    return Use(one.times + other.times, seconds, max(one.last, other.last))


def _encoded(book: _Book) -> bytes:
    lines = []
    for shelf, marks in sorted(book.items()):
        if not marks:
            continue
        times = sum(use.times for use in marks.values())
        saved = sum(use.times * use.seconds for use in marks.values())
        last = max(use.last for use in marks.values())
        lines.append(f"@{shelf}\t{times}\t{saved:.6g}\t{last:.0f}")
        lines += [f"{mark}\t{u.times}\t{u.seconds:.6g}\t{u.last:.0f}" for mark, u in marks.items()]
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass")


def _decoded(line: str) -> tuple[str, Use] | None:
    """Return what a line says; None where it is cut, or no line of ours."""
    try:
        name, times, seconds, last = line.split("\t")
        use = Use(int(times), float(seconds), float(last))
    except ValueError:
        return None
    is_sound = 0 <= use.times < 1 << 50 and 0 <= use.seconds < math.inf and 0 <= use.last < 1e12
    return (name, use) if name and is_sound else None


def _parts(content: bytes) -> Iterator[tuple[str, Use, str]]:
    """Give each version in a log, what it says of all its entries, and the lines of these."""
    for part in content.split(b"\n@")[:] if content[:1] == b"@" else ():
        head, _, rest = part.removeprefix(b"@").partition(b"\n")
        found = _decoded(head.decode("utf-8", "replace"))
        if found is not None:
            yield found[0], found[1], rest.decode("utf-8", "replace")


def totals(root: str) -> dict[str, Use]:
    """Return the use of each version of a cache, by its place: quickly, however many entries."""
    found: dict[str, Use] = {}
    for content in _contents(os.path.join(root, PRIVATE, "uses")):
        for shelf, use, _ in _parts(content):
            old = found.get(shelf, Use(0, 0.0, 0.0))
            found[shelf] = Use(
                old.times + use.times, old.seconds + use.seconds, max(old.last, use.last)
            )
    return found


def by_day(root: str) -> dict[int, Day]:
    """Return what a cache was used for, by day since the epoch, in UTC.

    Uses that were summed up before days were kept are not in it.
    """
    from neurotools.memo.tiers import days

    place = os.path.join(root, PRIVATE, "uses")
    with contextlib.suppress(OSError):
        names = [name for name in os.listdir(place) if name == LOG or name.startswith(f"{LOG}-")]
        logs = (_content(os.path.join(place, name)) for name in names)
        found = days.noted(_batches(logs))
        for number, day in days.kept(root).items():
            found[number] = found.get(number, days.NOTHING).plus(day)
        return found
    return {}


def _batches(logs: Iterable[bytes]) -> Iterator[tuple[float, Day]]:
    """Give what each write to some logs says of a version: when, and what was done."""
    from neurotools.memo.tiers.days import Day

    for content in logs:
        for _, use, _ in _parts(content):
            yield use.last, Day(use.times, use.seconds)


def by_entry(root: str) -> _Book:
    """Return the use of each entry of a cache, by its version's place and its short name."""
    return _read(_contents(os.path.join(root, PRIVATE, "uses")))


def _read(contents: Iterable[bytes]) -> _Book:
    book: _Book = {}
    for content in contents:
        for shelf, _, lines in _parts(content):
            marks = book.setdefault(shelf, {})
            for line in lines.split("\n"):
                found = _decoded(line)
                if found is not None:
                    marks[found[0]] = _sum(marks.get(found[0]), found[1])
    return book


def _contents(place: str) -> list[bytes]:
    with contextlib.suppress(OSError):
        names = {SUMS, LOG, *(name for name in os.listdir(place) if name.startswith(f"{LOG}-"))}
        # What is being summed up stands in both for a moment, or in none: figures, no results.
        return [_content(os.path.join(place, name)) for name in sorted(names, reverse=True)]
    return []


def _content(path: str) -> bytes:
    try:
        descriptor = os.open(path, (_OPEN & ~os.O_CREAT) | getattr(os, "O_BINARY", 0))
    except OSError:
        return b""
    with os.fdopen(descriptor, "rb") as file:
        if os.fstat(descriptor).st_size > _LIMIT:
            return b""
        content = file.read(_LIMIT)
    # A line that was cut, or two that were mixed, is left out; what follows begins a new one.
    return content if content[:1] == b"@" else content[content.find(b"\n@") + 1 :]


def sum_up(place: str, keep: _Book | None = None) -> None:
    """Add the log to the sums, one process at a time.

    Parameters
    ----------
    place : str
        Folder of the log.
    keep : dict, optional
        Entries that are still there; those of others are forgotten.
    """
    from neurotools.memo.tiers import days  # seldom needed

    busy = os.path.join(place, _BUSY)
    with contextlib.suppress(OSError):
        if time.time() - os.lstat(busy).st_mtime > _BUSY_SECONDS:
            os.unlink(busy)  # whoever it was, it was killed
    try:
        os.close(os.open(busy, os.O_WRONLY | os.O_EXCL | _OPEN, 0o600))
    except OSError:
        return
    try:
        own = os.path.join(place, f"{LOG}-{os.getpid()}")
        with contextlib.suppress(FileNotFoundError):
            os.replace(os.path.join(place, LOG), own)
        logs = [name for name in os.listdir(place) if name.startswith(f"{LOG}-")]
        paths = [os.path.join(place, name) for name in logs]
        book = _read(_content(path) for path in (os.path.join(place, SUMS), *paths))
        if keep is not None:
            book = _kept(book, keep)
        new, mode = f"{own}.new", stat.S_IMODE(os.stat(paths[0]).st_mode) if paths else 0o600
        days.add(place, days.noted(_batches(map(_content, paths))), mode)
        with open(new, "wb", opener=functools.partial(os.open, mode=mode)) as file:
            file.write(_encoded(book) if book else b"")
        os.replace(new, os.path.join(place, SUMS))
        for path in paths:
            os.unlink(path)
    finally:
        os.unlink(busy)


def forget(root: str, shelves: Iterable[Shelf]) -> None:
    """Forget the use of what is gone, where much is; the shelves are all that there is."""
    place, there = os.path.join(root, PRIVATE, "uses"), list(shelves)
    size = sum(map(len, _contents(place)))
    if size > _LONG // 8 + _LINE * sum(len(shelf.entries) for shelf in there):
        nothing = Use(0, 0.0, 0.0)
        sum_up(
            place,
            {
                shelf.name: dict.fromkeys((f.mark for f in shelf.entries), nothing)
                for shelf in there
            },
        )


def _kept(book: _Book, keep: _Book) -> _Book:
    found = {
        shelf: {mark: use for mark, use in marks.items() if mark in keep.get(shelf, {})}
        for shelf, marks in book.items()
    }
    return {shelf: marks for shelf, marks in found.items() if marks}


_ALL: dict[str, Uses] = {}


def uses_in(root: str, folders: Folders, health: Health) -> Uses:
    """Return the uses of a cache by this process."""
    known = _ALL.get(root)
    return _ALL.setdefault(root, Uses(root, folders, health)) if known is None else known


def write_own(root: str) -> None:
    """Add what this process has noted of a cache to its log now, for whoever looks next."""
    if (uses := _ALL.get(root)) is not None:
        uses.write()


@atexit.register
def _end() -> None:
    for uses in list(_ALL.values()):
        uses.end()


def _begin_anew() -> None:
    for uses in _ALL.values():
        uses.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
