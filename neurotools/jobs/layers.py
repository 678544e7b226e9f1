"""Data sets as layers: a source, transforms, and caches between them.

A `Source` computes fields, such as images, from ids. A `Transform` computes fields from fields. A
`Chain` puts layers one behind the other, as ``>>`` does. `CacheToRam` and `CacheToDisk` keep values
on the way: a value is found again while the code and the parameters that lead to this very field,
the id, and the files that were read are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neurotools.memo.layers.caches import CacheToDisk, CacheToRam
from neurotools.memo.layers.fields import IMPURE, META, OPTIONAL, POSITIONAL, Output, marked
from neurotools.memo.layers.items import Items
from neurotools.memo.layers.layer import Chain, Layer, Mixin, Source, Transform

__all__ = [
    "CacheToDisk",
    "CacheToRam",
    "Chain",
    "Items",
    "Layer",
    "Mixin",
    "Output",
    "Source",
    "Transform",
    "impure",
    "meta",
    "optional",
    "positional",
]


def meta(function: Callable[..., Any]) -> Any:
    """Make a field that needs no id, such as ``ids``: an attribute, which all later layers have.

    Parameters
    ----------
    function : callable
        Computes it.
    """
    return marked(function, META)


def impure(function: Callable[..., Any]) -> Any:
    """Say that a function may return something else each time, so that no cache keeps it.

    Parameters
    ----------
    function : callable
        The function.
    """
    return marked(function, IMPURE)


def optional(function: Callable[..., Any]) -> Any:
    """Say that a field is left out where a field that it needs is missing.

    Parameters
    ----------
    function : callable
        Computes it.
    """
    return marked(function, OPTIONAL)


def positional(function: Callable[..., Any]) -> Any:
    """Have the first argument stand for the field of its own name, from the layer before.

    Parameters
    ----------
    function : callable
        Computes the field; the same function may stand for several.
    """
    return marked(function, POSITIONAL)
