"""One stage: a function whose results have names, and are remembered. A run, top to bottom."""

from __future__ import annotations

import inspect
import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from neurotools.memo.careful import is_meant_to_end, spelled
from neurotools.memo.errors import CacheError, UnsupportedFunction
from neurotools.memo.log import Log
from neurotools.memo.stages.binding import Bound, Parameters
from neurotools.memo.supported import check_supported

log = Log(__name__)

#: What a result is called where nothing was said.
OUTPUT = "output"
#: States of a stage.
NOT_RUN, COMPUTED, REMEMBERED = "not run", "computed", "remembered"


def labels_of(stage_outputs: Iterable[str] | str | None) -> list[str]:
    """Return what results are called, from what a user wrote."""
    if stage_outputs is None:
        return [OUTPUT]
    labels = [stage_outputs] if isinstance(stage_outputs, str) else list(stage_outputs)
    if not labels:
        raise ValueError("stage_outputs is empty; name one result at least")
    for label in labels:
        if not isinstance(label, str):
            raise TypeError(f"stage_outputs has a label {label!r}, which is no text")
    if len(set(labels)) < len(labels):
        raise ValueError(f"stage_outputs names a result twice: {labels}")
    return labels


def placed(places: Any) -> Any:
    """Return where results are kept, so that it stays where it is if the working directory changes.

    A path becomes an absolute one; several become a list.
    """
    if isinstance(places, (str, os.PathLike)):
        place = os.fspath(places)
        return place if "://" in place else os.path.abspath(os.path.expanduser(place))
    if isinstance(places, Iterable):
        return [placed(place) for place in places]
    return places


def named(value: Any, labels: list[str], stage: str) -> dict[str, Any]:
    """Return what a function returned by label.

    A tuple, or a list where there are several labels, is taken apart; with one label it is the
    result, unless it is a tuple of one.
    """
    several = len(labels) > 1
    is_apart = (type(value) is tuple and (several or len(value) == 1)) or (
        several and isinstance(value, (tuple, list))
    )
    values = tuple(value) if is_apart else (value,)
    if len(values) != len(labels):
        log.warning(
            "stage %s returned %d values for %d labels; what is beyond is left out",
            *(stage, len(values), len(labels)),
        )
    return dict(zip(labels, values, strict=False))


class StageBase:
    """What the documented `neurotools.jobs.pipeline.Stage` is made of."""

    def __init__(
        self,
        function: Callable[..., Any],
        stage_outputs: Iterable[str] | str | None,
        hash_output: Any,
        stage_name: str | None,
        aliases: Mapping[str, str] | None,
        static: dict[str, Any],
    ) -> None:
        check_supported(function)
        if inspect.iscoroutinefunction(function):
            name = getattr(function, "__qualname__", repr(function))
            raise UnsupportedFunction(name, "a stage awaits nothing; give asyncio.run with it")
        self.function_to_call = function
        self.parameters = Parameters(function)
        self.parameters.require_known(static)
        self.stage_outputs = labels_of(stage_outputs)
        self.stage_aliases = dict(aliases or {})
        for alias, label in self.stage_aliases.items():
            if label not in self.stage_outputs:
                raise ValueError(
                    f"alias {alias!r} stands for {label!r}, which is none of the outputs "
                    f"{self.stage_outputs}; aliases={{new name: output}}"
                )
        self.stage_name = _checked_name(stage_name or _name_of(function))
        self.stage_args = static
        self.stage_from_hash = False
        self._state = NOT_RUN
        self._inputs: dict[str, Any] = dict(static)
        self._results: dict[str, Any] = {}
        self._hash_output = placed(hash_output)
        self._memory: Any = None

    # ------------------------------------------------------------ a run

    def _ran(
        self,
        args: tuple[Any, ...],
        inputs: Mapping[str, Any],
        call: Callable[..., Any] | None,
        *,
        force_run: bool = False,
        force_skip: bool = False,
        force_write: bool = False,
    ) -> dict[str, Any]:
        """Run it, or remember; return the results by label."""
        given = {**inputs, **self.stage_args}
        self._inputs = given
        bound = self.parameters.call(args, given)
        memory, asked = self._asked(bound)
        if memory is None:
            if force_skip:
                raise LookupError(f"stage {self.stage_name} remembers nothing that could be used")
            return self._took(self._called(bound, call), COMPUTED)
        if not force_run:
            found = memory.find(asked, checked=not force_skip)
            if found.value is not None:
                return self._remembered(memory, asked, found.value[0], force_write=force_write)
            if force_skip:
                reason = found.reason or memory.explained(asked)
                raise LookupError(f"stage {self.stage_name} cannot be skipped: {reason}")
        with memory.alone(asked):
            # Somebody may have finished it between our look and our turn.
            if not force_run and (found := memory.find(asked)).value is not None:
                return self._remembered(memory, asked, found.value[0], force_write=force_write)
            log.info("running stage %s", self.stage_name)
            started = time.perf_counter()
            value = self._called(bound, call)
            memory.keep(asked, value, time.perf_counter() - started)
        results = self._took(value, COMPUTED)
        memory.show(asked, results)
        return results

    def _called(self, bound: Bound, call: Callable[..., Any] | None) -> Any:
        args, kwargs = bound
        if call is None:
            return self.function_to_call(*args, **kwargs)
        return call(self.function_to_call, *args, **kwargs)

    def _remembered(
        self, memory: Any, asked: Any, value: Any, *, force_write: bool
    ) -> dict[str, Any]:
        log.info("skipping stage %s: it is remembered", self.stage_name)
        results = self._took(value, REMEMBERED)
        if force_write:
            memory.show(asked, results)
        return results

    def _took(self, value: Any, state: str) -> dict[str, Any]:
        self._results = named(value, self.stage_outputs, self.stage_name)
        self._state, self.stage_from_hash = state, state == REMEMBERED
        return dict(self._results)

    def _asked(self, bound: Bound) -> tuple[Any, Any]:
        """Return the memory, and the call by name; nothing where it cannot be remembered."""
        if self._hash_output is None:
            return None, None
        try:
            memory = self._remembers()
            return memory, memory.asked(bound)
        except BaseException as error:  # objects in arguments may fail in any way there is
            if is_meant_to_end(error):
                raise
            reason = error if isinstance(error, CacheError) else spelled(error)
            log.warning("stage %s is run and not remembered: %s", self.stage_name, reason)
            return None, None

    def _remembers(self) -> Any:
        if self._memory is None:
            from neurotools.memo.stages.memory import StageMemory  # not for a stage without

            places = self._hash_output
            listed = places if isinstance(places, list) else [places]
            self._memory = StageMemory(self.function_to_call, listed, self.stage_name)
        return self._memory

    def _looked(self, inputs: Mapping[str, Any]) -> tuple[dict[str, Any] | None, str]:
        """Return what it would pass on if it is remembered, and why or why not; runs nothing."""
        bound = self.parameters.call((), {**inputs, **self.stage_args})
        if self._hash_output is None:
            return None, "it has no hash_output, and runs each time"
        memory, asked = self._asked(bound)
        if memory is None:
            return None, "it cannot be remembered"
        found = memory.find(asked)
        if found.value is None:
            return None, found.reason or memory.explained(asked)
        results = named(found.value[0], self.stage_outputs, self.stage_name)
        return self._with_aliases(results), found.reason

    def _with_aliases(self, results: Mapping[str, Any]) -> dict[str, Any]:
        also = {
            alias: results[label] for alias, label in self.stage_aliases.items() if label in results
        }
        return {**results, **also}

    # ------------------------------------------------------------ pickles

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_memory": None}


def _name_of(function: Callable[..., Any]) -> str:
    while (inner := getattr(function, "func", None)) is not None and callable(inner):
        function = inner  # partial
    return str(getattr(function, "__name__", type(function).__name__)).strip("<>")


def _checked_name(name: str) -> str:
    if not isinstance(name, str) or not name or set(name) & {"/", "\\", "\0"} or name[0] == ".":
        raise ValueError(f"stage_name {name!r} is no name for files")
    return name
