"""Measures neurotools beside other caches and the raw limit, all taking turns.

    python -m benchmarks.speed --quick         # some minutes
    python -m benchmarks.speed --full --keep --times 3   # on a quiet machine, for the docs
    python -m benchmarks.speed --rows hit,miss --only table

The first time it makes a virtual environment of its own, ``.venv-bench``, from PyPI.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.speed.environment import go_there
from benchmarks.tables import ROOT, keep

if TYPE_CHECKING:
    from benchmarks.speed.runner import Outcome

PICTURES = ROOT / "docs" / "pictures"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    form = parser.add_mutually_exclusive_group()
    for name in ("quick", "full", "smallest"):
        form.add_argument(f"--{name}", dest="form", action="store_const", const=name)
    parser.add_argument("--rows", default="", help="names of rows or plots, with commas between")
    parser.add_argument("--times", type=int, default=1, help="how often to measure the whole table")
    parser.add_argument("--only", choices=("table", "growth"), help="leave out the other")
    parser.add_argument("--keep", action="store_true", help="write what the documentation shows")
    parser.add_argument("--folder", help="where files go meanwhile; by default a temporary one")
    parser.set_defaults(form="quick")
    chosen = parser.parse_args()
    go_there("benchmarks.speed")
    if unknown := set(filter(None, chosen.rows.split(","))) - _names().keys():
        parser.error(f"no such rows: {', '.join(sorted(unknown))}; there are {' '.join(_names())}")
    with tempfile.TemporaryDirectory(prefix="speed-", dir=chosen.folder) as scratch:
        texts: dict[str, str] = {}
        if chosen.only != "growth":
            texts |= table(chosen, Path(scratch))
        if chosen.only != "table":
            texts |= growths(chosen, Path(scratch))
    for name, text in texts.items():
        print(f"\n{text}")
        if chosen.keep:
            keep(name, text)


def table(chosen: argparse.Namespace, scratch: Path) -> dict[str, str]:
    """Measure the rows, and return the tables by the names of their files."""
    from benchmarks.speed import report
    from benchmarks.speed.rows import ROWS
    from benchmarks.speed.runner import Runner

    wanted, started = [row for row in ROWS if _is_wanted(row.name, chosen)], time.perf_counter()
    outcomes: list[list[Outcome]] = [[] for _ in wanted]
    for time_of_all in range(chosen.times):
        with Runner(chosen.form, scratch) as runner:
            for row, found in zip(wanted, outcomes, strict=True):
                if not (row.once and time_of_all):
                    found.append(runner.measure(row))
                    print(report.line(found[-1], time.perf_counter() - started), flush=True)
    return report.tables(outcomes, chosen.form, time.perf_counter() - started)


def growths(chosen: argparse.Namespace, scratch: Path) -> dict[str, str]:
    """Measure how cost grows, and draw it; return what is said of it by the name of its file."""
    from benchmarks.speed import growth
    from benchmarks.speed.report import circumstances

    parts, started = [], time.perf_counter()
    for one in growth.GROWTHS:
        if _is_wanted(one.name, chosen):
            points = growth.measure(one, chosen.form, scratch)
            picture = f"speed-{one.name}.svg"
            growth.draw(one, points, (PICTURES if chosen.keep else scratch) / picture)
            parts.append(growth.paragraph(one, points, f"pictures/{picture}"))
            print(f"{time.perf_counter() - started:4.0f} s  {one.name}", flush=True)
    parts.append(circumstances(f"benchmarks.speed --{chosen.form}", time.perf_counter() - started))
    return {"speed-growth.inc": "\n".join(parts)}


def _names() -> dict[str, None]:
    """Return what can be measured, in order."""
    from benchmarks.speed.growth import GROWTHS
    from benchmarks.speed.rows import ROWS

    return dict.fromkeys([one.name for one in (*ROWS, *GROWTHS)])


def _is_wanted(name: str, chosen: argparse.Namespace) -> bool:
    return not chosen.rows or name in chosen.rows.split(",")


if __name__ == "__main__":
    main()
