"""One computation per key among computers: whoever computes leaves a mark in a tier they share.

The mark, a lease, says who computes. It changes while he lives (`heartbeat`) and goes when he is
done. Nobody's clock counts: who waits looks whether the mark changes, for a while that he measures
himself, and takes over if it does not. Who reads too little, too late or lies computes what another
computes as well: that costs work, never correctness. Not here: the processes of one computer, which
need no lease of their own (`neurotools.memo.locks`).
"""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from neurotools.memo import careful
from neurotools.memo.entry import Key
from neurotools.memo.heartbeat import HEART
from neurotools.memo.holders import LONGEST, content_of, digest, facts_of, has_died, told
from neurotools.memo.lifesigns import Watch
from neurotools.memo.log import Log
from neurotools.memo.watch.mounts import locks_reach

if TYPE_CHECKING:
    from neurotools.memo.tiers.guarded import Guarded
    from neurotools.memo.tiers.marks import Marks

__all__ = ["Lease", "Leases", "told"]

log = Log(__name__)

#: Leases of others that this process remembers having seen, where it did not wait for them.
_MOST_SEEN = 1024
#: Leases that are kept, at most, for results that are on their way to the tier.
_MOST_AWAITED = 256
#: Leases looked at, at most, to see who waits for whom.
_MOST_LINKS = 64


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
    ) -> None:
        self.seconds, self._tier, self._look = min(seconds, LONGEST), tier, look
        self.is_backup = tier.health.kind is not None and locks_reach(tier.health.mount)
        self._seen: dict[str, Watch] = {}
        self.is_later = is_later
        #: Of what the tier has not got, the leases, by path.
        self.awaited: dict[str, Lease] = {}
        if is_later:
            tier.stored = self._stored

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

    def _stored(self, key: Key) -> None:
        if (lease := self.awaited.pop(key.path, None)) is not None:
            lease.arrived()

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


class Lease:
    """A key's lease, wanted or had by one caller, once."""

    def __init__(self, leases: Leases, key: Key, asked: Callable[[], Iterable[str]]) -> None:
        self.seconds, self.name = leases.seconds, _name_of(key.path)
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
        self._is_first, self._is_left = True, False

    # ------------------------------------------------------------ taking it

    def take(self, ours: Iterable[str], *, has_lock: bool, waited: bool = False) -> bool:
        """Wait for it, or for a result; return whether we waited.

        Parameters
        ----------
        ours : iterable of str
            Paths of the keys whose computations wait for us.
        has_lock : bool
            Whether we have the key's lock.
        waited : bool
            Whether we have waited for the others of this computer: there may be a result now.
        """
        for pause in self.attempts(ours, has_lock=has_lock, waited=waited):
            waited = True
            time.sleep(pause)
        return waited

    def attempts(
        self, ours: Iterable[str], *, has_lock: bool, waited: bool = False
    ) -> Iterator[float]:
        """Try to take it until nothing is to be waited for; give the seconds to wait in between.

        The parameters are those of `take`.
        """
        if has_lock and self._leases.is_backup:
            self._begin()
            return
        names = {_name_of(path) for path in ours}
        while not self._step(names, is_result_due=waited):
            waited = False
            yield self._watched().pause()

    def try_once(self, *, has_lock: bool) -> dict[str, Any]:
        """Take it if nobody has it; otherwise return what is known of who has it."""
        self._watch = self._leases.watch_of(self.name)
        for _ in self.attempts((), has_lock=has_lock):
            return self._holder or {"process": 0}
        return {}

    def backs_lock(self, ours: Iterable[str]) -> _Backing | None:
        """Return what tells whether waiting for the key's lock is in vain, if anything does."""
        return _Backing(self, {_name_of(path) for path in ours}) if self._leases.is_backup else None

    def freshen(self) -> None:
        """See to it that the result is found if somebody else has stored it."""
        if self._leases.is_backup:
            self._leases.freshen(self._key)

    def _watched(self) -> Watch:
        if self._watch is None:
            self._watch = Watch()
        return self._watch

    def _step(self, ours: set[str], *, is_result_due: bool) -> bool:
        """Try to take it; tell whether nothing is to be waited for."""
        try:
            with self._guard:
                if self._is_over or (is_result_due and self._leases.look(self._key)):
                    return True
                return self._try(ours)
        except Exception as error:  # tiers may fail in any way there is
            self._leases.go_without(error)
            return True
        finally:
            if self._is_over:
                self.free()

    def _try(self, ours: set[str]) -> bool:
        is_first, self._is_first, watch = self._is_first, False, self._watched()
        if is_first and self._create():
            return True
        if watch.is_turn_of_result():
            return self._leases.look(self._key)
        content = self._leases.marks.read(self.name)
        if content is None:
            # A tier may say for ever that there is a mark and that there is none.
            in_vain = watch.unchanged(content, watch.expected) >= self.seconds
            return self._leases.look(self._key) or self._create() or in_vain
        holder = facts_of(content)
        if holder.get("token") == self._token:
            self._begin()  # the answer that we have it had been lost
            return True
        self._is_marked = False
        if not self._holder:
            log.info("waiting for %s, which computes %s", told(holder), self.function)
        self._holder = holder
        if self._is_dead(content, holder, watch.expected):
            return self._take_over(content)
        return self._closes_circle(holder, ours)

    def _create(self) -> bool:
        marks, content = self._leases.marks, self._content()
        self._is_marked = True
        if not marks.create(self.name, content):
            return False
        if not marks.is_exclusive and marks.read(self.name) != content:
            return False
        self._begin()
        return True

    def _is_dead(self, content: bytes | None, holder: dict[str, Any], expected: float) -> bool:
        still = self._watched().unchanged(content, expected)
        return still >= holder.get("seconds", self.seconds) or has_died(holder)

    def _take_over(self, content: bytes) -> bool:
        """Have the lease of somebody who is dead, unless another one of those who wait has it."""
        marks, ours = self._leases.marks, self._content()
        turn = f"{self.name}.{digest(content)}"
        if not marks.create(turn, ours):
            if self._stuck == turn:
                # Once more after a while: then who made that has died in the middle of this.
                marks.drop(turn)
                return True
            self._stuck = turn
            self._watched().start_again()
            return False
        try:
            if marks.read(self.name) != content:
                return False
            self._is_marked = True
            marks.keep(self.name, ours)
            self._begin()
        finally:
            marks.drop(turn)
        log.info("%s gave no sign of life; computing it here instead", told(self._holder))
        return True

    def _closes_circle(self, holder: dict[str, Any], ours: set[str]) -> bool:
        """Tell whether a holder waits, perhaps through others, for a computation of ours."""
        left, seen = list(holder.get("waits", ())), set[str]()
        while ours and left and len(seen) < _MOST_LINKS:
            name = _name_of_digest(left.pop())
            if name in ours:
                log.info("%s waits for us; computing it here instead", told(holder))
                return True
            if name not in seen:
                seen.add(name)
                left += facts_of(self._leases.marks.read(name) or b"").get("waits", ())
        return False

    def _seems_in_vain(self, ours: set[str], expected: float) -> bool:
        """Tell whether who has the key's lock is dead, or waits for us."""
        try:
            content = self._leases.marks.read(self.name)
            self._holder = facts_of(content or b"")
            is_dead = self._is_dead(content, self._holder, expected)
            return is_dead or self._closes_circle(self._holder, ours)
        except Exception as error:  # tiers may fail in any way there is
            self._leases.go_without(error)
            return False

    # ------------------------------------------------------------ having it

    def _begin(self) -> None:
        self._is_held = True
        self._beaten = time.monotonic(), time.time()
        HEART.add(self)
        if self._leases.is_later and len(self._leases.awaited) < _MOST_AWAITED:
            self._leases.awaited[self._key.path] = self

    def beat(self) -> None:
        """Show that we go on, if it is time; called by `HEART`."""
        now = time.monotonic(), time.time()
        if self._silence(now) < self.seconds / 3 or not self._guard.acquire(blocking=False):
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
            self._is_left = True
            if self._leases.awaited.get(self._key.path) is self:
                return
            self._is_left = False

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
        if not self._is_ours_to_free() or not self._guard.acquire(blocking=False):
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


class _Backing:
    """Tells, now and then, whether waiting for a key's lock is in vain."""

    def __init__(self, lease: Lease, ours: set[str]) -> None:
        self._lease, self._ours = lease, ours
        self._between = max(0.1, lease.seconds / 12)
        self._next = 0.0

    @property
    def is_due(self) -> bool:
        """Whether it is time to ask the tier."""
        return time.monotonic() >= self._next

    def __call__(self) -> bool:
        if not self.is_due:
            return False
        self._next = time.monotonic() + self._between
        return self._lease._seems_in_vain(self._ours, 2 * self._between)


def _name_of(path: str) -> str:
    return _name_of_digest(digest(path.encode("utf-8", "surrogatepass")))


def _name_of_digest(code: str) -> str:
    return f"leases/{code}"


def _open_and_close(folder: str) -> None:
    os.scandir(folder).close()
