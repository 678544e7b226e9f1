"""One entry on its way from the tier that keeps it to a slower one, in the background.

Not here: who does it and when (`lanes`), and the marks of what is still to be done (`unsent`).
"""

from __future__ import annotations

import errno
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

from neurotools.memo.background.carrying import carried
from neurotools.memo.background.unsent import Note, Unsent
from neurotools.memo.entry import Key
from neurotools.memo.errors import CorruptEntry, LeftAlone, UntrustedEntry
from neurotools.memo.log import Log
from neurotools.memo.tiers.base import Entry
from neurotools.memo.tiers.guarded import Guarded

log = Log(__name__)

#: What another process has left is looked for in so many marks at once.
_AT_ONCE = 10_000
#: An entry that says so can never be kept there, however well the place is.
_NEVER = frozenset({errno.ENAMETOOLONG, errno.EFBIG, errno.EILSEQ})


class Route:
    """The way from the tier that keeps a hierarchy's new entries to one that is slower.

    Parameters
    ----------
    keeper, slow : Guarded
        The two tiers.
    count : Counter
        Of what the slow one does.
    flush_seconds : float
        How long the end of the program may wait for what is on the way.

    Attributes
    ----------
    has_more : bool
        Whether the last look at what others left has not seen all of it.
    """

    def __init__(
        self, keeper: Guarded, slow: Guarded, count: Counter[str], flush_seconds: float
    ) -> None:
        self.keeper, self.slow, self.flush_seconds = keeper, slow, flush_seconds
        self.unsent = Unsent(keeper, slow.name)
        self._count = count
        self.has_more = False
        self._manifested: set[tuple[str, str]] = set()

    def send(self, parcel: Parcel) -> None:
        """Bring an entry to the slow tier, unless somebody has removed it, or sent it, meanwhile.

        Raises
        ------
        OSError
            If that cannot be done now.
        """
        if parcel.arrived is not None:
            self._settle(parcel.arrived)
            return
        note = self.unsent.read(parcel.name)
        if note is None or not self.unsent.is_ours(note):
            return
        # Whoever left it may have been killed after sending it.
        if parcel.is_found and self._ask("has", note.key):
            self.unsent.drop(note)
            return
        entry = parcel.entry or self._read(note)
        if entry is not None:
            self._send_manifest(note.key)
            self._ask("put", note.key, entry.blob)
            self._count["stores"] += 1
            parcel.arrived = note
            self._settle(note)

    def _read(self, note: Note) -> Entry | None:
        """Return the entry; None where there is none to be sent, with its note dropped."""
        is_begun = self.unsent.is_begun(note.key)  # looked at before the entry is
        try:
            entry = carried(self.keeper, note.key)
        except CorruptEntry as error:
            log.warning("%s", error)
            entry = None
        except UntrustedEntry as error:
            # Its note stays: somebody else may be trusted to send it.
            self.keeper.health.tell(error.location, str(error))
            return None
        if entry is None and not is_begun:
            self.unsent.drop(note)
        return entry

    def _ask(self, method: str, *arguments: Any) -> Any:
        """Have the slow tier do something."""
        try:
            return getattr(self.slow, method)(*arguments)
        except OSError as error:
            # At its end, Python starts no more threads; this one may be left behind itself.
            if error.errno != errno.EAGAIN:
                raise
            return getattr(self.slow.tier, method)(*arguments)

    def _send_manifest(self, key: Key) -> None:
        version = key.function, key.code
        if version in self._manifested:
            return
        if (content := self.keeper.get_manifest(*version)) is not None:
            self._ask("put_manifest", key, content)
            self._manifested.add(version)

    def send_manifest(self, key: Key, content: bytes) -> None:
        """Bring a manifest to the slow tier.

        Raises
        ------
        OSError
            If that cannot be done now.
        """
        self._ask("put_manifest", key, content)
        self._manifested.add((key.function, key.code))

    def _settle(self, note: Note) -> None:
        """Say that an entry has arrived; take it back if it was removed while it was on its way."""
        if self.unsent.drop(note) or self.unsent.read(self.unsent.name(note.key)) is not None:
            return
        if not self.keeper.has(note.key):
            self._ask("discard", note.key)

    def give_up(self, parcel: Parcel) -> None:
        """Leave off trying to send what can never be kept there."""
        if (note := self.unsent.read(parcel.name)) is not None:
            self.unsent.drop(note)

    def failed(self, error: Exception) -> None:
        """Note, and tell, that the slow tier has failed."""
        if not isinstance(error, LeftAlone):
            self._count["failures"] += 1
            self.slow.health.tell_failure("write", error)

    def found(self, known: set[str], seen: dict[str, bytes]) -> Iterator[Note]:
        """Give notes that this process is to send from now on, since nobody else does.

        Parameters
        ----------
        known : set of str
            Names of notes that are on their way, now and while this looks.
        seen : dict
            Contents of notes whose processes may live, by name. Those that an earlier look saw in
            it are taken over; it is filled anew.
        """
        before = dict(seen)
        seen.clear()
        names = [name for name in self.unsent.names() if name not in known]
        self.has_more = len(names) > _AT_ONCE
        for name in random.sample(names, min(len(names), _AT_ONCE)):
            note = self.unsent.read(name)
            if note is None or name in known or self.unsent.is_begun(note.key):
                continue
            if self.unsent.is_ours(note):
                yield note
                continue
            if self._is_to_be_taken_over(note, before.get(name)):
                self.unsent.add(note.key)
                yield note
            else:
                seen[name] = note.content

    def _is_to_be_taken_over(self, note: Note, before: bytes | None) -> bool:
        is_orphan = self.unsent.is_orphan(note)
        if is_orphan is None and before == note.content:
            # If its process lives after all, it may be about to keep the entry.
            return self.keeper.has(note.key)
        return bool(is_orphan)


class Parcel:
    """Something that is to be sent.

    Attributes
    ----------
    name : str
        Of its mark; empty for a manifest, which has none.
    is_found : bool
        Whether another process had left it.
    entry : Entry or None
        The entry itself, where it might be gone when its turn comes.
    size : int
        How many bytes it takes to hold that.
    manifest : bytes or None
        What is sent instead of an entry.
    arrived : Note or None
        What was noted of an entry that is there, if that is not settled yet.
    tries : int
        How often it failed while others arrived.
    """

    __slots__ = (
        *(
            "arrived",
            "entry",
            "is_found",
            "key",
            "manifest",
            "name",
            "route",
            "since",
            "size",
            "tries",
        ),
    )

    def __init__(
        self,
        route: Route,
        key: Key,
        name: str,
        *,
        is_found: bool = False,
        manifest: bytes | None = None,
    ) -> None:
        self.route, self.key, self.name = route, key, name
        self.is_found, self.manifest = is_found, manifest
        self.entry: Entry | None = None
        self.arrived: Note | None = None
        self.size, self.tries, self.since = 0, 0, -1

    def send(self) -> None:
        """Bring it to the slow tier.

        Raises
        ------
        OSError
            If that cannot be done now.
        """
        if self.manifest is None:
            self.route.send(self)
        else:
            self.route.send_manifest(self.key, self.manifest)


def is_passing(error: Exception) -> bool:
    """Tell whether what could not be kept somewhere may be kept there later."""
    return isinstance(error, OSError) and error.errno not in _NEVER
