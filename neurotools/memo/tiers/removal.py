"""Removing some entries of a folder at once, if they still are what somebody saw there.

Not here: which (`going`).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator

from neurotools.memo.tiers.folders import Folders
from neurotools.memo.tiers.worth import Candidate, is_unlinked

#: In an open folder, nothing has to be found by a long path, twice for each file.
_BY_DESCRIPTOR = {os.stat, os.unlink} <= os.supports_dir_fd
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)


def removed(
    folders: Folders, going: Iterable[Candidate], failed: Callable[[OSError], object]
) -> list[Candidate]:
    """Remove entries; return those that were there, as they were.

    Parameters
    ----------
    folders : Folders
        The cache's.
    going : iterable of Candidate
        What is to go. What was written since then stays.
    failed : callable
        Called with the error of each that cannot be removed, or of a folder of them.
    """
    by_shelf: dict[str, list[Candidate]] = {}
    for one in going:
        by_shelf.setdefault(one.shelf, []).append(one)
    gone: list[Candidate] = []
    for shelf, ones in by_shelf.items():
        try:
            with _opened(folders, shelf) as (place, folder):
                for one in ones:
                    try:
                        if _is_removed(place + one.name, folder, one.written):
                            gone.append(one)
                    except OSError as error:
                        failed(error)
        except (FileNotFoundError, NotADirectoryError):
            continue  # somebody removed the whole version
        except OSError as error:
            failed(error)
    return gone


@contextlib.contextmanager
def _opened(folders: Folders, shelf: str) -> Iterator[tuple[str, int | None]]:
    """Give what comes before a name in a folder, and the folder if that is open."""
    path = os.path.join(folders.root, *shelf.split("/"))
    folders.check(path)
    if not _BY_DESCRIPTOR:
        yield path + os.sep, None
        return
    descriptor = os.open(path, _FOLDER)
    try:
        yield "", descriptor
    finally:
        os.close(descriptor)


def _is_removed(name: str, folder: int | None, written: float) -> bool:
    """Remove a file unless it was made anew since somebody looked; tell whether it was removed."""
    try:
        if os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime > written:
            return False
    except FileNotFoundError:
        return False
    return is_unlinked(name, folder)
