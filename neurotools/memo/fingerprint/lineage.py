"""What running code has made of the values that it depends on.

A function may count its calls, keep what it has computed, draw from a generator. If each state made
another version of it, a loop over ten calls would leave ten versions, and another process, where
the first call is a hit and changes nothing, would find one result of ten. So a value that a run of
the function has changed counts as what it was before. What anybody else changes counts as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neurotools.memo.fingerprint.manifest import Part
from neurotools.memo.rows import Row

Parts = Mapping[tuple[str, str], Part]


class State(Row):
    """What one walk has found.

    Attributes
    ----------
    parts : mapping
        All parts, by kind and name.
    values : mapping
        The values, by the name of their part.
    rebound : set of str
        Names of parts that reachable code binds anew.
    """

    parts: Parts
    values: Mapping[str, Any]
    rebound: set[str]


class _Change(Row):
    """What the last run left, and what there was before the first."""

    left: str
    first: Part


#: By kind and name of the part, for all functions of the process: they share what they change.
_changes: dict[tuple[str, str], _Change] = {}


def ran(before: State, after: State) -> None:
    """Note what a run of the function has changed."""
    for key, part in after.parts.items():
        was = before.parts.get(key)
        if was is not None and was.digest != part.digest and _is_its_own(part, before, after):
            _changes[key] = _Change(part.digest, original(was))


def _is_its_own(part: Part, before: State, after: State) -> bool:
    """Whether code that ran can have changed a part: in place, or under a name that it binds."""
    if part.kind != "value" or part.name not in before.values:
        return False
    same = before.values[part.name] is after.values.get(part.name)
    return same or part.name in after.rebound


def original(part: Part) -> Part:
    """Return a part as it was before the function's own runs changed it."""
    change = _changes.get((part.kind, part.name))
    return change.first if change is not None and change.left == part.digest else part
