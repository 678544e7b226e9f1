"""Fields computed for all ids of a data set, and kept, before anybody asks for them."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from neurotools.memo.errors import UnknownField, WrongLayer
from neurotools.memo.layers.asked import Asked
from neurotools.memo.many.calls import Call
from neurotools.memo.many.plainly import run_plainly
from neurotools.memo.many.work import Common

if TYPE_CHECKING:
    from neurotools.memo.layers.layer import Askable


def warm(
    layer: Askable,
    fields: tuple[str, ...],
    ids: Collection[Any] | None,
    executor: Any,
    *,
    progress: bool,
) -> int:
    """Compute fields for ids, and return for how many that was done; see `Askable`."""
    names = fields or kept_fields(layer)
    asked = [Asked(layer, name) for name in names]
    name = layer._layer_names()[-1]
    if bare := [one for one in asked if not one.is_kept]:
        raise WrongLayer(name, f"no cache at the end of the chain keeps {bare[0].__name__!r}")
    if executor is not None and not all(one.outlives_process for one in asked):
        reason = "other processes cannot fill the memory of this one; keep fields on disk"
        raise WrongLayer(name, f"{reason}, or warm with executor=None")
    wanted = list(_ids(layer) if ids is None else ids)
    shared = executor is not None
    left = [key for key in wanted if not all(one.is_there(key, shared=shared) for one in asked)]
    how: dict[str, Any] = {"executor": executor, "progress": progress, "on_error": "raise"}
    loading = _Loading(layer, names, [one.memory for one in asked])
    run_plainly(loading, [Call((key,), {}) for key in left], Common((), {}), **how)
    return len(left)


def kept_fields(layer: Askable) -> tuple[str, ...]:
    """Return the fields that a cache at the end of a chain keeps, and that need an id."""
    view = layer._view
    names = [name for name in view.names if name not in view.properties]
    kept = tuple(name for name in names if Asked(layer, name).is_kept)
    if not kept:
        raise WrongLayer(layer._layer_names()[-1], "no cache at the end of the chain keeps a field")
    return kept


def _ids(layer: Askable) -> Any:
    view = layer._view
    if "ids" not in view.names:
        raise UnknownField(view.layer, "ids", view.names, "warm")
    return layer.ids


class _Loading:
    """Loads fields, and returns nothing.

    Parameters
    ----------
    layer : Askable
        The layer.
    names : tuple of str
        The fields.
    memories : list
        What keeps them: it takes the source along that is not to be found elsewhere.
    """

    def __init__(self, layer: Askable, names: tuple[str, ...], memories: list[Any]) -> None:
        self._layer, self._names, self._memories = layer, names, memories
        self._load: Asked | None = None
        self.__qualname__ = ", ".join(names)

    def __call__(self, key: Any) -> None:
        if self._load is None:
            self._load = self._layer._compile(self._names)
        self._load(key)

    def __getstate__(self) -> Any:
        return {**self.__dict__, "_load": None}
