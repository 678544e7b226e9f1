"""``neurotools audit``: compute a sample of what is kept anew, and measure how much is stale."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from neurotools.console import given, screen, spoken
from neurotools.console.combine import add_tolerance
from neurotools.memo.upkeep import inventory
from neurotools.memo.upkeep.inventory import Place

if TYPE_CHECKING:
    from neurotools.memo.upkeep.audit import Subject

SUMMARY = "compute a sample of results anew and measure how many are stale; runs your functions"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    given.add_cache(parser)
    parser.add_argument(
        "--sample",
        default="1%",
        type=_sample,
        metavar="N",
        help="how many results: 1%% of all (the default), 200, or all",
    )
    parser.add_argument("--seed", type=int, default=0, help="decides which (default: 0)")
    add_tolerance(parser)
    parser.add_argument(
        "--max-seconds",
        type=_seconds,
        metavar="S",
        help="begin no call later than that: 600, or 10min",
    )


def _sample(text: str) -> str:
    from neurotools.memo.upkeep.audit import sample_of

    try:
        sample_of(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no sample; write 1%, 200 or all") from None
    return text


def _seconds(text: str) -> float:
    try:
        seconds = spoken.seconds_in(f"{text}s" if text.replace(".", "", 1).isdecimal() else text)
    except argparse.ArgumentTypeError:
        seconds = 0.0
    if not seconds > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write 600 or 10min")
    return seconds


def run(options: argparse.Namespace) -> int:
    """Audit the functions that can be imported; 1 where something is stale."""
    from neurotools.jobs.auditing import run_audit

    left_out: Counter[str] = Counter()
    chosen = (options.sample, options.seed, options.rtol, options.atol, options.max_seconds)
    with contextlib.redirect_stdout(sys.stderr):  # what the user's functions print is no answer
        subjects = [one for place in given.places(options) for one in _subjects(place, left_out)]
        done = run_audit(subjects, *chosen, left_out)
    if options.json:
        screen.as_json(done.as_dict())
    else:
        screen.say(str(done))
    return 1 if done.stale else 0


def _subjects(place: Place, left_out: Counter[str]) -> Iterator[Subject]:
    """Give the functions of a cache that can be imported; count the entries that calls miss now."""
    from neurotools.jobs.auditing import subject_of

    entries: dict[str, Counter[str]] = {}
    for version in screen.progress(inventory.versions_in(place), what="looking"):
        entries.setdefault(version.function, Counter())[version.code] = version.entries
    for folder, versions in entries.items():
        try:
            subject = subject_of(_imported(folder), place.root)
            code = subject.keys.fingerprint.code
        except (Exception, SystemExit) as error:  # the modules are the user's
            reason = str(error) if isinstance(error, given.NoFunction) else repr(error)
            left_out[reason] += sum(versions.values())
            continue
        if subject.keys.folder != folder:
            left_out[f"{inventory.human_name(folder)} is another function now"] += sum(
                versions.values()
            )
            continue
        if earlier := sum(versions.values()) - versions[code]:
            left_out["of earlier code, which calls do not find any more"] += earlier
        if versions[code]:
            yield subject


def _imported(folder: str) -> Any:
    """Return the function whose entries are in a folder.

    Raises
    ------
    NoFunction
        If it cannot be imported.
    """
    *parts, name = folder.split("/")
    text = f"{'.'.join(parts)}:{name}"
    if parts[:1] == ["__main__"]:
        raise given.NoFunction(text, "a script or a notebook cannot be imported")
    if "(" in name:
        raise given.NoFunction(text, "what is defined in a function cannot be imported")
    try:
        return given.function_named(text)
    except given.NoFunction:
        # It may be memoized under another name than its own.
        module = sys.modules.get(".".join(parts))
        for found in vars(module).values() if module is not None else ():
            if getattr(getattr(found, "keys", None), "folder", None) == folder:
                return found
        raise
