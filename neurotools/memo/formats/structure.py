"""A Python value as a tree of plain JSON and a row of arrays, and back: what safe formats share.

In the tree None, booleans, strings, finite floats and integers of 64 bits stand for themselves,
and a list for a list. Everything else is an object with one member, whose name is the type::

    {"tuple": [1, 2]}          {"dict": [["x", {"array": 0}], ["rate", 30.0]]}
    {"bytes": "AAEC"}          {"scalar": ["<f4", 0.5]}

A number in place of the content tells which array holds it: long texts, bytes and lists of numbers
are stored as arrays. ``{"same": 3}`` is the container or array that was finished as the fourth:
what was one object is one object again. Types are exact: a subclass is refused, as it would come
back as its base.
"""

from __future__ import annotations

import io
import math
import struct
import types
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from neurotools.memo.errors import UnstorableValue
from neurotools.memo.formats import dtypes

#: What JSON gives.
Tree = Any
#: Deeper values are refused: reading them would exhaust the stack of a caller that is deep already.
MAX_DEPTH = 100
#: Texts and bytes of this length, and lists of this many numbers, are stored as arrays.
LONG_TEXT, LONG_LIST = 1000, 64

#: What no method can hold.
_HOPELESS = (
    types.GeneratorType,
    types.CoroutineType,
    types.AsyncGeneratorType,
    types.ModuleType,
    types.FrameType,
    io.IOBase,
)
#: What a tree that was not made here leads to.
_DAMAGE = (
    *(ValueError, TypeError, LookupError, ArithmeticError),
    *(AttributeError, RecursionError, struct.error),
)


class Rules:
    """What a format can hold.

    Attributes
    ----------
    method : str
        Name of the format, for messages.
    against : function of an array
        Why it cannot be held, or ``''``.
    int_bits : int or None
        Longest integer.
    packs_numbers : bool
        Whether long lists of numbers are stored as arrays.
    packs_all_text : bool
        Whether long texts beyond ASCII are stored as arrays, in UTF-8.
    """

    __slots__ = ("against", "int_bits", "method", "packs_all_text", "packs_numbers")

    def __init__(
        self,
        method: str,
        against: Callable[[np.ndarray[Any, Any]], str] = lambda _: "",
        *,
        int_bits: int | None = None,
        packs_numbers: bool = True,
        packs_all_text: bool = True,
    ) -> None:
        self.method, self.against, self.int_bits = method, against, int_bits
        self.packs_numbers, self.packs_all_text = packs_numbers, packs_all_text


def describe(value: Any, rules: Rules) -> tuple[Tree, list[np.ndarray[Any, Any]]]:
    """Return the tree of a value, and its arrays in the order in which the tree names them.

    Raises
    ------
    UnstorableValue
        If the tree would not give the value back; it names the part at fault.
    """
    walk = _Walk(rules)
    try:
        return walk.node(value), walk.arrays
    except _Unfit as unfit:
        place = "".join(reversed(unfit.path))
        reason = f"{unfit.reason}, at {place}" if place else unfit.reason
        raise UnstorableValue(rules.method, unfit.kind, reason, unfit.suggestion) from None


def rebuild(tree: Tree, arrays: Sequence[np.ndarray[Any, Any]]) -> Any:
    """Return the value of a tree.

    Raises
    ------
    ValueError
        If it is no such tree.
    """
    walk = _Rebuild(arrays)
    try:
        value = walk.value(tree)
    except _DAMAGE as error:
        raise ValueError(f"damaged structure: {error!r}") from None
    if walk.taken != len(arrays):
        raise ValueError(f"the structure names {walk.taken} of {len(arrays)} arrays")
    return value


# ---------------------------------------------------------------- values to trees


class _Unfit(Exception):
    """A part that cannot be described; every container on the way out adds its place."""

    def __init__(self, kind: str, reason: str, suggestion: str = "pickle") -> None:
        super().__init__(reason)
        self.kind, self.reason, self.suggestion = kind, reason, suggestion
        self.path: list[str] = []


class _Walk:
    """One walk over a value, numbering containers and arrays as they are finished."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.arrays: list[np.ndarray[Any, Any]] = []
        # By identity, hence with the object itself: a number is free again once its owner is gone.
        self._finished: dict[int, tuple[int, Any]] = {}
        self._open: set[int] = set()

    def node(self, value: Any) -> Tree:
        kind = type(value)
        if (describe := _LEAVES.get(kind)) is not None:
            return describe(self, value)
        if (describe := _SHARED.get(kind)) is not None:
            return self.shared(value, describe)
        if isinstance(value, np.generic) and kind is value.dtype.type:
            return _scalar(self, value)
        raise _refusal(value)

    def shared(self, value: Any, describe: Callable[[_Walk, Any], Tree]) -> Tree:
        me = id(value)
        if (done := self._finished.get(me)) is not None:
            return {"same": done[0]}
        if me in self._open:
            raise _Unfit(_name(value), "it contains itself")
        if len(self._open) == MAX_DEPTH:
            raise _Unfit(_name(value), f"it is nested more than {MAX_DEPTH} deep")
        self._open.add(me)
        node = describe(self, value)
        self._open.remove(me)
        self._finished[me] = len(self._finished), value
        return node

    def nodes(self, values: Iterable[Any], places: Callable[[int], str]) -> list[Tree]:
        nodes: list[Tree] = []
        try:
            for value in values:
                nodes.append(self.node(value))  # noqa: PERF401 - the handler counts them
        except _Unfit as unfit:
            unfit.path.append(places(len(nodes)))
            raise
        return nodes

    def take(self, array: np.ndarray[Any, Any]) -> int:
        self.arrays.append(array)
        return len(self.arrays) - 1


def _name(value: Any) -> str:
    kind = type(value)
    plain = kind.__module__ == "builtins"
    return kind.__qualname__ if plain else f"{kind.__module__}.{kind.__qualname__}"


def _refusal(value: Any) -> _Unfit:
    for base in type(value).__mro__[1:]:
        if base in _LEAVES or base in _SHARED or issubclass(base, np.generic):
            reason = f"it would come back as {base.__name__}"
            return _Unfit(_name(value), reason)
    suggestion = "" if isinstance(value, _HOPELESS) else "pickle"
    return _Unfit(_name(value), "it is not plain data", suggestion)


def _integer(walk: _Walk, value: int) -> Tree:
    limit = walk.rules.int_bits
    if limit is not None and not -(1 << limit - 1) <= value < 1 << limit:
        raise _Unfit("int", f"it has more than {limit} bits", "npy")
    # Readers of JSON disagree beyond 64 bits, and Python stops at 4,300 decimal digits.
    return value if value.bit_length() < 64 else {"int": hex(value)}


def _float(_: _Walk, value: float) -> Tree:
    return value if math.isfinite(value) else {"float": struct.pack(">d", value).hex()}


def _complex(_: _Walk, value: complex) -> Tree:
    return {"complex": struct.pack(">dd", value.real, value.imag).hex()}


def _text(walk: _Walk, value: str) -> Tree:
    try:
        encoded = value.encode()
    except UnicodeEncodeError:
        # JSON would join two halves of a surrogate pair that were two characters.
        return {"text": b64encode(value.encode("utf-8", "surrogatepass")).decode()}
    if len(encoded) < LONG_TEXT or not (walk.rules.packs_all_text or value.isascii()):
        return value
    return walk.shared(value, lambda walk, _: {"text": walk.take(np.frombuffer(encoded, np.uint8))})


def _bytes(walk: _Walk, value: bytes) -> Tree:
    if len(value) < LONG_TEXT:
        return {"bytes": b64encode(value).decode()}
    return walk.shared(value, lambda walk, _: {"bytes": walk.take(np.frombuffer(value, np.uint8))})


def _bytearray(walk: _Walk, value: bytearray) -> Tree:
    return {"bytearray": walk.take(np.frombuffer(value, np.uint8))}


def _array(walk: _Walk, value: np.ndarray[Any, Any]) -> Tree:
    array = np.asarray(value)  # a memory map is stored as what it shows
    # Numpy takes long to name a dtype: only for who is to read it.
    _check_array(walk, array, lambda: f"{_name(value)} of {array.dtype}")
    return {"array": walk.take(array)}


def _check_array(walk: _Walk, array: np.ndarray[Any, Any], kind: Callable[[], str]) -> None:
    try:
        dtypes.to_text(array.dtype)
    except ValueError as error:
        raise _Unfit(kind(), str(error)) from None
    if reason := walk.rules.against(array):
        raise _Unfit(kind(), reason, "npy")


def _scalar(walk: _Walk, value: np.generic) -> Tree:
    _check_array(walk, np.asarray(value), lambda: _name(value))
    plain = value.item() if value.dtype.kind in "biuf" and value.dtype.itemsize <= 8 else None
    if plain is None or not math.isfinite(plain):
        plain = value.tobytes()
    return {"scalar": [dtypes.scalar_text(value), walk.node(plain)]}


def _numpy_text(walk: _Walk, value: np.str_) -> Tree:
    return {"str_": walk.node(str.__str__(value))}  # numpy's own strips zeros at the end


def _numpy_bytes(walk: _Walk, value: np.bytes_) -> Tree:
    return {"bytes_": walk.node(bytes.__getitem__(value, slice(None)))}


def _sequence(walk: _Walk, value: list[Any] | tuple[Any, ...]) -> Tree:
    packed = pack(value) if walk.rules.packs_numbers and len(value) >= LONG_LIST else None
    if packed is None:
        nodes = walk.nodes(value, "[{}]".format)
        return nodes if type(value) is list else {"tuple": nodes}
    return {type(value).__name__: walk.take(packed)}


def pack(value: Sequence[Any]) -> np.ndarray[Any, Any] | None:
    """Return floats alone, or integers of 64 bits alone, as an array; None for anything else."""
    kinds = set(map(type, value))
    if kinds == {float}:
        return np.array(value, "<f8")
    try:
        return np.array(value, "<i8") if kinds == {int} else None
    except OverflowError:
        return None


def _set(walk: _Walk, value: set[Any] | frozenset[Any]) -> Tree:
    return {type(value).__name__: walk.nodes(value, lambda _: "{...}")}


def _dict(walk: _Walk, value: dict[Any, Any]) -> Tree:
    keys = list(value)
    names = walk.nodes(keys, ".keys()[{}]".format)
    nodes = walk.nodes(value.values(), lambda index: f"[{repr(keys[index])[:60]}]")
    return {"dict": [list(pair) for pair in zip(names, nodes, strict=True)]}


def _range(walk: _Walk, value: range) -> Tree:
    return {"range": walk.nodes((value.start, value.stop, value.step), "[{}]".format)}


def _slice(walk: _Walk, value: slice) -> Tree:
    return {"slice": walk.nodes((value.start, value.stop, value.step), "[{}]".format)}


_LEAVES: dict[type, Callable[[_Walk, Any], Tree]] = {
    type(None): lambda _, value: value,
    bool: lambda _, value: value,
    int: _integer,
    float: _float,
    complex: _complex,
    str: _text,
    bytes: _bytes,
    type(Ellipsis): lambda *_: {"ellipsis": None},
    range: _range,
    slice: _slice,
    np.str_: _numpy_text,
    np.bytes_: _numpy_bytes,
}
_SHARED: dict[type, Callable[[_Walk, Any], Tree]] = {
    list: _sequence,
    tuple: _sequence,
    set: _set,
    frozenset: _set,
    dict: _dict,
    bytearray: _bytearray,
    np.ndarray: _array,
    np.memmap: _array,
}


# ---------------------------------------------------------------- trees to values


class _Rebuild:
    """One walk over a tree, numbering what it finishes as `_Walk` did."""

    def __init__(self, arrays: Sequence[np.ndarray[Any, Any]]) -> None:
        self.arrays, self.taken = arrays, 0
        self.finished: list[Any] = []

    def value(self, node: Tree) -> Any:
        if type(node) is dict:
            ((tag, content),) = node.items()
            return _TAGS[tag](self, content)
        if type(node) is list:
            return self.keep(list(self.values(node)))
        return node

    def values(self, nodes: Tree) -> Iterable[Any]:
        if type(nodes) is not list:
            raise TypeError(f"no list: {nodes!r:.40}")
        return map(self.value, nodes)

    def keep(self, value: Any) -> Any:
        self.finished.append(value)
        return value

    def take(self, number: Tree) -> np.ndarray[Any, Any]:
        # Each once and in order: a small file cannot ask for many copies of one array.
        if type(number) is not int or number != self.taken:
            raise ValueError(f"array {number!r:.40} in place of {self.taken}")
        self.taken += 1
        return self.arrays[number]

    def made(self, content: Tree, make: Callable[[bytes], Any]) -> Any:
        if type(content) is str:
            return make(b64decode(content, validate=True))
        return self.keep(make(self.take(content).tobytes()))

    def sequence(self, content: Tree, make: Callable[[Iterable[Any]], Any]) -> Any:
        if type(content) is list:
            return self.keep(make(self.values(content)))
        array = self.take(content)
        # Any other array could spell out more items than it has bytes.
        if array.ndim != 1 or array.dtype.str[1:] not in {"f8", "i8"}:
            raise ValueError(f"no numbers: {array.ndim}-d, {array.dtype}")
        return self.keep(make(array.tolist()))


def _same_again(walk: _Rebuild, content: Tree) -> Any:
    return walk.finished[content]


def _complex_back(_: _Rebuild, content: Tree) -> complex:
    return complex(*struct.unpack(">dd", bytes.fromhex(content)))


def _float_back(_: _Rebuild, content: Tree) -> float:
    (value,) = struct.unpack(">d", bytes.fromhex(content))
    return float(value)


def _dict_back(walk: _Rebuild, content: Tree) -> Any:
    # All keys were described before all values.
    keys = list(map(walk.value, [key for key, _ in content]))
    values = walk.values([value for _, value in content])
    return walk.keep(dict(zip(keys, values, strict=True)))


def _scalar_back(walk: _Rebuild, content: Tree) -> Any:
    text, node = content
    dtype, plain = dtypes.from_text(text), walk.value(node)
    if type(plain) is bytes and len(plain) == dtype.itemsize:
        return np.ndarray((), dtype, bytearray(plain))[()]
    if type(plain) not in {bool, int, float} or dtype.kind not in "biuf":
        raise TypeError(f"no scalar: {content!r:.80}")
    with np.errstate(over="raise"):  # none that was written is too large for its type
        return dtype.type(plain)


def _checked(value: Any, kind: type) -> Any:
    """Return a value of a type; of a number, bytes would make as many zeros."""
    if type(value) is not kind:
        raise TypeError(f"no {kind.__name__}: {value!r:.40}")
    return value


_TAGS: dict[str, Callable[[_Rebuild, Tree], Any]] = {
    "array": lambda walk, content: walk.keep(walk.take(content)),
    "bytearray": lambda walk, content: walk.made(content, bytearray),
    "bytes": lambda walk, content: walk.made(content, bytes),
    "bytes_": lambda walk, content: np.bytes_(_checked(walk.value(content), bytes)),
    "complex": _complex_back,
    "dict": _dict_back,
    "ellipsis": lambda *_: Ellipsis,
    "float": _float_back,
    "frozenset": lambda walk, content: walk.keep(frozenset(walk.values(content))),
    "int": lambda _, content: int(content, 16),
    "list": lambda walk, content: walk.sequence(content, list),
    "range": lambda walk, content: range(*walk.values(content)),
    "same": _same_again,
    "scalar": _scalar_back,
    "set": lambda walk, content: walk.keep(set(walk.values(content))),
    "slice": lambda walk, content: slice(*walk.values(content)),
    "str_": lambda walk, content: np.str_(_checked(walk.value(content), str)),
    "text": lambda walk, content: walk.made(content, _decoded),
    "tuple": lambda walk, content: walk.sequence(content, tuple),
}


def _decoded(encoded: bytes) -> str:
    return encoded.decode("utf-8", "surrogatepass")
