"""What a command prints: a page, a path. Who reads it may be gone, or the disk may be full."""

from __future__ import annotations

import contextlib
import os
import sys


def put(name: str, text: str) -> int:
    """Print a text; return the exit code of the command that did so.

    Parameters
    ----------
    name : str
        The command's.
    text : str
        All that it prints. Names of files in it go out as the bytes that they are.
    """
    if sys.stdout is None:  # it was closed before
        return _failed(name, "standard output is closed")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode(sys.getfilesystemencoding(), "surrogateescape"))
        sys.stdout.flush()
    except BrokenPipeError:
        leave_the_rest()
    except OSError as error:
        leave_the_rest()
        return _failed(name, f"cannot print: {error.strerror}")
    return 0


def leave_the_rest() -> None:
    """Write nothing more to standard output: whoever reads has seen enough, as `head` does."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failed(name: str, why: str) -> int:
    with contextlib.suppress(OSError):
        print(f"{name}: {why}", file=sys.stderr)
    return 1
