"""A field as it is taken from a layer: ``dataset.image``, which is called with an id."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from neurotools.memo.careful import step_aside
from neurotools.memo.errors import CacheError, UnknownId, WrongLayer
from neurotools.memo.explanation import Explanation
from neurotools.memo.info import CacheInfo
from neurotools.memo.layers.definition import KEY
from neurotools.memo.layers.graph import State, bound, given_by, shared_among, value_of
from neurotools.memo.layers.kept import KeptNode, stacked

if TYPE_CHECKING:
    from neurotools.memo.layers.layer import Askable


class Asked:
    """One field of a layer, or several at once.

    Parameters
    ----------
    layer : Askable
        The layer.
    names : str or tuple of str
        The field, or fields, whose values are given as a tuple.

    Attributes
    ----------
    memory : FieldMemory or None
        What the last layer keeps it in, if that is a cache.

    Raises
    ------
    UnknownField
        If there is no such field.
    """

    def __init__(self, layer: Askable, names: str | tuple[str, ...]) -> None:
        self._layer, self._names = layer, names
        wanted = (names,) if isinstance(names, str) else names
        self._nodes = tuple(layer._view.node(name) for name in wanted)
        self._givens = given_by(self._nodes)
        self._shared = shared_among(self._nodes)
        self.__name__ = ", ".join(wanted)
        self.__qualname__ = f"{layer._layer_names()[-1]}.{self.__name__}"
        self._is_alone = isinstance(names, str)
        node = self._nodes[0] if self._is_alone else None
        # The way of nearly all hits: what is kept last is asked at once.
        is_kept = isinstance(node, KeptNode) and node.is_plain
        self.memory = node.memory if isinstance(node, KeptNode) and is_kept else None
        if self.memory is not None:
            self.memory.asked = self

    @property
    def __signature__(self) -> inspect.Signature:
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        return inspect.Signature([inspect.Parameter(one.name, kind) for one in self._givens])

    @property
    def takes(self) -> tuple[str, ...]:
        """The names of what it is called with: the id, or for transforms alone, fields."""
        return tuple(one.name for one in self._givens)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        try:
            if self.memory is not None and not kwargs and len(args) == len(self._givens):
                return self.memory(*args)
            state = State(bound(self.__qualname__, self._givens, args, kwargs), self._shared)
            values = tuple(value_of(node, state) for node in self._nodes)
        except Exception as error:
            if (unknown := self._unknown_id(error, args, kwargs)) is not None:
                raise unknown from error
            step_aside(error)
            raise
        return values[0] if self._is_alone else values

    def _unknown_id(
        self, error: Exception, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> UnknownId | None:
        """Return an error that says that there is no such id, if there is none."""
        if isinstance(error, CacheError) or self.takes != (KEY,):
            return None
        key, view = (*args, *kwargs.values())[0], self._layer._view
        if "ids" not in view.properties:
            return None
        try:
            ids = list(self._layer.ids)
            is_there = key in ids
        except Exception:
            return None  # the first error says more
        name = self._layer._layer_names()[0]
        return None if is_there else UnknownId(name, self.__name__, key, ids)

    # ------------------------------------------------------------ what is kept of it

    def map(
        self,
        /,
        *iterables: Iterable[Any],
        executor: Any = None,
        progress: bool = True,
        on_error: str = "raise",
    ) -> list[Any]:
        """Return the field's values for many ids, in order.

        What a cache at the end of the chain has is loaded; the rest is computed, each value once,
        and kept as it comes.

        Parameters
        ----------
        *iterables : iterable
            The ids.
        executor : None, int, concurrent.futures.Executor or distributed.Client
            Who computes: this process, so many local processes, a pool, or a Dask cluster.
        progress : bool
            Whether to show how far it is, where somebody sees it.
        on_error : {'raise', 'collect'}
            Whether the first error ends it, or errors stand in the places of values.

        Raises
        ------
        NotCalls, UnknownExecutor, UnknownChoice, MissingExtra, CannotTravel, WorkersLost
            As `neurotools.jobs.parallel.map` does.
        Exception
            What the functions of the layers raise.
        """
        from neurotools.memo.many.calls import of_iterables
        from neurotools.memo.many.plainly import run_plainly
        from neurotools.memo.many.work import Common

        how: dict[str, Any] = {"executor": executor, "progress": progress, "on_error": on_error}
        if self.memory is not None:
            return self.memory.map(*iterables, **how)
        common = Common((), {})
        return run_plainly(self, of_iterables(iterables, {}), common, **how)

    @property
    def is_kept(self) -> bool:
        """Whether a cache at the end of the chain keeps it."""
        return isinstance(self._nodes[0], KeptNode)

    @property
    def outlives_process(self) -> bool:
        """Whether a cache at the end of the chain keeps it where other processes find it."""
        return any(node.memory.is_shared for node in self._caches())

    def is_there(self, /, *args: Any, shared: bool = False) -> bool:
        """Return whether all caches at the end of the chain, or all shared ones, have a value."""
        asked = list(self._kept_with(args, {}))
        wanted = [pair for pair in asked if not shared or pair[0].memory.is_shared]
        return all(node.memory.check_call_in_cache(*values) for node, values in wanted)

    def explain(self, /, *args: Any, **kwargs: Any) -> Explanation:
        """Return why the field's value is kept or would be computed.

        Returns
        -------
        Explanation
            Of the first cache, from the end of the chain, that has it; else of the last one that
            outlives this process. Where no cache ends the chain, of one before its end, rather
            one that has no value.
        """
        from neurotools.memo.layers.told import explained

        state = State(bound(self.__qualname__, self._givens, args, kwargs), self._shared)
        return explained(self.__name__, self._nodes[0], state)

    def locate(self, /, *args: Any, **kwargs: Any) -> str:
        """Return where the field's value is kept, or would be; rather a file than memory.

        Raises
        ------
        WrongLayer
            If no cache at the end of the chain keeps the field.
        """
        asked = self._kept_with(args, kwargs)
        places = [node.memory.locate(*values) for node, values in asked]
        if not places:
            raise WrongLayer(self.__qualname__, "no cache keeps it at the end of the chain")
        return next((place for place in places if not place.startswith("ram://")), places[0])

    def cache_info(self) -> CacheInfo:
        """Return how often the last cache had the field's value, in this process.

        Raises
        ------
        WrongLayer
            If no cache at the end of the chain keeps the field.
        """
        for node in self._caches():
            return node.memory.cache_info()
        raise WrongLayer(self.__qualname__, "no cache keeps it at the end of the chain")

    def purge(self, /, *args: Any, **kwargs: Any) -> int:
        """Remove a value from all caches at the end of the chain; without arguments, all values.

        Only values with the present code and parameters are removed.

        Returns
        -------
        int
            How many were removed.
        """
        if not args and not kwargs:
            return sum(node.memory.purge() for node in self._caches())
        return sum(node.memory.purge(*values) for node, values in self._kept_with(args, kwargs))

    def _kept_with(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Iterator[tuple[KeptNode, list[Any]]]:
        """Yield the caches at the end of the chain, the last first, and what they are asked."""
        state = State(bound(self.__qualname__, self._givens, args, kwargs), self._shared)
        for node in self._caches():
            yield node, [value_of(one, state) for one in node.arguments]

    def _caches(self) -> Iterator[KeptNode]:
        return stacked(self._nodes[0])

    def __reduce__(self) -> Any:
        return type(self), (self._layer, self._names)

    def __neurotools_digest__(self) -> Any:
        return self._layer, self._names

    def __repr__(self) -> str:
        return f"<{self.__name__} of {self._layer!r}>"


class Instance:
    """One entry of a data set: its fields are attributes."""

    def __init__(self, layer: Askable, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._layer, self._args, self._kwargs = layer, args, kwargs

    def __getitem__(self, names: str | Iterable[str]) -> Any:
        return self._layer._compile(names)(*self._args, **self._kwargs)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"an entry has no attribute {name!r}")
        return self[name]

    def __dir__(self) -> list[str]:
        return dir(self._layer)
