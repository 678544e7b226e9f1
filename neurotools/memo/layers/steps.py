"""All that leads to a field, followed as one: the functions on its way and the parameters they use.

`Steps` is to a field what a `Tracker` is to a function, and can stand in its place. Impure
functions are not followed: what they return is an argument, see `kept`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from neurotools.memo.digest.values import digest, is_immutable
from neurotools.memo.errors import UndigestableValue, UnsafeBinding
from neurotools.memo.fingerprint.guards import Guards
from neurotools.memo.fingerprint.manifest import Manifest, Part
from neurotools.memo.fingerprint.reach import Fingerprint, Tracker, short_code
from neurotools.memo.fingerprint.shown import shown
from neurotools.memo.key import code_name
from neurotools.memo.layers.fields import Field
from neurotools.memo.layers.graph import Call, Fixed, Given, Node, below

#: How often the checks of each function hold before they are made into one.
_OFTEN = 20
#: Kinds of parts that a manifest of steps has besides those of its functions.
STEP, PARAMETER = "step", "parameter"


class Steps:
    """The steps to a field.

    Parameters
    ----------
    name : str
        The field's.
    nodes : tuple of Node
        What it is computed from, inputs before what needs them. A node whose own inputs are not
        among these is an argument.
    arguments : mapping
        Nodes that are arguments, and their names.
    **tracking
        Options of `Tracker`.
    """

    def __init__(
        self, name: str, node: Node, arguments: Mapping[Node, str], tracking: Mapping[str, Any]
    ) -> None:
        self._name, self._tracking = name, tracking
        self._arguments = arguments
        self._nodes = [one for one in followed(node, arguments) if one not in arguments]
        self._trackers: list[Tracker] = []
        self._labels: list[tuple[Call, Tracker, str]] = []
        names: dict[str, int] = {}
        self._parameters: list[tuple[Fixed, str]] = []
        for one in self._nodes:
            if isinstance(one, Call):
                tracker = tracker_of(one.field, tracking)
                label = _unique(names, f"{one.field.layer}.{one.field.name}")
                self._labels.append((one, tracker, label))
                self._trackers.append(tracker)
            elif isinstance(one, Fixed):
                self._parameters.append((one, _unique(names, f"{one.layer}.{one.name}")))
        self._currents = [tracker.current for tracker in dict.fromkeys(self._trackers)]
        # Values that can be changed in place are looked at each time.
        self._changeable = [one for one, _ in self._parameters if not is_immutable(one.value)]
        self._joined: tuple[Guards, Fingerprint] | None = None
        self._held = 0
        self._seen: tuple[list[Fingerprint], list[str], Fingerprint] | None = None
        #: What the last fingerprint was made of: part -> the steps that it belongs to.
        self.owners: dict[tuple[str, str], list[str]] = {}

    def current(self) -> Fingerprint:
        """Return the fingerprint of all that leads to the field now.

        Raises
        ------
        UndigestableValue
            If a parameter has no reliable digest.
        """
        joined = self._joined
        if joined is not None:
            if joined[0].hold():
                return joined[1]
            self._joined = None
        codes = [current() for current in self._currents]
        values = [_digested(one) for one in self._changeable] if self._changeable else []
        seen = self._seen
        if seen is not None and seen[0] == codes and seen[1] == values:
            self._held += 1
            if self._held == _OFTEN:
                self._join(codes, seen[2])
            return seen[2]
        fingerprint = self._made()
        self._seen, self._held = (codes, values, fingerprint), 0
        return fingerprint

    def _join(self, codes: list[Fingerprint], fingerprint: Fingerprint) -> None:
        """Make one check of those of all functions, which takes a third of the time."""
        found = [tracker.guards for tracker in dict.fromkeys(self._trackers)]
        if self._changeable or not found or None in found:
            return
        joined = Guards()
        for guards in found:
            joined.join(cast("Guards", guards))
        joined.close()
        # What has changed meanwhile makes the joined check fail, which is safe.
        if all(current() is code for current, code in zip(self._currents, codes, strict=True)):
            self._joined = joined, fingerprint

    @property
    def refusals(self) -> tuple[UnsafeBinding, ...]:
        """What cannot be followed."""
        return tuple(one for tracker in self._trackers for one in tracker.refusals)

    @property
    def reached(self) -> tuple[Any, ...]:
        """Functions and classes of the user that can be reached."""
        return tuple(one for tracker in self._trackers for one in tracker.reached)

    def texts(self) -> dict[str, str]:
        """Return the source of reachable code that lies in no file."""
        return {name: text for tracker in self._trackers for name, text in tracker.texts().items()}

    def starts(self) -> None:
        """Take what changes from now on, until `ran`, as done by computing the field."""
        for tracker in self._trackers:
            tracker.starts()

    def ran(self) -> None:
        """Note that a computation has ended."""
        for tracker in self._trackers:
            tracker.ran()

    def _made(self) -> Fingerprint:
        """Return a digest of the graph: each node with its code or value, and its inputs."""
        numbers = {node: number for number, node in enumerate(self._arguments)}
        rows: list[Any] = [["given", self._arguments[node]] for node in self._arguments]
        parts = _Parts()
        labels: dict[Node, str] = dict(self._arguments)
        called = {call: (tracker, label) for call, tracker, label in self._labels}
        named = dict(self._parameters)
        for node in self._nodes:
            inputs = [numbers[one] for one in node.inputs]
            if isinstance(node, Fixed):
                labels[node] = named[node]
                value = _digested(node)
                row = ["value", value]
                parts.add(Part(named[node], PARAMETER, value, shown(node.value)), named[node])
            elif isinstance(node, Call):
                tracker, labels[node] = called[node]
                fingerprint = tracker.current()
                row = ["call", fingerprint.code]
                text = f"{labels[node]}({', '.join(labels[one] for one in node.inputs)})"
                parts.add(Part(labels[node], STEP, text, text), labels[node])
                for part in fingerprint.manifest.parts:
                    parts.add(part, labels[node])
                parts.doubts.update(dict.fromkeys(fingerprint.manifest.doubts))
            else:  # another cache on the way: what it keeps is what it is computed from
                numbers[node], labels[node] = inputs[0], labels[node.inputs[0]]
                continue
            numbers[node] = len(rows)
            rows.append([*row, inputs])
        code = short_code(json.dumps(rows))
        self.owners = parts.owners
        listed = tuple(part for _, part in sorted(parts.found.items()))
        manifest = Manifest(f"field:{self._name}", code, listed, tuple(sorted(parts.doubts)))
        return Fingerprint(code, manifest)


class _Parts:
    """Parts of several manifests, under names that are their own."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], Part] = {}
        self.owners: dict[tuple[str, str], list[str]] = {}
        self.doubts: dict[str, None] = {}

    def add(self, part: Part, step: str) -> None:
        name, number = part.name, 1
        while (known := self.found.get((part.kind, name))) and known.digest != part.digest:
            number += 1
            name = f"{part.name}#{number}"
        self.found[part.kind, name] = part._replace(name=name)
        steps = self.owners.setdefault((part.kind, name), [])
        if step not in steps:
            steps.append(step)


def followed(node: Node, arguments: Mapping[Node, str]) -> list[Node]:
    """Return what a node is computed from, as far as the arguments, inputs first."""
    if not any(isinstance(one, Call) and one.field.is_impure for one in arguments):
        return list(below(node))
    found: dict[Node, None] = {}

    def visit(one: Node) -> None:
        if one not in found:
            for inner in () if one in arguments else one.inputs:
                visit(inner)
            found[one] = None

    visit(node)
    return list(found)


def arguments_of(node: Node) -> dict[Node, str]:
    """Return what a field's value depends on from call to call, and names for that.

    That is what the caller gives, and what impure functions return.
    """
    nodes = list(below(node))
    given = sorted((one for one in nodes if isinstance(one, Given)), key=lambda one: one.name)
    found: dict[Node, str] = {one: one.name for one in given}
    names: dict[str, int] = {}
    for one in nodes:
        if isinstance(one, Call) and one.field.is_impure:
            found[one] = _unique(names, f"{one.field.layer}_{one.field.name}")
    return found


def tracker_of(field: Field, tracking: Mapping[str, Any]) -> Tracker:
    """Return what follows the function of a field, the same one for all who follow it so."""
    options = tuple((name, tracking[name]) for name in sorted(tracking) if name != "shelf")
    tracker: Tracker | None = field.trackers.get(options)
    if tracker is None:
        tracker = field.trackers.setdefault(options, Tracker(field.function, **tracking))
    return tracker


def _digested(node: Fixed) -> str:
    try:
        return digest(node.value, code_name)
    except UndigestableValue as error:
        raise error.at(f"parameter {node.name!r} of {node.layer}") from None


def _unique(names: dict[str, int], name: str) -> str:
    count = names[name] = names.get(name, 0) + 1
    return name if count == 1 else f"{name}#{count}"
