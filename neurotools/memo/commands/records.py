"""The runs of a command that are remembered, in one small file that people can read.

It is JSON, written under another name and renamed, with a checksum over all of it. A damaged one is
moved aside, and counts as nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from typing import Any

import xxhash

from neurotools.memo.commands.contents import File
from neurotools.memo.errors import CorruptEntry
from neurotools.memo.whole import write

FORMAT = 1
#: Where records and what is printed stand below the folder that was given.
FOLDER = "commands"
#: So many runs are remembered of a command; the oldest goes.
MOST_RUNS = 16
#: Nobody writes at a small file for so long.
_OLD_SECONDS = 3600.0


class Run:
    """One run that ended well.

    Attributes
    ----------
    words : list of str
        The command as it was typed.
    reads : dict of File
        What it depended on, by what that is to it: ``'script'``, ``'argument 2'``, ...
    makes : dict of File
        What it made, likewise.
    when : float
        When it ended, seconds since the epoch.
    seconds : float
        How long it took.
    printed : File or None
        What it printed.
    kept : bool
        Whether what it made was kept.
    """

    __slots__ = ("kept", "makes", "printed", "reads", "seconds", "when", "words")

    def __init__(
        self,
        words: list[str],
        reads: dict[str, File],
        makes: dict[str, File],
        *,
        when: float,
        seconds: float,
        printed: File | None = None,
        kept: bool = False,
    ) -> None:
        self.words, self.reads, self.makes = words, reads, makes
        self.when, self.seconds, self.printed, self.kept = when, seconds, printed, kept

    def as_json(self) -> dict[str, Any]:
        """Return it as it stands in a record."""
        return {
            "words": self.words,
            "reads": {label: file.as_json() for label, file in self.reads.items()},
            "makes": {label: file.as_json() for label, file in self.makes.items()},
            "ended": time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(self.when)),
            "when": self.when,
            "seconds": self.seconds,
            "printed": None if self.printed is None else self.printed.as_json(),
            "kept": self.kept,
        }

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Run:
        """Return what `as_json` wrote."""
        return cls(
            [str(word) for word in facts["words"]],
            {label: File.from_json(file) for label, file in facts["reads"].items()},
            {label: File.from_json(file) for label, file in facts["makes"].items()},
            when=float(facts["when"]),
            seconds=float(facts["seconds"]),
            printed=File.from_json(facts["printed"]) if facts["printed"] else None,
            kept=bool(facts["kept"]),
        )

    def files(self) -> Iterator[File]:
        """Give all files that it read or made."""
        yield from self.reads.values()
        yield from self.makes.values()
        if self.printed is not None:
            yield self.printed


def _is_old(path: str) -> bool:
    return time.time() - os.stat(path).st_mtime > _OLD_SECONDS


def encoded(cwd: str, runs: Iterable[Run]) -> bytes:
    """Return the text of a record."""
    facts = {"format": FORMAT, "folder": cwd, "runs": [run.as_json() for run in runs]}
    text = json.dumps({**facts, "checksum": _checksum(facts)}, indent=1)
    return f"{text}\n".encode()


def decoded(content: bytes, path: str) -> list[Run]:
    """Return the runs in a record.

    Raises
    ------
    CorruptEntry
        If it is damaged, or no record.
    """
    try:
        facts = json.loads(content)
        if facts.pop("checksum") != _checksum(facts):
            raise CorruptEntry(path, "its checksum does not fit its content")
        return [] if facts["format"] != FORMAT else [Run.from_json(run) for run in facts["runs"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, CorruptEntry):
            raise
        raise CorruptEntry(path, f"it is no record ({type(error).__name__})") from None


def _checksum(facts: dict[str, Any]) -> str:
    text = json.dumps(facts, separators=(",", ":"), sort_keys=True)
    digest: str = xxhash.xxh3_128_hexdigest(text.encode())
    return digest


class Records:
    """The record of one call, and what lies beside it.

    Parameters
    ----------
    folder : str
        The folder that was given.
    slot : str
        Name of the record.
    cwd : str
        Where the command runs.
    """

    def __init__(self, folder: str, slot: str, cwd: str) -> None:
        self.folder = os.path.join(folder, FOLDER)
        self.slot, self._cwd = slot, cwd
        self.path = os.path.join(self.folder, f"{slot}.json")

    def version(self) -> tuple[int, int] | None:
        """Return what changes when the record is written; None where there is none."""
        try:
            facts = os.stat(self.path)
        except OSError:
            return None
        return facts.st_ino, facts.st_mtime_ns

    def load(self) -> list[Run]:
        """Return the runs that are remembered, newest last.

        Raises
        ------
        CorruptEntry
            If the record was damaged; it has been moved aside.
        OSError
            If it is there and cannot be read.
        """
        try:
            with open(self.path, "rb") as file:
                content = file.read()
        except (FileNotFoundError, NotADirectoryError):
            return []
        try:
            return decoded(content, self.path)
        except CorruptEntry:
            with contextlib.suppress(OSError):
                os.replace(self.path, f"{self.path}.damaged")
            raise

    def save(self, runs: list[Run]) -> None:
        """Keep these runs, and what they printed; forget others.

        Raises
        ------
        OSError
            If they cannot be kept.
        """
        kept = runs[-MOST_RUNS:]
        write(self.path, encoded(self._cwd, kept))
        self._clear_up({os.path.basename(run.printed.path) for run in kept if run.printed})

    def _clear_up(self, printed: set[str]) -> None:
        """Remove what other runs printed, and what killed processes left half written."""
        with contextlib.suppress(OSError):
            for name in os.listdir(self.folder):
                path = os.path.join(self.folder, name)
                if not name.startswith(f"{self.slot}."):
                    continue
                is_forgotten = name.endswith(".out") and name not in printed
                if is_forgotten or (name.endswith(".tmp") and _is_old(path)):
                    os.unlink(path)

    def place_for_printed(self, number: int) -> str:
        """Return where what a run prints may be written."""
        return os.path.join(self.folder, f"{self.slot}.{number:x}.out")
