"""An entry -> an open file, its parts uncopied; a large one is checksummed meanwhile."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections import Counter
from collections.abc import Iterable

from neurotools.memo.entry import Blob, Buffer
from neurotools.memo.tiers import helper
from neurotools.memo.watch.deadline import is_limited, moved

#: Bytes written at once where somebody wants to see that something moves.
_PIECE = 8 << 20
#: Parts handed to the operating system at once; POSIX promises 16, Linux takes 1,024.
_VECTOR = 64

#: Parts of smaller files are joined: to copy them takes less time than to look at each.
_SMALL = 64 << 10
#: Room for larger files is asked for first: it is had sooner at once than bit by bit.
_LARGE = 16 << 20
#: Where a file system cannot do that, the C library writes into every block instead. It is then
#: slower than so many bytes per second, and not asked again after so many times.
_SLOWEST, _PATIENCE = 20e9, 3


def write_whole(descriptor: int, blob: Blob) -> None:
    """Write an entry's parts to an open file."""
    if blob.size <= _SMALL:
        content = b"".join(blob.parts)
        if (written := os.write(descriptor, content)) < len(content):
            _write(descriptor, (content[written:],))
        return
    if blob.size >= _LARGE:
        if not is_limited():  # it may take long, and nothing is seen to move
            _reserve(descriptor, blob.size)
        if blob.checksum is not None:
            helper.ask(blob.checksum)
            _write(descriptor, blob.body)
            _write(descriptor, (blob.checksum(),))
            return
    _write(descriptor, blob.parts)


def _write(descriptor: int, parts: Iterable[Buffer]) -> None:
    left = [memoryview(part).cast("B") for part in parts if len(memoryview(part).cast("B"))]
    if is_limited():
        _write_in_pieces(descriptor, left)
        return
    while left:
        left = _after(left, _write_some(descriptor, left[:_VECTOR]))


def _write_some(descriptor: int, vector: list[memoryview]) -> int:
    return (
        os.writev(descriptor, vector) if hasattr(os, "writev") else os.write(descriptor, vector[0])
    )


def _after(left: list[memoryview], written: int) -> list[memoryview]:
    while left and written >= len(left[0]):
        written -= len(left.pop(0))
    if written:
        left[0] = left[0][written:]
    return left


def _write_in_pieces(descriptor: int, left: list[memoryview]) -> None:
    """Write where somebody wants to see that something moves: on to the disk, piece by piece."""
    since = 0
    while left:
        vector = left[:_VECTOR] if len(left[0]) < _SMALL else [left[0][:_PIECE]]
        written = _write_some(descriptor, vector)
        left, since = _after(left, written), since + written
        if since >= _PIECE and left:
            # What the system still holds would go out when the file is closed, unseen.
            _push_out(descriptor)
            since = 0
        moved()


def _push_out(descriptor: int) -> None:
    try:
        getattr(os, "fdatasync", os.fsync)(descriptor)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}:
            raise


#: How often reserving room was slow, by device.
_slow: Counter[int] = Counter()


def _reserve(descriptor: int, size: int) -> None:
    """Ask for a file's room before it is written, where the file system can give it."""
    device = os.fstat(descriptor).st_dev
    if _slow[device] >= _PATIENCE or not hasattr(os, "posix_fallocate"):
        return
    started = time.perf_counter()
    # Where there is no room, writing says so.
    with contextlib.suppress(OSError):
        os.posix_fallocate(descriptor, 0, size)
    if time.perf_counter() - started > size / _SLOWEST:
        _slow[device] += 1
