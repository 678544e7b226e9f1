"""Memoized functions with what joblib's have besides: ``call_and_shelve``, ``call``, ``clear``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neurotools.memo.entry import Key
from neurotools.memo.function import Memoized
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.options import Options
from neurotools.memo.travel import is_importable


class Shelved:
    """A result that stays where it is kept until it is asked for.

    Parameters
    ----------
    hierarchy : Hierarchy
        Where it is kept.
    key : Key
        Under which name.
    """

    def __init__(self, hierarchy: Hierarchy, key: Key) -> None:
        self._hierarchy, self._key = hierarchy, key

    def get(self) -> Any:
        """Return the result.

        Raises
        ------
        KeyError
            If it is there no more.
        """
        entry = self._hierarchy.get(self._key)
        if entry is None:
            raise KeyError(
                f"{self._hierarchy.location(self._key)} is gone: call the function again"
            )
        return entry.value()

    def clear(self) -> None:
        """Remove the result from the cache."""
        self._hierarchy.discard(self._key)

    def __repr__(self) -> str:
        return f"<shelved {self._hierarchy.location(self._key)}>"


class Held:
    """A result that could not be kept, and so is here."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def get(self) -> Any:
        """Return the result."""
        return self._value

    def clear(self) -> None:
        """Let go of the result."""
        self._value = None


class Remembered(Memoized):
    """A function that remembers its results, for those who know joblib's."""

    @property
    def func(self) -> Callable[..., Any]:
        """The function itself."""
        return self._function

    def call(self, /, *args: Any, **kwargs: Any) -> Any:
        """Compute anew, and keep the result."""
        named = self._name(args, kwargs)
        if named is not None:
            self._hierarchy.discard(named[0])
        return self(*args, **kwargs)

    def call_and_shelve(self, /, *args: Any, **kwargs: Any) -> Shelved | Held:
        """Compute, unless that was done, and return what gives the result when it is asked for."""
        # Named before it runs: the function may change its arguments.
        named = self._name(args, kwargs)
        if named is not None and self._hierarchy.has(named[0]) and self._find(named[0]) is not None:
            return Shelved(self._hierarchy, named[0])
        value = self(*args, **kwargs)
        if named is not None and self._hierarchy.has(named[0]):
            return Shelved(self._hierarchy, named[0])
        return Held(value)

    def clear(self, warn: bool = True) -> None:
        """Remove the results of the present version.

        Parameters
        ----------
        warn : bool
            Accepted for callers of joblib; nothing is said.
        """
        del warn
        self.cache_clear()

    def __reduce_ex__(self, protocol: Any) -> Any:
        # Made by calling, not as a decorator, it is not what its name leads to.
        if is_importable(self):
            return self.__qualname__
        return _remembered, (self._function, self._hierarchy, self._options)


def _remembered(function: Any, hierarchy: Hierarchy, options: Options) -> Remembered:
    return Remembered(function, hierarchy, options)
