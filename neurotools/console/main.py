"""The ``neurotools`` command: its words, and how errors leave it. Not here: what each word does."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Protocol

from neurotools import __version__
from neurotools.console import demo, sync
from neurotools.memo.errors import CacheError


class Command(Protocol):
    """What a module offers that stands behind one word of the command."""

    SUMMARY: str

    @property
    def add_arguments(self) -> Callable[[argparse.ArgumentParser], None]:
        """Declare the options of the command."""

    @property
    def run(self) -> Callable[[argparse.Namespace], int]:
        """Do it, and return the exit code."""


COMMANDS: dict[str, Command] = {"demo": demo, "sync": sync}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        What was typed after ``neurotools``; from the command line by default.

    Returns
    -------
    int
        Exit code: 0 when all went well, 1 otherwise. Wrong arguments exit with 2.
    """
    options = parser().parse_args(arguments)
    try:
        return COMMANDS[options.command].run(options)
    except CacheError as error:
        print(f"neurotools {options.command}: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print(f"neurotools {options.command}: stopped", file=sys.stderr)
    return 1


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    whole = argparse.ArgumentParser(
        prog="neurotools", description="A cache for research functions."
    )
    whole.add_argument("--version", action="version", version=f"neurotools {__version__}")
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        module.add_arguments(commands.add_parser(name, help=module.SUMMARY))
    return whole
