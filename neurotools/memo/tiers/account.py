"""How much the entries of a folder take, known to all who write there, without looking at them.

Each process keeps a small file with what it has added and removed so far; one more file says what
there is besides. The sum of all is what there is, about: a look at the folder, which is taken now
and then, puts it right. What is lost or wrong here makes a budget be kept less closely until then.
"""

from __future__ import annotations

import contextlib
import os
import struct
import threading
import time
from typing import NamedTuple

from neurotools.memo.tiers.census import PRIVATE
from neurotools.memo.tiers.folders import Folders
from neurotools.memo.tiers.unfinished import this_process

_COUNTS = struct.Struct("<8sqq")
_MAGIC = b"NTacct1\n"
_BASE = "base"
#: Files of processes are added up when there are more, if they were not touched for so long.
_MANY, _OLD_SECONDS = 16, 600.0
#: A folder is looked at again after so many seconds even if little was stored: others, who keep no
#: account, may have filled it.
_STALE_SECONDS = 600.0
_SAFE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class Counts(NamedTuple):
    """Bytes on the disk, in whole blocks, and entries."""

    room: int
    entries: int

    def __add__(self, other: Counts) -> Counts:  # type: ignore[override]
        return Counts(self.room + other.room, self.entries + other.entries)

    def __sub__(self, other: Counts) -> Counts:
        return Counts(self.room - other.room, self.entries - other.entries)


NOTHING = Counts(0, 0)


class Account:
    """The account of one folder, as this process sees it.

    Parameters
    ----------
    folders : Folders
        Makes the folder of the account.

    Attributes
    ----------
    own : Counts
        What this process has added, less what it has removed.
    is_stale : bool
        Whether it is long ago that somebody looked at the folder, as far as `total` has seen.
    writers : int
        How many processes have stored something lately, about.
    """

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._place = os.path.join(folders.root, PRIVATE, "budget")
        self._lock = threading.Lock()
        self.own = self._said = NOTHING
        self._is_known = self.is_stale = False
        self.writers = 1

    def add(self, counts: Counts) -> None:
        """Say what this process has added; less than nothing where it has removed something."""
        with self._lock:
            self.own += counts

    def say(self, counts: Counts) -> None:
        """Say what this process has added, or is about to remove, to all others at once."""
        with self._lock:
            self.own += counts
            self._say()

    def total(self) -> Counts | None:
        """Say what we have added, and return what there is; None where nobody has looked yet."""
        # In this order: who ends in between is left out for once, not counted twice, which would
        # let too much go.
        base = self._read(_BASE)
        moved, summed_up = self._moved()
        return None if base is None else base + moved + summed_up

    def look(self, before: Counts, seen: Counts) -> bool:
        """Put the account right; return whether it is exact, since nothing came meanwhile.

        Parameters
        ----------
        before : Counts
            What `moved` gave before somebody began to look.
        seen : Counts
            What there is.
        """
        now = self.moved()
        # What came while somebody looked was seen by half, as far as one can say.
        middle = Counts((before.room + now.room) // 2, (before.entries + now.entries) // 2)
        self._write(_BASE, seen - middle)
        return before == now

    def moved(self) -> Counts:
        """Return what all processes have added and removed that are not summed up."""
        return self._moved()[0]

    def now(self) -> float:
        """Return the time by the disk's own clock, which need not be ours."""
        with self._lock:
            self._say()
            path = os.path.join(self._place, this_process())
            os.utime(path)
            return os.stat(path).st_mtime

    def end(self) -> None:
        """Leave the account: what we have added stands with the rest from now on."""
        with contextlib.suppress(OSError), self._lock:
            self._heed_sums()
            base = self._read(_BASE)
            if base is None:
                return  # nobody has looked: whoever does will see our entries
            own, self.own, self._said, self._is_known = self.own, NOTHING, NOTHING, False
            # Nobody is to see it in both places.
            os.unlink(os.path.join(self._place, this_process()))
            self._write(_BASE, base + own)

    def _moved(self) -> tuple[Counts, Counts]:
        """Return what all say that is not summed up, and what was just now."""
        with self._lock:
            if self.own != self._said:
                self._say()
        return self._all()

    def _say(self) -> None:
        self._heed_sums()
        self._write(this_process(), self.own)
        self._said, self._is_known = self.own, True

    def _heed_sums(self) -> None:
        """Where somebody has added up what we had said, as if we had been killed, begin anew."""
        if self._is_known and not os.path.exists(os.path.join(self._place, this_process())):
            self.own -= self._said
            self._said, self._is_known = NOTHING, False

    def _all(self) -> tuple[Counts, Counts]:
        total = NOTHING
        try:
            names = os.listdir(self._place)
        except FileNotFoundError:
            return NOTHING, NOTHING
        self.writers = len(names)
        for name in names:
            if name != _BASE:
                total += self._read(name) or NOTHING
        summed_up = self._summed_up(names) if len(names) > _MANY else NOTHING
        return total - summed_up, summed_up

    def _summed_up(self, names: list[str]) -> Counts:
        """Add up what processes have left that were killed, or have stored nothing for long."""
        base, added = self._read(_BASE), NOTHING
        if base is None:
            return NOTHING
        paths = {name: os.path.join(self._place, name) for name in names}
        with contextlib.suppress(OSError):
            newest = max(os.stat(path).st_mtime for path in paths.values())
            for name, path in paths.items():
                if name != _BASE and newest - os.lstat(path).st_mtime > _OLD_SECONDS:
                    added += self._read(name) or NOTHING
                    os.unlink(path)
        if added != NOTHING:
            self._write(_BASE, base + added)
        return added

    def _read(self, name: str) -> Counts | None:
        try:
            descriptor = os.open(os.path.join(self._place, name), os.O_RDONLY | _SAFE)
        except OSError:
            return None
        try:
            content = os.read(descriptor, _COUNTS.size)
            if name == _BASE:
                # Two clocks that differ make somebody look more often, or less.
                self.is_stale = time.time() - os.fstat(descriptor).st_mtime > _STALE_SECONDS
        finally:
            os.close(descriptor)
        if len(content) < _COUNTS.size:
            return None
        magic, room, entries = _COUNTS.unpack(content)
        return Counts(room, entries) if magic == _MAGIC else None

    def _write(self, name: str, counts: Counts) -> None:
        """Write a file in place: it is one small write, and no reader sees half of it."""
        path = os.path.join(self._place, name)
        flags = os.O_WRONLY | os.O_CREAT | _SAFE
        try:
            descriptor = os.open(path, flags, self._folders.file_mode)
        except FileNotFoundError:
            self._folders.make(self._place)
            descriptor = os.open(path, flags, self._folders.file_mode)
        try:
            if name == _BASE or not self._is_known:
                with contextlib.suppress(OSError):  # another user's
                    self._folders.allow(descriptor)
            os.write(descriptor, _COUNTS.pack(_MAGIC, *counts))
        finally:
            os.close(descriptor)


_ALL: dict[str, Account] = {}


def account_of(folders: Folders) -> Account:
    """Return the account of a folder in this process: one, however many budgets it is given."""
    known = _ALL.get(folders.root)
    return _ALL.setdefault(folders.root, Account(folders)) if known is None else known


# A forked child is a process of its own, that has stored nothing.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_ALL.clear)
