"""The entries of a cache that stand out: the largest, the least and the most useful."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from typing import NamedTuple

from neurotools.memo.upkeep.inventory import Located

#: So many of each kind are named.
MOST = 200
#: What a kind has gathered is sorted when it is so many.
_GATHERED = 8 * MOST

LARGEST, LEAST, BEST = "largest", "least useful", "most useful"


class Item(NamedTuple):
    """An entry, and what is known of it.

    Attributes
    ----------
    entry : Located
        Where it is.
    room : int
        What it takes on the disk, in bytes.
    seconds : float
        How long it took to compute; NaN where that is not known.
    loads : int
        How often it was loaded.
    used : float
        When it was last used, or written; seconds since the epoch.
    is_pinned : bool
        Whether it stays whatever it is worth.
    kinds : tuple of str
        What it stands out for.
    """

    entry: Located
    room: int
    seconds: float
    loads: int
    used: float
    is_pinned: bool
    kinds: tuple[str, ...] = ()

    @property
    def saved(self) -> float:
        """Seconds that loading it has saved."""
        return self.loads * self.seconds if self.loads else 0.0

    @property
    def worth(self) -> float:
        """Seconds that a byte of it saves, by which `gc` and budgets choose what goes first."""
        return self.seconds * (1 + self.loads) / max(self.room, 1)


class Outstanding:
    """Gathers the entries that stand out, in bounded memory."""

    def __init__(self) -> None:
        self._kinds: dict[str, list[Item]] = {LARGEST: [], LEAST: [], BEST: []}

    def add(self, item: Item) -> None:
        """Take an entry in."""
        for kind, gathered in self._kinds.items():
            if kind == LARGEST or _counts(kind, item):
                gathered.append(item)
                if len(gathered) >= _GATHERED:
                    gathered[:] = _first(kind, gathered)

    def items(self) -> list[Item]:
        """Return those that stand out, each once, the largest first."""
        kinds: dict[str, tuple[str, ...]] = {}
        found: dict[str, Item] = {}
        for kind, gathered in self._kinds.items():
            for item in _first(kind, gathered):
                path = item.entry.path
                found[path] = item
                kinds[path] = (*kinds.get(path, ()), kind)
        every = [item._replace(kinds=kinds[path]) for path, item in found.items()]
        return sorted(every, key=lambda item: -item.room)


def _counts(kind: str, item: Item) -> bool:
    """Tell whether an entry can be the least or the most useful one."""
    if kind == LEAST:
        return not item.is_pinned and not math.isnan(item.seconds)
    return item.saved > 0


_ORDERS: dict[str, Callable[[Item], float]] = {
    LARGEST: lambda item: -item.room,
    LEAST: lambda item: item.worth,
    BEST: lambda item: -item.saved,
}


def _first(kind: str, items: list[Item]) -> list[Item]:
    return heapq.nsmallest(MOST, items, key=_ORDERS[kind])
