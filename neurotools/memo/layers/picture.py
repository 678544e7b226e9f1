"""A picture of how fields are computed: as text, as a graph, and as SVG where graphviz is there."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from neurotools.memo.fingerprint.shown import shown
from neurotools.memo.layers.graph import Call, Fixed, Given, Node, below
from neurotools.memo.layers.kept import KeptNode

if TYPE_CHECKING:
    from neurotools.memo.layers.layer import Askable

#: Longest values of parameters in a picture, in characters.
_LONGEST = 40
#: Seconds that graphviz may take.
_PATIENCE = 20.0


class Picture:
    """How fields of a layer are computed.

    Parameters
    ----------
    layer : Askable
        The layer.
    fields : tuple of str
        The fields.

    Raises
    ------
    UnknownField
        If there is no such field.

    Attributes
    ----------
    text : str
        Each field with what it is computed from, one step a line.
    dot : str
        The same as a graph in the language of graphviz.
    """

    def __init__(self, layer: Askable, fields: tuple[str, ...]) -> None:
        self._nodes = {name: layer._view.node(name) for name in fields}
        self._title = repr(layer)
        self.text, self.dot = self._drawn(), self._graph()

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def _drawn(self) -> str:
        lines = [self._title]
        seen: set[Node] = set()
        for name, node in self._nodes.items():
            lines += ["", name, *_tree(node, "", seen)]
        return "\n".join(lines)

    def _graph(self) -> str:
        nodes = list(below(*self._nodes.values()))
        names = {node: f"n{number}" for number, node in enumerate(nodes)}
        lines = ["digraph fields {", "  rankdir=LR; node [shape=box, fontname=sans];"]
        for node, name in names.items():
            shape = _SHAPES.get(type(node), "")
            lines.append(f"  {name} [label={_quoted(_label(node))}{shape}];")
            lines += [f"  {names[one]} -> {name};" for one in node.inputs]
        for name, node in self._nodes.items():
            lines.append(f"  {_quoted(name)} [shape=plaintext]; {names[node]} -> {_quoted(name)};")
        return "\n".join([*lines, "}"])

    def svg(self) -> str | None:
        """Return the picture as SVG, or None where graphviz is not installed, or fails."""
        program = shutil.which("dot")
        if program is None:
            return None
        try:
            done = subprocess.run(
                [program, "-Tsvg"],
                input=self.dot.encode(),
                capture_output=True,
                timeout=_PATIENCE,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout.decode("utf-8", "replace")

    _repr_svg_ = svg


_SHAPES = {Given: ", shape=ellipse", Fixed: ", shape=note", KeptNode: ", shape=cylinder"}


def _tree(node: Node, indent: str, seen: set[Node]) -> list[str]:
    """Return lines for a node and what it is computed from; what was drawn is not drawn again."""
    again = " (see above)" if node in seen and node.inputs else ""
    lines = [f"{indent}  {_label(node)}{again}"]
    if not again:
        seen.add(node)
        for one in node.inputs:
            lines += _tree(one, f"{indent}  ", seen)
    return lines


def _label(node: Node) -> str:
    if isinstance(node, Given):
        return f"{node.name} (given)"
    if isinstance(node, Fixed):
        text = shown(node.value)
        text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
        return f"{node.layer}.{node.name} = {text}"
    if isinstance(node, KeptNode):
        return f"kept in {node.memory.hierarchy.name}"
    if isinstance(node, Call):
        mark = " (impure)" if node.field.is_impure else ""
        return f"{node.field.layer}.{node.field.name}{mark}"
    return type(node).__name__


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'
