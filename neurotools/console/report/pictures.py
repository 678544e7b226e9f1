"""The plots of a report as pictures, for slides and posters; matplotlib draws, without a screen."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from neurotools.console import screen, spoken
from neurotools.console.report.files import MARK
from neurotools.console.report.squares import Area, squarified
from neurotools.memo.errors import MissingExtra

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAMES = ("bytes", "saved", "stored", "loads", "idle")
_INK, _SOFT, _BAR, _SECOND = "#22272b", "#59636b", "#2f7d6d", "#c9733b"
_SHADES = ("#1f6b5c", "#55907f", "#a3c4b5", "#e9cfae", "#cf935c")
_DARK = 2  # so many of the shades need light letters
_AGES = ("a week", "a month", "90 days", "a year", "longer ago")
_BOUNDS = (7, 30, 90, 365)
#: Where an axis of seconds has its ticks, as people count time.
_TICKS = (1e-6, 1e-3, 1, 60, 3600, 86400, 864e3, 864e4, 31557600, 315576000)
#: Functions that have a name in a picture.
_NAMED = 12


def check() -> None:
    """See whether pictures can be drawn.

    Raises
    ------
    MissingExtra
        If matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        raise MissingExtra("--png", "report")


def paths(prefix: str) -> list[str]:
    """Return where the pictures go: into a folder, or to names that begin with a text."""
    is_folder = os.path.isdir(prefix) or prefix.endswith(("/", os.sep))
    return [os.path.join(prefix, f"{n}.png") if is_folder else f"{prefix}-{n}.png" for n in NAMES]


def drawn(data: dict[str, Any], prefix: str) -> Iterator[tuple[str, bytes]]:
    """Give each picture: where it goes, and its content as PNG.

    Parameters
    ----------
    data : dict
        What `neurotools.console.report.data.as_data` returns.
    prefix : str
        A folder, or the beginning of names.
    """
    # Not pyplot: it would look for a screen, and keep the figure.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    for name, path in zip(NAMES, paths(prefix), strict=True):
        figure = Figure(figsize=(9, 5.2), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        axes.tick_params(colors=_SOFT, labelsize=9)
        _DRAW[name](axes, data)
        content = io.BytesIO()
        figure.savefig(content, dpi=150, metadata={"Software": MARK})
        yield path, content.getvalue()


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", color=_INK, fontsize=13)
    axes.spines[["top", "right"]].set_visible(False)


def _plain(text: str) -> str:
    """Return a text for a picture: short, and with no dollar that would begin a formula."""
    return screen.cut(screen.clean(text), 40).replace("$", r"\$")


def _bytes(axes: Axes, data: dict[str, Any]) -> None:
    from matplotlib.patches import Rectangle

    _title(axes, f"Where the bytes are: {spoken.size(data['total']['bytes_on_disk'])} by function")
    functions = [one for one in data["functions"] if one["bytes_on_disk"]]
    others = sum(rest["functions"] for rest in data["other_functions"])
    sizes = [one["bytes_on_disk"] for one in functions]
    for number, area in squarified(sizes, Area(0.0, 0.0, 1.6, 1.0)):
        one = functions[number]
        shade = sum(one["mean_idle_days"] >= bound for bound in _BOUNDS)
        x, y, width, height = area
        axes.add_patch(
            Rectangle((x, y), width, height, facecolor=_SHADES[shade], edgecolor="white")
        )
        room = int(width * 80)
        if height > 0.05 and room > 5:
            name = _plain(screen.cut(one["function"].rpartition(".")[2], room))
            text = f"{name}\n{spoken.size(one['bytes_on_disk'])}" if height > 0.09 else name
            color = "white" if shade < _DARK else _INK
            axes.text(x + 0.01, y + height - 0.012, text, va="top", fontsize=9, color=color)
    handles = [Rectangle((0, 0), 1, 1, facecolor=shade) for shade in _SHADES]
    axes.legend(
        handles, _AGES, ncols=5, loc="upper center", bbox_to_anchor=(0.5, -0.01), frameon=False,
        fontsize=9, title="last used within, on average", title_fontsize=9,
    )  # fmt: skip
    if others:
        _empty(axes, f"and {others:,} smaller functions", 1.02)
    axes.set(xlim=(0, 1.6), ylim=(0, 1), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def _saved(axes: Axes, data: dict[str, Any]) -> None:
    _title(axes, "What each function has saved, against its room")
    shown = [one for one in data["functions"] if one["bytes_on_disk"] and one["seconds_saved"] > 0]
    if not shown:
        return _empty(axes, "no load was noted")
    rooms = [one["bytes_on_disk"] for one in shown]
    saved = [one["seconds_saved"] for one in shown]
    most = max(one["loads"] for one in shown)
    areas = [20 + 260 * one["loads"] / max(most, 1) for one in shown]
    axes.scatter(rooms, saved, areas, color=_BAR, alpha=0.6, edgecolors=_BAR)
    axes.set(xscale="log", yscale="log", xlabel="room on the disk", ylabel="time saved")
    axes.margins(0.12)
    axes.xaxis.set_major_formatter(lambda value, _: spoken.size(value))
    axes.yaxis.set_major_formatter(lambda value, _: spoken.span(value))
    axes.minorticks_off()
    ticks = [tick for tick in _TICKS if min(saved) / 3 <= tick <= max(saved) * 3]
    if len(ticks) > 1:
        axes.set_yticks(ticks)
    axes.grid(color="#e6e8e6")
    axes.set_axisbelow(True)
    for one in sorted(shown, key=lambda one: -one["seconds_saved"])[:_NAMED]:
        place = (one["bytes_on_disk"], one["seconds_saved"])
        name = _plain(one["function"].rpartition(".")[2])
        axes.annotate(name, place, (9, -3), textcoords="offset points", fontsize=8, color=_INK)
    return None


def _by_day(axes: Axes, rows: Sequence[dict[str, Any]], field: str, color: str) -> None:
    import numpy as np
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    days = np.array([row["day"] for row in rows], "datetime64[D]")
    span = int((days[-1] - days[0]).astype(int)) + 1
    unit = next((unit for unit, most in (("D", 70), ("W", 500)) if span <= most), "M")
    bins, places = np.unique(days.astype(f"datetime64[{unit}]"), return_inverse=True)
    heights = np.bincount(places, [row[field] for row in rows])
    begins = bins.astype("datetime64[D]")
    # A bare number of days is deprecated by NumPy.
    width = {"D": (19, "h"), "W": (6, "D"), "M": (25, "D")}[unit]
    axes.bar(begins, heights, width=np.timedelta64(*width), align="edge", color=color)  # type: ignore[arg-type, call-overload, unused-ignore]
    locator = AutoDateLocator()
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.set_ylabel({"D": "each day", "W": "each week", "M": "each month"}[unit])


def _stored(axes: Axes, data: dict[str, Any]) -> None:
    _title(axes, "Bytes stored, of what is still here")
    if not data["stored"]:
        return _empty(axes, "nothing is kept here")
    _by_day(axes, data["stored"], "bytes", _BAR)
    axes.yaxis.set_major_formatter(lambda value, _: spoken.size(value))
    return None


def _loads(axes: Axes, data: dict[str, Any]) -> None:
    _title(axes, "Loads, as far as they were noted")
    if not data["used"]:
        return _empty(axes, "no load was noted")
    _by_day(axes, data["used"], "loads", _SECOND)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    return None


def _idle(axes: Axes, data: dict[str, Any]) -> None:
    _title(axes, "Time since the last use")
    names = ["up to a day", "a week", "a month", "90 days", "a year", "more"]
    rooms = [one["bytes_on_disk"] for one in data["idle"]]
    bars = axes.barh(names, rooms, color=_BAR)
    axes.bar_label(bars, [spoken.size(room) for room in rooms], padding=4, color=_INK, fontsize=9)
    axes.invert_yaxis()
    axes.set_xlim(0, max([*rooms, 1]) * 1.15)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)


def _empty(axes: Axes, text: str, height: float = 0.5) -> None:
    axes.text(0.5, height, text, transform=axes.transAxes, ha="center", color=_SOFT)


_DRAW = {"bytes": _bytes, "saved": _saved, "stored": _stored, "loads": _loads, "idle": _idle}
