"""A tier in memory that is bounded by the number of its entries."""

from __future__ import annotations

import sys

from neurotools.memo.tiers.ram import RamTier


class CountedTier(RamTier):
    """Entries in memory, the least recently used going first.

    Parameters
    ----------
    max_entries : int
        How many are kept.
    """

    def __init__(self, max_entries: int) -> None:
        super().__init__(sys.maxsize)
        self.max_entries = max_entries

    def _shrink(self) -> None:
        while len(self._entries) > self.max_entries:
            _, oldest = self._entries.popitem(last=False)
            self._size -= oldest.size

    def __getstate__(self) -> dict[str, int]:
        return {"max_entries": self.max_entries}
