"""Memoized methods: bound to an instance or a class, they offer what a memoized function does."""

from __future__ import annotations

import functools
from typing import Any

from neurotools.memo.careful import step_aside


class BoundMemoized:
    """A memoized method of one instance: the instance is the first argument of all it offers."""

    def __init__(self, memoized: Any, instance: Any) -> None:
        self.__func__, self.__self__ = memoized, instance
        functools.update_wrapper(self, memoized, updated=())

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        try:
            return self.__func__(self.__self__, *args, **kwargs)
        except BaseException as error:
            step_aside(error)
            raise

    def __getattr__(self, name: str) -> Any:
        offered = getattr(self.__func__, name)
        if name in _OF_A_CALL:
            return functools.partial(offered, self.__self__)
        return offered

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BoundMemoized):
            return NotImplemented
        return self.__func__ is other.__func__ and self.__self__ is other.__self__

    def __hash__(self) -> int:
        return hash((id(self.__func__), id(self.__self__)))

    def purge(self, /, *args: Any, **kwargs: Any) -> int:
        """Remove a call's entry; without arguments, all of the method's, for all instances."""
        bound = (self.__self__,) if args or kwargs else ()
        removed: int = self.__func__.purge(*bound, *args, **kwargs)
        return removed

    def map(self, /, *iterables: Any, executor: Any = None, **options: Any) -> list[Any]:
        """Make many calls of the method, see `Mapped.map`."""
        return self._many("of_iterables", iterables, executor, **options)

    def starmap(self, items: Any, /, *, executor: Any = None, **options: Any) -> list[Any]:
        """Make many calls of the method, see `Mapped.starmap`."""
        return self._many("of_items", items, executor, **options)

    def _many(
        self,
        kind: str,
        given: Any,
        executor: Any,
        /,
        *,
        progress: bool = True,
        on_error: str = "raise",
        **common: Any,
    ) -> list[Any]:
        from neurotools.memo.many import calls, run, work

        made = getattr(calls, kind)(given, common, bound=(self.__self__,))
        shared = work.Common((self.__self__,), common)
        options: Any = {"progress": progress, "on_error": on_error}
        return run.run(self.__func__, made, shared, executor=executor, **options)

    def __dask_tokenize__(self) -> Any:
        from dask.base import normalize_token  # who asks has it

        return normalize_token((self.__func__, self.__self__))

    def __reduce__(self) -> Any:
        return getattr, (self.__self__, self.__func__.attribute)


#: What takes a call's arguments, and so a method's instance before them.
_OF_A_CALL = frozenset(["locate", "check_call_in_cache", "entry", "explain", "lineage"])


class ClassMethod(classmethod):  # type: ignore[type-arg]
    """A memoized class method: bound to the class, it offers what a memoized method does."""

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        # Python 3.13 no longer asks what it wraps; earlier ones did.
        function: Any = self.__func__
        return BoundMemoized(function, owner if owner is not None else type(instance))

    def __reduce__(self) -> Any:
        # Classes of scripts travel by value, and cloudpickle knows no class methods but Python's.
        return ClassMethod, (self.__func__,)
