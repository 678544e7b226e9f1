"""What the class of a layer says, checked: its parameters, its fields, and what they need.

Not here: the class syntax itself (`syntax`).
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from neurotools.memo.errors import UnknownField, WrongLayer
from neurotools.memo.layers.fields import BEFORE, OUTPUT, OWN, Field, Marked

#: Stands for the value of a parameter that has none.
MISSING: Any = inspect.Parameter.empty
#: The name of what a source is asked for.
KEY = "id"

#: What Python writes into the body of a class.
OF_PYTHON = frozenset(
    {
        *("__module__", "__qualname__", "__doc__", "__annotations__", "__annotate__"),
        *("__annotate_func__", "__classcell__", "__firstlineno__", "__static_attributes__"),
        *("__conditional_annotations__", "__orig_bases__", "__parameters__"),
    }
)
INHERIT, EXCLUDE = "__inherit__", "__exclude__"


class Definition:
    """What one class of layers, or one transform made in place, consists of.

    Parameters
    ----------
    layer : str
        Its name, for messages.
    members : mapping of str to object
        Names in the body of the class and what they are bound to.
    hints : iterable of str
        Annotated names.
    is_source : bool
        Whether it computes its fields from an id; otherwise from the fields of another layer.

    Raises
    ------
    WrongLayer, UnknownField
        If something in it cannot be.
    """

    def __init__(
        self,
        layer: str,
        members: Mapping[str, Any],
        hints: Iterable[str] = (),
        *,
        is_source: bool = False,
    ) -> None:
        self.layer, self.is_source = layer, is_source
        self.parameters: dict[str, Any] = {}
        self.private: dict[str, Field] = {}
        self.fields: dict[str, Field] = {}
        self._annotated = list(hints)
        self.inherit, self.exclude = _inherited(layer, members)
        for name in self._annotated:
            if not name.startswith("_"):
                reason = f"only parameters, with private names, are annotated: not {name!r}"
                raise WrongLayer(layer, reason)
            self.parameters[name] = members.get(name, MISSING)
        for name, value in members.items():
            if not name.startswith("__"):
                self._add(name, value)
            elif name not in OF_PYTHON | {INHERIT, EXCLUDE}:
                raise WrongLayer(layer, f"a layer cannot define {name}; private names hold helpers")
        self._check()
        #: Which fields of the layers before each field needs.
        self.needs: dict[str, frozenset[str]] = {}
        #: Fields that may differ from call to call, and the function that makes them so.
        self.impure: dict[str, str] = {}
        for name in self.fields:
            reached = list(self._reached(self.fields[name], ()))
            arguments = (one for field in reached for one in field.arguments)
            self.needs[name] = frozenset(one.name for one in arguments if one.kind == BEFORE)
            for field in reached:
                if field.is_impure:
                    self.impure.setdefault(name, f"{layer}.{field.name}")

    def _add(self, name: str, value: Any) -> None:
        if name in self.parameters or isinstance(value, (staticmethod, classmethod)):
            return
        if isinstance(value, property):
            raise WrongLayer(self.layer, f"{name!r} is a property; use @meta in its place")
        is_function = callable(value) or isinstance(value, Marked)
        if name.startswith("_") and not is_function:
            self.parameters[name] = value
        elif not is_function:
            reason = f"{name!r} is of type {type(value).__name__}, but a field is a function"
            raise WrongLayer(self.layer, f"{reason}, and a parameter has a private name")
        else:
            among = self.private if name.startswith("_") else self.fields
            among[name] = self._keyed(Field(self.layer, name, value))

    def _keyed(self, field: Field) -> Field:
        """Return a field; in a source, the one argument that is no parameter is the key."""
        if not self.is_source:
            return field
        if field.name == KEY:
            raise WrongLayer(self.layer, f"the field {KEY!r} is what a source is asked for")
        keys = {one.name for one in field.arguments if one.kind == BEFORE}
        if len(keys) > 1:
            names = ", ".join(map(repr, sorted(keys)))
            reason = f"{field.name!r} has several arguments that would be the id: {names}"
            raise WrongLayer(self.layer, f"{reason}; parameters have private names")
        if keys and field.is_meta:
            raise WrongLayer(self.layer, f"{field.name!r} is @meta, and cannot need an id")
        field.arguments = tuple(
            one._replace(name=KEY) if one.kind == BEFORE else one for one in field.arguments
        )
        return field

    def _check(self) -> None:
        """Raise an error where an argument names nothing that there is."""
        known = {OWN: {*self.parameters, *self.private}, OUTPUT: {*self.fields}}
        for field in (*self.private.values(), *self.fields.values()):
            for kind, name in field.arguments:
                if kind != BEFORE and name not in known[kind]:
                    asking, there = f"{self.layer}.{field.name}", known[kind] | known[OUTPUT]
                    raise UnknownField(self.layer, name, there, asking)

    def _reached(self, field: Field, way: tuple[Field, ...]) -> Iterator[Field]:
        """Yield a field's function and those of the same layer that it needs."""
        if field in way:
            circle = " -> ".join(one.name for one in (*way[way.index(field) :], field))
            known = ", ".join([*self.fields, *self.private])
            reason = f"the field {field.name!r} needs itself: {circle}"
            raise WrongLayer(self.layer, f"{reason}; the fields there are: {known}")
        yield field
        for kind, name in field.arguments:
            if (inner := self.own(kind, name)) is not None:
                yield from self._reached(inner, (*way, field))

    def __neurotools_digest__(self) -> Any:
        passed_on = (self.inherit, self.exclude)
        return self.is_source, self.parameters, self.private, self.fields, passed_on

    def own(self, kind: str, name: str) -> Field | None:
        """Return the function of the same layer that an argument stands for, if it is one."""
        among = {OWN: self.private, OUTPUT: self.fields}.get(kind, {})
        return among.get(name)

    def inherits(self, name: str) -> bool:
        """Tell whether a field of the layer before, that is not defined here, is passed on."""
        if self.exclude:
            return name not in self.exclude
        return isinstance(self.inherit, bool) or name in self.inherit

    # ------------------------------------------------------------ the constructor

    @property
    def signature(self) -> inspect.Signature:
        """What the constructor takes: one parameter by place or name, several by name."""
        is_alone = len(self.parameters) == 1
        kind = (
            inspect.Parameter.POSITIONAL_OR_KEYWORD if is_alone else inspect.Parameter.KEYWORD_ONLY
        )
        return inspect.Signature(
            [
                inspect.Parameter(name[1:], kind, default=default)
                for name, default in self.parameters.items()
            ]
        )

    def bound(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the value of each parameter.

        Raises
        ------
        WrongLayer
            If one is missing, or unknown.
        """
        given = {f"_{name}": value for name, value in kwargs.items()}
        if args:
            if len(args) > 1 or len(self.parameters) != 1 or given:
                raise self._wrong_arguments("parameters are given by name")
            given = {next(iter(self.parameters)): args[0]}
        if unknown := [name[1:] for name in given if name not in self.parameters]:
            raise self._wrong_arguments(f"there is no parameter {unknown[0]!r}")
        values = {**self.parameters, **given}
        if missing := [name[1:] for name, value in values.items() if value is MISSING]:
            raise self._wrong_arguments(f"the parameter {missing[0]!r} has no value")
        return values

    def _wrong_arguments(self, reason: str) -> WrongLayer:
        there = ", ".join(name[1:] for name in self.parameters) or "none"
        return WrongLayer(self.layer, f"{reason}; the parameters are: {there}")


def _inherited(
    layer: str, members: Mapping[str, Any]
) -> tuple[bool | frozenset[str], frozenset[str]]:
    """Return which fields are passed on (True: all), and which are not."""
    inherit, exclude = members.get(INHERIT, ()), members.get(EXCLUDE, ())
    if inherit and exclude:
        raise WrongLayer(layer, f"either {INHERIT} or {EXCLUDE}, not both")
    if not isinstance(inherit, bool):
        inherit = _names(layer, INHERIT, inherit)
    return inherit or frozenset(), _names(layer, EXCLUDE, exclude)


def _names(layer: str, which: str, value: str | Collection[str]) -> frozenset[str]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, Collection) or not all(isinstance(name, str) for name in names):
        others = "True, " if which == INHERIT else ""
        reason = f"{which} is {others}a name or a sequence of names, not {value!r}"
        raise WrongLayer(layer, reason)
    return frozenset(names)
