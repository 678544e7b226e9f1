"""``neurotools verify``: the checksum of every entry."""

from __future__ import annotations

import argparse
import os

from neurotools.console import given, screen, spoken
from neurotools.memo.upkeep import inspection, inventory

SUMMARY = "verify the checksum of every entry; --repair sets damaged ones aside"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    given.add_cache(parser)
    parser.add_argument(
        "--repair",
        action="store_true",
        help="move damaged entries out of the way, to be computed again; remove what killed "
        "processes left",
    )


def run(options: argparse.Namespace) -> int:
    """Verify them; 1 where some are damaged and stay."""
    places = given.places(options)
    # Counted before: a bar without an end says little.
    versions = (version for place in places for version in inventory.versions_in(place))
    total = sum(version.entries for version in screen.progress(versions, what="counting"))
    good = size = legacy = 0
    bad = []
    for verdict in screen.progress(
        inspection.verify(places, repair=options.repair), total, "verifying"
    ):
        if verdict.kind == "legacy":
            legacy += 1
        elif verdict.problem:
            bad.append(verdict)
        else:
            good, size = good + 1, size + verdict.size
    if options.json:
        problems = [verdict._asdict() for verdict in bad]
        screen.as_json({"good": good, "bytes": size, "legacy": legacy, "problems": problems})
    else:
        for verdict in bad:
            done = screen.green("mended ") if verdict.is_mended else screen.red("damaged")
            screen.say(f"{done} {os.path.relpath(verdict.path)}\n        {verdict.problem}")
        damaged = sum(verdict.kind == "entry" for verdict in bad)
        screen.say(
            f"{spoken.count(good, 'entry as it was', 'entries as they were')} written "
            f"({spoken.size(size)}), {damaged} damaged"
        )
        if legacy:
            screen.say(
                f"{spoken.count(legacy, 'entry', 'entries')} of the earlier neurotools, without "
                "checksums; combine --legacy takes them over"
            )
        if damaged and not options.repair:
            screen.say("a damaged entry counts as a miss; --repair sets it aside now")
    return int(any(not verdict.is_mended for verdict in bad))
