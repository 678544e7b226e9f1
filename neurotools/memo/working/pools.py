"""The process itself, and any executor of `concurrent.futures`, as workers."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterable, Iterator
from concurrent import futures
from typing import Any, Protocol

from neurotools.memo.errors import CacheError, WorkersLost
from neurotools.memo.working import parcels


class Task(Protocol):
    """A call that a worker makes; as `concurrent.futures.Future`, as far as it goes."""

    def done(self) -> bool:
        """Return whether it has ended, in any way."""

    def result(self) -> Any:
        """Wait for its end, and return its value or raise its error.

        Raises
        ------
        CannotTravel
            If the value could not be brought here.
        WorkersLost
            If who was to make the call is gone.
        """

    def exception(self) -> BaseException | None:
        """Wait for its end, and return the error that `result` raises, or None."""

    def cancel(self) -> bool:
        """Have it not made at all, if it has not begun; return whether that is so."""


class Workers(Protocol):
    """Those who make calls, wherever they are."""

    name: str
    """What people call them."""

    shares_memory: bool
    """Whether they run in this process, and see its objects."""

    @property
    def count(self) -> int:
        """How many calls run at the same time, as far as is known now."""

    @property
    def room(self) -> int:
        """How many calls should be given to them at a time, so that none has to wait for us."""

    def sent(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return what to `submit` for many calls of a function: it is sent, as it is now, once.

        Raises
        ------
        CannotTravel
            If it cannot be sent to them.
        """

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Task:
        """Have a call made.

        Raises
        ------
        CannotTravel
            If the function or an argument cannot be sent to them.
        WorkersLost
            If they are gone.
        """

    def as_completed(self, tasks: Iterable[Task]) -> Iterator[Task]:
        """Yield tasks as they end."""

    def close(self, *, at_once: bool) -> None:
        """Leave them; those that were started for us end.

        Parameters
        ----------
        at_once : bool
            Whether to cancel what has not begun, and to wait for nothing.
        """


class Made:
    """A call that was made here: a `Task`."""

    def __init__(self, value: Any, error: BaseException | None) -> None:
        self._value, self._error = value, error

    def done(self) -> bool:
        return True

    def result(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._value

    def exception(self) -> BaseException | None:
        return self._error

    def cancel(self) -> bool:
        return False


class Here:
    """The process itself, which makes each call when it is submitted: `Workers`."""

    name, shares_memory, count, room = "this process", True, 1, 1

    def sent(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return function

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Task:
        try:
            return Made(function(*args), None)
        except Exception as error:  # what ends a program ends it
            return Made(None, error)

    def as_completed(self, tasks: Iterable[Task]) -> Iterator[Task]:
        return iter(list(tasks))

    def close(self, *, at_once: bool) -> None:
        """Do nothing: nobody waits."""


class Awaited:
    """A call that a future stands for, until its outcome is asked for: a `Task`.

    Parameters
    ----------
    future : future
        Of `concurrent.futures`, or alike.
    is_packed : bool
        Whether it gives an outcome in bytes, see `parcels`.
    """

    def __init__(self, future: Any, *, is_packed: bool) -> None:
        self.future, self._is_packed = future, is_packed
        self._made: Made | None = None

    def done(self) -> bool:
        return self._made is not None or bool(self.future.done())

    def result(self) -> Any:
        return self._ended().result()

    def exception(self) -> BaseException | None:
        return self._ended().exception()

    def cancel(self) -> bool:
        return self._made is None and bool(self.future.cancel())

    def _ended(self) -> Made:
        if self._made is None:
            self._made = self._outcome()
            self.future = None  # a cluster keeps what somebody still refers to
        return self._made

    def _outcome(self) -> Made:
        try:
            value = self.future.result()
        except KeyboardInterrupt:
            raise
        except CacheError as error:
            return Made(None, error)
        except BaseException as error:
            is_lost = self._is_packed or isinstance(error, futures.CancelledError)
            return Made(None, lost(error) if is_lost else error)
        if not self._is_packed:
            return Made(value, None)
        is_value, value = parcels.outcome(value)
        return Made(value, None) if is_value else Made(None, value)


def as_completed(tasks: Iterable[Task]) -> Iterator[Task]:
    """Yield tasks that stand for futures of `concurrent.futures` as they end."""
    of = {}
    for task in tasks:
        if (future := getattr(task, "future", None)) is None:
            yield task
        else:
            of[future] = task
    yield from (of[future] for future in futures.as_completed(of))


def lost(error: BaseException) -> WorkersLost:
    """Return the error of a call that an executor has not made."""
    made = WorkersLost(str(error) or type(error).__name__)
    made.__cause__ = error
    return made


class Pool:
    """An executor of `concurrent.futures` that the caller has: `Workers`.

    Parameters
    ----------
    executor : concurrent.futures.Executor
        The executor. It stays open.
    name : str
        What people call it.
    """

    def __init__(self, executor: futures.Executor, name: str = "") -> None:
        self.executor = executor
        self.shares_memory = _shares_memory(executor)
        self.count = int(getattr(executor, "_max_workers", None) or os.cpu_count() or 1)
        self.name = name or f"{self.count} workers of {type(executor).__name__}"
        self._tasks: weakref.WeakSet[Awaited] = weakref.WeakSet()

    @property
    def room(self) -> int:
        return 4 * self.count

    def sent(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return function if self.shares_memory else parcels.packed(function)

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Task:
        is_packed = not self.shares_memory
        call = (parcels.run, parcels.pack(function, args)) if is_packed else (function, *args)
        try:
            task = Awaited(self.executor.submit(*call), is_packed=is_packed)
        except RuntimeError as error:  # broken, or shut down
            raise lost(error) from error
        self._tasks.add(task)
        return task

    def as_completed(self, tasks: Iterable[Task]) -> Iterator[Task]:
        return as_completed(tasks)

    def close(self, *, at_once: bool) -> None:
        if at_once:
            for task in list(self._tasks):
                task.cancel()


def _shares_memory(executor: futures.Executor) -> bool:
    # Threads with interpreters of their own (Python 3.14) share none.
    apart = getattr(futures, "InterpreterPoolExecutor", ())
    return isinstance(executor, futures.ThreadPoolExecutor) and not isinstance(executor, apart)
