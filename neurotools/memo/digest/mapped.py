"""Arrays in files that are mapped to be read -> digests, remembered while nobody can have written.

The plain road reads all of an array at each call. What was found is remembered where four things
hold, then and now: the array cannot be written to; the file on disk is the one that is mapped; its
size and times are what they were, and not of this very moment; and nobody has it open for writing.
The last is what the kernel says when asked for a lease, which it gives for no file with a writer:
who writes through a mapping may change a file twice and its times once, but not without having it
open. Only Linux gives leases, and only to the owner of a file; elsewhere the plain road is taken.

Not here: arrays in memory (`watched`).
"""

from __future__ import annotations

import contextlib
import mmap
import os
import sys
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from neurotools.memo.digest.files import Identity, identity, is_settled
from neurotools.memo.digest.mounts import is_elsewhere

#: Smaller arrays are read again in less time than it takes to ask for their file.
SMALLEST = 256 << 10
_REMEMBERED = 1024

Array = np.ndarray[Any, Any]

#: Where an array lies and how -> its mapping, its file as it was then, and the digest.
_known: dict[tuple[Any, ...], tuple[weakref.ref[mmap.mmap], Identity, bytes]] = {}


def content(array: Array, digest: Callable[[Array], bytes]) -> bytes:
    """Return the digest of an array's elements, the one remembered if it must be the same.

    Parameters
    ----------
    array : ndarray
        Any.
    digest : callable
        The plain road.
    """
    if array.nbytes < SMALLEST or array.flags.writeable or array.dtype.names is not None:
        return digest(array)
    mapping, path = _mapping_and_path(array)
    if mapping is None:
        return digest(array)
    interface = array.__array_interface__
    address = interface["data"][0]
    place = address, array.shape, array.strides, array.dtype.str
    known = _known.get(place)
    if known is not None and known[0]() is not mapping:
        known = None
    before = _quiet(path, known and known[1])
    if before is None:
        return digest(array)
    if known is not None and known[1] == before:
        return known[2]
    found = digest(array)
    if _mapped_file(address) == before[:2] and _quiet(path) == before:
        if len(_known) >= _REMEMBERED:
            _known.clear()
        _known[place] = weakref.ref(mapping), before, found
    return found


def _mapping_and_path(array: Array) -> tuple[mmap.mmap | None, str]:
    """Return what an array lies in, if that is a mapped file that cannot be written to."""
    path, base = "", array  # type: str, Any
    while isinstance(base, np.ndarray):
        if base.flags.writeable:
            return None, ""
        # Set by numpy on its own memory maps.
        path = str(getattr(base, "filename", None) or path)
        base = base.base
    if type(base) is memoryview:
        base = base.obj
    if type(base) is not mmap.mmap or not path or not memoryview(base).readonly:
        return None, ""
    return base, path


def _quiet(path: str, known: Identity | None = None) -> Identity | None:
    """Return what identifies a file as it is now, or None if somebody may be writing to it.

    What is known was not of the moment when it was seen first.
    """
    if sys.platform != "linux":
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
        found = identity(status)
        if found != known and (not is_settled(status) or is_elsewhere(status.st_dev)):
            return None  # the kernel knows of no writers on other computers
        return found if _has_no_writer(descriptor) else None
    finally:
        os.close(descriptor)


def _has_no_writer(descriptor: int) -> bool:
    import fcntl
    import signal

    try:
        # Who opens the file in these microseconds waits for us, and we are sent a signal. The usual
        # one would end the process; this one does nothing unless somebody asks for it.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError:
        return False
    return True


def _mapped_file(address: int) -> tuple[int, int] | None:
    """Return device and inode of the file that is mapped at an address."""
    with contextlib.suppress(OSError, ValueError), open("/proc/self/maps", "rb") as maps:
        for line in maps:
            place, _, _, device, inode, *_ = line.split()
            first, end = (int(number, 16) for number in place.split(b"-"))
            if first <= address < end:
                major, minor = (int(number, 16) for number in device.split(b":"))
                return os.makedev(major, minor), int(inode)
    return None
