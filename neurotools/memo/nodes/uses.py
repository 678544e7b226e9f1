"""Which nodes were used, by any process, on which day: ``log.<year>/<month>/<day>.log``.

A line is the name of a node, ``<class>/<hash>``. Lines are only ever appended, each with one write
to a file that was opened for appending: writers of one computer do not tear each other's lines, and
what a killed one left unfinished is ended by the next. Each `Uses` that is made leaves a mark, and
a node is noted again only when there is a new mark: so a loop of hits writes one line, and "since
then" can be told from the place in the file, without any clock. Only clearing reads whole logs;
calls never do. ``log.current`` leads to the log that is written now, or holds its name where there
can be no links.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import glob
import os
import time
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

from neurotools.memo import forks
from neurotools.memo.log import Log

log = Log(__name__)

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
#: Line that says that somebody has started to look at what is used from now on.
_OPENED = "-/opened"
#: What others have written is looked through if it is no more than that.
_MOST_READ = 1 << 20


class _Log:
    """A log that is open, and what this process has written to its end."""

    def __init__(self, base: str, day: tuple[int, int, int]) -> None:
        self.day, self.path = day, _path(base, day)
        os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
        self.descriptor = os.open(self.path, _FLAGS | getattr(os, "O_BINARY", 0), 0o600)
        self.end = -1
        self.seen: set[str] = set()
        with contextlib.suppress(OSError):
            _lead(os.path.join(base, "log.current"), os.path.relpath(self.path, base))

    def has_mark(self, size: int) -> bool:
        """Tell whether others have noted, since this process wrote, that they look from now on."""
        before, self.end = self.end, size
        if before < 0 or not 0 < size - before <= _MOST_READ:
            return True
        # A mark that is being written while we look is read whole the next time.
        return _OPENED.encode() in self._read(max(0, before - len(_OPENED)), size)

    def append(self, line: str, size: int) -> None:
        raw = f"{line}\n".encode()
        if size and self._read(size - 1, size) != b"\n":
            raw = b"\n" + raw
        os.write(self.descriptor, raw)
        self.end = size + len(raw)

    def _read(self, start: int, end: int) -> bytes:
        os.lseek(self.descriptor, start, os.SEEK_SET)
        return os.read(self.descriptor, end - start)

    def __del__(self) -> None:
        with contextlib.suppress(OSError, AttributeError):
            os.close(self.descriptor)


class Uses:
    """The log of one folder of nodes.

    Parameters
    ----------
    base : str
        The folder.
    """

    def __init__(self, base: str) -> None:
        self._base = base
        self._lock = forks.lock_of(self)
        self._log: _Log | None = None
        self._since = (_today(), 0)
        #: Uses that could not be written down, on a full disk, say: others do not know of them.
        self._unwritten: dict[str, dt.date] = {}
        self._note(_OPENED, is_first=True)

    def __reduce__(self) -> Any:
        return type(self), (self._base,)

    def note(self, node: str) -> None:
        """Note that a node is used now."""
        self._note(node)

    def _note(self, line: str, *, is_first: bool = False) -> None:
        with self._lock:
            try:
                opened, size = self._opened()
                if is_first:
                    self._since = opened.day, size
                if size != opened.end and opened.has_mark(size):
                    opened.seen.clear()  # somebody has started to look since
                if line in opened.seen:
                    return
                opened.append(line, size)
                opened.seen.add(line)
            except OSError as error:
                log.info("the use of %s was not noted: %s", line, error)
                if line != _OPENED:
                    self._unwritten[line] = dt.date(*_today())

    def _opened(self) -> tuple[_Log, int]:
        day = _today()
        if self._log is not None and self._log.day == day:
            facts = os.fstat(self._log.descriptor)
            if facts.st_nlink:
                return self._log, facts.st_size
        self._log = _Log(self._base, day)
        return self._log, os.fstat(self._log.descriptor).st_size

    def since_made(self) -> set[str]:
        """Return the nodes that any process has used since this object was made."""
        with self._lock:
            day, offset = self._since
        found = set(_nodes(_path(self._base, day), offset))
        return found.union(self._unwritten, self.since(dt.date(*day) + dt.timedelta(1)))

    def since(self, day: dt.date) -> set[str]:
        """Return the nodes that any process has used on a day, or later."""
        later = (log.path for log in _logs(self._base) if log.day >= day)
        unwritten = (node for node, used in self._unwritten.items() if used >= day)
        return {node for path in later for node in _nodes(path)}.union(unwritten)

    def last_days(self) -> dict[str, dt.date]:
        """Return the last day on which each node was used."""
        found = sorted(_logs(self._base), key=lambda log: log.day)
        return {node: log.day for log in found for node in _nodes(log.path)} | self._unwritten

    def forget_before(self, day: dt.date) -> None:
        """Remove the logs of earlier days."""
        for old in _logs(self._base):
            if old.day < day:
                with contextlib.suppress(OSError):
                    os.unlink(old.path)
                for above in (
                    os.path.dirname(old.path),
                    os.path.dirname(os.path.dirname(old.path)),
                ):
                    with contextlib.suppress(OSError):  # there is something in it
                        os.rmdir(above)


class _Found(NamedTuple):
    path: str
    day: dt.date


def _logs(base: str) -> Iterator[_Found]:
    for path in glob.glob(os.path.join(glob.escape(base), "log.*", "*", "*.log")):
        year, month, name = path.split(os.sep)[-3:]
        with contextlib.suppress(ValueError):
            yield _Found(path, dt.date(int(year[4:]), int(month), int(name[:-4])))


def _nodes(path: str, offset: int = 0) -> Iterator[str]:
    try:
        with open(path, "rb") as file:
            file.seek(offset)
            for raw in file:
                line = raw.rstrip(b"\n").decode("utf-8", "replace")
                if line.count("/") == 1 and line != _OPENED:
                    yield line
    except FileNotFoundError:
        pass  # somebody has removed it; one that cannot be read is an error: nothing is removed


def _today() -> tuple[int, int, int]:
    return time.localtime()[:3]


def _path(base: str, day: tuple[int, int, int]) -> str:
    year, month, number = day
    return os.path.join(base, f"log.{year}", f"{month:02}", f"{number:02}.log")


def _lead(path: str, target: str) -> None:
    """Have a path lead to a file beside or below it."""
    temporary = f"{path}.{uuid.uuid4().hex}"
    try:
        os.symlink(target, temporary)
    except (OSError, NotImplementedError):  # Windows wants a privilege for it
        # Never through a link that somebody left there: that would empty a log.
        with open(temporary, "x", encoding="utf-8") as file:
            file.write(f"{target.replace(os.sep, '/')}\n")
    os.replace(temporary, path)
