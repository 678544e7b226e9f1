"""``neurotools ls``: the functions in a cache, their versions and entries."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any

from neurotools.console import given, screen, spoken
from neurotools.memo.upkeep import inventory
from neurotools.memo.upkeep.inventory import Located, VersionSummary

SUMMARY = "list functions, their versions, what they take and what they have saved"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    given.add_cache(parser)
    parser.add_argument("-e", "--entries", action="store_true", help="list entries, too")
    parser.add_argument(
        "--sort",
        choices=("name", "saved", "size", "used"),
        default="name",
        help="what comes first (default: by name)",
    )


def run(options: argparse.Namespace) -> int:
    """List what is there."""
    if options.entries:
        return _entries(options)
    problems = given.Problems()
    found = given.summaries(options, problems)
    functions = sorted(found.items(), key=lambda pair: (_rank(options.sort, pair[1]), pair[0]))
    if options.json:
        screen.as_json([_as_data(root, name, all_) for (root, name), all_ in functions])
    else:
        _print(functions)
    return problems.tell("ls")


def _rank(order: str, versions: list[VersionSummary]) -> float:
    """Return what a function is sorted by, lowest first."""
    match order:
        case "size":
            return -sum(version.size for version in versions)
        case "used":
            return -given.last_use(versions)
        case "saved":
            return -sum(version.use.seconds for version in versions)
    return 0.0


def _as_data(root: str, function: str, versions: list[VersionSummary]) -> dict[str, Any]:
    newest_first = sorted(versions, key=lambda version: -version.last)
    return {
        "cache": root,
        "function": inventory.human_name(function),
        "entries": sum(version.entries for version in versions),
        "bytes": sum(version.size for version in versions),
        "last_used": spoken.stamp(given.last_use(versions)),
        "seconds_saved": sum(version.use.seconds for version in versions),
        "versions": [given.as_data(version) for version in newest_first],
    }


def _print(functions: list[tuple[tuple[str, str], list[VersionSummary]]]) -> None:
    rows, strong, root = [], [], None
    several = len({root for (root, _), _ in functions}) > 1
    for (where, function), versions in functions:
        if several and where != root:
            root = where
            rows.append([where, "", "", "", ""])
        strong.append(len(rows))
        rows.append(_row(inventory.human_name(function), versions))
        if len(versions) > 1:
            newest_first = sorted(versions, key=lambda version: -version.last)
            rows += [_row(f"  {version.code}", [version]) for version in newest_first]
    every = [version for _, versions in functions for version in versions]
    if not every:
        screen.say("nothing is kept there")
        return
    screen.table(["function, version", "entries", "size", "last use", "saved"], rows, strong)
    total = spoken.size(sum(version.size for version in every))
    parts = [
        spoken.count(len(functions), "function"),
        spoken.count(len(every), "version"),
        spoken.count(sum(version.entries for version in every), "entry", "entries"),
        total,
    ]
    screen.say(f"\n{', '.join(parts)}")


def _row(name: str, versions: list[VersionSummary]) -> list[str]:
    saved = sum(version.use.seconds for version in versions)
    return [
        name,
        f"{sum(version.entries for version in versions):,}",
        spoken.size(sum(version.size for version in versions)),
        spoken.ago(given.last_use(versions)),
        spoken.span(saved) if saved else "-",
    ]


def _newest_first(every: Iterable[Located]) -> list[Located]:
    """Return entries function by function, the newest version first, and its newest entry first."""
    entries = list(every)
    functions: dict[tuple[str, str], int] = {}
    newest: dict[str, float] = {}
    for entry in entries:
        shelf, written = entry.shelf, entry.found.written
        functions.setdefault((entry.root, shelf.function), len(functions))
        newest[shelf.path] = max(written, newest.get(shelf.path, written))

    def place(entry: Located) -> tuple[int, float, str, float, str]:
        shelf, found = entry.shelf, entry.found
        function = functions[entry.root, shelf.function]
        return function, -newest[shelf.path], shelf.path, -found.written, found.name

    return sorted(entries, key=place)


def _entries(options: argparse.Namespace) -> int:
    from neurotools.console.calls import call_of

    rows, data = [], []
    every = screen.progress(inventory.entries_in(given.places(options)), what="listing")
    for entry in _newest_first(every):
        if options.json:
            data.append({**given.entry_data(entry), "call": call_of(entry)})
        else:
            rows.append(
                [
                    call_of(entry),
                    entry.found.name[:8],
                    spoken.size(entry.found.size),
                    spoken.ago(entry.found.written),
                ]
            )
    if options.json:
        screen.as_json(data)
    elif rows:
        screen.table(["call", "hash", "size", "written"], rows)
    else:
        screen.say("nothing is kept there")
    return 0
