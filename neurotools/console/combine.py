"""``neurotools combine``: keep the results of earlier versions for a function's present code."""

from __future__ import annotations

import argparse

from neurotools.console import given, screen

SUMMARY = "copy the results of a function's earlier versions to its present one"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("function", metavar="MODULE:FUNCTION", help="it is imported, not called")
    parser.add_argument("--cache", metavar="CACHE", help="by default, the one the function uses")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def run(options: argparse.Namespace) -> int:
    """Combine them."""
    from neurotools.jobs.cache import combine_caches

    function = given.function_named(options.function)
    done = combine_caches(options.cache or function.cache_root, function)
    if options.json:
        names = ("merged", "kept", "foreign", "unreadable")
        screen.as_json({"version": done.code, **{name: getattr(done, name) for name in names}})
    else:
        screen.say(str(done))
    return 1 if done.unreadable else 0
