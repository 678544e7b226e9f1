"""Where a path is mounted, and whether a disk of this computer lies there; asks no disk itself.

A path on a server that is gone cannot even be looked at without waiting for the server. So the
list of mounts is read, which the kernel keeps, and links are followed by hand as far as this
computer's own disks go.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Set

from neurotools.memo.digest.mounts import LOCAL

_MOUNTS = "/proc/self/mountinfo"
_MOST_LINKS = 40
_ESCAPED = r"\\([0-7]{3})"


def mounts() -> dict[str, str]:
    """Return the folders at which file systems are mounted, and their kinds; nothing if unknown."""
    found: dict[str, str] = {}
    try:
        with open(_MOUNTS, encoding="utf-8", errors="surrogateescape") as lines:
            for line in lines:
                before, _, after = line.partition(" - ")
                # The last one at a place lies on top of the others.
                found[_plain(before.split(" ")[4])] = after.split(" ")[0]
    except (OSError, IndexError):
        return {}
    return found


def _plain(escaped: str) -> str:
    if "\\" not in escaped:
        return escaped
    return re.sub(_ESCAPED, lambda code: chr(int(code[1], 8)), escaped)


def mount_of(path: str, known: Mapping[str, str] | None = None) -> tuple[str, str]:
    """Return the folder at which a path's file system is mounted, and its kind; '' if unknown.

    Parameters
    ----------
    path : str
        An absolute path, which need not exist.
    known : mapping, optional
        As `mounts` returns it.
    """
    known = mounts() if known is None else known
    if not known:
        return "", ""
    here, left, links = "/", [part for part in path.split("/") if part][::-1], 0
    while left:
        part = left.pop()
        if part in {".", ".."}:
            here = os.path.dirname(here) if part == ".." else here
            continue
        # To follow a link that lies elsewhere would be to ask there.
        if not is_local_kind(_kind(here, known)[1]):
            break
        here = os.path.join(here, part)
        target = None if here in known else _target(here)
        if target is not None and links < _MOST_LINKS:
            links += 1
            here = "/" if target.startswith("/") else os.path.dirname(here)
            left += [part for part in target.split("/") if part][::-1]
    return _kind(here, known)


def _target(path: str) -> str | None:
    try:
        return os.readlink(path)
    except (OSError, ValueError):
        return None


def _kind(path: str, known: Mapping[str, str]) -> tuple[str, str]:
    while path not in known and path != "/":
        path = os.path.dirname(path)
    return path, known.get(path, "")


def is_local_kind(kind: str) -> bool:
    """Return whether a file system of a kind needs nobody but this computer; so if unknown."""
    return not kind or kind in LOCAL


#: Kinds whose record locks all computers see, unless one of the options says that they do not.
_NFS, _SMB = {"nolock", "local_lock=all", "local_lock=posix"}, {"nobrl", "nolock"}
_WITH_LOCKS: dict[str, Set[str]] = {
    "nfs": _NFS,
    "nfs4": _NFS,
    "cifs": _SMB,
    "smb3": _SMB,
    "smbfs": _SMB,
    "lustre": {"localflock", "noflock"},
    **dict.fromkeys(["ceph", "gpfs", "gfs2", "ocfs2", "fuse.glusterfs"], frozenset[str]()),
}


def locks_reach(mount: str) -> bool:
    """Return whether record locks at a mount are seen by all computers that have it.

    Parameters
    ----------
    mount : str
        The folder at which it is mounted.
    """
    kind, options = "", set[str]()
    try:
        with open(_MOUNTS, encoding="utf-8", errors="surrogateescape") as lines:
            for line in lines:
                before, _, after = line.rstrip("\n").partition(" - ")
                facts, own = before.split(" "), after.split(" ")
                if _plain(facts[4]) == mount:
                    kind, options = own[0], {*facts[5].split(","), *own[2].split(",")}
    except (OSError, IndexError):
        return False
    if kind == "lustre" and "flock" not in options:
        return False  # without it there are none
    return kind in _WITH_LOCKS and not options & _WITH_LOCKS[kind]
