"""What goes next from a folder: what somebody found there, and what this process has stored since.

A look at the folder gives the order. What is stored after it joins in, so that a look serves for
long, even where all that it found has gone by now. What is young goes after all else: first what
this process has stored itself, then what others have, who may be about to read it; the newest of
both never go. Not here: when something is to go (`budget`), and what it is worth (`worth`).
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from neurotools.memo.tiers.worth import Candidate

#: What was stored so many seconds ago is young.
YOUNG_SECONDS = 2.0
#: The newest never go, so many of them or this part of all.
_NEWEST, _PART = 16, 10
#: So many stay in order at most: what goes after them is found when somebody looks again.
_MOST = 1 << 15

_Item = tuple[tuple[float, float], int, Candidate]


class Arranged(NamedTuple):
    """What a look has found: what is old, as a heap; what is young, by age; how many are spared."""

    old: list[_Item]
    young: list[Candidate]
    spared: int


class Going:
    """Entries of one folder, in the order in which they are to go.

    Parameters
    ----------
    order : callable
        What is lowest goes first, see `neurotools.memo.tiers.worth.ORDERS`.
    """

    def __init__(self, order: Callable[[Candidate], tuple[float, float]]) -> None:
        self._order, self._numbers = order, itertools.count()
        self._old: list[_Item] = []
        #: Young ones, the oldest first: those of this process, with the time, and those of others.
        self._own: deque[tuple[float, Candidate]] = deque(maxlen=_MOST)
        self._others: deque[Candidate] = deque()
        self._spared = 0

    def __len__(self) -> int:
        """Return how many could go at once."""
        own, others = len(self._own) - self._spared, len(self._others) - self._spared
        return len(self._old) + max(0, own) + max(0, others)

    def arranged(self, found: list[Candidate], now: float) -> Arranged:
        """Put in order what there is at a time of the disk's own clock; nothing changes yet."""
        young: list[Candidate] = []
        old: list[Candidate] = []
        for one in found:
            # In the future, too, lies what a clock has written that was wrong.
            (young if abs(now - one.written) < YOUNG_SECONDS else old).append(one)
        first = heapq.nsmallest(_MOST, old, key=self._order) if len(old) > _MOST else old
        items = [self._item(one) for one in first]
        heapq.heapify(items)
        young.sort(key=_age)
        return Arranged(items, young, min(_NEWEST, len(found) // _PART))

    def begin_with(self, arranged: Arranged) -> None:
        """Begin anew with what was put in order; what was stored a moment ago stays here."""
        own = {(one.shelf, one.name) for _, one in self._own}
        self._old, young, self._spared = arranged
        self._others = deque(one for one in young if (one.shelf, one.name) not in own)

    def add(self, stored: Iterable[Candidate]) -> None:
        """Let what this process has just stored join in, the oldest first."""
        now = time.monotonic()
        self._own.extend((now, one) for one in stored)

    def pop(self) -> Candidate | None:
        """Return what is to go next, which is here no longer; None if nothing is."""
        ripe = time.monotonic() - YOUNG_SECONDS
        while self._own and self._own[0][0] <= ripe:
            heapq.heappush(self._old, self._item(self._own.popleft()[1]))
        if self._old:
            return heapq.heappop(self._old)[2]
        if len(self._own) > self._spared:
            return self._own.popleft()[1]
        return self._others.popleft() if len(self._others) > self._spared else None

    def keep(self, may_go: Callable[[Candidate], bool]) -> None:
        """Leave out what may not go."""
        self._old = [item for item in self._old if may_go(item[2])]
        heapq.heapify(self._old)
        self._own = deque((pair for pair in self._own if may_go(pair[1])), maxlen=_MOST)
        self._others = deque(filter(may_go, self._others))

    def clear(self) -> None:
        """Know of nothing."""
        self._old, self._spared = [], 0
        self._own.clear()
        self._others.clear()

    def _item(self, one: Candidate) -> _Item:
        return self._order(one), next(self._numbers), one


def _age(one: Candidate) -> float:
    return one.written
