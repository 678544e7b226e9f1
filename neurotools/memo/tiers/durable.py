"""Files and folders -> what stays when the power fails. Loaded for ``durability='power'`` only.

What was written lies in the computer's memory first, for half a minute or so. Here the system is
asked to bring it to the disk, and to say when it is there. A file's name is content of its folder:
it is brought there for itself.
"""

from __future__ import annotations

import contextlib
import errno
import os

#: What systems answer where folders cannot be brought to the disk for themselves: SMB among others.
_NOT_OFFERED = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS}


def keep_file(descriptor: int) -> None:
    """Return when an open file's content is on the disk."""
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        # On macOS, fsync leaves it in the memory of the disk; not every file system offers this.
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # type: ignore[attr-defined,unused-ignore]
        return
    os.fsync(descriptor)


def keep_names(folder: str) -> None:
    """Return when the names of a folder's files are on the disk."""
    if os.name == "nt":
        return  # Folders cannot be opened there; NTFS keeps a journal of names.
    descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        keep_file(descriptor)
    except OSError as error:
        if error.errno not in _NOT_OFFERED:
            raise
    finally:
        os.close(descriptor)


def keep_way(folder: str) -> None:
    """Return when a folder's own name, and those of the folders above it, are on the disk."""
    device = os.stat(folder).st_dev
    above = os.path.dirname(folder)
    # Whoever made these folders, perhaps a moment ago, need not have waited for the disk.
    while above != folder and os.stat(above).st_dev == device:
        # What only others can list, only others have made.
        with contextlib.suppress(PermissionError):
            keep_names(above)
        folder, above = above, os.path.dirname(above)
