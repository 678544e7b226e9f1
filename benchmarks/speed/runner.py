"""Measures rows: each entrant in a process of its own, all taking turns."""

from __future__ import annotations

import math
import shutil
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.speed.client import PATIENCE_SECONDS, Failed, Worker
from benchmarks.speed.contestants import PEERS, Cannot
from benchmarks.speed.row import Entrant, Row


class Pace(NamedTuple):
    """How long to measure a row: so many seconds, within these numbers of rounds."""

    seconds: float
    fewest: int
    most: int


PACES = {
    "smallest": Pace(0.0, 1, 1),
    "quick": Pace(1.5, 3, 15),
    "full": Pace(12.0, 5, 51),
}
#: Nothing is measured meanwhile.
_PREPARED_AT_ONCE = 2


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


class Runner:
    """Measures rows; each entrant runs in a process of its own.

    In the full form it serves one row, and starts as fresh as all others; otherwise row after row.

    Parameters
    ----------
    form : str
        One of `FORMS`.
    scratch : Path
        Where files go meanwhile.
    """

    def __init__(self, form: str, scratch: Path) -> None:
        self.form, self.scratch = form, scratch
        self._pace = PACES[form]
        self._workers: dict[tuple[str, Path | None], Worker] = {}

    def measure(self, row: Row, entrants: Sequence[Entrant] = ()) -> Outcome:
        """Measure a row, with its own entrants or with others."""
        outcome, place = Outcome(row), self.scratch / row.name
        chosen = {entrant.label: entrant for entrant in entrants or row.entrants}
        with ThreadPoolExecutor(_PREPARED_AT_ONCE) as pool:
            places = [place / str(number) for number in range(len(chosen))]
            able = list(pool.map(partial(self._is_ready, outcome), chosen.values(), places))
        ready = [label for label, is_able in zip(chosen, able, strict=True) if is_able]
        crew = {label: self._worker(chosen[label]) for label in ready}
        self._rounds(crew, outcome)
        for label in ready:
            self._finish(chosen[label], outcome)
        shutil.rmtree(place, ignore_errors=True)
        if self.form == "full":
            self.close()
        return outcome

    def _worker(self, entrant: Entrant) -> Worker:
        key = entrant.label, entrant.tree
        if key not in self._workers:
            patience = 600 if self.form == "full" else PATIENCE_SECONDS
            self._workers[key] = Worker(self.scratch, entrant.tree, patience)
        return self._workers[key]

    def _is_ready(self, outcome: Outcome, entrant: Entrant, folder: Path) -> bool:
        options = {**outcome.row.options_in(self.form), **entrant.options}
        work = entrant.work or outcome.row.work
        if entrant.label in outcome.row.full_only and self.form != "full":
            outcome.failures[entrant.label] = "in the full form only"
            return False
        try:
            worker = self._worker(entrant)
            note = worker.prepare(work, entrant.contestant, folder=folder, **options)
        except (Cannot, Failed) as reason:
            self._drop(entrant, outcome, reason)
            return False
        if note:
            outcome.notes[entrant.label] = note
        outcome.figures[entrant.label] = []
        return True

    def _rounds(self, crew: dict[str, Worker], outcome: Outcome) -> None:
        """Let all measure in turn, another one first each time, until the row's time is up."""
        labels, started, slow = list(crew), time.perf_counter(), set[str]()
        for number in range(self._pace.most):
            if number >= self._pace.fewest and time.perf_counter() - started > self._pace.seconds:
                return
            turn = number % max(1, len(labels))
            for label in labels[turn:] + labels[:turn]:
                began = time.perf_counter()
                outcome.figures[label].append(math.nan if label in slow else _figure(crew[label]))
                taken = time.perf_counter() - began
                if taken > self._pace.seconds / 4 and label in PEERS:
                    slow.add(label)  # one look is enough to see how much slower it is

    def _finish(self, entrant: Entrant, outcome: Outcome) -> None:
        """Drop an entrant's figures unless it still gives what it should."""
        try:
            self._worker(entrant).check()
            self._worker(entrant).forget()
        except Failed as reason:
            del outcome.figures[entrant.label]
            self._drop(entrant, outcome, reason)

    def _drop(self, entrant: Entrant, outcome: Outcome, reason: Exception) -> None:
        outcome.failures[entrant.label] = str(reason)
        if isinstance(reason, Failed):
            # Whatever state it is in: the next row begins with a new process.
            self._workers.pop((entrant.label, entrant.tree)).close()

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all processes."""
        while self._workers:
            self._workers.popitem()[1].close()


def _figure(worker: Worker) -> float:
    try:
        return worker.figure()
    except Failed:
        return math.nan  # `_finish` finds out why
