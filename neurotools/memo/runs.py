"""What a function's computations use and change: noted while they run, compared at later hits."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from neurotools.memo.entry import Record
from neurotools.memo.log import Log
from neurotools.memo.making import FILES_GIVEN, Making
from neurotools.memo.tiers.trust import Trust

if TYPE_CHECKING:
    from neurotools.memo.fingerprint.reach import Tracker
    from neurotools.memo.trace.evidence import Witness
    from neurotools.memo.trace.recording import Recording

log = Log(__name__)

#: What `trace` is where only files are noted.
FILES = "files"


class Runs:
    """The computations of one function.

    Parameters
    ----------
    tracker : Tracker
        Follows the function's code.
    name : str
        The function's, for messages.
    trace : bool or 'files'
        Whether to note what really runs and is read, or only which files are.
    owners : iterable of int
        Users who are trusted besides oneself and root.
    """

    def __init__(
        self, tracker: Tracker, name: str, *, trace: bool | str, owners: Iterable[int] = ()
    ) -> None:
        self._tracker, self._name, self.trace = tracker, name, trace
        self._trust = Trust(owners)
        self._known_witness: Witness | None = None

    def watched(self, files: Mapping[str, list[str]] | None = None) -> Watched:
        """Note what a computation uses, and what it changes.

        Parameters
        ----------
        files : mapping, optional
            Files that it is given: argument to path and digest.
        """
        return Watched(
            files or {}, self._recorded() if self.trace else None, self._tracker.starts, self._ran
        )

    def outdated(self, record: Record, location: str) -> str:
        """Return the name of something that a computation used and that has changed since.

        Parameters
        ----------
        record : Record
            Of the computation's entry.
        location : str
            Where that is. A record may name code whose module is not loaded; it is loaded only if
            nobody else could have written the name.
        """
        facts = record.details.get("traced", [])
        return self._witness.changed(facts, lambda: self._is_trusted(location))

    def digests(self, record: Record | None, name: str) -> dict[str, tuple[str, str]]:
        """Return a file's digest as a computation saw it and as it is, by its path; {} for code."""
        facts = [] if record is None else record.details.get("traced", [])
        return self._witness.digests(facts, name)

    def _is_trusted(self, location: str) -> bool:
        if not os.path.isabs(location):
            return False  # in memory: what was computed or loaded here has its modules loaded
        folder = os.path.dirname(location)
        if self._trust.in_folder(folder, folder) is not None:
            return False
        try:
            return self._trust.in_file(location, os.lstat(location)) is None
        except OSError:
            return False

    def told(self, run: Watched, place: str) -> dict[str, Any]:
        """Return what a computation used, as its record in a cache of some name tells it."""
        told = run.told(place) if run.used else {}
        if run.files:
            told[FILES_GIVEN] = dict(run.files)
        if run.recording is not None:
            told["traced"] = self._witness.seen(run.recording)
        return told

    def hand_on(self, record: Record) -> None:
        """Have computations under way, which use a result that was found, note what it used."""
        if facts := record.details.get("traced"):
            from neurotools.memo.trace.recording import hand_on

            hand_on(facts)

    def _recorded(self) -> AbstractContextManager[Recording]:
        from neurotools.memo.trace.recording import recorded

        return recorded(codes=self.trace != FILES)

    @property
    def _witness(self) -> Witness:
        # Not a cached property: before Python 3.12 those have locks, which a fork may find held.
        if self._known_witness is None:
            from neurotools.memo.trace.evidence import Witness

            self._known_witness = Witness(self._tracker)
        return self._known_witness

    def _ran(self) -> None:
        try:
            self._tracker.ran()
        except Exception as error:  # the walk looks at objects of the user's
            log.debug("%s cannot be followed after its run: %r", self._name, error)


class Watched(Making):
    """One computation, the block; a class, since a generator takes three times the time.

    Attributes
    ----------
    files : mapping
        Files that it was given: argument to path and digest.
    recording : Recording or None
        What else it used, where that is noted.
    """

    __slots__ = ("_ran", "_recorded", "_starts", "files", "recording")

    def __init__(
        self,
        files: Mapping[str, list[str]],
        recorded: AbstractContextManager[Recording] | None,
        starts: Callable[[], None],
        ran: Callable[[], None],
    ) -> None:
        super().__init__()
        self._recorded, self._starts, self._ran, self.files = recorded, starts, ran, files
        self.recording: Recording | None = None

    def __enter__(self) -> Watched:
        self._starts()
        if self._recorded is not None:
            self.recording = self._recorded.__enter__()
        self.begin()
        return self

    def __exit__(self, *raised: Any) -> None:
        try:
            self.end()
            if self._recorded is not None:
                self._recorded.__exit__(*raised)
        finally:
            self._ran()
