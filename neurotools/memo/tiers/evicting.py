"""Removing from one folder what is to go next, with what is to stay left out.

Pins are heeded also when they were made after somebody looked, and what no slower tier has stays
where that was asked for. What went leaves a line for `explain` (`graves`). Not here: how much has
to go, and when (`budget`).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from neurotools.memo.entry import Key
from neurotools.memo.tiers import graves, worth
from neurotools.memo.tiers.account import NOTHING, Counts
from neurotools.memo.tiers.base import Tier
from neurotools.memo.tiers.census import Shelf, mark_of
from neurotools.memo.tiers.folders import Folders
from neurotools.memo.tiers.going import Going
from neurotools.memo.tiers.graves import Grave
from neurotools.memo.tiers.guarded import Guarded
from neurotools.memo.tiers.limits import Budget
from neurotools.memo.tiers.pins import Pins, pins_changed, pins_in
from neurotools.memo.tiers.removal import removed
from neurotools.memo.tiers.worth import Candidate

#: What was stored by this process last never goes.
_LAST = 2
#: Some file systems say that there is room only so many seconds after something was removed.
_LATE_SECONDS = 30.0
_WHY = "to keep the budget"


#: An entry that was stored, what it takes on the disk, and how many seconds it took to compute.
Stored = tuple[Key, int, float]


class Evictor:
    """Removes entries of one folder, the first to go first.

    Parameters
    ----------
    folders : Folders
        The folder's.
    budget : Budget
        In which order they go, and what stays.
    slower : sequence of Tier
        Where else entries may be.
    failed : callable
        Called with the error of each that cannot be removed.

    Attributes
    ----------
    moved : int
        How many have gone since somebody looked, by us or by others.
    """

    def __init__(
        self,
        folders: Folders,
        budget: Budget,
        slower: Sequence[Tier],
        failed: Callable[[OSError], object],
    ) -> None:
        self._folders, self._root, self._budget = folders, folders.root, budget
        self._elsewhere, self._tell = tuple(Guarded(tier) for tier in slower), failed
        self._lock, self._evicting = threading.Lock(), threading.Lock()
        self._going = Going(worth.ORDERS[budget.evict])
        self._pins, self._changed = Pins(set()), 0
        self._is_looked, self.moved = False, 0
        most = budget.max_entries
        self._last: deque[Key] = deque(maxlen=_LAST if most is None else min(most, _LAST))
        self._late: deque[tuple[float, int]] = deque()
        #: What was not removed for being the last; it is not for long, if more is stored.
        self._held: list[Candidate] = []

    def __len__(self) -> int:
        """Return how many could go at once."""
        return len(self._going)

    def arrange(self, shelves: list[Shelf], now: float) -> None:
        """Put all that there is in the order in which it is to go.

        Parameters
        ----------
        shelves : list of Shelf
            What is there.
        now : float
            When somebody began to look, by the disk's own clock.
        """
        changed, pins = pins_changed(self._root), pins_in(self._root)
        is_costly = self._budget.evict == "value"
        found = worth.candidates(self._root, pins, shelves, costs=is_costly)
        arranged = self._going.arranged(list(found), now)
        with self._lock:
            self._going.begin_with(arranged)
            self._held.clear()
            self._pins, self._changed = pins, changed
            self._is_looked, self.moved = True, 0

    def forget(self) -> None:
        """Know of nothing that could go."""
        with self._lock:
            self._going.clear()
            self._held.clear()
            # Where nothing has to go, that nothing went says nothing.
            self._is_looked, self.moved = False, 1

    def join(self, stored: list[Stored]) -> None:
        """Let what this process has stored since somebody looked be among what may go."""
        self._last.extend(key for key, _, _ in stored[-_LAST:])
        if not self._is_looked:
            return
        for key, _, _ in reversed(stored):
            # None of them is younger than the last of them that is there.
            with contextlib.suppress(OSError):
                written = os.lstat(os.path.join(self._root, *key.path.split("/"))).st_mtime
                ones = [
                    Candidate(*_place(key), room, seconds, 0, written, written)
                    for key, room, seconds in stored
                ]
                with self._lock:
                    self._going.add([*self._held, *ones])
                    self._held.clear()
                return

    def free(self) -> int:
        """Return what is free on the disk, in bytes, with what is known to be free soon."""
        while self._late and self._late[0][0] < time.monotonic() - _LATE_SECONDS:
            self._late.popleft()
        return shutil.disk_usage(self._root).free + sum(room for _, room in self._late)

    def evict(
        self, excess: Counts, most: int, told: Callable[[Counts], object] | None = None
    ) -> Counts:
        """Remove what goes next, unless somebody does so now; return what that was.

        Parameters
        ----------
        excess : Counts
            How much is to go.
        most : int
            How many are looked at, at most.
        told : callable, optional
            Called before some are removed, with what they are; and after it, with less than
            nothing, where some of them stay or had gone.
        """
        freed, looked = NOTHING, 0
        if not self._evicting.acquire(blocking=False):
            return freed
        try:
            self._heed_pins()
            while looked < most and (freed.room < excess.room or freed.entries < excess.entries):
                chosen = self._chosen(excess - freed, most - looked)
                if not chosen:
                    break
                looked += len(chosen)
                freed += self._remove(chosen, told or _nobody)
        finally:
            self._evicting.release()
        return freed

    def paused(self) -> AbstractContextManager[object]:
        """Let nothing be removed here while the block runs."""
        return self._evicting

    def settle(self) -> None:
        """Wait until what is being removed here is gone."""
        with self._evicting:
            pass

    def _chosen(self, excess: Counts, most: int) -> list[Candidate]:
        """Take out what goes next."""
        chosen: list[Candidate] = []
        last, room = {_place(key) for key in self._last}, 0
        with self._lock:
            while len(chosen) < most and (room < excess.room or len(chosen) < excess.entries):
                if (one := self._going.pop()) is None:
                    break
                if (one.shelf, one.name) in last:
                    self._held.append(one)
                elif self._may_go(one):  # it may be new in a version that is pinned
                    chosen.append(one)
                    room += one.room
        return chosen

    def _remove(self, chosen: list[Candidate], told: Callable[[Counts], object]) -> Counts:
        failures: list[OSError] = []
        gone: list[Candidate] = []
        if self._budget.spare_last:
            chosen = [one for one in chosen if self._is_elsewhere(one.key)]
        before, all_of_them = self._free_now(), _counts(chosen)
        told(all_of_them)
        try:
            gone = removed(self._folders, chosen, failures.append)
        finally:
            if len(gone) < len(chosen):
                told(_counts(gone) - all_of_them)
        self.moved += len(chosen) - len(failures)
        room = sum(one.room for one in gone)
        if self._free_now() - before < room // 2:
            self._late.append((time.monotonic(), room))
        if gone:
            now = time.time()
            lines = ((*_short(one), Grave(now, _WHY, one.seconds)) for one in gone)
            graves.bury(self._root, lines)
        if not len(self):
            for shelf in {one.shelf for one in gone}:
                worth.clear_away(self._root, shelf)
        for error in failures:
            self._tell(error)
        return Counts(room, len(gone))

    def _free_now(self) -> int:
        return shutil.disk_usage(self._root).free if self._budget.min_free is not None else 0

    def _heed_pins(self) -> None:
        """Leave out what was pinned since somebody looked."""
        changed = pins_changed(self._root)
        if changed != self._changed and len(self):
            pins = pins_in(self._root)
            with self._lock:
                self._pins, self._changed = pins, changed
                self._going.keep(self._may_go)

    def _may_go(self, one: Candidate) -> bool:
        return not self._pins.has_shelf(one.shelf) and not self._pins.has(one.shelf, one.name)

    def _is_elsewhere(self, key: Key) -> bool:
        for tier in self._elsewhere:
            with contextlib.suppress(Exception):  # where it cannot be seen, this is the last copy
                if tier.has(key):
                    return True
        return False


def _counts(ones: list[Candidate]) -> Counts:
    return Counts(sum(one.room for one in ones), len(ones))


def _nobody(_: Counts) -> None:
    pass


def _place(key: Key) -> tuple[str, str]:
    return f"{key.function}/{key.code}", f"{key.call}.{key.method}"


def _short(one: Candidate) -> tuple[str, str]:
    return one.shelf, mark_of(one.name)
