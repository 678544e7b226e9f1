"""One pass over a value, which becomes bytes. Not here: what objects are made of (`objects`).

A value is written by content, whether its parts are shared or copies. Only in a value that contains
itself does it matter which part is which: there, meeting a part again writes how far back it lies.
Dictionaries and sets have no order; all else has.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from neurotools.memo.digest.scalars import LONGEST, SCALARS, joined, length, shorten, text
from neurotools.memo.errors import UndigestableValue

CodeName = Callable[[Any], str]

#: Containers inside one another; each takes two to four frames of the interpreter's stack.
DEEPEST = 200
TOO_DEEP = "it is nested too deeply"

#: These are as fast to write again as to look up, if they are short.
_QUICK = frozenset({list, tuple, dict, set, frozenset})


def refusal(value: Any, reason: str) -> UndigestableValue:
    """Return the error for a value that cannot be digested."""
    return UndigestableValue(kind_name(type(value)), reason)


def kind_name(cls: type) -> str:
    """Return the name of a class as messages show it."""
    module = "" if cls.__module__ == "builtins" else f"{cls.__module__}."
    return module + cls.__qualname__


def inside(label: str, error: UndigestableValue) -> UndigestableValue:
    """Return the same error, seen from the container that holds the value at fault."""
    where = label + error.where
    if len(where) > 200:
        where = f"{where[:90]}...{where[-90:]}"
    return UndigestableValue(error.kind, error.reason, where)


class Walk:
    """One pass over a value.

    Parameters
    ----------
    code : callable
        Names functions, classes and modules.
    choose : callable
        Returns, for a type, a tag and a function that writes its values. The tag is the first byte
        of what is written, and tells it from the values of all other types.
    ordered : bool
        Whether the order of dictionaries counts.
    most : int, optional
        Objects after which to stop with an error.
    """

    def __init__(
        self,
        code: CodeName,
        choose: Callable[[type], tuple[bytes, Writer]],
        ordered: bool = False,
        most: int | None = None,
    ) -> None:
        self._code = code
        self._ordered = ordered
        self._choose = choose
        self._names: dict[int, bytes] = {}
        self._writers: dict[type, tuple[bytes, Writer]] = {}
        self._known: dict[int, bytes] = {}
        # What is being written, and what was written but refers to that, in the order of meeting:
        # Tarjan's stack. All else is complete, and means the same wherever it is met again.
        self._open: dict[int, int] = {}
        self._lowest = 0
        self._depth = 0
        # An id is only good while its object lives, and parts may be made on the fly.
        self._kept: list[Any] = []
        self._most = sys.maxsize if most is None else most
        self._arrays: dict[int, weakref.ref[Any]] = {}

    def encode(self, value: Any) -> bytes:
        """Return the encoding of any value."""
        scalar = SCALARS.get(type(value))
        return scalar(value) if scalar is not None else self._whole(value)

    def _whole(self, value: Any) -> bytes:
        place = id(value)
        if (known := self._known.get(place)) is not None:
            return known
        if (position := self._open.get(place)) is not None:
            self._lowest = min(self._lowest, position)
            return b"^" + length(len(self._open) - position)
        if self._depth >= DEEPEST:
            raise refusal(value, TOO_DEEP)
        cls = type(value)
        if (chosen := self._writers.get(cls)) is None:
            chosen = self._writers[cls] = self._choose(cls)
        outer, position = self._lowest, len(self._open)
        self._lowest = self._open[place] = position
        self._depth += 1
        encoding = chosen[0] + chosen[1](self, value)
        self._depth -= 1
        if self._lowest >= position:
            self._lowest = outer
            return self._complete(value, position, encoding)
        self._lowest = min(self._lowest, outer)
        self._kept.append(value)
        return shorten(encoding)

    def _complete(self, value: Any, position: int, encoding: bytes) -> bytes:
        while len(self._open) > position:
            self._open.popitem()
        if len(encoding) > LONGEST or type(value) not in _QUICK:
            encoding = self._known[id(value)] = shorten(encoding)
            self._keep(value)
        return encoding

    def _keep(self, value: Any) -> None:
        if not isinstance(value, np.ndarray):
            self._kept.append(value)
            if len(self._kept) > self._most:
                raise refusal(value, f"there are more than {self._most} objects in it")
            return
        # An array may have been read from a file for this, and be larger than all else together.
        place, known = id(value), self._known
        self._arrays[place] = weakref.ref(value, lambda _: known.pop(place, None))

    def name(self, value: Any) -> bytes:
        """Return the encoding of what stands for a function, class or module."""
        if (known := self._names.get(id(value))) is None:
            # It lives as long as the walk: as a part that is kept, or as the type of a writer.
            known = self._names[id(value)] = text(self._code(value))
        return known

    def sequence(self, values: Iterable[Any]) -> bytes:
        """Return the encodings of values, in their order."""
        found = values if isinstance(values, (list, tuple)) else list(values)
        kinds = set(map(type, found))
        if len(kinds) == 1 and (scalars := joined(kinds.pop(), found)) is not None:
            return length(len(found)) + scalars
        parts: list[bytes] = []
        try:
            for value in found:
                scalar = SCALARS.get(type(value))
                parts.append(scalar(value) if scalar is not None else self._whole(value))
        except UndigestableValue as error:
            raise inside(f"[{len(parts)}]", error) from None
        return length(len(parts)) + b"-" + b"".join(parts)

    def mapping(self, values: Mapping[Any, Any]) -> bytes:
        """Return the encodings of keys and values, whatever their order, unless it counts."""
        if self._ordered:
            return self.ordered(values.items())
        if set(map(type, values)) <= {str}:
            keys = sorted(values)
            return self._pairs(map(text, keys), keys, map(values.__getitem__, keys), label=_item)
        triples = [(self._member(key), key, value) for key, value in values.items()]
        triples.sort(key=itemgetter(0))
        if len({encoding for encoding, _, _ in triples}) < len(triples):
            # Keys that are not equal may be written the same, such as two NaN.
            return _TIED + self.members((key, value) for _, key, value in triples)
        return self._pairs(*map(list, zip(*triples, strict=True)), label=_item)

    def ordered(self, values: Iterable[tuple[Any, Any]]) -> bytes:
        """Return the encodings of keys and values, in their order."""
        pairs = list(values)
        keys = [key for key, _ in pairs]
        encodings = [self._member(key) for key in keys]
        return self._pairs(encodings, keys, [item for _, item in pairs], label=_item)

    def fields(self, values: Mapping[str, Any]) -> bytes:
        """Return the encodings of attributes by name."""
        names = sorted(values)
        return self._pairs(
            map(text, names), names, map(values.__getitem__, names), label=_attribute
        )

    def _pairs(
        self,
        encodings: Iterable[bytes],
        keys: Sequence[Any],
        values: Iterable[Any],
        *,
        label: Callable[[Any], str],
    ) -> bytes:
        parts: list[bytes] = [length(len(keys))]
        try:
            for encoding, value in zip(encodings, values):  # noqa: B905 - costs too much here
                parts.append(encoding)
                scalar = SCALARS.get(type(value))
                parts.append(scalar(value) if scalar is not None else self._whole(value))
        except UndigestableValue as error:
            raise inside(label(keys[len(parts) // 2 - 1]), error) from None
        return b"".join(parts)

    def members(self, values: Iterable[Any]) -> bytes:
        """Return the encodings of values, whatever their order."""
        parts = sorted(map(self._member, values))
        return length(len(parts)) + b"".join(parts)

    def _member(self, value: Any) -> bytes:
        outer, self._lowest = self._lowest, len(self._open)
        try:
            encoding = self.encode(value)
        except UndigestableValue as error:
            raise inside(f"{{{_shown(value)}}}", error) from None
        if self._lowest < len(self._open):
            # References count what was met before, and without an order there is no before.
            raise refusal(value, "it refers back to a set or dictionary whose member it is")
        self._lowest = outer
        return encoding


Writer = Callable[[Walk, Any], bytes]


#: Stands for the length of a dictionary with keys that are written the same; none is as long.
_TIED = length(2**64 - 1)


def _item(key: Any) -> str:
    return f"[{_shown(key)}]"


def _attribute(name: str) -> str:
    return f".{name}"


def _shown(key: Any) -> str:
    if isinstance(key, (str, bytes)):
        return repr(key[:40])
    plain = type(key) in SCALARS and not (type(key) is int and key.bit_length() > 64)
    return repr(key) if plain else f"<{kind_name(type(key))}>"
