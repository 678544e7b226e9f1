"""``neurotools purge``: remove entries by name."""

from __future__ import annotations

import argparse
import sys

from neurotools.console import given, screen, spoken
from neurotools.memo.errors import NoEntry
from neurotools.memo.tiers.census import taken
from neurotools.memo.tiers.worth import Candidate
from neurotools.memo.upkeep import collecting, inventory

SUMMARY = "remove an entry, a version, or all that is kept of a function"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "name",
        metavar="NAME",
        help="a function (pkg.mod.f), a version, an entry's file, or the beginning of its name",
    )
    given.add_cache(parser, option=True)
    parser.add_argument("-n", "--dry-run", action="store_true", help="say what would go, no more")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")


def run(options: argparse.Namespace) -> int:
    """Remove them."""
    name, places = given.chosen_in(options.name, options)
    found = list(screen.progress(inventory.chosen(name, places), what="looking"))
    if not found:
        where = ", ".join(place.path for place in places)
        raise NoEntry(options.name, f"nothing is named so in {where}")
    what = _told(found)
    cost = inventory.mean_cost(found) * len(found)
    if not (options.dry_run or options.yes or options.json) and not _is_agreed(what, cost):
        print("neurotools purge: nothing was removed; --yes does not ask", file=sys.stderr)
        return 1
    problems = given.Problems()
    if not options.dry_run:
        gone = {
            (root, *one)
            for root in {one.root for one in found}
            for one in _removed(root, found, problems)
        }
        found = [one for one in found if (one.root, one.shelf.name, one.found.name) in gone]
    if options.json:
        names = [given.entry_data(entry) for entry in found]
        screen.as_json({"done": not options.dry_run, "entries": len(found), "removed": names})
    elif options.dry_run:
        screen.say(f"{what} would go; computing them again would cost about {spoken.span(cost)}")
    else:
        screen.say(f"{_told(found)} removed")
    return problems.tell("purge")


def _told(found: list[inventory.Located]) -> str:
    entries = spoken.count(len(found), "entry", "entries")
    return f"{entries}, {spoken.size(sum(entry.found.size for entry in found))}"


def _removed(
    root: str, found: list[inventory.Located], problems: given.Problems
) -> list[tuple[str, str]]:
    """Remove what is in one cache; return of each that is gone its shelf and its name."""
    going = [
        (
            Candidate(
                one.shelf.name,
                one.found.name,
                taken(one.found.size),
                0.0,
                0,
                one.found.written,
                0.0,
            ),
            "purged",
        )
        for one in found
        if one.root == root
    ]
    removing = collecting.carry_out(root, going, problems)
    return [(one.shelf, one.name) for one in screen.progress(removing, len(going), "removing")]


def _is_agreed(what: str, cost: float) -> bool:
    if not sys.stdin.isatty():
        return False
    answer = input(f"remove {what}, about {spoken.span(cost)} of computing? [y/N] ")
    return answer.strip().lower() in {"y", "yes"}
