"""``neurotools report``: what is in a cache, as a page, as pictures, as data.

Not here: the figures (`neurotools.memo.upkeep.summary`), and what the page looks like (`page`).
"""

from __future__ import annotations

import argparse
import sys

from neurotools.console import given, screen, spoken
from neurotools.console.report import files
from neurotools.memo.upkeep.summary import Summary, summary_of
from neurotools.memo.whole import write

SUMMARY = "write one page that shows what is in a cache, what it saves and what is wrong"

_STDOUT = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    given.add_cache(parser)
    parser.add_argument("--html", metavar="FILE", help="write the page there; - prints it")
    parser.add_argument(
        "--png",
        metavar="PREFIX",
        help="write the plots alone, into a folder or under names that begin so",
    )
    parser.add_argument(
        "--force", action="store_true", help="replace files that are there and are no reports"
    )


def run(options: argparse.Namespace) -> int:
    """Write what was asked for; 1 where folders could not be looked at."""
    wrong = _wrong(options)
    if wrong:
        print(f"neurotools report: {wrong}", file=sys.stderr)
        return 2
    places = given.places(options)
    # What cannot be done is said now, and not after a minute of looking.
    if options.html and options.html != _STDOUT:
        files.check(options.html, force=options.force)
    if options.png:
        from neurotools.console.report import pictures

        pictures.check()
        for path in pictures.paths(options.png):
            files.check(path, force=options.force)
    summary = summary_of(places, screen.progress)
    problems = given.Problems()
    problems.found += summary.errors
    _write(options, summary)
    return problems.tell("report")


def _wrong(options: argparse.Namespace) -> str:
    if not (options.html or options.png or options.json):
        return "say what to write: --html FILE, --png PREFIX or --json"
    if options.json and options.html == _STDOUT:
        return "only one of --json and --html - can be printed"
    return ""


def _write(options: argparse.Namespace, summary: Summary) -> None:
    from neurotools.console.report.data import as_data
    from neurotools.console.report.page import page

    data = as_data(summary)
    is_said = not options.json and options.html != _STDOUT
    if options.html == _STDOUT:
        sys.stdout.buffer.write(page(data).encode())
    elif options.html:
        _done(options.html, page(data).encode(), is_said=is_said)
    if options.png:
        from neurotools.console.report import pictures

        for path, content in pictures.drawn(data, options.png):
            _done(path, content, is_said=is_said)
    if options.json:
        screen.as_json(data)


def _done(path: str, content: bytes, *, is_said: bool) -> None:
    write(path, content, is_private=False)
    if is_said:
        screen.say(f"{path} written, {spoken.size(len(content))}")
