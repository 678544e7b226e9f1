"""Tables of figures, for people who look at a terminal and for the documentation."""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def grid(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a simple table of reStructuredText, which reads as well in a terminal."""
    table = [header, *rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(header))]
    rule = "  ".join("=" * width for width in widths)
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]
    return "\n".join([rule, lines[0], rule, *lines[1:], rule]) + "\n"


def circumstances(script: str) -> str:
    """Return a sentence for below a table: what was run, where and when."""
    return (
        f"Measured with ``python benchmarks/{script}`` on {dt.date.today():%d %B %Y}, "
        f"Python {platform.python_version()}, {platform.system()} on {platform.machine()}, "
        f"{os.cpu_count()} processors."
    )


def keep(name: str, text: str) -> None:
    """Write a text into the documentation, to be included there."""
    (ROOT / "docs" / name).write_text(text, encoding="utf-8")
