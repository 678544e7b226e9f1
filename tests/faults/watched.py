"""Steers `watch.c`, which is preloaded into a process: what it does to files, and where it dies."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

#: Where a process kills itself: at which moment of the chosen operation.
BEFORE, MIDDLE, AFTER = 0, 1, 2

_HEAD = struct.Struct("<ciqQQ")


class Operation(NamedTuple):
    """One thing that was done below the watched folder.

    Attributes
    ----------
    what : str
        Letter: open, write, truncate, allocate, fsync, close, rename, unlink, mkdir, d for rmdir,
        note.
    fd, place : int
        The descriptor; offset, size or flags.
    one, two : bytes
        Paths, or data, or a note's text.
    """

    what: str
    fd: int
    place: int
    one: bytes
    two: bytes


def reason_against() -> str:
    """Return why a process cannot be watched here; nothing if it can be."""
    if sys.platform != "linux":
        return "preloading as it is done here is Linux's"
    return "" if shutil.which("cc") else "there is no C compiler"


@functools.cache
def compiled(name: str) -> str:
    """Return the path of a library made of a source beside this file."""
    source = Path(__file__).with_name(f"{name}.c")
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    made = Path(tempfile.gettempdir(), f"neurotools-{name}-{os.getuid()}-{digest}.so")
    if not made.exists():
        with tempfile.TemporaryDirectory() as folder:
            fresh = Path(folder, "made.so")
            command = ["cc", "-shared", "-fPIC", "-O1", "-o", fresh, source, "-ldl", "-lpthread"]
            subprocess.run(command, check=True)
            partial = made.with_suffix(f".{os.getpid()}")
            shutil.copy(fresh, partial)
            os.replace(partial, made)
    return str(made)


def environment(name: str) -> dict[str, str]:
    """Return the environment of a process that has a library preloaded."""
    return {**os.environ, "LD_PRELOAD": compiled(name)}


def is_watched() -> bool:
    """Return whether this process can be watched."""
    return hasattr(ctypes.CDLL(None), "watch_below")


def watch(folder: str, log: int = -1) -> None:
    """Begin to watch what this process does below a folder, writing it to a descriptor."""
    ctypes.CDLL(None).watch_below(os.fsencode(folder), log)


def kill_at(number: int, when: int) -> None:
    """Have this process killed at one of its next operations."""
    ctypes.CDLL(None).watch_kill(ctypes.c_long(number), when)


def note(text: str) -> None:
    """Write something to the log, between the operations."""
    ctypes.CDLL(None).watch_note(text.encode())


def operations(log: bytes) -> Iterator[Operation]:
    """Read a log back."""
    place = 0
    while place < len(log):
        what, fd, number, first, second = _HEAD.unpack_from(log, place)
        place += _HEAD.size
        one, two = log[place : place + first], log[place + first : place + first + second]
        place += first + second
        yield Operation(what.decode(), fd, number, one, two)
