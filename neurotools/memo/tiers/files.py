"""Single files of a cache, opened so that nothing odd in their place leads away or hangs.

Not here: reading all of an entry (`reading`), and who may have written it (`trust`).
"""

from __future__ import annotations

import functools
import itertools
import operator
import os
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from neurotools.memo.entry import Record
from neurotools.memo.errors import CorruptEntry
from neurotools.memo.formats.registry import FORMATS
from neurotools.memo.seal import CHECKSUM_SIZE, SIZE, check_foot, record_of
from neurotools.memo.tiers.reading import read_whole
from neurotools.memo.tiers.trust import Trust
from neurotools.memo.watch.deadline import is_limited, moved

#: What code the entries of a folder were computed with; a larger one is none of ours.
MANIFEST, MANIFEST_LIMIT = "manifest.json", 64 << 20

# O_NOFOLLOW and O_NONBLOCK: a symbolic link or FIFO laid in place of an entry neither leads away
# nor hangs. Windows has neither them nor such files; it needs O_BINARY instead.
READ = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def is_entry(name: str) -> bool:
    """Tell whether a file is named as an entry is."""
    call, _, method = name.rpartition(".")
    return bool(call) and method in FORMATS


def names_to_remove(folder: str) -> list[str]:
    """Return the names in a folder, in an order in which they are removed quickly."""
    with os.scandir(folder) as found:
        if os.name == "nt":
            return [entry.name for entry in found]
        # As they lie on the disk: of many files, each is elsewhere than the one listed before it.
        return [entry.name for entry in sorted(found, key=os.DirEntry.inode)]


#: So many files are removed between two looks at how it goes.
_AT_ONCE = 128


def removed(folder: str, names: Iterable[str]) -> Iterator[list[str]]:
    """Remove files of a folder; give those that were there, some at a time."""
    # A folder that is open is not looked up anew for each of its files.
    open_folder = os.open(folder, os.O_RDONLY) if os.unlink in os.supports_dir_fd else None
    some = 1 if is_limited() else _AT_ONCE
    left = iter(names)
    try:
        while batch := list(itertools.islice(left, some)):
            moved()
            if open_folder is None:
                yield _unlinked(folder, batch, lambda name: os.unlink(os.path.join(folder, name)))
            else:
                yield _unlinked(folder, batch, functools.partial(os.unlink, dir_fd=open_folder))
    finally:
        if open_folder is not None:
            os.close(open_folder)


def _unlinked(folder: str, names: list[str], unlink: Callable[[str], None]) -> list[str]:
    """Remove files; return those that were there."""
    gone, left = list(names), iter(names)
    while True:
        try:
            deque(map(unlink, left), maxlen=0)  # without a line of Python for each
            return gone
        except (FileNotFoundError, IsADirectoryError):
            failed = names[-1 - operator.length_hint(left)]
        except PermissionError:
            failed = names[-1 - operator.length_hint(left)]
            if not os.path.isdir(os.path.join(folder, failed)):
                raise
            # macOS says so of folders
        gone.remove(failed)


#: A record is read from the last bytes of a file; a second look is taken where it is longer.
_TAIL, _TAIL_LIMIT = 4096, 1 << 20


def read_record(path: str) -> Record:
    """Return the record of an entry's file, without reading its payload or verifying it.

    Raises
    ------
    CorruptEntry
        If the file is no entry.
    """
    with open(path, "rb", opener=_regular) as file:
        size = os.fstat(file.fileno()).st_size
        for wanted in (_TAIL, _TAIL_LIMIT):
            file.seek(max(0, size - wanted))
            try:
                return record_of(file.read(wanted), path)
            except CorruptEntry:
                if wanted == _TAIL_LIMIT or wanted >= size:
                    raise
    raise AssertionError("unreachable")


def read_checksum(path: str) -> bytes:
    """Return the checksum that an entry's file carries, unverified."""
    with open(path, "rb", opener=_regular) as file:
        file.seek(-CHECKSUM_SIZE, os.SEEK_END)
        return file.read(CHECKSUM_SIZE)


def check_end(descriptor: int, facts: os.stat_result, path: str) -> None:
    """Look at the end of a large file before memory is asked for: it may be holes alone."""
    os.lseek(descriptor, facts.st_size - SIZE, os.SEEK_SET)
    check_foot(os.read(descriptor, SIZE), facts.st_size, path)
    os.lseek(descriptor, 0, os.SEEK_SET)


def is_file(path: str) -> bool:
    """Tell whether there is a file with content, no link to one."""
    try:
        facts = os.lstat(path)
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(facts.st_mode) and facts.st_size > 0


def _regular(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | READ)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise CorruptEntry(path, "it is no regular file")
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_bounded(path: str, trust: Trust | None = None) -> bytes | None:
    """Return a small file that is no entry; None where there is none, or something else."""
    try:
        descriptor = os.open(path, READ)
    except OSError:
        return None
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > MANIFEST_LIMIT:
            return None
        if trust is not None and trust.in_file(path, facts) is not None:
            return None
        return bytes(read_whole(descriptor, facts.st_size, path))
    except (CorruptEntry, OSError):
        return None
    finally:
        os.close(descriptor)
