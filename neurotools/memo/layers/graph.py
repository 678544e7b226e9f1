"""What a field is computed from: given values, parameters, calls of functions, and kept results.

A node is computed at most once in an evaluation. Not here: which nodes there are (`views`).
"""

from __future__ import annotations

import copy
import dataclasses
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import numpy as np

from neurotools.memo.errors import WrongArguments
from neurotools.memo.layers.fields import Field


class Node(Protocol):
    """Something that has a value once the given values are known."""

    passes_on: bool
    """Whether its value is that of its one input, the same object perhaps."""

    @property
    def inputs(self) -> tuple[Node, ...]:
        """What it is computed from."""

    def compute(self, state: State) -> Any:
        """Return its value, asking for those of its inputs."""


class State:
    """One evaluation.

    Attributes
    ----------
    values : dict
        Values of the nodes that are known.
    shared : frozenset of Node
        Nodes whose values several functions get, or the caller and a function.
    """

    __slots__ = ("shared", "values")

    def __init__(self, values: dict[Node, Any], shared: frozenset[Node]) -> None:
        self.values, self.shared = values, shared


class Given:
    """What the caller gives: the id, or for transforms alone, values of fields."""

    passes_on = False
    inputs: tuple[Node, ...] = ()

    def __init__(self, name: str) -> None:
        self.name = name

    def compute(self, state: State) -> Any:  # noqa: ARG002 - as all nodes do
        raise KeyError(self.name)  # it is in the state before anything is computed


class Fixed:
    """The value of a layer's parameter."""

    passes_on = False
    inputs: tuple[Node, ...] = ()

    def __init__(self, layer: str, name: str, value: Any) -> None:
        self.layer, self.name, self.value = layer, name, value

    def compute(self, state: State) -> Any:  # noqa: ARG002 - as all nodes do
        return self.value


class Call:
    """What a function of a layer returns."""

    passes_on = False

    def __init__(self, field: Field, inputs: tuple[Node, ...]) -> None:
        self.field, self.inputs = field, inputs

    def compute(self, state: State) -> Any:
        # Functions may change what they get: others are to get what was computed.
        return self.field.function(
            *[
                own(value_of(node, state)) if node in state.shared else value_of(node, state)
                for node in self.inputs
            ]
        )


def value_of(node: Node, state: State) -> Any:
    """Return a node's value, computing it if nobody has."""
    if node in state.values:
        return state.values[node]
    value = state.values[node] = node.compute(state)
    return value


def own(value: Any) -> Any:
    """Return a value that can be changed without changing this one, as far as types are known."""
    if not _is_changeable(value):
        return value
    try:
        return copy.deepcopy(value)
    except Exception:
        return value  # there is something inside that cannot be copied: it is shared


def _is_changeable(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return bool(value.flags.writeable)
    if isinstance(value, _CONTAINERS):
        return True
    kind = type(value)
    return dataclasses.is_dataclass(kind) or kind.__module__.partition(".")[0] in _OF_TABLES


_CONTAINERS = (list, dict, set, tuple, bytearray, deque)
#: Packages whose values are tables and tensors; images of nibabel, say, would be read to be copied.
_OF_TABLES = frozenset(["pandas", "torch", "xarray"])


def shared_among(nodes: tuple[Node, ...]) -> frozenset[Node]:
    """Return the nodes whose values are used more than once when these are computed."""
    everything = list(below(*nodes))
    users = Counter(map(_origin, nodes))
    for node in everything:
        if not node.passes_on:
            users.update(map(_origin, node.inputs))
    found = (node for node in everything if users[_origin(node)] > 1)
    return frozenset(node for node in found if not isinstance(node, Fixed))


def _origin(node: Node) -> Node:
    """Return the node that has made the object which is a node's value."""
    while node.passes_on:
        node = node.inputs[0]
    return node


def below(*nodes: Node) -> Iterator[Node]:
    """Yield nodes and all that they are computed from, each once, inputs before what needs them."""
    seen: set[Node] = set()
    left: list[tuple[Node, bool]] = [(node, False) for node in reversed(nodes)]
    while left:
        node, is_ready = left.pop()
        if is_ready:
            yield node
        elif node not in seen:
            seen.add(node)
            left.append((node, True))
            left += [(one, False) for one in reversed(node.inputs)]


def given_by(nodes: Iterable[Node]) -> tuple[Given, ...]:
    """Return what a caller has to give for these nodes, by name."""
    found = {node for node in below(*nodes) if isinstance(node, Given)}
    return tuple(sorted(found, key=lambda node: node.name))


def bound(
    what: str, givens: tuple[Given, ...], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[Node, Any]:
    """Return the values that a caller has given.

    Raises
    ------
    WrongArguments
        If these are not as many as are needed, or of other names.
    """
    names = [one.name for one in givens]
    values = {**dict(zip(names, args, strict=False)), **kwargs}
    doubled = set(names[: len(args)]) & kwargs.keys()
    if len(args) > len(names) or doubled or values.keys() != set(names):
        told = [*map(repr, args), *(f"{name}={value!r}" for name, value in kwargs.items())]
        asked = ", ".join(names) or "nothing"
        raise WrongArguments(what, f"given {', '.join(told) or 'nothing'}, it takes {asked}")
    return {one: values[one.name] for one in givens}
