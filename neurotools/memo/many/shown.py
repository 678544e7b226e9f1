"""What is shown while many calls are made: one line before, and one bar."""

from __future__ import annotations

import sys
from typing import Any

from neurotools.memo.log import Log
from neurotools.memo.progress import is_seen

log = Log("neurotools.memo.many")


class Shown:
    """A bar that counts calls, where somebody sees it; the rest goes to the log.

    Parameters
    ----------
    wanted : bool
        Whether to show it.
    name : str
        What is called.
    """

    def __init__(self, wanted: bool, name: str) -> None:
        self._name = name
        self._kind = _kind_of_bar() if wanted and _is_seen() else None
        self._bar: Any = None

    def begin(self, line: str, total: int) -> None:
        """Say what will be done, and show that so many calls are to be made."""
        log.info("%s: %s", self._name, line)
        if self._kind is not None and total:
            self._kind.write(f"{self._name}: {line}", file=sys.stderr)
            self._bar = self._kind(total=total, desc=self._name, unit="call", file=sys.stderr)

    def count(self, many: int, failed: int) -> None:
        """Show that so many more were made."""
        if self._bar is not None:
            if failed:
                self._bar.set_postfix(failed=failed, refresh=False)
            self._bar.update(many)

    def say(self, message: str) -> None:
        """Say something on the way."""
        log.warning("%s: %s", self._name, message)

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()


def _is_seen() -> bool:
    # A notebook shows what is written to it, and says that it is no terminal.
    if "ipykernel" in sys.modules:
        return True
    return is_seen()


def _kind_of_bar() -> Any:
    """Return tqdm's bar for this place; None where tqdm is not installed: it is no necessity."""
    try:
        from tqdm import std
    except ImportError:
        return None
    if "ipykernel" in sys.modules:
        try:
            import ipywidgets  # noqa: F401 - what the bar of a notebook is made of
            from tqdm.notebook import tqdm
        except ImportError:
            return std.tqdm
        return tqdm
    return std.tqdm
