"""A Dask cluster as workers: `Workers`."""

from __future__ import annotations

import uuid
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from neurotools.memo.working import parcels
from neurotools.memo.working.pools import Awaited, Task, lost


class Cluster:
    """The workers that a Dask client is connected to.

    Parameters
    ----------
    client : distributed.Client
        The client. It stays open.
    """

    shares_memory = False

    def __init__(self, client: Any) -> None:
        self.client = client
        self.name = f"Dask at {client.scheduler.address}"
        self._tasks: weakref.WeakSet[Awaited] = weakref.WeakSet()

    @property
    def count(self) -> int:
        # Workers come and go; a cluster of jobs may have none yet.
        try:
            threads: dict[str, int] = self.client.nthreads()
        except Exception as error:  # it is gone
            raise lost(error) from error
        return max(1, sum(threads.values()))

    @property
    def room(self) -> int:
        return 4 * self.count

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Task:
        content = parcels.pack(function, args)
        key = f"{parcels.name_of(function)}-{uuid.uuid4().hex}"
        try:
            future = self.client.submit(parcels.run, content, key=key, pure=False)
        except Exception as error:  # it is gone
            raise lost(error) from error
        task = Awaited(future, is_packed=True)
        self._tasks.add(task)
        return task

    def as_completed(self, tasks: Iterable[Task]) -> Iterator[Task]:
        from distributed import as_completed

        of = {}
        for task in tasks:
            if (future := getattr(task, "future", None)) is None:
                yield task
            else:
                of[future.key] = task
        futures = [task.future for task in of.values() if isinstance(task, Awaited)]
        yield from (of[future.key] for future in as_completed(futures))

    def close(self, *, at_once: bool) -> None:
        if at_once:
            left = [task.future for task in list(self._tasks) if not task.done()]
            if left:
                self.client.cancel(left)
