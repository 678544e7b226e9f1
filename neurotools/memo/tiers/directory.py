"""Entries as files below a folder, safe to share between threads, processes and machines.

An entry is written under a temporary name and renamed, so that a reader never sees half a file.
Damaged entries, locks and notes live in ``.neurotools`` beside the entries. Not here: the temporary
names, and what killed processes left (`neurotools.memo.tiers.unfinished`).
"""

from __future__ import annotations

import errno
import io
import mmap
import os
import stat
from collections.abc import Callable, Iterable, Iterator

from neurotools.memo.digest.files import Identity, identity, is_settled
from neurotools.memo.entry import Blob, Key, Record
from neurotools.memo.errors import (
    CorruptEntry,
    LeftAlone,
    UnknownChoice,
    UntrustedEntry,
    UnusableLocation,
)
from neurotools.memo.formats.registry import FORMATS, RUNS_CODE
from neurotools.memo.seal import CHECKSUM_SIZE, SIZE, Sealed, check_foot, checksum, record_of
from neurotools.memo.signing import Signer
from neurotools.memo.tiers.folders import PRIVATE, Folders
from neurotools.memo.tiers.reading import read_whole
from neurotools.memo.tiers.trust import GONE, Doubt, Trust
from neurotools.memo.tiers.unfinished import Unfinished, is_gone, unfinished_in
from neurotools.memo.tiers.writing import write_whole
from neurotools.memo.watch.deadline import commit, moved
from neurotools.memo.watch.health import health_at
from neurotools.memo.watch.mounts import mounts

#: What code the entries of a folder were computed with; a larger one is none of ours.
MANIFEST, MANIFEST_LIMIT = "manifest.json", 64 << 20
#: What entries outlive.
DURABILITIES = ("process", "power")
#: Of larger files the end is looked at first.
_LARGE = 16 << 20
#: Bytes that a name and a path may have on any disk; a disk that is broken may say so of others.
_LONGEST_NAME, _LONGEST_PATH = 255, 4095
#: Files remembered as verified: to read all of a file would be to lose what mapping it gains.
_MOST_VERIFIED = 4096

_IN_THE_WAY = frozenset([errno.ENOENT, errno.EEXIST, errno.ENOTDIR, errno.ELOOP])

# O_NOFOLLOW and O_NONBLOCK: a symbolic link or FIFO laid in place of an entry neither leads away
# nor hangs. Windows has neither them nor such files; it needs O_BINARY instead.
_READ = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
#: Nothing of Python's runs between opening and owning: an interrupt there would lose a descriptor.


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
    durability : {'process', 'power'}
        What an entry outlives once `put` has returned: that the process is killed, or that the
        power fails as well.
    trusted_owners : iterable of int
        Users whose files are opened even if that could run code, besides one's own and root's.
    signer : Signer, optional
        Tells which entries may be opened wherever they lie.
    shared : {None, 'group'}
        With whom what is created is shared.
    patience : float, optional
        Seconds to wait for answers, see `neurotools.memo.watch.health.Health`.

    Raises
    ------
    UnusableLocation
        If there can be no such folder. One that merely cannot be had now is tried again later.
    UnknownChoice
        If there is no such durability, or it cannot be shared so.
    """

    def __init__(
        self,
        root: str,
        *,
        mmap_mode: str | None = None,
        verify: bool = True,
        durability: str = "process",
        trusted_owners: Iterable[int] = (),
        signer: Signer | None = None,
        shared: str | None = None,
        patience: float | None = None,
    ) -> None:
        if durability not in DURABILITIES:
            raise UnknownChoice("durability", durability, DURABILITIES)
        self.root = _absolute(root)
        self.name = self.root
        self.health = health_at(self.root, patience)
        self._lists = os.path.join(self.root, PRIVATE, "writing")
        self.mmap_mode, self.verify = mmap_mode, verify
        self.durability = durability
        self._trust, self._signer = Trust(trusted_owners), signer
        self._folders = Folders(self.root, self._trust, shared)
        self._known: set[str] = set()
        self._verified: dict[str, Identity] = {}
        try:
            self.health.run("write", self._folders.make_root)
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
        # Before the file is opened: nobody but those who are trusted could exchange it after that.
        doubt = self._doubt(path) if key.method in RUNS_CODE else None
        try:
            descriptor = os.open(path, _READ)
            if doubt is not None and doubt.reason == GONE:
                # Somebody has made the folder since we looked at it.
                os.close(descriptor)
                doubt = self._doubt(path)
                descriptor = os.open(path, _READ)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._odd(path, error, set_aside=set_aside)
            return None
        try:
            return self._read(descriptor, key, path, doubt)
        except CorruptEntry as error:
            if set_aside:
                error.is_set_aside = self._folders.set_aside(path, os.fstat(descriptor))
            raise
        finally:
            os.close(descriptor)

    def record(self, key: Key) -> Record | None:
        try:
            record = read_record(self.location(key))
        except FileNotFoundError:
            return None
        if record.details.get("key") != key.path:
            raise CorruptEntry(self.location(key), "it is another entry")
        return record

    def require_trust(self, key: Key) -> None:
        """Raise `UntrustedEntry` if somebody else could have written an entry that could run code.

        Its signature is looked at, if it needs one; that reads it.
        """
        if key.method in RUNS_CODE:
            path = self.location(key)
            doubt = self._doubt(path) or self._trust.in_file(path, os.lstat(path))
            if doubt and self._signer is None:
                raise UntrustedEntry(*doubt)
            if doubt:
                self.read(key)

    def _read(self, descriptor: int, key: Key, path: str, doubt: Doubt | None) -> Sealed:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise CorruptEntry(path, "it is no regular file")
        if facts.st_size < SIZE:
            raise CorruptEntry(path, f"{facts.st_size} bytes are too few")
        if key.method in RUNS_CODE and (doubt := doubt or self._trust.in_file(path, facts)):
            return self._signed(descriptor, facts, key, path, doubt)
        if facts.st_size >= _LARGE:
            _check_foot(descriptor, facts, path)
        if self.mmap_mode is not None:
            return self._mapped(descriptor, facts, key, path)
        hasher = checksum(key) if self.verify else None
        buffer = read_whole(descriptor, facts.st_size, path, hasher, CHECKSUM_SIZE)
        return Sealed(buffer, key, path, verify=self.verify, found=hasher and hasher.digest())

    def _doubt(self, path: str) -> Doubt | None:
        return self._trust.in_folder(path.rpartition(os.sep)[0], self.root)

    def _signed(
        self, descriptor: int, facts: os.stat_result, key: Key, path: str, doubt: Doubt
    ) -> Sealed:
        """Return an entry that somebody else could have written, if its signature is right.

        Raises
        ------
        UntrustedEntry
            If it is not.
        """
        if self._signer is None:
            raise UntrustedEntry(*doubt)
        # Read, never mapped: a mapped file could be changed after its signature was looked at.
        _check_foot(descriptor, facts, path)
        entry = Sealed(read_whole(descriptor, facts.st_size, path), key, path)
        if not entry.is_signed(self._signer, key):
            reason = f"it is not signed with your key, and {doubt.reason}"
            raise UntrustedEntry(path, f"{reason}: {doubt.location}")
        return entry

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
        found = CorruptEntry(path, "it is no regular file")
        if set_aside:
            found.is_set_aside = self._folders.set_aside(path, facts)
        raise found

    # ------------------------------------------------------------ writing

    def put(self, key: Key, blob: Blob) -> None:
        self._write(self.location(key), blob, self.durability)

    def put_manifest(self, key: Key, content: bytes) -> None:
        path = os.path.join(os.path.dirname(self.location(key)), MANIFEST)
        # What is there may be no manifest: an empty file, or something else altogether.
        if not _is_file(path):
            self._write(path, Blob((content,), len(content)), self.durability)

    def get_manifest(self, function: str, code: str) -> bytes | None:
        return _read_bounded(os.path.join(self.root, *function.split("/"), code, MANIFEST))

    def note(self, name: str) -> bytes | None:
        """Return a note kept by `keep_note`, or None; also if somebody else could have written it.

        Code that a note says less of than there is would have too small a fingerprint.
        """
        path = self._place_of(name)
        if self._doubt(path) is not None:
            return None
        return _read_bounded(path, self._trust)

    def keep_note(self, name: str, content: bytes) -> None:
        """Keep something that is no entry and may be lost, in place of the note of that name."""
        self._write(self._place_of(name), Blob((content,), len(content)), "process")

    def _place_of(self, name: str) -> str:
        return os.path.join(self.root, PRIVATE, "notes", name)

    def _write(self, path: str, blob: Blob, durability: str) -> None:
        names = unfinished_in(self.root, self._lists, self._folders)
        write = _write_once if durability == "process" else _write_lastingly
        folder = path.rpartition(os.sep)[0]
        try:
            self._prepare(folder, durability)
            write(names, folder, path, blob, self._folders)
        except OSError as error:
            if error.errno not in _IN_THE_WAY:
                raise
            # Somebody removed the folders since we made them, or put something in our way.
            self._require_mounted()
            self._known.clear()
            names.forget()
            self._prepare(folder, durability)
            write(names, folder, path, blob, self._folders)

    def _require_mounted(self) -> None:
        """Refuse to write below a folder where a disk was mounted that is gone."""
        mount = self.health.mount
        if mount and mount not in (known := mounts()) and known:
            raise OSError(errno.ENODEV, "what was mounted there is gone", mount)

    def _prepare(self, folder: str, durability: str) -> None:
        if folder not in self._known:
            self._folders.make(folder)
            if durability == "power":
                from neurotools.memo.tiers.durable import keep_way  # as few ask for it

                keep_way(folder)
            self._known.add(folder)

    # ------------------------------------------------------------ listing

    def discard(self, key: Key) -> bool:
        try:
            os.unlink(self.location(key))
        except FileNotFoundError:
            return False
        return True

    def clear(self, function: str, code: str) -> set[str]:
        folder = os.path.join(self.root, *function.split("/"), code)
        # Else the entries of another cache could be removed.
        self._folders.check(folder)
        try:
            names = os.listdir(folder)
        except (FileNotFoundError, NotADirectoryError):
            return set()
        unfinished_in(self.root, self._lists, self._folders).clear_up(folder, names)
        return set(_removed(folder, filter(_is_entry, names)))

    def size(self, key: Key) -> int:
        try:
            return os.lstat(self.location(key)).st_size
        except FileNotFoundError:
            return 0

    def has(self, key: Key) -> bool:
        path = self.location(key)
        # Mostly there is nothing, as this says soonest.
        return os.path.isfile(path) and _is_file(path)

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


def _write_once(
    names: Unfinished,
    folder: str,
    path: str,
    blob: Blob,
    folders: Folders,
    finish: Callable[[int], None] | None = None,
) -> None:
    temporary = names.take(folder)
    try:
        # No interrupt comes between the opening and what closes it.
        with io.FileIO(temporary, "xb", opener=folders.opener) as file:
            folders.allow(file.fileno())
            write_whole(file.fileno(), blob)
            if finish is not None:
                finish(file.fileno())
        commit()
        os.replace(temporary, path)
    except BaseException:
        if is_gone(temporary):
            names.give_back(temporary)
        else:
            names.leave(temporary)
        raise
    names.give_back(temporary)


def _write_lastingly(
    names: Unfinished, folder: str, path: str, blob: Blob, folders: Folders
) -> None:
    """Write an entry that is on the disk when this returns, under its name."""
    from neurotools.memo.tiers.durable import keep_file, keep_names  # as few ask for it

    _write_once(names, folder, path, blob, folders, keep_file)
    keep_names(folder)


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
            except (FileNotFoundError, IsADirectoryError):
                continue
            except PermissionError:
                if os.path.isdir(os.path.join(folder, name)):
                    continue  # macOS says so of folders
                raise
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


def _check_foot(descriptor: int, facts: os.stat_result, path: str) -> None:
    """Look at the end of a large file before memory is asked for: it may be holes alone."""
    os.lseek(descriptor, facts.st_size - SIZE, os.SEEK_SET)
    check_foot(os.read(descriptor, SIZE), facts.st_size, path)
    os.lseek(descriptor, 0, os.SEEK_SET)


def _is_file(path: str) -> bool:
    """Tell whether there is a file with content, no link to one."""
    try:
        facts = os.lstat(path)
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(facts.st_mode) and facts.st_size > 0


def _regular(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | _READ)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise CorruptEntry(path, "it is no regular file")
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _read_bounded(path: str, trust: Trust | None = None) -> bytes | None:
    """Return a small file that is no entry; None where there is none, or something else."""
    try:
        descriptor = os.open(path, _READ)
    except OSError:
        return None
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > MANIFEST_LIMIT:
            return None
        if trust is not None and trust.in_file(path, facts) is not None:
            return None
        return bytes(read_whole(descriptor, facts.st_size, path))
    except (CorruptEntry, OSError):
        return None
    finally:
        os.close(descriptor)
