"""A folder's budget, kept while it is in use: in small steps, by whoever stores.

Whoever stores says how much (`account`); when the sum nears the budget, what is worth least goes,
some entries at a time, until there is a little room again. Which entries there are is looked at in
a thread, when that begins and then now and then; what is stored meanwhile joins in. There is no
look at each write. Failures here are told once, and keep nobody from storing. Not here: what goes,
and how (`evicting`).
"""

from __future__ import annotations

import atexit
import errno
import math
import os
import threading
import time
from collections.abc import Callable, Sequence

from neurotools.memo.entry import Key
from neurotools.memo.tiers import uses
from neurotools.memo.tiers.account import NOTHING, Counts, account_of
from neurotools.memo.tiers.base import Tier
from neurotools.memo.tiers.census import census, taken
from neurotools.memo.tiers.evicting import Evictor, Stored
from neurotools.memo.tiers.folders import Folders
from neurotools.memo.tiers.limits import Budget
from neurotools.memo.watch.health import Health

#: The account is looked at after so many stores, or after this share of the budget was stored.
_STORES, _SHARE = 64, 0.01
#: Eviction begins a little below the budget, since others go on writing, and ends lower.
_TOO_MUCH, _ENOUGH = 0.985, 0.975
#: What is there is looked at from a little earlier on.
_NEAR = 0.965
#: Below this share, whoever stores removes little more than was stored: so many times as much
#: where there is less than the budget, and more.
_FAR, _SLOWLY, _FASTER = 1.01, 1.25, 2.0
#: Above these shares, whoever stores waits so many seconds at most for who looks just now.
_WAITS = ((1.03, 1.0), (1.0, 0.1))
#: Few entries are counted one by one.
_FEW = 6400
#: Entries of one step at most, and how long nobody has stored when the thread goes on alone.
_MOST, _PAUSE_SECONDS = 128, 0.1
#: Where others stored while somebody looked, they look again, so many times at most.
_MORE = 3
#: A look at the folder is too old after so many seconds, or so many times what it took.
_OLD_SECONDS, _TIMES = 10.0, 100.0
#: Where nothing may go, it is not tried again for so many seconds.
_STUCK_SECONDS = 5.0
#: What a disk says that is full, or of which somebody has had their share.
_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
#: At its end, a process evicts for so long at most.
_END_SECONDS = 1.0


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
        self.begin_anew()

    def begin_anew(self) -> None:
        """Start with nothing stored: at first, and in a forked child, a process of its own."""
        self._account = account_of(self._folders)
        self._evictor = Evictor(self._folders, self._budget, self._slower, self._failed)
        self._lock, self._looking = threading.Lock(), threading.Lock()
        self._thread: threading.Thread | None = None
        self._looked = self._look_seconds = self._stuck_until = self._seen = 0.0
        self._until, self._is_ordered, self._is_exact = math.inf, threading.Event(), True
        self._fresh: list[Stored] = []
        self._room = 0
        most = self._budget.max_entries
        limits = [limit for limit in (self._budget.max_bytes, self._budget.min_free) if limit]
        self._most = _STORES if most is None or most >= _FEW else 1
        self._much = self._share = _SHARE * min(limits) if limits else math.inf

    def stored(self, key: Key, size: int, seconds: float = 0.0) -> None:
        """Say that an entry was stored; now and then, see whether that was too much.

        Parameters
        ----------
        key : Key
            The entry's.
        size : int
            Its length in bytes.
        seconds : float
            How long it had taken to compute.
        """
        room = taken(size)
        with self._lock:
            self._fresh.append((key, room, seconds))
            self._room += room
            if len(self._fresh) < self._most and self._room < self._much:
                return
        self._safely(self._see)

    def refused(self, error: OSError) -> None:
        """Say that an entry could not be stored; where the disk is full, make room for the next."""
        if self._budget.min_free is not None and error.errno in _FULL:
            self._looked = 0.0
            self._wake()

    def _see(self) -> None:
        self._seen = time.monotonic()
        added = self._count()
        total, is_stuck = self._account.total(), self._seen < self._stuck_until
        is_much = total is not None and self._excess(total, _NEAR) != NOTHING
        if not is_stuck and self._is_old() and (is_much or total is None or self._account.is_stale):
            self._wake()
        if total is None:
            total = self._account.moved()  # there is that much at least
        if self._excess(total, _TOO_MUCH) == NOTHING:
            return
        # Whoever stores makes room at once: another thread would be in its way for longer. What
        # has to be asked elsewhere takes longer still.
        if not self._budget.spare_last:
            excess = self._excess(total, _ENOUGH)
            if self._excess(total, _FAR) == NOTHING:
                # A little more than was added: others make room as well, and know no more than we.
                times = _SLOWLY if self._excess(total, 1.0) == NOTHING else _FASTER
                most = (int(times * count) + 1 for count in added)
                excess = Counts(*map(min, excess, most))
            self._step(excess)
        elif not is_stuck:
            self._wake()
        for share, seconds in () if is_stuck else _WAITS:
            if not len(self._evictor) and self._excess(total, share) != NOTHING:
                self._wake()
                self._is_ordered.wait(seconds)
                self._step(self._excess(total, 1.0))

    def _count(self) -> Counts:
        """Add to the account what was stored, and let it be among what may go; return it."""
        with self._lock:
            fresh, self._fresh = self._fresh, []
            room, self._room = self._room, 0
        added = Counts(room, len(fresh))
        self._account.add(added)
        self._evictor.join(fresh)
        # The more there are who write, the sooner each has to say so.
        self._much = self._share / max(1, self._account.writers // 2)
        return added

    def _is_old(self) -> bool:
        age = time.monotonic() - self._looked
        return not self._looked or age > max(_OLD_SECONDS, _TIMES * self._look_seconds)

    def _excess(self, total: Counts, share: float) -> Counts:
        """Return what there is beyond a share of the budget."""
        budget, room, entries = self._budget, 0, 0
        if budget.max_bytes is not None:
            room = total.room - int(budget.max_bytes * share)
        if budget.min_free is not None:
            wanted = int(budget.min_free * (2 - share)) - self._evictor.free()
            room = max(room, min(wanted, total.room))
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
        if not len(self._evictor):
            self._is_ordered.clear()
        try:
            work.start()
        except RuntimeError:  # the interpreter is ending, or there are no more threads
            self._is_ordered.set()

    def _work(self) -> None:
        try:
            self._safely(self._make_room)
            self._safely(self.keep)
        finally:
            self._is_ordered.set()  # nobody waits for a look that has failed

    def _make_room(self) -> None:
        """Remove some entries where not even the account can be written, for want of room."""
        if self._budget.min_free is None or self._evictor.free():
            return
        self._evictor.arrange(list(census(self._root)), time.time())
        self._evictor.evict(Counts(self._budget.min_free or 0, 0), _MOST)
        self._looked = 0.0

    def keep(self, seconds: float = math.inf) -> None:
        """Where there is too much, evict until there is a little room, for so long at most."""
        begun = time.monotonic()
        share, is_looked = _TOO_MUCH, seconds < math.inf or not self._is_old()
        more = _MORE
        while time.monotonic() < min(begun + seconds, self._until):
            total = self._account.total()
            if total is None or not is_looked:
                self._look()
                is_looked = True
                continue
            excess = self._excess(total, share)
            if excess == NOTHING:
                if self._is_exact or self._most > 1 or not more:
                    self._evictor.settle()
                    return
                more -= 1  # among few entries, one that was miscounted is too many
                self._look()
                continue
            share = _ENOUGH
            if len(self._evictor):
                # Those who store make room themselves; two threads would be in each other's way.
                is_alone = seconds < math.inf or time.monotonic() - self._seen > _PAUSE_SECONDS
                if is_alone or self._budget.spare_last:
                    self._step(self._excess(total, share))
                else:
                    time.sleep(_PAUSE_SECONDS)
                continue
            self._evictor.settle()  # another thread may have taken all that was in order
            if self._looked >= begun and not self._evictor.moved:
                self._give_up(time.monotonic() - begun)
                return
            self._look()

    def _look(self) -> None:
        """Look at all that is there, and put it in the order in which it is to go."""
        with self._looking:  # the account of who looked last holds, and so does what they say of it
            if self._most > 1:
                self._look_alone()
                return
            with self._evictor.paused():  # what is counted as gone is not to be seen any more
                self._look_alone()

    def _look_alone(self) -> None:
        self._count()
        started, before, now = time.monotonic(), self._account.moved(), self._account.now()
        shelves = list(census(self._root))
        sizes = [taken(found.size) for shelf in shelves for found in shelf.entries]
        total = Counts(sum(sizes), len(sizes))
        self._is_exact = self._account.look(before, total)
        uses.forget(self._root, shelves)
        if self._excess(total, _NEAR) == NOTHING:
            self._evictor.forget()
            self._looked = 0.0
            return
        self._evictor.arrange(shelves, now)
        self._looked = time.monotonic()
        self._look_seconds = self._looked - started
        if len(self._evictor):
            self._is_ordered.set()  # those who wait for it begin to evict

    def _step(self, excess: Counts) -> None:
        # Said before it is done: else others, who see as much too much, would remove it as well.
        # Who is killed in between leaves a little too much, and not too little.
        self._evictor.evict(excess, _MOST, lambda gone: self._account.say(NOTHING - gone))
        if not len(self._evictor):
            self._is_ordered.clear()

    # ------------------------------------------------------------ boundaries

    def _give_up(self, seconds: float) -> None:
        self._stuck_until = time.monotonic() + max(_STUCK_SECONDS, _TIMES * seconds)
        what = "what is there is pinned, new, or the last copy"
        self._health.tell("budget", f"the budget of {self._root} cannot be kept: {what}")

    def _safely(self, work: Callable[[], object]) -> None:
        try:
            work()
        except OSError as error:
            self._failed(error)
        except Exception as error:  # a budget keeps nobody from storing
            self._health.tell(
                f"budget:{type(error).__name__}",
                f"the budget of {self._root} is not kept: {error!r}",
            )

    def _failed(self, error: OSError) -> None:
        self._health.tell_failure("keep the budget of", error)

    def end(self) -> None:
        """Keep the budget once more, and leave the account."""
        self._safely(self._count)
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
