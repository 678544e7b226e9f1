"""The values that reachable code depends on: digested, and those that can change kept in view."""

from __future__ import annotations

import contextlib
import gc
from collections import Counter, OrderedDict, defaultdict, deque
from types import FunctionType
from typing import TYPE_CHECKING, Any

from neurotools.memo.digest.objects import attributes
from neurotools.memo.digest.values import digest
from neurotools.memo.errors import UndigestableValue
from neurotools.memo.fingerprint import bodies, classes, origin, places
from neurotools.memo.fingerprint.bytecode import content
from neurotools.memo.fingerprint.fixed import is_fixed, watch
from neurotools.memo.fingerprint.harmless import is_harmless
from neurotools.memo.fingerprint.reads import CHANGED, READ, REBOUND
from neurotools.memo.fingerprint.shown import kind, shown
from neurotools.memo.fingerprint.unwrap import is_code, is_dunder, name_of, unwrapped
from neurotools.memo.fingerprint.wrappers import inner_of, settings_of
from neurotools.memo.rows import Row

if TYPE_CHECKING:
    from neurotools.memo.fingerprint.walk import Walk

#: What only holds other values, and can be changed without being read.
_CONTAINERS = frozenset((list, dict, set, deque, defaultdict, Counter, OrderedDict))

#: What containers do besides holding.
_SETTINGS: dict[type, tuple[str, ...]] = {deque: ("maxlen",), defaultdict: ("default_factory",)}

#: Objects inside an instance of a library's class that are looked at before it is given up.
_MOST_INSIDE = 50_000

#: Modules in C whose objects are nothing but the functions that they hold.
_TRANSPARENT = frozenset(("functools", "_functools"))

#: What typing keeps besides the arguments of a hint.
_OF_HINTS = ("__metadata__", "__supertype__", "__bound__", "__constraints__")

_PICKLED_BY = frozenset(("__getstate__", "__reduce__", "__reduce_ex__"))

#: Attributes taken apart inside one another.
_DEEPEST = 4


class _FirstSeen(Row):
    """A digest, the code found on the way, and what both belong to."""

    owner: Any
    digest: str
    code: list[Any]


# What was seen at first of values that running code fills: by identity, kept alive.
_first_seen: dict[int, _FirstSeen] = {}
_tables: dict[int, Any] = {}


class Holdings:
    """The values met by one walk.

    Attributes
    ----------
    changeable : list of (value, digest)
        To be digested again at each call.
    values : dict
        All values that were digested, by their place.
    user : str
        Label of what is being visited, and uses the places noted meanwhile.
    noted : int
        How often a use was noted.
    """

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.changeable: list[tuple[Any, str]] = []
        self.values: dict[str, Any] = {}
        self.user = ""
        self.noted = 0
        self._uses: dict[str, dict[str, int]] = {}
        self._waiting: dict[str, tuple[Any, bool]] = {}
        self._done: set[str] = set()
        self._lost: dict[str, str] = {}
        self._bare: dict[int, tuple[Any, str]] = {}

    def used(self, place: str, how: int) -> None:
        """Note how a place is used, without what it holds."""
        self.noted += 1
        users = self._uses.setdefault(place, {})
        users[self.user] = users.get(self.user, 0) | how

    def add(self, place: str, value: Any, how: int, wide: bool) -> None:
        """Note a value to be digested when all code that may change it is known."""
        self.used(place, how if type(value) in _CONTAINERS else how | READ)
        if place not in self._done:
            self._waiting[place] = value, wide and self._waiting.get(place, (None, True))[1]
        elif place in self._lost and not wide:
            self.walk.ledger.refuse(place, self._lost.pop(place))

    @property
    def met(self) -> int:
        """Number of values met so far."""
        return len(self._waiting) + len(self._done)

    @property
    def rebound(self) -> set[str]:
        """Places that reachable code binds to something else."""
        return {
            place
            for place, users in self._uses.items()
            if any(how & REBOUND for how in users.values())
        }

    def add_frozen(self, place: str, value: Any, owner: Any = None) -> None:
        """Count a value as it was when it, or what it belongs to, was first seen in this process.

        Wrappers of libraries keep tables and counters beside their settings.
        """
        owner = value if owner is None else owner
        known = _first_seen.get(id(owner))
        if known is None:
            code: list[Any] = []
            known = _FirstSeen(owner, _named_digest(value, code), code)
            if not is_fixed(owner):
                _first_seen[id(owner)] = known
        self.walk.ledger.part("value", place, known.digest, shown(value))
        for number, held in enumerate(known.code):
            self.walk.bind(f"{place}({number})", held)

    def digest_next(self) -> bool:
        """Digest the values that wait, and return whether any of them was read."""
        ready = sorted(place for place in self._waiting if self._is_read(place))
        for place in ready:
            value, wide = self._waiting.pop(place)
            self._done.add(place)
            self._count(place, value, wide, 0)
        return bool(ready)

    def _count(self, place: str, value: Any, wide: bool, depth: int) -> None:
        try:
            self._count_kind(place, value, wide, depth)
        except (RecursionError, MemoryError):
            raise
        except Exception as error:
            # Boundary: objects may run code of their own when they are looked at.
            self._give_up(place, value, wide, f" - {type(error).__name__}: {error}")

    def _give_up(self, place: str, value: Any, wide: bool, reason: str) -> None:
        """Note that a value cannot be followed."""
        ledger, reason = self.walk.ledger, f"{kind(value)}{reason}"
        ledger.part("value", place, f"some {kind(value)}")
        if wide or is_dunder(place.rpartition(".")[2]):
            self._lost[place] = reason
            ledger.doubt(f"{place} cannot be followed: {reason}")
        else:
            ledger.refuse(place, reason)

    def _count_kind(self, place: str, value: Any, wide: bool, depth: int) -> None:
        ledger = self.walk.ledger
        if self._is_table(place, value):
            ledger.part("value", place, f"{kind(value)} filled as it runs", "filled as it runs")
            for name in _SETTINGS.get(type(value), ()):
                self.walk.bind(f"{place}.{name}", getattr(value, name))
            ledger.doubt(f"{place} is filled by the code itself; what others put there is not seen")
        elif is_harmless(value):
            ledger.part("value", place, f"some {kind(value)}")
            self._harmless(place, value)
        elif type(value) is object:
            # It is equal to itself only: what counts is where else it is met.
            _, first = self._bare.setdefault(id(value), (value, place))
            ledger.part("value", place, f"object() of {first}")
        elif type(value).__module__ == "typing":
            ledger.part("value", place, self._hint(place, value), repr(value))
        elif type(value) is contextlib._GeneratorContextManager:
            # As a decorator it is made anew for each call.
            ledger.part("value", place, f"some {kind(value)}")
            for name in ("func", "args", "kwds"):
                self.walk.bind(f"{place}.{name}", getattr(value, name))
        elif (inner := inner_of(value)) is not None:
            self._wrapped(place, value, *inner)
        elif depth < _DEEPEST and _caches(value):
            self._take_apart(place, value, wide, depth)
        else:
            self._digest(place, value, wide, depth)

    def _harmless(self, place: str, value: Any) -> None:
        """Count what the user's own class adds to a lock, a logger or a pool."""
        if origin.of_class(type(value)) is not origin.USER:
            return
        self.walk.label(type(value))
        state = getattr(value, "__dict__", {})
        for name in sorted(state.keys() - _names_in_initializers(type(value))):
            self.walk.ledger.guards.entry(state, name)
            self.walk.bind(f"{place}.{name}", state[name])

    def _digest(self, place: str, value: Any, wide: bool, depth: int) -> None:
        ledger = self.walk.ledger
        try:
            most = None if origin.of_class(type(value)) is origin.USER else _MOST_INSIDE
            found = self.digested(value, most)
        except UndigestableValue as error:
            if depth < _DEEPEST and classes.is_plain_instance(value) and not _is_mock(value):
                self._take_apart(place, value, wide, depth)
                return
            if self._look_into(place, value):
                return
            self._give_up(place, value, wide, f"{error.where} - {error.reason}")
            return
        ledger.part("value", place, found, shown(value))
        self.values[place] = value
        if places.relocated(value, self.walk.folder) is not value:
            ledger.doubt(f"{place} lies in the project's folder: where that is does not count")
        bodies.patches(self.walk, type(value))
        self._hidden(place, value)
        if not is_fixed(value) and not watch(value, ledger.guards):
            self.changeable.append((value, found))

    def digested(self, value: Any, most: int | None = None) -> str:
        """Return a constant's digest. Its order counts, since code can iterate over it."""
        self._label_in_order(value)
        moved = places.relocated(value, self.walk.folder)
        return digest(moved, self.walk.label, ordered=True, most=most)

    def _label_in_order(self, value: Any) -> None:
        """Name functions of one name that are in a set, whose order differs between processes."""
        if type(value) in (set, frozenset):
            functions = [f for f in map(unwrapped, value) if isinstance(f, FunctionType)]
            for function in sorted(functions, key=_content):
                self.walk.label(function)

    def _hidden(self, place: str, value: Any) -> None:
        """Count what the user's own class keeps from pickle: code can read it all the same.

        Containers are left out: what is kept from pickle and filled is a cache.
        """
        if not _hides(type(value)):
            return
        guards, state = self.walk.ledger.guards, getattr(value, "__dict__", {})
        for name, held in sorted(attributes(value).items()):
            if is_fixed(held):
                if name in state:
                    guards.entry(state, name)
                else:
                    guards.attribute(value, name)
                self.walk.bind(f"{place}.{name}", held)

    def _take_apart(self, place: str, value: Any, wide: bool, depth: int) -> None:
        """Count the attributes of an instance one by one, without what it keeps of properties."""
        guards = self.walk.ledger.guards
        state = vars(value)
        guards.attribute(value, "__dict__")
        guards.attribute(value, "__class__")
        kept = classes.cached_names(type(value))
        names = sorted(name for name in state if name not in kept)
        guards.answer(lambda: sorted(name for name in state if name not in kept) == names)
        self.walk.ledger.part("instance", place, self.walk.label(type(value)))
        for name in names:
            guards.entry(state, name)
            held = state[name]
            if is_code(held):
                self.walk.bind(f"{place}.{name}", held)
            else:
                self._count(f"{place}.{name}", held, wide, depth + 1)

    def _look_into(self, place: str, value: Any) -> bool:
        """Count the code inside what `functools.cmp_to_key` makes in C."""
        if type(value).__module__ not in _TRANSPARENT:
            return False
        inside = [r for r in gc.get_referents(value) if is_code(r) and r is not type(value)]
        self.walk.ledger.part("wrapper", place, self.walk.label(type(value)))
        for number, held in enumerate(inside):
            self.walk.bind(f"{place}({number})", held)
        return True

    def _is_read(self, place: str) -> bool:
        return any(how & READ for how in self._uses[place].values())

    def _is_table(self, place: str, value: Any) -> bool:
        """Whether a value is a table of earlier results: met empty, and filled by all its readers.

        What others read as well is a registry, and counts by its content.
        """
        if type(value) not in _CONTAINERS or (value and id(value) not in _tables):
            return False
        if not all(how & CHANGED for how in self._uses.get(place, {"": 0}).values()):
            return False
        _tables[id(value)] = value
        return True

    def _wrapped(self, place: str, value: Any, name: str, inner: Any) -> None:
        self.walk.ledger.part("wrapper", place, self.walk.label(type(value)))
        self.walk.bind(f"{place}.{name}", inner)
        self.walk.see_hints(inner, origin.of_class(type(value)))
        self.add_frozen(f"{place}.__dict__", settings_of(value, name), owner=value)

    def _hint(self, place: str, value: Any) -> str:
        for name in _OF_HINTS:
            if held := getattr(value, name, None):
                self.walk.bind(f"{place}.{name}", held)
        parts = getattr(value, "__args__", ())
        inside = [self.walk.label(part) for part in parts if issubclass(type(part), type)]
        text = repr(value)
        return f"{text if ' at 0x' not in text else kind(value)} {inside}"


def _content(function: FunctionType) -> tuple[str, ...]:
    """Return what tells a function from others of its name, without running anything."""
    held = [*classes.cells(function), *(function.__defaults__ or ())]
    return function.__qualname__, repr(content(function.__code__)), repr(list(map(shown, held)))


def _named_digest(value: Any, code: list[Any]) -> str:
    """Return a digest in which code stands by name, and collect the code."""

    def name(held: Any) -> str:
        code.append(held)
        return name_of(held)

    try:
        return digest(value, name)
    except UndigestableValue:
        return f"some {kind(value)}"


def _hides(cls: type) -> bool:
    """Whether a class of the user's decides itself what pickle sees of its instances."""
    own = [base for base in cls.__mro__ if not _PICKLED_BY.isdisjoint(vars(base))]
    return any(origin.of_class(base) is origin.USER for base in own)


def _names_in_initializers(cls: type) -> set[str]:
    """Return the names that the initializers of libraries mention, attributes among them."""
    starts = (vars(base).get("__init__") for base in cls.__mro__)
    theirs = (s for s in starts if isinstance(s, FunctionType) and origin.of(s) is not origin.USER)
    return {name for start in theirs for name in start.__code__.co_names}


def _is_mock(value: Any) -> bool:
    return any(base.__module__ == "unittest.mock" for base in type(value).__mro__)


def _caches(value: Any) -> bool:
    if type(value) in origin.BUILT_IN:  # most are
        return False
    return bool(classes.cached_names(type(value))) and classes.is_plain_instance(value)
