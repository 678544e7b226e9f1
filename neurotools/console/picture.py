"""The picture that the demo saves: what was computed, and what it cost cold and warm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLD, WARM, INK = "#c9733b", "#2f7d6d", "#2b2f36"


def draw(
    path: Path,
    slices: Mapping[str, NDArray[Any]],
    cold: Mapping[str, float],
    warm: Mapping[str, float],
) -> None:
    """Save the picture as PNG.

    Parameters
    ----------
    path : Path
        Where to.
    slices : dict of ndarray, two-dimensional
        Images to show, by title.
    cold, warm : dict of float
        Seconds that each step took when it was computed, and when it was remembered.
    """
    # Not pyplot: it would look for a screen, and keep the figure.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5.8), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subfigures(2, 1, height_ratios=(1, 1.25))
    for axes, (title, image) in zip(above.subplots(1, len(slices)), slices.items(), strict=True):
        show_slice(axes, title, image)
    show_times(below.subplots(), cold, warm)
    figure.savefig(path, dpi=110)


def show_slice(axes: Axes, title: str, image: NDArray[Any]) -> None:
    """Draw one image, front of the head up; what has both signs in two colours."""
    signed = bool((image < 0).any())
    limit = float(np.percentile(np.abs(image), 99.5))
    axes.imshow(
        image.T,
        origin="lower",
        cmap="RdBu_r" if signed else "gray",
        vmin=-limit if signed else 0,
        vmax=limit,
    )
    axes.set_title(title, color=INK, fontsize=11)
    axes.set_axis_off()


def show_times(axes: Axes, cold: Mapping[str, float], warm: Mapping[str, float]) -> None:
    """Draw two bars per step on a logarithmic axis, first step on top."""
    steps = list(cold)
    places = np.arange(len(steps))[::-1]
    for runs, offset, color, label in (
        (cold, 0.2, COLD, "first run: computed"),
        (warm, -0.2, WARM, "second run, a new process: remembered"),
    ):
        seconds = [runs[step] for step in steps]
        bars = axes.barh(places + offset, seconds, 0.36, color=color, label=label)
        axes.bar_label(bars, [spoken(value) for value in seconds], padding=4, color=INK)
    axes.set_xscale("log")
    axes.set_xlim(lower_decade([*cold.values(), *warm.values()]), max(cold.values()) * 4)
    axes.set_yticks(places, steps)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("time of the call, seconds")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.legend(loc="lower right", frameon=False)


def lower_decade(seconds: Sequence[float]) -> float:
    """Return the power of ten below the shortest time, so that every bar can be seen."""
    return float(10.0 ** np.floor(np.log10(min(seconds)) - 0.1))


def spoken(seconds: float) -> str:
    """Return a time in the unit that suits it.

    Examples
    --------
    >>> spoken(0.00213), spoken(3.41)
    ('2.1 ms', '3.4 s')
    """
    return f"{seconds:.2g} s" if seconds >= 0.1 else f"{seconds * 1e3:.2g} ms"
