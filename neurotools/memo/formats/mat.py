"""``mat``: MAT-5 files, for Matlab, Octave and `scipy.io.loadmat`; the value is ``varargout``.

There a vector is a row, a list or tuple a cell, a dictionary a struct, None an empty matrix. What
each was in Python stands in the layout (see `placed`), so that all of it is undone in reading.
What other programs could not see rightly is refused: structured arrays, longdouble, integers
beyond 64 bits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from neurotools.memo.entry import Buffer
from neurotools.memo.errors import UnstorableValue
from neurotools.memo.formats import mat5, placed
from neurotools.memo.formats.base import Payload
from neurotools.memo.formats.structure import LONG_LIST, Rules, Tree, describe, pack, rebuild

_MAGIC = mat5.HEADER[:10]
_NAME = re.compile(rf"[A-Za-z][A-Za-z0-9_]{{0,{mat5.LONGEST_NAME - 1}}}")
#: What stands in the file for kinds of types that Matlab does not have: the same bytes, as numbers.
_VIEWED_AS = {"M": "<i8", "m": "<i8", "S": "u1", "U": "<u4"}
_TOO_LARGE = "MAT-5 files hold no variable of 2 GiB"
#: Smaller pieces are joined.
_SMALL = 1 << 14


class Mat:
    """Values as MAT-5 files."""

    method = "mat"
    runs_code = False

    def encode(self, value: Any) -> Payload:
        tree, arrays = describe(value, _RULES)
        try:
            root = _root(tree, arrays)
        except OverflowError as error:
            reason = f"{_TOO_LARGE}, this one has {error}"
            raise UnstorableValue("mat", type(value).__name__, reason, "npy") from None
        offsets: dict[int, list[int]] = {}
        parts = tuple(_merged(_with_offsets(root, offsets)))
        places = [_place(array, offsets[number]) for number, array in enumerate(arrays)]
        return Payload(parts, placed.layout_of(tree, places))

    def decode(self, payload: memoryview, layout: Mapping[str, Any]) -> Any:
        if payload[: len(_MAGIC)] != _MAGIC:
            raise ValueError("it does not begin as a MAT-5 file")
        return placed.decode(payload, layout)

    def bridge(self, payload_size: int, trailer_size: int) -> bytes:  # noqa: ARG002
        # Readers walk from variable to variable up to the end of the file: the trailer is one more.
        return mat5.heading(b"neurotools_record", trailer_size)


# ---------------------------------------------------------------- what is refused


def _against(array: np.ndarray[Any, Any]) -> str:
    dtype = array.dtype
    if dtype.kind == "V":
        return "Matlab has no such type"
    if dtype.kind in "fc" and dtype.itemsize > 8 * (1 + (dtype.kind == "c")):
        return "Matlab has no numbers of more than 64 bits"
    if array.nbytes > mat5.LARGEST or max(array.shape, default=0) > mat5.LARGEST:
        return _TOO_LARGE
    if dtype.str[1:] == "f2" and not _halves_survive(array):
        return "it holds NaNs with a content, which single precision changes"
    return ""


def _halves_survive(array: np.ndarray[Any, Any]) -> bool:
    back = array.astype(np.float32).astype(array.dtype)
    return np.array_equal(back.view(np.uint16), array.astype(array.dtype).view(np.uint16))


_RULES = Rules("mat", _against, int_bits=64, packs_numbers=False, packs_all_text=False)


# ---------------------------------------------------------------- trees to matrices


def _root(tree: Tree, arrays: list[np.ndarray[Any, Any]]) -> mat5.Element:
    size = sum(array.nbytes for array in arrays)
    if size > mat5.LARGEST:  # told before anything is copied
        raise OverflowError(f"{size} bytes of arrays alone")
    return _Writer(arrays).matrix(tree).named(b"varargout")


class _Writer:
    """Makes matrices of a tree's nodes, numbering what it finishes as `structure` does."""

    def __init__(self, arrays: list[np.ndarray[Any, Any]]) -> None:
        self.arrays = arrays
        self._finished: list[mat5.Matrix] = []

    def matrix(self, node: Tree) -> mat5.Matrix:
        if type(node) is list:
            return self._keep(self._cell(node))
        if type(node) is dict:
            ((tag, content),) = node.items()
            return _TAGS.get(tag, _leaf)(self, content, node)
        return _plain(node)

    def same(self, content: Tree, _: Tree) -> mat5.Matrix:
        return self._finished[content]

    def inner(self, content: Tree, _: Tree) -> mat5.Matrix:
        return self.matrix(content)

    def items(self, content: Tree, _: Tree) -> mat5.Matrix:
        return self._keep(self._cell(content))

    def parameters(self, content: Tree, _: Tree) -> mat5.Matrix:
        return self._cell(content)

    def pairs(self, content: Tree, _: Tree) -> mat5.Matrix:
        names = [name for name, _ in content]
        keys = [self.matrix(name) for name in names]
        values = [self.matrix(node) for _, node in content]
        if content and all(type(name) is str and _NAME.fullmatch(name) for name in names):
            return self._keep(mat5.record(names, values))
        return self._keep(mat5.cell([*keys, *values], (len(keys), 2)))

    def array(self, number: Tree, _: Tree) -> mat5.Matrix:
        array = self.arrays[number]
        return self._keep(mat5.numbers(_flat(array), _dims(array), number))

    def raw(self, content: Tree, node: Tree) -> mat5.Matrix:
        return self.array(content, node) if type(content) is int else _leaf(self, content, node)

    def text(self, content: Tree, node: Tree) -> mat5.Matrix:
        if type(content) is not int:
            return _leaf(self, content, node)
        return self._keep(mat5.ascii_chars(self.arrays[content].data, content))

    def _cell(self, nodes: list[Tree]) -> mat5.Matrix:
        packed = pack(nodes) if len(nodes) >= LONG_LIST else None
        if packed is not None:
            return mat5.cell_of_numbers(packed)
        return mat5.cell([self.matrix(node) for node in nodes], (1, len(nodes)))

    def _keep(self, matrix: mat5.Matrix) -> mat5.Matrix:
        self._finished.append(matrix)
        return matrix


_TAGS: dict[str, Callable[[_Writer, Tree, Tree], mat5.Matrix]] = {
    "array": _Writer.array,
    "bytearray": _Writer.raw,
    "bytes": _Writer.raw,
    "bytes_": _Writer.inner,
    "dict": _Writer.pairs,
    "frozenset": _Writer.items,
    "range": _Writer.parameters,
    "same": _Writer.same,
    "set": _Writer.items,
    "slice": _Writer.parameters,
    "str_": _Writer.inner,
    "text": _Writer.text,
    "tuple": _Writer.items,
}


def _leaf(_: _Writer, content: Tree, node: Tree) -> mat5.Matrix:  # noqa: ARG001
    return _plain(rebuild(node, ()))


_KINDS = {bool: "b1", float: "f8", int: "i8"}


def _plain(value: Any) -> mat5.Matrix:
    """Return the matrix of a value without parts."""
    kind = _KINDS.get(type(value))
    if kind is not None:
        return mat5.number(value, "u8" if kind == "i8" and value >= 1 << 63 else kind)
    if value is None:
        return mat5.numbers(np.empty(0), (0, 0))
    if value is Ellipsis:
        value = "..."
    if isinstance(value, str):
        return mat5.chars(value)
    array = np.frombuffer(value, np.uint8) if isinstance(value, bytes) else np.asarray(value)
    return mat5.numbers(_flat(array), _dims(array))


# ---------------------------------------------------------------- arrays to numbers


def _stored(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return what items of a type are in the file: little-endian, and halves are wider."""
    return np.dtype("<f4") if dtype.str[1:] == "f2" else dtype.newbyteorder("<")


def _flat(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return an array's numbers in the order of the file; a view if they lie so."""
    view = _VIEWED_AS.get(array.dtype.kind)
    if view is not None and array.nbytes == 0:
        return np.empty(0, view)  # numpy's copies of empty texts are wider than these
    flat = array.ravel(order="F")
    if view is None:
        return flat.astype(_stored(array.dtype), copy=False)
    return flat.astype(array.dtype.newbyteorder("<"), copy=False).view(view)


def _dims(array: np.ndarray[Any, Any]) -> tuple[int, ...]:
    """Return the dimensions in the file: texts have one more, the first, for their characters."""
    if array.dtype.kind not in "SU":
        return tuple(array.shape)
    characters = array.itemsize // (4 if array.dtype.kind == "U" else 1)
    return (characters, *array.shape)


def _place(array: np.ndarray[Any, Any], offsets: list[int]) -> dict[str, Any]:
    is_complex = array.dtype.kind == "c"
    stored = np.dtype(f"<f{array.itemsize // 2}") if is_complex else _stored(array.dtype)
    return placed.place(array, stored=stored, order="F", offsets=offsets)


# ---------------------------------------------------------------- elements to parts


def _with_offsets(root: mat5.Element, offsets: dict[int, list[int]]) -> Iterator[Buffer]:
    """Give the buffers of a file in order, and note where arrays begin."""
    yield mat5.HEADER
    position = len(mat5.HEADER)
    halves: dict[tuple[int, int], int] = {}
    for piece in mat5.flat(root):
        buffer = piece.content if isinstance(piece, mat5.Content) else piece
        if isinstance(piece, mat5.Content):
            # What stands in several places is read from the first.
            halves.setdefault((piece.number, id(piece)), position)
        yield buffer
        position += len(buffer)
    for (number, _), offset in halves.items():
        offsets.setdefault(number, []).append(offset)


def _merged(buffers: Iterator[Buffer]) -> Iterator[Buffer]:
    """Join what is small: a list of numbers is many pieces."""
    small: list[Buffer] = []
    for buffer in buffers:
        if len(buffer) < _SMALL:
            small.append(buffer)
            continue
        if small:
            yield b"".join(small)
        yield buffer
        small.clear()
    if small:
        yield b"".join(small)
