"""A key's lease while somebody has it: shown to be alive, and given back."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from neurotools.memo.entry import Key
from neurotools.memo.log import Log
from neurotools.memo.turns.heartbeat import HEART
from neurotools.memo.turns.holders import content_of, digest, facts_of
from neurotools.memo.turns.lifesigns import Watch

if TYPE_CHECKING:
    from neurotools.memo.tiers.marks import Marks

log = Log(__name__)

#: Leases that are kept, at most, for results that are on their way to the tier.
_MOST_AWAITED = 256
#: They are kept so many times longer, at most, than a computation counts as living without a sign.
_LATE = 10
#: Seconds for which a sign of life that is being given is waited for.
_BEAT_TAKES = 2.0


class Place(Protocol):
    """Where leases lie; see `neurotools.memo.turns.leases.Leases`."""

    seconds: float
    is_backup: bool
    is_later: bool
    awaited: dict[str, Tenure]

    @property
    def marks(self) -> Marks:
        """The leases themselves."""

    def look(self, key: Key) -> bool:
        """Tell whether there is a result."""

    def freshen(self, key: Key) -> None:
        """Have the place say what is new."""

    def has_arrived(self, key: Key) -> bool:
        """Tell whether there is a result at this very place."""

    def watch_of(self, name: str) -> Watch:
        """Return what is remembered of a lease that nobody waited for."""

    def say(self, message: str) -> object:
        """Tell of waiting, and of taking over."""

    def go_without(self, error: Exception) -> None:
        """Tell why there is no lease."""


class Tenure:
    """A lease that one caller wants, has, or had."""

    def __init__(self, leases: Place, key: Key, asked: Callable[[], Iterable[str]]) -> None:
        self.seconds, self.name = leases.seconds, name_of(key.path)
        self._leases, self._key, self._asked = leases, key, asked
        self.function = key.function.replace("/", ".")
        self._token, self._process = os.urandom(8).hex(), os.getpid()
        self._started, self._beats = time.time(), 0
        #: When it was last shown that we go on, by two clocks: one may stand, or be set.
        self._beaten = (0.0, 0.0)
        self._watch: Watch | None = None
        self._stuck = ""
        #: What is known of who has it.
        self._holder: dict[str, Any] = {}
        # One at a time asks the tier. Whoever finds it taken leaves the rest to who has it.
        self._guard = threading.Lock()
        self._is_marked = self._is_held = self._is_over = False
        self._is_first, self._is_left, self._left = True, False, 0.0

    def _begin(self) -> None:
        self._is_held = True
        self._beaten = time.monotonic(), time.time()
        HEART.add(self)
        if self._leases.is_later and len(self._leases.awaited) < _MOST_AWAITED:
            self._leases.awaited[self._key.path] = self

    def beat(self) -> None:
        """Show that we go on, if it is time; called by `HEART`."""
        now = time.monotonic(), time.time()
        if self._silence(now) < self.seconds / 3:
            return
        if self._is_left and self._is_left_in_vain():
            self.arrived()
        if not self._guard.acquire(blocking=False):
            return
        try:
            if self._is_over:
                return
            # A computer that has slept finds that others have gone on.
            if self._silence(now) > self.seconds / 2 and self._is_taken_over():
                self._is_marked = False
                HEART.remove(self)
                log.info("the computation of %s was taken over by others", self.function)
                return
            self._is_marked = True
            self._leases.marks.keep(self.name, self._content())
            self._beaten = now
        finally:
            self._guard.release()
            if self._is_over:
                self.free()

    def _silence(self, now: tuple[float, float]) -> float:
        return max(now[0] - self._beaten[0], now[1] - self._beaten[1])

    def _is_taken_over(self) -> bool:
        content = self._leases.marks.read(self.name) if self._is_marked else None
        return content is not None and facts_of(content).get("token") != self._token

    def _content(self) -> bytes:
        self._beats += 1
        waits = [digest(path.encode("utf-8", "surrogatepass")) for path in self._asked()]
        return content_of(
            token=self._token,
            started=self._started,
            beat=self._beats,
            seconds=self.seconds,
            function=self.function,
            waits=waits,
        )

    def leave(self) -> None:
        """Give it back when the tier has got the result, if that is on its way there."""
        # Those who look there would compute it as well.
        if self._leases.awaited.get(self._key.path) is self and self._leases.look(self._key):
            self._is_left, self._left = True, time.monotonic()
            if self._leases.awaited.get(self._key.path) is self:
                return
            self._is_left = False

    def _is_left_in_vain(self) -> bool:
        """Tell whether another process has brought the result, or nobody seems to."""
        is_late = time.monotonic() - self._left > _LATE * self.seconds
        return is_late or self._leases.has_arrived(self._key)

    def arrived(self) -> None:
        """Give it back now, if that was left to us."""
        if self._is_left:
            self._is_left = False
            self.free()

    def free(self) -> None:
        """Give it back, if it is ours; may be called again, and by any thread."""
        if self._is_left:
            return
        self._is_over = True
        if self._leases.is_later:
            self._leases.awaited.pop(self._key.path, None)
        # Whoever is at it frees it then, unless the program ends before that.
        if not self._is_ours_to_free() or not self._guard.acquire(timeout=_BEAT_TAKES):
            return
        try:
            HEART.remove(self)
            self._is_held = False
            if self._is_marked:
                self._drop()
            self._is_marked = False
        except Exception as error:  # tiers may fail in any way there is
            self._is_marked = False
            self._leases.go_without(error)
        finally:
            self._guard.release()

    def _drop(self) -> None:
        # Nobody takes over what has shown a sign of life lately.
        is_fresh = self._silence((time.monotonic(), time.time())) < self.seconds / 2
        marks = self._leases.marks
        if is_fresh or facts_of(marks.read(self.name) or b"").get("token") == self._token:
            marks.drop(self.name)

    def free_later(self) -> None:
        """Have it given back; never waits."""
        if self._is_left:
            return
        self._is_over = True
        if self._is_ours_to_free():
            HEART.bury(self)

    def _is_ours_to_free(self) -> bool:
        return (self._is_held or self._is_marked) and self._process == os.getpid()


def name_of(path: str) -> str:
    """Return the name of the lease of a key, given its path."""
    return name_of_digest(digest(path.encode("utf-8", "surrogatepass")))


def name_of_digest(code: str) -> str:
    """Return the name of a lease, given the digest of its key's path."""
    return f"leases/{code}"
