"""What entries come to, by version and function, and which of these are worth a name."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

#: So many functions and versions are named at most, and modules with functions that are not.
FUNCTIONS, VERSIONS, MODULES = 1000, 6000, 500
#: Of those, so many since they have saved most; the others since they are largest.
SAVERS = 300


@dataclasses.dataclass
class Held:
    """What some entries come to.

    Attributes
    ----------
    entries, size, room : int
        How many there are, their bytes, and the bytes that they take on the disk.
    loads : int
        How often they were loaded, and such as are gone, as far as that was noted.
    saved, cost : float
        Seconds that loading has saved; seconds that computing all anew would take, as far as known.
    computed : int
        How many were ever computed, those that are gone among them; 0 where nothing was noted.
    first, last, used : float
        When the first and the last were written, and when one was last used.
    idle : float
        Bytes on the disk times the seconds since their last use, added up.
    """

    entries: int = 0
    size: int = 0
    room: int = 0
    loads: int = 0
    saved: float = 0.0
    cost: float = 0.0
    computed: int = 0
    first: float = math.inf
    last: float = 0.0
    used: float = 0.0
    idle: float = 0.0

    @property
    def hit_rate(self) -> float | None:
        """Loads among all calls that were noted; None where none was."""
        return self.loads / (self.loads + self.computed) if self.computed else None

    def add(self, other: Held) -> None:
        """Take others in."""
        self.entries += other.entries
        self.size += other.size
        self.room += other.room
        self.loads += other.loads
        self.saved += other.saved
        self.cost += other.cost
        self.computed += other.computed
        self.first = min(self.first, other.first)
        self.last = max(self.last, other.last)
        self.used = max(self.used, other.used)
        self.idle += other.idle


class Version(NamedTuple):
    """One version of a function, and what is held of it."""

    code: str
    held: Held


@dataclasses.dataclass
class Function:
    """One function: the cache, its folder there, all that is held of it, and its versions.

    ``versions`` are those that are named, the last used one first; ``count`` is how many there are,
    ``earlier`` what is held of all but the last used one.
    """

    root: str
    name: str
    held: Held
    versions: list[Version]
    count: int
    earlier: Held


@dataclasses.dataclass
class Rest:
    """The functions of a module that are not named, and what is held of them."""

    root: str
    module: str
    functions: int = 0
    held: Held = dataclasses.field(default_factory=Held)

    def add(self, held: Held, functions: int = 1) -> None:
        """Take functions in."""
        self.functions += functions
        self.held.add(held)


def functions_of(found: Mapping[tuple[str, str], Iterable[Version]]) -> list[Function]:
    """Return the functions that some versions belong to, by cache and folder; the largest first."""
    functions = []
    for (root, name), versions in found.items():
        last_first = sorted(versions, key=lambda version: -version.held.used)
        whole, earlier = Held(), Held()
        for number, version in enumerate(last_first):
            whole.add(version.held)
            if number:
                earlier.add(version.held)
        functions.append(Function(root, name, whole, last_first, len(last_first), earlier))
    return sorted(functions, key=lambda one: -one.held.room)


def named(functions: list[Function]) -> tuple[list[Function], list[Rest]]:
    """Return the functions that are named, with those versions that are, and the rest by module.

    The largest functions are, and of the others those that have saved most; the largest versions.
    What is left of the rest has no module.
    """
    sure = FUNCTIONS - SAVERS
    others = sorted(functions[sure:], key=lambda one: (-one.held.saved, -one.held.room))
    chosen = sorted(functions[:sure] + others[:SAVERS], key=lambda one: -one.held.room)
    sizes = sorted((v.held.room for one in chosen for v in one.versions), reverse=True)
    least, room = sizes[VERSIONS] if len(sizes) > VERSIONS else 0, VERSIONS
    for one in chosen:
        # Of equal ones there may be more than there is room for.
        one.versions = [v for v in one.versions if v.held.room >= least][:room]
        room -= len(one.versions)
    return chosen, _rests(others[SAVERS:])


def _rests(functions: Iterable[Function]) -> list[Rest]:
    """Return what some functions hold, by module, the largest first."""
    modules: dict[tuple[str, str], Rest] = {}
    for one in functions:
        place = one.root, one.name.rpartition("/")[0]
        modules.setdefault(place, Rest(*place)).add(one.held)
    rests = sorted(modules.values(), key=lambda rest: -rest.held.room)
    last = Rest("", "")
    for rest in rests[MODULES:]:
        last.add(rest.held, rest.functions)
    return [*rests[:MODULES], *([last] if last.functions else [])]
