"""How cost grows: with entries, with the result's size, with helpers, processes and tiers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.speed.contestants import OURS, RAW
from benchmarks.speed.report import amount
from benchmarks.speed.row import Entrant, Row
from benchmarks.speed.runner import Runner

#: What differs by less counts as flat.
_FLAT = 1.5


@dataclass(frozen=True)
class Line:
    """One line of a plot: who does what, and between which points."""

    label: str
    contestant: str
    work: str
    options: Mapping[str, Any]
    least: int = 0
    most: float = math.inf


@dataclass(frozen=True)
class Growth:
    """A plot of seconds against something.

    Attributes
    ----------
    name : str
        Of its files.
    title : str
        What is done.
    against : str
        What grows, in words; its values are whole numbers.
    option : str
        The works' option that it is.
    per_option : int
        What one of the option is of what grows: 8 for bytes in a double float.
    points : mapping
        Values by form.
    lines : tuple of Line
        Who takes part.
    why : str
        The reason for its shape.
    """

    name: str
    title: str
    against: str
    option: str
    points: Mapping[str, Sequence[int]]
    lines: tuple[Line, ...]
    why: str
    per_option: int = 1


GROWTHS = (
    Growth(
        "entries",
        "a hit, by the function's entries",
        "entries",
        "entries",
        {
            "smallest": (10, 20),
            "quick": (100, 1000, 10_000),
            "full": (100, 1000, 10_000, 100_000, 1_000_000),
        },
        (Line("hit", OURS, "hit_among", {}),),
        "A hit opens the one file whose name it knows; the file system finds a name in a folder "
        "through an index, a little deeper in larger folders.",
    ),
    Growth(
        "size",
        "a hit, by the result's size",
        "bytes of the result",
        "count",
        {
            "smallest": (1 << 10, 1 << 12),
            "quick": tuple(1 << n for n in (10, 14, 17, 20, 23, 26)),
            "full": tuple(1 << n for n in (10, 13, 16, 18, 20, 22, 24, 27, 30, 32)),
        },
        (
            Line("hit", OURS, "hit", {}),
            Line("np.load", RAW, "hit", {}),
            # All files are to stay in the system's memory together.
            Line("hit, mapped", OURS, "hit", {"mmap": True}, most=1 << 30),
        ),
        "Flat while finding the file costs more than its bytes; then each byte is read, and "
        "verified, once, and the slope is that of memory. It is steeper where a result outgrows "
        "the processor's caches, and where the system gives fresh pages to each result instead of "
        "those of the last one.",
        per_option=8,
    ),
    Growth(
        "helpers",
        "a hit, by the functions that the remembered one reaches",
        "functions reached",
        "helpers",
        {"smallest": (1, 5), "quick": (1, 10, 100), "full": (1, 3, 10, 30, 100, 300, 1000)},
        (Line("hit", OURS, "hit_reaching", {}),),
        "Each call makes sure that every function reached is still the one that was followed: flat "
        "while that takes less than finding the file, then straight.",
    ),
    Growth(
        "processes",
        "processes hitting at once: time between two hits of any of them",
        "processes",
        "processes",
        {"smallest": (1, 2), "quick": (1, 2, 4), "full": (1, 2, 4, 8, 16)},
        (
            Line("hit", OURS, "hits_of_all", {"count": 128, "seconds": 0.2}),
            Line("np.load", RAW, "hits_of_all", {"count": 128, "seconds": 0.2}),
        ),
        "Hits take no lock, so processes share the work until there is one for each processor; "
        "more take turns, and the line is flat from there.",
    ),
    Growth(
        "tiers",
        "a hit, by the number of folders",
        "tiers",
        "tiers",
        {"smallest": (1, 2), "quick": (1, 2, 3, 4), "full": (1, 2, 3, 4)},
        (
            Line("in the fastest", OURS, "hit", {"count": 128}),
            Line("in the slowest, copied up", OURS, "promote", {"count": 128}, least=2),
        ),
        "What is in the fastest tier is found there, however many are below. What is in the "
        "slowest is missed in each tier above it and written to each of those.",
    ),
)

Points = dict[str, list[tuple[int, float]]]


def measure(growth: Growth, form: str, scratch: Path) -> Points:
    """Return medians in seconds for each line, all points measured in turn."""
    row = Row(growth.name, growth.title, "", {}, goal=0.0)
    found: Points = {line.label: [] for line in growth.lines}
    with Runner(form, scratch / growth.name) as runner:
        entrants = {
            (line.label, x): Entrant(
                f"{line.label} {x}", line.contestant, _options(line, growth, x), work=line.work
            )
            for line in growth.lines
            for x in growth.points[form]
            if line.least <= x <= line.most
        }
        outcome = runner.measure(row, list(entrants.values()))
    for (label, x), entrant in entrants.items():
        found[label].append((x, outcome.median(entrant.label)))
    return found


def _options(line: Line, growth: Growth, x: int) -> dict[str, Any]:
    return {**line.options, growth.option: x // growth.per_option}


# ---------------------------------------------------------------- in words


def paragraph(growth: Growth, points: Points, picture: str) -> str:
    """Return the picture, what the figures say, and the reason."""
    shapes = [f"*{label}*: {_shape(line, growth.against)}" for label, line in points.items()]
    image = f".. image:: {picture}\n   :alt: {growth.title}\n"
    return f"{image}\n{'; '.join(shapes)}. {growth.why}\n"


def _shape(line: Sequence[tuple[int, float]], against: str) -> str:
    known = [(x, y) for x, y in line if not math.isnan(y)]
    if len(known) < 2:
        return "not measured"
    (low, first), (high, last) = known[0], known[-1]
    ends = f"{amount(first, 's')} at {low:,}, {amount(last, 's')} at {high:,} {against}"
    times = [y for _, y in known]
    if max(times) <= _FLAT * min(times):
        return f"flat, {ends}"
    bend = max((x for x, y in known if y <= _FLAT * first), default=low)
    flat = f", flat up to {bend:,}" if low < bend < high else ""
    (before, y), (_, _) = known[-2:]
    power = math.log(last / y) / math.log(high / before)
    return f"{ends}{flat}, between the last two points as the power {power:.2f}"


# ---------------------------------------------------------------- as a picture


def draw(growth: Growth, points: Points, path: Path) -> None:
    """Draw a plot on logarithmic axes."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    # Letters stay letters, and equal figures make equal files.
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "speed", "font.size": 9})
    figure, axes = plt.subplots(figsize=(5.2, 3), layout="constrained")
    for label, line in points.items():
        axes.loglog(*zip(*line, strict=True), marker="o", markersize=3, linewidth=1, label=label)
    axes.set(xlabel=growth.against, ylabel="seconds", title=growth.title)
    low, high = axes.get_ylim()
    axes.set_ylim(low / 2, high * 2)
    axes.grid(visible=True, linewidth=0.3)
    axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
