"""The ``neurotools-pathman`` command: change a path by words, and print it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from neurotools import __version__
from neurotools.console.out import put
from neurotools.jobs.paths import PathManager

NAME = "neurotools-pathman"
_WRONG_USE = 2

#: What stands behind each word, and what it does.
COMMANDS = {
    "get_prefix": ("", "the name up to its first dot, without the folder"),
    "get_path_and_prefix": ("", "the path up to the first dot of its name"),
    "append_suffix": ("SUFFIX", "add a suffix before the extensions"),
    "replace_suffix": ("SUFFIX", "replace what follows the last _ before the extensions"),
    "delete_suffix": ("", "remove it"),
    "repath": ("DIR", "put the file into another folder"),
}

_PAGE = """\
NAME
    neurotools-pathman - change a path, and print it

SYNOPSIS
    neurotools-pathman [-h] PATH COMMAND [COMMAND ...]

COMMANDS, one after the other, left to right
{commands}
EXAMPLES
    neurotools-pathman /data/sub-01_bold.nii.gz get_prefix
    neurotools-pathman "$scan" repath /out replace_suffix _mask

EXIT CODES
    0; 2 if a command is unknown, or has nothing that belongs to it; 1 if the path cannot be
    printed.
"""


class _WrongUse(Exception):
    """What was typed is no use of the command."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Change one path.

    Parameters
    ----------
    arguments : sequence of str, optional
        What was typed after ``neurotools-pathman``; from the command line by default.

    Returns
    -------
    int
        Exit code: 0, 1 if the path cannot be printed, or 2 if something is wrong with what was
        typed.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0] in {"-h", "--help"}:
        return put(NAME, page())
    if words == ["--version"]:
        return put(NAME, f"{NAME} {__version__}\n")
    try:
        path = changed(words[1:] if words[:1] == ["--"] else words).path
    except (_WrongUse, ValueError) as error:
        print(f"{NAME}: {error}\nSee {NAME} --help", file=sys.stderr)
        return _WRONG_USE
    return put(NAME, f"{path}\n")


def changed(words: Sequence[str]) -> PathManager:
    """Return the path that words ask for: the path first, then what is done to it."""
    if not words:
        raise _WrongUse("there is no path")
    path, left = PathManager(words[0]), list(words[1:])
    if not left:
        raise _WrongUse(f"there is no command; choose {', '.join(COMMANDS)}")
    while left:
        command = left.pop(0)
        if command not in COMMANDS:
            raise _WrongUse(f"unknown command {command!r}; choose {', '.join(COMMANDS)}")
        needed = COMMANDS[command][0]
        if needed and not left:
            raise _WrongUse(f"{command} needs a {needed}")
        given = [left.pop(0)] if needed else []
        path = getattr(path, command)(*given)
    return path


def page() -> str:
    """Return the page of help."""
    lines = (f"    {f'{name} {needs}':<24}{told}\n" for name, (needs, told) in COMMANDS.items())
    return _PAGE.format(commands="".join(lines))


if __name__ == "__main__":
    sys.exit(main())
