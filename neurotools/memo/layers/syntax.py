"""The class syntax of layers: a class body -> a `Definition`.

In the body of a layer's class, annotated private names are parameters of its constructor, private
functions are values that others of the class may ask for, and public functions are fields. All of
them leave the class: `dataset.image` is looked up along the chain, not in the class.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neurotools.memo.errors import WrongLayer
from neurotools.memo.layers.definition import OF_PYTHON, Definition
from neurotools.memo.layers.fields import Marked

#: The bases of layers by kind.
_KINDS: dict[type, str] = {}
SOURCE, TRANSFORM, MIXIN = "source", "transform", "mixin"


class LayerType(type):
    """The type of classes of layers; ``kind=`` marks those that others are derived from."""

    _definition: Definition | None = None
    _members: Mapping[str, Any]
    _hints: tuple[str, ...]

    def __new__(
        mcs,
        name: str,
        bases: tuple[type, ...],
        body: dict[str, Any],
        *,
        kind: str = "",
    ) -> LayerType:
        """Read the body of a class."""
        if kind:
            cls = super().__new__(mcs, name, bases, {**body, "_members": {}, "_hints": ()})
            _KINDS[cls] = kind
            return cls
        members = {key: value for base in reversed(bases) for key, value in _members(base).items()}
        own = {key: value for key, value in body.items() if not _stays(key, value)}
        members.update(own)
        hints = [hint for base in reversed(bases) for hint in getattr(base, "_hints", ())]
        hints = list(dict.fromkeys([*hints, *body.get("__annotations__", ())]))
        left = {key: value for key, value in body.items() if key not in own}
        which = _kind(name, bases)
        if which != MIXIN:
            made = Definition(name, members, hints, is_source=which == SOURCE)
            left.update(_definition=made, __signature__=made.signature)
        return super().__new__(mcs, name, bases, {**left, "_members": members, "_hints": (*hints,)})

    def __init__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any], **_: Any) -> None:
        super().__init__(name, bases, body)

    def __call__(cls, /, *args: Any, **kwargs: Any) -> Any:
        """Make a layer."""
        if cls._definition is None and _KINDS.get(cls, MIXIN) == MIXIN:
            raise WrongLayer(cls.__name__, "it is a mixin; derive a Source or Transform from it")
        return super().__call__(*args, **kwargs)

    def __getattr__(cls, name: str) -> Any:
        # So that a function of a body is found where its qualified name says.
        value = cls._members.get(name) if not name.startswith("__") else None
        if value is None:
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
        return value.function if isinstance(value, Marked) else value


def _members(base: type) -> Mapping[str, Any]:
    return base._members if isinstance(base, LayerType) else {}


def _stays(name: str, value: Any) -> bool:
    """Tell whether something in a body is the class's own, and not the layer's."""
    return name in OF_PYTHON or isinstance(value, (staticmethod, classmethod))


def _kind(name: str, bases: tuple[type, ...]) -> str:
    lines = {kind for base in bases for cls in base.__mro__ if (kind := _KINDS.get(cls))}
    layers = lines - {MIXIN}
    if len(layers) > 1:
        raise WrongLayer(name, "a layer is derived from Source or from Transform, not from both")
    return layers.pop() if layers else MIXIN
