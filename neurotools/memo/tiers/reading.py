"""The bytes of an open file -> memory, checksummed while they are still in the processor's cache.

A large file is read in chunks by whoever calls, from the front, while a helper thread reads chunks
from the back: the kernel fills fresh memory on two cores. The caller waits for no chunk that the
helper has not begun, so that a helper that gets no turn costs nothing. Where it gets its turns
late, because all processors are busy, nobody asks it for a while.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque

import xxhash

from neurotools.memo.errors import CorruptEntry
from neurotools.memo.tiers import helper
from neurotools.memo.tiers.buffers import aligned
from neurotools.memo.watch.deadline import is_limited, moved

#: What is read at once and checksummed then; smaller than what the cache holds.
_CHUNK = 2 << 20
#: Smaller files are read in one go: a helper would come too late.
_SHARED = 6 << 20

#: The helper was late if the caller waited longer for it than reading so many chunks takes.
_PATIENCE = 3

_HAS_READV, _HAS_PREADV = hasattr(os, "readv"), hasattr(os, "preadv")


def read_whole(
    descriptor: int, size: int, path: str, hasher: xxhash.xxh3_128 | None = None, tail: int = 0
) -> memoryview:
    """Return the bytes of a file in a new buffer.

    Parameters
    ----------
    descriptor : int
        The open file, at its start.
    size : int
        Its length in bytes.
    path : str
        Where it is, for messages.
    hasher : xxh3_128, optional
        Updated with all bytes but the last `tail`.
    tail : int
        How many bytes at the end have no part in the checksum.

    Raises
    ------
    CorruptEntry
        If the file ends early.
    """
    buffer = aligned(size)
    if size < _SHARED or not _HAS_PREADV:
        _fill(descriptor, buffer, path)
        if hasher is not None:
            hasher.update(buffer[: size - tail])
    else:
        _Shared(descriptor, buffer, path).read(hasher, size - tail)
    return buffer


def _fill(descriptor: int, buffer: memoryview, path: str) -> None:
    size, filled = len(buffer), _read_into(descriptor, buffer)
    while filled < size:
        got = _read_into(descriptor, buffer[filled:])
        if not got:
            raise CorruptEntry(path, f"it ends at byte {filled} of {size}")
        filled += got


def _read_into(descriptor: int, room: memoryview) -> int:
    if _HAS_READV:
        return os.readv(descriptor, (room,))
    content = os.read(descriptor, len(room))  # Windows
    room[: len(content)] = content
    return len(content)


class _Shared:
    """One large file, read by two threads."""

    def __init__(self, descriptor: int, buffer: memoryview, path: str) -> None:
        self.descriptor, self.buffer, self.path = descriptor, buffer, path
        self.count = -(-len(buffer) // _CHUNK)
        # Both ends give each chunk to one taker: what one thread takes, the other does not see.
        self.chunks = deque(range(self.count))
        self.own, self.started = 0, 0.0
        self.done = threading.Event()
        self.error: BaseException | None = None

    def read(self, hasher: xxhash.xxh3_128 | None, end: int) -> None:
        self.started = time.perf_counter()
        # Its one thread must not be left behind in a place that hangs.
        if not is_limited():
            helper.ask(self.help)
        try:
            self.read_front(hasher, end)
        finally:
            # The descriptor is closed after us. What is left is left where reading has failed.
            left = list(iter(self.take_last, None))
            if self.own + len(left) < self.count:
                self.wait(time.perf_counter())
        if self.error is not None:
            raise self.error
        if hasher is not None:
            hasher.update(self.buffer[self.own * _CHUNK : end])
        # A helper that comes only now is not to keep the memory from being used again.
        self.buffer = memoryview(b"")

    def wait(self, now: float) -> None:
        self.done.wait()
        # A chunk that took longer than several of ours: the other processor has other work.
        late = time.perf_counter() - now > _PATIENCE * (now - self.started) / max(self.own, 1)
        helper.rest(late=late)

    def read_front(self, hasher: xxhash.xxh3_128 | None, end: int) -> None:
        while (chunk := self.take_first()) is not None:
            self.own += 1
            self.fill(chunk)
            if hasher is not None:
                hasher.update(self.buffer[chunk * _CHUNK : min((chunk + 1) * _CHUNK, end)])

    def take_first(self) -> int | None:
        try:
            return self.chunks.popleft()
        except IndexError:
            return None

    def take_last(self) -> int | None:
        try:
            return self.chunks.pop()
        except IndexError:
            return None

    def help(self) -> None:
        try:
            while (chunk := self.take_last()) is not None:
                self.fill(chunk)
        except BaseException as error:  # raised where the result is waited for
            self.error = error
        finally:
            self.done.set()

    def fill(self, chunk: int) -> None:
        start = chunk * _CHUNK
        end = min(start + _CHUNK, len(self.buffer))
        while start < end:
            got = os.preadv(self.descriptor, (self.buffer[start:end],), start)
            if not got:
                raise CorruptEntry(self.path, f"it ends at byte {start} of {len(self.buffer)}")
            start += got
            moved()
