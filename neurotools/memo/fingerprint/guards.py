"""Whether what a walk has seen is still so: identity checks, run at every call.

All checks of one kind are made in one go by iterators written in C, at some 30 ns each. Not here:
what needs checking (`walk`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from operator import attrgetter, eq, is_, itemgetter
from types import CellType, FunctionType
from typing import Any

_run_by = attrgetter("__code__", "__defaults__", "__kwdefaults__")
_content = attrgetter("cell_contents")


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
        self._rows: list[tuple[Callable[[Any], Any], Mapping[Any, Any], list[Any]]] = []
        self._absent: list[tuple[Any, set[Any]]] = []

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
        for mapping, present, absent in self._entries.values():
            if present:
                keys = [*present, next(iter(present))]  # two at least: a tuple comes back
                values = [*present.values(), present[keys[0]]]
                self._rows.append((itemgetter(*keys), mapping, values))
            if absent:
                self._absent.append((mapping.keys(), absent))
        self._run = list(chain.from_iterable(map(_run_by, self._functions)))
        self._contents = list(map(_content, self._cells.values()))
        self._values = [getattr(value, name) for value, name in self._attributes]
        self._lengths = list(map(len, self._sizes))

    def hold(self) -> bool:
        """Return whether nothing has changed."""
        try:
            return (
                self._names_hold()
                and self._code_holds()
                and self._items_hold()
                and self._others_hold()
            )
        except (LookupError, ValueError, AttributeError, TypeError, RuntimeError):
            return False  # something is gone: a name deleted, a cell emptied, a class replaced

    def _names_hold(self) -> bool:
        for getter, mapping, values in self._rows:
            if not all(map(is_, getter(mapping), values)):
                return False
        return all(keys.isdisjoint(absent) for keys, absent in self._absent)

    def _code_holds(self) -> bool:
        return all(map(is_, chain.from_iterable(map(_run_by, self._functions)), self._run)) and (
            not self._cells or all(map(is_, map(_content, self._cells.values()), self._contents))
        )

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
