"""The bases of the classes that users write: sources, transforms, and what these share.

Not here: how the body of such a class is read (`syntax`).
"""

from __future__ import annotations

from typing import Any

from neurotools.memo.errors import WrongLayer
from neurotools.memo.layers.definition import EXCLUDE, INHERIT, Definition
from neurotools.memo.layers.layer import Askable
from neurotools.memo.layers.syntax import MIXIN, SOURCE, TRANSFORM, LayerType
from neurotools.memo.layers.views import Attached, Nothing, Raw, View


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
        self._show(self._attach(Nothing() if definition.is_source else Raw()))

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
