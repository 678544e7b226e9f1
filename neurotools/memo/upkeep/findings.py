"""What a report says of a cache in words: what is wrong, what is well, what may be worth a look."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from neurotools.memo.tiers.census import Shelf
from neurotools.memo.upkeep import checkup
from neurotools.memo.upkeep.checkup import Finding

if TYPE_CHECKING:
    from neurotools.memo.upkeep.summary import Summary

#: What a note may be.
PROBLEM, HINT, WELL = "problem", "hint", "ok"


class Note(NamedTuple):
    """One thing to tell: its name, what it is, what was found, and what to do about it.

    ``level`` is ``'problem'``, ``'hint'`` or ``'ok'``; ``cache`` is empty where it is about all.
    """

    what: str
    level: str
    text: str
    remedy: str = ""
    cache: str = ""


def of_cache(
    root: str, shelves: list[Shelf], errors: list[OSError], unsealed: Sequence[str]
) -> Iterator[Note]:
    """Give what a look at a cache's folders has shown."""
    try:
        for finding in (*checkup.surroundings(root), *checkup.content(root, shelves, errors)):
            yield _note(finding, root)
    except OSError as error:
        yield Note("folder", PROBLEM, f"{error.filename}: {error.strerror}", cache=root)
    own = [path for path in unsealed if path.startswith(root + os.sep)]
    if own:
        text = f"{len(own):,} of the files that were looked at do not end as entries do: {own[0]}"
        yield Note("damaged", PROBLEM, text, "neurotools verify --repair sets them aside", root)
    else:
        yield Note("damaged", WELL, "none of the files that were looked at", cache=root)


def _note(finding: Finding, root: str) -> Note:
    level = WELL if finding.is_well else PROBLEM
    text = finding.text.removesuffix(f": {finding.remedy}")
    return Note(finding.what, level, text, finding.remedy, root)


def of_use(summary: Summary) -> Iterator[Note]:
    """Give what may go, by how it was used."""
    all_ = summary.held.entries
    earlier = [one.earlier for one in summary.functions if one.earlier.entries]
    if earlier:
        entries, room = sum(one.entries for one in earlier), sum(one.room for one in earlier)
        text = (
            f"{entries:,} of {all_:,} entries, {_size(room)}, are of versions that are not their "
            "function's last used one; perhaps no code uses them any more"
        )
        yield Note("earlier versions", HINT, text, "neurotools gc --keep-versions 1 --dry-run")
    idle = summary.idle[-2:]
    entries, room = sum(one.entries for one in idle), sum(one.room for one in idle)
    if entries:
        text = f"{entries:,} of {all_:,} entries, {_size(room)}, were not used for 90 days"
        yield Note("not used", HINT, text, "neurotools gc --older-than 90d --dry-run")
    if summary.held.entries and not summary.held.computed:
        text = "no use of this cache was noted, so nothing is known of hits and time saved"
        yield Note("uses", HINT, text)


def _size(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"
