"""Values for property tests, few enough that two of them are often equal, and a strict equality."""

import collections
import datetime as dt
import decimal
import fractions
import pathlib
import struct

import numpy as np
from hypothesis import strategies as st

LEAVES = [
    *(None, ..., True, False, 0, 1, -1, 127, 128, 2**63, -(2**63), -(2**63) - 1, 2**64, 10**300),
    *(0.0, -0.0, 1.0, float("nan"), -float("nan"), float("inf"), 1j, complex(0.0, -0.0)),
    *("", "a", "1", "\x00", "a\x00", "\ud800", "é", "x" * 130, b"", b"a", b"1", b"x" * 130),
    *(np.int64(1), np.int32(1), np.uint8(1), np.float32(1), np.float64(1), np.True_, np.float16(1)),
    *(np.str_("a"), np.str_("é"), np.bytes_(b"a"), np.datetime64("2020-01-01"), np.complex64(1)),
    *(np.datetime64(1, "s"), np.datetime64(1, "ms"), np.timedelta64(1, "s"), np.longdouble(1)),
    *(decimal.Decimal(1), decimal.Decimal("1.0"), fractions.Fraction(1), range(1), slice(1)),
    *(dt.date(2020, 1, 1), dt.datetime(2020, 1, 1), dt.timedelta(1)),
    *(pathlib.PurePosixPath("a"), pathlib.PureWindowsPath("a"), bytearray(b"a")),
]

ARRAYS = [
    np.array(1),
    np.array([1]),
    np.array([1], ">i8"),
    np.array([1], "i4"),
    np.array([1.0]),
    np.zeros((0, 3)),
    np.zeros((3, 0)),
    np.arange(6).reshape(2, 3),
    np.arange(6).reshape(3, 2),
    np.arange(6).reshape(3, 2).T,
    np.array([1], object),
    np.array([[1], [2]], object),
    np.array(["a"]),
    np.array([b"a"]),
    np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")]),
]

#: These do not compare with everything, in some versions of numpy and Python.
SHY = (slice, np.datetime64, np.timedelta64, decimal.Decimal)
HASHABLE = [leaf for leaf in LEAVES if type(leaf).__hash__ and not isinstance(leaf, SHY)]


def leaves():
    return st.sampled_from(LEAVES) | st.integers() | st.floats() | st.text() | st.binary()


def values():
    """Return a strategy for nested values of the plain types."""
    keys = st.sampled_from(HASHABLE) | st.text(max_size=3)
    sets = st.sets(keys, max_size=4)
    return st.recursive(
        leaves() | st.sampled_from(ARRAYS) | sets | sets.map(frozenset),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.lists(inner, max_size=4).map(tuple),
            st.lists(inner, max_size=4).map(collections.deque),
            st.dictionaries(keys, inner, max_size=4),
            st.dictionaries(keys, inner, max_size=4).map(collections.OrderedDict),
        ),
        max_leaves=8,
    )


def same(one, other):
    """Tell whether two values are the same: types, bits, order where there is one."""
    rule = RULES.get(type(one), lambda a, b: a == b)
    return type(one) is type(other) and rule(one, other)


def _bits(one, other):
    return struct.pack("<d", one) == struct.pack("<d", other)


def _in_order(one, other):
    return len(one) == len(other) and all(map(same, one, other))


def _in_any_order(one, other):
    rest = list(other)
    for item in one:
        found = next((i for i, candidate in enumerate(rest) if same(item, candidate)), None)
        if found is None:
            return False
        del rest[found]
    return not rest


def _arrays(one, other):
    alike = one.dtype == other.dtype and one.shape == other.shape
    if alike and one.dtype.hasobject:
        return _in_order(one.ravel().tolist(), other.ravel().tolist())
    return alike and one.tobytes() == other.tobytes()


def _numpy_scalars(one, other):
    return one.dtype == other.dtype and _arrays(np.asarray(one), np.asarray(other))


RULES = {
    float: _bits,
    complex: lambda a, b: _bits(a.real, b.real) and _bits(a.imag, b.imag),
    decimal.Decimal: lambda a, b: a.as_tuple() == b.as_tuple(),
    slice: lambda a, b: repr(a) == repr(b),
    **dict.fromkeys([np.float16, np.float32, np.float64, np.complex64], _numpy_scalars),
    **dict.fromkeys([np.datetime64, np.timedelta64], _numpy_scalars),
    **dict.fromkeys([list, tuple, collections.deque], _in_order),
    **dict.fromkeys([set, frozenset], _in_any_order),
    dict: lambda a, b: _in_any_order(list(a.items()), list(b.items())),
    collections.OrderedDict: lambda a, b: _in_order(list(a.items()), list(b.items())),
    np.ndarray: _arrays,
}
