"""Sizes, times and dates as people write and read them."""

from __future__ import annotations

import argparse
import re

from neurotools.memo.spoken import ago, count, date, size, span, stamp
from neurotools.memo.tiers.limits import bytes_of

__all__ = ["ago", "bytes_in", "count", "date", "seconds_in", "size", "span", "stamp"]

_LONG = {"s": 1, "min": 60, "h": 3600, "d": 86400, "w": 604800, "mo": 2629800, "y": 31557600}
_SPAN = r"(\d+(?:\.\d*)?|\.\d+)\s*(s|min|h|d|w|mo|y)"


def bytes_in(text: str) -> int:
    """Return the bytes that a person means.

    Examples
    --------
    >>> bytes_in("50GB"), bytes_in("1.5 MiB"), bytes_in("2e9")
    (50000000000, 1572864, 2000000000)

    Raises
    ------
    argparse.ArgumentTypeError
        If it is no size.
    """
    try:
        return bytes_of(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no size; write 50GB, 300MB or 2GiB"
        ) from None


def seconds_in(text: str) -> float:
    """Return the seconds that a person means.

    Examples
    --------
    >>> seconds_in("90d"), seconds_in("1.5h")
    (7776000.0, 5400.0)

    Raises
    ------
    argparse.ArgumentTypeError
        If it is no length of time.
    """
    found = re.fullmatch(_SPAN, text.strip().lower())
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no age; write 90d, 12h, 30min, 6mo or 1y")
    return float(found[1]) * _LONG[found[2]]
