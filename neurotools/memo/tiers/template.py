"""A decoded value -> a function that makes it anew, sooner than decoding it would.

What never changes is given again as it is; arrays are copied, or placed in another copy of the same
memory; containers are rebuilt. Each value is independent of all others. There is no template for
values of other types, nor for those in which one mutable object occurs twice: these are decoded.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Collection, Iterable
from typing import Any

import numpy as np

#: Makes a value; arrays that lay in the memory it was decoded from lie in the buffer given.
Maker = Callable[[Any], Any]
#: Values with more containers and arrays are decoded: a template would take as long, and memory.
MOST_PARTS = 1000

_CONSTANTS = frozenset([type(None), bool, int, float, complex, str, bytes, type(...)])
_CONTAINERS: dict[type, Callable[[Iterable[Any]], Any]] = {list: list, tuple: tuple, set: set}


class NoTemplate(Exception):
    """A value for which there is none."""


class Template:
    """How a value is made anew.

    Parameters
    ----------
    value : object
        As it was decoded; it belongs to the template from now on.
    memory : tuple of int, optional
        Address and size of the memory that arrays are placed in rather than copied.

    Attributes
    ----------
    make : callable
        Returns the value, given the buffer that stands for that memory; None if there is none.
    size : int
        How many bytes the template holds besides that memory.

    Raises
    ------
    NoTemplate
        If there is none for the value.
    """

    def __init__(self, value: Any, memory: tuple[int, int] | None = None) -> None:
        self._memory = memory
        self._met: set[int] = set()
        self.size = 0
        _, self.make = self._maker(value)

    def _maker(self, value: Any) -> tuple[bool, Maker]:
        """Return whether a value is constant, and how to make it."""
        kind = type(value)
        if kind in _CONSTANTS or (isinstance(value, np.generic) and _is_constant(value)):
            self.size += sys.getsizeof(value)
            return True, lambda _: value
        if id(value) in self._met or len(self._met) >= MOST_PARTS:
            raise NoTemplate
        self._met.add(id(value))
        if kind is np.ndarray:
            return False, self._array(value)
        self.size += sys.getsizeof(value)
        if kind is dict:
            return False, self._dict(value)
        if kind in _CONTAINERS:
            return self._container(value, _CONTAINERS[kind])
        raise NoTemplate

    def _array(self, value: np.ndarray[Any, Any]) -> Maker:
        # Fields can be renamed in place, and objects changed.
        if value.dtype.hasobject or value.dtype.names is not None or not value.flags.writeable:
            raise NoTemplate
        address, shape, dtype = value.__array_interface__["data"][0], value.shape, value.dtype
        strides = value.strides
        if self._memory is not None:
            start = address - self._memory[0]
            if start >= 0 and start + value.nbytes <= self._memory[1]:
                return lambda buffer: np.ndarray(shape, dtype, buffer, start, strides)
        if self._memory is not None or value.base is None:
            self.size += value.nbytes
        return functools.partial(_copied, value)

    def _are_constants(self, values: Collection[Any]) -> bool:
        """Return whether values are constant as their types alone tell: the short way for many."""
        if not _CONSTANTS.issuperset(map(type, values)):
            return False
        self.size += sum(map(sys.getsizeof, values))
        return True

    def _dict(self, value: dict[Any, Any]) -> Maker:
        if not self._are_constants(value) and not all(self._maker(key)[0] for key in value):
            raise NoTemplate
        if self._are_constants(value.values()):
            return lambda _: value.copy()
        made = [self._maker(item) for item in value.values()]
        pairs = list(zip(value, (make for _, make in made), strict=True))
        return lambda buffer: {key: make(buffer) for key, make in pairs}

    def _container(
        self, value: Collection[Any], build: Callable[[Iterable[Any]], Any]
    ) -> tuple[bool, Maker]:
        known = self._are_constants(value)
        made = [] if known else [self._maker(item) for item in value]
        if all(constant for constant, _ in made):
            return (True, lambda _: value) if build is tuple else (False, lambda _: build(value))
        makers = [make for _, make in made]
        return False, lambda buffer: build([make(buffer) for make in makers])


def _is_constant(value: np.generic) -> bool:
    return type(value) is value.dtype.type and value.dtype.kind not in "VO"


def _copied(array: np.ndarray[Any, Any], _: Any) -> np.ndarray[Any, Any]:
    return array.copy("K")
