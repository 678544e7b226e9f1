"""Stages and pipelines: functions with named results, and graphs of them, that are remembered.

A `Stage` wraps a function. A `Pipeline` says which stage feeds which. What was computed before is
not computed again, as long as the code, the inputs and the files among them are the same. Not here:
what a stage is (`neurotools.jobs.stages`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from neurotools.jobs.stages import Stage, hashable
from neurotools.memo.errors import StageFailed, WrongPipeline
from neurotools.memo.progress import is_seen
from neurotools.memo.stages import drawing
from neurotools.memo.stages.graph import Graph, Node
from neurotools.memo.stages.plan import Plan, planned
from neurotools.memo.stages.progress import NoProgress, Progress

__all__ = [
    "Pipeline",
    "Plan",
    "Stage",
    "StageFailed",
    "WrongPipeline",
    "hashable",
    "redefine_result_key",
]


class Pipeline:
    """Stages that feed each other.

    Parameters
    ----------
    definition : list of (source, stage)
        A source is ``'start'`` for what `run` is given, a stage, or a tuple of several: where two
        give something of the same name, the last has precedence. Stages run once their sources have
        run, otherwise in the order in which they stand.

    Raises
    ------
    WrongPipeline
        If there is a cycle, something that is no stage, a stage that nothing feeds, or that stands
        behind two sources without a tuple, or one that needs something that none of its sources
        gives. It is a ValueError.

    Examples
    --------
    >>> load = Stage(lambda n: list(range(n)), stage_outputs=["values"], stage_name="load")
    >>> total = Stage(lambda values: sum(values), stage_outputs=["total"], stage_name="total")
    >>> pipeline = Pipeline([("start", load), (load, total)])
    >>> pipeline.run(4)
    {'values': [0, 1, 2, 3], 'total': 6}
    >>> print(pipeline)
    Pipeline of 2 stages
      start -> load(n)       -> values  [computed]
      load  -> total(values) -> total  [computed]
    """

    def __init__(self, definition: Sequence[Any]) -> None:
        self.definition = list(definition)
        self._graph = Graph(self.definition, Stage)
        self.pipeline_results: dict[str, Any] = {}
        self._states: dict[str, str] = {}

    def run(
        self, *args: Any, executor: Any = None, progress: bool | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        """Run all stages, or remember.

        Parameters
        ----------
        *args, **kwargs
            Inputs of the stages behind ``'start'``.
        executor : None, int, concurrent.futures.Executor or distributed.Client
            Who calls the functions, those of independent stages at the same time: a number of
            processes, an executor, or a Dask cluster. By default they are called here, in turn.
        progress : bool, optional
            Whether to show a bar on standard error; by default, where that is a terminal.

        Returns
        -------
        dict
            Results of all stages by label; of two of the same name, that of the later stage.

        Raises
        ------
        WrongArguments
            If a stage behind ``'start'`` lacks something. Nothing has run then.
        StageFailed
            If a stage raised an error, which is the cause of this one. What ran before is
            remembered, so that the next run goes on there.
        """
        self._require_start(args, kwargs)
        self._states = {}
        shown = is_seen() if progress is None else progress and sys.stderr is not None
        bar = Progress(len(self._graph.nodes)) if shown else NoProgress()
        run = _Run(args, self._states)
        try:
            if executor is None:
                run.graph_in_turn(self._graph, kwargs, bar)
            else:
                run.graph_together(self._graph, kwargs, bar, executor)
        finally:
            bar.close()
        self.pipeline_results = {}
        for node in self._graph.nodes:
            self.pipeline_results.update(run.results[node])
        return dict(self.pipeline_results)

    def _require_start(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Raise `WrongArguments` if a stage behind start alone cannot be called with these."""
        for node in self._graph.nodes:
            if node.is_start:
                stage = node.stage
                named = {**stage.parameters.named(args, kwargs), **stage.stage_args}
                if not node.sources:
                    stage.parameters.call(args, named)

    @property
    def results(self) -> dict[str, Any]:
        """Results of the last run; paths of files among them are absolute."""
        return {name: _absolute(value) for name, value in self.pipeline_results.items()}

    def plan(self, *args: Any, **kwargs: Any) -> Plan:
        """Return what a run would do, and why; nothing is run.

        When the pipeline is printed after that, it shows the same.

        Parameters
        ----------
        *args, **kwargs
            As for `run`.

        Returns
        -------
        Plan
            A step for each stage, with its ``name``, ``state`` and ``reason``; a text for people
            when it is printed.

        Raises
        ------
        WrongArguments
            If a stage behind ``'start'`` lacks something.
        """
        self._require_start(args, kwargs)

        def look(node: Node, inputs: Mapping[str, Any]) -> tuple[Any, str]:
            given = {**node.stage.parameters.named(args, {}), **inputs} if node.is_start else inputs
            found: tuple[Any, str] = node.stage._looked(given)
            return found

        plan = planned(self._graph, kwargs, look)
        self._states = {step.name: step.state for step in plan}
        return plan

    def picture(
        self, path: str | os.PathLike[str], *args: Any, plan: Plan | None = None, **kwargs: Any
    ) -> str:
        """Save a picture of the graph, with what is remembered and what would run.

        Parameters
        ----------
        path : str or path
            A file that ends with ``.svg``, ``.png`` or ``.pdf``, for which Graphviz must be
            installed; without it, a text is written beside it. ``.dot`` and ``.txt`` need nothing.
        *args, **kwargs
            As for `run`: a plan is made with them. Without any, it shows what the last run did.
        plan : Plan, optional
            One that was made before.

        Returns
        -------
        str
            Path of the file that was written.
        """
        if plan is None and (args or kwargs):
            plan = self.plan(*args, **kwargs)
        states = self._states if plan is None else {step.name: step.state for step in plan}
        return drawing.draw(self._graph, states, os.fspath(path))

    def __str__(self) -> str:
        count = len(self._graph.nodes)
        head = f"Pipeline of {count} stage{'s' * (count != 1)}"
        return f"{head}\n{drawing.text(self._graph, self._states)}"

    def __repr__(self) -> str:
        return f"<pipeline of {', '.join(node.name for node in self._graph.nodes)}>"


class _Run:
    """One run of a pipeline: what its stages gave, and where from."""

    def __init__(self, args: tuple[Any, ...], states: dict[str, str]) -> None:
        self._args, self._states = args, states
        self.results: dict[Node, dict[str, Any]] = {}

    def graph_in_turn(self, graph: Graph, start: Mapping[str, Any], bar: Any) -> None:
        from neurotools.memo.stages.running import run_in_turn

        run_in_turn(graph, start, self._stage, bar)

    def graph_together(
        self, graph: Graph, start: Mapping[str, Any], bar: Any, executor: Any
    ) -> None:
        from neurotools.memo.stages.running import run_together

        run_together(graph, start, self._stage, bar, executor)

    def _stage(
        self, node: Node, inputs: Mapping[str, Any], call: Callable[..., Any] | None
    ) -> Mapping[str, Any]:
        stage: Stage = node.stage
        args = self._args if node.is_start else ()
        given = {**stage.parameters.named(args, {}), **inputs}
        self._states[node.name] = "failed"
        self.results[node] = stage._ran(args, given, call)
        self._states[node.name] = stage.state
        return stage.results


def _absolute(value: Any) -> Any:
    if type(value) is dict:
        return {key: _absolute(item) for key, item in value.items()}
    if isinstance(value, str) and os.path.isfile(value):
        return os.path.abspath(value)
    return value


def redefine_result_key(
    dictionary: Mapping[str, Any], from_key: str, to_key: str
) -> dict[str, Any]:
    """Return results in which one has another name.

    Parameters
    ----------
    dictionary : dict
        Results; it is not changed.
    from_key, to_key : str
        The name that is there, and the one that takes its place.

    Raises
    ------
    KeyError
        If there is no such name.

    Examples
    --------
    >>> redefine_result_key({"hello": 1, "test": 2}, "hello", "testing")
    {'test': 2, 'testing': 1}
    """
    renamed = dict(dictionary)
    value = renamed.pop(from_key)
    return {**renamed, to_key: value}
