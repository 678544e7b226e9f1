"""What a row of the table is. Not here: the rows (`rows`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.speed.contestants import OURS, PEERS, RAW

#: Double floats in an array of so many bytes.
KB, MB = 128, 131_072
#: Those who take long to set up where there are many processes or entries.
WAITING = ("cachier", "checkpointer", "klepto")

FORMS = ("smallest", "quick", "full")

#: Units of figures: what a second, a byte or whatever a work measures is multiplied with.
UNITS = {"µs": 1e6, "ms": 1e3, "s": 1.0, "times": 1.0, "MB": 1e-6, "/s": 1.0, "MB/s": 1e-6}


@dataclass(frozen=True)
class Entrant:
    """A contestant in one row.

    Attributes
    ----------
    label : str
        What tells it from the others in the row.
    contestant : str
        ``'raw'``, or a name in `ADAPTERS`.
    options : mapping
        Of the work, where they differ from the row's.
    tree : Path or None
        Folder whose ``neurotools`` runs, if not this one's.
    work : str
        Name in `WORKS`, if it is another than the row's.
    """

    label: str
    contestant: str
    options: Mapping[str, Any] = field(default_factory=dict)
    tree: Path | None = None
    work: str = ""


def each(*names: str, **options: Any) -> tuple[Entrant, ...]:
    """Return contestants under their own names."""
    return tuple(Entrant(name, name, options) for name in names)


EVERYBODY = each(RAW, OURS, *PEERS)


@dataclass(frozen=True)
class Row:
    """Something measured.

    Attributes
    ----------
    name : str
        Short, for the command line.
    title : str
        What is done.
    work : str
        Name in `WORKS`.
    options : mapping
        Of the work: under ``'smallest'``, ``'quick'`` and ``'full'``, each taking what it does not
        say from the one before.
    goal : float
        What ours is to come to, at most: as a ratio to `against`, or in the unit.
    against : str
        Label of the entrant that ours is compared with; empty where the goal is in the unit.
    limit : str
        What that entrant does, in words.
    beyond : bool
        Whether the goal is what ours may take more, in the unit, instead of a ratio.
    unit : str
        Of the figures, see `UNITS`.
    at_least : bool
        Whether larger is better.
    entrants : tuple of Entrant
        Who takes part.
    full_only : tuple of str
        Labels of those who would keep the quick form waiting.
    once : bool
        Whether it takes minutes to prepare, so that repetitions of the table leave it out.
    """

    name: str
    title: str
    work: str
    options: Mapping[str, Mapping[str, Any]]
    goal: float
    against: str = RAW
    limit: str = ""
    beyond: bool = False
    unit: str = "µs"
    at_least: bool = False
    entrants: tuple[Entrant, ...] = EVERYBODY
    full_only: tuple[str, ...] = ()
    once: bool = False

    def options_in(self, form: str) -> dict[str, Any]:
        """Return the work's options in a form."""
        merged: dict[str, Any] = {}
        for one in FORMS[: FORMS.index(form) + 1]:
            merged |= self.options.get(one, {})
        return merged

    def is_met(self, figure: float) -> bool:
        return figure >= self.goal if self.at_least else figure <= self.goal
