"""Entries looked at byte by byte, for their checksums; nothing in them is decoded or run."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from neurotools.memo.entry import Key
from neurotools.memo.errors import CacheError, CorruptEntry
from neurotools.memo.seal import CHECKSUM_SIZE, SIZE, Sealed, checksum
from neurotools.memo.tiers.census import Shelf, census
from neurotools.memo.tiers.committing import Committer
from neurotools.memo.tiers.files import READ, check_end
from neurotools.memo.tiers.folders import Folders
from neurotools.memo.tiers.reading import read_whole
from neurotools.memo.tiers.trust import Trust
from neurotools.memo.upkeep import legacy
from neurotools.memo.upkeep.inventory import Place
from neurotools.memo.watch.health import health_at


def checked(path: str, key: Key) -> Sealed:
    """Return the bytes of an entry, verified. They may come from anybody: do not decode pickles.

    Raises
    ------
    CorruptEntry
        If it is no undamaged entry of that key.
    OSError
        If it cannot be read.
    """
    descriptor = os.open(path, READ)
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise CorruptEntry(path, "it is no regular file")
        if facts.st_size < SIZE:
            raise CorruptEntry(path, f"{facts.st_size} bytes are too few")
        check_end(descriptor, facts, path)
        hasher = checksum(key)
        buffer = read_whole(descriptor, facts.st_size, path, hasher, CHECKSUM_SIZE)
        return Sealed(buffer, key, path, found=hasher.digest())
    finally:
        os.close(descriptor)


class Verdict(NamedTuple):
    """What came of looking at a file: what it is, and what is wrong with it, if anything."""

    path: str
    size: int
    problem: str = ""
    kind: str = "entry"
    is_mended: bool = False


def verify(places: Iterable[Place], *, repair: bool = False) -> Iterator[Verdict]:
    """Verify the checksum of each entry.

    Parameters
    ----------
    places : iterable of Place
        The caches.
    repair : bool
        Whether damaged entries are set aside, and what killed processes left is removed.

    Yields
    ------
    Verdict
        Of each entry, and of each file that nobody is writing any more.
    """
    for place in places:
        folders = Folders(place.root, Trust())
        for shelf in census(place.root, place.under):
            for found in shelf.entries:
                yield _verdict(shelf, found.name, found.size, folders if repair else None)
            if repair and shelf.unfinished:
                yield from _cleared(shelf, folders)


def _verdict(shelf: Shelf, name: str, size: int, folders: Folders | None) -> Verdict:
    path = os.path.join(shelf.path, name)
    call, _, method = name.rpartition(".")
    try:
        facts = os.lstat(path)
        checked(path, Key(shelf.function, shelf.code, call, method))
    except FileNotFoundError:
        return Verdict(path, 0)  # removed since it was listed
    except CorruptEntry as error:
        if legacy.seems_whole(path):
            return Verdict(path, size, "the earlier neurotools wrote it", "legacy")
        is_mended = folders is not None and folders.set_aside(path, facts)
        return Verdict(path, size, error.reason, is_mended=is_mended)
    except (CacheError, OSError) as error:
        return Verdict(path, size, getattr(error, "strerror", None) or str(error))
    return Verdict(path, size)


def _cleared(shelf: Shelf, folders: Folders) -> Iterator[Verdict]:
    Committer(folders, health_at(folders.root)).clear_up(shelf.path, shelf.unfinished)
    for name in shelf.unfinished:
        path = os.path.join(shelf.path, name)
        if not os.path.lexists(path):
            yield Verdict(path, 0, "left by a process that was killed", "leftover", is_mended=True)
