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
        self._spare: list[tuple[mmap.mmap, int]] = []
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
            If no more is to be had; `read` makes a real copy.
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

    def array(self, shape: tuple[int, ...], typestr: str, start: int) -> np.ndarray[Any, Any]:
        """Return an array in C order that lies in a copy.

        Raises
        ------
        OSError
            As `copy` does.
        """
        try:
            mapping, address = self._spare.pop()
        except IndexError:
            mapping = self.copy()
            address = np.frombuffer(mapping, np.uint8).__array_interface__["data"][0]
        return np.asarray(_Lease(self, mapping, address, (shape, typestr, start)))

    def take_back(self, mapping: mmap.mmap, address: int) -> None:
        """Keep a copy that nobody can reach any more, to be given to somebody else."""
        if len(self._spare) < _MOST_SPARE:
            # What was written is forgotten, and the file's content is there again.
            mapping.madvise(mmap.MADV_DONTNEED)
            self._spare.append((mapping, address))

    def read(self, room: memoryview) -> None:
        """Fill a buffer of the same size with the bytes."""
        filled = 0
        while filled < self.size:
            filled += os.preadv(self._descriptor, (room[filled:],), filled)

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError, OSError):
            os.close(self._descriptor)
            _drop()


class _Lease:
    """The owner of a copy that an array lies in.

    The array refers to it, and so does all that sees the array's memory: views and buffers. Once it
    is gone, nobody else has the copy.
    """

    __slots__ = ("__array_interface__", "_address", "_mapping", "_pages")

    def __init__(
        self, pages: Pages, mapping: mmap.mmap, address: int, what: tuple[tuple[int, ...], str, int]
    ) -> None:
        self._pages, self._mapping, self._address = pages, mapping, address
        shape, typestr, start = what
        self.__array_interface__ = {
            "shape": shape,
            "typestr": typestr,
            "data": (address + start, False),
            "version": 3,
        }

    def __del__(self) -> None:
        try:  # noqa: SIM105 - suppress takes as long as all the rest
            self._pages.take_back(self._mapping, self._address)
        except OSError:
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
