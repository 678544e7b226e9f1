"""A bar that shows how far something is, on a terminal, where `tqdm` is installed; else nothing."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

#: What is over sooner needs no bar.
_DELAY_SECONDS = 0.5


@contextlib.contextmanager
def bar(title: str, total: int, unit: str = "result") -> Iterator[Callable[[int], None]]:
    """Show a bar while the block runs; it gives a function to call with how much is done."""
    shown = _shown(title, total, unit)
    if shown is None:
        yield _nothing
        return

    def update(done: int) -> None:
        shown.update(done - shown.n)

    with shown:
        yield update


def _shown(title: str, total: int, unit: str) -> Any:
    if not is_seen():
        return None
    try:
        from tqdm import tqdm  # an extra, and 20 ms to load
    except ImportError:
        return None

    class Bar(tqdm):  # type: ignore[misc,unused-ignore]
        # It would start a thread, which cannot be done when the program ends.
        monitor_interval = 0

    return Bar(desc=title, total=total, unit=unit, leave=False, delay=_DELAY_SECONDS)


def is_seen() -> bool:
    """Tell whether somebody looks at what is written to standard error."""
    try:
        # It is None where it was closed before, or for a program without a terminal on Windows.
        return sys.stderr is not None and sys.stderr.isatty()
    except ValueError:  # it was closed since
        return False


def _nothing(_: int) -> None:
    pass
