"""Several tiers as one: read-through, promotion, write-back. Tiers that fail are skipped.

Not here: what tiers are asked but for values, and what becomes of their failures (`asked`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from neurotools.memo.asked import Asked
from neurotools.memo.entry import Blob, Key
from neurotools.memo.errors import CorruptEntry, UntrustedEntry
from neurotools.memo.log import Log
from neurotools.memo.tiers.base import Entry, Tier
from neurotools.memo.tiers.guarded import Guarded
from neurotools.memo.watch.mounts import is_local_kind

if TYPE_CHECKING:
    from neurotools.memo.background.outbox import Outbox
    from neurotools.memo.tiers.marks import Marks

log = Log(__name__)


class Hierarchy(Asked):
    """Tiers, fastest first, behaving as one tier.

    Parameters
    ----------
    tiers : sequence of Tier
        Fastest first.
    write_back : bool or 'async'
        Whether new entries go to all tiers; otherwise to the fastest alone. With ``'async'``, those
        behind the first folder get them in the background.
    flush_seconds : float, optional
        How long the end of the program may wait for what is to be sent in the background.
    """

    def __init__(
        self,
        tiers: Sequence[Tier],
        *,
        write_back: bool | str = True,
        flush_seconds: float | None = None,
    ) -> None:
        super().__init__(tiers)
        self.write_back, self.flush_seconds = write_back, flush_seconds
        # What slower ones lack is noted in the first folder: it outlives the process, and is near.
        folders = [depth for depth, one in enumerate(self._guarded) if hasattr(one, "has_marks")]
        self._keeper = folders[0] if folders else 0
        self._known_outbox: Outbox | None = None
        self._has_slower = self._keeper + 1 < len(self.tiers)
        if self._has_slower and write_back:
            self.get = self._get_first  # type: ignore[method-assign] # later ones need not look

    def _get_first(self, key: Key) -> Entry | None:
        """Have sent what earlier processes have left; return an entry as `get` does."""
        self.__dict__.pop("get", None)
        try:
            if self._may_have_unsent():
                self._outbox.look()
        except Exception as error:  # the named boundary of this module
            self._failed(self._keeper, "read", error)
        return self.get(key)

    def _may_have_unsent(self) -> bool:
        """Return whether earlier processes may have left something, as far as that is told soon."""
        keeper = self._guarded[self._keeper]
        if not keeper.health.is_plain:
            return True
        if not hasattr(keeper, "has_marks"):
            return not getattr(keeper.tier, "answers_at_once", False)
        return bool(keeper.has_marks("unsent"))

    @property
    def _outbox(self) -> Outbox:
        """What slower tiers get later; not loaded before there is something."""
        # Not a cached property: before Python 3.12 those have locks, which a fork may find held.
        if self._known_outbox is None:
            from neurotools.memo.background.flushing import FLUSH_SECONDS
            from neurotools.memo.background.outbox import Outbox

            seconds = FLUSH_SECONDS if self.flush_seconds is None else self.flush_seconds
            self._known_outbox = Outbox(self._guarded, self._keeper, self.counts, seconds)
        return self._known_outbox

    def unsent(self, depth: int) -> int:
        """Return how many entries of this process are on their way to a tier."""
        return 0 if self._known_outbox is None else self._known_outbox.on_the_way(depth)

    def flush(self, timeout: float | None = None) -> int:
        """Wait until slower tiers have what they lack; return how much they still lack.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most.
        """
        return 0 if self._known_outbox is None else self._known_outbox.flush(timeout)

    def get(self, key: Key) -> Entry | None:
        """Return an entry of the fastest tier that has it; copy it to those that are faster."""
        for depth, tier in enumerate(self._guarded):
            try:
                entry = tier.get(key)
            except CorruptEntry as error:
                if error.is_set_aside:
                    log.warning("%s", error)  # it is not met again
                else:
                    tier.health.tell(f"{error.location}:{error.reason}", str(error))
                entry = None
            except UntrustedEntry as error:
                tier.health.tell(error.location, str(error))
                entry = None
            except Exception as error:  # the named boundary of this module
                self._failed(depth, "read", error)
                entry = None
            if entry is not None:
                self.counts[depth]["hits"] += 1
                if depth:
                    self._promote(key, entry, depth)
                return entry
            self.counts[depth]["misses"] += 1
        return None

    def _promote(self, key: Key, entry: Entry, depth: int) -> None:
        from neurotools.memo.background.carrying import (
            against,  # not loaded for hits in the fastest tier
        )

        try:
            reason = against(self._guarded[depth], key, entry)
        except Exception as error:  # the named boundary of this module
            self._failed(depth, "read", error)
            return
        if reason:
            # There it would be taken for our own.
            log.info("%s is not copied to faster places: %s", entry.location, reason)
            return
        for faster in range(depth):
            self._put(faster, key, entry.blob)

    def put(self, key: Key, blob: Blob) -> None:
        if self.write_back == "async" and self._has_slower:
            self._put_in_background(key, blob)
            return
        is_kept = False
        for depth in range(len(self.tiers) if self.write_back else 1):
            error = self._put(depth, key, blob)
            if depth == self._keeper:
                is_kept = error is None
            elif is_kept and error is not None and self._may_pass(error):
                self._leave(depth, key)

    def _put_in_background(self, key: Key, blob: Blob) -> None:
        """Keep an entry in the tiers up to the keeper, and have it sent to those that are slower.

        What cannot be sent later is stored there at once.
        """
        for depth in range(self._keeper):
            self._put(depth, key, blob)
        try:
            # Before the entry itself: if we are killed in between, nothing is missing.
            is_noted = self._note(key)
            is_kept = self._put(self._keeper, key, blob) is None
            for depth in range(self._keeper + 1, len(self.tiers)):
                if not (is_noted and is_kept and self._outbox.send(depth, key)):
                    self._put_at_once(depth, key, blob, is_kept=is_kept)
        except BaseException:
            self._outbox.interrupted(key)
            raise

    def _put_at_once(self, depth: int, key: Key, blob: Blob, *, is_kept: bool) -> None:
        error = self._put(depth, key, blob)
        if error is None or not is_kept:
            self._forget([key], depth)
        elif self._may_pass(error):
            self._leave(depth, key)

    def _note(self, key: Key, depth: int | None = None) -> bool:
        """Note that a slower tier, or each of them, is to get an entry; tell whether that is so."""
        try:
            self._outbox.note(key, depth)
        except Exception as error:  # the named boundary of this module
            self._failed(self._keeper, "write", error)
            return False
        return True

    def _put(self, depth: int, key: Key, blob: Blob) -> Exception | None:
        try:
            self._guarded[depth].put(key, blob)
            self.counts[depth]["stores"] += 1
        except Exception as error:  # the named boundary of this module
            self._failed(depth, "write", error)
            return error
        return None

    def _leave(self, depth: int, key: Key) -> None:
        """Have an entry sent to a tier when that works again."""
        if self._note(key, depth):
            self._outbox.send(depth, key)

    def _may_pass(self, error: Exception) -> bool:
        from neurotools.memo.background.sending import is_passing  # few failures, few that load it

        return is_passing(error)

    def _forget(self, keys: Iterable[Key], depth: int | None = None) -> None:
        """See to it that entries are not sent any more: those that are removed come not back."""
        if self._has_slower:
            try:
                self._outbox.forget(keys, depth)
            except Exception as error:  # the named boundary of this module
                self._failed(self._keeper, "remove from", error)

    def discard(self, key: Key) -> bool:
        self._forget([key])
        removed = [self._discard(depth, key) for depth in range(len(self.tiers))]
        return any(removed)

    def _discard(self, depth: int, key: Key) -> bool:
        try:
            return self._guarded[depth].discard(key)
        except Exception as error:  # the named boundary of this module
            self._failed(depth, "remove from", error)
            return False

    def clear(self, function: str, code: str) -> set[str]:
        names: set[str] = set()
        for depth, tier in enumerate(self._guarded):
            try:
                names |= tier.clear(function, code)
            except Exception as error:  # the named boundary of this module
                self._failed(depth, "remove from", error)
            if depth == self._keeper and names:
                calls = (name.rpartition(".") for name in names)
                self._forget(Key(function, code, call, method) for call, _, method in calls)
        return names

    def put_manifest(self, key: Key, content: bytes) -> bool:
        """Keep a manifest; return whether each tier has it now."""
        is_kept = True
        for depth in range(len(self.tiers) if self.write_back else 1):
            try:
                if depth > self._keeper and self.write_back == "async":
                    is_kept &= self._outbox.take_manifest(depth, key, content)
                    continue
                self._guarded[depth].put_manifest(key, content)
            except Exception as error:  # the named boundary of this module
                self._failed(depth, "write", error)
                is_kept = False
        return is_kept

    def keep_note(self, name: str, content: bytes) -> None:
        """Keep a note, which may be lost, in the fastest tier that keeps notes."""
        for depth, tier in enumerate(self._guarded):
            if hasattr(tier.tier, "keep_note"):
                try:
                    tier.keep_note(name, content)
                    return
                except Exception as error:  # the named boundary of this module
                    self._failed(depth, "write", error)

    def each_marks(self, work: Callable[[Marks, str], object], name: str) -> None:
        """Do something with the marks of each tier that has some."""
        for depth, tier in enumerate(self._guarded):
            try:
                if (marks := tier.marks) is not None:
                    work(marks, name)
            except Exception as error:  # the named boundary of this module
                self._failed(depth, "mark something in", error)

    def meeting_place(self) -> Guarded | None:
        """Return the slowest tier that new entries reach and where computers leave each other word.

        None where that is a folder on a disk of this computer, or there is no such tier.
        """
        for tier in reversed(self._guarded if self.write_back else self._guarded[:1]):
            if tier.health.kind is not None:
                return None if is_local_kind(tier.health.kind) else tier
            if tier.marks is not None:
                return tier
        return None

    def __getstate__(self) -> dict[str, object]:
        return {
            "tiers": self.tiers,
            "write_back": self.write_back,
            "flush_seconds": self.flush_seconds,
        }

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__init__(**state)  # type: ignore[misc]
