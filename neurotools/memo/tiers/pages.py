"""Bytes in memory of which any number of copies can be had at once, each free to be changed.

The bytes lie in a file that has no name and exists in memory alone. A copy is a private mapping of
it: the operating system copies a page when it is first written to. So a copy costs the same few
microseconds whatever its size; reading it all costs as much as to make a real copy and read that,
writing to all of it some five times more. Only Linux has such files; elsewhere, copies are real.
"""

from __future__ import annotations

import contextlib
import functools
import mmap
import os
import sys
from typing import Any

import numpy as np

from neurotools.memo.entry import Blob
from neurotools.memo.tiers.buffers import aligned
from neurotools.memo.tiers.writing import write_whole

#: What is smaller is copied sooner than it is mapped.
SMALLEST = 256 << 10

#: One item for each descriptor in use; a list, since it counts in single steps among threads.
_IN_USE: list[None] = []
#: Copies kept for later of one entry: they have no content of their own, only addresses.
_MOST_SPARE = 2
#: Before Python 3.13, each mapping holds a descriptor of its own.
_MAPPINGS_HOLD_ONE = sys.version_info < (3, 13)


class Pages:
    """An entry's bytes in a file in memory.

    Parameters
    ----------
    blob : Blob
        The entry.

    Raises
    ------
    OSError
        If there are no such files here, or no descriptors left.
    """

    def __init__(self, blob: Blob) -> None:
        if not hasattr(os, "memfd_create"):
            raise OSError("no files in memory here")
        self.size = blob.size
        _take()
        try:
            self._descriptor = os.memfd_create("neurotools", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        except BaseException:
            _drop()
            raise
        write_whole(self._descriptor, blob)
        _seal(self._descriptor)

    def copy(self) -> mmap.mmap:
        """Return a private mapping.

        Raises
        ------
        OSError
            If no more is to be had; `copied` makes a real one then.
        """
        if not _MAPPINGS_HOLD_ONE:
            options: dict[str, Any] = {"trackfd": False}
            return mmap.mmap(self._descriptor, self.size, access=mmap.ACCESS_COPY, **options)
        _take()
        try:
            return _Mapping(self._descriptor, self.size, access=mmap.ACCESS_COPY)
        except BaseException:
            _drop()
            raise

    def copied(self) -> Any:
        """Return a private mapping, or where there are no more to be had, a real copy."""
        try:
            return self.copy()
        except OSError:
            room = aligned(self.size)
            self.read(room)
            return room

    def read(self, room: memoryview) -> None:
        """Fill a buffer of the same size with the bytes."""
        filled = 0
        while filled < self.size:
            filled += os.preadv(self._descriptor, (room[filled:],), filled)

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError, OSError):
            os.close(self._descriptor)
            _drop()


class Arrays:
    """Arrays in C order, all alike, each in a copy of its own.

    Parameters
    ----------
    pages : Pages
        What is copied.
    shape : tuple of int
        The arrays'.
    typestr : str
        Their type, as ``numpy.dtype.str`` gives it.
    start : int
        Where they begin, in bytes.
    """

    def __init__(self, pages: Pages, shape: tuple[int, ...], typestr: str, start: int) -> None:
        self._pages, self._start = pages, start
        self._facts: dict[str, Any] = {"shape": shape, "typestr": typestr, "version": 3}
        #: Copies that nobody can reach any more, each with the array that lies in it.
        self.spare: list[tuple[mmap.mmap, dict[str, Any]]] = []

    def make(self) -> np.ndarray[Any, Any]:
        """Return an array; in a real copy where there are no more mappings to be had."""
        lease = _Lease()
        try:
            lease.mapping, lease.__array_interface__ = self.spare.pop()
        except IndexError:
            copy, facts = self._pages.copied(), self._facts
            if not isinstance(copy, mmap.mmap):
                return np.ndarray(facts["shape"], facts["typestr"], copy, self._start)
            address = np.frombuffer(copy, np.uint8).__array_interface__["data"][0]
            lease.mapping = copy
            lease.__array_interface__ = {**facts, "data": (address + self._start, False)}
        lease.spare = self.spare
        return np.asarray(lease)


class _Lease:
    """The owner of a copy that an array lies in.

    The array refers to it, and so does all that sees the array's memory: views and buffers. Once it
    is gone, nobody else has the copy, and somebody else may.
    """

    __slots__ = ("__array_interface__", "mapping", "spare")

    mapping: mmap.mmap
    spare: list[tuple[mmap.mmap, dict[str, Any]]]
    __array_interface__: dict[str, Any]

    def __del__(self) -> None:
        try:
            spare = self.spare
            if len(spare) < _MOST_SPARE:
                # What was written is forgotten, and the file's content is there again.
                self.mapping.madvise(mmap.MADV_DONTNEED)
                spare.append((self.mapping, self.__array_interface__))
        except (OSError, AttributeError):  # it was interrupted before it had a copy
            pass


class _Mapping(mmap.mmap):
    """A mapping that counts its descriptor."""

    def __del__(self) -> None:
        _drop()


def _take() -> None:
    """Count a descriptor, or refuse: the user's own files need some, too."""
    if len(_IN_USE) >= _most():
        raise OSError(f"{len(_IN_USE)} descriptors are in use for results in memory")
    _IN_USE.append(None)


def _drop() -> None:
    # An interrupt may have had one counted off twice.
    with contextlib.suppress(IndexError):
        _IN_USE.pop()


@functools.cache
def _most() -> int:
    """Return how many descriptors may be in use: a quarter of what a process may have."""
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1 << 16 if soft == resource.RLIM_INFINITY else min(soft // 4, 1 << 16)


def _seal(descriptor: int) -> None:
    """Let nobody write to a file any more, not even by mistake."""
    import fcntl

    with contextlib.suppress(OSError, AttributeError):
        seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
