"""Values whose arrays lie at known places of a payload: how `mat` and `hdf5` are read.

Their files are for other programs, which know fewer types than Python does. What a value was
stands in the layout: its structure, and for every array where its bytes are. So nothing is guessed
from the file, nothing in it is followed, and reading needs no library.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neurotools.memo.formats import dtypes
from neurotools.memo.formats.structure import Tree, rebuild

_ORDERS = {"C", "F"}


def layout_of(tree: Tree, places: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the layout of a payload from its structure and the places of its arrays."""
    return {"structure": tree, "arrays": list(places)}


def place(
    array: np.ndarray[Any, Any], *, stored: np.dtype[Any], order: str, offsets: Sequence[int]
) -> dict[str, Any]:
    """Return what is to be noted of one array.

    Parameters
    ----------
    array : ndarray
        As it was, and is to come back.
    stored : dtype
        What its items are in the payload.
    order : {'C', 'F'}
        How they are ordered there.
    offsets : sequence of int
        Where they begin; two of them if real and imaginary parts lie apart.
    """
    fortran = array.flags.f_contiguous and not array.flags.c_contiguous
    return {
        "dtype": dtypes.to_text(array.dtype),
        "shape": list(array.shape),
        "order": "F" if fortran else "C",
        "stored": [dtypes.to_text(stored), order],
        "at": list(offsets),
    }


def decode(payload: memoryview, layout: Mapping[str, Any]) -> Any:
    """Return the value of a payload with places in its layout.

    Raises
    ------
    ValueError
        If the layout does not fit the payload.
    """
    try:
        places = layout["arrays"]
        # Else a short layout could ask for many copies of one array.
        if sum(map(_size, places)) > len(payload):
            raise ValueError("its arrays are larger than the payload")
        arrays = [_fetch(payload, place) for place in places]
        return rebuild(layout["structure"], arrays)
    except (TypeError, LookupError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"the layout does not fit the payload: {error!r}") from None


def _size(place: Mapping[str, Any]) -> int:
    """Return how many bytes an array takes, here or there; check all its numbers."""
    shape, offsets = place["shape"], place["at"]
    # numpy itself would reach before the payload, with an offset below zero.
    if not all(type(number) is int and number >= 0 for number in (*shape, *offsets)):
        raise ValueError(f"no place: shape {shape!r:.80}, offsets {offsets!r:.80}")
    stored, dtype = (dtypes.from_text(text) for text in (place["stored"][0], place["dtype"]))
    count: int = math.prod(shape)
    return count * max(stored.itemsize * len(offsets), dtype.itemsize)


def _fetch(payload: memoryview, place: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    """Return an array, as a view of the payload if its items are stored as they were."""
    text, stored_order = place["stored"]
    shape, order = place["shape"], place["order"]
    if order not in _ORDERS or stored_order not in _ORDERS:
        raise ValueError(f"no order: {order!r:.20}")
    dtype, stored = dtypes.from_text(place["dtype"]), dtypes.from_text(text)
    if not _gives(stored, dtype, len(place["at"])):
        raise ValueError(f"{dtype} is not stored as {stored}")
    if not dtype.itemsize:  # numpy's copies would make the items wider
        return np.ndarray(shape, dtype, order=order)
    halves = [np.ndarray(shape, stored, payload, at, None, stored_order) for at in place["at"]]
    if len(halves) == 2:
        array = np.empty(shape, dtype, order)
        array.real, array.imag = halves
        return array
    (array,) = halves
    with np.errstate(all="ignore"):  # damaged numbers may be too large for halves
        return array.astype(dtype, order, casting="same_kind", copy=False)


def _gives(stored: np.dtype[Any], dtype: np.dtype[Any], parts: int) -> bool:
    """Tell whether items stored in so many parts are ever read as such a type."""
    if parts == 2:
        return dtype.kind == "c" and stored == np.dtype(f"<f{dtype.itemsize // 2}")
    if dtype.str[1:] == "f2" and stored.str == "<f4":
        return True
    return stored.newbyteorder("=") == dtype.newbyteorder("=")
