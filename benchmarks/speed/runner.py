"""Measures a row: each entrant in a process of its own, taking turns."""

from __future__ import annotations

import math
import shutil
import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from benchmarks.speed.client import Failed, Worker
from benchmarks.speed.contestants import Cannot
from benchmarks.speed.row import Entrant, Row


class Pace(NamedTuple):
    """How long to measure a row: so many seconds, within these numbers of rounds."""

    seconds: float
    fewest: int
    most: int


PACES = {
    "smallest": Pace(0.0, 1, 1),
    "quick": Pace(1.5, 3, 15),
    "full": Pace(20.0, 7, 51),
}
#: Of the rounds, all have measured so many, and then the slowest drop out.
_ROUNDS_OF_ALL = 3


@dataclass
class Outcome:
    """What came out of a row.

    Attributes
    ----------
    figures : dict
        For each entrant's label its figure in each round; NaN where it was left out.
    notes : dict
        What a reader must know of an entrant's figures.
    failures : dict
        Why entrants have none.
    """

    row: Row
    figures: dict[str, list[float]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def median(self, label: str) -> float:
        known = [x for x in self.figures.get(label, ()) if not math.isnan(x)]
        return statistics.median(known) if known else math.nan

    def ratios(self, label: str, to: str) -> list[float]:
        """Return the ratios of two entrants' figures, round by round."""
        pairs = zip(self.figures.get(label, ()), self.figures.get(to, ()), strict=False)
        return [one / other for one, other in pairs if other and not math.isnan(one + other)]

    def ratio(self, label: str, to: str) -> float:
        found = self.ratios(label, to)
        return statistics.median(found) if found else math.nan


def measure(row: Row, form: str, scratch: Path, entrants: Sequence[Entrant] = ()) -> Outcome:
    """Measure a row in a form; its files lie in a folder meanwhile."""
    outcome = Outcome(row)
    place = scratch / row.name
    with ExitStack() as stack:
        crew: dict[str, Worker] = {}
        for entrant in entrants or row.entrants:
            worker = stack.enter_context(Worker(place, entrant.tree))
            if _is_ready(worker, entrant, row, form, outcome):
                crew[entrant.label] = worker
        _rounds(crew, PACES[form], outcome)
        for label, worker in crew.items():
            _check(worker, label, outcome)
    shutil.rmtree(place, ignore_errors=True)
    return outcome


def _is_ready(worker: Worker, entrant: Entrant, row: Row, form: str, outcome: Outcome) -> bool:
    options = {**row.options_in(form), **(entrant.options if form != "smallest" else {})}
    try:
        note = worker.prepare(row.work, entrant.contestant, **options)
        worker.figure()  # to warm up
    except (Cannot, Failed) as reason:
        outcome.failures[entrant.label] = str(reason)
        return False
    if note:
        outcome.notes[entrant.label] = note
    outcome.figures[entrant.label] = []
    return True


def _rounds(crew: dict[str, Worker], pace: Pace, outcome: Outcome) -> None:
    """Let all measure in turn, another one first each time, until the row's time is up."""
    labels, started, slow = list(crew), time.perf_counter(), set[str]()
    for number in range(pace.most):
        if number >= pace.fewest and time.perf_counter() - started > pace.seconds:
            return
        turn = number % max(1, len(labels))
        for label in labels[turn:] + labels[:turn]:
            began = time.perf_counter()
            outcome.figures[label].append(math.nan if label in slow else _figure(crew, label))
            taken = time.perf_counter() - began
            if number + 1 >= _ROUNDS_OF_ALL and taken > pace.seconds / 5:
                slow.add(label)


def _figure(crew: dict[str, Worker], label: str) -> float:
    try:
        return crew[label].figure()
    except Failed:
        return math.nan


def _check(worker: Worker, label: str, outcome: Outcome) -> None:
    """Drop an entrant's figures unless it still gives what it should."""
    try:
        worker.check()
    except Failed as reason:
        outcome.failures[label] = str(reason)
        del outcome.figures[label]
