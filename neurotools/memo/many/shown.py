"""What is shown while many calls are made: one line, and one bar, once that takes long."""

from __future__ import annotations

import sys
from typing import Any

from neurotools.memo.log import Log
from neurotools.memo.progress import Timed, kind_of_bar

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
        self._name, self._is_wanted = name, wanted
        self._bar: _Bar | None = None
        self._made = 0

    def begin(self, line: str, total: int) -> None:
        """Say what will be done, and show that so many calls are to be made."""
        log.info("%s: %s", self._name, line)
        if self._is_wanted and total:
            self._bar = _Bar(self._name, line, total)

    def count(self, many: int, failed: int) -> None:
        """Show that so many more were made."""
        if self._bar is not None:
            self._made += many
            self._bar.failed = failed
            self._bar(self._made)

    def say(self, message: str) -> None:
        """Say something on the way."""
        log.warning("%s: %s", self._name, message)

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()


class _Bar(Timed):
    """The bar, with a line above it that says what is done; and how many calls have failed."""

    def __init__(self, name: str, line: str, total: int) -> None:
        self._line, self.failed = f"{name}: {line}", 0
        super().__init__(total=total, desc=name, unit="call", leave=True)

    def _made(self, done: int) -> Any:
        if (kind := kind_of_bar()) is not None:
            kind.write(self._line, file=sys.stderr)
        return super()._made(done)

    def _told(self) -> dict[str, Any]:
        return {"failed": self.failed} if self.failed else {}
