"""Looking whether the results of a version hold: some of its calls are computed again."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neurotools.memo.careful import is_meant_to_end, spelled
from neurotools.memo.errors import CacheError, CannotRebuild
from neurotools.memo.key import KeyMaker
from neurotools.memo.upkeep.agreement import Difference, Tolerance
from neurotools.memo.upkeep.inventory import human_name
from neurotools.memo.upkeep.outdated import Finding, spelled_call
from neurotools.memo.upkeep.recomputing import computed, differs

if TYPE_CHECKING:
    from neurotools.memo.upkeep.earlier import Kept

#: So many calls that differ are shown; all are in the data.
_SHOWN = 5


@dataclass(frozen=True)
class Verdict:
    """Whether a version's results hold with the present code, as far as was looked.

    Attributes
    ----------
    code : str
        The version.
    entries : int
        How many entries it has.
    verified : int
        How many of its calls were computed again.
    unmade : int
        How many cannot be, since their arguments are not kept as values, or not readable.
    disagreements : tuple of Finding
        Those of the verified calls that give something else now, or raise an error.
    reason : str
        Why the version is refused; empty if it is not.
    """

    code: str
    entries: int
    verified: int
    unmade: int = 0
    disagreements: tuple[Finding, ...] = ()
    reason: str = ""

    @property
    def is_refused(self) -> bool:
        """Whether none of its entries are taken over."""
        return bool(self.reason)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data, for programs."""
        return {
            "version": self.code,
            "entries": self.entries,
            "verified": self.verified,
            "unmade": self.unmade,
            "refused": self.is_refused,
            "reason": self.reason,
            "disagreements": [one.as_dict() for one in self.disagreements],
        }

    def __str__(self) -> str:
        state = f"refused: {self.reason}" if self.reason else "its results hold"
        unmade = f", {self.unmade} cannot be" if self.unmade else ""
        lines = [
            f"version {self.code}: {state} ({self.verified} of {self.entries} calls computed "
            f"again{unmade})"
        ]
        lines.extend(f"  {one}" for one in self.disagreements[:_SHOWN])
        if (more := len(self.disagreements) - _SHOWN) > 0:
            lines.append(f"  and {more} more")
        return "\n".join(lines)


class Verification:
    """Computes some calls of a version again, the same ones for the same seed.

    Parameters
    ----------
    function : callable
        The function as it is now, not memoized.
    keys : KeyMaker
        Of that function.
    sample : int or 'all'
        How many calls of each version.
    seed : int
        Decides which.
    tolerance : Tolerance
        How far numbers may be apart.
    moved : callable, optional
        Called after each call, with how many were made in all.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        keys: KeyMaker,
        sample: int | str,
        *,
        seed: int = 0,
        tolerance: Tolerance | None = None,
        moved: Callable[[int], None] | None = None,
    ) -> None:
        self._function, self._keys, self._seed = function, keys, seed
        self._sample, self._tolerance = sample, tolerance or Tolerance()
        self._moved, self._made = moved, 0

    def __call__(self, code: str, kept: Sequence[Kept]) -> Verdict:
        """Return what comes of it for one version."""
        reasons: Counter[str] = Counter()
        made = [one for one in self._in_any_order(code, kept) if self._can_be_made(one, reasons)]
        wanted = len(made) if self._sample == "all" else int(self._sample)
        verified, bad = 0, []
        for one in made:
            if verified >= wanted:
                break
            try:
                old = one.value()
            except CacheError as error:
                reasons[str(error)] += 1
                continue
            verified += 1
            if (found := self._difference(one, old)) is not None:
                told = spelled_call(one.arguments(self._keys))
                bad.append(Finding(human_name(self._keys.folder), told, one.path, found))
            self._tell()
        unmade = sum(reasons.values())
        reason = _reason(verified, len(bad), len(kept), reasons)
        return Verdict(code, len(kept), verified, unmade, tuple(bad), reason)

    def _in_any_order(self, code: str, kept: Sequence[Kept]) -> Iterator[Kept]:
        found = sorted(kept, key=lambda one: one.path)
        random.Random(f"{self._seed}/{code}").shuffle(found)
        return iter(found)

    def _can_be_made(self, one: Kept, reasons: Counter[str]) -> bool:
        try:
            one.arguments(self._keys)
        except CannotRebuild as error:
            reasons[str(error)] += 1
            return False
        except CacheError as error:
            reasons[str(error)] += 1
            return False
        return True

    def _difference(self, one: Kept, old: Any) -> Difference | None:
        try:
            new = computed(self._function, one.arguments(self._keys))
        except BaseException as error:  # the function may raise whatever it likes
            if is_meant_to_end(error) and not isinstance(error, SystemExit):
                raise
            return Difference("", f"it raises {spelled(error)} now")
        return differs(old, new, self._tolerance, one.method)

    def _tell(self) -> None:
        self._made += 1
        if self._moved is not None:
            self._moved(self._made)


def _reason(verified: int, bad: int, entries: int, reasons: Counter[str]) -> str:
    if bad:
        return f"{bad} of {verified} calls give something else now"
    if verified or not entries:
        return ""
    why = reasons.most_common(1)
    told = f": {why[0][0]}" if why else ""
    return f"none of its {entries} calls could be computed again{told}"


def checked_sample(sample: Any) -> int | str:
    """Return how many calls of each version are computed again.

    Raises
    ------
    ValueError
        If it is no positive number and not ``'all'``.
    """
    if sample == "all" and isinstance(sample, str):
        return sample
    if isinstance(sample, bool) or not isinstance(sample, int) or sample < 1:
        raise ValueError(f"verify={sample!r}: give how many calls to compute again, or 'all'")
    return sample
