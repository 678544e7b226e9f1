"""Tuples whose items have names, made without a compiler. A `Row` is a `typing.NamedTuple` in use.

A process that only wants one result back makes some twenty such classes while it imports. The
standard library compiles a text for each of them, and one for each hint that is a text: that takes
longer than all else in such a module. Here ``__new__`` is a function that was compiled with this
module, and is given the names of the class's items. Type checkers are told that it is a
`NamedTuple`. For modules that every process loads; elsewhere, `typing.NamedTuple` is as good.
"""

from __future__ import annotations

from collections import _tuplegetter  # type: ignore[attr-defined]
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import TYPE_CHECKING, Any

__all__ = ["Row"]

_new = tuple.__new__

#: What makes a row, by the number of its items.
_MAKERS: tuple[Callable[..., Any], ...] = (
    lambda cls: _new(cls, ()),
    lambda cls, a: _new(cls, (a,)),
    lambda cls, a, b: _new(cls, (a, b)),
    lambda cls, a, b, c: _new(cls, (a, b, c)),
    lambda cls, a, b, c, d: _new(cls, (a, b, c, d)),
    lambda cls, a, b, c, d, e: _new(cls, (a, b, c, d, e)),
    lambda cls, a, b, c, d, e, f: _new(cls, (a, b, c, d, e, f)),
    lambda cls, a, b, c, d, e, f, g: _new(cls, (a, b, c, d, e, f, g)),
    lambda cls, a, b, c, d, e, f, g, h: _new(cls, (a, b, c, d, e, f, g, h)),
)


class _Items(tuple[Any, ...]):
    """What all rows have."""

    __slots__ = ()
    _fields: tuple[str, ...] = ()
    _shape = "()"

    @classmethod
    def _make(cls, items: Iterable[Any]) -> Any:
        """Return a row of all its items, given in order."""
        row = _new(cls, items)
        if len(row) != len(cls._fields):
            raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(row)}")
        return row

    def _replace(self, /, **items: Any) -> Any:
        """Return a row in which some items are others."""
        return type(self)(**{**self._asdict(), **items})

    def _asdict(self) -> dict[str, Any]:
        """Return the items by name."""
        return dict(zip(self._fields, self, strict=True))

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)

    def __repr__(self) -> str:
        return type(self).__name__ + self._shape % tuple(self)


class _Rows(type):
    """Makes a plain class of tuples from a class that names their items."""

    def __new__(meta, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> Any:
        if not bases:
            return super().__new__(meta, name, bases, namespace)
        fields = tuple(namespace.get("__annotations__", ()))
        defaults = {field: namespace[field] for field in fields if field in namespace}
        if fields[len(fields) - len(defaults) :] != tuple(defaults):
            raise TypeError(f"{name}: items with defaults come last, in the order of the hints")
        for number, field in enumerate(fields):
            namespace[field] = _tuplegetter(number, f"Alias for field number {number}")
        own: dict[str, Any] = {
            "__slots__": (),
            "__match_args__": fields,
            "__new__": _maker(fields, tuple(defaults.values())),
            "_fields": fields,
            "_shape": f"({', '.join(f'{field}=%r' for field in fields)})",
            "_field_defaults": defaults,
        }
        return type.__new__(type, name, (_Items,), {**namespace, **own})


def _maker(fields: tuple[str, ...], defaults: tuple[Any, ...]) -> FunctionType:
    """Return ``__new__``, which takes its arguments under the names of the items."""
    code = _MAKERS[len(fields)].__code__.replace(co_varnames=("_cls", *fields), co_name="__new__")
    return FunctionType(code, globals(), "__new__", defaults)


if TYPE_CHECKING:
    from typing import NamedTuple as Row
else:

    class Row(metaclass=_Rows):
        """Base of classes that name the items of tuples, with their types and defaults."""
