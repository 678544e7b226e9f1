"""Arrays -> digests of their content, and dtypes -> plain values that tell them apart.

Content is digested in C order, straight from memory where it lies so. Bytes that are no content
(padding between fields, the unused bytes of a long double) are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import xxhash

#: Bytes copied at a time from an array that does not lie in C order; as many stay in the cache.
BLOCK_BYTES = 1 << 20
#: Smaller arrays are read in less time than it takes to ask whether they have changed.
LARGE = 2 << 20

Array = np.ndarray[Any, Any]


def _significant_bytes() -> int:
    """Return how many bytes of a long double hold its value; the rest is whatever was there."""
    return 10 if np.finfo(np.longdouble).nmant == 63 else np.dtype(np.longdouble).itemsize


_SIGNIFICANT = _significant_bytes()
_LONG = np.dtype(np.longdouble).itemsize


def describe(dtype: np.dtype[Any]) -> Any:
    """Return a plain value that is equal only for equal dtypes."""
    if dtype.metadata:
        return "metadata", dict(dtype.metadata), _layout(dtype)
    return _layout(dtype)


def _layout(dtype: np.dtype[Any]) -> Any:
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return "subarray", describe(base), shape
    if dtype.fields is not None and dtype.names is not None:
        fields = [(name, *_field(dtype.fields[name])) for name in dtype.names]
        return "fields", dtype.itemsize, _foreign_type(dtype), fields
    if dtype.kind == "T":
        return "text", dtype.coerce, getattr(dtype, "na_object", ...)  # type: ignore[attr-defined]
    # Types added to numpy by others all call themselves 'V': their class tells them apart.
    scalar = _foreign_type(dtype)
    return dtype.str if scalar is None else ("added", dtype.str, scalar)


def _field(field: Any) -> tuple[Any, ...]:
    dtype, offset, *title = field
    return (offset, describe(dtype), *title)


def _foreign_type(dtype: np.dtype[Any]) -> Any:
    if dtype.type is np.record:
        return "record"
    return None if dtype.type.__module__ == "numpy" else dtype.type


def content(array: Array) -> bytes:
    """Return the digest of an array's elements, in C order.

    Parameters
    ----------
    array : ndarray
        Without references to objects.

    Returns
    -------
    bytes
        128 bits. Shape and dtype do not count.
    """
    hasher = xxhash.xxh3_128()
    _update(hasher, array.view(np.ndarray))
    return hasher.digest()


def _update(hasher: Any, array: Array) -> None:
    if array.nbytes == 0:
        return
    if _is_solid(array.dtype):
        for block in _blocks(array):
            hasher.update(block.reshape(-1).view(np.uint8))
    elif array.dtype.names is not None:
        for name in array.dtype.names:
            _update(hasher, array[name])
    else:
        for block in _blocks(array):
            hasher.update(_without_junk(block))


def _is_solid(dtype: np.dtype[Any]) -> bool:
    """Tell whether every byte of an element is content."""
    if dtype.subdtype is not None:
        return _is_solid(dtype.subdtype[0])
    if dtype.names is None or dtype.fields is None:
        return dtype.char not in "gG" or _SIGNIFICANT == _LONG
    end = 0
    fields = [dtype.fields[name][:2] for name in dtype.names]
    for kind, offset in sorted(fields, key=lambda field: field[1]):
        if offset != end or not _is_solid(kind):
            return False
        end += kind.itemsize
    return end == dtype.itemsize


def _blocks(array: Array) -> Iterator[Array]:
    """Yield the elements in C order as contiguous arrays, copying a bounded number at a time."""
    if array.flags.c_contiguous:
        yield array
    elif array.nbytes <= BLOCK_BYTES:
        yield np.ascontiguousarray(array)
    else:
        rows = BLOCK_BYTES // (array.nbytes // len(array))
        for start in range(0, len(array), max(rows, 1)):
            yield from _blocks(array[start : start + rows] if rows else array[start])


def _without_junk(block: Array) -> bytes:
    raw = block.reshape(-1).view(np.uint8).reshape(-1, _LONG)
    native = block.dtype.isnative
    return (raw[:, :_SIGNIFICANT] if native else raw[:, -_SIGNIFICANT:]).tobytes()


def scalar_bytes(value: np.generic) -> bytes:
    """Return the bytes of a numpy scalar that are content."""
    if value.dtype.char in "gG" and _SIGNIFICANT != _LONG:
        return _without_junk(np.asarray(value))
    return value.tobytes()


def buffer_digest(view: memoryview) -> bytes:
    """Return the digest of a buffer's bytes, in C order."""
    return xxhash.xxh3_128_digest(view if view.c_contiguous else view.tobytes())
