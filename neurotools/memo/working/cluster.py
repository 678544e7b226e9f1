"""A Dask cluster as workers: `Workers`."""

from __future__ import annotations

import contextlib
import time
import uuid
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from neurotools.memo.errors import WorkersLost
from neurotools.memo.working import parcels
from neurotools.memo.working.pools import Awaited, Task, lost

#: Seconds until the scheduler is asked again how many workers there are.
_COUNT_SECONDS = 1.0


class Cluster:
    """The workers that a Dask client is connected to.

    Parameters
    ----------
    client : distributed.Client
        The client. It stays open.

    Raises
    ------
    WorkersLost
        If it is closed.
    """

    shares_memory = False

    def __init__(self, client: Any) -> None:
        if client.scheduler is None or client.status in ("closed", "closing"):
            raise WorkersLost("the Dask client is closed; make another one")
        self.client = client
        self.name = f"Dask at {client.scheduler.address}"
        self._count, self._counted_until = 1, 0.0
        self._tasks: weakref.WeakSet[_Submitted] = weakref.WeakSet()

    @property
    def count(self) -> int:
        # Workers come and go; a cluster of jobs may have none yet, or be gone for good.
        if time.monotonic() > self._counted_until:
            with contextlib.suppress(Exception):
                threads: dict[str, int] = self.client.nthreads()
                self._count = max(1, sum(threads.values()))
            self._counted_until = time.monotonic() + _COUNT_SECONDS
        return self._count

    @property
    def room(self) -> int:
        return 4 * self.count

    def sent(self, function: Callable[..., Any]) -> Any:
        packed: Any = parcels.packed(function)
        if not isinstance(packed, parcels.Packed) or not packed.is_large:
            return packed
        # Made by a task of its own, it is made again where a worker is lost.
        return _OnCluster(
            self._submitted(_itself, packed.content, name=packed.__qualname__), packed
        )

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Task:
        name = parcels.name_of(function)
        if isinstance(function, _OnCluster):
            content = parcels.pack(function, args)
            future = self._submitted(parcels.run_with, function.future, content, name=name)
        else:
            future = self._submitted(parcels.run, parcels.pack(function, args), name=name)
        task = _Submitted(future, is_packed=True)
        self._tasks.add(task)
        return task

    def _submitted(self, function: Callable[..., Any], *args: Any, name: str) -> Any:
        key = f"{name}-{uuid.uuid4().hex}"
        try:
            with warnings.catch_warnings():
                # What is large was asked for, and is sent once.
                warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
                return self.client.submit(function, *args, key=key, pure=False)
        except Exception as error:  # it is gone
            raise lost(error) from error

    def as_completed(self, tasks: Iterable[Task]) -> Iterator[Task]:
        from distributed import as_completed

        of = {}
        for task in tasks:
            if (future := getattr(task, "future", None)) is None:
                yield task
            else:
                of[future.key] = task
        futures = [task.future for task in of.values() if isinstance(task, Awaited)]
        try:
            ended = as_completed(futures)
        except ValueError:  # the client is closed, and has given up all of them
            yield from of.values()
            return
        yield from (of[future.key] for future in ended)

    def dropped(self, tasks: Iterable[Task]) -> list[Task]:
        futures = {task: getattr(task, "future", None) for task in tasks}
        keys = [future.key for future in futures.values() if future is not None]
        try:
            waiting = set(self.client.run_on_scheduler(_waiting, keys))
            left = [task for task, future in futures.items() if future and future.key in waiting]
            self.client.cancel([futures[task] for task in left])
        except Exception:  # it is gone, or has no neurotools: all are waited for, if they come
            return []
        return left

    def close(self, *, at_once: bool) -> None:
        if at_once:
            left = [task.future for task in list(self._tasks) if task.future is not None]
            with contextlib.suppress(Exception):  # it may be gone
                self.client.cancel(left)


class _Submitted(Awaited):
    """A call that a cluster makes."""

    def cancel(self) -> bool:
        """Return False: whether it has begun is not known, and if so, it is to be kept."""
        return False


class _OnCluster:
    """A large function that workers have, or get from each other."""

    def __init__(self, future: Any, packed: parcels.Packed) -> None:
        self.future, self.__qualname__ = future, packed.__qualname__

    def __call__(self, *_: Any) -> Any:
        raise TypeError("it is called by workers alone")

    def __reduce__(self) -> Any:
        return str, ()  # it is given to them beside the arguments


def _waiting(keys: list[str], dask_scheduler: Any) -> list[str]:
    """Return which tasks were not given to a worker yet; asked of the scheduler."""
    states = {key: dask_scheduler.tasks[key].state for key in keys if key in dask_scheduler.tasks}
    return [key for key, state in states.items() if state in ("queued", "waiting", "no-worker")]


def _itself(content: bytes) -> bytes:
    return content
