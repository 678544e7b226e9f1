"""Calls that failed among many: which, why, and what is raised of it."""

from __future__ import annotations

from collections.abc import Sequence

from neurotools.memo.errors import (
    CannotTravel,
    OtherCode,
    UnknownChoice,
    UnsupportedFunction,
    WorkersLost,
    WrongArguments,
)
from neurotools.memo.executors import Each
from neurotools.memo.many.calls import Call
from neurotools.memo.many.shown import Shown

#: Errors of ours whose own words say which call it was.
_OURS = (CannotTravel, OtherCode, WorkersLost, WrongArguments)


def many_calls(count: int) -> str:
    """Return so many calls, in words."""
    return f"{count} call{'' if count == 1 else 's'}"


def checked(on_error: str) -> str:
    """Return what to do on errors.

    Raises
    ------
    UnknownChoice
        If there is no such choice.
    """
    if on_error not in ("raise", "collect"):
        raise UnknownChoice("on_error", on_error, ["raise", "collect"])
    return on_error


class Failures:
    """The calls that failed.

    Parameters
    ----------
    name : str
        The function's.
    calls : sequence of Call
        All calls.
    raises : bool
        Whether the first error is to be raised.

    Attributes
    ----------
    errors : dict
        Number of a call to its error.
    """

    def __init__(self, name: str, calls: Sequence[Call], *, raises: bool) -> None:
        self._name, self._calls, self._raises = name.rpartition("<locals>.")[2], calls, raises
        self.errors: dict[int, BaseException] = {}
        self._is_told = False

    def refuse_coroutines(self, is_one: bool) -> None:
        """Raise `UnsupportedFunction` for a coroutine function, which gathers by itself."""
        if is_one:
            reason = "it is a coroutine function; use asyncio.gather(*map(function, ...))"
            raise UnsupportedFunction(f"many calls of {self._name}", reason, "make")

    def stop_if_over(self, each: Each, shown: Shown) -> None:
        """Have no more calls made, if the first error is to be raised; say so once."""
        if self.is_over and (running := each.stop()) and not self._is_told:
            shown.say(f"{self.first_told()}; waiting for {running} that run")
            self._is_told = True

    @property
    def is_over(self) -> bool:
        """Whether no more calls are to be made."""
        return self._raises and bool(self.errors)

    def where(self, number: int) -> str:
        """Return which call a number is, in words."""
        told = self._calls[number].told(self._name)
        return f"calls[{number}] of {len(self._calls)}, {told}"

    def add(self, numbers: Sequence[int], error: BaseException) -> None:
        """Note that calls with one key failed; the error says which the first one was."""
        where = self.where(numbers[0])
        if isinstance(error, _OURS):
            error = error.said_of(where)
        elif hasattr(error, "add_note"):  # Python 3.11 and later
            error.add_note(f"It was raised by {where}")
        self.errors.update(dict.fromkeys(numbers, error))

    def first_told(self) -> str:
        """Return the first failure in words."""
        number = min(self.errors)
        return f"{self.where(number)} failed with {type(self.errors[number]).__name__}"

    def raise_first(self) -> None:
        """Raise the error of the first call that failed, if that is asked for."""
        if self.is_over:
            raise self.errors[min(self.errors)]
