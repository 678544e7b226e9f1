"""Whether what a walk has seen is still so: identity checks, run at every call.

All checks of one kind are made in one go by code written in C. Tuples are compared: that looks at
the identity of each item first, and takes a few nanoseconds for each that is the same object. Only
where another object could be equal (1 and True) identities are compared one by one, at some 30 ns.
What has held often enough is compiled (`compiled`), and then takes half the time. Not here: what
needs checking (`walk`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from operator import attrgetter, eq, is_, itemgetter
from types import BuiltinFunctionType, CellType, FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neurotools.memo.fingerprint.compiled import Condition

#: How often checks are made before they are worth compiling.
_OFTEN = 100

_code = attrgetter("__code__")
_defaults = attrgetter("__defaults__")
_keywords = attrgetter("__kwdefaults__")
_content = attrgetter("cell_contents")
_TEXTS = {
    _defaults: "{}.__defaults__ is {}",
    _keywords: "{}.__kwdefaults__ is {}",
    _content: "{}.cell_contents is {}",
}


def _getter(keys: list[Any]) -> Callable[[Any], Any]:
    return itemgetter(*keys, keys[0])  # two at least: a tuple comes back


def _equals_itself_only(value: Any) -> bool:
    """Whether no other object is equal: functions, modules, classes, most instances."""
    method: Any = type(value).__eq__
    # Built-in functions are equal where they run the same code for the same object.
    return method is object.__eq__ or type(value) is BuiltinFunctionType


class Guards:
    """Collects what was seen, then says whether it still holds.

    Objects are kept alive by their guards, so that an identity is never that of another object.
    """

    def __init__(self) -> None:
        self._entries: dict[int, tuple[Mapping[Any, Any], dict[Any, Any], set[Any]]] = {}
        self._functions: list[FunctionType] = []
        self._cells: dict[int, CellType] = {}
        self._attributes: list[tuple[Any, str]] = []
        self._sizes: list[Mapping[Any, Any]] = []
        self._items: list[tuple[Callable[[Any], Any], Any, list[Any]]] = []
        self._answers: list[tuple[Callable[[], Any], Any]] = []
        self._rows: list[tuple[Callable[[Any], Any], Mapping[Any, Any]]] = []
        self._strict_rows: list[tuple[Callable[[Any], Any], Mapping[Any, Any]]] = []
        self._absent: list[tuple[Any, set[Any]]] = []
        self._compiled: Callable[[], bool] | None = None
        self._held = 0

    def entry(self, mapping: Mapping[Any, Any], key: Any) -> None:
        """Note what a key of a mapping holds now, or that it is missing."""
        _, present, absent = self._entries.setdefault(id(mapping), (mapping, {}, set()))
        if key in mapping:
            present[key] = mapping[key]
        else:
            absent.add(key)

    def size(self, mapping: Mapping[Any, Any]) -> None:
        """Note how many keys a mapping has."""
        self._sizes.append(mapping)

    def function(self, function: FunctionType) -> None:
        """Note what runs when a function is called."""
        self._functions.append(function)
        if (defaults := function.__kwdefaults__) is not None:
            self.size(defaults)
            for key in defaults:
                self.entry(defaults, key)

    def cell(self, cell: CellType) -> None:
        """Note what a closure's cell holds."""
        self._cells[id(cell)] = cell

    def attribute(self, value: Any, name: str) -> None:
        """Note what an attribute is, where asking for it has no effects."""
        self._attributes.append((value, name))

    def items(self, container: Any, iterate: Callable[[Any], Iterable[Any]]) -> None:
        """Note what iterating over a container gives, by identity."""
        self._items.append((iterate, container, list(iterate(container))))

    def answer(self, question: Callable[[], Any]) -> None:
        """Note what a cheap function without effects answers."""
        self._answers.append((question, question()))

    def close(self) -> None:
        """Make the checks of all that was noted."""
        strict: list[Any] = []
        for mapping, present, absent in self._entries.values():
            loose = [key for key in present if _equals_itself_only(present[key])]
            others = [key for key in present if not _equals_itself_only(present[key])]
            if loose:
                self._rows.append((_getter(loose), mapping))
            if others:
                self._strict_rows.append((_getter(others), mapping))
                strict += _getter(others)(present)
            if absent:
                self._absent.append((mapping.keys(), absent))
        self._expected = [get(mapping) for get, mapping in self._rows]
        self._codes = list(map(_code, self._functions))
        # Without parameters that can take them, defaults have no effect.
        takes = [f for f in self._functions if f.__code__.co_argcount]
        keywords = [f for f in self._functions if f.__code__.co_kwonlyargcount]
        bare = (_defaults, [f for f in takes if not f.__defaults__])
        bare_keywords = (_keywords, [f for f in keywords if not f.__kwdefaults__])
        self._empty = [group for group in (bare, bare_keywords) if group[1]]
        held = (_defaults, [f for f in takes if f.__defaults__])
        held_keywords = (_keywords, [f for f in keywords if f.__kwdefaults__])
        contents = (_content, list(self._cells.values()))
        self._groups = [group for group in (held, held_keywords, contents) if group[1]]
        self._held_values = list(chain(*(map(get, owners) for get, owners in self._groups)))
        self._strict = [*strict, *self._held_values]
        self._values = [getattr(value, name) for value, name in self._attributes]
        self._lengths = list(map(len, self._sizes))
        self._has_more = bool(self._items or self._attributes or self._sizes or self._answers)

    def join(self, other: Guards) -> None:
        """Note all that another one has noted, too; before the checks are made."""
        for known, (mapping, present, absent) in other._entries.items():
            _, all_present, all_absent = self._entries.setdefault(known, (mapping, {}, set()))
            all_present.update(present)
            all_absent.update(absent)
        self._functions += [one for one in other._functions if one not in self._functions]
        self._cells.update(other._cells)
        self._attributes += other._attributes
        known_sizes = set(map(id, self._sizes))
        self._sizes += [one for one in other._sizes if id(one) not in known_sizes]
        self._items += other._items
        self._answers += other._answers

    def hold(self) -> bool:
        """Return whether nothing has changed."""
        compiled_checks = self._compiled
        try:
            if not (self._all_are_same() if compiled_checks is None else compiled_checks()):
                return False
            for names, absent in self._absent:
                if not names.isdisjoint(absent):
                    return False
            return not self._has_more or (self._items_hold() and self._others_hold())
        except (LookupError, ValueError, AttributeError, TypeError, RuntimeError):
            return False  # something is gone: a name deleted, a cell emptied, a class replaced

    def _all_are_same(self) -> bool:
        """Check what names hold, and what runs when functions are called."""
        if [get(mapping) for get, mapping in self._rows] != self._expected:
            return False
        if list(map(_code, self._functions)) != self._codes:
            return False
        for get, owners in self._empty:
            if any(map(get, owners)):
                return False
        if self._strict and not self._strict_hold():
            return False
        self._held += 1
        if self._held == _OFTEN:
            from neurotools.memo.fingerprint.compiled import compiled  # few get here

            self._compiled = compiled(self._conditions())
        return True

    def _conditions(self) -> Iterator[Condition]:
        """Yield what `_all_are_same` checks, as conditions; what is now is what was seen."""
        for mapping, present, _ in self._entries.values():
            for key, value in present.items():
                yield "{}[{}] is {}", (mapping, key, value)
        for function, code in zip(self._functions, self._codes, strict=True):
            yield "{}.__code__ is {}", (function, code)
        for get, owners in self._empty:
            text = "not {}.__defaults__" if get is _defaults else "not {}.__kwdefaults__"
            yield from ((text, (owner,)) for owner in owners)
        values = iter(self._held_values)
        for get, holders in self._groups:
            yield from ((_TEXTS[get], (holder, next(values))) for holder in holders)

    def _strict_hold(self) -> bool:
        """Check values, defaults and what cells hold."""
        rows = [get(mapping) for get, mapping in self._strict_rows]
        held = [map(get, owners) for get, owners in self._groups]
        return all(map(is_, chain(*rows, *held), self._strict))

    def _items_hold(self) -> bool:
        for iterate, container, items in self._items:
            if len(container) != len(items) or not all(map(is_, iterate(container), items)):
                return False
        return True

    def _others_hold(self) -> bool:
        now = (getattr(value, name) for value, name in self._attributes)
        return (
            all(map(eq, map(len, self._sizes), self._lengths))
            and (not self._attributes or all(map(is_, now, self._values)))
            and (not self._answers or all(ask() == answer for ask, answer in self._answers))
        )
