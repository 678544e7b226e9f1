"""``neurotools lineage``: the tree of the cached calls that a result was made from."""

from __future__ import annotations

import argparse

from neurotools.console import given, screen
from neurotools.console.calls import key_of
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.lineage.reading import lineage_of
from neurotools.memo.lineage.tree import Lineage
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.upkeep import inventory

SUMMARY = "show what a result was made from: the tree of the cached calls behind it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("entry", metavar="ENTRY", help="a file, or the beginning of its name")
    given.add_cache(parser, option=True)
    parser.add_argument(
        "--also",
        action="append",
        default=[],
        metavar="CACHE",
        help="look for what it was made from in this cache, too; may be given again",
    )
    for kind in ("png", "svg", "dot"):
        told = "as text for Graphviz" if kind == "dot" else "with matplotlib"
        parser.add_argument(f"--{kind}", metavar="FILE", help=f"draw it, {told}")


def run(options: argparse.Namespace) -> int:
    """Show it, and draw it where that is asked for."""
    entry, places = given.entry_named(options.entry, options)
    others = [place for path in options.also for place in inventory.places_at(path)]
    roots = dict.fromkeys([entry.root, *(place.root for place in (*places, *others))])
    found = lineage_of(key_of(entry), [Hierarchy([DirectoryTier(root)]) for root in roots])
    drawn = _drawn(found, options)
    if options.json:
        screen.as_json({**found.as_dict(), "drawn": drawn})
    else:
        screen.say(str(found))
        for path in drawn:
            screen.say(f"drawn to {path}")
    return 0


def _drawn(found: Lineage, options: argparse.Namespace) -> list[str]:
    """Draw what is asked for, whatever the files are called; return their paths."""
    from neurotools.memo.lineage.drawing import save

    asked = ((kind, getattr(options, kind)) for kind in ("png", "svg", "dot"))
    return [save(found, path, kind) for kind, path in asked if path]
