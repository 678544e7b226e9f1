"""Entries as files below a folder, safe to share between threads, processes and machines.

An entry is written under a temporary name and renamed, so that a reader never sees half a file.
Damaged entries, locks and notes live in ``.neurotools`` beside the entries. Not here: the temporary
names, and what killed processes left (`neurotools.memo.tiers.unfinished`).
"""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import stat
import time
from collections.abc import Iterable, Iterator

from neurotools.memo.digest.files import Identity, identity, is_settled
from neurotools.memo.entry import Blob, Key, Record
from neurotools.memo.errors import CorruptEntry, LeftAlone, UntrustedEntry, UnusableLocation
from neurotools.memo.formats.registry import FORMATS, RUNS_CODE
from neurotools.memo.seal import CHECKSUM_SIZE, SIZE, Sealed, checksum, record_of
from neurotools.memo.tiers.reading import read_whole
from neurotools.memo.tiers.unfinished import Unfinished, is_gone, unfinished_in
from neurotools.memo.tiers.writing import write_whole
from neurotools.memo.watch.deadline import commit, moved
from neurotools.memo.watch.health import health_at
from neurotools.memo.watch.mounts import mounts

#: Folder for what is no entry; never part of a function's path, which begins with a module.
PRIVATE = ".neurotools"
#: What code the entries of a folder were computed with; a larger one is none of ours.
MANIFEST, MANIFEST_LIMIT = "manifest.json", 64 << 20
#: Bytes that a name and a path may have on any disk; a disk that is broken may say so of others.
_LONGEST_NAME, _LONGEST_PATH = 255, 4095
#: Files remembered as verified: to read all of a file would be to lose what mapping it gains.
_MOST_VERIFIED = 4096

# O_NOFOLLOW and O_NONBLOCK: a symbolic link or FIFO laid in place of an entry neither leads away
# nor hangs. Windows has neither them nor such files; it needs O_BINARY instead.
_READ = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_WRITE = (
    os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
)


class DirectoryTier:
    """Entries below a folder.

    Parameters
    ----------
    root : str
        The folder; made at once, with its parents, private to the user.
    mmap_mode : {None, 'r', 'c'}
        Map files instead of reading them: read-only, or copy on write.
    verify : bool
        Whether checksums are verified on every read; of a mapped file, when it is first mapped
        here, and again when it has changed.
    patience : float, optional
        Seconds to wait for answers, see `neurotools.memo.watch.health.Health`.

    Raises
    ------
    UnusableLocation
        If there can be no such folder. One that merely cannot be had now is tried again later.
    """

    def __init__(
        self,
        root: str,
        *,
        mmap_mode: str | None = None,
        verify: bool = True,
        patience: float | None = None,
    ) -> None:
        self.root = _absolute(root)
        self.name = self.root
        self.health = health_at(self.root, patience)
        self._lists = os.path.join(self.root, PRIVATE, "writing")
        self.mmap_mode, self.verify = mmap_mode, verify
        self._known: set[str] = set()
        self._trusted: set[str] = set()
        self._verified: dict[str, Identity] = {}
        try:
            self.health.run("write", _make_folders, self.root)
        except LeftAlone:
            pass  # it is made when something is written
        except (OSError, ValueError) as error:
            if _is_nonsense(error, self.root):
                raise UnusableLocation(self.root, _reason(error)) from None
            self.health.tell_failure("open", error)

    def location(self, key: Key) -> str:
        path = key.path if os.sep == "/" else key.path.replace("/", os.sep)
        return f"{self.root}{os.sep}{path}"

    # ------------------------------------------------------------ reading

    def get(self, key: Key) -> Sealed | None:
        return self.read(key, set_aside=True)

    def read(self, key: Key, *, set_aside: bool = False) -> Sealed | None:
        """Return an entry as `get` does; by default a bad one stays where it is."""
        path = self.location(key)
        try:
            descriptor = os.open(path, _READ)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._odd(path, error, set_aside=set_aside)
            return None
        try:
            return self._read(descriptor, key, path)
        except CorruptEntry:
            if set_aside:
                self._set_aside(path, os.fstat(descriptor))
            raise
        finally:
            os.close(descriptor)

    def record(self, key: Key) -> Record | None:
        try:
            return read_record(self.location(key))
        except FileNotFoundError:
            return None

    def _read(self, descriptor: int, key: Key, path: str) -> Sealed:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise CorruptEntry(path, "it is no regular file")
        if key.method in RUNS_CODE:
            self._require_trust(path, facts)
        if facts.st_size < SIZE:
            raise CorruptEntry(path, f"{facts.st_size} bytes are too few")
        if self.mmap_mode is not None:
            return self._mapped(descriptor, facts, key, path)
        hasher = checksum(key) if self.verify else None
        buffer = read_whole(descriptor, facts.st_size, path, hasher, CHECKSUM_SIZE)
        return Sealed(buffer, key, path, verify=self.verify, found=hasher and hasher.digest())

    def _mapped(self, descriptor: int, facts: os.stat_result, key: Key, path: str) -> Sealed:
        """Return an entry in a mapped file, verified unless that was done before."""
        access = mmap.ACCESS_COPY if self.mmap_mode == "c" else mmap.ACCESS_READ
        mapping = memoryview(mmap.mmap(descriptor, facts.st_size, access=access))
        verified = self._verified.get(key.path) == identity(facts)
        entry = Sealed(mapping, key, path, verify=self.verify and not verified)
        if self.verify and not verified and is_settled(facts):
            if len(self._verified) >= _MOST_VERIFIED:
                self._verified.clear()
            self._verified[key.path] = identity(facts)
        return entry

    def _odd(self, path: str, error: OSError, *, set_aside: bool) -> None:
        """Handle a path that does not open: something else may lie where the entry should."""
        try:
            facts = os.lstat(path)
        except OSError:
            # A folder on the way is a file, or may not be read: no entry, and the tier's failure.
            if isinstance(error, NotADirectoryError):
                return
            raise error from None
        if stat.S_ISREG(facts.st_mode):
            raise error
        if set_aside:
            self._set_aside(path, facts)
        raise CorruptEntry(path, "it is no regular file")

    def _require_trust(self, path: str, facts: os.stat_result) -> None:
        """Refuse a file that another user may have written.

        Raises
        ------
        UntrustedEntry
            If the file, or a folder on the way to it, is another's or can be written by others.
        """
        if not hasattr(os, "geteuid"):
            return  # Windows: access control lists decide, and a user's folders are private there.
        _require_own(path, facts)
        folder = os.path.dirname(path)
        while folder not in self._trusted and len(folder) >= len(self.root):
            _require_own(folder, os.stat(folder))
            # Only the owner, who is us, could open it to others later.
            self._trusted.add(folder)
            folder = os.path.dirname(folder)

    # ------------------------------------------------------------ writing

    def put(self, key: Key, blob: Blob) -> None:
        self._write(self.location(key), blob)

    def put_manifest(self, key: Key, content: bytes) -> None:
        path = os.path.join(os.path.dirname(self.location(key)), MANIFEST)
        if not os.path.exists(path):
            self._write(path, Blob((content,), len(content)))

    def get_manifest(self, function: str, code: str) -> bytes | None:
        return _read_bounded(os.path.join(self.root, *function.split("/"), code, MANIFEST))

    def note(self, name: str) -> bytes | None:
        """Return a note kept by `keep_note`, or None."""
        return _read_bounded(self._place_of(name))

    def keep_note(self, name: str, content: bytes) -> None:
        """Keep something that is no entry and may be lost, in place of the note of that name."""
        self._write(self._place_of(name), Blob((content,), len(content)))

    def _place_of(self, name: str) -> str:
        return os.path.join(self.root, PRIVATE, "notes", name)

    def _write(self, path: str, blob: Blob) -> None:
        names = unfinished_in(self.root, self._lists)
        folder = path.rpartition(os.sep)[0]
        try:
            self._prepare(folder)
            _write_once(names, folder, path, blob)
        except FileNotFoundError:
            # Somebody removed the folders since we made them.
            self._require_mounted()
            self._known.clear()
            names.forget()
            self._prepare(folder)
            _write_once(names, folder, path, blob)

    def _require_mounted(self) -> None:
        """Refuse to write below a folder where a disk was mounted that is gone."""
        mount = self.health.mount
        if mount and mount not in (known := mounts()) and known:
            raise OSError(errno.ENODEV, "what was mounted there is gone", mount)

    def _prepare(self, folder: str) -> None:
        if folder not in self._known:
            _make_folders(folder)
            self._known.add(folder)

    def _set_aside(self, path: str, facts: os.stat_result) -> None:
        """Move what is no entry out of the way, for people to look at."""
        place = os.path.join(self.root, PRIVATE, "damaged")
        name = f"{time.time_ns():x}-{os.path.basename(path)[-200:]}"
        # Where that cannot be done, a new entry will replace it, or be refused with a warning.
        with contextlib.suppress(OSError):
            os.makedirs(place, mode=0o700, exist_ok=True)
            # Somebody may have put a good entry there since we opened the bad one.
            if not os.path.samestat(os.lstat(path), facts):
                return
            os.replace(path, os.path.join(place, name))

    # ------------------------------------------------------------ listing

    def discard(self, key: Key) -> bool:
        try:
            os.unlink(self.location(key))
        except FileNotFoundError:
            return False
        return True

    def clear(self, function: str, code: str) -> set[str]:
        folder = os.path.join(self.root, *function.split("/"), code)
        try:
            names = [name for name in os.listdir(folder) if _is_entry(name)]
        except (FileNotFoundError, NotADirectoryError):
            return set()
        return set(_removed(folder, names))

    def size(self, key: Key) -> int:
        try:
            return os.lstat(self.location(key)).st_size
        except FileNotFoundError:
            return 0

    def has(self, key: Key) -> bool:
        return os.path.isfile(self.location(key))

    def keys(self, function: str = "") -> Iterator[Key]:
        top = os.path.join(self.root, *function.split("/")) if function else self.root
        for folder, folders, names in os.walk(top):
            if folder == self.root and PRIVATE in folders:
                folders.remove(PRIVATE)
            parts = os.path.relpath(folder, self.root).split(os.sep)
            if len(parts) < 2 or (function and "/".join(parts[:-1]) != function):
                continue
            for name in filter(_is_entry, names):
                call, _, method = name.rpartition(".")
                yield Key("/".join(parts[:-1]), parts[-1], call, method)


def _make_folders(path: str) -> None:
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
    except FileExistsError:
        # It may be a folder all the same, on a disk that does not say so now.
        if not stat.S_ISDIR(os.stat(path).st_mode):
            raise


def _absolute(root: str) -> str:
    try:
        return os.path.abspath(os.fspath(root))
    except FileNotFoundError:
        raise UnusableLocation(os.fspath(root), "the working directory is gone") from None


def _is_nonsense(error: Exception, path: str) -> bool:
    """Return whether no folder can be there, whatever becomes of the disk."""
    if not isinstance(error, OSError):
        return True
    if error.errno == errno.ENAMETOOLONG:
        parts = os.fsencode(path).split(os.fsencode(os.sep))
        return max(map(len, parts)) > _LONGEST_NAME or len(os.fsencode(path)) > _LONGEST_PATH
    return error.errno in {errno.EEXIST, errno.ENOTDIR, errno.EINVAL}


def _reason(error: Exception) -> str:
    if isinstance(error, FileExistsError):
        return "it is a file, not a folder"
    return getattr(error, "strerror", None) or str(error)


def _write_once(names: Unfinished, folder: str, path: str, blob: Blob) -> None:
    temporary = names.take(folder)
    try:
        descriptor = os.open(temporary, _WRITE, 0o600)
        try:
            write_whole(descriptor, blob)
        finally:
            os.close(descriptor)
        commit()
        os.replace(temporary, path)
    except BaseException:
        if is_gone(temporary):
            names.give_back(temporary)
        else:
            names.leave(temporary)
        raise
    names.give_back(temporary)


def _is_entry(name: str) -> bool:
    call, _, method = name.rpartition(".")
    return bool(call) and method in FORMATS


def _removed(folder: str, names: Iterable[str]) -> Iterator[str]:
    """Remove files of a folder; give those that were there."""
    # A folder that is open is not looked up anew for each of its files.
    open_folder = os.open(folder, os.O_RDONLY) if os.unlink in os.supports_dir_fd else None
    try:
        for name in names:
            try:
                if open_folder is None:
                    os.unlink(os.path.join(folder, name))
                else:
                    os.unlink(name, dir_fd=open_folder)
            except FileNotFoundError:
                continue
            moved()
            yield name
    finally:
        if open_folder is not None:
            os.close(open_folder)


#: A record is read from the last bytes of a file; a second look is taken where it is longer.
_TAIL, _TAIL_LIMIT = 4096, 1 << 20


def read_record(path: str) -> Record:
    """Return the record of an entry's file, without reading its payload or verifying it.

    Raises
    ------
    CorruptEntry
        If the file is no entry.
    """
    with open(path, "rb", opener=_regular) as file:
        size = os.fstat(file.fileno()).st_size
        for wanted in (_TAIL, _TAIL_LIMIT):
            file.seek(max(0, size - wanted))
            try:
                return record_of(file.read(wanted), path)
            except CorruptEntry:
                if wanted == _TAIL_LIMIT or wanted >= size:
                    raise
    raise AssertionError("unreachable")


def _regular(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | _READ)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise CorruptEntry(path, "it is no regular file")
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _read_bounded(path: str) -> bytes | None:
    """Return a small file that is no entry; None where there is none, or something else."""
    try:
        descriptor = os.open(path, _READ)
    except OSError:
        return None
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > MANIFEST_LIMIT:
            return None
        return bytes(read_whole(descriptor, facts.st_size, path))
    finally:
        os.close(descriptor)


def _require_own(path: str, facts: os.stat_result) -> None:
    # root can write anywhere as it is: refusing its files would protect nobody.
    if facts.st_uid not in {os.geteuid(), 0}:
        raise UntrustedEntry(path, f"user {facts.st_uid} owns it")
    if facts.st_mode & 0o022:
        raise UntrustedEntry(path, "other users may write to it")
