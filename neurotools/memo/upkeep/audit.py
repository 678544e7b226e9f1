"""How many of the results that are found now are stale: a sample of them is computed again.

Not here: making one call again (`recomputing`), and comparing two results (`agreement`).
"""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from neurotools.memo.careful import is_meant_to_end, spelled
from neurotools.memo.entry import Key
from neurotools.memo.errors import CacheError, CannotRebuild
from neurotools.memo.key import KeyMaker
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.upkeep.agreement import Difference, Tolerance
from neurotools.memo.upkeep.recomputing import Arguments, computed, differs, rebuilt, signature_of
from neurotools.memo.upkeep.verdicts import spelled_call

#: What the interval of the rate holds with.
CONFIDENCE = 0.95


class Subject(NamedTuple):
    """A function whose entries are looked at.

    Attributes
    ----------
    name : str
        What people call it.
    function : callable
        The function, not memoized.
    keys : KeyMaker
        Of that function.
    tier : DirectoryTier
        Where its entries are.
    outdated : callable
        Tells of an entry what makes it a miss although it is there; nothing for a hit.
    """

    name: str
    function: Callable[..., Any]
    keys: KeyMaker
    tier: DirectoryTier
    outdated: Callable[[Key], str] = lambda _: ""

    def entries(self) -> list[Key]:
        """Return the entries that calls would find now, in a settled order."""
        code = self.keys.fingerprint.code
        found = (key for key in self.tier.keys(self.keys.folder) if key.code == code)
        return sorted(key for key in found if not self.outdated(key))


@dataclass(frozen=True)
class Finding:
    """An entry that is not what its function gives now.

    Attributes
    ----------
    function : str
        The function's name.
    arguments : str
        The call's arguments, as Python spells them.
    path : str
        The entry's file.
    difference : Difference
        Where the two results differ, and by how much.
    """

    function: str
    arguments: str
    path: str
    difference: Difference

    def __str__(self) -> str:
        return f"{self.function}({self.arguments}): {self.difference}"

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data, for programs."""
        names = {"function": self.function, "arguments": self.arguments, "path": self.path}
        return {**names, **self.difference.as_dict()}


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


# ---------------------------------------------------------------- looking


def audited(
    subjects: Sequence[Subject],
    sample: Callable[[int], int],
    *,
    seed: int = 0,
    tolerance: Tolerance | None = None,
    max_seconds: float = math.inf,
    showing: Callable[[int], Any],
) -> Audit:
    """Compute a sample of entries again, the same ones for the same seed and the same entries.

    Parameters
    ----------
    subjects : sequence of Subject
        Whose entries.
    sample : callable
        Returns how many, given how many there are.
    seed : int
        Decides which.
    tolerance : Tolerance
        How far numbers may be apart.
    max_seconds : float
        No call is begun later than that. What was done until then is a sample still: the order is
        a random one.
    showing : callable
        Given how many, returns a context in which a function is told how many are done.
    """
    started = time.monotonic()
    drawn = [(subject, key) for subject in subjects for key in subject.entries()]
    done = Audit(entries=len(drawn), wanted=sample(len(drawn)))
    random.Random(seed).shuffle(drawn)
    looks = 0
    with showing(done.wanted) as moved:
        for subject, key in drawn:
            if looks >= done.wanted:
                break
            if looks and time.monotonic() - started >= max_seconds:
                done.is_complete = False
                break
            if _look(subject, key, tolerance or Tolerance(), done):
                looks += 1
                moved(looks)
    done.seconds = time.monotonic() - started
    return done


def _look(subject: Subject, key: Key, tolerance: Tolerance, done: Audit) -> bool:
    """Compute one entry again; tell whether it was."""
    try:
        arguments = _arguments(subject, key)
        entry = subject.tier.read(key)
        if entry is None:
            raise CannotRebuild("the entry is there no more")
        old = entry.value()
    except Exception as error:  # what is kept may fail to open in any way there is
        reason = str(error) if isinstance(error, (CannotRebuild, OSError)) else _kind(error)
        done.unmade[reason] += 1
        return False
    told = spelled_call(arguments)
    try:
        new = computed(subject.function, arguments)
        found = differs(old, new, tolerance, key.method)
        if found is None:
            done.same += 1
            return True
        again = computed(subject.function, _arguments(subject, key))
    except BaseException as error:  # the function may raise whatever it likes
        if is_meant_to_end(error) and not isinstance(error, SystemExit):
            raise
        done.failed[f"{subject.name}: {spelled(error)}"] += 1
        return True
    finding = Finding(subject.name, told, subject.tier.location(key), found)
    is_steady = differs(new, again, tolerance, key.method) is None
    (done.stale if is_steady else done.unsteady).append(finding)
    return True


def _kind(error: Exception) -> str:
    # Without the path, which would make each a reason of its own.
    return str(getattr(error, "reason", "")) if isinstance(error, CacheError) else spelled(error)


def _arguments(subject: Subject, key: Key) -> Arguments:
    return rebuilt(subject.keys, signature_of(key, lambda: subject.tier.record(key)))


def sample_of(sample: Any) -> Callable[[int], int]:
    """Return how many of so many entries a sample is: ``'1%'``, ``200`` or ``'all'``.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    text = str(sample).strip()
    if text == "all":
        return lambda total: total
    try:
        if isinstance(sample, bool):
            raise ValueError
        if text.endswith("%") and 0 < (part := float(text[:-1])) <= 100:
            return lambda total: math.ceil(total * part / 100)
        if (number := int(text)) > 0:
            return lambda total: min(number, total)
    except ValueError:
        pass
    raise ValueError(f"sample={sample!r} is none; give '1%', a number such as 200, or 'all'")
