"""Has a commit made neurotools slower? Measures two commits on this machine, taking turns.

    python -m benchmarks.compare main HEAD
    python -m benchmarks.compare v1.0 . --rows hit,miss    # a dot: the files as they are now

Each row of the benchmark of speed is measured three times in every round: the first commit, the
first commit again, and the second one. How much the first differs from itself is the noise. The
second has become slower where half of the rounds say so by more than the threshold, and three in
four by more than the noise. Nothing depends on how fast the machine is.

Exit status: 0 if no row has become slower, 1 if one has, 2 if one could not be measured.
"""

from __future__ import annotations

import argparse
import io
import math
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.speed.contestants import OURS
from benchmarks.speed.environment import go_there
from benchmarks.speed.row import Entrant, Row
from benchmarks.speed.runner import Outcome, Runner
from benchmarks.tables import ROOT, grid

THRESHOLD = 0.10
_BEFORE, _AGAIN, _AFTER = "before", "before, again", "after"
_HEADER = ["row", "after / before", "lower quartile", "noise", "verdict"]


class Verdict(NamedTuple):
    """What the rounds of one row say; ratios above 1 are slower.

    Attributes
    ----------
    ratio, low : float
        Median and lower quartile of the second commit's figures to the first one's.
    noise : float
        Upper quartile of the first commit's figures to its own, or of the inverse.
    is_slower : bool
        Whether that is a regression.
    """

    ratio: float
    low: float
    noise: float
    is_slower: bool


def unpack(commit: str, folder: Path) -> Path:
    """Return a folder that holds a commit's ``neurotools`` and nothing else."""
    if commit == ".":
        return ROOT
    packed = subprocess.run(
        ["git", "archive", commit, "neurotools"], cwd=ROOT, check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def entrants(row: Row, before: Path, after: Path) -> list[Entrant]:
    """Return ours in both commits, the first twice, with the row's own options for ours."""
    own = next(entrant.options for entrant in row.entrants if entrant.label == OURS)
    trees = {_BEFORE: before, _AGAIN: before, _AFTER: after}
    return [Entrant(label, OURS, own, tree) for label, tree in trees.items()]


def judge(outcome: Outcome, threshold: float) -> Verdict:
    """Return what the rounds say."""
    slower = _ratios(outcome, _AFTER)
    itself = _ratios(outcome, _AGAIN)
    if not slower or not itself:
        return Verdict(math.nan, math.nan, math.nan, is_slower=False)
    ratio, low = statistics.median(slower), _quartile(slower, 0)
    noise = max(_quartile(itself, 2), 1 / _quartile(itself, 0))
    return Verdict(ratio, low, noise, ratio > 1 + threshold and low > noise)


def _ratios(outcome: Outcome, label: str) -> list[float]:
    found = [ratio for ratio in outcome.ratios(label, _BEFORE) if ratio > 0]
    return [1 / ratio for ratio in found] if outcome.row.at_least else found


def _quartile(values: Sequence[float], which: int) -> float:
    if len(values) < 2:
        return values[0]
    return statistics.quantiles(values, n=4, method="inclusive")[which]


def told(outcome: Outcome, verdict: Verdict, threshold: float) -> list[str]:
    """Return a row of the table."""
    if math.isnan(verdict.ratio):
        reason = "; ".join(f"{name}: {why}" for name, why in outcome.failures.items())
        return [outcome.row.name, "", "", "", reason or "no figures"]
    words = "slower" if verdict.is_slower else "as before"
    if verdict.ratio < 1 / (1 + threshold) and verdict.ratio < 1 / verdict.noise:
        words = "faster"
    cells = [f"{figure:.2f}" for figure in (verdict.ratio, verdict.low, verdict.noise)]
    return [outcome.row.name, *cells, words]


def compare(chosen: argparse.Namespace) -> int:
    """Measure, print the table, and return the exit status."""
    from benchmarks.speed.rows import ROWS

    wanted = [row for row in ROWS if not chosen.rows or row.name in chosen.rows.split(",")]
    lines, verdicts = [], []
    with tempfile.TemporaryDirectory(prefix="compare-") as name:
        scratch = Path(name)
        trees = [
            unpack(commit, scratch / f"tree-{i}")
            for i, commit in enumerate((chosen.before, chosen.after))
        ]
        with Runner(chosen.form, scratch) as runner:
            for row in wanted:
                outcome = runner.measure(row, entrants(row, *trees))
                verdicts.append(judge(outcome, chosen.threshold))
                lines.append(told(outcome, verdicts[-1], chosen.threshold))
                print("  ".join(lines[-1]), flush=True)
    print("\n" + grid(_HEADER, lines))
    if any(math.isnan(verdict.ratio) for verdict in verdicts):
        return 2
    return int(any(verdict.is_slower for verdict in verdicts))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("before", help="a commit")
    parser.add_argument("after", help="another one, or a dot for the files as they are")
    parser.add_argument("--rows", default="", help="names of rows, with commas between")
    parser.add_argument("--threshold", type=float, default=THRESHOLD, help="0.1 is a tenth slower")
    parser.add_argument("--full", dest="form", action="store_const", const="full", default="quick")
    chosen = parser.parse_args()
    go_there("benchmarks.compare")
    sys.exit(compare(chosen))


if __name__ == "__main__":
    main()
