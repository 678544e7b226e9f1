"""Sizes, times and dates as people write and read them."""

from __future__ import annotations

import argparse
import re

from neurotools.memo.spoken import ago, count, date, size, span, stamp
from neurotools.memo.tiers.limits import bytes_of

__all__ = ["ago", "bytes_in", "count", "date", "seconds_in", "size", "span", "stamp"]

_LONG = {"s": 1, "min": 60, "h": 3600, "d": 86400, "w": 604800, "mo": 2629800, "y": 31557600}
#: Other ways to write a unit, without the s of a plural.
_NAMES = {
    "sec": "s", "second": "s", "minute": "min", "hr": "h", "hour": "h", "day": "d",
    "wk": "w", "week": "w", "month": "mo", "yr": "y", "year": "y",
}  # fmt: skip
_SPAN = r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([a-z]+)"


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
        return 0 if re.fullmatch(r"0\s*[kmgtp]?i?b?", text.strip().lower()) else bytes_of(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no size; write 50GB, 300MB or 2GiB"
        ) from None


def seconds_in(text: str) -> float:
    """Return the seconds that a person means.

    Examples
    --------
    >>> seconds_in("90d"), seconds_in("1.5h"), seconds_in("2 weeks")
    (7776000.0, 5400.0, 1209600.0)

    Raises
    ------
    argparse.ArgumentTypeError
        If it is no length of time.
    """
    found = re.fullmatch(_SPAN, text.strip().lower())
    unit = found[2] if found else ""
    unit = unit if unit in _LONG else _NAMES.get(unit.removesuffix("s"), unit.removesuffix("s"))
    if found is None or unit not in _LONG:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no age; write 90d, '2 weeks', 12h, 30min, 6mo or 1y"
        )
    return float(found[1]) * _LONG[unit]
