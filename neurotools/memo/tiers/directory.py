"""Entries as files below a folder, safe to share between threads, processes and machines.

An entry is written under a temporary name and renamed, so that a reader never sees half a file.
Damaged entries, locks and notes live in ``.neurotools`` beside the entries. Not here: writing
(`neurotools.memo.tiers.committing`).
"""

from __future__ import annotations

import contextlib
import functools
import os
import stat
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from neurotools.memo.digest.files import Identity, identity, is_settled
from neurotools.memo.entry import Blob, Key, Record
from neurotools.memo.errors import (
    CorruptEntry,
    LeftAlone,
    UnknownChoice,
    UntrustedEntry,
    UnusableLocation,
)
from neurotools.memo.formats.registry import RUNS_CODE
from neurotools.memo.seal import CHECKSUM_SIZE, SIZE, Sealed, checksum
from neurotools.memo.signing import Signer
from neurotools.memo.tiers.files import (
    MANIFEST,
    READ,
    check_end,
    is_entry,
    is_file,
    names_to_remove,
    read_bounded,
    read_record,
    removed,
)
from neurotools.memo.tiers.folders import PRIVATE, Folders, absolute, is_nonsense, reason
from neurotools.memo.tiers.reading import read_whole
from neurotools.memo.tiers.trust import GONE, Doubt, Trust
from neurotools.memo.watch.health import health_at

if TYPE_CHECKING:
    from neurotools.memo.tiers.base import Tier
    from neurotools.memo.tiers.budget import Keeper
    from neurotools.memo.tiers.committing import Committer
    from neurotools.memo.tiers.limits import Budget
    from neurotools.memo.tiers.marks import FolderMarks
    from neurotools.memo.tiers.uses import Uses

#: What entries outlive.
DURABILITIES = ("process", "power")
#: Of larger files the end is looked at first.
_LARGE = 16 << 20
#: Files remembered as verified: to read all of a file would be to lose what mapping it gains.
_MOST_VERIFIED = 4096
#: A folder that had so many entries takes longer to use, also when they are gone.
_MANY = 4096
#: So many uses are noted in memory before they are written.
_MOST_FRESH = 4096


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
    budget : Budget, optional
        How much the entries may take; what is worth least goes.

    Attributes
    ----------
    slower : tuple of Tier
        Where else entries may be: a budget may spare what is not there.

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
        budget: Budget | None = None,
    ) -> None:
        if durability not in DURABILITIES:
            raise UnknownChoice("durability", durability, DURABILITIES)
        self.root = absolute(root)
        self.name = self.root
        self.health = health_at(self.root, patience)
        self.mmap_mode, self.verify = mmap_mode, verify
        self._is_lasting = durability == "power"
        self._trust, self._signer = Trust(trusted_owners), signer
        self._folders = Folders(self.root, self._trust, shared)
        self.budget = budget
        self.slower: tuple[Tier, ...] = ()
        self._verified: dict[str, Identity] = {}
        try:
            self.health.run("write", self._folders.make_root)
        except LeftAlone:
            pass  # it is made when something is written
        except (OSError, ValueError) as error:
            if is_nonsense(error, self.root):
                raise UnusableLocation(self.root, reason(error)) from None
            self.health.tell_failure("open", error)

    def location(self, key: Key) -> str:
        path = key.path if os.sep == "/" else key.path.replace("/", os.sep)
        return f"{self.root}{os.sep}{path}"

    # ------------------------------------------------------------ reading

    def get(self, key: Key) -> Sealed | None:
        entry = self.read(key, set_aside=True)
        if entry is not None:
            fresh = self._uses.fresh
            fresh.append((key, entry.seconds))
            if len(fresh) >= _MOST_FRESH:
                self._uses.write()
        return entry

    def read(self, key: Key, *, set_aside: bool = False) -> Sealed | None:
        """Return an entry as `get` does; by default a bad one stays where it is."""
        path = self.location(key)
        # Before the file is opened: nobody but those who are trusted could exchange it after that.
        doubt = self._doubt(path) if key.method in RUNS_CODE else None
        try:
            descriptor = os.open(path, READ)
            if doubt is not None and doubt.reason == GONE:
                # Somebody has made the folder since we looked at it.
                os.close(descriptor)
                doubt = self._doubt(path)
                descriptor = os.open(path, READ)
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
            doubt = self.doubt(key)
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
            check_end(descriptor, facts, path)
        if self.mmap_mode is not None:
            return self._mapped(descriptor, facts, key, path)
        hasher = checksum(key) if self.verify else None
        buffer = read_whole(descriptor, facts.st_size, path, hasher, CHECKSUM_SIZE)
        return Sealed(buffer, key, path, verify=self.verify, found=hasher and hasher.digest())

    def doubt(self, key: Key) -> Doubt | None:
        """Return why somebody else could have written an entry, or None."""
        path = self.location(key)
        return self._doubt(path) or self._trust.in_file(path, os.lstat(path))

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
        check_end(descriptor, facts, path)
        entry = Sealed(read_whole(descriptor, facts.st_size, path), key, path)
        if not entry.is_signed(self._signer, key):
            reason = f"it is not signed with your key, and {doubt.reason}"
            raise UntrustedEntry(path, f"{reason}: {doubt.location}")
        return entry

    def _mapped(self, descriptor: int, facts: os.stat_result, key: Key, path: str) -> Sealed:
        """Return an entry in a mapped file, verified unless that was done before."""
        import mmap  # few ask for it

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
        try:
            self._committer.write(self.location(key), blob, lasting=self._is_lasting)
        except OSError as error:
            if self.budget is not None:
                self._keeper.refused(error)
            raise
        seconds = self._uses.stored(key, blob)
        if self.budget is not None:
            self._keeper.stored(key, blob.size, seconds)

    def put_manifest(self, key: Key, content: bytes) -> None:
        path = os.path.join(os.path.dirname(self.location(key)), MANIFEST)
        # What is there may be no manifest: an empty file, or something else altogether.
        if not is_file(path):
            self._committer.write(path, Blob((content,), len(content)), lasting=self._is_lasting)

    def get_manifest(self, function: str, code: str) -> bytes | None:
        return read_bounded(os.path.join(self.root, *function.split("/"), code, MANIFEST))

    def note(self, name: str) -> bytes | None:
        """Return a note kept by `keep_note`, or None; also if somebody else could have written it.

        Code that a note says less of than there is would have too small a fingerprint.
        """
        path = self._place_of(name)
        if self._doubt(path) is not None:
            return None
        return read_bounded(path, self._trust)

    def keep_note(self, name: str, content: bytes) -> None:
        """Keep something that is no entry and may be lost, in place of the note of that name."""
        self._committer.write(self._place_of(name), Blob((content,), len(content)), lasting=False)

    def _place_of(self, name: str) -> str:
        return os.path.join(self.root, PRIVATE, "notes", name)

    @property
    def marks(self) -> FolderMarks:
        """What those who share the folder tell each other."""
        from neurotools.memo.tiers.marks import FolderMarks  # not loaded for hits

        return FolderMarks(self.root, lambda: self._committer)

    def has_marks(self, above: str) -> bool:
        """Return whether there is a mark below ``above/``; much sooner than `marks` tells."""
        folder = os.path.join(self.root, PRIVATE, "marks", *above.split("/"))
        try:
            with os.scandir(folder) as found:
                return next(found, None) is not None
        except OSError:
            return False

    def lives(self, process: str) -> bool | None:
        """Return whether a process that writes here still lives; None where that is not seen."""
        return self._committer.names.lives(process)

    @functools.cached_property
    def _uses(self) -> Uses:
        from neurotools.memo.tiers.uses import uses_in  # not loaded before it is needed

        return uses_in(self.root, self._folders, self.health)

    @functools.cached_property
    def _keeper(self) -> Keeper:
        from neurotools.memo.tiers.budget import keeper_in  # as few ask for it

        assert self.budget is not None
        return keeper_in(self._folders, self.health, self.budget, self.slower)

    @functools.cached_property
    def _committer(self) -> Committer:
        from neurotools.memo.tiers.committing import Committer  # not loaded for hits

        return Committer(self._folders, self.health)

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
            names = names_to_remove(folder)
        except (FileNotFoundError, NotADirectoryError):
            return set()
        self._committer.clear_up(folder, names)
        from neurotools.memo.progress import bar  # not loaded for hits

        entries = [name for name in names if is_entry(name)]
        gone: set[str] = set()
        with bar("removing", len(entries), "entry") as shown:
            for batch in removed(folder, entries):
                gone.update(batch)
                shown(len(gone))
        if len(gone) >= _MANY:
            self._make_anew(folder)
        return gone

    def _make_anew(self, folder: str) -> None:
        """Make a folder anew that had many entries: on most disks, none becomes smaller again.

        Whoever writes there just now makes it, too; one with other files in it stays.
        """
        path = os.path.join(folder, MANIFEST)
        manifest = read_bounded(path)
        with contextlib.suppress(OSError):
            if manifest is not None:
                os.unlink(path)
            os.rmdir(folder)
        if manifest is None:
            return
        # The entries are gone, whatever becomes of what says how they were made.
        with contextlib.suppress(OSError):
            self._committer.write(path, Blob((manifest,), len(manifest)), lasting=self._is_lasting)

    def size(self, key: Key) -> int:
        try:
            return os.lstat(self.location(key)).st_size
        except FileNotFoundError:
            return 0

    def has(self, key: Key) -> bool:
        path = self.location(key)
        # Mostly there is nothing, as this says soonest: it raises nothing.
        return os.access(path, os.F_OK) and is_file(path)

    def keys(self, function: str = "") -> Iterator[Key]:
        top = os.path.join(self.root, *function.split("/")) if function else self.root
        for folder, folders, names in os.walk(top):
            if folder == self.root and PRIVATE in folders:
                folders.remove(PRIVATE)
            parts = os.path.relpath(folder, self.root).split(os.sep)
            if len(parts) < 2 or (function and "/".join(parts[:-1]) != function):
                continue
            for name in filter(is_entry, names):
                call, _, method = name.rpartition(".")
                yield Key("/".join(parts[:-1]), parts[-1], call, method)
