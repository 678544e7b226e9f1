"""The folders of one cache: made with safe modes, and cleared of what is in their way.

Modes do not follow the process's umask: what is created is private to the user, or shared with a
group where that was asked for. Not here: who may have written what is there (`trust`).
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import stat
import time
from collections.abc import Iterator

from neurotools.memo.errors import UnknownChoice, UntrustedPlace, UnusableLocation
from neurotools.memo.log import Log
from neurotools.memo.tiers.trust import Trust

log = Log(__name__)

#: Folder for what is no entry; never part of a function's path, which begins with a module.
PRIVATE = ".neurotools"
#: Windows knows no such modes.
_HAS_FCHMOD = hasattr(os, "fchmod")
#: Bytes that a name and a path may have on any disk; a disk that is broken may say so of others.
_LONGEST_NAME, _LONGEST_PATH = 255, 4095
#: Of what was set aside, so many files stay, and so many bytes: the newest.
MOST_DAMAGED, DAMAGED_LIMIT = 16, 1 << 30


class Folders:
    """The folders of one cache.

    Parameters
    ----------
    root : str
        The cache's folder, an absolute path.
    trust : Trust
        Whose symbolic links are followed.
    shared : {None, 'group'}
        With whom what is created is shared.

    Attributes
    ----------
    file_mode : int
        The mode of new files.
    opener : callable
        Opens a new file in that mode, see `open`.

    Raises
    ------
    UnknownChoice
        If it cannot be shared so.
    """

    def __init__(self, root: str, trust: Trust, shared: str | None = None) -> None:
        if shared not in {None, "group"}:
            raise UnknownChoice("shared", shared, ["None", "group"])
        self.root, self.shared, self._trust = root, shared, trust
        self.file_mode = 0o600 if shared is None else 0o660
        self.opener = functools.partial(os.open, mode=self.file_mode)

    def make_root(self) -> None:
        """Make the cache's folder, with its parents."""
        self._make_above(self.root)

    def _make_above(self, folder: str) -> None:
        if os.path.isdir(folder):
            return
        try:
            self._make_one(folder)
        except FileExistsError:
            if not os.path.isdir(folder):
                raise
        except FileNotFoundError:
            parent = os.path.dirname(folder)
            if parent == folder:
                raise
            self._make_above(parent)
            with contextlib.suppress(FileExistsError):
                self._make_one(folder)

    def make(self, folder: str) -> None:
        """Make a folder below the root; what lies in the way and is no folder is set aside.

        Raises
        ------
        UntrustedPlace
            If a symbolic link on the way is another's.
        OSError
            If it cannot be made.
        """
        if not os.path.lexists(self.root):
            self.make_root()
        for place in self._down_to(folder):
            with contextlib.suppress(FileExistsError):
                self._make_one(place)
                continue
            if not self._is_folder(place):
                self._clear(place)
                self._make_one(place)

    def check(self, folder: str) -> None:
        """Raise `UntrustedPlace` if a symbolic link on the way to a folder is another's."""
        for place in self._down_to(folder):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                self._is_folder(place)

    def allow(self, descriptor: int) -> None:
        """Give a new file the mode that it is to have, whatever the umask took from it."""
        if _HAS_FCHMOD:
            os.fchmod(descriptor, self.file_mode)

    def _down_to(self, folder: str) -> Iterator[str]:
        place = self.root
        for name in folder[len(self.root) :].split(os.sep):
            if name:
                place = f"{place.rstrip(os.sep)}{os.sep}{name}"
                yield place

    def _is_folder(self, place: str) -> bool:
        facts = os.lstat(place)
        if self._trust.leads_away(facts):
            raise UntrustedPlace(place, f"user {facts.st_uid} made this symbolic link")
        return stat.S_ISDIR(facts.st_mode) or os.path.isdir(place)

    def _make_one(self, folder: str) -> None:
        os.mkdir(folder, 0o700)
        facts = os.stat(folder)
        if self.shared is not None:
            self._share(folder, facts)
        elif facts.st_mode & 0o700 != 0o700 and os.name != "nt":
            os.chmod(folder, 0o700)

    def _share(self, folder: str, facts: os.stat_result) -> None:
        """Let a group use a new folder: that of the folder in which it is."""
        above = os.stat(os.path.dirname(folder))
        if facts.st_gid != above.st_gid and folder != self.root and hasattr(os, "chown"):
            # Who is not in that group keeps his own.
            with contextlib.suppress(OSError):
                os.chown(folder, -1, above.st_gid)
        os.chmod(folder, 0o2770)

    # ------------------------------------------------------------ what is set aside

    def _clear(self, place: str) -> None:
        """Move away what lies where a folder is to be."""
        if place == os.path.join(self.root, PRIVATE) or self._is_in_damaged(place):
            moved = f"{self.root}{os.sep}.damaged-{time.time_ns():x}"
            os.rename(place, moved)
        else:
            moved = self._move(place)
        log.warning("%s was no folder; it has been moved to %s", place, moved)

    def _is_in_damaged(self, place: str) -> bool:
        return place == os.path.join(self.root, PRIVATE, "damaged")

    def set_aside(self, path: str, facts: os.stat_result) -> bool:
        """Move what is no entry out of the way, for people to look at; tell whether that was done.

        Parameters
        ----------
        path : str
            Where it is.
        facts : stat_result
            Of it: somebody may have put a good entry there meanwhile.
        """
        # Where that cannot be done, a new entry will replace it, or be refused with a warning.
        try:
            if os.path.samestat(os.lstat(path), facts):
                self._move(path)
                return True
        except OSError:
            pass
        return False

    def _move(self, path: str) -> str:
        place = os.path.join(self.root, PRIVATE, "damaged")
        self.make(place)
        moved = os.path.join(place, f"{time.time_ns():x}-{os.path.basename(path)[-200:]}")
        os.replace(path, moved)
        self._forget_oldest(place)
        return moved

    def _forget_oldest(self, place: str) -> None:
        """Remove what was set aside before, beyond what is to stay; never a folder with content."""
        number = size = 0
        for name in sorted(os.listdir(place), reverse=True):
            path = os.path.join(place, name)
            with contextlib.suppress(OSError):
                facts = os.lstat(path)
                number += 1
                # A file with holes takes less than its length.
                size += getattr(facts, "st_blocks", -(-facts.st_size // 512)) * 512
                if number > MOST_DAMAGED or size > DAMAGED_LIMIT:
                    (os.rmdir if stat.S_ISDIR(facts.st_mode) else os.unlink)(path)


def absolute(root: str) -> str:
    """Return where a cache's folder is to be, whatever becomes of the working directory."""
    try:
        return os.path.abspath(os.fspath(root))
    except FileNotFoundError:
        raise UnusableLocation(os.fspath(root), "the working directory is gone") from None


def is_nonsense(error: Exception, path: str) -> bool:
    """Return whether no folder can be there, whatever becomes of the disk."""
    if not isinstance(error, OSError):
        return True
    if error.errno == errno.ENAMETOOLONG:
        parts = os.fsencode(path).split(os.fsencode(os.sep))
        return max(map(len, parts)) > _LONGEST_NAME or len(os.fsencode(path)) > _LONGEST_PATH
    return error.errno in {errno.EEXIST, errno.ENOTDIR, errno.EINVAL}


def reason(error: Exception) -> str:
    """Return why there can be no folder, in words."""
    if isinstance(error, FileExistsError):
        return "it is a file, not a folder"
    return getattr(error, "strerror", None) or str(error)
