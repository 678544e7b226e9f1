"""A bar that shows how far something is, where somebody sees it and `tqdm` is installed.

That is a terminal, or a notebook. Where what is printed goes into a file or a pipe, there is none.
What is over within two seconds shows none either, and does not load what draws it.
"""

from __future__ import annotations

import contextlib
import math
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")

#: What is over sooner needs no bar.
_LONG_SECONDS = 2.0
#: Where a terminal does not say how large it is.
_SIZE = (80, 24)


class Late:
    """A bar that is made once something has taken long; it is called with how much is done.

    Parameters
    ----------
    **options
        What `tqdm` takes.
    """

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._shown: Any = None
        self._begun = time.monotonic()
        self._due = self._begun + _LONG_SECONDS

    def expect(self, total: int) -> None:
        """Say how much there is to be done, before any of it is."""
        self._options["total"] = total

    def __call__(self, done: int) -> None:
        if self._shown is None and time.monotonic() < self._due:
            return
        # A terminal may be gone by now; that is no reason to stop what was shown on it.
        with contextlib.suppress(OSError, ValueError):
            if self._shown is None:
                self._due = math.inf
                self._shown = self._made(done)
            if self._shown is not None:
                if told := self._told():
                    self._shown.set_postfix(told, refresh=False)
                self._shown.update(done - self._shown.n)

    def _told(self) -> dict[str, Any]:
        """Return what else is to be said behind the bar."""
        return {}

    def _made(self, done: int) -> Any:
        made = _made(initial=done, **self._options)
        if made is not None:
            # What took so long until now counts for how fast it goes.
            made.initial, made.start_t = 0, made.start_t - (time.monotonic() - self._begun)
        return made

    def close(self) -> None:
        """Take the bar away, or leave it as it is if that was asked for."""
        self._due = math.inf
        if self._shown is not None:
            with contextlib.suppress(OSError, ValueError):
                self._shown.close()


class Timed(Late):
    """A bar that also appears while nothing is done: for what is done in steps that may take long.

    Parameters
    ----------
    **options
        What `tqdm` takes.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._done, self._lock = 0, threading.Lock()
        self._timer = threading.Timer(_LONG_SECONDS, self._appear)
        self._timer.daemon = True
        if is_seen():
            self._timer.start()

    def __call__(self, done: int) -> None:
        with self._lock:
            self._done = done
            super().__call__(done)

    def _appear(self) -> None:
        self(self._done)

    def close(self) -> None:
        """Leave the bar as it is."""
        self._timer.cancel()
        with self._lock:
            super().close()


@contextlib.contextmanager
def bar(title: str, total: int, unit: str = "result") -> Iterator[Callable[[int], None]]:
    """Show a bar while the block runs; it gives a function to call with how much is done."""
    with contextlib.closing(Late(desc=title, total=total, unit=unit)) as shown:
        yield shown


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
    with contextlib.closing(Late(desc=what, total=total)) as shown:
        for done, item in enumerate(items, 1):
            yield item
            shown(done)


def reading(chunks: Iterable[memoryview], total: int, path: str) -> Iterator[memoryview]:
    """Give on what is read from a file, with a bar once that takes more than two seconds.

    Parameters
    ----------
    chunks : iterable of memoryview
        What is read.
    total : int
        Length of the file, in bytes.
    path : str
        Where it is.
    """
    if not is_main():
        yield from chunks
        return
    title = f"reading {path.replace(chr(92), '/').rpartition('/')[2]}"
    options = {"unit": "B", "unit_scale": True, "unit_divisor": 1000}
    with contextlib.closing(Late(desc=title, total=total, **options)) as shown:
        done = 0
        for chunk in chunks:
            yield chunk
            done += len(chunk)
            shown(done)


def is_main() -> bool:
    """Tell whether nobody else shows a bar: workers are shown by who has started them."""
    return threading.current_thread() is threading.main_thread() and is_main_process()


def is_main_process() -> bool:
    """Tell whether this process was not started by another one as a worker."""
    # Who has not loaded it was not started by it.
    processes = sys.modules.get("multiprocessing.process")
    return processes is None or processes.parent_process() is None


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
    return Bar(**{"leave": False, **options})


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
