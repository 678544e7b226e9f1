"""Layers that can be asked for fields: sources, transforms, and chains of layers.

Not here: their classes' syntax (`syntax`), what a field is when it is taken from one (`asked`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any

from neurotools.memo.errors import WrongLayer
from neurotools.memo.layers.asked import Asked, Instance
from neurotools.memo.layers.definition import EXCLUDE, INHERIT, Definition
from neurotools.memo.layers.syntax import MIXIN, SOURCE, TRANSFORM, LayerType
from neurotools.memo.layers.views import Attached, Nothing, Raw, View

if TYPE_CHECKING:
    from neurotools.memo.explain import Explanation
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
        if name in _OFFERED and name not in self._view.names:
            return object.__getattribute__(self, _OFFERED[name])
        asked = Asked(self, name)
        if name in self._view.properties and not asked.takes:
            return asked()
        return self.__dict__.setdefault(name, asked)

    def __dir__(self) -> list[str]:
        return list(self._view.names)

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

    def _explain(self, field: str, /, *args: Any, **kwargs: Any) -> Explanation:
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

    def _warm(
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

    def _picture(self, *fields: str) -> Picture:
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
        return self._picture().svg()


#: Longer chains are printed one layer a line.
_WIDTH = 100

_OFFERED = {"explain": "_explain", "warm": "_warm", "picture": "_picture"}


class _Defined(Askable):
    """A layer with a class of its own."""

    _definition: Definition
    _arguments: dict[str, Any]

    def __init__(self, /, *args: Any, **kwargs: Any) -> None:
        definition = getattr(type(self), "_definition", None)
        if definition is None:
            name = type(self).__name__
            raise WrongLayer(name, f"derive a class from {name}, and make one of that")
        self._begin(definition, definition.bound(args, kwargs))

    def _begin(self, definition: Definition, arguments: dict[str, Any]) -> None:
        self._definition, self._arguments = definition, arguments
        self._view = self._attach(Nothing() if definition.is_source else Raw())

    def _attach(self, before: View) -> View:
        if self._definition.is_source and not isinstance(before, Nothing):
            reason = f"it is a source, and stands behind {before.layer}; a chain has one source"
            raise WrongLayer(self._definition.layer, f"{reason}, which stands first")
        return Attached(before, self._definition, self._arguments)

    def __getstate__(self) -> Any:
        return self._arguments

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._begin(type(self)._definition, state)

    def __neurotools_digest__(self) -> Any:
        fields = {**self._definition.private, **self._definition.fields}
        functions = {name: field.function for name, field in fields.items()}
        rules = (self._definition.inherit, self._definition.exclude)
        return functions, self._arguments, rules

    def __repr__(self) -> str:
        values = (f"{name[1:]}={value!r}" for name, value in self._arguments.items())
        return f"{type(self).__name__}({', '.join(values)})"


class Source(_Defined, metaclass=LayerType, kind=SOURCE):
    """Base of data sets: fields that are computed from an id.

    In the body of a class derived from it

    - annotated private names, such as ``_root: str``, are parameters of its constructor, with or
      without a default;
    - public functions are fields. Arguments with private names are parameters; the one that is
      left, under any name, is the id;
    - private functions are values that other functions may ask for by their names;
    - ``@meta`` makes a field that needs no id, such as ``ids``.

    Raises
    ------
    WrongLayer
        If a parameter is missing or unknown; for a class, if it is not put together as it has to
        be.

    Examples
    --------
    >>> from neurotools.jobs.layers import meta
    >>> class Squares(Source):
    ...     _offset: int = 0
    ...
    ...     @meta
    ...     def ids():
    ...         return (1, 2, 3)
    ...
    ...     def square(i, _offset):
    ...         return i * i + _offset
    >>> Squares(offset=1).square(3)
    10
    """


class Transform(_Defined, metaclass=LayerType, kind=TRANSFORM):
    """Base of transforms: fields that are computed from the fields of the layer before.

    A class derived from it is as one derived from `Source`, but that arguments without private
    names are fields of the layer before. Fields that it does not define are passed on if
    ``__inherit__`` is True, or names them, or ``__exclude__`` is given and does not name them;
    ``ids`` and ``id`` always are.

    Made in place, it takes functions by name.

    Parameters
    ----------
    **functions : callable
        Fields by name.

    Raises
    ------
    WrongLayer
        As `Source` does.

    Examples
    --------
    >>> half = Transform(image=lambda image: image / 2)
    >>> half.image(3)
    1.5
    """

    def __init__(self, /, *args: Any, **kwargs: Any) -> None:
        if type(self) is not Transform:
            super().__init__(*args, **kwargs)
            return
        if args:
            raise WrongLayer("Transform", "it takes functions by name, such as image=...")
        self._begin_in_place(kwargs)

    def _begin_in_place(self, members: dict[str, Any]) -> None:
        for name, value in members.items():
            if name not in (INHERIT, EXCLUDE) and not callable(value):
                raise WrongLayer("Transform", f"{name!r} is no function, but {value!r}")
        self._members = members
        self._begin(Definition("Transform", members), {})

    def __getstate__(self) -> Any:
        return self._members if type(self) is Transform else self._arguments

    def __setstate__(self, state: dict[str, Any]) -> None:
        if type(self) is Transform:
            self._begin_in_place(state)
        else:
            super().__setstate__(state)

    def __repr__(self) -> str:
        if type(self) is not Transform:
            return super().__repr__()
        told = (f"{name}={_shown(value)}" for name, value in self._members.items())
        return f"Transform({', '.join(told)})"


def _shown(value: Any) -> str:
    return getattr(value, "__name__", None) or repr(value)


class Mixin(metaclass=LayerType, kind=MIXIN):
    """Base of classes whose fields and parameters other layers share by deriving from them."""


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
        self._view = view

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
