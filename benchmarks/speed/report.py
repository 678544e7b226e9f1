"""What came out, as tables."""

from __future__ import annotations

import datetime as dt
import math
import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.speed.contestants import IN_MEMORY, OURS, PEERS, RAW
from benchmarks.speed.row import UNITS, Row
from benchmarks.speed.runner import Outcome
from benchmarks.tables import grid

#: Compresses arrays, and keeps nothing in mind.
_ANCHOR = "blosc2"


def line(outcome: Outcome, seconds: float) -> str:
    """Return one row's outcome for people who wait."""
    row = outcome.row
    told = f"{row.name:20} goal {_goal(row):28} {_ours(outcome):24} {_verdict(outcome)}"
    return f"{seconds:4.0f} s  {told}"


def tables(rows: Sequence[Sequence[Outcome]], form: str, seconds: float) -> dict[str, str]:
    """Return the tables by the names of their files.

    Parameters
    ----------
    rows : sequence of sequence of Outcome
        For each row what came out, each time that it was measured.
    form : str
        One of `FORMS`.
    seconds : float
        How long it took.
    """
    most = max(map(len, rows), default=1)
    times = f" --times {most}" if most > 1 else ""
    told = circumstances(f"benchmarks.speed --{form}{times}", seconds)
    return {
        "speed-goals.inc": _goals(rows, each=most > 1) + "\n" + told,
        "speed-everybody.inc": _everybody([found[-1] for found in rows]) + "\n" + told,
    }


# ---------------------------------------------------------------- the goals


def _goals(rows: Sequence[Sequence[Outcome]], *, each: bool) -> str:
    header = ["work", "goal", "neurotools", "met", "limit", "best peer"]
    cells = [_goal_row(outcomes) for outcomes in rows]
    if each:
        header.insert(3, "each run")
        for row, outcomes in zip(cells, rows, strict=True):
            row.insert(3, ", ".join(map(_figure_alone, outcomes)))
    return grid(header, cells)


def _goal_row(outcomes: Sequence[Outcome]) -> list[str]:
    """Return what is said of a row: of the run in the middle."""
    middle = sorted(outcomes, key=_figure)[len(outcomes) // 2]
    verdicts = [_verdict(outcome) for outcome in outcomes]
    met = (
        verdicts[0] if len(set(verdicts)) == 1 else f"in {verdicts.count('yes')} of {len(verdicts)}"
    )
    row = middle.row
    return [row.title, _goal(row), _ours(middle), met, _limit(middle), _best_peer(middle)]


def _figure_alone(outcome: Outcome) -> str:
    is_ratio = outcome.row.against and not outcome.row.beyond
    return f"{_figure(outcome):.2f}" if is_ratio else amount(_figure(outcome), outcome.row.unit)


def _goal(row: Row) -> str:
    sign = "≥" if row.at_least else "≤"
    if row.beyond:
        return f"{sign} {row.limit} + {amount(row.goal, row.unit)}"
    if row.against:
        return f"{sign} {row.goal:g} of {row.limit}"
    return f"{sign} {amount(row.goal, row.unit)}"


def _figure(outcome: Outcome) -> float:
    """Return what the goal is about."""
    row = outcome.row
    if row.beyond:
        return outcome.median(OURS) - outcome.median(row.against)
    return outcome.ratio(OURS, row.against) if row.against else outcome.median(OURS)


def _ours(outcome: Outcome) -> str:
    if OURS in outcome.failures:
        return _plain(outcome.failures[OURS])
    told = amount(outcome.median(OURS), outcome.row.unit)
    if outcome.row.beyond:
        told = f"+ {amount(_figure(outcome), outcome.row.unit)} ({told})"
    elif outcome.row.against:
        told = f"{_figure(outcome):.2f} ({told})"
    note = outcome.notes.get(OURS)
    return f"{told}, {note}" if note else told


def _verdict(outcome: Outcome) -> str:
    figure = _figure(outcome)
    if math.isnan(figure):
        return "failed"
    return "yes" if outcome.row.is_met(figure) else "no"


def _limit(outcome: Outcome) -> str:
    for name in (outcome.row.against, RAW, _ANCHOR):
        if name in outcome.figures:
            told = amount(outcome.median(name), outcome.row.unit)
            return f"{name} {told}" if name == _ANCHOR else told
    return "—"


def _best_peer(outcome: Outcome) -> str:
    """Return the best of those that keep results for the next process, and how ours compares."""
    sign = -1 if outcome.row.at_least else 1
    able = {name: sign * outcome.median(name) for name in PEERS if name in outcome.figures}
    if not able:
        return "none can"
    best = min(able, key=lambda name: able[name])
    told = f"{best} {amount(outcome.median(best), outcome.row.unit)}"
    if best in outcome.notes:
        told += f", {outcome.notes[best]}"
    if OURS in outcome.figures:
        told += f", ours {outcome.ratio(OURS, best):.2f} of it"
    return told


# ---------------------------------------------------------------- everybody


def _everybody(outcomes: Sequence[Outcome]) -> str:
    names = (RAW, OURS, *PEERS, *IN_MEMORY, _ANCHOR)
    rows = [[o.row.title, *(_cell(o, name) for name in names)] for o in outcomes]
    return grid(["work", *names], rows) + "\n" + _reasons(outcomes)


def _cell(outcome: Outcome, name: str) -> str:
    if name not in outcome.figures:
        return "—"
    return amount(outcome.median(name), outcome.row.unit)


def _reasons(outcomes: Sequence[Outcome]) -> str:
    """Return why there are dashes, and what must be known of figures, as a list."""
    told: dict[str, list[str]] = {}
    for outcome in outcomes:
        for name, reason in (*outcome.failures.items(), *outcome.notes.items()):
            told.setdefault(f"{name}: {_plain(reason)}", []).append(outcome.row.name)
    lines = [f"- {reason} ({', '.join(rows)})" for reason, rows in sorted(told.items())]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Return text that means nothing to Sphinx, on one line."""
    return "".join(f"\\{c}" if c in "`*_|\\" else c for c in " ".join(text.split()))


# ---------------------------------------------------------------- figures, circumstances


def amount(figure: float, unit: str) -> str:
    """Return a figure with its unit, or with one that makes it readable where it is a time."""
    if math.isnan(figure):
        return "—"
    if unit in {"µs", "ms", "s"}:
        unit = "s" if figure >= 1 else "ms" if figure >= 1e-3 else "µs"
    value = figure * UNITS[unit]
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return text if unit == "times" else f"{text} {unit}"


def circumstances(command: str, seconds: float) -> str:
    """Return what was run, where and when, for below a table."""
    packages = ("numpy", *PEERS, "xxhash", "zstandard", "blosc2", "pandas")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"Measured with ``python -m {command}`` on {dt.date.today():%d %B %Y} in "
        f"{seconds / 60:.1f} minutes: {_machine()}, Python {platform.python_version()}, "
        f"{versions}. Files lie in the page cache.\n"
    )


def _machine() -> str:
    facts = [_processor(), f"{os.cpu_count()} processors"]
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        facts.append(f"{size / 1e9:.0f} GB of memory")
    if hasattr(os, "getloadavg"):
        # Above 2 or 3, other programs were at work: ratios hold better than times then.
        facts.append("load averages {:.1f}, {:.1f}, {:.1f} at the end".format(*os.getloadavg()))
    return ", ".join([*facts, platform.system()])


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        for told in facts.read_text().splitlines():
            if told.startswith("model name"):
                return told.partition(":")[2].strip()
    return platform.machine()
