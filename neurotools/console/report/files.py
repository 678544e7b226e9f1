"""The files of a report: they go over nothing but an earlier report."""

from __future__ import annotations

import os
import stat

from neurotools.memo.errors import CacheError

#: What each of our files has near its beginning, so that it is known again.
MARK = "neurotools report"
_BEGINNING = 2048


class NotOurs(CacheError, FileExistsError):
    """Something lies where a report is to be written, and is none."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} is there and is no report: name another file, or use --force")
        self.path = path


def check(path: str, *, force: bool) -> None:
    """See whether a file may be written.

    Raises
    ------
    NotOurs
        If something else lies there, and ``force`` is false.
    OSError
        If it is a folder, or lies in none, or one cannot write there.
    """
    folder = os.path.dirname(os.path.abspath(path))
    if not stat.S_ISDIR(os.stat(folder).st_mode):
        raise NotADirectoryError(20, "it is no folder", folder)
    if not os.access(folder, os.W_OK):
        raise PermissionError(13, "one cannot write there", folder)
    if os.path.isdir(path):
        raise IsADirectoryError(21, "it is a folder: name a file in it", path)
    if not force and os.path.lexists(path) and not _is_ours(path):
        raise NotOurs(path)


def _is_ours(path: str) -> bool:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return False
        with open(path, "rb") as file:
            return MARK.encode() in file.read(_BEGINNING)
    except OSError:
        return False
