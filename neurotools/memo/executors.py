"""Whoever makes calls for us, asked in one way: this process, a pool, local processes, a cluster.

>>> with workers(None) as crew:
...     tasks = {crew.submit(abs, x): x for x in (-1, -2)}
...     for task in crew.as_completed(tasks):
...         print(tasks[task], task.result())
-1 1
-2 2

Not here: what is computed, and what is known already (`neurotools.memo.many`),
the kinds of workers (`neurotools.memo.working`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from numbers import Integral
from typing import Any

from neurotools.memo.errors import CannotTravel, UnknownExecutor, WorkersLost
from neurotools.memo.working.pools import Here, Made, Pool, Task, Workers

__all__ = ["Each", "Task", "Workers", "workers"]


@contextlib.contextmanager
def workers(executor: Any = None) -> Iterator[Workers]:
    """Give whoever makes calls, for a block.

    At the end of the block, processes that were started for it have ended. Where an error ends it,
    an interrupt too, calls that have not begun are cancelled, and such processes are ended.

    Parameters
    ----------
    executor : None, int, concurrent.futures.Executor or distributed.Client
        None for this process, where `submit` makes the call; a number of local processes (needs the
        extra ``parallel``); any executor; the client of a Dask cluster. The last two stay open.

    Yields
    ------
    Workers
        They make calls with ``submit`` and ``as_completed``, and have a ``count`` and a ``name``.

    Raises
    ------
    UnknownExecutor
        If it is none of these.
    MissingExtra
        If local processes are asked for, and loky is not installed.
    """
    crew = _workers(executor)
    try:
        yield crew
    except BaseException:
        crew.close(at_once=True)
        raise
    crew.close(at_once=False)


#: A function and its arguments.
Call = tuple[Callable[..., Any], tuple[Any, ...]]


class Each:
    """Many calls, made by workers: their numbers and tasks, as they end.

    No more of them are taken, packed and submitted than are needed to keep all busy. A call that
    cannot be submitted has a task, too, which gives the error.

    Parameters
    ----------
    crew : Workers
        Who makes them.
    calls : iterable of (function, arguments)
        The calls, numbered as they are taken. More may come after an end, while tasks are under
        way.
    """

    def __init__(self, crew: Workers, calls: Iterable[Call]) -> None:
        self._crew, self._calls = crew, iter(calls)
        self._numbers: dict[Task, int] = {}
        self._count = 0
        self._is_stopped = False
        self._ended: Iterator[Task] | None = None
        self._refill_at = 0

    def __iter__(self) -> Iterator[tuple[int, Task]]:
        return self

    def __next__(self) -> tuple[int, Task]:
        # To wait for many takes time for each of them, so it is not begun anew for every one.
        are_new = len(self._numbers) <= self._refill_at and self._fill()
        if are_new or self._ended is None:
            self._ended = iter(self._crew.as_completed(list(self._numbers)))
        if not self._numbers:
            raise StopIteration
        task = next(self._ended)
        return self._numbers.pop(task), task

    def stop(self) -> int:
        """Take no more calls, and forget those that have not begun; return how many run."""
        self._is_stopped, self._ended = True, None
        for task in self._crew.dropped(list(self._numbers)):
            del self._numbers[task]
        return len(self._numbers)

    def _fill(self) -> bool:
        """Submit as many calls as there is room for; return whether there were any."""
        if self._is_stopped:
            return False
        room, before = self._crew.room, self._count
        self._refill_at = room * 3 // 4
        while len(self._numbers) < room and (call := next(self._calls, None)) is not None:
            function, args = call
            self._numbers[self._submit(function, args)] = self._count
            self._count += 1
        return self._count > before

    def _submit(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Task:
        try:
            return self._crew.submit(function, *args)
        except (CannotTravel, WorkersLost) as error:
            return Made(None, error)


def _workers(executor: Any) -> Workers:
    if executor is None:
        return Here()
    if isinstance(executor, (int, Integral)) and not isinstance(executor, bool):
        if executor < 1:
            raise UnknownExecutor(executor, "the number of processes is 1 or more")
        from neurotools.memo.working.processes import Processes

        return Processes(int(executor))
    if _is_client(executor):
        if executor.asynchronous:
            raise UnknownExecutor(executor, "an asynchronous client cannot be waited for")
        from neurotools.memo.working.cluster import Cluster

        return Cluster(executor)
    from concurrent.futures import Executor

    if isinstance(executor, Executor):
        return Pool(executor)
    if isinstance(executor, type):
        raise UnknownExecutor(executor, "it is a class; make an executor of it")
    raise UnknownExecutor(executor, _HINTS.get(type(executor).__name__, ""))


def _is_client(executor: Any) -> bool:
    kinds = [
        f"{kind.__module__.partition('.')[0]}.{kind.__name__}" for kind in type(executor).__mro__
    ]
    return "distributed.Client" in kinds


_HINTS = {
    "Pool": "use concurrent.futures.ProcessPoolExecutor in the place of multiprocessing.Pool",
    "LocalCluster": "give distributed.Client(cluster)",
    "SLURMCluster": "give distributed.Client(cluster)",
    "Parallel": "give a number of processes in the place of joblib.Parallel",
}
