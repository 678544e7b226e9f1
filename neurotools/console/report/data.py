"""The data of a report, as plain JSON: what ``--json`` prints, and what the page is made from."""

from __future__ import annotations

import math
import time
from typing import Any

import neurotools
from neurotools.console import spoken
from neurotools.console.calls import call_of
from neurotools.memo.upkeep import inventory
from neurotools.memo.upkeep.held import Function, Held, Version
from neurotools.memo.upkeep.outstanding import Item
from neurotools.memo.upkeep.summary import IDLE_DAYS, Summary

_DAY = 86400


def as_data(summary: Summary) -> dict[str, Any]:
    """Return a cache in figures, as plain data; `docs/report.rst` says what is what."""
    return {
        "neurotools": neurotools.__version__,
        "made": spoken.stamp(summary.made),
        "caches": [place.path for place in summary.places],
        "total": {
            **_held(summary.held),
            "functions": summary.functions_count,
            "versions": summary.versions_count,
            "methods": summary.methods,
            "looked_at": summary.looked_at,
        },
        "functions": [_function(one) for one in summary.functions],
        "other_functions": [
            {
                "cache": rest.root,
                "module": inventory.human_name(rest.module),
                "functions": rest.functions,
                **_held(rest.held),
            }
            for rest in summary.rests
        ],
        "entries": [_item(item) for item in summary.items],
        "stored": [
            {"day": _day(number), "bytes": size, "entries": entries}
            for number, (size, entries) in sorted(summary.stored.items())
        ],
        "used": [
            {"day": _day(number), "loads": day.loads, "seconds_saved": day.seconds}
            for number, day in sorted(summary.used.items())
        ],
        "idle": [
            {"days": None if math.isinf(days) else days, **_held(held)}
            for days, held in zip(IDLE_DAYS, summary.idle, strict=True)
        ],
        "notes": [note._asdict() for note in summary.notes],
    }


def _held(held: Held) -> dict[str, Any]:
    is_empty = not held.entries
    return {
        "entries": held.entries,
        "bytes": held.size,
        "bytes_on_disk": held.room,
        "loads": held.loads,
        "seconds_saved": held.saved,
        "seconds_to_compute": held.cost,
        "computed": held.computed,
        "hit_rate": held.hit_rate,
        "first_written": None if is_empty else spoken.stamp(held.first),
        "last_written": None if is_empty else spoken.stamp(held.last),
        "last_used": None if is_empty else spoken.stamp(held.used),
        "mean_idle_days": None if is_empty else round(held.idle / max(held.room, 1) / _DAY, 2),
    }


def _function(one: Function) -> dict[str, Any]:
    return {
        "cache": one.root,
        "function": inventory.human_name(one.name),
        **_held(one.held),
        "earlier_bytes_on_disk": one.earlier.room,
        "versions_count": one.count,
        "versions": [_version(version) for version in one.versions],
    }


def _version(version: Version) -> dict[str, Any]:
    return {"version": version.code, **_held(version.held)}


def _item(item: Item) -> dict[str, Any]:
    entry = item.entry
    return {
        "cache": entry.root,
        "function": inventory.human_name(entry.shelf.function),
        "version": entry.shelf.code,
        "name": f"{entry.shelf.code[:6]}/{entry.found.name[:8]}",
        "call": call_of(entry),
        "path": entry.path,
        "method": entry.found.method,
        "bytes": entry.found.size,
        "bytes_on_disk": item.room,
        "seconds": None if math.isnan(item.seconds) else item.seconds,
        "loads": item.loads,
        "seconds_saved": None if math.isnan(item.saved) else item.saved,
        "written": spoken.stamp(entry.found.written),
        "last_used": spoken.stamp(item.used),
        "pinned": item.is_pinned,
        "kinds": list(item.kinds),
    }


def _day(number: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(number * _DAY))
