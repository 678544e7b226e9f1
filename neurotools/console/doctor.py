"""``neurotools doctor``: what is wrong with this folder."""

from __future__ import annotations

import argparse
import textwrap

from neurotools.console import given, screen
from neurotools.memo.upkeep import checkup

SUMMARY = "look for what is wrong: permissions, leftovers, foreign files, clock, disk, locks"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    given.add_cache(parser)


def run(options: argparse.Namespace) -> int:
    """Examine it; 1 where something is wrong."""
    data, is_well = [], True
    for place in given.places(options):
        findings = list(screen.progress(checkup.examine(place.root), what="examining"))
        is_well &= all(finding.is_well for finding in findings)
        data.append({"cache": place.root, "findings": [one._asdict() for one in findings]})
        if options.json:
            continue
        screen.say(screen.bold(place.root))
        for finding in findings:
            sign = screen.green("ok ") if finding.is_well else screen.red("!! ")
            lines = textwrap.wrap(finding.text, 62, break_long_words=False, break_on_hyphens=False)
            screen.say(f"  {sign} {finding.what.ljust(10)} {(chr(10) + ' ' * 17).join(lines)}")
    if options.json:
        screen.as_json(data)
    return 0 if is_well else 1
