"""How commands print: tables as wide as the terminal, colour only there, JSON for programs."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from neurotools.memo.progress import passing

T = TypeVar("T")

#: Where the terminal does not say.
_WIDTH = 80
_BOLD, _DIM, _RED, _GREEN, _PLAIN = "\033[1m", "\033[2m", "\033[31m", "\033[32m", "\033[0m"
_COLOUR = re.compile(r"(\033\[\d*m)")
#: What cannot be printed everywhere.
_BARE = {"µ": "u", "…": "~", "≈": "~"}


def width() -> int:
    """Return how many characters fit on a line."""
    return shutil.get_terminal_size((_WIDTH, 24)).columns if sys.stdout.isatty() else _WIDTH


def has_colour() -> bool:
    """Tell whether to print colour: to a terminal, unless somebody has asked for none."""
    return (
        sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )


def bold(text: str) -> str:
    """Return a text that stands out, on a terminal."""
    return f"{_BOLD}{text}{_PLAIN}" if has_colour() else text


def dim(text: str) -> str:
    """Return a text that stands back, on a terminal."""
    return f"{_DIM}{text}{_PLAIN}" if has_colour() else text


def red(text: str) -> str:
    """Return a text that warns, on a terminal."""
    return f"{_RED}{text}{_PLAIN}" if has_colour() else text


def green(text: str) -> str:
    """Return a text that says all is well, on a terminal."""
    return f"{_GREEN}{text}{_PLAIN}" if has_colour() else text


def say(text: str = "") -> None:
    """Print a line. What could steer a terminal is shown, not sent: names come from files."""
    shown = "".join(
        part if _COLOUR.fullmatch(part) else clean(part) for part in _COLOUR.split(text)
    )
    try:
        print(shown)
    except UnicodeEncodeError:
        coding = sys.stdout.encoding or "ascii"
        bare = "".join(_BARE.get(c, c) for c in shown)
        print(bare.encode(coding, "backslashreplace").decode(coding))


def clean(text: str) -> str:
    """Return a text from a file without what could steer a terminal."""
    return "".join(c if c == "\n" or _is_harmless(c) else f"\\x{ord(c):02x}" for c in text)


def _is_harmless(character: str) -> bool:
    return unicodedata.category(character) not in {"Cc", "Cs", "Cf", "Co", "Cn", "Zl", "Zp"}


def as_json(content: Any) -> None:
    """Print something for programs."""
    print(json.dumps(content, indent=2, allow_nan=False))


def table(header: Sequence[str], rows: Sequence[Sequence[str]], strong: Iterable[int] = ()) -> None:
    """Print a table, its first column to the left and cut where it is too wide for the line.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    rows : sequence of sequence of str
        Cells; all but the first are set to the right.
    strong : iterable of int
        Numbers of the rows that stand out.
    """
    # What stands in a cell may come from a file's name.
    whole = [[_COLOUR.sub("", clean(cell)) for cell in row] for row in (header, *rows)]
    widths = [max(columns(row[i]) for row in whole) for i in range(len(header))]
    room = width() - sum(widths[1:]) - 2 * (len(header) - 1)
    widths[0] = max(8, min(widths[0], room))
    outstanding = set(strong)
    for number, row in enumerate(whole, -1):
        first = cut(row[0], widths[0])
        cells = [first + " " * (widths[0] - columns(first))]
        cells += [
            " " * (wide - columns(cell)) + cell
            for cell, wide in zip(row[1:], widths[1:], strict=True)
        ]
        line = "  ".join(cells).rstrip()
        say(dim(line) if number < 0 else bold(line) if number in outstanding else line)


def cut(text: str, most: int) -> str:
    """Return a text with its middle left out where it is too long."""
    if columns(text) <= most:
        return text
    # The end of a function's name says more than its beginning.
    left = (most - 1) // 3
    end = _fitting(text[::-1], most - 1 - left)[::-1]
    return f"{_fitting(text, left)}…{end}"


def _fitting(text: str, most: int) -> str:
    """Return as much of a text's beginning as fits."""
    if text.isascii():
        return text[:most]
    kept = 0
    for character in text:
        most -= columns(character)
        if most < 0:
            break
        kept += 1
    return text[:kept]


def columns(text: str) -> int:
    """Return how many columns of a terminal a text takes: Chinese takes two for a character."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def progress(items: Iterable[T], total: int | None = None, what: str = "") -> Iterator[T]:
    """Give items on, with a bar on a terminal once that takes more than two seconds."""
    return passing(items, total, what)
