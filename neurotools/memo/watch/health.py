"""How one place that keeps entries has answered lately: whether it is used, waited for, left alone.

A place that fails several times in a row is left alone for a while, reading and writing apart: from
a full disk one can read. A place that may hang, since it lies on a server, is used by threads of
its own (`deadline`), and is left alone at once when it does not answer; whether it answers again is
found out in the background. All that use one folder share what is known of it.
"""

from __future__ import annotations

import errno
import math
import time
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from neurotools.memo.errors import CacheError, LeftAlone
from neurotools.memo.log import Log
from neurotools.memo.watch.breaker import Breaker
from neurotools.memo.watch.deadline import GivenUp, NoAnswer, Task, Workers, is_limited
from neurotools.memo.watch.mounts import is_local_kind, mount_of

log = Log(__name__)

Side = Literal["read", "write", "lock"]
T = TypeVar("T")

#: Seconds in which a place that may hang has to answer, or to move on.
PATIENCE_SECONDS = 5.0
#: To read so many bytes may take a second: what is large takes its time.
_SLOWEST = 20e6
#: A probe that hangs is waited for so long before there is another one.
_PROBE_SECONDS = 600.0
#: A disk of this computer that hung once is trusted again after so many quick answers.
_QUICK_ANSWERS = 256
#: A cause that comes back is told again after so many seconds, if all was well in between.
_TOLD_AGAIN_SECONDS = 600.0
#: What is wrong with one entry, or with this process, says nothing of the place.
_NOT_THE_PLACE = frozenset(
    {errno.ENAMETOOLONG, errno.EFBIG, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EINTR}
    | {errno.EAGAIN}
)


class Health:
    """How one place has answered lately.

    Parameters
    ----------
    name : str
        The place's, for messages.
    patience : float, optional
        Seconds to wait for an answer, whatever lies there; `math.inf` waits for ever.
    may_hang : bool
        Whether it has to be waited for with patience at all.
    clock : callable
        Returns seconds that only go up.

    Attributes
    ----------
    is_plain : bool
        Whether there is nothing to see to: it needs no thread, and the last uses went well.
    mount : str
        Folder at which its file system is mounted; empty if that is not known.
    kind : str or None
        Kind of the file system that a folder lies in, empty if that is not known; None where the
        place is no folder.
    """

    def __init__(
        self,
        name: str,
        patience: float | None = None,
        *,
        may_hang: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name, self.clock = name, clock
        self._sides: dict[Side, Breaker] = {
            "read": Breaker(clock),
            "write": Breaker(clock),
            "lock": Breaker(clock),
        }
        self._workers = Workers()
        self._probes: dict[Side, tuple[Task, float]] = {}
        self._told: dict[str, tuple[float, int]] = {}
        self._recoveries = self._quick = 0
        self._may_hang = self._hung = False
        self.is_plain = True
        self.reason = self.mount = ""
        self.kind: str | None = None
        self.be_patient(patience, may_hang=may_hang)

    def be_patient(self, patience: float | None, *, may_hang: bool = False) -> None:
        """Say how long to wait for answers from now on."""
        self.patience = PATIENCE_SECONDS if patience is None else checked_patience(patience)
        self._may_hang = self.patience < math.inf and (may_hang or patience is not None)
        self._settle()

    @property
    def is_guarded(self) -> bool:
        """Whether it is used by threads of its own."""
        return self._may_hang or self._hung

    def _settle(self) -> None:
        well = all(side.is_spotless and not side.is_open for side in self._sides.values())
        self.is_plain = well and not self.is_guarded

    # ------------------------------------------------------------ use

    def run(
        self,
        side: Side,
        work: Callable[..., T],
        *arguments: Any,
        probe: Callable[[], object] | None = None,
        late: Callable[[Any], object] | None = None,
        longer: float = 1.0,
    ) -> T:
        """Use the place, unless it is to be left alone.

        Parameters
        ----------
        side : {'read', 'write', 'lock'}
            What for.
        work : callable
            Uses it, with the arguments that follow.
        *arguments
            For `work`.
        probe : callable, optional
            Finds out, in the background, whether the place works again.
        late : callable, optional
            Told what came of the work where nobody waited any more.
        longer : float
            How many times longer than usual the work may seem not to move.

        Raises
        ------
        LeftAlone
            If it failed lately.
        NoAnswer
            If it did not answer in time.
        Exception
            What the work raises.
        """
        if self.is_plain:  # nothing to see to: the way of nearly all uses
            started = time.monotonic()
            try:
                return work(*arguments)
            except Exception as error:
                self.failed(side, error, time.monotonic() - started)
                raise
        if self._sides[side].is_open:
            self._try_again(side, probe)
        started = time.monotonic()
        try:
            done = self._bounded(work, arguments, late, longer * self.patience)
        except Exception as error:
            self.failed(side, error, time.monotonic() - started)
            raise
        self._went_well(side, time.monotonic() - started)
        return done

    def _bounded(
        self,
        work: Callable[..., T],
        arguments: tuple[Any, ...],
        late: Callable[[Any], object] | None,
        patience: float,
    ) -> T:
        if not self.is_guarded or is_limited():
            return work(*arguments)
        with self.begun(work, *arguments, late=late) as task:
            if task.wait(patience) or not task.give_up():
                result: T = task.result()
                return result
        raise NoAnswer(errno.ETIMEDOUT, f"it did not answer for {patience:g} seconds")

    def begun(
        self, work: Callable[..., Any], *arguments: Any, late: Callable[[Any], object] | None = None
    ) -> Task:
        """Have a thread begin some work; it is given up when the ``with`` block is left."""
        task = Task(work, arguments, late)
        try:
            self._workers.start(task)
        except RuntimeError as error:
            raise OSError(errno.EAGAIN, f"no thread to ask {self.name} with: {error}") from None
        return task

    def _try_again(self, side: Side, probe: Callable[[], object] | None) -> None:
        """Let somebody through whose turn it is; have it tried in the background if it may hang.

        Raises
        ------
        LeftAlone
            If it is nobody's turn.
        """
        if self._sides[side].lets_through():
            if probe is None or not self.is_guarded:
                return
            self._probe(side, probe)
        raise LeftAlone(self.name, self.reason)

    def _probe(self, side: Side, probe: Callable[[], object]) -> None:
        last, now = self._probes.get(side), self.clock()
        if last is not None and not last[0].has_ended and now - last[1] < _PROBE_SECONDS:
            return  # it tells when there is an answer
        task = Task(self._probed, (side, probe))
        self._probes[side] = task, now
        try:
            self._workers.start(task, always=True)
        except RuntimeError as error:
            log.debug("cannot look after %s: %s", self.name, error)

    def _probed(self, side: Side, probe: Callable[[], object]) -> None:
        # What answers late would keep callers waiting; the next answer may be a quick one.
        for _ in range(2):
            started = time.monotonic()
            try:
                probe()
            except Exception as error:
                self.failed(side, error, time.monotonic() - started)
                return
            if time.monotonic() - started <= self.patience:
                self._went_well(side, 0.0, on_trial=True)
                return

    # ------------------------------------------------------------ what came of it

    def failed(self, side: Side, error: BaseException, seconds: float) -> None:
        """Note a failure that took so many seconds."""
        if isinstance(error, NoAnswer):
            # Locks may hang where all the rest works.
            for one in ("lock",) if side == "lock" else self._sides:
                self._sides[one].failed(seconds, for_certain=True)  # type: ignore[index]
        elif _is_of_the_place(error):
            self._sides[side].failed(seconds)
            self.was_slow(seconds)
        else:
            return
        self.reason = str(error)
        self._settle()

    def _went_well(self, side: Side, seconds: float, *, on_trial: bool = False) -> None:
        breaker = self._sides[side]
        if not breaker.is_spotless or breaker.is_open:
            self._recoveries += 1
            log.info("%s works again", self.name)
        breaker.went_well(on_trial=on_trial)
        if self._hung and not on_trial:
            self._quick = self._quick + 1 if seconds < self.patience / 10 else 0
            self._hung = self._quick < _QUICK_ANSWERS
        self._settle()

    def was_slow(self, seconds: float, size: int = 0) -> None:
        """Note that an answer of so many bytes took so many seconds: it may hang, if too many."""
        if seconds > self.patience + size / _SLOWEST and not self._hung:
            log.info(
                "%s took %.3g seconds to answer, and is watched from now on", self.name, seconds
            )
            self._hung, self._quick = True, 0
            self._settle()

    # ------------------------------------------------------------ what is said

    def tell(self, cause: str, message: str) -> None:
        """Warn of something, once; again only after all was well for a while."""
        now, known = self.clock(), self._told.get(cause)
        if known is not None:
            again = self._recoveries > known[1] and now - known[0] > _TOLD_AGAIN_SECONDS
            if not again:
                return
        if self._told.setdefault(cause, (now, self._recoveries)) is known:
            self._told[cause] = now, self._recoveries
        log.warning("%s", message)

    def tell_failure(self, action: str, error: Exception) -> None:
        """Warn that something could not be done here, once for each cause."""
        cause = f"{type(error).__name__}:{getattr(error, 'errno', '')}"
        self.tell(cause, f"cannot {action} the cache at {self.name}, going on without it: {error}")

    def seconds_shut(self, side: Side) -> float:
        """Return for how many seconds it is left alone from now on, until it is tried again."""
        return self._sides[side].seconds_left

    @property
    def left_alone(self) -> str:
        """What it is not used for now, until when and why, in words; empty if it is used."""
        shut = [name for name, side in self._sides.items() if side.is_open and name != "lock"]
        if not shut:
            return ""
        seconds = max(self._sides[name].seconds_left for name in shut)
        what = "" if len(shut) > 1 else f" for {'reading' if shut == ['read'] else 'writing'}"
        return f"not used{what} for {seconds:.1f} s more: {self.reason}"

    def __reduce__(self) -> Any:
        return health_at, (self.name, self.patience if self._may_hang else None)


def _is_of_the_place(error: BaseException) -> bool:
    if isinstance(error, (CacheError, MemoryError, GivenUp)):
        return False
    return getattr(error, "errno", None) not in _NOT_THE_PLACE


def checked_patience(patience: Any, name: str = "patience") -> float:
    """Return a number of seconds that somebody chose.

    Raises
    ------
    ValueError
        If it is none, or not above 0.
    """
    try:
        seconds = float(patience)
    except (TypeError, ValueError):
        seconds = math.nan
    if not seconds > 0:
        raise ValueError(f"{name} is {patience!r}; give seconds above 0, or math.inf") from None
    return seconds


_PLACES: dict[str, Health] = {}


def health_at(folder: str, patience: float | None = None) -> Health:
    """Return what all that use a folder know of it.

    Parameters
    ----------
    folder : str
        An absolute path, or a URL. It may hang unless a disk of this computer lies there.
    patience : float, optional
        Seconds to wait for answers, whatever lies there.
    """
    health = _PLACES.get(folder)
    if health is None:
        mount, kind = ("", "url") if "://" in folder else mount_of(folder)
        health = Health(folder, patience, may_hang=not is_local_kind(kind))
        health.mount, health.kind = mount, None if "://" in folder else kind
        health = _PLACES.setdefault(folder, health)
    elif patience is not None:
        health.be_patient(patience)
    return health


def known_health(folder: str) -> Health | None:
    """Return what is known of a folder, if something uses it."""
    return _PLACES.get(folder)
