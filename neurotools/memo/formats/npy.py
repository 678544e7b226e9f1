"""``npy``: one array is one ``.npy`` stream; any other value is a row of such streams.

First comes the structure (JSON, as one bytes item), then every array, in the order in which the
structure names them: call ``np.load`` on the open file again and again to get them. All data
starts at multiples of 64, so that arrays can be used, and mapped, where they lie. Headers are read
by a parser of our own: numpy's takes 20 times as long, and accepts more than this format writes.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np

from neurotools.memo.entry import Buffer
from neurotools.memo.errors import UnstorableValue
from neurotools.memo.formats import dtypes
from neurotools.memo.formats.base import Payload

_MAGIC = b"\x93NUMPY"
_ALIGNMENT = 64
#: To copy so many bytes takes less time than to make a view of them.
_FEW = 4096
#: Data of a lone array starts here or later, as it does in files that numpy writes.
_SHORTEST = 128

_HEADER = (
    r"\{'descr': (?:'([^']*)'|(\[.*\])), 'fortran_order': (True|False), "
    r"'shape': \((\d{1,18}(?:, \d{1,18})*)?,?\), \} *\n"
)


class Npy:
    """Values as ``.npy`` streams."""

    method = "npy"
    runs_code = False

    def encode(self, value: Any) -> Payload:
        if type(value) is np.ndarray and (alone := _lone(value)) is not None:
            return alone
        from neurotools.memo.formats.structure import Rules, describe  # not for lone arrays

        tree, arrays = describe(value, Rules("npy"))
        if tree == {"array": 0}:
            return Payload(tuple(_streams(arrays)))
        structure = _structure_stream(tree)
        return Payload((structure, *_streams(arrays, len(structure))))

    def decode(self, payload: memoryview, layout: Mapping[str, Any]) -> Any:  # noqa: ARG002
        first, end = _read(payload, 0)
        if not _header(payload, 0).is_structure:
            if end != len(payload):
                raise ValueError(f"{len(payload) - end} bytes follow the array")
            return first
        from neurotools.memo.formats.structure import rebuild

        arrays = []
        while end < len(payload):
            array, end = _read(payload, end)
            arrays.append(array)
        text = first.tobytes()
        parse = _known_structure if len(text) <= _LONGEST_KNOWN else _parsed_structure
        return rebuild(parse(text), arrays)

    def bridge(self, payload_size: int, trailer_size: int) -> bytes:  # noqa: ARG002
        return b""  # numpy reads as much as the header says


# ---------------------------------------------------------------- writing


def _lone(array: np.ndarray[Any, Any]) -> Payload | None:
    """Return what `describe` leads to for an array, in a third of the time; None if it refuses."""
    try:
        return Payload(_stream(array, 0))
    except ValueError:
        return None


def _streams(arrays: list[np.ndarray[Any, Any]], position: int = 0) -> Iterator[Buffer]:
    """Give the parts of the streams of arrays, the first of which starts at a position."""
    for array in arrays:
        header, raw = _stream(array, position)
        yield header
        yield raw
        position += len(header) + array.nbytes


def _stream(array: np.ndarray[Any, Any], position: int) -> tuple[bytes, Buffer]:
    """Return header and data of an array; `ValueError` if no text gives its dtype back."""
    text, flags = dtypes.to_text(array.dtype), array.flags
    fortran = flags.f_contiguous and not flags.c_contiguous
    header = _header_bytes(text, fortran, array.shape, position)
    return header, _raw(array.T if fortran else array)


def _raw(array: np.ndarray[Any, Any]) -> Buffer:
    """Return the bytes of an array, in C order; a view if they lie so."""
    if array.nbytes <= _FEW:
        return array.tobytes()
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


@functools.lru_cache(maxsize=256)
def _header_bytes(text: str, fortran: bool, shape: tuple[int, ...], position: int) -> bytes:
    descr = text if text.startswith("[") else repr(text)
    body = f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}"
    try:
        version, length_size, encoded = 1, 2, body.encode("latin-1")
    except UnicodeEncodeError:
        version, length_size, encoded = 3, 4, body.encode()
    start = len(_MAGIC) + 2 + length_size
    end = position + start + len(encoded) + 1
    end = max(end + -end % _ALIGNMENT, _SHORTEST)
    length = end - position - start
    prefix = _MAGIC + bytes((version, 0)) + length.to_bytes(length_size, "little")
    return prefix + encoded.ljust(length - 1) + b"\n"


def _structure_stream(tree: Any) -> bytes:
    import json  # not needed for lone arrays

    text = json.dumps(tree, separators=(",", ":"), allow_nan=False).encode()
    if len(text) >= 1 << 31:
        reason = f"its structure takes {len(text)} bytes, without the arrays"
        raise UnstorableValue("npy", "a value of so many parts", reason)
    # Fortran order means nothing for one item: here it tells a structure from an array of bytes.
    return _header_bytes(f"|S{len(text)}", True, (), 0) + text


# ---------------------------------------------------------------- reading


class _Header:
    """What one header says; ``start`` is its length, up to where the data begins."""

    __slots__ = ("dtype", "is_structure", "nbytes", "order", "shape", "start")

    def __init__(
        self,
        dtype: np.dtype[Any],
        shape: tuple[int, ...],
        order: Literal["C", "F"],
        nbytes: int,
        start: int,
        *,
        is_structure: bool,
    ) -> None:
        self.dtype, self.shape, self.order, self.nbytes = dtype, shape, order, nbytes
        self.start, self.is_structure = start, is_structure


#: Headers already parsed: functions return the same kinds of array again and again.
_KNOWN: dict[bytes, _Header] = {}
_MOST_KNOWN, _LONGEST_KNOWN = 1024, 2048


def _read(payload: memoryview, position: int) -> tuple[np.ndarray[Any, Any], int]:
    """Return the array whose stream starts at a position, as a view, and where the stream ends."""
    header = _header(payload, position)
    start = position + header.start
    end = start + header.nbytes
    if end > len(payload):
        raise ValueError(f"the array ends {end - len(payload)} bytes behind its payload")
    return np.ndarray(header.shape, header.dtype, payload, start, None, header.order), end


def _header(payload: memoryview, position: int) -> _Header:
    length = 10 + int.from_bytes(payload[position + 8 : position + 10], "little")
    content = payload[position : position + length].tobytes()
    if (known := _KNOWN.get(content)) is not None:
        return known
    if content[:8] == _MAGIC + b"\3\0":
        length = 12 + int.from_bytes(payload[position + 8 : position + 12], "little")
        if length > 4 * dtypes.MAX_LENGTH + 4096:
            raise ValueError(f"a header of {length} bytes")
        content = payload[position : position + length].tobytes()
    elif content[:8] != _MAGIC + b"\1\0":
        raise ValueError(f"no .npy stream begins at byte {position}: {content[:8]!r}")
    header = _parsed_header(content, length)
    # Who has an array with fields can rename them in its dtype, which must not be another's.
    if length <= _LONGEST_KNOWN and header.dtype.names is None:
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        _KNOWN[content] = header
    return header


def _parsed_header(content: bytes, length: int) -> _Header:
    text = content[10:].decode("latin-1") if content[6] == 1 else content[12:].decode()
    found = (_usual(text) or _matched(text)) if len(content) == length else None
    if found is None:
        raise ValueError(f"unreadable header {content[:80]!r}")
    one, fields, fortran, sizes = found
    dtype = dtypes.from_text(fields or one)
    shape = tuple(map(int, sizes.split(", "))) if sizes else ()
    order: Literal["C", "F"] = "F" if fortran == "True" else "C"
    nbytes = math.prod(shape) * dtype.itemsize
    is_structure = order == "F" and shape == () and dtype.kind == "S"
    return _Header(dtype, shape, order, nbytes, length, is_structure=is_structure)


#: A dtype, or else its fields; whether in Fortran's order; sizes.
_Found = tuple[str, str | None, str, str | None]


def _matched(text: str) -> _Found | None:
    """Return what a header says of the dtype, or of its fields, the order, and the sizes."""
    found = re.fullmatch(_HEADER, text)
    return None if found is None else found.groups()  # type: ignore[return-value]


def _usual(text: str) -> _Found | None:
    """Return what `_matched` does, or None where a header is not the usual one.

    To compile the pattern takes a new process longer than all else in loading an array. Here a
    header is taken apart, and counts if the same header comes out of its parts.
    """
    parts = text.split("'")
    if len(parts) != 9:
        return None
    one, fortran, sizes = parts[3], parts[6][2:-2], parts[8].partition(")")[0][3:]
    numbers = sizes.removesuffix(",")
    again = f"{{'descr': '{one}', 'fortran_order': {fortran}, 'shape': ({sizes}), }}"
    is_usual = (
        text.startswith(again)
        and text[len(again) :].lstrip(" ") == "\n"
        and fortran in {"True", "False"}
        and all(_is_size(number) for number in numbers.split(", ") if numbers)
    )
    return (one, None, fortran, numbers or None) if is_usual else None


def _is_size(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 18


def _parsed_structure(text: bytes) -> Any:
    import json

    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError(f"the structure is nested too deep: {error}") from None


#: Functions return values of the same structure again and again. Who rebuilds a value from a tree
#: takes nothing of it that can change.
_known_structure = functools.lru_cache(maxsize=256)(_parsed_structure)
