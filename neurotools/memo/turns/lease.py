"""One key's lease: taken, waited for, or taken over.

Nobody's clock counts: who waits looks whether the lease changes, for a while that he measures
himself, and takes over if it does not. Who reads too little, too late, or what is not true,
computes what another computes as well: that costs work, never correctness. Not here: a lease while
one has it (`tenure`).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

from neurotools.memo import careful
from neurotools.memo.turns.holders import digest, facts_of, has_died, told
from neurotools.memo.turns.lifesigns import Watch
from neurotools.memo.turns.tenure import Tenure, name_of, name_of_digest

#: Leases looked at, at most, to see who waits for whom.
_MOST_LINKS = 64
#: Seconds for which looking at the lease of somebody who lived may fail, before it is in vain.
_PATIENCE = 15.0


class Lease(Tenure):
    """A key's lease, wanted or had by one caller, once."""

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
        names = {name_of(path) for path in ours}
        while not self._step(names, is_result_due=waited):
            waited = False
            yield self._watched().pause()

    def try_once(self, *, has_lock: bool) -> dict[str, Any]:
        """Take it if nobody has it; otherwise return what is known of who has it."""
        self._watch = self._leases.watch_of(self.name)
        for _ in self.attempts((), has_lock=has_lock):
            return self._holder or {"process": 0}
        return {}

    def backs_lock(self, ours: Iterable[str]) -> Backing | None:
        """Return what tells whether waiting for the key's lock is in vain, if anything does."""
        return Backing(self, {name_of(path) for path in ours}) if self._leases.is_backup else None

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
            if careful.is_meant_to_end(error):
                raise
            # Else all who wait would compute at once, after one request that failed.
            if self._holder and self._watched().failing() < min(_PATIENCE, self.seconds):
                return False
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
            self._leases.say(f"Waiting for {told(holder)}, which computes {self.function}")
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
        self._leases.say(f"{told(self._holder)} gave no sign of life; computing it here instead")
        return True

    def _closes_circle(self, holder: dict[str, Any], ours: set[str]) -> bool:
        """Tell whether a holder waits, perhaps through others, for a computation of ours."""
        left, seen = list(holder.get("waits", ())), set[str]()
        while ours and left and len(seen) < _MOST_LINKS:
            name = name_of_digest(left.pop())
            if name in ours:
                self._leases.say(f"{told(holder)} waits for us; computing it here instead")
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


class Backing:
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
