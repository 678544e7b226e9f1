"""Records of entries -> the tree of what a result was made from. Start reading at `lineage_of`.

Records may come from anybody: what they name is only ever looked for below the places that the
caller gives, and only records are read. Nothing is decoded, run, counted or moved.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from neurotools.memo import naming
from neurotools.memo.digest.files import base64
from neurotools.memo.entry import Key, Record, Signature
from neurotools.memo.errors import CorruptEntry, UnreadableName
from neurotools.memo.explain import written
from neurotools.memo.formats.registry import FORMATS
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.lineage.tree import (
    DAMAGED,
    KEPT,
    MISSING,
    REMOVED,
    FileUsed,
    Lineage,
    Step,
    Used,
)
from neurotools.memo.making import FILES_GIVEN, MADE_FROM, MORE
from neurotools.memo.tiers.base import Tier
from neurotools.memo.tiers.files import read_checksum
from neurotools.memo.tiers.folders import PRIVATE
from neurotools.memo.tiers.guarded import Guarded
from neurotools.memo.whereabouts import missing

#: Entries looked at.
MOST = 10_000
#: No path of an entry is longer.
_LONGEST_PATH = 4096


def lineage_of(key: Key, places: Sequence[Hierarchy]) -> Lineage:
    """Return what an entry was made from.

    Parameters
    ----------
    key : Key
        The entry.
    places : sequence of Hierarchy
        Where to look, in this order.
    """
    steps: dict[str, Step] = {}
    waiting, known, root = deque([key]), {key.path}, key.path
    while waiting and len(steps) < MOST:
        key = waiting.popleft()
        step = steps[key.path] = _step(key, places)
        for used in step.made_from:
            if used.path not in known and (other := key_at(used.path)) is not None:
                known.add(used.path)
                waiting.append(other)
    return Lineage(root, steps, len(waiting))


def key_at(path: str) -> Key | None:
    """Return the key of an entry with some path below its place; None if no entry has that."""
    parts = path.split("/") if len(path) <= _LONGEST_PATH else []
    if len(parts) < 3:
        return None
    *function, code, name = parts
    call, _, method = name.rpartition(".")
    is_safe = all(part.strip(". ") and not set(part) & set('\\:"<>|?*\0') for part in parts)
    if not is_safe or method not in FORMATS or function[0] == PRIVATE:
        return None
    return Key("/".join(function), code, call, method)


def _step(key: Key, places: Sequence[Hierarchy]) -> Step:
    """Return what is known of one entry, from the first place that has it."""
    told: dict[str, Any] = {}
    for tier in (tier for place in places for tier in place.tiers):
        found = _in_tier(key, tier)
        if found.get("state") == KEPT:
            return Step(**_named(key, found.pop("record")), **found)
        # That it is nowhere says less than what has become of it.
        if not told or told["state"] == MISSING:
            told = found
    return Step(**_named(key, None), **told)


def _in_tier(key: Key, tier: Tier) -> dict[str, Any]:
    guarded = tier if isinstance(tier, Guarded) else Guarded(tier)
    try:
        record = guarded.record(key) if guarded.has(key) else None
        if record is None:
            look = missing(guarded, tier, key)
            state = {"nothing": MISSING, "damaged": DAMAGED}.get(look.state, REMOVED)
            return {"state": state, "detail": look.detail.removeprefix("removed ")}
        return {
            "state": KEPT,
            "location": tier.location(key),
            "checksum": _checksum(tier, key),
            "record": record,
            **_facts(record),
        }
    except CorruptEntry as error:
        return {"state": DAMAGED, "detail": error.reason, "location": tier.location(key)}
    except Exception as error:  # the boundary: a place may fail in any way, and others be looked at
        return {"state": MISSING, "detail": f"{tier.name} failed: {error}"}


def _checksum(tier: Tier, key: Key) -> str:
    """Return the checksum that an entry carries, where that is had without reading all of it."""
    if isinstance(getattr(tier, "root", None), str):
        return base64(read_checksum(tier.location(key)))
    if getattr(type(tier), "answers_at_once", False):
        entry = tier.get(key)
        return "" if entry is None else base64(entry.checksum)
    return ""


def _named(key: Key, record: Record | None) -> dict[str, Any]:
    """Return what an entry is called, and the files that it depends on."""
    signature = _signature(key, record)
    return {
        "path": key.path,
        "function": key.function.replace("/", "."),
        "version": key.code,
        "method": key.method,
        "call": written(key, signature),
        "files": (*_given(record), *_read(record)),
    }


def _signature(key: Key, record: Record | None) -> Signature | None:
    try:
        return naming.signature_told(key.call, lambda: record)
    except UnreadableName:
        return None


def _facts(record: Record) -> dict[str, Any]:
    details = record.details
    more = details.get(MORE, 0)
    return {
        "seconds": record.seconds,
        "created": record.created,
        **{name: str(details.get(name, "")) for name in ("host", "python", "numpy")},
        "made_from": tuple(_used(details.get(MADE_FROM))),
        "more": more if isinstance(more, int) else 0,
    }


def _used(rows: Any) -> Iterator[Used]:
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, list) and 2 <= len(row) <= 3 and all(isinstance(x, str) for x in row):
            yield Used(*row)


def _given(record: Record | None) -> Iterator[FileUsed]:
    rows = {} if record is None else record.details.get(FILES_GIVEN)
    for name, row in rows.items() if isinstance(rows, dict) else ():
        if isinstance(row, list) and len(row) == 2:
            yield FileUsed("argument", name, *map(str, row))


def _read(record: Record | None) -> Iterator[FileUsed]:
    rows = [] if record is None else record.details.get("traced", [])
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, list) and len(row) > 2 and row[0] == "file":
            yield FileUsed("read", str(row[1]), str(row[1]), str(row[2]))
