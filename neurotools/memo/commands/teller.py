"""Who is told what happens to a command: a terminal, a log, or nobody."""

from __future__ import annotations

from typing import Protocol


class Teller(Protocol):
    """Tells people what happens."""

    def note(self, text: str) -> None:
        """Say what only those want to know who have asked for it."""

    def warn(self, text: str) -> None:
        """Say what everybody should know."""
