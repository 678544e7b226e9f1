"""Memoized functions with what joblib's have besides: ``call_and_shelve``, ``call``, ``clear``."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from neurotools.memo.entry import Key
from neurotools.memo.function import Memoized, MemoizedCoroutine
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.joblib_terms import as_mapped, metadata_of
from neurotools.memo.making import used_entry
from neurotools.memo.telling import log
from neurotools.memo.travel import is_importable


class Shelved:
    """A result that stays where it is kept until it is asked for.

    Parameters
    ----------
    hierarchy : Hierarchy
        Where it is kept.
    key : Key
        Under which name.
    mmap_mode : {None, 'r', 'c'}
        How its file is mapped, if it is.
    """

    def __init__(self, hierarchy: Hierarchy, key: Key, mmap_mode: str | None = None) -> None:
        self._hierarchy, self._key, self._mmap_mode = hierarchy, key, mmap_mode

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
        used_entry(self._key, entry, self._hierarchy.name)
        return as_mapped(entry.value(), self._mmap_mode)

    def clear(self) -> None:
        """Remove the result from the cache."""
        self._hierarchy.discard(self._key)

    @property
    def metadata(self) -> dict[str, Any]:
        """What is known of it: ``duration``, ``time``, ``input_args``; empty once it is gone."""
        record = self._hierarchy.record(self._key)
        return {} if record is None else metadata_of(record)

    @property
    def duration(self) -> float | None:
        """How many seconds it took to compute."""
        return self.metadata.get("duration")

    def __repr__(self) -> str:
        return f"<shelved {self._hierarchy.location(self._key)}>"


class Held:
    """A result that is not kept, and so is here."""

    def __init__(self, value: Any) -> None:
        self._held = [value]

    def get(self) -> Any:
        """Return the result.

        Raises
        ------
        KeyError
            If it was let go of.
        """
        if not self._held:
            raise KeyError("the result was cleared, and is not kept: call the function again")
        return self._held[0]

    def clear(self) -> None:
        """Let go of the result."""
        self._held.clear()


class _LikeJoblibs(Memoized):
    """What joblib's functions offer, be they coroutines or not."""

    @property
    def func(self) -> Callable[..., Any]:
        """The function itself."""
        return self._function

    @property
    def func_id(self) -> str:
        """The function's name in the cache, a folder below `location`."""
        return self.keys.folder

    @property
    def location(self) -> str | None:
        """The folder with the results of all functions."""
        return self.cache_root

    @property
    def ignore(self) -> list[str]:
        """The parameters that do not count."""
        return list(self._options.ignore)

    def check_call_in_cache(self, /, *args: Any, **kwargs: Any) -> bool:
        """Return whether a call's result seems to be there, and counts."""
        is_there = super().check_call_in_cache(*args, **kwargs)
        return is_there and self._is_valid(self._key(args, kwargs))

    def clear(self, warn: bool = True) -> None:
        """Remove the results of the present version.

        Parameters
        ----------
        warn : bool
            Accepted for callers of joblib; nothing is said.
        """
        del warn
        self.cache_clear()

    def _find(self, key: Key) -> tuple[Any] | None:
        if self._options.validate is not None and not self._is_valid(key):
            return None
        found = super()._find(key)
        if found is None or self._options.mmap_mode is None:
            return found
        return (as_mapped(found[0], self._options.mmap_mode),)

    def _is_valid(self, key: Key) -> bool:
        """Ask the caller whether what is kept still counts; remove it where it does not."""
        validate = self._options.validate
        if validate is None or (record := self._hierarchy.record(key)) is None:
            return True
        is_valid = bool(validate(metadata_of(record)))
        if not is_valid:
            self._hierarchy.discard(key)
        return is_valid

    def _metadata(self, key: Key | None) -> dict[str, Any]:
        record = None if key is None else self._hierarchy.record(key)
        return {} if record is None else metadata_of(record)

    def _say(self, message: str) -> None:
        # At level 1 joblib tells what is computed, above that what is loaded, and at last where.
        level = next((n for word, n in _LEVELS.items() if message.startswith(word)), _ALL)
        if self._options.verbose >= level or log.hears_debug():
            super()._say(message)

    def _forgotten(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Key | None:
        """Remove a call's result; return its key if it has one."""
        named = self._name(args, kwargs)
        if named is None:
            return None
        self._hierarchy.discard(named[0])
        return named[0]

    def _shelf(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Key | None, bool]:
        """Return the key of a call, and whether its result is there to be loaded."""
        named = self._name(args, kwargs)
        if named is None:
            return None, False
        is_there = self._hierarchy.has(named[0]) and self._find(named[0]) is not None
        return named[0], is_there

    def _shelved(self, key: Key | None, value: Any) -> Shelved | Held:
        if key is not None and self._hierarchy.has(key):
            return Shelved(self._hierarchy, key, self._options.mmap_mode)
        return Held(value)

    def _mapped(self, key: Key | None, value: Any) -> Any:
        """Return a new result as it will be found: mapped, if that is wanted."""
        found = None if key is None else self._find(key)
        return value if found is None else found[0]

    def _unmapped(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Key | None:
        """Return the key of a call that will be computed and is to be mapped then."""
        if self._options.mmap_mode is None or (named := self._name(args, kwargs)) is None:
            return None
        return None if self._hierarchy.has(named[0]) else named[0]

    def __reduce_ex__(self, protocol: Any) -> Any:
        # Made by calling, not as a decorator, it is not what its name leads to.
        if is_importable(self):
            return self.__qualname__
        return type(self), (self._function, self._hierarchy, self._options)


class Remembered(_LikeJoblibs):
    """A function that remembers its results, for those who know joblib's."""

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        new = self._unmapped(args, kwargs)
        value = super().__call__(*args, **kwargs)
        return value if new is None else self._mapped(new, value)

    def call(self, /, *args: Any, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Compute anew and keep the result; return it, and what is known of it besides."""
        key = self._forgotten(args, kwargs)
        return self(*args, **kwargs), self._metadata(key)

    def call_and_shelve(self, /, *args: Any, **kwargs: Any) -> Shelved | Held:
        """Compute, unless that was done, and return what gives the result when it is asked for."""
        # Named before it runs: the function may change its arguments.
        key, is_there = self._shelf(args, kwargs)
        return self._shelved(key, None if is_there else self(*args, **kwargs))


class RememberedCoroutine(_LikeJoblibs, MemoizedCoroutine):
    """A coroutine function that remembers its results, for those who know joblib's."""

    async def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        new = self._unmapped(args, kwargs)
        value = await super().__call__(*args, **kwargs)
        return value if new is None else self._mapped(new, value)

    async def call(self, /, *args: Any, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Compute anew and keep the result; return it, and what is known of it besides."""
        key = self._forgotten(args, kwargs)
        return await self(*args, **kwargs), self._metadata(key)

    async def call_and_shelve(self, /, *args: Any, **kwargs: Any) -> Shelved | Held:
        """Compute, unless that was done, and return what gives the result when it is asked for."""
        key, is_there = self._shelf(args, kwargs)
        return self._shelved(key, None if is_there else await self(*args, **kwargs))


#: How much has to be told (``verbose=``) for what is said of a call to be printed.
_LEVELS = {"Recomputing": 1, "Took": 1, "Retrieved": 2}
_ALL = 11


# ---------------------------------------------------------------- without a cache


class Forgetful:
    """A function that is run at each call, with what a remembered one offers besides."""

    ignore: tuple[str, ...] = ()

    def __init__(self, function: Callable[..., Any]) -> None:
        with contextlib.suppress(AttributeError, TypeError):  # ufuncs and others have no such facts
            functools.update_wrapper(self, function)
        self.func = function

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self.func(*args, **kwargs)

    def call(self, /, *args: Any, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Return the result, and that nothing is known of it."""
        return self.func(*args, **kwargs), {}

    def call_and_shelve(self, /, *args: Any, **kwargs: Any) -> Any:
        """Return what holds the result."""
        value = self.func(*args, **kwargs)
        return _held_later(value) if inspect.iscoroutine(value) else Held(value)

    def check_call_in_cache(self, /, *args: Any, **kwargs: Any) -> bool:
        """Return that nothing is kept."""
        del args, kwargs
        return False

    def clear(self, warn: bool = True) -> None:
        """Do nothing."""

    def __repr__(self) -> str:
        return f"<{getattr(self.func, '__qualname__', self.func)}, not remembered>"


def forgetting(function: Any) -> Forgetful:
    """Return a function that is run at each call, be it one that remembers."""
    is_ours = isinstance(function, (_LikeJoblibs, Forgetful))
    return Forgetful(function.func if is_ours else function)


async def _held_later(value: Any) -> Held:
    return Held(await value)
