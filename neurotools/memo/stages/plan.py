"""A graph, and what would run: a dry run with reasons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from neurotools.memo.stages.graph import Graph, Node

REMEMBERED, RUNS, MAY_RUN = "remembered", "runs", "may run"

#: Looks at one stage with its inputs: returns what it would pass on, or None, and why.
Look = Callable[[Node, Mapping[str, Any]], tuple[Mapping[str, Any] | None, str]]


class Step(NamedTuple):
    """What would become of one stage.

    Attributes
    ----------
    name : str
        The stage's.
    state : {'remembered', 'runs', 'may run'}
        Whether it is remembered, would run, or depends on what one that runs gives.
    reason : str
        Why.
    """

    name: str
    state: str
    reason: str


class Plan(tuple[Step, ...]):
    """What would become of all stages, in order; text for people when printed."""

    __slots__ = ()

    @property
    def runs(self) -> list[str]:
        """The stages that would run, or may."""
        return [step.name for step in self if step.state != REMEMBERED]

    def __str__(self) -> str:
        width = max(len(step.name) for step in self)
        lines = []
        for step in self:
            first, *rest = step.reason.splitlines() or [""]
            lines.append(f"{step.name:<{width}}  {step.state:<10}  {first}")
            lines += [f"{'':<{width}}  {'':<10}  {line}" for line in rest]
        return "\n".join(lines)

    __repr__ = __str__


def planned(graph: Graph, start: Mapping[str, Any], look: Look) -> Plan:
    """Return what a run would do; nothing is run."""
    passed: dict[Node, Mapping[str, Any]] = {}
    steps: list[Step] = []
    for node in graph.nodes:
        waits = [one.name for one in node.sources if one not in passed]
        if waits:
            reason = f"depends on what {', '.join(waits)} will give"
            steps.append(Step(node.name, MAY_RUN, reason))
            continue
        results, reason = look(node, graph.inputs(node, start, passed))
        if results is not None:
            passed[node] = results
        steps.append(Step(node.name, RUNS if results is None else REMEMBERED, reason))
    return Plan(steps)
