"""The limits of a folder where not all who use it gave the same: the strictest of each kind holds.

A limit holds for others while it is in use: a process that ends takes its limits along, and a
function that is remembered with another budget from now on, as when a cell of a notebook is run
again, leaves the one that it had before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from neurotools.memo.tiers.figures import NO_LIMITS, Counts, Limits
from neurotools.memo.tiers.limits import Budget

#: A function that has two budgets, each of which was used in so many seconds, keeps to both.
_BOTH_SECONDS = 10.0


def limits_of(budget: Budget) -> Limits:
    """Return what a budget says."""
    return Limits(budget.max_bytes or 0, budget.max_entries or 0, budget.min_free or 0)


def strictest(all_of_them: Iterable[Limits]) -> Limits:
    """Return the strictest limit of each kind."""
    most_bytes, most_entries, free = 0, 0, 0
    for one in all_of_them:
        # What others have written may be anything.
        if one.max_bytes > 0:
            most_bytes = min(most_bytes or one.max_bytes, one.max_bytes)
        if one.max_entries > 0:
            most_entries = min(most_entries or one.max_entries, one.max_entries)
        free = max(free, one.min_free)
    return Limits(most_bytes, most_entries, free)


def excess(limits: Limits, total: Counts, share: float, free: Callable[[], int]) -> Counts:
    """Return what there is beyond a share of some limits.

    Parameters
    ----------
    limits : Limits
        What may be.
    total : Counts
        What there is.
    share : float
        1.0 for the limits themselves; above it, for more.
    free : callable
        Returns what is free on the disk, in bytes.
    """
    room = entries = 0
    if limits.max_bytes:
        room = total.room - int(limits.max_bytes * share)
    if limits.min_free:
        wanted = int(limits.min_free * (2 - share)) - free()
        room = max(room, min(wanted, total.room))
    if limits.max_entries:
        entries = total.entries - limits.max_entries - int(limits.max_entries * (share - 1))
    return Counts(max(room, 0), max(entries, 0))


class Given:
    """The budgets that functions of this process were given for one folder, as far as in use."""

    def __init__(self) -> None:
        self._used: dict[str, dict[Budget, float]] = {}
        self.limits = NO_LIMITS

    def use(self, functions: Iterable[str], budget: Budget, now: float) -> None:
        """Say that results of some functions were stored with a budget, at a monotonic time.

        One that spares the last copy is its own: who does not know the slower tiers would remove
        last copies to keep it.
        """
        if budget.spare_last:
            return
        for function in functions:
            used = self._used.setdefault(function, {})
            is_known = budget in used and len(used) == 1
            used[budget] = now
            if is_known:
                continue
            for other, last in list(used.items()):
                if now - last > _BOTH_SECONDS:
                    del used[other]
            given = {one for of_one in list(self._used.values()) for one in list(of_one)}
            self.limits = strictest(map(limits_of, given))
