"""What an audit found: how many results are stale, with an interval, and which they are."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from neurotools.memo.upkeep.outdated import Finding

#: What the interval of the rate holds with.
CONFIDENCE = 0.95


@dataclass(repr=False)
class Audit:
    """What came of computing a sample of entries again.

    Attributes
    ----------
    entries : int
        How many entries there are that calls would find now.
    wanted : int
        How many of them were to be computed again.
    same : int
        How many gave what is kept.
    stale : list of Finding
        Those that give something else now, and the same when they are computed once more.
    unsteady : list of Finding
        Those that give something else each time: nothing can be said of them.
    failed : dict
        Why calls that were made raised an error: the error to how many.
    unmade : dict
        Why calls could not be made again: the reason to how many.
    left_out : dict
        Entries that were not drawn from at all: the reason to how many.
    seconds : float
        How long it took.
    is_complete : bool
        Whether the time was enough.
    """

    entries: int = 0
    wanted: int = 0
    same: int = 0
    stale: list[Finding] = field(default_factory=list)
    unsteady: list[Finding] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    unmade: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    is_complete: bool = True

    @property
    def compared(self) -> int:
        """How many entries the rate is of."""
        return self.same + len(self.stale)

    @property
    def rate(self) -> float:
        """The part of the compared entries that is stale; NaN without any."""
        return len(self.stale) / self.compared if self.compared else math.nan

    @property
    def interval(self) -> tuple[float, float] | None:
        """Between which rates the true one lies, with 95 % confidence (Clopper and Pearson).

        None where nothing was compared, or scipy is not installed.
        """
        if not self.compared:
            return None
        if self.compared == self.entries:
            return self.rate, self.rate  # all were looked at
        try:
            from scipy.stats import binomtest  # an extra, and slow to load
        except ImportError:
            return None
        found = binomtest(len(self.stale), self.compared).proportion_ci(CONFIDENCE, "exact")
        return float(found.low), float(found.high)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data, for programs."""
        interval = self.interval
        return {
            "entries": self.entries,
            "wanted": self.wanted,
            "compared": self.compared,
            "stale": len(self.stale),
            "rate": None if math.isnan(self.rate) else self.rate,
            "interval": None if interval is None else list(interval),
            "confidence": CONFIDENCE,
            "findings": [one.as_dict() for one in self.stale],
            "unsteady": [one.as_dict() for one in self.unsteady],
            "failed": dict(self.failed),
            "unmade": dict(self.unmade),
            "left_out": dict(self.left_out),
            "seconds": self.seconds,
            "complete": self.is_complete,
        }

    def __repr__(self) -> str:
        return str(self)  # what a notebook shows of it

    def __str__(self) -> str:
        return "\n".join(_told(self))


def _told(done: Audit) -> Iterable[str]:
    time_up = "" if done.is_complete else "; the time was up"
    yield (
        f"{done.compared:,} of {done.entries:,} entries computed again and compared, in "
        f"{done.seconds:.1f} s{time_up}"
    )
    if done.compared:
        yield f"stale: {len(done.stale)} of {done.compared:,}, {done.rate:.2%}{_between(done)}"
    else:
        yield "nothing could be compared: nothing is known"
    yield from _listed("stale", done.stale)
    if done.unsteady:
        yield f"{len(done.unsteady)} give something else each time, so that nothing can be said:"
        yield from _listed("unsteady", done.unsteady)
    for title, reasons in (
        ("raised an error", done.failed),
        ("could not be made again", done.unmade),
        ("left out", done.left_out),
    ):
        if reasons:
            yield f"{title}: {sum(reasons.values()):,}"
            yield from (f"  {number:,} {reason}" for reason, number in reasons.most_common(5))


def _between(done: Audit) -> str:
    if done.interval is None:
        return " (with scipy there is an interval: pip install 'neurotools[audit]')"
    low, high = done.interval
    if done.compared == done.entries:
        return ", all of them"
    return f" ({CONFIDENCE:.0%} interval: {low:.2%} to {high:.2%})"


def _listed(kind: str, found: Sequence[Finding], most: int = 10) -> Iterable[str]:
    for one in found[:most]:
        yield f"  {one}"
        if kind == "stale":
            yield f"    {one.path}"
    if len(found) > most:
        yield f"  and {len(found) - most} more"
