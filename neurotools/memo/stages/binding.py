"""The arguments of a stage: inputs by place and by name, static values, and what is ignored."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from neurotools.memo.errors import UnknownParameter, WrongArguments

_BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)

#: Arguments as a function is called with them.
Bound = tuple[tuple[Any, ...], dict[str, Any]]


class Parameters:
    """The parameters of a stage's function.

    Parameters
    ----------
    function : callable
        The function.

    Attributes
    ----------
    names : list of str
        Parameters that have a name of their own.
    required : list of str
        Those without a default.
    takes_all : bool
        Whether it takes keywords of any name.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = str(getattr(function, "__qualname__", function))
        parameters = inspect.signature(function).parameters.values()
        self._places = [p.name for p in parameters if p.kind in _BY_PLACE]
        self._place_only = [p.name for p in parameters if p.kind is p.POSITIONAL_ONLY]
        self.names = [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        self.defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
        self.required = [name for name in self.names if name not in self.defaults]
        self.takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters)
        self._takes_more = any(p.kind is p.VAR_POSITIONAL for p in parameters)

    def taken(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return those inputs that the function takes."""
        return {
            name: value for name, value in inputs.items() if self.takes_all or name in self.names
        }

    def require_known(self, names: Iterable[str]) -> None:
        """Raise `UnknownParameter` if the function does not take one of these."""
        unknown = [name for name in names if not self.takes_all and name not in self.names]
        if unknown:
            known = ", ".join(self.names) or "none"
            reason = f"there is no parameter {unknown[0]!r}; the parameters are: {known}"
            raise UnknownParameter(self._function, reason)

    def named(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return inputs by name, those left out that the function does not take.

        Raises
        ------
        WrongArguments
            If there are too many, or one is given twice.
        """
        if len(args) > len(self._places) and not self._takes_more:
            reason = f"it takes {len(self._places)} by place, and {len(args)} were given"
            raise WrongArguments(self._function, reason)
        named = dict(zip(self._places, args, strict=False))
        if both := [name for name in kwargs if name in named]:
            raise WrongArguments(self._function, f"multiple values for argument {both[0]!r}")
        return {**named, **self.taken(kwargs)}

    def call(self, args: tuple[Any, ...], named: Mapping[str, Any]) -> Bound:
        """Return how the function is called.

        Parameters
        ----------
        args : tuple
            What was given by place: what is beyond the parameters' places is passed on.
        named : dict
            All that has a name.

        Raises
        ------
        WrongArguments
            If a mandatory one is missing.
        """
        missing = [name for name in self.required if name not in named]
        if missing:
            names = ", ".join(map(repr, missing))
            raise WrongArguments(self._function, f"missing a required argument: {names}")
        extra = args[len(self._places) :]
        places = self._places if extra else self._place_only
        left = dict(named)
        by_place = [left.pop(name, self.defaults.get(name)) for name in places]
        return (*by_place, *extra), left
