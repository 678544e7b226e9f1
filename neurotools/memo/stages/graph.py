"""Which stage feeds which: a definition list, checked, and brought into an order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from neurotools.memo.errors import WrongPipeline

#: The word for what a pipeline itself is given.
START = "start"


class Node:
    """One stage in its place.

    Attributes
    ----------
    stage : Stage
        The stage.
    name : str
        Its name, different from those of all others.
    sources : tuple of Node
        Those that feed it; where two give the same, the last has precedence.
    feeds : tuple of Node or str
        The same, with ``'start'`` in its place.
    """

    __slots__ = ("feeds", "name", "stage")

    def __init__(self, stage: Any, name: str) -> None:
        self.stage, self.name = stage, name
        self.feeds: tuple[Node | str, ...] = ()

    @property
    def sources(self) -> tuple[Node, ...]:
        return tuple(feed for feed in self.feeds if isinstance(feed, Node))

    @property
    def is_start(self) -> bool:
        """Whether it gets what the pipeline is given."""
        return START in self.feeds

    def __repr__(self) -> str:
        return f"<{self.name}>"


class Graph:
    """Stages in an order in which they can run.

    Parameters
    ----------
    definition : sequence of (source, stage)
        A source is ``'start'``, a stage, or a tuple of them.
    kind : type
        What a stage is.

    Attributes
    ----------
    nodes : list of Node
        As they were written, but none before its sources.

    Raises
    ------
    WrongPipeline
        If it is no graph of stages that can run.
    """

    def __init__(self, definition: Sequence[Any], kind: type) -> None:
        pairs = [_pair(item, kind) for item in definition]
        if not pairs:
            raise WrongPipeline("there is no stage in it")
        nodes = _nodes(stage for _, stage in pairs)
        for sources, stage in pairs:
            nodes[id(stage)].feeds = _feeds(sources, stage, nodes)
        self.nodes = _ordered(list(nodes.values()))
        for node in self.nodes:
            _require_inputs(node)

    def inputs(
        self,
        node: Node,
        start: Mapping[str, Any],
        passed: Mapping[Node, Mapping[str, Any]],
    ) -> dict[str, Any]:
        """Return what a stage is given: from its sources, the right-most first in precedence."""
        given: dict[str, Any] = {}
        for feed in node.feeds:
            given.update(passed[feed] if isinstance(feed, Node) else start)
        return {**node.stage.parameters.taken(given), **node.stage.stage_args}


def _pair(item: Any, kind: type) -> tuple[tuple[Any, ...], Any]:
    if not isinstance(item, (tuple, list)) or len(item) != 2:
        raise WrongPipeline(f"{item!r} is no pair of a source and a stage")
    source, stage = item
    sources = source if isinstance(source, tuple) else (source,)
    if not sources:
        raise WrongPipeline(f"{_name(stage)} has no source; write ('start', stage)")
    for one in sources:
        if not isinstance(one, kind) and not (isinstance(one, str) and one == START):
            raise WrongPipeline(f"{one!r} is no source; give 'start', a Stage, or a tuple of them")
    if not isinstance(stage, kind):
        raise WrongPipeline(f"{stage!r} is no Stage")
    return sources, stage


def _name(stage: Any) -> str:
    return repr(getattr(stage, "stage_name", stage))


def _nodes(stages: Iterable[Any]) -> dict[int, Node]:
    nodes: dict[int, Node] = {}
    names: set[str] = set()
    for stage in stages:
        if id(stage) in nodes:
            raise WrongPipeline(
                f"{_name(stage)} is supplied twice; give all its sources at once, in a tuple"
            )
        name, number = stage.stage_name, 1
        while name in names:
            number += 1
            name = f"{stage.stage_name}-{number}"
        names.add(name)
        nodes[id(stage)] = Node(stage, name)
    return nodes


def _feeds(sources: tuple[Any, ...], stage: Any, nodes: Mapping[int, Node]) -> Any:
    feeds: list[Node | str] = []
    for source in sources:
        if isinstance(source, str):
            feed: Node | str = source
        elif (node := nodes.get(id(source))) is None:
            raise WrongPipeline(
                f"{_name(source)} feeds {_name(stage)}, and nothing feeds {_name(source)}; write "
                "('start', stage) for it"
            )
        else:
            feed = node
        if feed in feeds:
            raise WrongPipeline(f"{_name(source)} stands twice among the sources of {_name(stage)}")
        feeds.append(feed)
    return tuple(feeds)


def _ordered(nodes: list[Node]) -> list[Node]:
    order: dict[Node, None] = {}
    left = dict.fromkeys(nodes)
    while left:
        ready = next((n for n in left if all(one in order for one in n.sources)), None)
        if ready is None:
            raise WrongPipeline(f"there is a cycle: {' -> '.join(_cycle(list(left)))}")
        order[ready] = left.pop(ready)
    return list(order)


def _cycle(left: list[Node]) -> list[str]:
    """Return the names along a circle, against the direction in which things pass."""
    way = [left[0]]
    while way.count(way[-1]) < 2:
        way.append(next(one for one in way[-1].sources if one in left))
    circle = way[way.index(way[-1]) :]
    return [node.name for node in reversed(circle)]


def _require_inputs(node: Node) -> None:
    if node.is_start:
        return  # what a run is given is not known before
    given = set(node.stage.stage_args)
    for source in node.sources:
        given.update(source.stage.stage_outputs, source.stage.stage_aliases)
    missing = [name for name in node.stage.parameters.required if name not in given]
    if missing:
        sources = ", ".join(source.name for source in node.sources)
        raise WrongPipeline(
            f"stage {node.name!r} needs {', '.join(map(repr, missing))}, and {sources} "
            "gives no such thing; give it as a static value, or name it in "
            "stage_outputs or aliases"
        )
