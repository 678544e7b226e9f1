"""A field as it is taken from a layer: ``dataset.image``, which is called with an id."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from neurotools.memo.careful import step_aside
from neurotools.memo.errors import CacheError, UnknownId, WrongLayer
from neurotools.memo.explain import Explanation
from neurotools.memo.layers.definition import KEY
from neurotools.memo.layers.graph import bound, given_by, value_of
from neurotools.memo.layers.kept import KeptNode

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
        self.__name__ = ", ".join(wanted)
        self.__qualname__ = f"{layer._layer_names()[-1]}.{self.__name__}"
        self._is_alone = isinstance(names, str)
        node = self._nodes[0] if self._is_alone else None
        # The way of nearly all hits: what is kept last is asked at once.
        is_kept = isinstance(node, KeptNode) and node.is_plain
        self._memory = node.memory if isinstance(node, KeptNode) and is_kept else None

    @property
    def __signature__(self) -> inspect.Signature:
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        return inspect.Signature([inspect.Parameter(one.name, kind) for one in self._givens])

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        try:
            if self._memory is not None and not kwargs and len(args) == len(self._givens):
                return self._memory(*args)
            state = bound(self.__qualname__, self._givens, args, kwargs)
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
        if isinstance(error, CacheError) or [one.name for one in self._givens] != [KEY]:
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

    def explain(self, /, *args: Any, **kwargs: Any) -> Explanation:
        """Return why the field's value is kept or would be computed.

        Returns
        -------
        Explanation
            Of the first cache, from the end of the chain, that has it; else of the last one that
            outlives this process.
        """
        told = None
        for node, values in self._kept_with(args, kwargs):
            told = node.memory.explain(*values)
            if told.hit:
                break
        return told or Explanation(False, f"no cache keeps {self.__name__!r} at the end of the chain")

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

    def _kept_with(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Iterator[tuple[KeptNode, list[Any]]]:
        """Yield the caches at the end of the chain, the last first, and what they are asked with."""
        state = bound(self.__qualname__, self._givens, args, kwargs)
        node = self._nodes[0]
        while isinstance(node, KeptNode):
            yield node, [value_of(one, state) for one in node.arguments]
            node = node.inputs[0]

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


