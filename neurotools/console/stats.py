"""``neurotools stats``: what a cache holds, and what it has saved, in a few lines."""

from __future__ import annotations

import argparse
import itertools
import math
import time

from neurotools.console import given, screen, spoken
from neurotools.memo.tiers.census import times_at
from neurotools.memo.upkeep import inventory
from neurotools.memo.upkeep.inventory import VersionSummary

SUMMARY = "sum up a cache: what it holds, what it has saved, where the bytes are"

#: Entries whose files are opened, to see how long they took.
_SAMPLE = 200
#: Functions listed.
_LARGEST = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    given.add_cache(parser)


def run(options: argparse.Namespace) -> int:
    """Sum up."""
    problems = given.Problems()
    found = given.summaries(options, problems)
    every = [version for versions in found.values() for version in versions]
    cost, sampled = _mean_cost(every)
    total = {
        "functions": len(found),
        "versions": len(every),
        "entries": sum(version.entries for version in every),
        "bytes": sum(version.size for version in every),
        "bytes_on_disk": sum(version.room for version in every),
        "loads": sum(version.use.times for version in every),
        "seconds_saved": sum(version.use.seconds for version in every),
        "mean_seconds_to_compute": None if math.isnan(cost) else cost,
        "sampled_entries": sampled,
        "methods": _methods(every),
        "first_written": spoken.stamp(min((v.first for v in every), default=0)),
        "last_written": spoken.stamp(max((v.last for v in every), default=0)),
    }
    if options.json:
        screen.as_json(total)
    else:
        _print(total, found, every, cost)
    return problems.tell("stats")


def _mean_cost(versions: list[VersionSummary]) -> tuple[float, int]:
    """Return the mean seconds that an entry took, by a sample, and how many were looked at."""
    entries = sum(version.entries for version in versions)
    weighed, looked = 0.0, 0
    for version in versions:
        share = max(1, _SAMPLE * version.entries // max(entries, 1))
        seconds = _sample(version, share)
        looked += len(seconds)
        if seconds:
            weighed += version.entries * sum(seconds) / len(seconds)
        if looked > 2 * _SAMPLE:
            break
    return (weighed / entries, looked) if looked else (math.nan, 0)


def _sample(version: VersionSummary, share: int) -> list[float]:
    import os

    folder = inventory.Place(version.root, f"{version.function}/{version.code}").path
    times = []
    with os.scandir(folder) as listing:
        for item in itertools.islice(listing, share + 2):
            found = times_at(item.path)
            if found is not None:
                times.append(found.seconds)
    return times


def _methods(versions: list[VersionSummary]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for version in versions:
        for method, count in version.methods.items():
            counts[method] = counts.get(method, 0) + count
    return counts


def _print(total: dict, found: dict, every: list[VersionSummary], cost: float) -> None:  # type: ignore[type-arg]
    if not every:
        screen.say("nothing is kept there")
        return
    entries = total["entries"]
    old = time.time() - 90 * 86400
    unused = [version for version in every if given.last_use([version]) < old]
    superseded = sum(_earlier(versions) for versions in found.values())
    lines = [
        ("holds", f"{spoken.count(entries, 'result')} of {spoken.count(len(found), 'function')}, "
                  f"{spoken.count(len(every), 'version')}"),
        ("takes", f"{spoken.size(total['bytes'])}, {spoken.size(total['bytes_on_disk'])} on disk "
                  f"({', '.join(f'{m} {n:,}' for m, n in total['methods'].items())})"),
        ("written", f"{spoken.date(min(v.first for v in every))} to "
                    f"{spoken.date(max(v.last for v in every))}"),
        ("worth", "?" if math.isnan(cost) else
                  f"about {spoken.span(cost * entries)} of computing ({spoken.span(cost)} each, by "
                  f"{spoken.count(total['sampled_entries'], 'sample')})"),
        ("saved", f"{spoken.span(total['seconds_saved'])} in "
                  f"{spoken.count(total['loads'], 'load')}" if total["loads"] else
                  "nothing yet: no load has been noted"),
        ("earlier", f"{spoken.size(superseded)} in versions that are not a function's last"),
        ("unused", f"{spoken.size(sum(v.size for v in unused))} not used for 90 days"),
    ]  # fmt: skip
    for name, text in lines:
        screen.say(f"{screen.dim(name.ljust(8))} {text}")
    largest = sorted(found.items(), key=lambda pair: -sum(v.size for v in pair[1]))[:_LARGEST]
    rows = [
        [
            inventory.human_name(function),
            spoken.size(sum(v.size for v in versions)),
            f"{sum(v.size for v in versions) / max(total['bytes'], 1):.0%}",
            spoken.span(sum(v.use.seconds for v in versions)),
        ]
        for (_, function), versions in largest
    ]
    screen.say()
    screen.table(["largest", "size", "share", "saved"], rows)


def _earlier(versions: list[VersionSummary]) -> int:
    newest_first = sorted(versions, key=lambda version: -given.last_use([version]))
    return sum(version.size for version in newest_first[1:])
