"""Areas in a rectangle, as near to squares as they can be: the treemap of the pictures.

The page has the same in its script, since it is drawn anew for each width.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Area(NamedTuple):
    """A rectangle: its corner, its width and height."""

    x: float
    y: float
    width: float
    height: float


def squarified(sizes: Sequence[float], room: Area) -> Iterator[tuple[int, Area]]:
    """Give each size its part of a rectangle.

    Parameters
    ----------
    sizes : sequence of float
        The largest first, none below zero.
    room : Area
        The rectangle.

    Yields
    ------
    tuple of int and Area
        Number of a size, and its part.

    References
    ----------
    M. Bruls, K. Huizing, J. van Wijk, Squarified Treemaps, 2000.

    Examples
    --------
    >>> [tuple(area) for _, area in squarified([2, 1, 1], Area(0, 0, 2, 1))]
    [(0, 0.0, 1.0, 1.0), (1.0, 0.0, 1.0, 0.5), (1.0, 0.5, 1.0, 0.5)]
    """
    x, y, width, height = room
    left, at = float(sum(sizes)), 0
    while at < len(sizes) and left > 0 and min(width, height) > 0:
        side, scale = min(width, height), width * height / left
        end, taken = _row(sizes, at, side, scale)
        across, along = taken * scale / side if taken else 0.0, 0.0
        for number in range(at, end):
            length = sizes[number] * scale / across if across else 0.0
            if width >= height:
                yield number, Area(x, y + along, across, length)
            else:
                yield number, Area(x + along, y, length, across)
            along += length
        if width >= height:
            x, width = x + across, width - across
        else:
            y, height = y + across, height - across
        left, at = left - taken, end


def _row(sizes: Sequence[float], at: int, side: float, scale: float) -> tuple[int, float]:
    """Return how many areas stand in the next row, and their sum."""
    worst, taken, end = math.inf, 0.0, at
    while end < len(sizes) and sizes[end] > 0:
        across = (taken + sizes[end]) * scale / side
        lengths = [size * scale / across for size in (sizes[at], sizes[end])]
        ratio = max(max(length / across, across / length) for length in lengths)
        if ratio > worst:
            break
        worst, taken, end = ratio, taken + sizes[end], end + 1
    return max(end, at + 1), taken
