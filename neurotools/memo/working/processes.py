"""Processes of this computer, started for a while: `Workers`.

Each is a pool of one by loky, so that the one call that ends its process is known, is tried once
more in a new one, and takes no other call with it. loky starts processes afresh: nothing is forked
into them half done, and scripts need no ``if __name__ == '__main__'``.
"""

from __future__ import annotations

import contextlib
import functools
import os
import pickle
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent import futures
from typing import Any

from neurotools.memo.errors import MissingExtra
from neurotools.memo.working import parcels
from neurotools.memo.working.pools import Awaited, Task, as_completed, lost

#: How often a call is begun before it is taken to end its process.
_TRIES = 2
#: What libraries take the number of their threads from.
_THREADS = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"),
    *("VECLIB_MAXIMUM_THREADS", "NUMBA_NUM_THREADS", "NUMEXPR_NUM_THREADS"),
)


class _Call:
    """A call that waits or runs."""

    __slots__ = ("content", "future", "tries")

    def __init__(self, content: bytes) -> None:
        self.content, self.tries = content, 0
        self.future: futures.Future[bytes] = futures.Future()


class Processes:
    """Processes of this computer.

    Parameters
    ----------
    count : int
        How many there may be; they are started as they are needed.

    Raises
    ------
    MissingExtra
        If loky is not installed.
    """

    shares_memory = False

    def __init__(self, count: int) -> None:
        try:
            import loky
        except ImportError:
            raise MissingExtra("executor=<number of processes>", "parallel") from None
        self._loky = loky
        self.count, self.room = count, 4 * count
        self.name = f"{count} process{'es' if count > 1 else ''}"
        self._lock = threading.RLock()
        self._waiting: deque[_Call] = deque()
        self._idle: list[Any] = []
        self._started: set[Any] = set()
        self._is_closed = False
        self._files: list[str] = []

    def sent(self, function: Callable[..., Any]) -> Any:
        packed: Any = parcels.packed(function)
        if not isinstance(packed, parcels.Packed) or not packed.is_large:
            return packed
        descriptor, path = tempfile.mkstemp(prefix="neurotools-", suffix=".call")
        self._files.append(path)
        with os.fdopen(descriptor, "wb") as file:
            file.write(packed.content)
        return _InFile(path, packed.__qualname__)

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Task:
        call = _Call(parcels.pack(function, args))
        with self._lock:
            self._waiting.append(call)
            self._hand_out()
        return Awaited(call.future, is_packed=True)

    def as_completed(self, tasks: Iterable[Task]) -> Iterator[Task]:
        return as_completed(tasks)

    def _hand_out(self) -> None:
        """Give waiting calls to processes that have nothing to do."""
        while self._waiting and not self._is_closed:
            if not self._idle and len(self._started) >= self.count:
                return
            call = self._waiting.popleft()
            if not call.future.running() and not call.future.set_running_or_notify_cancel():
                continue
            process = self._idle.pop() if self._idle else self._start()
            try:
                made = process.submit(parcels.run, call.content)
            except futures.BrokenExecutor:  # it was killed while it had nothing to do
                self._started.discard(process)
                self._waiting.appendleft(call)
                continue
            call.tries += 1
            made.add_done_callback(lambda made, call=call, on=process: self._ended(made, call, on))

    def _start(self) -> Any:
        threads = str(max(1, (os.cpu_count() or 1) // self.count))
        env = {name: threads for name in _THREADS if name not in os.environ}
        process = self._loky.ProcessPoolExecutor(max_workers=1, env=env)
        self._started.add(process)
        return process

    def _ended(self, made: futures.Future[bytes], call: _Call, process: Any) -> None:
        """Take a call's outcome; called by a thread that watches over the process."""
        error = made.exception() if not made.cancelled() else futures.CancelledError()
        with self._lock:
            if isinstance(error, futures.BrokenExecutor) or self._is_closed:
                self._started.discard(process)
            else:
                self._idle.append(process)
            if isinstance(error, futures.BrokenExecutor) and call.tries < _TRIES:
                self._waiting.appendleft(call)
                call = _NOBODYS
            self._hand_out()
        if call is _NOBODYS:
            return
        if error is None:
            call.future.set_result(made.result())
        else:
            call.future.set_exception(lost(error))

    def close(self, *, at_once: bool) -> None:
        with self._lock:
            self._is_closed = self._is_closed or at_once
            left = list(self._waiting) if at_once else []
            self._waiting.clear()
        for call in left:
            call.future.cancel()
        for process in list(self._started):
            process.shutdown(wait=True, kill_workers=at_once)
        for path in self._files:
            with contextlib.suppress(OSError):  # somebody has tidied up
                os.unlink(path)


class _InFile:
    """A large function, in a private file from which each process takes it once."""

    def __init__(self, path: str, name: str) -> None:
        self._path, self.__qualname__ = path, name

    def __call__(self, *args: Any) -> Any:
        return _opened_file(self._path)(*args)

    def __reduce__(self) -> Any:
        return _opened_file, (self._path,)


@functools.lru_cache(maxsize=1)
def _opened_file(path: str) -> Any:
    with open(path, "rb") as file:
        return pickle.load(file)


#: In the place of a call that goes on.
_NOBODYS = _Call(b"")
