"""A graph as text, and as a picture where Graphviz is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping

from neurotools.memo.stages.graph import Graph, Node
from neurotools.memo.whole import write

#: Fill of a stage by what is known of it.
_COLOURS = {"remembered": "#cfe6e0", "runs": "#f2d9c6", "computed": "#f2d9c6", "failed": "#e8b4b4"}
_PICTURES = ("svg", "png", "pdf")


def text(graph: Graph, states: Mapping[str, str]) -> str:
    """Return one line for each stage: what feeds it, what it gives, and what is known of it."""
    lines = []
    sources = [", ".join(_feed(feed) for feed in node.feeds) for node in graph.nodes]
    wide = max(map(len, sources))
    names = [f"{node.name}({', '.join(node.stage.parameters.names)})" for node in graph.nodes]
    wide_names = max(map(len, names))
    for node, source, name in zip(graph.nodes, sources, names, strict=True):
        gives = ", ".join(
            [
                *node.stage.stage_outputs,
                *(f"{a} = {o}" for a, o in node.stage.stage_aliases.items()),
            ]
        )
        state = states.get(node.name, "")
        line = f"  {source:<{wide}} -> {name:<{wide_names}} -> {gives}"
        lines.append(f"{line}  [{state}]" if state else line)
    return "\n".join(lines)


def _feed(feed: Node | str) -> str:
    return feed if isinstance(feed, str) else feed.name


def dot(graph: Graph, states: Mapping[str, str]) -> str:
    """Return the graph in the language of Graphviz."""
    lines = [
        "digraph pipeline {",
        '  rankdir=TB; node [shape=box, style="rounded,filled", fontname=Helvetica];',
        '  edge [fontname=Helvetica, fontsize=10]; start [shape=plaintext, style=""];',
    ]
    for node in graph.nodes:
        state = states.get(node.name, "")
        label = _quoted(f"{node.name}\n{state}" if state else node.name)
        colour = _COLOURS.get(state, "#ffffff")
        lines.append(f'  {_quoted(node.name)} [label={label}, fillcolor="{colour}"];')
        for feed in node.feeds:
            passes = _quoted(", ".join(_passed(feed, node)))
            lines.append(f"  {_quoted(_feed(feed))} -> {_quoted(node.name)} [label={passes}];")
    return "\n".join([*lines, "}", ""])


def _passed(feed: Node | str, node: Node) -> list[str]:
    takes = [name for name in node.stage.parameters.names if name not in node.stage.stage_args]
    if isinstance(feed, str):
        return takes
    given = {*feed.stage.stage_outputs, *feed.stage.stage_aliases}
    return [name for name in takes if name in given]


def _quoted(words: str) -> str:
    escaped = words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def draw(graph: Graph, states: Mapping[str, str], path: str) -> str:
    """Save a picture; without Graphviz, its text.

    Parameters
    ----------
    graph : Graph
        The graph.
    states : dict of str
        What is known of each stage.
    path : str
        A file that ends with ``.svg``, ``.png``, ``.pdf``, or with ``.dot`` or ``.txt`` for text.

    Returns
    -------
    str
        Path of what was written: it ends with ``.txt`` where there is no Graphviz.

    Raises
    ------
    ValueError
        If the ending is another.
    OSError
        If the file cannot be written.
    """
    stem, ending = os.path.splitext(path)
    kind = ending[1:].lower()
    if kind not in (*_PICTURES, "dot", "txt"):
        raise ValueError(f"{path!r} ends with none of .svg, .png, .pdf, .dot and .txt")
    program = shutil.which("dot") if kind in _PICTURES else None
    if kind == "dot":
        content = dot(graph, states).encode()
    elif program is None:
        path, content = f"{stem}.txt", f"{text(graph, states)}\n".encode()
    else:
        asked = dot(graph, states).encode()
        content = subprocess.run(
            [program, f"-T{kind}"], input=asked, capture_output=True, check=True
        ).stdout
    write(os.path.abspath(path), content)
    return path
