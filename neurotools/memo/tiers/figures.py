"""What one file of an account says: small, of one length, written in place by one write.

Not here: what the files of an account are, and what they say together (`account`).
"""

from __future__ import annotations

import os
import struct
from typing import NamedTuple

_COUNTS, _REST = struct.Struct("<8sqq"), struct.Struct("<qqqqq")
_MAGIC = b"NTacct1\n"
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


class Limits(NamedTuple):
    """How much a folder may take, see `neurotools.memo.tiers.limits.Budget`; 0 for no limit."""

    max_bytes: int = 0
    max_entries: int = 0
    min_free: int = 0


NO_LIMITS = Limits()


class Figures(NamedTuple):
    """What a file says.

    Attributes
    ----------
    counts : Counts
        What was added, less what was removed.
    gone : int
        How many entries were removed, in all.
    is_doubted : bool
        Whether somebody should look at the folder soon.
    limits : Limits
        What the process keeps to, and wants others to keep to.
    """

    counts: Counts = NOTHING
    gone: int = 0
    is_doubted: bool = False
    limits: Limits = NO_LIMITS

    def plus(self, other: Figures) -> Figures:
        """Return both together: these, and what another process has counted."""
        return self._replace(counts=self.counts + other.counts, gone=self.gone + other.gone)


def read(path: str) -> tuple[Figures, float] | None:
    """Return what a file says, and when it was written; None where it is no such file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _SAFE)
    except OSError:
        return None
    try:
        content = os.read(descriptor, _COUNTS.size + _REST.size)
        written = os.fstat(descriptor).st_mtime
    except OSError:  # a folder
        return None
    finally:
        os.close(descriptor)
    if len(content) < _COUNTS.size:
        return None
    magic, room, entries = _COUNTS.unpack_from(content)
    if magic != _MAGIC:
        return None
    if len(content) < _COUNTS.size + _REST.size:  # as they were before, or damaged
        return Figures(Counts(room, entries)), written
    gone, doubt, *limits = _REST.unpack_from(content, _COUNTS.size)
    return Figures(Counts(room, entries), gone, bool(doubt), Limits(*limits)), written


def opened(path: str, mode: int) -> int:
    """Return the descriptor of a file that is to be written."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | _SAFE, mode)


def write(descriptor: int, figures: Figures) -> None:
    """Write all of a file: no reader sees half of it."""
    rest = _REST.pack(figures.gone, figures.is_doubted, *figures.limits)
    os.write(descriptor, _COUNTS.pack(_MAGIC, *figures.counts) + rest)
