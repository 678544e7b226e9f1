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
from neurotools.memo.tiers.account import account_of
from neurotools.memo.tiers.base import Tier
from neurotools.memo.tiers.census import census, taken
from neurotools.memo.tiers.evicting import Evictor, Stored
from neurotools.memo.tiers.figures import NOTHING, Counts, Limits
from neurotools.memo.tiers.folders import Folders
from neurotools.memo.tiers.limits import Budget
from neurotools.memo.tiers.looks import Looks
from neurotools.memo.tiers.strictest import excess, limits_of, strictest
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
#: And so for one who finds out how much there is, where that is in doubt.
_UNSURE = (1.02, 1.0)
#: Few entries are counted one by one.
_FEW = 6400
#: Entries of one step at most, and how long nobody has stored when the thread goes on alone.
_MOST, _PAUSE_SECONDS = 128, 0.1
#: Where others stored while somebody looked, they look again, so many times at most.
_MORE = 3
#: Where nothing may go, it is not tried again for so many seconds, or times what finding out took.
_STUCK_SECONDS, _STUCK_TIMES = 5.0, 100.0
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
        self._looks, self._gone_before = Looks(), 0
        self._stuck_until = self._seen = 0.0
        self._until, self._is_ordered = math.inf, threading.Event()
        self._fresh: list[Stored] = []
        self._room = 0
        self._own = limits_of(self._budget)
        self._heed(self._own)

    def _heed(self, limits: Limits) -> None:
        """Keep to some limits from now on: ours, or stricter ones of others."""
        self._limits, self._evictor.keeps_free = limits, limits.min_free > 0
        self._most = _STORES if not 0 < limits.max_entries < _FEW else 1
        sizes = [size for size in (limits.max_bytes, limits.min_free) if size]
        self._share = self._much = _SHARE * min(sizes) if sizes else math.inf

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
            # The first is counted at once, to see what others keep to.
            if self._seen and len(self._fresh) < self._most and self._room < self._much:
                return
        self._safely(self._see)

    def refused(self, error: OSError) -> None:
        """Say that an entry could not be stored; where the disk is full, make room for the next."""
        if self._budget.min_free is not None and error.errno in _FULL:
            self._looks.ordered = 0.0
            self._wake()

    def _see(self) -> None:
        self._seen = time.monotonic()
        added = self._count()
        total, is_stuck = self._total(), self._seen < self._stuck_until
        is_much = total is not None and self._excess(total, _NEAR) != NOTHING
        is_unsure = total is None or self._account.is_stale or self._account.is_doubted
        if not is_stuck and self._is_old() and (is_much or is_unsure):
            self._wake()
        if total is None and self._excess(self._account.own, 1.0) != NOTHING:
            self._looks.done.wait(_UNSURE[1])  # we alone have stored too much
            total = self._total()
        if total is None or self._excess(total, _TOO_MUCH) == NOTHING:
            return
        if self._account.is_doubted and self._is_at_work():
            # There may be less, and we look just now: nothing goes before that is known.
            if self._excess(total, _UNSURE[0]) != NOTHING:
                self._looks.done.wait(_UNSURE[1])
            return
        # Whoever stores makes room at once: another thread would be in its way for longer. What
        # has to be asked elsewhere takes longer still.
        if not self._budget.spare_last:
            too_much = self._excess(total, _ENOUGH)
            if self._excess(total, _FAR) == NOTHING:
                # A little more than was added: others make room as well, and know no more than we.
                times = _SLOWLY if self._excess(total, 1.0) == NOTHING else _FASTER
                most = (int(times * count) + 1 for count in added)
                too_much = Counts(*map(min, too_much, most))
            self._step(too_much)
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
        functions = {key.function for key, _, _ in fresh}
        self._account.given.use(functions, self._budget, time.monotonic())
        return added

    def _total(self) -> Counts | None:
        """Return what there is, and keep to the limits of all who use the folder."""
        total = self._account.total()
        said = self._account.limits
        if (limits := strictest([self._own, said]) if said != self._own else said) != self._limits:
            self._heed(limits)
        # The more there are who write, the sooner each has to say so.
        self._much = self._share / max(1, self._account.writers // 2)
        return total

    def _is_old(self) -> bool:
        return self._looks.is_due(is_doubted=self._account.is_doubted)

    def _excess(self, total: Counts, share: float) -> Counts:
        """Return what there is beyond a share of the budget."""
        return excess(self._limits, total, share, self._evictor.free)

    # ------------------------------------------------------------ evicting

    def _is_at_work(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _wake(self) -> None:
        with self._lock:
            if self._is_at_work():
                return
            self._looks.done.clear()
            work = threading.Thread(target=self._work, name="neurotools budget", daemon=True)
            self._thread = work
        if not len(self._evictor):
            self._is_ordered.clear()
        try:
            work.start()
        except RuntimeError:  # the interpreter is ending, or there are no more threads
            self._end_waits()

    def _work(self) -> None:
        try:
            self._safely(self._make_room)
            self._safely(self.keep)
        finally:
            self._end_waits()

    def _end_waits(self) -> None:
        """Let nobody wait any more: there is no look under way, or it has failed."""
        self._looks.done.set()
        self._is_ordered.set()

    def _make_room(self) -> None:
        """Remove some entries where not even the account can be written, for want of room."""
        if self._budget.min_free is None or self._evictor.free():
            return
        self._evictor.arrange(list(census(self._root)), time.time())
        self._evictor.evict(Counts(self._budget.min_free or 0, 0), _MOST)
        self._looks.ordered = 0.0

    def keep(self, seconds: float = math.inf) -> None:
        """Where there is too much, evict until there is a little room, for so long at most."""
        begun = time.monotonic()
        self._total()
        is_known = seconds < math.inf and not self._account.is_doubted
        share, is_looked = _TOO_MUCH, is_known or not self._is_old()
        more = _MORE
        while time.monotonic() < min(begun + seconds, self._until):
            total = self._total()
            if total is None or not is_looked:
                self._look()
                is_looked = True
                continue
            if self._excess(total, share) == NOTHING:
                if self._looks.is_exact or self._most > 1 or not more:
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
            if self._looks.ordered >= begun and not self._evictor.moved:
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
        self._total()
        gone_before, was_doubted = self._account.gone, self._account.is_doubted
        started, before, now = time.monotonic(), self._account.moved(), self._account.now()
        shelves = list(census(self._root))
        sizes = [taken(found.size) for shelf in shelves for found in shelf.entries]
        total = Counts(sum(sizes), len(sizes))
        self._looks.is_exact = self._account.look(before, total)
        uses.forget(self._root, shelves)
        if is_near := self._excess(total, _NEAR) != NOTHING:
            self._evictor.arrange(shelves, now)
        else:
            self._evictor.forget()
        self._gone_before = gone_before
        self._looks.ended(started, has_order=is_near, was_doubted=was_doubted)
        if len(self._evictor):
            self._is_ordered.set()  # those who wait for it begin to evict

    def _step(self, too_much: Counts) -> None:
        # Said before it is done: else others, who see as much too much, would remove it as well.
        # Who is killed in between leaves a little too much, and not too little.
        self._evictor.evict(too_much, _MOST, self._account.say_removed)
        if not len(self._evictor):
            self._is_ordered.clear()
        if self._is_more_lost():
            self._account.total()  # what others said meanwhile
            if self._is_more_lost():
                self._account.doubt()

    def _is_more_lost(self) -> bool:
        """Tell whether more had gone than others who keep a budget say that they have removed."""
        evictor = self._evictor
        by_others = self._account.gone - self._gone_before - evictor.gone
        return evictor.lost > max(0, by_others)

    # ------------------------------------------------------------ boundaries

    def _give_up(self, seconds: float) -> None:
        self._stuck_until = time.monotonic() + max(_STUCK_SECONDS, _STUCK_TIMES * seconds)
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
        if not self._health.is_plain or not os.path.isdir(self._root):
            return
        thread, self._until = self._thread, 0.0
        if thread is not None and thread.is_alive():
            thread.join(_END_SECONDS)
        self._until = math.inf
        if self._account.own != NOTHING:
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
