"""Whether somebody who holds a key does nothing but wait, perhaps for us.

A computation may wait for a thread or a process that asks for the very same key. Nobody says so:
the thread was there before, the process was started by a program in between. So whoever waits looks
now and then at who holds the key. Somebody who stands still may stand still for ever: the waiter
then computes, which costs work and never correctness.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from types import FrameType

#: Seconds for which somebody stands still where nobody else works for him, and where it is unknown.
_SOON, _LATE = 0.3, 10.0
#: As the first, for a process, of which less is known.
_SOON_OUTSIDE = 1.0
#: The share of a processor that counts as doing nothing.
_IDLE = 0.05

#: Units of a processor's time in a second.
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100

#: Where threads wait for other threads.
_WAITING = frozenset(
    {
        *("threading", "queue", "concurrent.futures._base", "concurrent.futures.thread"),
        *("multiprocessing.pool", "joblib.parallel", "joblib._parallel_backends"),
        *("neurotools.memo.turns.turn", "neurotools.memo.locking.held"),
        "neurotools.memo.tiers.helper",
    }
)
#: Who waits in a selector for threads alone.
_SELECTING = frozenset({"asyncio.base_events", "multiprocessing.pool"})


class ThreadWatch:
    """A look, now and then, at a thread of this process.

    Parameters
    ----------
    thread : int
        Its identifier.
    """

    def __init__(self, thread: int) -> None:
        self.thread = thread
        self._place: tuple[int, int] | None = None
        self._since = self._there = self._processor = 0.0
        self._family = 0

    def stands(self) -> bool:
        """Tell whether it has ended, or waits and seems to wait for ever."""
        frames = sys._current_frames()
        frame = frames.pop(self.thread, None)
        if frame is None:
            return True
        frames.pop(threading.get_ident(), None)
        place = (id(frame), frame.f_lasti) if _waits(frame) else None
        now, processor = time.monotonic(), time.process_time()
        if place is None or self._place is None:
            self._since, self._processor = now, processor
            self._family = 0 if place is None else _ticks_of_descendants(os.getpid())
        if place != self._place:
            self._place, self._there = place, now
        if place is None:
            return False
        # An event loop may wait for a thread, or for the network.
        waits_for_threads = _module(frame) in _WAITING and _has_no_end(frame)
        others = (_waits(other) and _has_no_end(other) for other in frames.values())
        if now - self._there > _SOON and waits_for_threads and all(others):
            return True
        idle = processor - self._processor < _IDLE * (now - self._since)
        # A pool of processes may be at work for it.
        return idle and now - self._since > _LATE and not self._family_works(now - self._since)

    def _family_works(self, seconds: float) -> bool:
        spent = _ticks_of_descendants(os.getpid()) - self._family
        return spent > _IDLE * seconds * _TICKS


def _module(frame: FrameType) -> str:
    name = frame.f_globals.get("__name__", "")
    return name if isinstance(name, str) else ""


def _waits(frame: FrameType) -> bool:
    """Tell whether a thread waits for other threads of this process."""
    name = _module(frame)
    if name != "selectors":
        return name in _WAITING
    above = frame.f_back
    for _ in range(4):
        if above is None:
            return False
        if _module(above) in _SELECTING:
            return True
        above = above.f_back
    return False


def _has_no_end(frame: FrameType) -> bool:
    """Tell whether who waits would do so for ever, if nobody came."""
    if _module(frame) not in {"threading", "selectors"}:
        return True
    timeout = frame.f_locals.get("timeout")
    return timeout is None or timeout == -1


class ProcessWatch:
    """A look, now and then, at a process that we descend from.

    Parameters
    ----------
    process : int
        Its number.
    """

    def __init__(self, process: int) -> None:
        self.process = process
        self._since, self._processor = time.monotonic(), _processor_ticks(process)

    def stands(self) -> bool:
        """Tell whether it waits and seems to wait for ever."""
        now, processor = time.monotonic(), _processor_ticks(self.process)
        if processor != self._processor:
            self._since, self._processor = now, processor
            return False
        if now - self._since > _SOON_OUTSIDE and _all_wait(self.process):
            return True
        return now - self._since > _LATE


def ancestors() -> set[int]:
    """Return the numbers of the processes that this one descends from, as far as they are known."""
    found = {os.getppid()} - {0, os.getpid()}
    parents = sys.modules.get("multiprocessing.process")
    parent = parents.parent_process() if parents is not None else None
    if parent is not None and parent.pid:
        found.add(parent.pid)
    left = list(found)
    while left:
        above = _parent(left.pop())
        if above and above not in found:
            found.add(above)
            left.append(above)
    return found


def _facts(process: int) -> list[str]:
    """Return what Linux tells of a process, from its state on; nothing elsewhere."""
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return []


def born(process: int) -> str:
    """Return when a process was started, in the kernel's terms; nothing if there is none alive."""
    facts = _facts(process)
    return facts[19] if len(facts) > 19 and facts[0] not in "ZX" else ""


def _parent(process: int) -> int:
    facts = _facts(process)
    return int(facts[1]) if len(facts) > 1 else 0


def _processor_ticks(process: int) -> int:
    """Return the processor time of a process, in hundredths of a second or so."""
    facts = _facts(process)
    return int(facts[11]) + int(facts[12]) if len(facts) > 12 else 0


def _ticks_of_descendants(process: int) -> int:
    """Return the processor time of all processes that descend from one, as far as it is known."""
    spent, left = 0, [process]
    while left:
        for child in _children(left.pop()):
            spent += _processor_ticks(child)
            left.append(child)
    return spent


def _children(process: int) -> list[int]:
    folder, found = f"/proc/{process}/task", []
    with contextlib.suppress(OSError):
        for thread in os.listdir(folder):
            with open(f"{folder}/{thread}/children", encoding="ascii") as file:
                found += [int(child) for child in file.read().split()]
    return found


def _all_wait(process: int) -> bool:
    """Tell whether all threads of a process wait for others; a sleep may be its computation."""
    folder = f"/proc/{process}/task"
    try:
        places = [_place(f"{folder}/{thread}/wchan") for thread in os.listdir(folder)]
    except OSError:
        return False
    return all(place != "0" and "sleep" not in place for place in places)


def _place(path: str) -> str:
    """Return where in the kernel a thread waits; ``0`` where it works, or nobody may know."""
    with open(path, encoding="ascii", errors="replace") as file:
        return file.read() or "0"
