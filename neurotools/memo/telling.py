"""What a memoized function tells of its work: warnings once, the rest to whoever listens."""

from __future__ import annotations

import contextlib

from neurotools.memo.entry import Key
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.log import Log
from neurotools.memo.options import Options

log = Log("neurotools.memo.function")


class Telling:
    """What a memoized function says."""

    _hierarchy: Hierarchy
    _options: Options
    _warned: set[str]

    def _warn_once(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            log.warning("%s", message)

    @property
    def _is_told(self) -> bool:
        """Whether anybody hears what is said: to put it into words takes time, too."""
        return bool(self._options.verbose) or log.hears_debug()

    def _say(self, message: str) -> None:
        log.debug("%s", message)
        if self._options.verbose:
            with contextlib.suppress(OSError, ValueError):  # nobody reads any more
                print(message, flush=True)  # noqa: T201 - verbose asks for it

    def _say_stored(self, key: Key, size: int, seconds: float, store_seconds: float) -> None:
        boost = seconds / max(store_seconds, 1e-9)
        self._say(
            f"Writing cache at {self._hierarchy.location(key)}\n"
            f"Size on disk is {size} bytes, writing took {store_seconds * 1e3:.0f} milliseconds\n"
            f"Expected boost: {boost:.3g} times, if reading takes as long"
        )
