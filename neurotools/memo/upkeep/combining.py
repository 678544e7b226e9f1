"""Taking over results of a function's earlier code, on trust or after a look whether they hold.

Not here: what there is to take over (`earlier`, `legacy`), and a look at it (`verdicts`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from neurotools.memo.errors import VersionsDisagree
from neurotools.memo.progress import passing
from neurotools.memo.upkeep.earlier import Kept, LeftOut
from neurotools.memo.upkeep.verdicts import Verdict


@dataclass(frozen=True, repr=False)
class Combined:
    """What became of the results of a function's earlier code.

    Attributes
    ----------
    code : str
        The version that now has the entries.
    merged : tuple of str
        Paths of the entries that were copied, below the function's folder.
    kept : tuple of str
        Those that were not, since the version had an entry for the call already.
    foreign : tuple of str
        Those that may be results of another function with the same folder.
    unreadable : tuple of str
        Those that could not be read.
    refused : tuple of str
        Those of versions whose results are not what the function gives now; with ``verify=``.
    verdicts : tuple of Verdict
        What came of computing calls again, for each version; with ``verify=``.
    reasons : dict
        Why an entry was left out: path to words. Not of those that were refused.
    """

    code: str
    merged: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return str(self)  # what a notebook shows of it

    def __str__(self) -> str:
        line = (
            f"{len(self.merged)} entries merged into {self.code}, {len(self.kept)} there already, "
            f"{len(self.foreign)} of other functions left out, {len(self.unreadable)} unreadable"
        )
        if not self.verdicts:
            return line
        told = "\n".join(map(str, self.verdicts))
        return f"{line}, {len(self.refused)} refused\n{told}"


#: Looks whether the results of a version hold, given all that is kept of it.
Check = Callable[[str, list[Kept]], Verdict]


def combined(
    code: str, found: Iterable[Kept], check: Check | None = None, *, strict: bool = False
) -> Combined:
    """Take over what is kept, version by version; a version of which one call fails stays out.

    All versions are looked at before the first entry is taken over.

    Raises
    ------
    VersionsDisagree
        If one is refused, and `strict`.
    """
    versions: dict[str, list[Kept]] = {}
    for one in found:
        versions.setdefault(one.code, []).append(one)
    verdicts = []
    for name, kept in versions.items():
        own = [one for one in kept if not one.foreign]
        if check is not None and own:
            verdicts.append(check(name, own))
    out = {verdict.code for verdict in verdicts if verdict.is_refused}
    if out and strict:
        refused = tuple(one.path for name in out for one in versions[name])
        done = Combined(code, refused=refused, verdicts=tuple(verdicts))
        told = "\n".join(str(verdict) for verdict in verdicts if verdict.is_refused)
        raise VersionsDisagree(f"nothing was taken over:\n{told}", done)
    lists: dict[str, list[str]] = {}
    reasons: dict[str, str] = {}
    pairs = [(name, one) for name, kept in versions.items() for one in kept]
    for name, one in passing(pairs, len(pairs), "copying"):
        is_refused = name in out and not one.foreign
        kind, reason = ("refused", "") if is_refused else _adopted(one)
        lists.setdefault(kind, []).append(one.path)
        if reason:
            reasons[one.path] = reason
    paths = {kind: tuple(names) for kind, names in lists.items()}
    return Combined(code, verdicts=tuple(verdicts), reasons=reasons, **paths)


def _adopted(one: Kept) -> tuple[str, str]:
    try:
        return ("merged" if one.adopt() else "kept"), ""
    except LeftOut as reason:
        return reason.kind, str(reason)
