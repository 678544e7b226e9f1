"""Work that is waited for only so long. A system call that hangs cannot be called off.

So work that may hang runs in a thread of its own, which is left behind where nothing moves any
more. What takes long but moves is waited for: loops that move bytes say so with `moved`. Work that
makes something visible asks with `commit` first: what was given up must not appear later, since
whoever gave it up may have changed the memory that it reads.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from queue import SimpleQueue

#: Threads at most that one place may have, those included that it holds on to.
MOST_THREADS = 64
#: Threads that are kept for later.
_MOST_IDLE = 4

_current = threading.local()


class NoAnswer(TimeoutError):
    """Nothing moved for as long as it was waited for."""


class GivenUp(Exception):
    """Nobody waits for this work any more."""


def moved() -> None:
    """Say that the work of this thread goes on; end it if nobody waits for it any more."""
    if (task := getattr(_current, "task", None)) is not None:
        task.moved()


def commit() -> None:
    """Ask whether the work of this thread may still show; from here on it is not called off."""
    if (task := getattr(_current, "task", None)) is not None:
        task.commit()


def current() -> Task | None:
    """Return the work of this thread, for other threads that do part of it."""
    task: Task | None = getattr(_current, "task", None)
    return task


def is_limited() -> bool:
    """Return whether somebody waits for the work of this thread, but not for ever."""
    return getattr(_current, "task", None) is not None


class Task:
    """One piece of work, in a thread of its own.

    Parameters
    ----------
    work : callable
        What is to be done.
    arguments : tuple
        Its arguments.
    late : callable, optional
        Told what came of it, where nobody waited any more: the result, or an exception.
    """

    def __init__(
        self,
        work: Callable[..., Any],
        arguments: tuple[Any, ...],
        late: Callable[[Any], object] | None = None,
    ) -> None:
        self._work, self._arguments, self._late = work, arguments, late
        self._ended, self._lock = threading.Event(), threading.Lock()
        self._steps = 0
        self._given_up = self._committed = False
        #: Whether it is the main thread that waits for it.
        self.is_of_main = threading.current_thread() is threading.main_thread()
        self._result: Any = None
        self._error: BaseException | None = None

    def run(self) -> None:
        """Do it; called in the thread."""
        _current.task = self
        try:
            self._result = self._work(*self._arguments)
        except BaseException as error:  # raised where the result is waited for
            self._error = error
        finally:
            _current.task = None
        with self._lock:
            self._ended.set()
            late = self._late if self._given_up else None
        self._work, self._arguments = _nothing, ()
        if late is not None:
            with contextlib.suppress(Exception):
                late(self._result if self._error is None else self._error)

    @property
    def has_ended(self) -> bool:
        """Whether it has come to its end."""
        return self._ended.is_set()

    def moved(self) -> None:
        self._steps += 1
        if self._given_up and not self._committed:
            raise GivenUp

    def commit(self) -> None:
        with self._lock:
            if self._given_up:
                raise GivenUp
            self._committed = True

    def wait(self, patience: float) -> bool:
        """Wait until it has ended, or until nothing moved for so many seconds."""
        steps = 0
        while not self._ended.wait(patience):
            if steps == self._steps:
                return False
            steps = self._steps
        return True

    def give_up(self) -> bool:
        """Stop waiting; return False if it has ended meanwhile."""
        with self._lock:
            self._given_up = not self._ended.is_set()
            return self._given_up

    def __enter__(self) -> Task:
        return self

    def __exit__(self, *_: object) -> None:
        self.give_up()

    def result(self) -> Any:
        """Return what came of it, or raise it."""
        error, self._error = self._error, None
        if error is None:
            return self._result
        try:
            raise error
        finally:
            del error  # its traceback refers to this frame


def _nothing(*_: object) -> None:
    pass


class Workers:
    """The threads that work on one place: daemons, so that none of them holds up the exit."""

    def __init__(self) -> None:
        self._forget()
        _ALL.add(self)

    def _forget(self) -> None:
        self._idle: list[SimpleQueue[Task | None]] = []
        self._lock = threading.Lock()
        self._count = 0

    def start(self, task: Task, *, always: bool = False) -> None:
        """Have a task run, if all threads hang only where it is `always` to be run.

        Raises
        ------
        NoAnswer
            If all threads that the place may have hang in it.
        RuntimeError
            If there are no more threads to be had.
        """
        with self._lock:
            asked = self._idle.pop() if self._idle else None
            if asked is None:
                if self._count >= MOST_THREADS and not always:
                    raise NoAnswer(f"{self._count} earlier attempts still wait for it")
                asked = self._started()
        asked.put(task)

    def _started(self) -> SimpleQueue[Task | None]:
        from queue import SimpleQueue  # not loaded before it is needed

        asked: SimpleQueue[Task | None] = SimpleQueue()
        thread = threading.Thread(target=self._serve, args=(asked,), name="neurotools", daemon=True)
        thread.start()
        self._count += 1
        return asked

    def _serve(self, asked: SimpleQueue[Task | None]) -> None:
        while True:
            task = asked.get()
            if task is not None:
                task.run()
            del task
            with self._lock:
                if len(self._idle) >= _MOST_IDLE:
                    self._count -= 1
                    return
                self._idle.append(asked)


_ALL: weakref.WeakSet[Workers] = weakref.WeakSet()


def _forget() -> None:
    """Start afresh in a forked child, where no other thread runs."""
    for workers in list(_ALL):
        workers._forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
