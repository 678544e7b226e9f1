"""One field of a layer: its function, and what each argument of the function stands for.

Not here: classes with many of them (`syntax`).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from neurotools.memo.errors import WrongLayer

META, IMPURE, OPTIONAL, POSITIONAL = "meta", "impure", "optional", "positional"

#: What an argument stands for: something of the same layer that has a private name, a field of the
#: same layer, or a field of the layers before.
OWN, OUTPUT, BEFORE = "own", "output", "before"


class Marked:
    """A function with what its decorators say of it."""

    def __init__(self, function: Callable[..., Any], marks: frozenset[str]) -> None:
        self.function, self.marks = function, marks

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


def marked(function: Any, mark: str) -> Any:
    """Return a function with one mark more."""
    if isinstance(function, Marked):
        return Marked(function.function, function.marks | {mark})
    if not callable(function):
        raise WrongLayer(mark, f"it is for functions, not for {function!r}")
    return Marked(function, frozenset([mark]))


class Output:
    """As an annotation of an argument: the field of the same layer, not of the layer before."""


class Argument(NamedTuple):
    """What one argument of a field's function stands for."""

    kind: str
    name: str


class Field:
    """One function of a layer.

    Parameters
    ----------
    layer : str
        The layer's name, for messages.
    name : str
        The field's.
    value : callable or Marked
        Its function.

    Raises
    ------
    WrongLayer
        If the function cannot be one.
    """

    def __init__(self, layer: str, name: str, value: Any) -> None:
        self.layer, self.name = layer, name
        marks = value.marks if isinstance(value, Marked) else frozenset[str]()
        self.function: Callable[..., Any] = value.function if isinstance(value, Marked) else value
        self.is_meta, self.is_impure = META in marks, IMPURE in marks
        self.is_optional = OPTIONAL in marks
        if inspect.isgeneratorfunction(self.function) or inspect.isasyncgenfunction(self.function):
            raise self._wrong("it is a generator; return a list of its items instead")
        if inspect.iscoroutinefunction(self.function):
            raise self._wrong("it is a coroutine; fields are computed by plain functions")
        self.arguments = self._arguments(first_is_itself=POSITIONAL in marks)
        #: Followers of the function's code, by the options that they follow it with.
        self.trackers: dict[Any, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "trackers": {}}

    def _arguments(self, *, first_is_itself: bool) -> tuple[Argument, ...]:
        code = getattr(self.function, "__code__", None)
        if type(self.function) is FunctionType and code is not None and _is_plain(self.function):
            names, itself = code.co_varnames[: code.co_argcount], code.co_posonlyargcount == 1
            hints: dict[str, Any] = self.function.__annotations__
        else:
            names, itself, hints = self._inspected()
        first = self.name if names and (first_is_itself or itself) else None
        return tuple(
            Argument(BEFORE, first)
            if first is not None and place == 0
            else _argument(name, hints.get(name))
            for place, name in enumerate(names)
        )

    def _inspected(self) -> tuple[tuple[str, ...], bool, dict[str, Any]]:
        try:
            parameters = list(inspect.signature(self.function).parameters.values())
        except (TypeError, ValueError):
            raise self._wrong("its parameters are not known; wrap it in a function") from None
        if isinstance(self.function, functools.partial):
            parameters = [one for one in parameters if one.name not in self.function.keywords]
        for place, one in enumerate(parameters):
            is_first = place == 0 and one.kind is one.POSITIONAL_ONLY
            if one.kind is not one.POSITIONAL_OR_KEYWORD and not is_first:
                kind = one.kind.description
                reason = f'The parameter "{one.name}" must be "positional or keyword", not {kind}'
                raise self._wrong(reason)
            if one.default is not one.empty:
                reason = f"the parameter {one.name!r} has a default value; every argument names"
                raise self._wrong(f"{reason} a field or a parameter of the layer")
        itself = bool(parameters) and parameters[0].kind is inspect.Parameter.POSITIONAL_ONLY
        return (
            tuple(one.name for one in parameters),
            itself,
            {p.name: p.annotation for p in parameters},
        )

    def _wrong(self, reason: str) -> WrongLayer:
        return WrongLayer(f"{self.layer}.{self.name}", reason)


def _is_plain(function: FunctionType) -> bool:
    """Tell whether a function's code says all of its arguments; `inspect` takes far longer."""
    code: CodeType = function.__code__
    special = code.co_kwonlyargcount or code.co_flags & (
        inspect.CO_VARARGS | inspect.CO_VARKEYWORDS
    )
    wrapped = "__wrapped__" in function.__dict__ or "__signature__" in function.__dict__
    return not (special or wrapped or function.__defaults__) and code.co_posonlyargcount < 2


def _argument(name: str, hint: Any) -> Argument:
    if name.startswith("_"):
        return Argument(OWN, name)
    if hint is Output or (isinstance(hint, str) and hint.rpartition(".")[2] == "Output"):
        return Argument(OUTPUT, name)
    return Argument(BEFORE, name)
