"""Sizes, times and dates as people read them. Not here: as they write them (`console.spoken`)."""

from __future__ import annotations

import math
import time

_THOUSAND, _NAMES = 1000, "kMGTPE"
#: What is older is told by its date.
_RECENT_DAYS = 45


def size(count: float) -> str:
    """Return a number of bytes in the unit that suits it.

    Examples
    --------
    >>> size(17), size(4_096), size(1_234_567), size(5e10)
    ('17 B', '4.1 kB', '1.2 MB', '50 GB')
    """
    if count < _THOUSAND:
        return f"{count:.0f} B"
    power = min(int(math.log10(count) / 3 + 1e-12), len(_NAMES))
    if round(count / _THOUSAND**power) >= _THOUSAND:
        power += 1
    return _short(count / _THOUSAND**power, f"{_NAMES[power - 1]}B")


def span(seconds: float) -> str:
    """Return a length of time in the unit that suits it.

    Examples
    --------
    >>> span(0.00213), span(3.41), span(5000), span(200_000), span(4e7)
    ('2.1 ms', '3.4 s', '1.4 h', '2.3 d', '1.3 y')
    """
    if not seconds > 0:
        return "0 s" if seconds == 0 else "?"
    for unit, length in (("y", 31557600), ("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if seconds >= 0.9995 * length:
            return _short(seconds / length, unit)
    return _short(seconds * 1e3, "ms") if seconds >= 1e-3 else _short(seconds * 1e6, "µs")


def _short(value: float, unit: str) -> str:
    return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"


def ago(when: float, now: float | None = None) -> str:
    """Return how long ago something was, or its date where that says more.

    Examples
    --------
    >>> ago(1000, now=1030), ago(1000, now=1000 + 7200), ago(0, now=1e9)
    ('just now', '2 h ago', '1970-01-01')
    """
    passed = (time.time() if now is None else now) - when
    if passed < -60:
        return "in the future"
    if passed < 60:
        return "just now"
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if passed >= length:
            if passed > _RECENT_DAYS * 86400:
                return date(when)[:10]
            return f"{passed / length:.0f} {unit} ago"
    raise AssertionError("unreachable")


def date(when: float) -> str:
    """Return a time of the clock on the wall here, to the minute."""
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(when))
    except (OverflowError, ValueError, OSError):
        return "?"


def stamp(when: float) -> str:
    """Return a time for programs: ISO 8601, UTC."""
    try:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when))
    except (OverflowError, ValueError, OSError):
        return ""


def count(number: int, singular: str, plural: str = "") -> str:
    """Return a number with what it counts.

    Examples
    --------
    >>> count(1, "entry", "entries"), count(12_000, "entry", "entries")
    ('1 entry', '12,000 entries')
    """
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
