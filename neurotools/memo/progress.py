"""A bar that shows how far something is, where somebody sees it and `tqdm` is installed.

That is a terminal, or a notebook. Where what is printed goes into a file or a pipe, there is none.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")

#: What is over sooner needs no bar: what has a known end, and what only goes by.
_DELAY_SECONDS, _LONG_SECONDS = 0.5, 2.0
#: Where a terminal does not say how large it is.
_SIZE = (80, 24)


@contextlib.contextmanager
def bar(title: str, total: int, unit: str = "result") -> Iterator[Callable[[int], None]]:
    """Show a bar while the block runs; it gives a function to call with how much is done."""
    shown = _made(desc=title, total=total, unit=unit, delay=_DELAY_SECONDS)
    if shown is None:
        yield _nothing
        return

    def update(done: int) -> None:
        shown.update(done - shown.n)

    with shown:
        yield update


def passing(items: Iterable[T], total: int | None = None, what: str = "") -> Iterator[T]:
    """Give items on, with a bar once that takes more than two seconds.

    Parameters
    ----------
    items : iterable
        What to give on.
    total : int, optional
        How many there are.
    what : str
        What is done with them.
    """
    shown = _made(iterable=items, total=total, desc=what, delay=_LONG_SECONDS)
    if shown is None:
        yield from items
        return
    with contextlib.closing(shown):
        yield from shown


def _made(**options: Any) -> Any:
    kind = kind_of_bar()
    if kind is None:
        return None

    class Bar(kind):  # type: ignore[misc,valid-type,unused-ignore]
        # It would start a thread, which cannot be done when the program ends.
        monitor_interval = 0

    if not is_notebook():
        # Given, since there would be no bar where a terminal does not know its size.
        columns, lines = shutil.get_terminal_size(_SIZE)
        options |= {"ncols": (columns or _SIZE[0]) - 1, "nrows": lines or _SIZE[1]}
    return Bar(leave=False, **options)


def kind_of_bar() -> Any:
    """Return tqdm's bar for this place; None where nobody sees it, or tqdm is not installed."""
    if not is_seen():
        return None
    try:
        from tqdm import std  # an extra, and 20 ms to load
    except ImportError:
        return None
    if is_notebook():
        try:
            import ipywidgets  # noqa: F401 - what the bar of a notebook is made of
            from tqdm.notebook import tqdm
        except ImportError:
            return std.tqdm
        return tqdm
    return std.tqdm


def is_notebook() -> bool:
    """Tell whether this is a kernel of a notebook, which is no terminal and shows all the same."""
    if "ipykernel" not in sys.modules or (ipython := sys.modules.get("IPython")) is None:
        return False
    return getattr(ipython.get_ipython(), "kernel", None) is not None


def is_seen() -> bool:
    """Tell whether somebody looks at what is written to standard error."""
    try:
        # It is None where it was closed before, or for a program without a terminal on Windows.
        return is_notebook() or (sys.stderr is not None and sys.stderr.isatty())
    except ValueError:  # it was closed since
        return False


def _nothing(_: int) -> None:
    pass
