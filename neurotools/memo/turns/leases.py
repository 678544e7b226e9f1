"""One computation per key among computers: whoever computes leaves a mark in a tier they share.

The mark, a lease, says who computes. It changes while he lives (`heartbeat`) and goes when he is
done. Not here: a single lease (`lease`), and the processes of one computer, which need no lease of
their own (`neurotools.memo.locking.locks`).
"""

from __future__ import annotations

import functools
import os
import weakref
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from neurotools.memo import careful
from neurotools.memo.entry import Key
from neurotools.memo.log import Log
from neurotools.memo.turns.holders import LONGEST
from neurotools.memo.turns.lease import Lease
from neurotools.memo.turns.lifesigns import Watch
from neurotools.memo.turns.tenure import Tenure
from neurotools.memo.watch.mounts import locks_reach

if TYPE_CHECKING:
    from neurotools.memo.tiers.guarded import Guarded
    from neurotools.memo.tiers.marks import Marks

log = Log(__name__)

#: Leases of others that this process remembers having seen, where it did not wait for them.
_MOST_SEEN = 1024


class Leases:
    """The leases of one tier.

    Parameters
    ----------
    tier : Guarded
        The tier, which has marks.
    seconds : float
        After so many seconds without a sign of life, a computation counts as dead.
    look : callable
        Tells whether there is a result for a key.
    is_later : bool
        Whether the tier gets results some time after they were computed.
    say : callable
        Told of waiting, and of taking over.

    Attributes
    ----------
    is_backup : bool
        Whether locks that all computers see come first. Then only long computations leave a mark,
        by which the others see that their computer lives.
    """

    def __init__(
        self,
        tier: Guarded,
        seconds: float,
        look: Callable[[Key], bool],
        *,
        is_later: bool = False,
        say: Callable[[str], object] = log.info,
    ) -> None:
        self.seconds, self._tier, self._look = min(seconds, LONGEST), tier, look
        self.is_backup = tier.health.kind is not None and locks_reach(tier.health.mount)
        self._seen: dict[str, Watch] = {}
        self.is_later, self.say = is_later, say
        #: Of what the tier has not got, the leases, by path.
        self.awaited: dict[str, Tenure] = {}
        if is_later:
            if tier.listeners is None:
                tier.listeners = weakref.WeakSet()
            tier.listeners.add(self)

    @functools.cached_property
    def marks(self) -> Marks:
        """Where they lie."""
        marks = self._tier.marks
        assert marks is not None
        return marks

    def of(self, key: Key, asked: Callable[[], Iterable[str]]) -> Lease:
        """Return a key's lease, not yet taken.

        Parameters
        ----------
        key : Key
            The key.
        asked : callable
            Returns the paths of the keys that its computation waits for.
        """
        return Lease(self, key, asked)

    def look(self, key: Key) -> bool:
        """Tell whether there is a result."""
        self.freshen(key)
        return self._look(key)

    def freshen(self, key: Key) -> None:
        """Have a file system on a server ask the server what is new where a result may be."""
        # NFS believes for up to a minute that a file is not there, unless its folder is opened.
        if self._tier.health.kind is not None:
            folder = os.path.dirname(self._tier.location(key))
            try:
                self._tier.health.run("read", _open_and_close, folder)
            except OSError as error:
                log.debug("cannot open %s: %s", folder, error)

    def stored(self, key: Key) -> None:
        """Give back the lease of a result that has arrived."""
        if (lease := self.awaited.pop(key.path, None)) is not None:
            lease.arrived()

    def has_arrived(self, key: Key) -> bool:
        """Tell whether the tier has a result, whoever brought it."""
        try:
            return self._tier.has(key)
        except OSError:
            return False

    def watch_of(self, name: str) -> Watch:
        """Return what is remembered of a lease that nobody waited for."""
        if len(self._seen) >= _MOST_SEEN:
            self._seen.clear()
        return self._seen.setdefault(name, Watch())

    def go_without(self, error: Exception) -> None:
        """Tell why there is no lease, unless the program is to end."""
        if careful.is_meant_to_end(error):
            raise error
        log.info("no lease in %s, going on without it: %s", self._tier.name, careful.spelled(error))


def _open_and_close(folder: str) -> None:
    os.scandir(folder).close()
