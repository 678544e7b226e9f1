"""A graph, run: each stage once what it needs is there, independent ones side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, Protocol

from neurotools.memo.errors import StageFailed
from neurotools.memo.executors import workers
from neurotools.memo.stages.graph import Graph, Node

#: Runs one stage: the stage, its inputs, and who calls its function; returns what it passes on.
RunStage = Callable[[Node, Mapping[str, Any], "Caller | None"], Mapping[str, Any]]
#: Calls a function somewhere, and waits for what it returns.
Caller = Callable[..., Any]


class Bar(Protocol):
    """Shows how far a run has come."""

    def began(self, name: str) -> None:
        """Show that a stage has begun."""

    def ended(self, name: str) -> None:
        """Show that it has ended."""


def run_in_turn(graph: Graph, start: Mapping[str, Any], run: RunStage, bar: Bar) -> None:
    """Run all stages in this thread.

    Raises
    ------
    StageFailed
        If one fails: the others that have not run are named.
    """
    passed: dict[Node, Mapping[str, Any]] = {}
    for node in graph.nodes:
        inputs = graph.inputs(node, start, passed)
        bar.began(node.name)
        try:
            passed[node] = run(node, inputs, None)
        except Exception as error:
            raise _failure(graph, node, set(passed), error) from error
        bar.ended(node.name)


def run_together(
    graph: Graph, start: Mapping[str, Any], run: RunStage, bar: Bar, executor: Any
) -> None:
    """Run independent stages at the same time, their functions on an executor.

    Keys, files and results are seen to here, one thread for each stage that runs; only the
    functions travel.

    Raises
    ------
    StageFailed
        If one fails: no others are begun, and those that run are waited for.
    """
    with (
        ThreadPoolExecutor(len(graph.nodes), "neurotools-stage") as threads,
        workers(executor) as crew,  # left first: after an interrupt threads wait for nothing
    ):
        lock = threading.Lock()

        def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            with lock:
                task = crew.submit(_called, function, args, kwargs)
            return task.result()

        _Together(graph, start, run, bar, call, threads).done()


def _called(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return function(*args, **kwargs)


class _Together:
    """Stages under way."""

    def __init__(
        self,
        graph: Graph,
        start: Mapping[str, Any],
        run: RunStage,
        bar: Bar,
        call: Caller,
        threads: ThreadPoolExecutor,
    ) -> None:
        self._graph, self._start, self._run, self._bar = graph, start, run, bar
        self._call, self._threads = call, threads
        self._passed: dict[Node, Mapping[str, Any]] = {}
        self._begun: set[Node] = set()
        self._running: dict[Future[Mapping[str, Any]], Node] = {}

    def done(self) -> None:
        failed: tuple[Node, Exception] | None = None
        while True:
            if failed is None:
                self._begin()
            if not self._running:
                break
            for future in wait(self._running, return_when=FIRST_COMPLETED).done:
                node = self._running.pop(future)
                try:
                    self._passed[node] = future.result()
                    self._bar.ended(node.name)
                except Exception as raised:
                    failed = failed or (node, raised)
        if failed is not None:
            node, error = failed
            ran = set(self._passed)
            raise _failure(self._graph, node, ran, error) from error

    def _begin(self) -> None:
        """Start all stages whose sources have ended."""
        for node in self._graph.nodes:
            if node in self._begun or not all(one in self._passed for one in node.sources):
                continue
            inputs = self._graph.inputs(node, self._start, self._passed)
            self._begun.add(node)
            self._bar.began(node.name)
            self._running[self._threads.submit(self._run, node, inputs, self._call)] = node


def _failure(graph: Graph, node: Node, ran: set[Node], error: Exception) -> StageFailed:
    skipped = [one.name for one in graph.nodes if one not in ran and one is not node]
    return StageFailed(node.name, node.stage.input_args, skipped, error)
