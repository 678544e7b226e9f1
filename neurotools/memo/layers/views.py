"""What can be asked of a chain up to some layer, and the nodes that answer.

Layers are attached one behind the other; each makes a view from the one before. Names are known at
once, so that a mistake is told when the chain is made; nodes are made when they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from neurotools.memo.errors import ImpureField, UnknownField
from neurotools.memo.layers.definition import KEY, Definition
from neurotools.memo.layers.fields import BEFORE, Argument, Field
from neurotools.memo.layers.graph import Call, Fixed, Given, Node


class View:
    """What the layers so far offer.

    Attributes
    ----------
    layer : str
        Name of the last layer.
    names : dict
        The fields that are known, in order.
    impure : dict
        Those that may differ from call to call, and what makes them so.
    lasting : frozenset of str
        Those that every later layer passes on.
    properties : frozenset of str
        Those that are asked for without an id.
    is_open : bool
        Whether there are no layers before the first: what is not known is given by the caller.
    """

    layer: str
    names: dict[str, None]
    impure: dict[str, str]
    lasting: frozenset[str]
    properties: frozenset[str]
    is_open: bool

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}

    def has(self, name: str) -> bool:
        """Tell whether there is a field of this name."""
        return name in self.names

    def node(self, name: str, needed_by: str = "") -> Node:
        """Return what a field is computed by.

        Raises
        ------
        UnknownField
            If there is no such field.
        """
        node = self._nodes.get(name)
        if node is None:
            if not self.has(name):
                raise UnknownField(self.layer, name, self.names, needed_by)
            # Two threads may both make it; all get the one that was kept.
            node = self._nodes.setdefault(name, self._made(name))
        return node

    def _made(self, name: str) -> Node:
        raise NotImplementedError


class Raw(View):
    """What transforms alone stand on: whatever the caller gives."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.names, self.impure, self.is_open = "the caller", {}, {}, True
        self.lasting = self.properties = frozenset()

    def has(self, name: str) -> bool:  # noqa: ARG002 - whatever its name
        return True

    def _made(self, name: str) -> Node:
        return Given(name)


class Nothing(Raw):
    """What a source stands on."""

    def __init__(self) -> None:
        super().__init__()
        self.is_open = False

    def has(self, name: str) -> bool:
        return name == KEY


class Attached(View):
    """A source or a transform on top of what stands before it.

    Parameters
    ----------
    before : View
        What stands before it.
    definition : Definition
        What it consists of.
    values : mapping
        Values of its parameters.

    Raises
    ------
    UnknownField
        If one of its fields needs one that there is not.
    """

    def __init__(self, before: View, definition: Definition, values: Mapping[str, Any]) -> None:
        super().__init__()
        self.layer, self.is_open = definition.layer, before.is_open
        self._before, self._definition, self._values = before, definition, values
        self._own: dict[str, Node] = {}
        fields = [name for name in definition.fields if self._is_offered(name)]
        passed = [name for name in self._before_names() if self._passes(name)]
        self.names = dict.fromkeys([*passed, *fields])
        self.impure = {name: before.impure[name] for name in passed if name in before.impure}
        for name in fields:
            needed = (before.impure[one] for one in definition.needs[name] if one in before.impure)
            if source := definition.impure.get(name) or next(needed, ""):
                self.impure[name] = source
        metas = frozenset(name for name in fields if definition.fields[name].is_meta)
        kept = before.properties - (definition.fields.keys() - metas)
        self.properties = metas | kept
        self.lasting = before.lasting | (metas | {KEY} if definition.is_source else frozenset())

    def _is_offered(self, name: str) -> bool:
        definition = self._definition
        for needed in sorted(definition.needs[name]):
            if not self._before.has(needed):
                if definition.fields[name].is_optional:
                    return False
                asking = f"{self.layer}.{name}"
                raise UnknownField(self._before.layer, needed, self._before.names, asking)
        return True

    def _before_names(self) -> list[str]:
        """Return the names that are known to stand before this layer."""
        names = dict(self._before.names)
        if self._definition.is_source:
            names[KEY] = None
        if self.is_open:
            for needs in self._definition.needs.values():
                names.update(dict.fromkeys(sorted(needs)))
        return [name for name in names if name not in self._definition.fields]

    def _passes(self, name: str) -> bool:
        if name in self._definition.fields:
            return False
        is_key = name == KEY and self._definition.is_source
        return is_key or name in self._before.lasting or self._definition.inherits(name)

    def has(self, name: str) -> bool:
        if name in self.names:
            return True
        return self.is_open and self._passes(name) and self._before.has(name)

    def _made(self, name: str) -> Node:
        field = self._definition.fields.get(name)
        return self._before.node(name) if field is None else self._called(field)

    def _called(self, field: Field) -> Node:
        return Call(field, tuple(self._argument(field, one) for one in field.arguments))

    def _argument(self, field: Field, argument: Argument) -> Node:
        kind, name = argument
        if kind == BEFORE:
            return self._before.node(name, f"{self.layer}.{field.name}")
        own = self._definition.own(kind, name)
        if own is not None and not name.startswith("_"):
            return self.node(name, f"{self.layer}.{field.name}")
        node = self._own.get(name)
        if node is None:
            value = self._values.get(name)
            made = Fixed(self.layer, name[1:], value) if own is None else self._called(own)
            node = self._own.setdefault(name, made)
        return node


class Kept(View):
    """A cache on top of what stands before it.

    Parameters
    ----------
    before : View
        What stands before it.
    layer : str
        The cache's name.
    names : frozenset of str or None
        The fields that it keeps; None for all that are computed from an id.
    keep : callable
        Takes a field's name and its node, and returns the node that keeps its values.
    impure : bool
        Whether fields may be kept that differ from call to call.

    Raises
    ------
    UnknownField
        If there is no field of a name.
    ImpureField
        If a field may differ from call to call.
    """

    def __init__(
        self,
        before: View,
        layer: str,
        names: frozenset[str] | None,
        keep: Callable[[str, Node], Node],
        *,
        impure: bool,
    ) -> None:
        super().__init__()
        self.layer, self.names, self.impure = before.layer, before.names, before.impure
        self.lasting, self.properties = before.lasting, before.properties
        self.is_open = before.is_open
        self._before, self._kept, self._keep = before, names, keep
        for name in sorted(names or ()):
            if not before.has(name):
                raise UnknownField(before.layer, name, before.names, layer)
        if not impure and (found := [name for name in self.impure if self._keeps(name)]):
            raise ImpureField(layer, found[0], self.impure[found[0]])

    def has(self, name: str) -> bool:
        return self._before.has(name)

    def _keeps(self, name: str) -> bool:
        # What needs no id, such as a listing of a folder, is kept only where that is asked for.
        return name not in self.properties if self._kept is None else name in self._kept

    def _made(self, name: str) -> Node:
        node = self._before.node(name)
        is_given = isinstance(node, (Given, Fixed))
        return node if is_given or not self._keeps(name) else self._keep(name, node)
