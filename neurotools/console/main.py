"""The ``neurotools`` command: its words, and how errors leave it. Not here: what each word does.

Plain argparse and no packages of others: the command has to work wherever the cache does, and to
answer before one has finished thinking. Only the module of the word that was typed is loaded.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NoReturn, Protocol, cast

from neurotools import __version__
from neurotools.console import screen
from neurotools.console.out import leave_the_rest
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


#: What shells say of a command that Ctrl-C has ended.
STOPPED = 130
#: What argparse says of a command that it does not understand.
MISUSED = 2

#: Word to module, in the order in which they are listed.
COMMANDS: dict[str, str] = {
    "demo": "demo",
    "ls": "ls",
    "show": "show",
    "stats": "stats",
    "du": "du",
    "report": "report.command",
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


class Misused(Exception):
    """A command was not understood; an exception, so that programs can be told as JSON."""

    def __init__(self, usage: str, prog: str, message: str) -> None:
        super().__init__(message)
        self.usage, self.prog = usage, prog


class Parser(argparse.ArgumentParser):
    """Tells `main` what was not understood, and does not end the program itself."""

    def error(self, message: str) -> NoReturn:
        """Raise `Misused`."""
        raise Misused(self.format_usage(), self.prog, message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        What was typed after ``neurotools``; from the command line by default.

    Returns
    -------
    int
        Exit code: 0 when all went well, 1 otherwise, 130 after Ctrl-C. Wrong arguments exit with 2.
    """
    typed = sys.argv[1:] if arguments is None else list(arguments)
    name = typed[0] if typed and typed[0] in COMMANDS else ""
    # What a listing gathers is all still needed: looking for what is not takes a third of the time.
    was_collecting = gc.isenabled()
    gc.disable()
    try:
        options = parser(typed[:1]).parse_args(typed)
        name = options.command
        code = command(name).run(options)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        leave_the_rest()
        return 0
    except Misused as error:
        told_usage(error, typed)
        raise SystemExit(MISUSED) from None
    except CacheError as error:
        told(name, str(error), error, typed)
    except OSError as error:
        told(name, spelled(error), error, typed)
    except KeyboardInterrupt as error:
        told(name, "stopped", error, typed)
        return STOPPED
    finally:
        if was_collecting:
            gc.enable()
    return 1


def told(name: str, text: str, error: BaseException, typed: Sequence[str]) -> None:
    """Say what went wrong, in one line; to programs as JSON, too."""
    line = " ".join(text.split())
    with contextlib.suppress(OSError):
        print(screen.clean(f"{f'neurotools {name}'.rstrip()}: {line}"), file=sys.stderr)
        told_as_json(line, error, typed)


def told_usage(error: Misused, typed: Sequence[str]) -> None:
    """Say how the command is used, and what was wrong."""
    with contextlib.suppress(OSError):
        print(f"{error.usage}{error.prog}: error: {screen.clean(str(error))}", file=sys.stderr)
        told_as_json(str(error), error, typed)


def told_as_json(text: str, error: BaseException, typed: Sequence[str]) -> None:
    """Print an error for programs, which read nothing else then: what is done prints at its end."""
    if "--json" in typed:
        screen.as_json({"error": text, "kind": type(error).__name__})


def spelled(error: OSError) -> str:
    """Return what the system says, with the place first."""
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename is not None else reason


def command(name: str) -> Command:
    """Return what stands behind a word."""
    return cast("Command", import_module(f"neurotools.console.{COMMANDS[name]}"))


def parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Return the parser of the whole command line, or of that for the first word typed."""
    whole = Parser(prog="neurotools", description="A cache for research functions.")
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
