"""``neurotools combine``: keep the results of earlier versions for a function's present code."""

from __future__ import annotations

import argparse
import contextlib
import math
import sys

from neurotools.console import given, screen
from neurotools.memo.errors import CacheError

SUMMARY = "copy the results of a function's earlier versions to its present one"


class WrongOptions(CacheError, ValueError):
    """Options that do not go together."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "function",
        metavar="MODULE:FUNCTION",
        help="it is imported, and called only for --verify",
    )
    parser.add_argument("--cache", metavar="CACHE", help="by default, the one the function uses")
    parser.add_argument(
        "--verify",
        metavar="K",
        type=_calls,
        help="compute K calls of each version again (or 'all'), and leave out a version of which "
        "one gives something else now; the exit code is then 1",
    )
    add_tolerance(parser)
    parser.add_argument("--seed", type=int, default=0, help="decides which calls (default: 0)")
    parser.add_argument(
        "--legacy", action="store_true", help="take over what the earlier neurotools kept, too"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def add_tolerance(parser: argparse.ArgumentParser) -> None:
    """Declare how far numbers may be apart."""
    text = "how far numbers may be apart, %s (default: 0, that is not at all)"
    parser.add_argument(
        "--rtol", type=_number, default=0.0, metavar="R", help=text % "in proportion"
    )
    parser.add_argument("--atol", type=_number, default=0.0, metavar="A", help=text % "absolutely")


def _calls(text: str) -> int | str:
    if text == "all":
        return text
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of calls; write 20, or all")
    return int(text)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no tolerance; write 1e-9")
    return number


def run(options: argparse.Namespace) -> int:
    """Combine them; 1 where something could not be read, or was refused."""
    from neurotools.jobs.combining import combine

    function = given.function_named(options.function)
    root = options.cache or function.cache_root
    if root is None:
        raise WrongOptions(f"{options.function} keeps no results in a folder: give --cache")
    if options.verify is None and (options.rtol or options.atol):
        raise WrongOptions("--rtol and --atol say how --verify compares: give it, too")
    with contextlib.redirect_stdout(sys.stderr):  # what the user's function prints is no answer
        done = combine(
            root,
            function,
            verify=options.verify,
            rtol=options.rtol,
            atol=options.atol,
            seed=options.seed,
            strict=False,
            legacy=options.legacy,
        )
    if options.json:
        names = ("merged", "kept", "foreign", "unreadable", "refused")
        lists = {name: getattr(done, name) for name in names}
        verdicts = [verdict.as_dict() for verdict in done.verdicts]
        facts = {"verdicts": verdicts, "reasons": dict(done.reasons)}
        screen.as_json({"version": done.code, **lists, **facts})
    else:
        screen.say(str(done))
        for reason in sorted(set(done.reasons.values())):
            screen.say(f"left out: {reason}")
    return 1 if done.unreadable or done.refused else 0
