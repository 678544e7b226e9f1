"""What a slower tier lacks: one mark for each such entry, in the faster tier that keeps the entry.

A mark is made before a result is returned whose copy is still to come, and dropped when the copy
has arrived: whatever is killed meanwhile, the next process that uses the tiers finds the mark. It
names the process that is to send the entry; others leave it alone as long as that process lives.
Anybody who can write to the tier can make marks: they say which entries to copy, and no more. Not
here: the copying (`neurotools.memo.background.sending`).
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import xxhash

from neurotools.memo.entry import Key
from neurotools.memo.formats.registry import FORMATS
from neurotools.memo.tiers.folders import PRIVATE
from neurotools.memo.tiers.guarded import Guarded
from neurotools.memo.tiers.marks import Marks
from neurotools.memo.tiers.unfinished import this_process

#: Above the marks of all slower tiers.
UNSENT = "unsent"
#: No mark of ours is longer.
_LONGEST = 16 << 10
_NUMBERS = itertools.count()
#: Names of keepers and marks whose entries this process is about to keep.
_BEGUN: set[tuple[str, str]] = set()


class Note(NamedTuple):
    """What a mark says.

    Attributes
    ----------
    key : Key
        The entry that is to be sent.
    by : str
        The process that is to send it.
    content : bytes
        The whole mark; of two for the same entry, it tells which is which.
    """

    key: Key
    by: str
    content: bytes


class Unsent:
    """The marks of what one tier lacks.

    Parameters
    ----------
    keeper : Guarded
        The faster tier. One without marks has them in this process's memory.
    lacks : str
        Name of the slower tier.

    Attributes
    ----------
    is_lasting : bool
        Whether the marks outlive this process.
    """

    def __init__(self, keeper: Guarded, lacks: str) -> None:
        marks = keeper.marks
        self.is_lasting = marks is not None
        self._marks: Marks = _MemoryMarks() if marks is None else marks
        self._keeper, self._lacks = keeper, lacks
        self.above = above(lacks)

    def add(self, key: Key, *, is_kept: bool = True) -> str:
        """Note that an entry is to be sent by this process; return the name of the mark.

        Parameters
        ----------
        key : Key
            The entry's.
        is_kept : bool
            Whether the keeper has it already; otherwise `now_kept` says when.
        """
        if not is_kept:
            _BEGUN.add(self._place(key))
        facts = {"key": key.path, "to": self._lacks, "by": this_process(), "n": next(_NUMBERS)}
        name = self.name(key)
        self._marks.keep(name, json.dumps(facts).encode())
        return name

    def now_kept(self, key: Key) -> None:
        """Say that the keeper has an entry by now, or will not get it."""
        _BEGUN.discard(self._place(key))

    def is_begun(self, key: Key) -> bool:
        """Return whether this process is about to keep an entry: it may not be there yet."""
        return self._place(key) in _BEGUN

    def _place(self, key: Key) -> tuple[str, str]:
        return self._keeper.name, self.name(key)

    def name(self, key: Key) -> str:
        """Return the name of an entry's mark."""
        path = key.path.encode("utf-8", "surrogatepass")
        return f"{self.above}/{xxhash.xxh3_128_hexdigest(path)}"

    def read(self, name: str) -> Note | None:
        """Return what is noted under a name, or None; what is no note of ours is dropped."""
        content = self._marks.read(name)
        if content is None:
            return None
        note = _parsed(content)
        if note is None or self.name(note.key) != name:
            self._marks.drop(name)
            return None
        return note

    def drop(self, note: Note) -> bool:
        """Drop a note, unless there is another one for its entry by now; tell whether that is so.

        What is noted anew is to be sent anew.
        """
        name = self.name(note.key)
        now = self._marks.read(name)
        if now is not None and now != note.content:
            return False
        self._marks.drop(name)
        return now is not None

    def forget(self, keys: Iterable[Key]) -> None:
        """Drop the notes of entries that are not to be sent any more."""
        names = {self.name(key) for key in keys}
        if len(names) > 1:
            names &= set(self.names())
        for name in names:
            self._marks.drop(name)

    def names(self) -> list[str]:
        return self._marks.names(self.above)

    def notes(self) -> Iterator[Note]:
        for name in self.names():
            if (note := self.read(name)) is not None:
                yield note

    def is_ours(self, note: Note) -> bool:
        return note.by == this_process()

    def is_orphan(self, note: Note) -> bool | None:
        """Return whether the process of a note is gone; None where that cannot be seen."""
        lives = getattr(self._keeper.tier, "lives", None)
        living = None if lives is None else lives(note.by)
        return None if living is None else not living


def above(lacks: str) -> str:
    """Return what stands above the names of the marks of what a tier lacks."""
    return f"{UNSENT}/{xxhash.xxh3_64_hexdigest(lacks.encode('utf-8', 'surrogatepass'))}"


def _parsed(content: bytes) -> Note | None:
    if len(content) > _LONGEST:
        return None
    try:
        facts = json.loads(content)
        path, by = facts["key"], facts["by"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    key = key_at(path) if isinstance(path, str) else None
    return None if key is None or not isinstance(by, str) else Note(key, by, content)


def key_at(path: str) -> Key | None:
    """Return the key whose entry has a path, or None if no entry can have it."""
    *folders, name = path.split("/")
    call, _, method = name.rpartition(".")
    if len(folders) < 2 or not call or method not in FORMATS or folders[0] == PRIVATE:
        return None
    odd = "\0\\:" if os.name == "nt" else "\0"
    if any(part in {"", ".", ".."} or not set(odd).isdisjoint(part) for part in (*folders, name)):
        return None
    return Key("/".join(folders[:-1]), folders[-1], call, method)


class _MemoryMarks:
    """Marks of a tier that has none, such as memory: they end with the process, as it does."""

    is_exclusive = True

    def __init__(self) -> None:
        self._marks: dict[str, bytes] = {}

    def create(self, name: str, content: bytes) -> bool:
        return self._marks.setdefault(name, content) is content

    def keep(self, name: str, content: bytes) -> None:
        self._marks[name] = content

    def read(self, name: str) -> bytes | None:
        return self._marks.get(name)

    def drop(self, name: str) -> bool:
        return self._marks.pop(name, None) is not None

    def names(self, above: str) -> list[str]:  # noqa: ARG002 - there are no others
        return list(self._marks)
