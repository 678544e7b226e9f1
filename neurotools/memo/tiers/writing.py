"""An entry -> an open file, its parts uncopied; a large one is checksummed meanwhile."""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from collections.abc import Iterable

from neurotools.memo.entry import Blob, Buffer
from neurotools.memo.tiers import helper

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
    if blob.size >= _LARGE:
        _reserve(descriptor, blob.size)
        if blob.checksum is not None:
            helper.ask(blob.checksum)
            _write(descriptor, blob.body)
            _write(descriptor, (blob.checksum(),))
            return
    if blob.size <= _SMALL:
        content = b"".join(blob.parts)
        if (written := os.write(descriptor, content)) < len(content):
            _write(descriptor, (content[written:],))
        return
    _write(descriptor, blob.parts)


def _write(descriptor: int, parts: Iterable[Buffer]) -> None:
    left = [memoryview(part).cast("B") for part in parts if len(memoryview(part).cast("B"))]
    while left:
        vector = left[:_VECTOR]
        written = (
            os.writev(descriptor, vector)
            if hasattr(os, "writev")
            else os.write(descriptor, left[0])
        )
        while left and written >= len(left[0]):
            written -= len(left.pop(0))
        if written:
            left[0] = left[0][written:]


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
