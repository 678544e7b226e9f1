"""Small plain values -> bytes. Not here: whatever has parts (`walk`).

An encoding is a tag, then a content of fixed length, or a length and the content. None is the
beginning of another, so that encodings are joined without separators and stay distinct.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import xxhash

from neurotools.memo.digest import arrays

#: Longer content is replaced by its digest, so that a nested value stays small in memory.
LONGEST = 128

#: As many numbers of one type are written at once, as an array.
MANY = 32

length = struct.Struct("<Q").pack
_word = struct.Struct("<cq").pack
_double = struct.Struct("<cd").pack
_two_doubles = struct.Struct("<cdd").pack

_TEXT_HEADS = [b"s" + length(size) for size in range(LONGEST + 1)]


def shorten(encoding: bytes) -> bytes:
    """Return an encoding, or what stands for it where it is long."""
    if len(encoding) <= LONGEST:
        return encoding
    return b"#" + xxhash.xxh3_128_digest(encoding)


def _content(tags: bytes, raw: bytes | bytearray) -> bytes:
    # Long content is digested in place: to join it would copy it.
    size = len(raw)
    if size <= LONGEST:
        return tags[:1] + length(size) + raw
    return tags[1:] + length(size) + xxhash.xxh3_128_digest(raw)


def text(value: str) -> bytes:
    """Return the encoding of a string; lone surrogates are allowed."""
    try:
        raw = value.encode()
    except UnicodeEncodeError:
        raw = value.encode("utf-8", "surrogatepass")
    size = len(raw)
    return _TEXT_HEADS[size] + raw if size <= LONGEST else _content(b"sS", raw)


def _integer(value: int) -> bytes:
    try:
        return _word(b"i", value)
    except struct.error:
        return _content(b"jJ", value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True))


def _numpy_scalar(value: np.generic) -> bytes:
    return _content(b"nN", value.dtype.str.encode() + b" " + arrays.scalar_bytes(value))


#: Exact type -> the encoding of its values.
SCALARS: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda value: b"0",  # noqa: ARG005 - one shape for all encodings
    type(...): lambda value: b"1",  # noqa: ARG005
    type(NotImplemented): lambda value: b"2",  # noqa: ARG005
    bool: lambda value: b"T" if value else b"F",
    int: _integer,
    float: lambda value: _double(b"f", value),
    complex: lambda value: _two_doubles(b"c", value.real, value.imag),
    str: text,
    bytes: lambda value: _content(b"bB", value),
    bytearray: lambda value: _content(b"yY", value),
    np.str_: lambda value: b"u" + text(value),
    np.bytes_: lambda value: b"v" + _content(b"bB", b"".join((value,))),
    **{np.dtype(char).type: _numpy_scalar for char in "?bhilqBHILQefdgFDGMm"},
}

_PACKED = {float: "<f8", int: "<i8"}


def joined(kind: type, values: Collection[Any]) -> bytes | None:
    """Return the encodings of values of one type, or None if the type is not of a scalar."""
    if kind in _PACKED and len(values) >= MANY:
        try:
            return b"*" + _PACKED[kind].encode() + np.fromiter(values, _PACKED[kind]).tobytes()
        except OverflowError:
            pass  # integers of more than 64 bits are written one by one
    scalar = SCALARS.get(kind)
    return None if scalar is None else b"-" + b"".join(map(scalar, values))
