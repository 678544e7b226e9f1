"""What lies below a cache's folder: one pass over it, every file looked at and none opened.

What a listing needs to tell, names and sizes and times, stands in the folders themselves. Not here:
what entries are worth, and what has been used (`uses`).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator

from neurotools.memo.entry import Key
from neurotools.memo.formats.registry import FORMATS
from neurotools.memo.rows import Row
from neurotools.memo.seal import SIZE, Times, times_in

#: Folder for what is no entry, as `folders` has it, which takes longer to load.
PRIVATE, MANIFEST = ".neurotools", "manifest.json"
#: What a file takes is counted in whole blocks of so many bytes, as most disks have them.
BLOCK = 4096

_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_FILE = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)
_SUFFIXES = tuple(f".{method}" for method in FORMATS)
_BY_DESCRIPTOR = os.scandir in os.supports_fd


def taken(size: int) -> int:
    """Return what a file of some length takes on a disk, in bytes."""
    return -(-size // BLOCK) * BLOCK


class Found(Row):
    """An entry's file, as its folder shows it.

    Attributes
    ----------
    name : str
        ``'<call>.<method>'``.
    size : int
        Its length in bytes.
    written, read : float
        When, seconds since the epoch. File systems note reading once a day, or never.
    """

    name: str
    size: int
    written: float
    read: float

    @property
    def method(self) -> str:
        """The format of its payload."""
        return self.name.rpartition(".")[2]

    @property
    def mark(self) -> str:
        """Its short name, one of a kind in its folder: what use is noted under."""
        return mark_of(self.name)


class Shelf:
    """One version of one function: a folder with entries.

    Attributes
    ----------
    function, code : str
        Folder of the function, and code of the version.
    path : str
        Where it is.
    entries : list of Found
        In the order of the folder.
    foreign : list of str
        Names of files that are no entries, and none of ours.
    unfinished : list of str
        Names under which somebody is writing, or was when it was killed.
    has_manifest : bool
        Whether it is known what code the entries were computed with.
    """

    __slots__ = ("code", "entries", "foreign", "function", "has_manifest", "path", "unfinished")

    def __init__(self, function: str, code: str, path: str) -> None:
        self.function, self.code, self.path = function, code, path
        self.entries: list[Found] = []
        self.foreign: list[str] = []
        self.unfinished: list[str] = []
        self.has_manifest = False

    @property
    def name(self) -> str:
        """Its place below the cache, with forward slashes."""
        return f"{self.function}/{self.code}" if self.function else self.code

    def key(self, found: Found) -> Key:
        """Return the key of one of its entries."""
        call, _, method = found.name.rpartition(".")
        return Key(self.function, self.code, call, method)


def mark_of(name: str) -> str:
    """Return the short name of an entry's file: its hash and method."""
    return f"{name.partition('.')[0]}.{name.rpartition('.')[2]}"


def census(
    root: str,
    under: str = "",
    *,
    told: Callable[[OSError], object] | None = None,
    moved: Callable[[], object] | None = None,
) -> Iterator[Shelf]:
    """Give each folder below a cache that has files in it, function by function.

    Parameters
    ----------
    root : str
        The cache's folder.
    under : str
        A part of it, with forward slashes.
    told : callable, optional
        Called with the error of each folder that cannot be looked at; else these are left out.
    moved : callable, optional
        Called for each folder, before it is looked at.
    """
    waiting = [under.strip("/")]
    while waiting:
        place = waiting.pop()
        path = os.path.join(root, *place.split("/")) if place else root
        if moved is not None:
            moved()
        function, _, code = place.rpartition("/")
        shelf = Shelf(function, code, path)
        try:
            folders = _look(shelf, path)
        except OSError as error:
            if told is not None:
                told(error)
            continue
        if not place and PRIVATE in folders:
            folders.remove(PRIVATE)
        folders.sort(reverse=True)
        waiting += [f"{place}/{name}" if place else name for name in folders]
        if shelf.entries or shelf.foreign or shelf.unfinished or shelf.has_manifest:
            yield shelf


def _look(shelf: Shelf, path: str) -> list[str]:
    """Fill a shelf from its folder; return the names of the folders in it."""
    # An open folder is not looked up anew for each of its files.
    descriptor = os.open(path, _FOLDER) if _BY_DESCRIPTOR else None
    try:
        with os.scandir(path if descriptor is None else descriptor) as listing:
            return _sort(shelf, listing)
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _sort(shelf: Shelf, listing: Iterator[os.DirEntry[str]]) -> list[str]:
    folders: list[str] = []
    add, is_place, make, kind = shelf.entries.append, bool(shelf.function), tuple.__new__, Found
    for item in listing:
        name = item.name
        if item.is_file(follow_symlinks=False):
            if name[0] == ".":
                shelf.unfinished.append(name)
            elif is_place and name.endswith(_SUFFIXES):
                try:
                    facts = item.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # removed since the folder was listed
                # Half the time that it takes to call the class.
                add(make(kind, (name, facts.st_size, facts.st_mtime, facts.st_atime)))
            elif name == MANIFEST:
                shelf.has_manifest = True
            else:
                shelf.foreign.append(name)
        elif item.is_dir(follow_symlinks=False):
            folders.append(name)
        else:
            shelf.foreign.append(name)
    return folders


def times_at(path: str) -> Times | None:
    """Return when an entry was computed, and how long that took, from the end of its file.

    None where there is no entry; nothing else of it is read, or verified.
    """
    try:
        descriptor = os.open(path, _FILE)
    except (OSError, ValueError):
        return None
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size < SIZE:
            return None
        os.lseek(descriptor, facts.st_size - SIZE, os.SEEK_SET)
        return times_in(os.read(descriptor, SIZE))
    except OSError:
        return None
    finally:
        os.close(descriptor)
