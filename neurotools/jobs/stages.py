"""Stages: functions with named results that are remembered.

Documented in `neurotools.jobs.pipeline`, which has graphs of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from neurotools.memo.stages.stage import StageBase, placed

__all__ = ["Stage", "hashable"]

F = TypeVar("F", bound=Callable[..., Any])


def hashable(function: F) -> F:
    """Return a function or class as it is: all that a stage's function reaches counts anyway.

    It is there for code that marks what a stage calls, and makes no difference.

    Parameters
    ----------
    function : callable
        Anything.
    """
    return function


class Stage(StageBase):
    """A function whose results have names, and are remembered.

    Parameters
    ----------
    function_to_call : callable
        The function.
    stage_outputs : list of str, or str, optional
        What the values that it returns are called; ``'output'`` by default. With several, a tuple
        or list is taken apart.
    hash_output : str or path, or sequence of them, optional
        Where results are kept: a folder, or several places, fast to slow. Without it, nothing is
        remembered.
    stage_name : str, optional
        Name of the stage, and of its files; the function's by default.
    aliases : dict of str, optional
        More names of results, ``{new name: name in stage_outputs}``.
    **static
        Arguments that have precedence over what `run` is given.

    Attributes
    ----------
    stage_from_hash : bool
        Whether the last run gave what was remembered.

    Raises
    ------
    UnsupportedFunction
        If it cannot be called with names.
    UnknownParameter
        If it does not take a static argument. It is a TypeError and a ValueError.
    ValueError
        If labels, aliases or the name are none.

    Examples
    --------
    >>> def both(a, b, c):
    ...     return a + b, b + c
    >>> Stage(both, stage_outputs=["d", "e"]).run(1, 2, 3)
    {'d': 3, 'e': 5}
    >>> Stage(both, stage_outputs=["d", "e"], a=10).run(1, 2, 3)
    {'d': 12, 'e': 5}
    """

    def __init__(
        self,
        function_to_call: Callable[..., Any],
        stage_outputs: Iterable[str] | str | None = None,
        hash_output: Any = None,
        stage_name: str | None = None,
        aliases: Mapping[str, str] | None = None,
        **static: Any,
    ) -> None:
        super().__init__(function_to_call, stage_outputs, hash_output, stage_name, aliases, static)

    def run(
        self,
        *args: Any,
        force_skip_stage: bool = False,
        force_run_stage: bool = False,
        force_hash_write: bool = False,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Run the function, unless its results are remembered.

        Parameters
        ----------
        *args, **kwargs
            Inputs. Names that the function does not take are ignored; static values have
            precedence. A path of a file counts by the file's content.
        force_skip_stage : bool
            Whether to take what is remembered even if files among it have changed, and to run in no
            case.
        force_run_stage : bool
            Whether to run in any case.
        force_hash_write : bool
            Whether to write the files for people even if it does not run.

        Returns
        -------
        dict
            The results by label.

        Raises
        ------
        WrongArguments
            If an input is missing, or there are too many. It is a TypeError.
        LookupError
            If it is to be skipped, and nothing is remembered.
        """
        return self._ran(
            args,
            self.parameters.named(args, kwargs),
            None,
            force_run=force_run_stage,
            force_skip=force_skip_stage and not force_run_stage,
            force_write=force_hash_write,
        )

    @property
    def hash_output(self) -> Any:
        """Where results are kept; may be set."""
        return self._hash_output

    @hash_output.setter
    def hash_output(self, place: Any) -> None:
        self._hash_output, self._memory = placed(place), None

    @property
    def inputs(self) -> list[str]:
        """Names of the function's parameters."""
        return list(self.parameters.names)

    @property
    def outputs(self) -> list[str]:
        """Labels of the results."""
        return list(self.stage_outputs)

    @property
    def args(self) -> dict[str, Any]:
        """Static values by name."""
        return dict(self.stage_args)

    @property
    def input_args(self) -> dict[str, Any]:
        """What the last run was given, static values among it."""
        return dict(self._inputs)

    @property
    def results(self) -> dict[str, Any]:
        """Results of the last run by label, and by alias."""
        return self._with_aliases(self._results)

    @property
    def state(self) -> str:
        """What the last run did: ``'computed'``, ``'remembered'``, or ``'not run'``."""
        return self._state

    def set_stage_arg(self, name: str, value: Any) -> None:
        """Make an argument static.

        Parameters
        ----------
        name : str
            A parameter of the function.
        value : object
            Its value from now on.

        Raises
        ------
        UnknownParameter
            If there is no such parameter. It is a ValueError.
        """
        self.parameters.require_known([name])
        self.stage_args[name] = value

    def del_stage_arg(self, name: str) -> None:
        """Make a static argument an input again.

        Parameters
        ----------
        name : str
            Its name.

        Raises
        ------
        UnknownParameter
            If there is no such parameter. It is a ValueError.
        KeyError
            If it is not static.
        """
        self.parameters.require_known([name])
        del self.stage_args[name]

    def __repr__(self) -> str:
        given = ", ".join(self.parameters.names)
        return f"<stage {self.stage_name}({given}) -> {', '.join(self.stage_outputs)}>"
