"""Small files by which those who share a tier tell each other something: who computes, what waits.

Nothing right or wrong depends on a mark. It may be lost, and may have been written by anybody who
can write to the tier: whoever reads one believes it only as far as that costs no more than work.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from neurotools.memo.entry import Blob
from neurotools.memo.tiers.files import read_bounded
from neurotools.memo.tiers.folders import PRIVATE

if TYPE_CHECKING:
    from neurotools.memo.tiers.committing import Committer

#: Below this folder of a tier.
MARKS = f"{PRIVATE}/marks"
_NAME = r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*"


class Marks(Protocol):
    """The marks of one tier. Methods raise `OSError` when the place itself fails."""

    @property
    def is_exclusive(self) -> bool:
        """Whether `create` lets one alone succeed, of all who try at once."""

    def create(self, name: str, content: bytes) -> bool:
        """Make a mark unless there is one of that name; tell whether it was made."""

    def keep(self, name: str, content: bytes) -> None:
        """Make a mark, in place of the one of that name."""

    def read(self, name: str) -> bytes | None:
        """Return what a mark says, or None where there is none."""

    def drop(self, name: str) -> bool:
        """Remove a mark; tell whether there was one, if that is known: else it is True."""

    def names(self, above: str) -> list[str]:
        """Return the names of the marks below ``above/``, in full, in any order."""


class FolderMarks:
    """Marks as files below a folder.

    Parameters
    ----------
    root : str
        The cache's folder.
    committer : callable
        Returns what writes there; asked when something is written.
    """

    is_exclusive = True

    def __init__(self, root: str, committer: Callable[[], Committer]) -> None:
        self._folder = os.path.join(root, *MARKS.split("/"))
        self._committer = committer

    def create(self, name: str, content: bytes) -> bool:
        return self._committer().create(self._place_of(name), content)

    def keep(self, name: str, content: bytes) -> None:
        blob = Blob((content,), len(content))
        self._committer().write(self._place_of(name), blob, lasting=False)

    def read(self, name: str) -> bytes | None:
        return read_bounded(self._place_of(name))

    def drop(self, name: str) -> bool:
        try:
            os.unlink(self._place_of(name))
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def names(self, above: str) -> list[str]:
        found = []
        for folder, _, files in os.walk(self._place_of(above)):
            way = os.path.relpath(folder, self._folder).replace(os.sep, "/")
            for name in files:
                with contextlib.suppress(ValueError):
                    found.append(checked_name(f"{way}/{name}"))
        return found

    def _place_of(self, name: str) -> str:
        return os.path.join(self._folder, *checked_name(name).split("/"))


def checked_name(name: str) -> str:
    """Return a mark's name, which leads nowhere else.

    Raises
    ------
    ValueError
        If it has other characters than letters, digits and ``_.-``, or an empty or hidden part.
    """
    if not re.fullmatch(_NAME, name):
        raise ValueError(f"{name!r} is no name of a mark")
    return name
