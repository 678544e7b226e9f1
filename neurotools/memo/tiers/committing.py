"""An entry -> its place: written beside it under another name, then renamed, whole or not at all.

Not here: the other names, and what killed processes left (`unfinished`).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from io import FileIO

from neurotools.memo.entry import Blob
from neurotools.memo.tiers.folders import PRIVATE, Folders
from neurotools.memo.tiers.unfinished import Unfinished, is_gone, unfinished_in
from neurotools.memo.tiers.writing import write_whole
from neurotools.memo.watch.deadline import commit
from neurotools.memo.watch.health import Health
from neurotools.memo.watch.mounts import mounts

_IN_THE_WAY = frozenset([errno.ENOENT, errno.EEXIST, errno.ENOTDIR, errno.ELOOP])
#: What file systems without second names say.
_NO_LINKS = frozenset([errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK])


class Committer:
    """Puts entries in their places below one folder.

    Parameters
    ----------
    folders : Folders
        Makes the folders, and knows the root.
    health : Health
        How the place has answered lately.
    """

    def __init__(self, folders: Folders, health: Health) -> None:
        self._folders, self._health, self._root = folders, health, folders.root
        self._lists = os.path.join(self._root, PRIVATE, "writing")
        self._known: set[str] = set()

    @property
    def names(self) -> Unfinished:
        """The names under which this process writes; a forked child has others."""
        return unfinished_in(self._root, self._lists, self._folders)

    def create(self, path: str, content: bytes) -> bool:
        """Put a small file in its place if nobody has put one there; tell whether it is ours."""
        blob = Blob((content,), len(content))
        try:
            self.write(path, blob, lasting=False, place=_place_first)
        except _TakenError:
            return False
        return True

    def write(
        self,
        path: str,
        blob: Blob,
        *,
        lasting: bool,
        place: Callable[[str, str], None] | None = None,
    ) -> None:
        """Put an entry in its place.

        Parameters
        ----------
        path : str
            Its place, below the root.
        blob : Blob
            The entry.
        lasting : bool
            Whether it is to outlive a failing power once this returns.
        place : function, optional
            Gives the written file its name; by default, in place of what has it.
        """
        write = self._write_lastingly if lasting else self._write
        folder = path.rpartition(os.sep)[0]
        try:
            write(folder, path, blob, place)
        except OSError as error:
            if error.errno not in _IN_THE_WAY:
                raise
            # Somebody removed the folders since we made them, or put something in our way.
            self._require_mounted()
            self._known.clear()
            self.names.forget()
            write(folder, path, blob, place)

    def _require_mounted(self) -> None:
        """Refuse to write below a folder where a disk was mounted that is gone."""
        mount = self._health.mount
        if mount and mount not in (known := mounts()) and known:
            raise OSError(errno.ENODEV, "what was mounted there is gone", mount)

    def _write(
        self,
        folder: str,
        path: str,
        blob: Blob,
        place: Callable[[str, str], None] | None,
        finish: Callable[[int], None] | None = None,
    ) -> None:
        if folder not in self._known:
            self._folders.make(folder)
            self._known.add(folder)
        names = self.names
        temporary = names.take(folder)
        try:
            # No interrupt comes between the opening and what closes it.
            with FileIO(temporary, "xb", opener=self._folders.opener) as file:
                descriptor = file.fileno()
                self._folders.allow(descriptor)
                write_whole(descriptor, blob)
                if finish is not None:
                    finish(descriptor)
            commit()
            (place or os.replace)(temporary, path)
        except BaseException:
            if is_gone(temporary):
                names.give_back(temporary)
            else:
                names.leave(temporary)
            raise
        names.give_back(temporary)

    def _write_lastingly(
        self, folder: str, path: str, blob: Blob, place: Callable[[str, str], None] | None
    ) -> None:
        """Write an entry that is on the disk when this returns, under its name."""
        from neurotools.memo.tiers import durable  # as few ask for it

        if folder not in self._known:
            self._folders.make(folder)
            durable.keep_way(folder)
            self._known.add(folder)
        self._write(folder, path, blob, place, durable.keep_file)
        durable.keep_names(folder)

    def clear_up(self, folder: str, names: Iterable[str]) -> None:
        """Remove what lies in a folder and nobody is writing, given the names in it."""
        self.names.clear_up(folder, names)


class _TakenError(Exception):
    """Somebody else has made the file."""


def _place_first(temporary: str, path: str) -> None:
    """Give a file its name unless there is one of that name.

    Raises
    ------
    _TakenError
        If there is.
    """
    try:
        os.link(temporary, path)
    except FileExistsError:
        # A server that was asked twice, since its answer got lost, says so of our own file.
        if os.stat(temporary).st_nlink != 2:
            raise _TakenError from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _copy_first(temporary, path)
    os.unlink(temporary)


def _copy_first(temporary: str, path: str) -> None:
    """Do so where files have one name each: there is a moment in which the file is empty."""
    with open(temporary, "rb") as file:
        content = file.read()
    try:
        with open(path, "xb") as file:
            file.write(content)
    except FileExistsError:
        raise _TakenError from None
