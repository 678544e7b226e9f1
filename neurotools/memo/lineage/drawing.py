"""A tree of results as a picture: the result on top, below it what it was made from.

Drawn with matplotlib, which most who look at results have; Graphviz gets a text that it can draw.
"""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from neurotools.memo.errors import MissingExtra
from neurotools.memo.lineage.tree import DAMAGED, KEPT, MISSING, REMOVED, Lineage, Step
from neurotools.memo.spoken import span
from neurotools.memo.whole import write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PICTURES = ("png", "svg", "pdf")
#: More entries are no picture any more; the rest is left out, and said to be.
MOST = 150
#: Fill by state: what is not there is pale red.
_COLOURS = {KEPT: "#dcebe7", REMOVED: "#f5ddd0", MISSING: "#f5ddd0", DAMAGED: "#f0c4c4"}
#: Inches that an entry takes, and characters of a line in it.
_WIDE, _HIGH, _LINE = 2.7, 1.15, 30

Place = tuple[float, float]


def save(lineage: Lineage, path: str, kind: str = "") -> str:
    """Draw a lineage, of a kind that its path says or is given; see `Lineage.save`."""
    kind = kind or os.path.splitext(path)[1][1:].lower()
    if kind not in (*_PICTURES, "dot"):
        raise ValueError(f"{path!r} ends with none of .png, .svg, .pdf and .dot")
    path = os.path.abspath(path)
    if kind == "dot":
        write(path, dot(lineage).encode())
        return path
    try:
        import matplotlib as mpl
    except ImportError:
        raise MissingExtra(f"drawing {path}", "report") from None
    from io import BytesIO

    drawn = BytesIO()
    # Without a date and with fixed names, the same lineage is the same file.
    with mpl.rc_context({"svg.hashsalt": "neurotools", "svg.fonttype": "none"}):
        metadata: Any = {"Date": None} if kind == "svg" else None
        _figure(lineage).savefig(drawn, format=kind, dpi=120, metadata=metadata)
    write(path, drawn.getvalue())
    return path


def dot(lineage: Lineage) -> str:
    """Return a lineage in the language of Graphviz; arrows lead to what is made."""
    lines = [
        "digraph lineage {",
        '  rankdir=BT; node [shape=box, style="rounded,filled", fontname=Helvetica];',
    ]
    for path, step in lineage.steps.items():
        label, colour = _quoted("\n".join(_label(step))), _COLOURS[step.state]
        lines.append(f'  {_quoted(path)} [label={label}, fillcolor="{colour}"];')
        lines += [
            f"  {_quoted(used.path)} -> {_quoted(path)};"
            for used in step.made_from
            if used.path in lineage.steps
        ]
    return "\n".join([*lines, "}", ""])


def _quoted(words: str) -> str:
    seen = "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in words)
    escaped = seen.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _label(step: Step) -> Iterator[str]:
    yield _cut(step.call)
    yield f"version {step.version[:6]}"
    if step.state == KEPT:
        cost = f"{span(step.seconds)}, " if step.seconds is not None else ""
        yield f"{cost}{step.checksum[:10]}"
    else:
        yield step.state
    for file in step.files[:2]:
        name = os.path.basename(file.path) or file.name
        yield _cut(f"{name}: {file.digest[:6] or 'not there'}")
    if len(step.files) > 2:
        yield f"and {len(step.files) - 2} files more"


def _cut(text: str) -> str:
    return text if len(text) <= _LINE else f"{text[: _LINE - 3]}..."


def _figure(lineage: Lineage) -> Figure:
    from matplotlib.figure import Figure

    shown = _shown(lineage)
    rows = _rows(lineage, shown)
    widest = max(map(len, rows))
    figure = Figure(figsize=(_WIDE * widest + 0.4, _HIGH * len(rows) + 0.5))
    figure.patch.set_facecolor("white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, _WIDE * widest + 0.4)
    axes.set_ylim(-_HIGH * len(rows) - 0.2, 0.3)
    places = {
        path: (0.2 + _WIDE * (widest * (number + 0.5) / len(row)), -_HIGH * (depth + 0.5))
        for depth, row in enumerate(rows)
        for number, path in enumerate(row)
    }
    _draw_arrows(axes, lineage, places)
    for path, (x, y) in places.items():
        step = lineage.steps[path]
        box = {
            "boxstyle": "round,pad=0.5",
            "facecolor": _COLOURS[step.state],
            "edgecolor": "#44585a",
            "linestyle": "-" if step.state == KEPT else "--",
        }
        # A dollar sign would begin a formula.
        text = "\n".join(_label(step)).replace("$", r"\$")
        axes.text(x, y, text, ha="center", va="center", fontsize=8, bbox=box, zorder=2)
    if left := len(lineage.steps) - len(shown) + lineage.left_out:
        axes.text(0.2, 0.1, f"{left} entries are not shown", fontsize=8, va="center")
    return figure


def _draw_arrows(axes: Axes, lineage: Lineage, places: Mapping[str, Place]) -> None:
    bent = 0
    for path, (x, y) in places.items():
        end = x, y - _half(lineage.steps[path])
        for used in lineage.steps[path].made_from:
            if used.path not in places:
                continue
            below = places[used.path]
            start = below[0], below[1] + _half(lineage.steps[used.path])
            bend = 0.0
            if _is_hidden(start, end, places.values()):
                bent += 1  # to the left and to the right, so that they can be told apart
                bend = (-1) ** bent * _WIDE / math.dist(start, end)
            axes.annotate(
                "",
                xy=end,
                xytext=start,
                arrowprops={
                    "arrowstyle": "-|>",
                    "connectionstyle": f"arc3,rad={bend:.3f}",
                    "color": "#44585a",
                    "lw": 0.9,
                    "shrinkA": 0,
                    "shrinkB": 1,
                },
                zorder=1,
            )


def _half(step: Step) -> float:
    """Return half of the height of an entry's box, in inches."""
    return 0.066 * len(list(_label(step))) + 0.06


def _is_hidden(start: Place, end: Place, places: Iterable[Place]) -> bool:
    """Whether a straight line would run behind the box of an entry between two others."""
    (left, low), (right, high) = start, end
    return any(
        abs(left + (right - left) * (y - low) / (high - low) - x) < 0.4 * _WIDE
        for x, y in places
        if low < y < high
    )


def _shown(lineage: Lineage) -> list[str]:
    """Return the entries that are drawn: those nearest to the result."""
    return list(lineage.steps)[:MOST]


def _rows(lineage: Lineage, shown: list[str]) -> list[list[str]]:
    """Return the entries row by row, each below all that were made from it."""
    depth = _depths(lineage, shown)
    rows: dict[int, list[str]] = defaultdict(list)
    order: dict[str, float] = {}
    for path in sorted(shown, key=lambda path: depth[path]):
        rows[depth[path]].append(path)
    for number in sorted(rows):
        # Each near the middle of what was made from it, so that fewer lines cross.
        rows[number].sort(key=lambda path: order.get(path, 0.0))
        for place, path in enumerate(rows[number]):
            here = (place + 0.5) / len(rows[number])
            for used in lineage.steps[path].made_from:
                order.setdefault(used.path, here)
    return [rows[number] for number in sorted(rows)]


def _depths(lineage: Lineage, shown: list[str]) -> dict[str, int]:
    """Return how far below the result each entry lies, by the longest way."""
    inside, depth = set(shown), dict.fromkeys(shown, 0)
    # Records that were made up may lead in circles: no way is longer than there are entries.
    for _ in shown:
        is_settled = True
        for path in shown:
            for used in lineage.steps[path].made_from:
                below = depth[path] + 1
                if used.path in inside and depth[used.path] < below < len(shown):
                    depth[used.path], is_settled = below, False
        if is_settled:
            break
    return depth
