"""Whoever makes calls for us, asked in one way: this process, a pool, local processes, a cluster.

::

    with workers(executor) as crew:
        tasks = {crew.submit(function, x): x for x in xs}
        for task in crew.as_completed(tasks):
            print(tasks[task], task.result())

Not here: what is computed, and what is known already (`neurotools.memo.many`);
the kinds of workers (`neurotools.memo.working`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from neurotools.memo.errors import UnknownExecutor
from neurotools.memo.working.pools import Here, Pool, Task, Workers

__all__ = ["Task", "Workers", "each", "workers"]


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


def each(
    crew: Workers, calls: Iterable[tuple[Callable[..., Any], tuple[Any, ...]]]
) -> Iterator[tuple[int, Task]]:
    """Have many calls made, and yield their numbers and tasks as they end.

    No more of them are taken, packed and submitted than are needed to keep all busy.

    Parameters
    ----------
    crew : Workers
        Who makes them.
    calls : iterable of (function, arguments)
        The calls.

    Raises
    ------
    CannotTravel, WorkersLost
        As `Workers.submit` does.
    """
    numbers: dict[Task, int] = {}
    numbered = enumerate(calls)
    is_over = False
    while not is_over or numbers:
        room = crew.room
        while not is_over and len(numbers) < room:
            if (taken := next(numbered, None)) is None:
                is_over = True
            else:
                number, (function, args) = taken
                numbers[crew.submit(function, *args)] = number
        if numbers:
            task = next(crew.as_completed(list(numbers)))
            yield numbers.pop(task), task


def _workers(executor: Any) -> Workers:
    if executor is None:
        return Here()
    if isinstance(executor, int) and not isinstance(executor, bool):
        if executor < 1:
            raise UnknownExecutor(executor, "the number of processes is 1 or more")
        from neurotools.memo.working.processes import Processes

        return Processes(executor)
    if _is_client(executor):
        if executor.asynchronous:
            raise UnknownExecutor(executor, "an asynchronous client cannot be waited for")
        from neurotools.memo.working.cluster import Cluster

        return Cluster(executor)
    from concurrent.futures import Executor

    if isinstance(executor, Executor):
        return Pool(executor)
    raise UnknownExecutor(executor, _HINTS.get(type(executor).__name__, ""))


def _is_client(executor: Any) -> bool:
    kinds = [
        f"{kind.__module__.partition('.')[0]}.{kind.__name__}" for kind in type(executor).mro()
    ]
    return "distributed.Client" in kinds


_HINTS = {
    "Pool": "use concurrent.futures.ProcessPoolExecutor in the place of multiprocessing.Pool",
    "LocalCluster": "give distributed.Client(cluster)",
    "SLURMCluster": "give distributed.Client(cluster)",
    "Parallel": "give a number of processes in the place of joblib.Parallel",
}
