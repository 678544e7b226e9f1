"""``neurotools export``: chosen entries in one archive, to be published with a paper."""

from __future__ import annotations

import argparse
import os
import sys

from neurotools.console import given, screen, spoken
from neurotools.memo.errors import NoEntry
from neurotools.memo.formats.registry import RUNS_CODE
from neurotools.memo.signing import signer_with
from neurotools.memo.upkeep import inventory, parcel

SUMMARY = "write chosen entries to one archive"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("archive", metavar="ARCHIVE", help="the file to write, such as results.zip")
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="functions (pkg.mod.f), versions or entries; by default all",
    )
    given.add_cache(parser, option=True)
    parser.add_argument("--key-file", metavar="FILE", help="signs pickles, see disk_cacher")


def run(options: argparse.Namespace) -> int:
    """Write the archive; 1 where something had to be left out."""
    places = given.places(options)
    named = options.names
    found = (
        (entry for name in named for entry in inventory.chosen(name, places))
        if named
        else inventory.entries_in(places)
    )
    entries = screen.progress(found, what="looking")
    chosen = list({entry.path: entry for entry in entries}.values())
    if not chosen:
        raise NoEntry(" ".join(named), f"nothing is named so in {options.cache}")
    signer = signer_with(options.key_file)
    packing = parcel.pack(options.archive, chosen, signer)
    done = list(screen.progress(packing, len(chosen), "packing"))
    left_out = [one for one in done if one.problem]
    good = [one for one in done if not one.problem]
    pickles = sum(one.path.rpartition(".")[2] in RUNS_CODE for one in good)
    size = os.path.getsize(options.archive)
    if options.json:
        screen.as_json(
            {
                "archive": os.path.abspath(options.archive),
                "bytes": size,
                "entries": [one.path for one in good],
                "left_out": {one.path: one.problem for one in left_out},
            }
        )
    else:
        screen.say(
            f"{spoken.count(len(good), 'entry', 'entries')} in {options.archive}, "
            f"{spoken.size(size)}"
        )
        if pickles and signer is None:
            screen.say(
                f"{spoken.count(pickles, 'pickle')} among them, not signed: others cannot take "
                "them in.\nKeep results with method='npy', or sign them with --key-file."
            )
    for one in left_out:
        print(f"neurotools export: left out {one.path}: {one.problem}", file=sys.stderr)
    return int(bool(left_out))
