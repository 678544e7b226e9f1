"""Layers, those that can be asked for fields, and chains of layers.

Not here: sources and transforms (`classes`), a field that is taken from a layer (`asked`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any

from neurotools.memo.errors import WrongLayer
from neurotools.memo.layers.asked import Asked, Instance
from neurotools.memo.layers.views import View

if TYPE_CHECKING:
    from neurotools.memo.explanation import Explanation
    from neurotools.memo.layers.picture import Picture


class Layer:
    """Something that can stand in a chain."""

    def _attach(self, before: View) -> View:
        """Return what can be asked for once this layer stands behind others."""
        raise NotImplementedError


class Askable(Layer):
    """A layer that can be asked for fields: ``layer.image(key)``, ``layer.ids``."""

    _view: View

    def __rshift__(self, layer: Layer) -> Chain:
        return Chain(self, layer)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        asked = Asked(self, name)
        if name in self._view.properties and not asked.takes:
            return asked()
        return self.__dict__.setdefault(name, asked)

    def __dir__(self) -> list[str]:
        return list(self._view.names)

    def _show(self, view: View) -> None:
        """Have what a view offers be asked for."""
        self._view = view
        for name in _OFFERED & view.names.keys() - view.properties:
            self.__dict__[name] = Asked(self, name)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Instance:
        """Return one entry: ``layer(key).image``, ``layer(key)['image', 'mask']``."""
        return Instance(self, args, kwargs)

    def _compile(self, names: str | Collection[str]) -> Asked:
        """Return what loads one field, or several at once, from an id."""
        return Asked(self, names if isinstance(names, str) else tuple(names))

    def _layer_names(self) -> list[str]:
        """Return the names of the layers, without caches: messages speak of them."""
        return [type(self).__name__]

    # What is offered besides fields; a field of the same name comes first.

    def explain(self, field: str, /, *args: Any, **kwargs: Any) -> Explanation:
        """Return why a field's value is kept or would be computed, and which step has changed.

        Parameters
        ----------
        field : str
            The field.
        *args, **kwargs
            What it is asked with: the id.

        Returns
        -------
        Explanation
            It prints as text.
        """
        return Asked(self, field).explain(*args, **kwargs)

    def warm(
        self,
        *fields: str,
        ids: Collection[Any] | None = None,
        executor: Any = None,
        progress: bool = False,
    ) -> int:
        """Compute fields for all ids, and keep them.

        Parameters
        ----------
        *fields : str
            The fields; by default, all that a cache keeps.
        ids : collection, optional
            The ids; by default, those of the data set.
        executor : None, int, concurrent.futures.Executor or distributed.Client
            Who computes: this process, so many local processes, a pool, or a Dask cluster.
        progress : bool
            Whether to show how far it is.

        Returns
        -------
        int
            For how many ids it was done.
        """
        from neurotools.memo.layers.warm import warm

        return warm(self, fields, ids, executor, progress=progress)

    def picture(self, *fields: str) -> Picture:
        """Return a picture of how fields are computed; it prints as text.

        Parameters
        ----------
        *fields : str
            The fields; by default, all.
        """
        from neurotools.memo.layers.picture import Picture

        return Picture(self, fields or tuple(self._view.names))

    def _repr_svg_(self) -> str | None:
        """Return the picture for notebooks, where graphviz can draw it."""
        return Askable.picture(self).svg()


#: Longer chains are printed one layer a line.
_WIDTH = 100

#: What is offered besides fields.
_OFFERED = frozenset(["explain", "picture", "warm"])


class Chain(Askable):
    """Layers one behind the other; the same as ``source >> transform >> transform``.

    Parameters
    ----------
    *layers : Layer
        A source, or transforms alone, and then transforms, caches and other chains of these.

    Raises
    ------
    WrongLayer
        If it does not begin with a source or transform, or has two sources.
    UnknownField
        If a layer needs a field that those before it do not have.
    ImpureField
        If a cache would keep a field that may differ from call to call.
    """

    def __init__(self, *layers: Layer) -> None:
        if not layers:
            raise WrongLayer("Chain", "it needs one layer at least")
        for layer in layers:
            if not isinstance(layer, Layer):
                raise WrongLayer("Chain", f"{layer!r} is no layer; make one of a class with ()")
        head = layers[0]
        if not isinstance(head, Askable):
            raise WrongLayer("Chain", f"it begins with a Source or a Transform, not with {head!r}")
        self._layers = tuple(one for layer in layers for one in _flat(layer))
        view = head._view
        for layer in layers[1:]:
            view = layer._attach(view)
        self._show(view)

    def _attach(self, before: View) -> View:
        for layer in self._layers:
            before = layer._attach(before)
        return before

    def _layer_names(self) -> list[str]:
        layers = (layer for layer in self._layers if not isinstance(layer, CacheLayer))
        return [type(layer).__name__ for layer in layers]

    def __getitem__(self, index: int | slice) -> Any:
        return Chain(*self._layers[index]) if isinstance(index, slice) else self._layers[index]

    def __len__(self) -> int:
        return len(self._layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self._layers)

    def _filterfalse(self, function: Callable[..., bool], *args: Any) -> Chain:
        return Chain(*(layer for layer in self._layers if not function(layer, *args)))

    def _drop_cache(self) -> Chain:
        """Return the same chain without caches."""
        return self._filterfalse(isinstance, CacheLayer)

    def __getstate__(self) -> Any:
        return self._layers

    def __setstate__(self, state: tuple[Layer, ...]) -> None:
        Chain.__init__(self, *state)

    def __neurotools_digest__(self) -> Any:
        return tuple(layer for layer in self._layers if not isinstance(layer, CacheLayer))

    def __repr__(self) -> str:
        told = list(map(repr, self._layers))
        line = " >> ".join(told)
        return line if len(line) <= _WIDTH else "\n    >> ".join(told)


class CacheLayer(Layer):
    """A layer that keeps values, and changes none."""


def _flat(layer: Layer) -> tuple[Layer, ...]:
    return layer._layers if isinstance(layer, Chain) else (layer,)
