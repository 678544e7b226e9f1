"""``neurotools pin``: what is to stay, whatever it is worth."""

from __future__ import annotations

import argparse

from neurotools.console import given, screen
from neurotools.memo.errors import NoEntry
from neurotools.memo.tiers import pins
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.upkeep import inventory
from neurotools.memo.upkeep.inventory import Place

SUMMARY = "keep entries or functions whatever the budget; without a name, list what is kept"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="a function (pkg.mod.f), an entry's file, or the beginning of its name",
    )
    given.add_cache(parser, option=True)
    parser.add_argument("-r", "--remove", action="store_true", help="keep it no longer")


def run(options: argparse.Namespace) -> int:
    """Pin it, or list what is pinned."""
    changed: list[str] = []
    if options.name is None:
        meant, places = "", given.places(options)
    else:
        meant, places = given.chosen_in(options.name, options)
    for place in places:
        marks = DirectoryTier(place.root).marks
        if options.name is None:
            changed += sorted(pins.pinned(marks).places)
            continue
        for name in _pinned_by(meant, place) if options.remove else _named(meant, place):
            if options.remove:
                pins.unpin(marks, name)
            else:
                pins.pin(marks, name)
            changed.append(name)
    if options.name is not None and not changed:
        where = ", ".join(place.path for place in places)
        what = "nothing of that name is pinned" if options.remove else "nothing is named so"
        raise NoEntry(options.name, f"{what} in {where}")
    if options.json:
        screen.as_json({"pinned": changed} if not options.remove else {"unpinned": changed})
        return 0
    for name in changed:
        screen.say(f"{'no longer pinned: ' if options.remove else ''}{name}")
    if not changed:
        screen.say("nothing is pinned there")
    return 0


def _pinned_by(text: str, place: Place) -> list[str]:
    wanted = text.strip("/").replace(".", "/")
    kept = pins.pinned(DirectoryTier(place.root).marks).places
    return [
        name
        for name in sorted(kept)
        if f"/{wanted}/" in f"/{name}/".replace(".", "/")
        or name.rpartition("/")[2].startswith(text)
    ]


def _named(text: str, place: Place) -> list[str]:
    """Return the places to pin: a folder where all of a function or version is meant."""
    found = list(inventory.chosen(text, [place]))
    wanted = text.strip("/").replace(".", "/")
    folders: dict[str, None] = {}
    for entry in found:
        whole = f"/{entry.shelf.name}/".replace(".", "/")
        start = whole.find(f"/{wanted}/")
        if start < 0:
            folders[f"{entry.shelf.name}/{entry.found.name}"] = None
        else:
            folders[entry.shelf.name[: start + len(wanted)]] = None
    return list(folders)
