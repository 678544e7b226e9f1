"""Matrices as elements of a MAT-5 file. Not here: what Python values become (`mat`).

Written by the book, "MAT-File Format" of The MathWorks, level 5, little-endian, uncompressed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Union

import numpy as np

from neurotools.memo.entry import Buffer

#: Octave counts the bytes of an element in a signed integer of 32 bits.
LARGEST = (1 << 31) - 1
#: What is in many places of a value is written many times.
_MOST_PIECES = 5_000_000
#: Field names are this long at most.
LONGEST_NAME = 63

HEADER = struct.pack(
    "<124sH2s", b"MATLAB 5.0 MAT-file, written by neurotools".ljust(116) + bytes(8), 0x0100, b"IM"
)

_INT8, _UINT8, _INT32, _UINT32, _MATRIX, _UTF8 = 1, 2, 5, 6, 14, 16
_ENCODINGS = ((_UTF8, "ascii"), (17, "utf-16-le"), (18, "utf-32-le"))
_CELL, _STRUCT, _CHAR = 1, 2, 4
_LOGICAL, _COMPLEX = 0x0200, 0x0800

#: For each type of number its class, that is what it is to Matlab, and the code of its bytes.
_NUMBERS = {
    "b1": (9 | _LOGICAL, _UINT8),
    "f8": (6, 9),
    "f4": (7, 7),
    "i1": (8, _INT8),
    "u1": (9, _UINT8),
    "i2": (10, 3),
    "u2": (11, 4),
    "i4": (12, _INT32),
    "u4": (13, _UINT32),
    "i8": (14, 12),
    "u8": (15, 13),
}
_PACKED = {"b1": "<?", "f8": "<d", "i8": "<q", "u8": "<Q"}


class Content(NamedTuple):
    """Bytes whose place in the file is to be noted, under the number of an array."""

    number: int
    content: Buffer


Piece = Union[bytes, Content, "Element"]


# Lists are made of very many of these two, and named tuples are made quickest.
class Element(NamedTuple):
    """Pieces that belong together; ``number`` of them when all are taken apart."""

    pieces: tuple[Piece, ...]
    size: int
    number: int


class Matrix(NamedTuple):
    """An array of any class, still without a name.

    Attributes
    ----------
    flags : int
        Class, and whether complex or logical.
    dims : tuple of int
        At least two.
    body : Element
        What follows the name.
    """

    flags: int
    dims: tuple[int, ...]
    body: Element

    def named(self, name: bytes = b"") -> Element:
        """Return the matrix as an element of a file, or of another one.

        Raises
        ------
        OverflowError
            If it is too large for a file of this kind.
        """
        if self.body.size > LARGEST or self.body.number > _MOST_PIECES:
            raise OverflowError(f"{self.body.size} bytes in {self.body.number} pieces")
        head = _head(self.flags, self.dims, name)
        tag = struct.pack("<II", _MATRIX, len(head) + self.body.size)
        return _joined((tag + head, self.body))


def numbers(array: np.ndarray[Any, Any], dims: tuple[int, ...], note: int | None = None) -> Matrix:
    """Return a flat array of numbers as a matrix.

    Parameters
    ----------
    array : ndarray, 1-d, little-endian
        Its items, the first index of the matrix running fastest.
    dims : tuple of int
        Dimensions of the matrix.
    note : int, optional
        Number under which the place of the data is noted.
    """
    is_complex = array.dtype.kind == "c"
    halves = (array.real, array.imag) if is_complex else (array,)
    flags, code = _NUMBERS[halves[0].dtype.str[1:]]
    body = _joined(tuple(_noted(code, _raw(half), note) for half in halves))
    return Matrix(flags | _COMPLEX * is_complex, _at_least_two(dims), body)


def number(value: float, kind: str) -> Matrix:
    """Return one number of a kind as a matrix; a shorter way to what `numbers` does."""
    flags, code = _NUMBERS[kind]
    content = struct.pack(_PACKED[kind], value)
    return Matrix(flags, (1, 1), _joined((_small(code, content),)))


def ascii_chars(encoded: Buffer, note: int) -> Matrix:
    """Return a text in ASCII as a row, whose place is noted."""
    return Matrix(_CHAR, (1, len(encoded)), _noted(_UTF8, encoded, note))


def chars(text: str) -> Matrix:
    """Return a text as a row; halves of surrogate pairs, which no reader takes, become a "?"."""
    # Octave cuts off UTF-8 at as many bytes as there are characters, scipy fails where UTF-16 has
    # pairs. Only the shortest encoding with one unit for each character suits them all.
    widest = ord(max(text, default="a"))
    place = (widest >= 1 << 7) + (widest >= 1 << 16)
    code, encoding = _ENCODINGS[place]
    encoded = text.encode(encoding, "replace")
    return Matrix(_CHAR, (1 if text else 0, len(text)), _noted(code, encoded, None))


def cell(matrices: Sequence[Matrix], dims: tuple[int, int]) -> Matrix:
    """Return a cell array of matrices, the first index running fastest."""
    return Matrix(_CELL, dims, _joined(tuple(matrix.named() for matrix in matrices)))


def cell_of_numbers(array: np.ndarray[Any, Any]) -> Matrix:
    """Return a row of cells with one number each, of 64 bits; all at once, as lists may be long."""
    one = number(0, array.dtype.str[1:]).named()
    pattern = b"".join(piece for piece in flat(one) if isinstance(piece, bytes))
    cells = np.tile(np.frombuffer(pattern, np.uint8), (len(array), 1))
    cells[:, -8:] = array.view(np.uint8).reshape(-1, 8)
    return Matrix(_CELL, (1, len(array)), _joined((cells.tobytes(),)))


def record(names: Sequence[str], matrices: Sequence[Matrix]) -> Matrix:
    """Return a struct with one element."""
    width = 32 if all(len(name) < 32 for name in names) else 64
    padded = b"".join(name.encode("ascii").ljust(width, b"\0") for name in names)
    head = struct.pack("<HHi", _INT32, 4, width) + _small(_INT8, padded)
    fields = (matrix.named() for matrix in matrices)
    return Matrix(_STRUCT, (1, 1), _joined((head, *fields)))


def heading(name: bytes, size: int) -> bytes:
    """Return what stands before a row of bytes in a file; their number is a multiple of 8."""
    flags, code = _NUMBERS["u1"]
    head = _head(flags, (1, size), name) + struct.pack("<II", code, size)
    return struct.pack("<II", _MATRIX, len(head) + size) + head


def flat(element: Element) -> Iterator[bytes | Content]:
    """Give all pieces of an element in order."""
    for piece in element.pieces:
        if isinstance(piece, Element):
            yield from flat(piece)
        else:
            yield piece


@lru_cache(maxsize=1024)
def _head(flags: int, dims: tuple[int, ...], name: bytes) -> bytes:
    sizes = struct.pack(f"<{len(dims)}i", *dims)
    return (
        _small(_UINT32, struct.pack("<II", flags, 0)) + _small(_INT32, sizes) + _small(_INT8, name)
    )


def _small(code: int, content: bytes) -> bytes:
    """Return bytes as an element: their code, their number, themselves, zeros up to eight."""
    before, after = _around(code, len(content))
    return before + content + after


def _around(code: int, size: int) -> tuple[bytes, bytes]:
    if size <= 4:
        return struct.pack("<HH", code, size), bytes(4 - size)
    return struct.pack("<II", code, size), bytes(-size % 8)


def _noted(code: int, content: Buffer, note: int | None) -> Element:
    if note is None:
        return _joined((_small(code, bytes(content)),))
    before, after = _around(code, len(content))
    return Element((before, Content(note, content), after), len(before + after) + len(content), 3)


def _joined(pieces: tuple[bytes | Element, ...]) -> Element:
    size = number = 0
    for piece in pieces:
        size += piece.size if isinstance(piece, Element) else len(piece)
        number += piece.number if isinstance(piece, Element) else 1
    return Element(pieces, size, number)


def _at_least_two(dims: tuple[int, ...]) -> tuple[int, ...]:
    return (1,) * (2 - len(dims)) + tuple(dims)


def _raw(array: np.ndarray[Any, Any]) -> Buffer:
    if array.nbytes == 0:
        return b""
    return np.ascontiguousarray(array).view(np.uint8).data
