"""A bound on the bytes that several threads hold together."""

from __future__ import annotations

import threading


class Room:
    """So many bytes at most are held at a time, by all that take some; one may have more alone."""

    def __init__(self, most: int) -> None:
        self._most, self._held = most, 0
        self._changed = threading.Condition()

    def take(self, size: int, *, waits: bool = True) -> bool:
        """Take some, as soon as there is room; without waiting, tell whether there is any."""
        with self._changed:
            while self._held and self._held + size > self._most:
                if not waits:
                    return False
                self._changed.wait()
            self._held += size
            return True

    def give_back(self, size: int) -> None:
        with self._changed:
            self._held -= size
            self._changed.notify_all()
