"""``neurotools du``: where the bytes are, on the disk."""

from __future__ import annotations

import argparse
import os

from neurotools.console import given, screen, spoken
from neurotools.memo.tiers.census import PRIVATE, taken
from neurotools.memo.upkeep import inventory

SUMMARY = "tell what modules, functions and versions take on the disk"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    given.add_cache(parser)
    parser.add_argument(
        "-d",
        "--depth",
        type=_depth,
        default=0,
        metavar="N",
        help="look only so deep; 1 is a module",
    )


def _depth(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no depth; write 1, 2, or 0 for all")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Sum up sizes, each folder with all that is below it."""
    problems = given.Problems()
    rooms: dict[str, list[int]] = {}
    total = 0
    for place in given.places(options):
        for version in screen.progress(inventory.versions_in(place, problems), what="looking"):
            total += version.room
            parts = [*version.function.split("/"), version.code]
            for depth in range(1, min(len(parts), options.depth or len(parts)) + 1):
                row = rooms.setdefault("/".join(parts[:depth]), [0, 0, 0])
                row[0] += version.room
                row[1] += version.size
                row[2] += version.entries
        own = _own(os.path.join(place.root, PRIVATE)) if not place.under else 0
        if own:
            row = rooms.setdefault(PRIVATE, [0, 0, 0])
            row[0] += own
            row[1] += own
            total += own
    if options.json:
        names = ("bytes_on_disk", "bytes", "entries")
        screen.as_json(
            {name: dict(zip(names, row, strict=True)) for name, row in sorted(rooms.items())}
        )
        return problems.tell("du")
    rows = [
        [_indented(name), spoken.size(room), spoken.size(size), f"{entries:,}" if entries else ""]
        for name, (room, size, entries) in sorted(rooms.items())
    ]
    rows.append(["all", spoken.size(total), "", ""])
    screen.table(["folder", "on disk", "size", "entries"], rows, [len(rows) - 1])
    return problems.tell("du")


def _indented(name: str) -> str:
    above, _, last = name.rpartition("/")
    return "  " * (above.count("/") + 1 if above else 0) + last


def _own(folder: str) -> int:
    """Return what notes, locks and what was set aside take."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                total += taken(os.lstat(os.path.join(path, name)).st_size)
            except OSError:
                continue
    return total
