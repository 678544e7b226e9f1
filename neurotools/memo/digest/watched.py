"""Arrays in memory that are marked as read-only -> digests, remembered while nobody writes there.

The mark alone proves nothing: it can be taken off and put on again. So the kernel is asked. It
marks the pages that an array fills (`userfaultfd`, write-protected, asynchronous), lets whoever
writes to one of them do so, and tells afterwards which were written to (`PAGEMAP_SCAN`), in some
microseconds for a hundred megabytes. Pages that are filled in part are compared byte by byte.

Linux 6.7 and later, where the sandbox allows it; elsewhere the plain road is taken: all of an
array is read at each call. So it is for arrays that can be written to, and for memory that the
array does not own: other processes may share it. What a device writes without the processor's
knowledge cannot be seen; it has no business in a read-only array.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import mmap
import os
import platform
import struct
import sys
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from neurotools.memo import forks
from neurotools.memo.digest.arrays import LARGE

#: Each watched array splits the process's map in more pieces, of which there may be 65,530.
_MOST = 256
#: Digests of views that are remembered with one array.
_MOST_VIEWS = 64

Array = np.ndarray[Any, Any]

#: From the kernel's headers: userfaultfd.h, fs.h and the tables of system calls.
_SYSTEM_CALL = {"x86_64": 323, "aarch64": 282}
_USER_MODE_ONLY = 1
_API, _REGISTER, _UNREGISTER, _PROTECT = 0xC018AA3F, 0xC020AA00, 0x8010AA01, 0xC018AA06
_API_VERSION, _FEATURES = (
    0xAA,
    1 << 0 | 1 << 13 | 1 << 15,
)  # write-protect, unpopulated, asynchronous
_MODE_WRITE_PROTECT, _PROTECT_IT = 2, 1
_SCAN, _ONLY_WATCHED, _IS_WRITTEN = 0xC0606610, 2, 2
_QUESTION, _ANSWER_BYTES = struct.Struct("12Q"), 24


class _Kernel:
    """The line of this process to the kernel.

    Raises
    ------
    OSError
        If the kernel cannot watch memory, or may not.
    """

    def __init__(self) -> None:
        import ctypes
        import fcntl

        self._ioctl, self._read = fcntl.ioctl, ctypes.string_at
        self._watcher = self._pages = -1
        number = _SYSTEM_CALL.get(platform.machine())
        if number is None or sys.platform != "linux":
            raise OSError("not known how to watch memory here")
        library = ctypes.CDLL(None, use_errno=True)
        self._watcher = library.syscall(number, os.O_CLOEXEC | _USER_MODE_ONLY)
        if self._watcher < 0:
            raise OSError(ctypes.get_errno(), "memory cannot be watched")
        self._ask(_API, struct.pack("QQQ", _API_VERSION, _FEATURES, 0))
        self._pages = os.open("/proc/self/pagemap", os.O_RDONLY | os.O_CLOEXEC)
        # The kernel writes here which pages were written to; one is enough to know.
        self._found = ctypes.create_string_buffer(_ANSWER_BYTES)
        self._found_at = ctypes.addressof(self._found)

    def _ask(self, what: int, arguments: bytes) -> None:
        self._ioctl(self._watcher, what, bytearray(arguments))

    def watch(self, start: int, size: int) -> None:
        self._ask(_REGISTER, struct.pack("QQQQ", start, size, _MODE_WRITE_PROTECT, 0))

    def protect(self, start: int, size: int) -> None:
        self._ask(_PROTECT, struct.pack("QQQ", start, size, _PROTECT_IT))

    def forget(self, start: int, size: int) -> None:
        self._ask(_UNREGISTER, struct.pack("QQ", start, size))

    def is_written(self, start: int, size: int) -> bool:
        """Tell whether somebody wrote to these pages since they were protected.

        Raises
        ------
        OSError
            If they are not watched: other memory lies there now.
        """
        where = (_ONLY_WATCHED, start, start + size, 0)
        what = (self._found_at, 1, 1, 0, _IS_WRITTEN, 0, _IS_WRITTEN)
        question = bytearray(_QUESTION.pack(_QUESTION.size, *where, *what))
        pages: int = self._ioctl(self._pages, _SCAN, question)
        return pages > 0

    def bytes_at(self, places: Iterable[tuple[int, int]]) -> list[bytes]:
        """Return what stands in memory, each place an address and a size."""
        return [self._read(address, size) for address, size in places]

    def __del__(self) -> None:
        for descriptor in (self._watcher, self._pages):
            if descriptor >= 0:
                with contextlib.suppress(OSError):
                    os.close(descriptor)


@functools.cache
def _kernel() -> _Kernel | None:
    """Return this process's line to the kernel, or None if there can be none."""
    try:
        return _Kernel()
    except (OSError, ImportError, AttributeError):
        return None


class _Watch:
    """A piece of memory, watched.

    Who owns it does not matter: while nobody writes there, what is there stays the same.
    """

    def __init__(self, kernel: _Kernel, address: int, size: int) -> None:
        self._kernel = kernel
        page = mmap.PAGESIZE
        self._start = -(-address // page) * page
        end = (address + size) // page * page
        self._size = end - self._start
        self._edges = (address, self._start - address), (end, address + size - end)
        self._ends: list[bytes] = []
        #: How often it began: what was digested before says nothing.
        self.beginnings = 0
        #: How a view lies in the memory -> its digest.
        self.digests: dict[tuple[Any, ...], bytes] = {}

    def begin(self) -> None:
        """Protect the memory; what is digested from now on may be remembered."""
        self.beginnings += 1
        self.digests.clear()
        # Again, too: other memory may have come to lie there.
        self._kernel.watch(self._start, self._size)
        self._kernel.protect(self._start, self._size)
        self._ends = self._kernel.bytes_at(self._edges)

    def is_untouched(self) -> bool:
        """Tell whether the memory is what it was at the beginning."""
        try:
            written = self._kernel.is_written(self._start, self._size)
        except OSError:
            return False
        return not written and self._ends == self._kernel.bytes_at(self._edges)

    def end(self) -> None:
        with contextlib.suppress(OSError):
            self._kernel.forget(self._start, self._size)


#: Address and size -> the watch over what lies there; the one begun first stands first.
_watches: dict[tuple[int, int], _Watch] = {}
_lock = forks.lock_of(__name__)


def content(array: Array, digest: Callable[[Array], bytes]) -> bytes:
    """Return the digest of an array's elements, the one remembered if it must be the same.

    Parameters
    ----------
    array : ndarray
        Any.
    digest : callable
        The plain road.
    """
    owner = _owner(array)
    if owner is None:
        return digest(array)
    view = array.__array_interface__["data"][0], array.shape, array.strides, array.dtype.str
    with _lock:
        watch = _watch(owner.__array_interface__["data"][0], owner.nbytes)
        known = None if watch is None else watch.digests.get(view)
        beginning = 0 if watch is None else watch.beginnings
    if known is not None:
        return known
    # Outside of the lock: other threads read their arrays meanwhile.
    found = digest(array)
    if watch is None:
        return found
    with _lock:
        same = watch.beginnings == beginning and watch.is_untouched()
        if same and len(watch.digests) < _MOST_VIEWS:
            watch.digests[view] = found
    return found


def _owner(array: Array) -> Array | None:
    """Return what owns an array's memory, if neither may be written to and nobody else has it."""
    if array.dtype.names is not None:
        return None
    owner: Any = array
    while not owner.flags.writeable:
        if owner.flags.owndata:
            # Others' allocators may give memory that more than one process sees.
            solid = owner.flags.forc and owner.nbytes >= LARGE
            return owner if solid and _allocator()(owner) == "default_allocator" else None
        owner = owner.base
        if not isinstance(owner, np.ndarray):
            return None
    return None


@functools.cache
def _allocator() -> Callable[[Array], str | None]:
    """Return numpy's function that names an array's allocator."""
    package = "numpy._core" if np.lib.NumpyVersion(np.__version__) >= "2.0.0" else "numpy.core"
    found: Callable[[Array], str | None] = importlib.import_module(
        f"{package}.multiarray"
    ).get_handler_name
    return found


def _watch(address: int, size: int) -> _Watch | None:
    """Return the watch over memory as it is now, or None if there can be none."""
    kernel = _kernel()
    if kernel is None:
        return None
    watch = _watches.get((address, size))
    try:
        if watch is None:
            if len(_watches) >= _MOST:
                _watches.pop(next(iter(_watches))).end()
            watch = _Watch(kernel, address, size)
            watch.begin()
            _watches[address, size] = watch
        elif not watch.is_untouched():
            watch.begin()
    except OSError:
        return None
    return watch


def _forget() -> None:
    """Start afresh in a forked child: its parent's line would watch its parent's memory."""
    _watches.clear()
    _kernel.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
