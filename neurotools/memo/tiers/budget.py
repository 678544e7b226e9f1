"""A folder's budget, kept while it is in use: in small steps, by whoever stores.

Whoever stores says how much (`account`); when the sum nears the budget, what is worth least goes,
some entries at a time, until there is a little room again. Which entries there are is looked at
once, in a thread, and again when those are used up or the look is old: never at each write.
Failures here are told once, and keep nobody from storing. Not here: what is worth how much
(`worth`).
"""

from __future__ import annotations

import atexit
import contextlib
import math
import os
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from neurotools.memo.entry import Key
from neurotools.memo.log import Log
from neurotools.memo.tiers import graves, uses, worth
from neurotools.memo.tiers.account import NOTHING, Account, Counts
from neurotools.memo.tiers.base import Tier
from neurotools.memo.tiers.census import Shelf, census, mark_of, taken
from neurotools.memo.tiers.folders import Folders
from neurotools.memo.tiers.graves import Grave
from neurotools.memo.tiers.guarded import Guarded
from neurotools.memo.tiers.limits import Budget
from neurotools.memo.tiers.pins import pins_changed, pins_in
from neurotools.memo.tiers.worth import Candidate
from neurotools.memo.watch.health import Health

log = Log(__name__)

#: The account is looked at after so many stores, or after this share of the budget was stored.
_STORES, _SHARE = 64, 0.01
#: Eviction begins a little below the budget, since others go on writing, and ends lower.
_TOO_MUCH, _ENOUGH = 0.985, 0.965
#: Above this share, whoever stores evicts more, and waits so long at most for who looks just now.
_PRESSED, _WAIT_SECONDS = 1.0, 0.1
#: Few entries are counted one by one.
_FEW = 6400
#: Entries that go in one step, and how long nobody has stored when the thread goes on alone.
_STEP, _PAUSE_SECONDS = 32, 0.1
#: What was stored by this process last never goes; what is so young goes after all else.
_LAST, _YOUNG_SECONDS = 2, 2.0
#: The newest never go, so many of them or this part of all: other processes have just stored them.
_NEWEST, _PART = 16, 10
#: A look at the folder is too old after so many seconds, or so many times what it took.
_OLD_SECONDS, _TIMES = 30.0, 50.0
#: Where nothing may go, it is not tried again for so many seconds.
_STUCK_SECONDS = 5.0
#: At its end, a process evicts for so long at most.
_END_SECONDS = 1.0
_WHY = "to keep the budget"


class Keeper:
    """Keeps one folder to its budget.

    Parameters
    ----------
    folders : Folders
        The folder's.
    health : Health
        How the place has answered lately.
    budget : Budget
        What it may take.
    slower : sequence of Tier
        Where else entries may be.
    """

    def __init__(
        self, folders: Folders, health: Health, budget: Budget, slower: Sequence[Tier] = ()
    ) -> None:
        self._folders, self._health, self._root = folders, health, folders.root
        self._budget, self._slower = budget, tuple(slower)
        self._elsewhere = tuple(Guarded(tier) for tier in slower)
        self.begin_anew()

    def begin_anew(self) -> None:
        """Start with nothing stored: at first, and in a forked child, a process of its own."""
        self._account = Account(self._folders)
        self._lock, self._evicting = threading.Lock(), threading.Lock()
        self._thread: threading.Thread | None = None
        self._queue: list[Candidate] = []
        self._looked = self._look_seconds = self._stuck_until = self._seen = 0.0
        self._moved, self._until, self._pinned = 0, math.inf, 0
        self._is_ordered = threading.Event()
        self._last: deque[tuple[str, str]] = deque(maxlen=_LAST)
        self._stores = self._room = 0

    def stored(self, key: Key, size: int) -> None:
        """Say that an entry was stored; now and then, see whether that was too much."""
        room = taken(size)
        self._last.append((f"{key.function}/{key.code}", f"{key.call}.{key.method}"))
        with self._lock:
            self._account.own += Counts(room, 1)
            self._stores, self._room = self._stores + 1, self._room + room
            if self._stores < _STORES and not self._counts_each():
                return
            self._stores = self._room = 0
        self._safely(self._see)

    def _counts_each(self) -> bool:
        budget = self._budget
        is_much = budget.max_bytes is not None and self._room >= _SHARE * budget.max_bytes
        return is_much or (budget.max_entries is not None and budget.max_entries < _FEW)

    def _see(self) -> None:
        self._seen = time.monotonic()
        total = self._account.total()
        if total is not None and self._excess(total, _TOO_MUCH) == NOTHING:
            return
        if time.monotonic() < self._stuck_until:
            return
        # Whoever stores makes room for it at once: another thread would be in its way for longer.
        if total is not None and self._queue:
            is_much = self._excess(total, _PRESSED) != NOTHING
            self._step(self._excess(total, _ENOUGH), 4 * _STEP if is_much else _STEP)
        else:
            self._wake()
            if total is not None and self._excess(total, _PRESSED) != NOTHING:
                self._is_ordered.wait(_WAIT_SECONDS)
                self._step(self._excess(total, _PRESSED))

    def _excess(self, total: Counts, share: float) -> Counts:
        """Return what there is beyond a share of the budget."""
        budget, room, entries = self._budget, 0, 0
        if budget.max_bytes is not None:
            room = total.room - int(budget.max_bytes * share)
        if budget.min_free is not None:
            free = shutil.disk_usage(self._root).free
            room = max(room, min(int(budget.min_free * (2 - share)) - free, total.room))
        if budget.max_entries is not None:
            entries = total.entries - budget.max_entries - int(budget.max_entries * (share - 1))
        return Counts(max(room, 0), max(entries, 0))

    # ------------------------------------------------------------ evicting

    def _wake(self) -> None:
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return
            work = threading.Thread(target=self._work, name="neurotools budget", daemon=True)
            self._thread = work
        with contextlib.suppress(RuntimeError):  # the interpreter is ending
            work.start()

    def _work(self) -> None:
        self._safely(self.keep)

    def keep(self, seconds: float = math.inf) -> None:
        """Where there is too much, evict until there is a little room, for so long at most."""
        until, share = time.monotonic() + seconds, _TOO_MUCH
        while time.monotonic() < min(until, self._until):
            total = self._account.total()
            if total is None:
                self._look()
                continue
            excess = self._excess(total, share)
            if excess == NOTHING:
                return
            share = _ENOUGH
            if self._queue:
                # Those who store make room themselves; two threads would be in each other's way.
                if seconds < math.inf or time.monotonic() - self._seen > _PAUSE_SECONDS:
                    self._step(self._excess(total, share))
                else:
                    time.sleep(_PAUSE_SECONDS)
            elif self._looked and not self._moved:
                self._give_up()
                return
            else:
                self._look()

    def _look(self) -> None:
        """Look at all that is there, once, and put it in the order in which it is to go."""
        with self._evicting:
            started, before = time.monotonic(), self._account.moved()
            shelves = list(census(self._root))
            sizes = [taken(found.size) for shelf in shelves for found in shelf.entries]
            total = Counts(sum(sizes), len(sizes))
            self._account.look(before, total)
            uses.forget(self._root, shelves)
            is_too_much = self._excess(total, _ENOUGH) != NOTHING
            self._pinned = pins_changed(self._root)
            self._queue = self._in_order(shelves) if is_too_much else []
            if self._queue:
                self._is_ordered.set()  # those who wait for it begin to evict
            # Where nothing had to go, that nothing went says nothing.
            self._looked, self._moved = time.monotonic(), 0 if is_too_much else 1
            self._look_seconds = self._looked - started

    def _in_order(self, shelves: list[Shelf]) -> list[Candidate]:
        """Return what may go, the first at the end."""
        is_costly, order = self._budget.evict == "value", worth.ORDERS[self._budget.evict]
        kept = pins_in(self._root)
        found = list(worth.candidates(self._root, kept, shelves, costs=is_costly))
        # By the disk's own clock, which need not be ours.
        young = max((one.written for one in found), default=0.0) - _YOUNG_SECONDS
        new = sorted((one for one in found if one.written > young), key=_age, reverse=True)
        others = sorted((one for one in found if one.written <= young), key=order, reverse=True)
        return new[min(_NEWEST, len(found) // _PART) :] + others

    def _step(self, excess: Counts, most: int = _STEP) -> None:
        """Evict some entries, of what is too much, unless somebody does so now."""
        if not self._evicting.acquire(blocking=False):
            return
        gone: list[tuple[str, str, Grave]] = []
        room = looked = 0
        checked = ""
        try:
            age = time.monotonic() - self._looked
            if age > max(_OLD_SECONDS, _TIMES * self._look_seconds):
                self._queue = []
            self._heed_pins()
            while (
                self._queue and looked < most and (room < excess.room or len(gone) < excess.entries)
            ):
                one = self._queue.pop()
                looked += 1
                if not self._may_go(one):
                    continue
                self._moved += 1  # by us, or by somebody else since we looked
                path = one.path(self._root)
                if one.shelf != checked:
                    self._folders.check(os.path.dirname(path))
                    checked = one.shelf
                if _is_as_it_was(path, one) and worth.is_unlinked(path):
                    room += one.room
                    mark = mark_of(one.name)
                    gone.append((one.shelf, mark, Grave(time.time(), _WHY, one.seconds)))
        finally:
            self._settle(gone, Counts(room, len(gone)))
            self._evicting.release()

    def _settle(self, gone: list[tuple[str, str, Grave]], freed: Counts) -> None:
        with self._lock:
            self._account.own -= freed
        if gone:
            graves.bury(self._root, gone)
        if not self._queue:
            self._is_ordered.clear()
            for shelf in {shelf for shelf, _, _ in gone}:
                worth.clear_away(self._root, shelf)

    def _heed_pins(self) -> None:
        """Leave out what was pinned since somebody looked."""
        changed = pins_changed(self._root)
        if changed != self._pinned and self._queue:
            self._pinned, kept = changed, pins_in(self._root)
            self._queue = [
                one
                for one in self._queue
                if not kept.has_shelf(one.shelf) and not kept.has(one.shelf, one.name)
            ]

    def _may_go(self, one: Candidate) -> bool:
        if (one.shelf, one.name) in self._last:
            return False
        return not self._budget.spare_last or self._is_elsewhere(one.key)

    def _is_elsewhere(self, key: Key) -> bool:
        for tier in self._elsewhere:
            with contextlib.suppress(Exception):  # where it cannot be seen, this is the last copy
                if tier.has(key):
                    return True
        return False

    # ------------------------------------------------------------ boundaries

    def _give_up(self) -> None:
        self._stuck_until = time.monotonic() + max(_STUCK_SECONDS, _TIMES * self._look_seconds)
        self._looked = 0.0
        what = "what is there is pinned, new, or the last copy"
        self._health.tell("budget", f"the budget of {self._root} cannot be kept: {what}")

    def _safely(self, work: Callable[[], object]) -> None:
        try:
            work()
        except OSError as error:
            self._health.tell_failure("keep the budget of", error)
        except Exception as error:  # a budget keeps nobody from storing
            log.warning("the budget of %s is not kept: %r", self._root, error)

    def end(self) -> None:
        """Keep the budget once more, and leave the account."""
        if self._account.own == NOTHING or not os.path.isdir(self._root):
            return
        if not self._health.is_plain:
            return
        thread, self._until = self._thread, 0.0
        if thread is not None and thread.is_alive():
            thread.join(_END_SECONDS)
        self._until = math.inf
        self._safely(lambda: self.keep(_END_SECONDS))
        self._safely(self._account.end)

    def __reduce__(self) -> tuple[object, ...]:
        return keeper_in, (self._folders, self._health, self._budget, self._slower)


def _age(one: Candidate) -> float:
    # What was stored a moment ago, by whomever, is the very last to go.
    return one.written


def _is_as_it_was(path: str, one: Candidate) -> bool:
    """Tell whether an entry is there, and was not made anew since somebody looked."""
    try:
        return os.lstat(path).st_mtime == one.written
    except (FileNotFoundError, NotADirectoryError):
        return False


_ALL: dict[tuple[str, Budget], Keeper] = {}


def keeper_in(
    folders: Folders, health: Health, budget: Budget, slower: Sequence[Tier] = ()
) -> Keeper:
    """Return what keeps a folder to a budget in this process."""
    known = _ALL.get((folders.root, budget))
    if known is not None:
        return known
    return _ALL.setdefault((folders.root, budget), Keeper(folders, health, budget, slower))


@atexit.register
def _end() -> None:
    for keeper in list(_ALL.values()):
        keeper.end()


def _begin_anew() -> None:
    for keeper in _ALL.values():
        keeper.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
