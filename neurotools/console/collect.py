"""``neurotools gc``, also called ``prune``: remove what is worth least, within limits."""

from __future__ import annotations

import argparse
import contextlib
from typing import Any

from neurotools.console import given, screen, spoken
from neurotools.memo.tiers.worth import ORDERS, Candidate
from neurotools.memo.upkeep import collecting, inventory
from neurotools.memo.upkeep.collecting import Limits, Plan
from neurotools.memo.upkeep.inventory import Place

SUMMARY = "remove what saves least time for its bytes, within limits"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    given.add_cache(parser)
    parser.add_argument("--max-size", type=spoken.bytes_in, metavar="SIZE", help="such as 50GB")
    parser.add_argument("--max-entries", type=_count, metavar="N", help="keep so many at most")
    parser.add_argument("--min-free", type=spoken.bytes_in, metavar="SIZE", help="of the disk")
    parser.add_argument(
        "--older-than",
        type=spoken.seconds_in,
        metavar="AGE",
        help="what was not used for so long, such as 90d",
    )
    parser.add_argument(
        "--keep-versions", type=_count, metavar="N", help="of each function, those used last"
    )
    parser.add_argument(
        "--order", choices=sorted(ORDERS), default="value", help="what goes first (default: value)"
    )
    parser.add_argument("-n", "--dry-run", action="store_true", help="say what would go, no more")
    parser.set_defaults(usage_error=parser.error)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of things")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Remove what has to go."""
    limits = Limits(
        options.max_size,
        options.max_entries,
        options.min_free,
        options.older_than,
        options.keep_versions,
    )
    if all(limit is None for limit in limits):
        options.usage_error("give a limit: --max-size, --max-entries, --min-free, --older-than or "
                            "--keep-versions")  # fmt: skip
    data, code = [], 0
    for place in given.places(options):
        planned = collecting.plan(place, limits, options.order)
        problems = given.Problems()
        if not options.dry_run:
            planned = _carried_out(place, planned, problems)
        data.append(_as_data(place, planned, is_done=not options.dry_run))
        if not options.json:
            _print(place, planned, len(problems.found), is_done=not options.dry_run)
        code |= problems.tell(options.command)
    if options.json:
        screen.as_json(data)
    return code


def _carried_out(place: Place, planned: Plan, problems: given.Problems) -> Plan:
    """Remove what is planned; return the plan as far as that could be done."""
    why = dict(planned.going)
    removed: list[tuple[Candidate, str]] = []
    # Closed when it is stopped, too: what is removed is removed, and noted.
    with contextlib.closing(collecting.carry_out(place.root, planned.going, problems)) as removing:
        done = screen.progress(removing, len(planned.going), "removing")
        removed.extend((one, why[one]) for one in done)
    collecting.forget_use(place.root)
    failed, room = len(problems.found), 0
    if failed:  # what somebody else has removed meanwhile is gone as well
        done_to = dict(removed)
        room = sum(one.room for one, _ in planned.going if one not in done_to)
    is_enough = planned.is_enough and not failed
    return Plan(removed, planned.staying + failed, planned.room_staying + room, is_enough)


def _as_data(place: Place, planned: Plan, *, is_done: bool) -> dict[str, Any]:
    return {
        "cache": place.path,
        "done": is_done,
        "entries": len(planned.going),
        "bytes_on_disk": sum(one.room for one, _ in planned.going),
        "seconds_to_recompute": sum(one.seconds for one, _ in planned.going),
        "limits_are_kept": planned.is_enough,
        "entries_left": planned.staying,
        "bytes_left_on_disk": planned.room_staying,
        "removed": [
            {
                "path": one.path(place.root),
                "bytes_on_disk": one.room,
                "seconds": one.seconds,
                "loads": one.times,
                "last_used": spoken.stamp(one.last),
                "why": why,
            }
            for one, why in planned.going
        ],
    }


def _print(place: Place, planned: Plan, failed: int, *, is_done: bool) -> None:
    will = "removed" if is_done else "would go"
    if failed:
        entries = spoken.count(failed, "entry", "entries")
        screen.say(screen.red(f"the limit is not kept: {entries} could not be removed"))
    elif not planned.is_enough:
        screen.say(screen.red("the limit cannot be kept: more than that is pinned"))
    if not planned.going:
        why = "nothing has to go" if planned.is_enough else "nothing can go"
        screen.say(f"{place.path}: {'nothing was removed' if failed else why}")
        return
    groups: dict[tuple[str, str], list[Any]] = {}
    for one, why in planned.going:
        groups.setdefault((one.shelf, why), []).append(one)
    rows = []
    for (shelf, why), going in sorted(groups.items()):
        function, _, version = shelf.rpartition("/")
        rows.append(
            [
                f"{inventory.human_name(function)} {version[:6]}: {why}",
                f"{len(going):,}",
                spoken.size(sum(one.room for one in going)),
                spoken.span(sum(one.seconds for one in going)),
            ]
        )
    screen.table([will, "entries", "on disk", "to compute"], rows)
    cost = spoken.span(sum(one.seconds for one, _ in planned.going))
    room = spoken.size(sum(one.room for one, _ in planned.going))
    entries = spoken.count(len(planned.going), "entry", "entries")
    left = (
        f"{spoken.count(planned.staying, 'entry', 'entries')}, {spoken.size(planned.room_staying)}"
    )
    verb = "computing them again costs" if is_done else "computing them again would cost"
    screen.say(f"\n{entries} {will}, {room} on disk; {verb} {cost}")
    screen.say(f"left: {left}")
