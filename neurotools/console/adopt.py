"""``neurotools import``: the entries of an archive, checked, into a cache. Runs nothing."""

from __future__ import annotations

import argparse
import os
import zipfile
from collections import Counter

from neurotools.console import given, screen, spoken
from neurotools.memo.errors import NoCache
from neurotools.memo.signing import signer_with
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.upkeep import inventory, parcel

SUMMARY = "take the entries of an archive into a cache"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("archive", metavar="ARCHIVE", help="what `neurotools export` wrote")
    given.add_cache(parser)
    parser.add_argument("--key-file", metavar="FILE", help="pickles must be signed with it")


def run(options: argparse.Namespace) -> int:
    """Take them in; 1 where some were refused."""
    signer = signer_with(options.key_file)
    try:
        with zipfile.ZipFile(options.archive) as archive:
            total = len(parcel.contents(archive, options.archive))
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise parcel.BadArchive(options.archive, str(error) or "it ends early") from None
    tier = DirectoryTier(_root(options.cache), signer=signer)
    unpacking = parcel.unpack(options.archive, tier, signer)
    done = list(screen.progress(unpacking, total, "taking in"))
    counts = Counter(one.what for one in done)
    refused = [one for one in done if one.what == "refused"]
    if options.json:
        screen.as_json(
            {
                "cache": tier.root,
                "taken": [one.path for one in done if one.what == "taken"],
                "there": [one.path for one in done if one.what == "there"],
                "refused": {one.path: one.reason for one in refused},
            }
        )
        return int(bool(refused))
    taken = spoken.count(counts["taken"], "entry", "entries")
    there = f", {counts['there']} there already" if counts["there"] else ""
    screen.say(f"{taken} taken into {tier.root}{there}")
    for reason, number in Counter(one.reason for one in refused).items():
        example = next(one.path for one in refused if one.reason == reason)
        screen.say(screen.red(f"{number} refused: {reason}"))
        screen.say(f"  {screen.clean(example)}")
    return int(bool(refused))


def _root(folder: str) -> str:
    """Return the cache that is meant, or where `disk_cacher` would make one in a folder."""
    path = os.path.abspath(os.path.expanduser(folder))
    try:
        places = inventory.places_at(path)
    except (NoCache, FileNotFoundError):
        return os.path.join(path, inventory.IDENTIFIERS[0])
    if len(places) > 1:
        names = " and ".join(os.path.basename(place.root) for place in places)
        raise NoCache(path, f"there are several, {names}; name one of them")
    return places[0].root
