"""Many calls, carried out: looked up, computed, put in order. Start reading at `run`."""

from __future__ import annotations

import copy
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from neurotools.memo.entry import Key
from neurotools.memo.executors import Call as Submitted
from neurotools.memo.executors import Each, Task, Workers, workers
from neurotools.memo.making import Within, current
from neurotools.memo.many.calls import Call
from neurotools.memo.many.failures import Failures, checked, many_calls
from neurotools.memo.many.plan import Group, Plan, told_seconds, typical_seconds
from neurotools.memo.many.shown import Shown
from neurotools.memo.many.work import Answer, Common, MemoizedWork


def run(
    memoized: Any,
    calls: Sequence[Call],
    common: Common,
    *,
    executor: Any,
    progress: bool,
    on_error: str,
) -> list[Any]:
    """Make calls of a memoized function; see ``map`` of `neurotools.memo.mapped`."""
    failures = Failures(memoized.__qualname__, calls, raises=checked(on_error) == "raise")
    failures.refuse_coroutines(memoized.is_coroutine)
    with workers(executor) as crew:
        shown = Shown(progress, memoized.__name__)
        made = _Run(memoized, calls, common, crew, shown, failures)
        return made.carried_out()


class _Run:
    """Calls under way: what is known of them, and what is left to do.

    Parameters
    ----------
    memoized : Memoized
        The function.
    calls : sequence of Call
        Its calls.
    common : Common
        What they have in common.
    crew : Workers
        Who computes.
    shown : Shown
        What people see.
    failures : Failures
        Which of them failed.
    """

    def __init__(
        self,
        memoized: Any,
        calls: Sequence[Call],
        common: Common,
        crew: Workers,
        shown: Shown,
        failures: Failures,
    ) -> None:
        self._memoized, self._calls, self._common = memoized, calls, common
        self._crew, self._shown = crew, shown
        self._results: list[Any] = [None] * len(calls)
        self._failures = failures
        self._todo: deque[Group] = deque()
        self._given: list[Group] = []
        self._function: Any = None
        self._made, self._is_told = 0, False
        #: Whether workers send large results, too: what they keep is not found here.
        self._sends = False

    def carried_out(self) -> list[Any]:
        """Return the results, or raise the first error if that is asked for."""
        plan = Plan(self._memoized.keys, self._memoized.method, self._calls)
        for number, wrong in plan.wrong.items():
            self._failures.add([number], wrong)
        self._failures.raise_first()
        for number, reason in plan.unnamed.items():
            self._shown.say(f"{self._failures.where(number)} cannot be remembered: {reason}")
        found = self._looked_up(plan)
        self._shown.begin(self._told(found), len(self._todo))
        self._load(found)
        try:
            self._compute()
        except KeyboardInterrupt:
            self._shown.say(
                f"interrupted after {many_calls(self._made)}; what was computed is kept"
            )
            raise
        finally:
            self._shown.close()
        self._failures.raise_first()
        for number, error in self._failures.errors.items():
            self._results[number] = error
        return self._results

    def _looked_up(self, plan: Plan) -> list[Group]:
        """Return what seems to be there; the rest is to be computed."""
        found: list[Group] = []
        for group in plan.groups:
            is_there = group.key is not None and self._memoized.is_there(group.key)
            (found if is_there else self._todo).append(group)
        return found

    def _told(self, found: Sequence[Group]) -> str:
        there, missing = sum(len(group.numbers) for group in found), len(self._todo)
        told = f"{many_calls(len(self._calls))}: {there} found, {missing} to compute"
        if again := sum(len(group.numbers) - 1 for group in self._todo):
            told += f" ({again} more {'is' if again == 1 else 'are'} the same)"
        if not missing:
            return told
        keys = [group.key for group in found if group.key is not None]
        folder = self._memoized.keys.folder
        seconds = typical_seconds(self._memoized.hierarchy, folder, keys)
        if seconds is None:
            return f"{told} by {self._crew.name}, nobody knows yet how long one takes"
        rounds = -(-missing // self._crew.count)
        return f"{told} by {self._crew.name}, {told_seconds(seconds * rounds)}"

    def _load(self, found: Sequence[Group]) -> None:
        for group in found:
            for place, number in enumerate(group.numbers):
                if (loaded := self._memoized.find(group.key)) is None:
                    left = Group(group.key, number)
                    left.numbers = group.numbers[place:]
                    self._todo.append(left)  # it was damaged, or removed just now
                    break
                self._results[number] = loaded[0]

    # ------------------------------------------------------------ computing

    def _compute(self) -> None:
        if not self._todo:
            return
        self._function = self._function_for_workers()
        each = Each(self._crew, _Handed(self))
        for place, task in each:
            self._ended(self._given[place], task)
            self._failures.stop_if_over(each, self._shown)

    def _function_for_workers(self) -> Any:
        if self._crew.shares_memory:
            return _Here(self._memoized)
        shared = shared_tier(self._memoized.hierarchy)
        return self._crew.sent(MemoizedWork(self._memoized, self._common, shared))

    def hand_out(self) -> Submitted | None:
        """Return the next call to be made, if there is one."""
        if not self._todo:
            return None
        group = self._todo.popleft()
        self._given.append(group)
        call = self._calls[group.numbers[0]]
        own = tuple(call) if self._crew.shares_memory else self._common.own(call)
        return self._function, (*own, group.key, self._sends)

    def _ended(self, group: Group, task: Task) -> None:
        if (error := task.exception()) is not None:
            self._failures.add(group.numbers, error)
        else:
            answer: Answer = task.result()
            if not self._taken(group, answer):
                self._todo.append(group)
                return
        self._made += 1
        self._shown.count(1, len(self._failures.errors))

    def _taken(self, group: Group, answer: Answer) -> bool:
        """Put a result in its places; tell whether it could be had."""
        first, *others = group.numbers
        if answer.is_left:
            if (loaded := self._memoized.find(group.key)) is None:
                self._sends = True
                return False
            self._results[first] = loaded[0]
        else:
            self._results[first] = answer.value
        if group.key is not None and not self._crew.shares_memory:
            self._keep(group.key, first, answer)
        for number in others:
            self._results[number] = self._another(group, self._results[first])
        return True

    def _keep(self, key: Key, number: int, answer: Answer) -> None:
        """Have a result found again, if it was computed of what was asked for."""
        if answer.is_same:
            call, value = self._calls[number], self._results[number]
            self._memoized.computed_elsewhere(key, call, value, answer.seconds)
        elif not self._is_told:
            where, self._is_told = self._failures.where(number), True
            self._shown.say(f"{where} has other arguments once they have travelled: not kept here")

    def _another(self, group: Group, value: Any) -> Any:
        """Return a result once more, independent of the first."""
        if group.key is not None and (loaded := self._memoized.find(group.key)) is not None:
            return loaded[0]
        return copy.deepcopy(value)  # it could not be kept


class _Handed(Iterator[Submitted]):
    """The calls to be made; there may be more after there were none."""

    def __init__(self, run: _Run) -> None:
        self._run = run

    def __next__(self) -> Submitted:
        if (call := self._run.hand_out()) is None:
            raise StopIteration
        return call


class _Here:
    """Calls of a memoized function in this process."""

    def __init__(self, memoized: Any) -> None:
        self._memoized, self._making = memoized, current()

    def __call__(self, args: Any, kwargs: Any, key: Any, sends: bool) -> Answer:  # noqa: ARG002
        started = time.perf_counter()
        with Within(self._making):  # which is not known in other threads
            value = self._memoized(*args, **kwargs)
        return Answer(value, False, True, time.perf_counter() - started)


def shared_tier(hierarchy: Any) -> int | None:
    """Return the number of the slowest tier that workers write to and others can see, if any."""
    depths = range(len(hierarchy.tiers) if hierarchy.write_back else 1)
    seen = [
        depth
        for depth in depths
        if not getattr(type(hierarchy.tiers[depth]), "answers_at_once", False)
    ]
    return seen[-1] if seen else None
