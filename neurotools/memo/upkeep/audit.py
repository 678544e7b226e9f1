"""How many of the results that are found now are stale: a sample of them is computed again.

Not here: making one call again (`recomputing`), and what is told of it all (`measured`).
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from neurotools.memo.careful import is_meant_to_end, spelled
from neurotools.memo.entry import Key
from neurotools.memo.errors import CacheError, CannotRebuild
from neurotools.memo.key import KeyMaker
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.upkeep.agreement import Tolerance
from neurotools.memo.upkeep.measured import Audit
from neurotools.memo.upkeep.outdated import Finding, spelled_call
from neurotools.memo.upkeep.recomputing import Arguments, computed, differs, rebuilt, signature_of


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
