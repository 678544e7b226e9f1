"""One call looked for in every place of a hierarchy, and what is said of it in each.

More than a call does: a call is content with the first place that has it. What a folder has is read
and its checksum compared, as a call would; nothing is counted, moved or promoted. Not here: why
there is nothing (`explain`).
"""

from __future__ import annotations

import contextlib
import os
import time

from neurotools.memo.entry import Key, Record
from neurotools.memo.errors import CacheError, CorruptEntry, LeftAlone, UntrustedEntry
from neurotools.memo.explanation import Look
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.spoken import date, span
from neurotools.memo.tiers.base import Tier
from neurotools.memo.tiers.files import read_record
from neurotools.memo.tiers.folders import PRIVATE
from neurotools.memo.tiers.graves import Grave, grave_of
from neurotools.memo.tiers.guarded import Guarded

#: What may be said of a place.
HIT, NOTHING, REMOVED, EXPIRED = "hit", "nothing", "removed", "expired"
DAMAGED, REFUSED, FAILED, ALONE = "damaged", "refused", "failed", "left alone"
#: What `neurotools gc --older-than` says of what it removes.
_FOR_AGE = ("not used for long",)


def looks(hierarchy: Hierarchy, key: Key) -> tuple[Look, ...]:
    """Return what each place has of a call, fastest first."""
    return tuple(_look(tier, key) for tier in hierarchy.tiers)


def _look(tier: Tier, key: Key) -> Look:
    guarded = tier if isinstance(tier, Guarded) else Guarded(tier)
    where = tier.location(key)
    try:
        return _found(guarded, tier, key, where)
    except CorruptEntry as error:
        return Look(tier.name, DAMAGED, error.reason, where, *_times(guarded, key))
    except UntrustedEntry as error:
        return Look(tier.name, REFUSED, str(error), where)
    except LeftAlone as error:
        return Look(tier.name, ALONE, error.reason, where)
    except CacheError as error:
        return Look(tier.name, REFUSED, str(error), where)
    except Exception as error:  # the boundary: a place may fail in any way, and others be looked at
        return Look(tier.name, FAILED, f"{type(error).__name__}: {error}", where)


def _found(guarded: Guarded, tier: Tier, key: Key, where: str) -> Look:
    record = guarded.record(key) if guarded.has(key) else None
    if record is None:
        return missing(guarded, tier, key)
    getattr(guarded, "require_trust", _no_matter)(key)
    if (read := getattr(tier, "read", None)) is not None:
        guarded.health.run("read", read, key)
    return Look(tier.name, HIT, "", where, record.seconds, record.created)


def _times(guarded: Guarded, key: Key) -> tuple[float | None, float | None]:
    """Return what a damaged entry says of its making, where it still says something."""
    try:
        record = guarded.record(key)
    except Exception:  # the boundary: it is damaged, and the place may fail meanwhile
        return None, None
    return (None, None) if record is None else (record.seconds, record.created)


def _no_matter(_: Key) -> None:
    """Do nothing: what is in memory was looked at before."""


def missing(guarded: Guarded, tier: Tier, key: Key) -> Look:
    """Say what has become of an entry that is not there, as far as its folder knows."""
    root, where = getattr(tier, "root", None), tier.location(key)
    if (grave_in_memory := getattr(tier, "grave_of", None)) is not None:
        return _gone(tier, grave_in_memory(key), where)
    if isinstance(root, str) and guarded.health.is_plain:
        grave, aside = grave_of(root, key), _set_aside(root, key)
        if aside is not None and (grave is None or aside[0] > grave.when):
            when, path, seconds = aside
            return Look(tier.name, DAMAGED, f"moved aside on {date(when)}", path, seconds)
        return _gone(tier, grave, where)
    return Look(tier.name, NOTHING, "", where)


def _gone(tier: Tier, grave: Grave | None, where: str) -> Look:
    if grave is None:
        return Look(tier.name, NOTHING, "", where)
    state = EXPIRED if grave.why in _FOR_AGE else REMOVED
    told = f"removed on {date(grave.when)}, {grave.why}"
    cost = f"; it had taken {span(grave.seconds)}" if grave.seconds else ""
    return Look(tier.name, state, told + cost, where, grave.seconds or None)


def _set_aside(root: str, key: Key) -> tuple[float, str, float] | None:
    """Return when an entry was moved aside, the last time, where it is, and what it had cost."""
    place = os.path.join(root, PRIVATE, "damaged")
    ending = f"-{f'{key.call}.{key.method}'[-200:]}"
    with contextlib.suppress(OSError):
        for name in sorted(os.listdir(place), reverse=True):
            path = os.path.join(place, name)
            # Calls of other functions may have the same name; the end may be damaged as well.
            record = _record(path) if name.endswith(ending) else None
            if record is not None and record.details.get("key") == key.path:
                return _time_in(name), path, record.seconds
    return None


def _record(path: str) -> Record | None:
    try:
        return read_record(path)
    except (CacheError, OSError):
        return None


def _time_in(name: str) -> float:
    try:
        return min(int(name.partition("-")[0], 16) / 1e9, time.time())
    except ValueError:
        return 0.0
