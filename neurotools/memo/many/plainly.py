"""Many calls of a function that is not memoized: all are made, and nothing is kept."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from neurotools.memo.executors import Call as Submitted
from neurotools.memo.executors import Each, Workers, workers
from neurotools.memo.many.calls import Call
from neurotools.memo.many.failures import Failures, checked, many_calls
from neurotools.memo.many.shown import Shown
from neurotools.memo.many.work import Common, Work
from neurotools.memo.working.parcels import name_of


def run_plainly(
    function: Any,
    calls: Sequence[Call],
    common: Common,
    *,
    executor: Any,
    progress: bool,
    on_error: str,
) -> list[Any]:
    """Make calls of a function; see ``map`` of `neurotools.jobs.parallel`."""
    failures = Failures(name_of(function), calls, raises=checked(on_error) == "raise")
    failures.refuse_coroutines(inspect.iscoroutinefunction(function))
    results: list[Any] = [None] * len(calls)
    shown = Shown(progress, name_of(function))
    with workers(executor) as crew:
        each = Each(crew, _given(function, calls, common, crew))
        shown.begin(f"{many_calls(len(calls))} to be made by {crew.name}", len(calls))
        try:
            for number, task in each:
                if (error := task.exception()) is None:
                    results[number] = task.result()
                else:
                    failures.add([number], error)
                    failures.stop_if_over(each, shown)
                shown.count(1, len(failures.errors))
        finally:
            shown.close()
    failures.raise_first()
    for number, error in failures.errors.items():
        results[number] = error
    return results


def _given(
    function: Any, calls: Sequence[Call], common: Common, crew: Workers
) -> Iterator[Submitted]:
    if crew.shares_memory:
        return ((_Here(function), tuple(call)) for call in calls)
    sent = crew.sent(Work(function, common))
    return ((sent, common.own(call)) for call in calls)


class _Here:
    """Calls of a function in this process."""

    def __init__(self, function: Any) -> None:
        self._function = function

    def __call__(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        return self._function(*args, **kwargs)
