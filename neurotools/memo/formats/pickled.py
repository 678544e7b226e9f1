"""``pickle``: a standard pickle, protocol 5, in which large arrays are not copied.

The file is what ``pickle.dump`` would write, but for padding: each large buffer inside starts at a
multiple of 64. The layout says where the buffers are. Reading takes them out of the stream again
and hands them to the unpickler as views, so that arrays use them where they lie.
"""

from __future__ import annotations

import copyreg
import pickle
import sys
from collections import ChainMap
from collections.abc import Callable, Mapping
from pickle import PickleBuffer
from typing import Any

import numpy as np

from neurotools.memo.careful import is_meant_to_end
from neurotools.memo.entry import Buffer
from neurotools.memo.errors import UnstorableValue
from neurotools.memo.formats.base import Payload

_PROTOCOL = 5
_ALIGNMENT = 64
#: In place of a buffer, for the unpickler: take the next one from those given beside the stream.
_NEXT, _NEXT_READONLY = b"\x97", b"\x97\x98"


class Pickled:
    """Values as pickles: objects of all classes that can be pickled."""

    method = "pickle"
    runs_code = True

    def encode(self, value: Any) -> Payload:
        sink = _Sink()
        try:
            pickler = pickle.Pickler(sink, _PROTOCOL)
            pickler.dispatch_table = _REDUCERS
            pickler.dump(value)
        except Exception as error:  # classes say in any way they like that they cannot be pickled
            if is_meant_to_end(error):
                raise
            kind = f"{type(value).__module__}.{type(value).__qualname__}"
            reason = f"{type(error).__name__}: {error}"
            raise UnstorableValue("pickle", kind, reason, suggestion="") from error
        return Payload(tuple(sink.parts), {"buffers": sink.buffers} if sink.buffers else {})

    def decode(self, payload: memoryview, layout: Mapping[str, Any]) -> Any:
        try:
            if not (buffers := layout.get("buffers")):
                return pickle.loads(payload)
            stream, views = _without_buffers(payload, buffers)
            return pickle.loads(stream, buffers=views)
        except Exception as error:  # damage, or a class that is gone: anything may come out
            if is_meant_to_end(error):
                raise
            raise ValueError(f"cannot unpickle: {type(error).__name__}: {error}") from error

    def bridge(self, payload_size: int, trailer_size: int) -> bytes:  # noqa: ARG002
        return b""  # a pickle ends with its own full stop


def _reduce_array(array: np.ndarray) -> Any:
    if array.dtype.isnative or array.dtype.hasobject:
        return array.__reduce_ex__(_PROTOCOL)
    # numpy swaps such bytes to the native order in places; as plain bytes they stay as they are.
    plain = np.asarray(array, order="A").view(f"V{array.itemsize}")
    return np.ndarray.view, (plain, array.dtype)


def _reduce_other_array(array: np.ndarray) -> Any:
    """Reduce an array of a class of its own, as that class says, if it gives the same back."""
    if not array.dtype.isnative and not array.dtype.hasobject:
        raise TypeError(f"numpy would turn the bytes of dtype {array.dtype.str} around")
    return array.__reduce_ex__(_PROTOCOL)


def _reduce_matrix(array: np.ndarray) -> Any:
    return np.ndarray.view, (np.asarray(array), np.matrix)


def _reduce_masked(array: Any) -> Any:
    """Reduce a masked array; numpy's own way loses a hard mask, and that there is no mask."""
    extra = {name for name in vars(array) if name not in _OF_MASKS}
    if extra or array._optinfo or array._baseclass is not np.ndarray:
        if array.hardmask or not array.dtype.isnative:
            raise TypeError("numpy would lose its hard mask, or turn its bytes around")
        return array.__reduce_ex__(_PROTOCOL)
    fill, data = array._fill_value, np.asarray(array)
    if fill is not None and fill.dtype != array.dtype:
        fill = None  # nobody chose it: numpy noted its own choice
    # Data, mask, dtype, copy, subclasses, dimensions, what fills, keep the mask, harden it.
    arguments = (data, array._mask, None, False, True, 0, fill, True, array.hardmask)
    return type(array), arguments


#: What a masked array keeps in its dictionary besides its users' attributes.
_OF_MASKS = frozenset(
    {
        *("_basedict", "_baseclass", "_fill_value", "_hardmask", "_isfield", "_mask", "_optinfo"),
        "_sharedmask",
    }
)


def _reduce_integer(scalar: np.generic) -> Any:
    # A type of its own with the size of another: numpy would name it by its size.
    return type(scalar), (int(scalar),)


def _reduce_text(scalar: np.generic) -> Any:
    # numpy's own way loses NULs at the end.
    return type(scalar), (scalar[:],)  # type: ignore[index]


#: By type, and so without cost for others. All are undone by numpy's own names.
class _Reducers(ChainMap[type, Callable[[Any], Any]]):
    def __missing__(self, kind: type) -> Callable[[Any], Any]:
        if not issubclass(kind, np.ndarray):
            raise KeyError(kind)
        # Newer versions of numpy load this module only where it is used.
        masks = sys.modules.get("numpy.ma")
        is_masked = masks is not None and kind is masks.MaskedArray
        return _reduce_masked if is_masked else _reduce_other_array


_REDUCERS: Mapping[type, Callable[[Any], Any]] = _Reducers(
    {
        np.ndarray: _reduce_array,
        np.matrix: _reduce_matrix,
        np.longlong: _reduce_integer,
        np.ulonglong: _reduce_integer,
        np.str_: _reduce_text,
        np.bytes_: _reduce_text,
    },
    copyreg.dispatch_table,
)


class _Sink:
    """Where a pickler writes: keeps parts, and the large buffers among them as they are.

    The pickler gathers opcodes, and flushes them before anything of 64 KiB or more. That it passes
    on as it stands, outside of frames: the very `PickleBuffer` if it is one.
    """

    def __init__(self) -> None:
        self.parts: list[Buffer] = []
        self.buffers: list[tuple[int, int, int]] = []
        self._size = 0

    def write(self, chunk: Buffer | PickleBuffer) -> int:
        if isinstance(chunk, PickleBuffer):
            return self._write_buffer(chunk.raw())
        # A memoryview may show the pickler's own memory, which is gone when this returns.
        return self._append(bytes(chunk) if isinstance(chunk, memoryview) else chunk)

    def _write_buffer(self, view: memoryview) -> int:
        opcode = _opcode(view.nbytes, view.readonly)
        last = self.parts[-1]
        # Other implementations of Python may write otherwise: then it is an ordinary part.
        if isinstance(last, bytes) and last.endswith(opcode):
            padding = _padding(self._size)
            self.parts[-1] = last[: -len(opcode)] + padding + opcode
            self._size += len(padding)
            self.buffers.append((self._size, view.nbytes, int(view.readonly)))
        return self._append(view)

    def _append(self, part: Buffer) -> int:
        self.parts.append(part)
        self._size += len(part)
        return len(part)


def _opcode(size: int, readonly: bool) -> bytes:
    """Return the opcode before so many bytes, as the pickler writes it for a buffer."""
    if not readonly:
        return pickle.BYTEARRAY8 + size.to_bytes(8, "little")
    if size <= 0xFFFFFFFF:
        return pickle.BINBYTES + size.to_bytes(4, "little")
    return pickle.BINBYTES8 + size.to_bytes(8, "little")


def _padding(position: int) -> bytes:
    """Return opcodes without effect, up to the next multiple of 64: push some bytes, drop them."""
    room = -position % _ALIGNMENT
    if room == 0:
        return b""
    room += _ALIGNMENT if room < 3 else 0
    return pickle.SHORT_BINBYTES + bytes((room - 3,)) + bytes(room - 3) + pickle.POP


def _without_buffers(
    payload: memoryview, buffers: list[tuple[int, int, int]]
) -> tuple[bytes, list[memoryview]]:
    """Return the pickle without its large buffers, and these."""
    segments: list[Buffer] = []
    views, end = [], 0
    for start, size, readonly in buffers:
        opcode = _opcode(size, bool(readonly))
        if not end <= start - len(opcode) or start + size > len(payload):
            raise ValueError(f"no buffer of {size} bytes fits at byte {start}")
        segments.append(payload[end : start - len(opcode)])
        segments.append(_NEXT_READONLY if readonly else _NEXT)
        end = start + size
        views.append(payload[start:end])
    segments.append(payload[end:])
    return b"".join(segments), views
