"""Small files, written under another name and renamed: a reader never sees half of one.

Not here: entries of a cache (`neurotools.memo.tiers.committing`).
"""

from __future__ import annotations

import contextlib
import os
import stat
import time

#: So much of a name stands in that of the file that is written first.
_LONGEST = 200


def write(path: str, content: bytes, *, is_private: bool = True) -> None:
    """Write a small file whole or not at all; until all of it is there, what was there stays.

    Parameters
    ----------
    path : str
        Where; its folder is made if there is none.
    content : bytes
        All of it.
    is_private : bool
        Whether it is as private as its folder allows, or as any file that a program writes.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    descriptor, temporary = create(path, is_private=is_private)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def create(path: str, *, is_private: bool = True) -> tuple[int, str]:
    """Make a new file beside a path, and its folder; return its descriptor and its path."""
    folder, name = os.path.split(os.path.abspath(path))
    os.makedirs(folder, mode=0o700, exist_ok=True)
    # A name may be as long as names can be.
    new = f"{name[:_LONGEST]}.{os.getpid()}-{time.monotonic_ns():x}.tmp"
    temporary = os.path.join(folder, new)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    flags |= getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(temporary, flags, 0o600 if is_private else 0o666)
    mode = os.stat(folder).st_mode
    is_shared = mode & stat.S_ISGID and mode & stat.S_IWGRP
    if is_private and is_shared and hasattr(os, "fchmod"):
        os.fchmod(descriptor, 0o660)  # the folder is shared with a group
    return descriptor, temporary
