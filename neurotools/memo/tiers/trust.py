"""Who could have written a file: whether it may be opened although opening it can run code.

A file is as safe as the folders on the way to it, up to the top: whoever can write to one of them
can put another file, or another folder, in its place. Not here: signatures, which make up for
folders that others can write to (`neurotools.memo.signing`).
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import stat
import time
from collections.abc import Iterable, Iterator

from neurotools.memo.rows import Row

#: Seconds for which a folder's owners and modes are remembered. Only somebody who is trusted can
#: change them, so this is for who opens a folder to others and forgets that results are in it.
REMEMBERED_SECONDS = 1.0
_MOST_REMEMBERED = 4096
_MOST_LINKS = 40

#: The reason for a doubt about a folder that is not there.
GONE = os.strerror(errno.ENOENT)

_HAS_USERS = hasattr(os, "geteuid")


class Doubt(Row):
    """Why somebody else could have written something, and where."""

    location: str
    reason: str


class Trust:
    """Whom a user trusts with files that could run code: himself, root, and owners he names.

    Parameters
    ----------
    owners : iterable of int
        Numbers of the users that are trusted besides.
    """

    def __init__(self, owners: Iterable[int] = ()) -> None:
        self.owners = frozenset(owners)
        self._remembered: dict[str, tuple[float, Doubt | None]] = {}

    def __getstate__(self) -> frozenset[int]:
        return self.owners  # what folders are like is seen anew in another process

    def __setstate__(self, owners: frozenset[int]) -> None:
        self.__init__(owners)  # type: ignore[misc]

    def in_folder(self, folder: str, root: str) -> Doubt | None:
        """Return what speaks against files of a folder, or None.

        Parameters
        ----------
        folder : str
            Absolute path; the root, or below it.
        root : str
            From here on down, not even folders are accepted in which everybody may put files, but
            not remove others' (``/tmp``).
        """
        if not _HAS_USERS:
            return None  # Windows: access control lists decide, and a user's folders are private.
        now = time.monotonic()
        remembered = self._remembered.get(folder)
        if remembered is not None and now < remembered[0]:
            return remembered[1]
        try:
            doubt = next(self._doubts(folder, root), None)
        except OSError as error:
            # It may be there a moment later, made by anybody.
            return Doubt(folder, error.strerror or str(error))
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[folder] = now + REMEMBERED_SECONDS, doubt
        return doubt

    def in_file(self, path: str, facts: os.stat_result) -> Doubt | None:
        """Return what speaks against an open file, or None."""
        if not _HAS_USERS:
            return None
        reason = self._against(path, facts)
        return Doubt(path, reason) if reason else None

    def leads_away(self, facts: os.stat_result) -> bool:
        """Tell whether a symbolic link is one that somebody else has made."""
        return _HAS_USERS and stat.S_ISLNK(facts.st_mode) and not self._is_ours(facts.st_uid)

    def _is_ours(self, user: int) -> bool:
        # root can write anywhere as it is: refusing its files would protect nobody.
        return user in {os.geteuid(), 0} or user in self.owners

    def _against(self, path: str, facts: os.stat_result, *, shared: bool = False) -> str:
        """Return why others could change a file or folder, or nothing.

        Parameters
        ----------
        path : str
            Where it is.
        facts : stat_result
            Of it.
        shared : bool
            Whether a folder will do in which everybody may put files, but not remove others'.
        """
        if not self._is_ours(facts.st_uid):
            return f"user {facts.st_uid} owns it"
        if shared and facts.st_mode & stat.S_ISVTX:
            return ""
        if facts.st_mode & stat.S_IWOTH:
            return "other users may write to it"
        if facts.st_mode & stat.S_IWGRP and not self._is_group_of_one(path, facts.st_gid):
            return "its group may write to it"
        return ""

    def _is_group_of_one(self, path: str, group: int) -> bool:
        """Tell whether a group is a trusted user's own, as many systems make one for each user."""
        user = _user_of(group)
        # The mode shows what an access control list grants at most, not to whom.
        return user is not None and self._is_ours(user) and not _has_list(path)

    def _doubts(self, folder: str, root: str) -> Iterator[Doubt]:
        for path, facts, is_above in _way(folder, root):
            if self.leads_away(facts):
                yield Doubt(path, f"user {facts.st_uid} made this link")
            elif stat.S_ISDIR(facts.st_mode) and (
                reason := self._against(path, facts, shared=is_above)
            ):
                yield Doubt(path, reason)


def _way(folder: str, root: str) -> Iterator[tuple[str, os.stat_result, bool]]:
    """Give all folders and links on the way to a folder, from the top, and whether above a root."""
    here = os.sep
    yield here, os.lstat(here), root != here
    left = [(name, True) for name in _names(os.path.dirname(root))]
    left += [(name, False) for name in _names(root)[-1:]]
    left += [(name, False) for name in _names(folder)[len(_names(root)) :]]
    links = 0
    left.reverse()
    while left:
        name, is_above = left.pop()
        if name == os.pardir:
            here = os.path.dirname(here)
            continue
        path = os.path.join(here, name)
        facts = os.lstat(path)
        yield path, facts, is_above
        if not stat.S_ISLNK(facts.st_mode):
            here = path
            continue
        links += 1
        if links > _MOST_LINKS:
            raise OSError(40, "too many symbolic links", path)
        target = os.readlink(path)
        here = os.sep if os.path.isabs(target) else here
        steps = _names(target)
        left += [(step, is_above or number > 0) for number, step in enumerate(reversed(steps))]


def _names(path: str) -> list[str]:
    return [name for name in path.split(os.sep) if name not in {"", os.curdir}]


@functools.lru_cache(maxsize=256)
def _user_of(group: int) -> int | None:
    """Return the only user in a group that is named after him, None for other groups."""
    import grp
    import pwd

    try:
        name, _, _, members = grp.getgrgid(group)
        user = pwd.getpwnam(name)
    except KeyError:
        return None
    alone = user.pw_gid == group and set(members) <= {name}
    return user.pw_uid if alone else None


def _has_list(path: str) -> bool:
    """Tell whether an access control list may grant more than the mode shows."""
    if not hasattr(os, "getxattr"):
        return False
    with contextlib.suppress(OSError):
        return bool(os.getxattr(path, "system.posix_acl_access", follow_symlinks=False))
    return False


def user_numbers(owners: str | int | Iterable[str | int]) -> frozenset[int]:
    """Return the numbers of users given by name or number.

    Raises
    ------
    ValueError
        If there is no such user.
    TypeError
        If one is neither name nor number.
    """
    single = isinstance(owners, (str, int))
    return frozenset(map(_user_number, (owners,) if single else owners))  # type: ignore[arg-type]


def _user_number(owner: str | int) -> int:
    if isinstance(owner, int) and not isinstance(owner, bool):
        if owner < 0:
            raise ValueError(f"trusted_owners: there is no user {owner}")
        return owner
    if not isinstance(owner, str):
        raise TypeError(f"trusted_owners: {owner!r} is neither the name nor the number of a user")
    try:
        import pwd

        return pwd.getpwnam(owner).pw_uid
    except (ImportError, KeyError, ValueError):
        raise ValueError(f"trusted_owners: there is no user {owner!r} here") from None
