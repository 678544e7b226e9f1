"""Files -> SHA-256 of their content; one that cannot have changed since is not read again.

What was read before is known from records (`records`), by device, inode, size and times. It is
believed only where a change made since would have changed one of them: see `File.is_settled`.
Not here: digests of arguments of Python functions (`neurotools.memo.digest.files`), which need not
be what ``sha256sum`` prints.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator
from typing import Any

from neurotools.memo.digest.files import identity, is_settled, shown
from neurotools.memo.digest.mounts import is_elsewhere
from neurotools.memo.errors import UnreadableFile

_CHUNK_BYTES = 1 << 20
_TRIES = 3
#: Clocks of other computers' disks may differ from ours, and count in steps of two seconds.
_SETTLED_SECONDS = 2.0
#: Of files from this size on it is worth waiting until they have settled, before they are read.
_WORTH_WAITING, _WAIT_SECONDS = 1 << 22, 0.06


class File:
    """What a file held when it was looked at.

    Attributes
    ----------
    path : str
        Where it was.
    hash : str
        SHA-256 of its content, hexadecimal; of a folder, of all names and contents below.
    stat : list of int or None
        Device, inode, size and times; None of what is no file.
    since : float
        When it was first seen so, seconds since the epoch.
    is_settled : bool
        Whether a change made since it was read would have changed `stat`.
    mode : int
        Its permissions.
    inner : dict of File or None
        Of a folder: what it holds, by path below it.
    """

    __slots__ = ("hash", "inner", "is_settled", "mode", "path", "since", "stat")

    def __init__(
        self,
        path: str,
        hash: str,  # noqa: A002 - as in the reference's files
        stat: list[int] | None = None,
        since: float = 0.0,
        *,
        is_settled: bool = False,
        mode: int = 0o644,
        inner: dict[str, File] | None = None,
    ) -> None:
        self.path, self.hash, self.stat, self.since = path, hash, stat, since
        self.is_settled, self.mode, self.inner = is_settled, mode, inner

    def as_json(self) -> dict[str, Any]:
        """Return it as it stands in a record."""
        facts: dict[str, Any] = {"file": self.path, "hash": self.hash, "mode": self.mode}
        if self.stat is not None:
            facts.update(stat=self.stat, since=self.since, settled=self.is_settled)
        if self.inner is not None:
            facts["inner"] = {name: file.as_json() for name, file in self.inner.items()}
        return facts

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> File:
        """Return what `as_json` wrote."""
        inner = facts.get("inner")
        return cls(
            facts["file"],
            facts["hash"],
            facts.get("stat"),
            facts.get("since", 0.0),
            is_settled=bool(facts.get("settled")),
            mode=int(facts["mode"]),
            inner=None if inner is None else {n: cls.from_json(f) for n, f in inner.items()},
        )

    def files(self) -> Iterator[File]:
        """Give it, or all files below it."""
        if self.inner is None:
            yield self
        for file in (self.inner or {}).values():
            yield from file.files()

    def folders(self) -> Iterator[File]:
        """Give it and all folders below it, if it is one."""
        if self.inner is not None:
            yield self
            for file in self.inner.values():
                yield from file.folders()


class Contents:
    """Looks at files; reads those that are not known.

    Parameters
    ----------
    known : iterable of File
        What was read before.
    without : iterable of str
        Absolute paths that are no part of the folders that they are in.
    """

    def __init__(self, known: Iterable[File] = (), *, without: Iterable[str] = ()) -> None:
        self._known: dict[tuple[int, ...], File] = {}
        self._without = frozenset(without)
        self.learn(known)
        #: Whether something was read, or has settled, so that a record should be written anew.
        self.has_learnt = False

    def learn(self, known: Iterable[File]) -> None:
        """Take in what was read before."""
        for file in (one for whole in known for one in whole.files()):
            if file.stat is not None:
                self._known.setdefault(tuple(file.stat), file)

    def known(self) -> list[File]:
        """Return all files that are known, longest known first."""
        return list(self._known.values())

    def of(self, path: str, *, is_new: bool = False) -> File:
        """Return what a file or folder holds.

        Parameters
        ----------
        path : str
            A file, a folder, or a link to one.
        is_new : bool
            Whether it was written just now, and is worth waiting for until it has settled.

        Raises
        ------
        UnreadableFile
            If it is not there, cannot be read, or is no file.
        """
        return self._of(path, is_new=is_new, above=())

    def _of(self, path: str, *, is_new: bool, above: tuple[tuple[int, int], ...]) -> File:
        facts = _status(path)
        if not stat.S_ISDIR(facts.st_mode):
            return self._file(path, facts, is_new=is_new)
        place = facts.st_dev, facts.st_ino
        if place in above:
            raise UnreadableFile(path, "is a folder that links back into itself")
        return self._folder(path, facts, is_new=is_new, above=(*above, place))

    def _folder(self, path: str, facts: os.stat_result, *, is_new: bool, above: Any) -> File:
        import hashlib

        try:
            names = sorted(os.listdir(path))
        except OSError as error:
            raise UnreadableFile(path, _reason(error)) from None
        whole, inner = hashlib.sha256(), {}
        for name in names:
            inside = os.path.join(path, name)
            if os.path.islink(inside) and not os.path.exists(inside):
                continue  # it leads nowhere, and holds nothing
            if self._without and os.path.abspath(inside) in self._without:
                continue
            file = inner[name] = self._of(inside, is_new=is_new, above=above)
            kind = "d" if file.inner is not None else "f"
            whole.update(f"{len(os.fsencode(name))} {kind} {file.hash} ".encode())
            whole.update(os.fsencode(name))
        return File(path, whole.hexdigest(), mode=stat.S_IMODE(facts.st_mode), inner=inner)

    def _file(self, path: str, facts: os.stat_result, *, is_new: bool) -> File:
        if not stat.S_ISREG(facts.st_mode):
            raise UnreadableFile(path, "is neither a file nor a folder")
        known = self._known.get(identity(facts))
        if known is not None and known.is_settled:
            return _moved(known, path, facts)
        if is_new and facts.st_size >= _WORTH_WAITING and not is_settled(facts):
            time.sleep(_WAIT_SECONDS)
        self.has_learnt = True
        return self._read(path, known)

    def _read(self, path: str, known: File | None) -> File:
        for _ in range(_TRIES):
            now = time.time()
            try:
                before, digest, after, settled = _read(path)
            except OSError as error:
                raise UnreadableFile(path, _reason(error)) from None
            if identity(before) == identity(after):
                break
        else:
            raise UnreadableFile(path, "changes while it is read")
        same = known is not None and known.stat == list(identity(after))
        since = known.since if same and known is not None else now
        if is_elsewhere(after.st_dev):
            settled = 0 < since < now - _SETTLED_SECONDS
        file = File(
            path,
            digest,
            list(identity(after)),
            since,
            is_settled=settled,
            mode=stat.S_IMODE(after.st_mode),
        )
        self._known[identity(after)] = file
        return file


def _moved(known: File, path: str, facts: os.stat_result) -> File:
    mode = stat.S_IMODE(facts.st_mode)
    return File(path, known.hash, known.stat, known.since, is_settled=True, mode=mode)


def _status(path: str) -> os.stat_result:
    try:
        return os.stat(path)
    except FileNotFoundError:
        raise UnreadableFile(path, "does not exist") from None
    except (OSError, ValueError) as error:
        raise UnreadableFile(path, _reason(error)) from None


def _read(path: str) -> tuple[os.stat_result, str, os.stat_result, bool]:
    import hashlib  # with OpenSSL, 3 ms to load: not for what is known

    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags), "rb", buffering=0) as file:
        before = os.fstat(file.fileno())
        if not stat.S_ISREG(before.st_mode):
            raise UnreadableFile(path, "is neither a file nor a folder")
        # Looked at before it is read: what changes it from then on changes its times.
        settled = is_settled(before)
        hasher = hashlib.sha256()
        for chunk in shown(_chunks(file, before.st_size), before.st_size, path):
            hasher.update(chunk)
        return before, hasher.hexdigest(), os.fstat(file.fileno()), settled


def _chunks(file: Any, size: int) -> Iterator[memoryview]:
    buffer = memoryview(bytearray(min(_CHUNK_BYTES, size + 1)))
    while count := file.readinto(buffer):
        yield buffer[:count]


def _reason(error: Exception) -> str:
    return f"cannot be read ({getattr(error, 'strerror', None) or error})"
