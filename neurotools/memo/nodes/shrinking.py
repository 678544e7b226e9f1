"""Removing what was used least lately, until what is left is small enough: results and nodes."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from neurotools.memo.nodes.clearing import InUse, nodes, remove
from neurotools.memo.nodes.uses import Uses
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.tiers.limits import bytes_of


class Item(NamedTuple):
    """Something that can be removed: when it was last used, its bytes, and how to remove it."""

    used: float
    size: int
    remove: Callable[[], object]


def shrink(
    items: Iterator[Item],
    *,
    bytes_limit: int | str | None = None,
    items_limit: int | None = None,
    age_limit: dt.timedelta | None = None,
) -> int:
    """Remove the items used least lately; return how many.

    Parameters
    ----------
    items : iterator of Item
        All there are.
    bytes_limit : int or str, optional
        So many bytes may stay: a number, or text such as ``'50GB'``.
    items_limit : int, optional
        So many items may stay.
    age_limit : timedelta, optional
        What was not used for longer goes.

    Raises
    ------
    ValueError, TypeError
        If a limit is none.
    """
    left = sorted(items, key=lambda item: item.used)
    size, oldest = sum(item.size for item in left), 0.0
    most = size if bytes_limit is None else _most(bytes_limit)
    number = len(left) if items_limit is None else items_limit
    if number < 0:
        raise ValueError(f"items_limit={items_limit} is negative")
    if age_limit is not None:
        if not isinstance(age_limit, dt.timedelta):
            raise TypeError(f"age_limit={age_limit!r} is no datetime.timedelta")
        if age_limit.total_seconds() < 0:
            raise ValueError(f"age_limit={age_limit} is negative")
        oldest = time.time() - age_limit.total_seconds()
    removed = 0
    for item in left:
        if size <= most and len(left) - removed <= number and item.used >= oldest:
            break
        item.remove()
        size, removed = size - item.size, removed + 1
    return removed


def _most(limit: float | str) -> int:
    return 0 if limit == 0 else bytes_of(limit, "bytes_limit")


def results_in(tier: DirectoryTier) -> Iterator[Item]:
    """Yield the results of functions in a folder."""
    for key in list(tier.keys()):
        try:
            facts = os.stat(tier.location(key))
        except OSError:
            continue
        used = max(facts.st_atime, facts.st_mtime)
        yield Item(used, facts.st_size, lambda key=key: tier.discard(key))  # type: ignore[misc]


def nodes_in(base: str, uses: Uses, in_use: InUse) -> Iterator[Item]:
    """Yield the nodes in a folder, but for those that others were given that live."""
    held = in_use()
    days = uses.last_days()
    for folder, names in nodes(base):
        for name in names:
            node = f"{folder}/{name}"
            if node in held:
                continue
            day = days.get(node)
            used = _made(os.path.join(base, folder, name))
            if day is not None:  # some time on that day, perhaps a moment ago
                used = max(used, dt.datetime.combine(day, dt.time.max).timestamp())
            size = _size(os.path.join(base, folder, name))
            yield Item(used, size, lambda node=node: remove(base, node, held, in_use))  # type: ignore[misc]


def _made(folder: str) -> float:
    try:
        return os.stat(folder).st_mtime
    except OSError:
        return 0.0


def _size(folder: str) -> int:
    size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                size += os.lstat(os.path.join(place, name)).st_size
            except OSError:
                continue
    return size
