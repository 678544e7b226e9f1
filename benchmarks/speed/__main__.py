"""Measures neurotools beside other caches and the raw limit, all taking turns.

    python -m benchmarks.speed --quick         # three minutes
    python -m benchmarks.speed --full --keep   # for a quiet machine; writes what the docs show
    python -m benchmarks.speed --rows hit,miss

The first time it makes a virtual environment of its own, ``.venv-bench``, from PyPI.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.speed.environment import go_there
from benchmarks.tables import keep


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--quick", dest="form", action="store_const", const="quick")
    form.add_argument("--full", dest="form", action="store_const", const="full")
    form.add_argument("--smallest", dest="form", action="store_const", const="smallest")
    parser.add_argument("--rows", default="", help="names of rows, with commas between")
    parser.add_argument("--keep", action="store_true", help="write what the documentation shows")
    parser.add_argument("--folder", help="where files go meanwhile; by default a temporary one")
    parser.set_defaults(form="quick")
    chosen = parser.parse_args()
    go_there("benchmarks.speed")
    run(chosen)


def run(chosen: argparse.Namespace) -> None:
    from benchmarks.speed import report
    from benchmarks.speed.rows import ROWS
    from benchmarks.speed.runner import Runner

    wanted = [row for row in ROWS if not chosen.rows or row.name in chosen.rows.split(",")]
    outcomes, started = [], time.perf_counter()
    with (
        tempfile.TemporaryDirectory(prefix="speed-", dir=chosen.folder) as scratch,
        Runner(chosen.form, Path(scratch)) as runner,
    ):
        for row in wanted:
            outcomes.append(runner.measure(row))
            print(report.line(outcomes[-1], time.perf_counter() - started), flush=True)
    seconds = time.perf_counter() - started
    for name, text in report.tables(outcomes, chosen.form, seconds).items():
        print(f"\n{text}")
        if chosen.keep:
            keep(name, text)


if __name__ == "__main__":
    main()
