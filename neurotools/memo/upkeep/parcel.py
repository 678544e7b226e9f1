"""Entries in one archive, to be published or carried elsewhere, and back into a cache.

An archive is a zip file: the entries' files as they are, each with its path below the cache; the
manifests of their code; a list with checksums; and some words for people. An archive may come from
anybody. Taking it in runs nothing and decodes nothing: what is listed is checked byte by byte and
written under a name that was looked at first. What could run code later is left out unless it is
signed with one's own key: written by us, in our folder, it would pass for our own.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from neurotools import __version__
from neurotools.memo.entry import Blob, Key
from neurotools.memo.errors import CacheError, CorruptEntry, UntrustedEntry
from neurotools.memo.formats.registry import FORMATS, RUNS_CODE, decoder
from neurotools.memo.seal import Sealed, reseal
from neurotools.memo.signing import Signer
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.tiers.files import MANIFEST, MANIFEST_LIMIT
from neurotools.memo.upkeep import legacy
from neurotools.memo.upkeep.inspection import checked
from neurotools.memo.upkeep.inventory import Located

LIST, WORDS, BELOW = "neurotools.json", "README.txt", "entries"
_FORMAT = 1
_LIST_LIMIT = 256 << 20
#: A part of a path that is safe everywhere: no way up, no drive, nothing hidden, nothing unseen.
_PART = re.compile(r"(?!\.)[^\x00-\x1f\x7f/\\:*?\"<>|]{1,255}(?<![. ])")
_DEPTH, _DEEPEST = 3, 64

_TEXT = """Results of computations, kept by neurotools {version}.

Each file below {below}/ is one result. Its folders name the function and the version of its code;
its name tells the arguments. Files open with ordinary tools:

  .npy     numpy.load(file)
  .mat     Matlab, Octave, scipy.io.loadmat(file)['varargout']
  .hdf5    any program that reads HDF5
  .pickle  Python; opening one runs what is in it, so open none that you do not trust

To use them in place of computing:  neurotools import ARCHIVE FOLDER
"""


class BadArchive(CacheError, ValueError):
    """A file is no archive of ours, or a damaged one."""

    def __init__(self, location: str, reason: str) -> None:
        super().__init__(f"cannot use {location} as an archive: {reason}")
        self.location, self.reason = location, reason


class Packed(NamedTuple):
    """One entry that was written to an archive, or why it was left out."""

    path: str
    size: int
    problem: str = ""


class Taken(NamedTuple):
    """One entry of an archive: ``'taken'``, ``'there'`` already or ``'refused'``, and why."""

    path: str
    what: str
    reason: str = ""


# ---------------------------------------------------------------- out


def pack(target: str, entries: Sequence[Located], signer: Signer | None) -> Iterator[Packed]:
    """Write entries to an archive, visible when it is complete.

    Parameters
    ----------
    target : str
        The archive; one that is there is replaced at the end.
    entries : sequence of Located
        What to write.
    signer : Signer, optional
        Signs pickles that may be opened here, for those who have the same key.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    partial = f"{target}.{os.getpid()}.part"
    try:
        with zipfile.ZipFile(partial, "x", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            listed: list[dict[str, Any]] = []
            shelves: dict[str, Located] = {}
            for entry in entries:
                packed = _pack_one(archive, entry, signer, listed)
                if not packed.problem:
                    shelves[entry.shelf.name] = entry
                yield packed
            for name, entry in shelves.items():
                _pack_manifest(archive, name, entry)
            words = _TEXT.format(version=__version__, below=BELOW)
            archive.writestr(WORDS, words)
            content = {"format": _FORMAT, "neurotools": __version__, "entries": listed}
            archive.writestr(LIST, json.dumps(content, indent=1))
        os.replace(partial, target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(partial)


def _pack_one(
    archive: zipfile.ZipFile, entry: Located, signer: Signer | None, listed: list[dict[str, Any]]
) -> Packed:
    key = entry.shelf.key(entry.found)
    try:
        content = b"".join(_blob(entry, key, signer).parts)
    except CorruptEntry as error:
        is_old = legacy.seems_whole(entry.path)
        reason = "the earlier neurotools wrote it" if is_old else error.reason
        return Packed(key.path, entry.found.size, reason)
    except FileNotFoundError:
        return Packed(key.path, entry.found.size, "it is gone")
    archive.writestr(f"{BELOW}/{key.path}", content)
    digest = hashlib.sha256(content).hexdigest()
    listed.append({"path": key.path, "size": len(content), "sha256": digest})
    return Packed(key.path, len(content))


def _blob(entry: Located, key: Key, signer: Signer | None) -> Blob:
    sealed = checked(entry.path, key)
    if key.method in RUNS_CODE and signer is not None and not sealed.is_signed(signer, key):
        # Our word is given for what we would open ourselves, and for nothing else.
        with contextlib.suppress(UntrustedEntry):
            own = DirectoryTier(entry.root).read(key)
            if own is not None:
                return reseal(own, key, decoder(key.method, own.layout), signer)
    return sealed.blob


def _pack_manifest(archive: zipfile.ZipFile, name: str, entry: Located) -> None:
    tier = DirectoryTier(entry.root)
    content = tier.get_manifest(entry.shelf.function, entry.shelf.code)
    if content is not None:
        archive.writestr(f"{BELOW}/{name}/{MANIFEST}", content)


# ---------------------------------------------------------------- in


def unpack(source: str, tier: DirectoryTier, signer: Signer | None) -> Iterator[Taken]:
    """Take the entries of an archive into a cache; nothing that is there is replaced.

    Raises
    ------
    BadArchive
        If it is none; then nothing was taken.
    OSError
        If it cannot be read, or the cache cannot be written.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            listed = contents(archive, source)
            shelves: set[str] = set()
            for item in listed:
                taken = _take(archive, item, tier, signer)
                if taken.what == "taken":
                    shelves.add(taken.path.rpartition("/")[0])
                yield taken
            for shelf in sorted(shelves):
                _take_manifest(archive, shelf, tier)
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise BadArchive(source, str(error) or "it ends early") from None


def contents(archive: zipfile.ZipFile, source: str) -> list[dict[str, Any]]:
    """Return the list of an archive's entries, as far as its form goes.

    Raises
    ------
    BadArchive
        If there is none.
    """
    try:
        listed = json.loads(_read(archive, LIST, _LIST_LIMIT))
        if listed["format"] != _FORMAT:
            raise BadArchive(source, f"its format is {str(listed['format'])[:20]}, not {_FORMAT}")
        entries = listed["entries"]
        for item in entries:
            if not (isinstance(item["path"], str) and isinstance(item["sha256"], str)):
                raise TypeError("an entry without path")
            if type(item["size"]) is not int or item["size"] < 0:
                raise TypeError("an entry without size")
    except BadArchive:
        raise
    except (KeyError, TypeError, ValueError, RecursionError, AttributeError) as error:
        raise BadArchive(source, f"it holds no list of entries ({str(error)[:80]})") from None
    return list(entries)


def _read(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Return a member of an archive; never more than expected, whatever it says of itself."""
    with archive.open(name) as member:
        content = member.read(most + 1)
    if len(content) > most:
        raise ValueError(f"{name[:80]} is longer than it should be")
    return content


def _take(
    archive: zipfile.ZipFile, item: dict[str, Any], tier: DirectoryTier, signer: Signer | None
) -> Taken:
    path = item["path"]
    key = _key(path)
    if key is None:
        return Taken(path[:200], "refused", "its path is none of an entry in a cache")
    if tier.has(key):
        return Taken(path, "there")
    if item["size"] > shutil.disk_usage(tier.root).free:
        return Taken(path, "refused", "there is no room for it")
    try:
        content = _read(archive, f"{BELOW}/{path}", item["size"])
    except (KeyError, ValueError, RuntimeError, MemoryError, zipfile.BadZipFile, OSError) as error:
        return Taken(path, "refused", f"it cannot be read from the archive ({str(error)[:80]})")
    if hashlib.sha256(content).hexdigest() != item["sha256"]:
        return Taken(path, "refused", "its checksum is wrong")
    try:
        sealed = Sealed(memoryview(content), key, path)
        details = sealed.record.details
    except CorruptEntry as error:
        return Taken(path, "refused", error.reason)
    if details.get("key") != path:
        return Taken(path, "refused", "it is another entry")
    if (key.method in RUNS_CODE or details.get("traced")) and not (
        signer is not None and sealed.is_signed(signer, key)
    ):
        what = "a pickle" if key.method in RUNS_CODE else "it tells what code to load, and it is"
        return Taken(path, "refused", f"{what} not signed with your key: it could run code")
    tier.put(key, Blob((content,), len(content)))
    return Taken(path, "taken")


def _key(path: str) -> Key | None:
    """Return the key that a path in an archive means; None where it could lead anywhere else."""
    parts = path.split("/")
    call, _, method = parts[-1].rpartition(".")
    is_safe = _DEPTH <= len(parts) <= _DEEPEST and all(map(_PART.fullmatch, parts))
    if not is_safe or not call or method not in FORMATS:
        return None
    return Key("/".join(parts[:-2]), parts[-2], call, method)


def _take_manifest(archive: zipfile.ZipFile, shelf: str, tier: DirectoryTier) -> None:
    with contextlib.suppress(KeyError, ValueError):
        content = _read(archive, f"{BELOW}/{shelf}/{MANIFEST}", MANIFEST_LIMIT)
        function, _, code = shelf.rpartition("/")
        tier.put_manifest(Key(function, code, "", ""), content)
