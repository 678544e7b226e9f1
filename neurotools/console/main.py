"""The ``neurotools`` command: its words, and how errors leave it. Not here: what each word does.

Plain argparse and no packages of others: the command has to work wherever the cache does, and to
answer before one has finished thinking. Only the module of the word that was typed is loaded.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Protocol, cast

from neurotools import __version__
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


#: Word to module, in the order in which they are listed.
COMMANDS: dict[str, str] = {
    "demo": "demo",
    "ls": "ls",
    "show": "show",
    "stats": "stats",
    "du": "du",
    "explain": "explain",
    "lineage": "lineage",
    "gc": "collect",
    "prune": "collect",
    "purge": "purge",
    "pin": "pin",
    "verify": "verify",
    "doctor": "doctor",
    "export": "export",
    "import": "adopt",
    "combine": "combine",
    "audit": "audit",
    "sync": "sync",
}


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
    typed = sys.argv[1:] if arguments is None else list(arguments)
    options = parser(typed[:1]).parse_args(typed)
    name = options.command
    # What a listing gathers is all still needed: looking for what is not takes a third of the time.
    was_collecting = gc.isenabled()
    gc.disable()
    try:
        code = command(name).run(options)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # Whoever reads has seen enough, as `head` does. What is left is not written at the end.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except CacheError as error:
        told(name, str(error))
    except OSError as error:
        told(name, spelled(error))
    except KeyboardInterrupt:
        told(name, "stopped")
    finally:
        if was_collecting:
            gc.enable()
    return 1


def told(name: str, text: str) -> None:
    """Say what went wrong, in one line."""
    with contextlib.suppress(OSError):
        print(f"neurotools {name}: {' '.join(text.split())}", file=sys.stderr)


def spelled(error: OSError) -> str:
    """Return what the system says, with the place first."""
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename is not None else reason


def command(name: str) -> Command:
    """Return what stands behind a word."""
    return cast("Command", import_module(f"neurotools.console.{COMMANDS[name]}"))


def parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Return the parser of the whole command line, or of that for the first word typed."""
    whole = argparse.ArgumentParser(
        prog="neurotools", description="A cache for research functions."
    )
    whole.add_argument("--version", action="version", version=f"neurotools {__version__}")
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in [word for word in words if word in COMMANDS] or COMMANDS:
        module = command(name)
        module.add_arguments(
            commands.add_parser(
                name, help=module.SUMMARY, description=f"{module.SUMMARY.capitalize()}."
            )
        )
    return whole
