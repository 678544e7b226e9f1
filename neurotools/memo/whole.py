"""Small files, written under another name and renamed: a reader never sees half of one.

Not here: entries of a cache (`neurotools.memo.tiers.committing`).
"""

from __future__ import annotations

import contextlib
import os
import stat
import time


def write(path: str, content: bytes) -> None:
    """Write a small file whole or not at all, as private as its folder allows.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    descriptor, temporary = create(path)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def create(path: str) -> tuple[int, str]:
    """Make a new file beside a path, and its folder; return its descriptor and its path."""
    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    temporary = f"{path}.{os.getpid()}-{time.monotonic_ns():x}.tmp"
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temporary, flags | getattr(os, "O_CLOEXEC", 0), 0o600)
    mode = os.stat(folder).st_mode
    if mode & stat.S_ISGID and mode & stat.S_IWGRP and hasattr(os, "fchmod"):
        os.fchmod(descriptor, 0o660)  # the folder is shared with a group
    return descriptor, temporary
