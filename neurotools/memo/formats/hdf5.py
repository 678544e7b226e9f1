"""``hdf5``: HDF5 files, for h5py, ``h5dump``, Matlab, R and Julia; the value is ``/varargout``.

Containers are groups, arrays and long texts are datasets, scalars are attributes of the group they
are in. The attribute ``python`` of a group or dataset says what it is to Python, in the words of
`structure`. Reading relies on the layout instead (see `placed`): it opens nothing that the file
names, and does without the HDF5 library, which was not made for files from strangers.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from neurotools.memo.formats import placed
from neurotools.memo.formats.base import Payload
from neurotools.memo.formats.structure import Rules, Tree, describe, rebuild

_MAGIC = b"\x89HDF\r\n\x1a\n"
_MOST_DIMENSIONS = 32
_TEXT = np.dtype("U")
#: Attributes have less than 64 KiB, and become slow when they are many. What is not shown as an
#: attribute can be read in ``python`` still.
_LONGEST_ATTRIBUTE, _MOST_ATTRIBUTES = 1 << 15, 64
_LONGEST_NAME = 200
#: Ours: no key of a dictionary is shown under such a name.
_NOTE, _OURS = "python", "#"
#: From here on, data is aligned to 64 bytes.
_ALIGNED_SIZE = 1024


class Hdf5:
    """Values as HDF5 files."""

    method = "hdf5"
    runs_code = False

    def encode(self, value: Any) -> Payload:
        import h5py

        tree, arrays = describe(value, _RULES)
        sink = io.BytesIO()
        aligned = {"alignment_threshold": _ALIGNED_SIZE, "alignment_interval": 64}
        with h5py.File(sink, "w", **aligned) as file:
            writer = _Writer(arrays)
            writer.write(file, "varargout", tree)
        return Payload((sink.getvalue(),), placed.layout_of(tree, writer.places))

    def decode(self, payload: memoryview, layout: Mapping[str, Any]) -> Any:
        if payload[: len(_MAGIC)] != _MAGIC:
            raise ValueError("it does not begin as an HDF5 file")
        return placed.decode(payload, layout)

    def bridge(self, payload_size: int, trailer_size: int) -> bytes:  # noqa: ARG002
        return b""  # HDF5 files say where they end


def _against(array: np.ndarray[Any, Any]) -> str:
    if array.ndim > _MOST_DIMENSIONS:
        return f"HDF5 has {_MOST_DIMENSIONS} dimensions, not {array.ndim}"
    return ""


_RULES = Rules("hdf5", _against)


# ---------------------------------------------------------------- trees to groups and datasets


class _Writer:
    """Writes a tree's nodes, numbering what it finishes as `structure` does."""

    def __init__(self, arrays: Sequence[np.ndarray[Any, Any]]) -> None:
        self._arrays = arrays
        self._finished: list[Any] = []
        self.places: list[dict[str, Any]] = []

    def write(self, group: Any, name: str, node: Tree) -> None:
        """Write a node as a member of a group."""
        if _is_scalar(node):
            _note(group.create_dataset(name, data=_shown(node)), node)
            return
        ((tag, content),) = node.items() if type(node) is dict else (("list", node),)
        if tag == "same":
            group[name] = self._finished[content]  # one more name of the same object
        elif type(content) is int:
            self._finished.append(self._dataset(group, name, tag, content))
        else:
            member = group.create_group(name)
            _note(member, {tag: self._children(member, tag, content)})
            if tag in _NUMBERED:
                self._finished.append(member)

    def _children(self, group: Any, tag: str, content: Tree) -> Tree:
        """Write what a container holds; return what is to be noted of it."""
        if tag == "dict":
            names = [_member_name(key, index) for index, (key, _) in enumerate(content)]
            keys = [
                key if name == key else self._child(group, f"{name}.key", key)
                for name, (key, _) in zip(names, content, strict=True)
            ]
            pairs = zip(names, content, strict=True)
            values = [self._child(group, name, node) for name, (_, node) in pairs]
            return [list(pair) for pair in zip(keys, values, strict=True)]
        nodes = content if type(content) is list else [content]
        return [self._child(group, str(index), node) for index, node in enumerate(nodes)]

    def _child(self, group: Any, name: str, node: Tree) -> Tree:
        if not _is_scalar(node):
            self.write(group, name, node)
            return {"member": name}
        if len(group.attrs) < _MOST_ATTRIBUTES:
            group.attrs[name] = _shown(node)
        return node

    def _dataset(self, group: Any, name: str, tag: str, number: int) -> Any:
        array = self._arrays[number]
        show = _text if tag == "text" else _SHOWN_AS.get(array.dtype.kind, _as_it_is)
        dataset = show(group, name, array)
        # HDF5 gives no place to what has no bytes.
        offset = dataset.id.get_offset() or 0
        found = placed.place(array, stored=array.dtype, order="C", offsets=[offset])
        self.places.append(found)
        _note(dataset, {tag: [found["dtype"], found["order"]]})
        return dataset


#: What `structure` numbers besides arrays.
_NUMBERED = {"dict", "frozenset", "list", "set", "tuple"}
_COMPOSED = {"bytes_", "range", "scalar", "slice", "str_"}


def _is_scalar(node: Tree) -> bool:
    """Tell whether a node has no container or array inside."""
    if type(node) is list:
        return False
    if type(node) is not dict:
        return True
    ((tag, content),) = node.items()
    if tag in _COMPOSED:
        return all(map(_is_scalar, content if type(content) is list else [content]))
    return tag not in _NUMBERED and type(content) is not int


def _shown(node: Tree) -> Any:
    """Return what stands for a scalar in the file: itself if HDF5 has such a type, else JSON."""
    import h5py

    if node is None:
        return h5py.Empty("f8")
    value = rebuild(node, ())
    if isinstance(value, int) and value.bit_length() < 64:
        return value
    if type(value) in {float, complex} or getattr(value, "dtype", _TEXT).kind in "biufc":
        return value
    is_text = isinstance(node, str) and "\0" not in node
    return node if is_text else json.dumps(node)


def _note(member: Any, note: Tree) -> None:
    text = json.dumps(note, separators=(",", ":"))
    if len(text) < _LONGEST_ATTRIBUTE:
        member.attrs[_NOTE] = text
    else:
        member.create_dataset(_OURS + _NOTE, data=text)


def _member_name(key: Tree, index: int) -> str:
    """Return the key of a dictionary's item if it can be a name in the file, else a number."""
    if type(key) is not str or key in {"", ".", _NOTE} or key.startswith(_OURS):
        return f"{_OURS}{index}"
    if len(key) > _LONGEST_NAME or "/" in key or "\0" in key:
        return f"{_OURS}{index}"
    return key


# ---------------------------------------------------------------- arrays to datasets


def _as_it_is(group: Any, name: str, array: np.ndarray[Any, Any]) -> Any:
    """Write an array of a type that HDF5 has; else its bytes, item by item."""
    import h5py

    try:
        known = h5py.h5t.py_create(array.dtype, logical=True).dtype == array.dtype
    except (TypeError, ValueError):
        known = False
    return group.create_dataset(name, data=array if known else _opaque(array))


def _opaque(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if array.itemsize == 0:
        return np.empty((*array.shape, 0), np.uint8)
    return np.asarray(array, order="C").view(f"V{array.itemsize}")


def _dates(group: Any, name: str, array: np.ndarray[Any, Any]) -> Any:
    return group.create_dataset(name, data=array.view(f"{array.dtype.str[0]}i8"))


def _characters(group: Any, name: str, array: np.ndarray[Any, Any]) -> Any:
    """Write texts as the codes of their characters, with one more dimension."""
    code = np.dtype(f"{array.dtype.str[0]}u4")
    shape = (*array.shape, array.itemsize // code.itemsize)
    items = np.ascontiguousarray(array.reshape(-1))
    flat = items.view(code) if array.nbytes else np.empty(0, code)
    return group.create_dataset(name, data=flat.reshape(shape))


def _text(group: Any, name: str, array: np.ndarray[Any, Any]) -> Any:
    import h5py

    text = array.view(h5py.string_dtype("utf-8", array.size)).reshape(())
    return group.create_dataset(name, data=text, dtype=text.dtype)


_SHOWN_AS: dict[str, Callable[[Any, str, np.ndarray[Any, Any]], Any]] = {
    "M": _dates,
    "U": _characters,
    "m": _dates,
}
