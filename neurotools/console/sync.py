"""``neurotools sync FAST SLOW``: each place gets the results that the other one has.

Not here: the copying (`neurotools.memo.upkeep.syncing`).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from typing import Any

from neurotools.console import screen, spoken
from neurotools.memo.entry import Key
from neurotools.memo.errors import CacheError, NoCache
from neurotools.memo.signing import Signer, signer_with
from neurotools.memo.tiers.base import Tier
from neurotools.memo.tiers.census import PRIVATE
from neurotools.memo.tiers.locations import tier_at
from neurotools.memo.tiers.trust import user_numbers
from neurotools.memo.upkeep import syncing
from neurotools.memo.upkeep.syncing import Comparison, Way

SUMMARY = "copy results between two places, whatever one of them lacks"
IDENTIFIER = "neurotools_cache"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = (
        "Copies the results that are missing on either side. What is copied is checked, and "
        "written whole or not at all: stop it whenever you like, and start it again."
    )
    parser.add_argument("fast", metavar="FAST", help="a folder or URL, as for hierarchical_cacher")
    parser.add_argument("slow", metavar="SLOW", help="another one")
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("--to", action="store_true", help="only from FAST to SLOW")
    ways.add_argument("--from", action="store_true", dest="back", help="only from SLOW to FAST")
    parser.add_argument("--dry-run", action="store_true", help="say what would be copied")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    parser.add_argument("--verify", action="store_true", help="read each copy back, and compare")
    parser.add_argument(
        "--cache-identifier",
        metavar="NAME",
        help=f"the caches' sub-folder (default: the one that is there; else {IDENTIFIER})",
    )
    parser.add_argument("--threads", type=_threads, metavar="N", help="copy so many at a time")
    parser.add_argument(
        "--storage-options",
        type=_options,
        metavar="JSON",
        help="what drivers of URLs need beyond what they find by themselves",
    )
    parser.add_argument("--key-file", metavar="FILE", help="the key that pickles are signed with")
    parser.add_argument(
        "--trusted-owner",
        action="append",
        default=[],
        metavar="USER",
        help="also copy pickles of this user; may be given several times",
    )


def _threads(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 1 <= number <= 256:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 256")
    return number


def _options(text: str) -> dict[str, Any]:
    try:
        options = json.loads(text)
    except ValueError:
        options = None
    if not isinstance(options, dict):
        told = f'{text!r} is no JSON object, such as \'{{"profile": "lab"}}\''
        raise argparse.ArgumentTypeError(told)
    return options


def run(options: argparse.Namespace) -> int:
    """Copy what is missing; return 1 if something could not be copied.

    Raises
    ------
    CacheError
        If there is no such cache, or a place fails.
    """
    signer = signer_with(options.key_file)
    options.cache_identifier = options.cache_identifier or _only_identifier(options)
    fast, slow = _tiers(options, signer)
    try:
        found = syncing.compare(fast, slow)
    except OSError as error:
        raise CacheError(f"cannot list both places: {error}") from None
    ways = [way for way, off in ((found.to, options.back), (found.back, options.to)) if not off]
    if options.dry_run:
        _tell(ways, found, options)
        return 0
    is_done = False
    try:
        for way in ways:
            syncing.copy(way, verify=options.verify, signer=signer, threads=options.threads)
        is_done = True
    finally:
        with contextlib.suppress(OSError):
            syncing.settle(found)
        if is_done or not options.json:  # programs are told the error, and nothing else
            _tell(ways, found, options)
    return int(any(way.bad for way in ways))


def _tell(ways: list[Way], found: Comparison, options: argparse.Namespace) -> None:
    if options.json:
        told = [_as_data(way, is_dry=options.dry_run) for way in ways]
        screen.as_json({"ways": told, "in_both": found.in_both})
    elif options.dry_run:
        for way in ways:
            _say_what_would_be(way)
    else:
        _say_what_was(ways, found)


def _tiers(options: argparse.Namespace, signer: Signer | None) -> tuple[Tier, Tier]:
    _require(options.fast, options, "--from" if options.back else "", "--from")
    _require(options.slow, options, "--to" if options.to else "", "--to")
    _require_apart(options)
    try:
        owners = user_numbers(options.trusted_owner)
        told: dict[str, Any] = {"trusted_owners": owners, "signer": signer}
        told["storage_options"] = options.storage_options
        fast, slow = (
            tier_at(place, options.cache_identifier, **told)
            for place in (options.fast, options.slow)
        )
    except CacheError:
        raise
    except ValueError as error:
        raise CacheError(str(error)) from None
    return fast, slow


def _require_apart(options: argparse.Namespace) -> None:
    """Raise `CacheError` if both places are the same, or one lies in the other."""
    one, other = (_root(place, options) for place in (options.fast, options.slow))
    if one == other or one.startswith(other + os.sep) or other.startswith(one + os.sep):
        raise CacheError(f"{options.fast} and {options.slow} are the same place, or one in another")


def _only_identifier(options: argparse.Namespace) -> str:
    """Return the sub-folder that the caches in both places have, where there is but one."""
    folders = [
        os.path.expanduser(place) for place in (options.fast, options.slow) if "://" not in place
    ]
    found = {name for folder in folders for name in _caches_in(folder)}
    return found.pop() if len(found) == 1 else IDENTIFIER


def _caches_in(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as listing:
            return [one.name for one in listing if os.path.isdir(f"{one.path}/{PRIVATE}")]
    except OSError:
        return []


def _root(place: str, options: argparse.Namespace) -> str:
    if "://" in place:
        return place.rstrip("/")
    return os.path.realpath(os.path.join(os.path.expanduser(place), options.cache_identifier))


def _require(place: str, options: argparse.Namespace, chosen: str, flag: str) -> None:
    """Raise `NoCache` where a folder holds no cache, unless one is to be made there."""
    if place.startswith("ram://"):
        raise CacheError("ram:// is the memory of one program; give folders or other URLs")
    if "://" in place or chosen:
        return
    folder, identifier = os.path.expanduser(place), options.cache_identifier
    if os.path.isdir(os.path.join(folder, identifier)):
        return
    raise NoCache(os.path.join(place, identifier), _remedy(folder, identifier, flag))


def _remedy(folder: str, identifier: str, flag: str) -> str:
    if os.path.basename(os.path.abspath(folder)) == identifier and os.path.isdir(folder):
        return f"give the folder above it: {os.path.dirname(os.path.abspath(folder))}"
    if others := _caches_in(folder):
        named = " or ".join(f"--cache-identifier {name}" for name in sorted(others))
        return f"there is another one, say {named}"
    return f"look at the name, or say {flag} to have one made there"


def _say_what_would_be(way: Way) -> None:
    screen.say(f"{_results(way.missing)} would be copied to {way.target.name}")
    for function, number in sorted(way.by_function.items()):
        screen.say(f"  {number:>8,}  {function}")


def _say_what_was(ways: list[Way], found: Comparison) -> None:
    for way in ways:
        size = f" ({spoken.size(way.size_bytes)})" if way.copied else ""
        screen.say(f"{_results(way.copied)} copied to {way.target.name}{size}")
        for key, reason in way.bad.items():
            print(f"not copied: {screen.clean(_told(way, key, reason))}", file=sys.stderr)
    screen.say(f"{spoken.count(found.in_both, 'result')} were in both places")


def _results(keys: list[Key]) -> str:
    return spoken.count(len(keys), "result")


def _told(way: Way, key: Key, reason: str) -> str:
    return reason if key.call in reason else f"{way.source.location(key)}: {reason}"


def _as_data(way: Way, *, is_dry: bool) -> dict[str, Any]:
    """Return what was or would be copied, for programs."""
    data = {"from": way.source.name, "to": way.target.name, "missing": len(way.missing)}
    if is_dry:
        return {**data, "functions": dict(sorted(way.by_function.items()))}
    bad = [
        {"entry": way.source.location(key), "problem": reason} for key, reason in way.bad.items()
    ]
    return {**data, "copied": len(way.copied), "bytes": way.size_bytes, "problems": bad}
