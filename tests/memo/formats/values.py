"""Values to store: strategies, examples, and what no safe format takes."""

import collections
import enum
import threading
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

SHAPES = npst.array_shapes(min_dims=0, max_dims=4, min_side=0)
INTEGERS = st.integers(-(2**63), 2**64 - 1)
#: Held by every format.
PLAIN_TYPES = (
    *("|b1", "|i1", "<i2", "<i4", "<i8", ">i8", "|u1", "<u2", "<u4", ">u4", "<u8"),
    *("<f2", "<f4", "<f8", ">f8", "<c8", "<c16", ">c16", "|S3", "<U2", ">U2"),
    *("<M8[ns]", "<M8[25s]", ">M8[D]", "<m8[us]", "<m8"),
)
#: Held by all but ``mat``.
SPECIAL_TYPES = (
    *("longdouble", "clongdouble", "|V5"),
    [("a", "<i4"), ("b", ">f8", (2, 3))],
    [("place", [("x", "<f4"), ("y", "<f4")]), ("name", "<U3"), ("day", "<M8[D]")],
    [(("a title", "a"), "|i1"), ("b c'\"", "<i2"), ("größe", "|b1")],
    {"names": ["a", "b"], "formats": ["|i1", "<f8"], "offsets": [4, 16], "itemsize": 40},
)
SIMPLE_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=5)


@st.composite
def arrays(draw, types=PLAIN_TYPES, shapes=SHAPES):
    """Arrays of any bits that make sense for their type, in C, Fortran or no order."""
    dtype, shape = np.dtype(draw(st.sampled_from(types))), draw(shapes)
    array = filled(dtype, shape, np.random.default_rng(draw(st.integers(0, 2**32))))
    arrange = draw(st.sampled_from([np.asarray, np.asfortranarray, np.transpose, _stepped]))
    return arrange(array)


def _stepped(array):
    return array[::-2] if array.ndim else array


def filled(dtype, shape, random):
    array = np.zeros(shape, dtype)
    if dtype.names:
        for name in dtype.names:
            array[name] = filled(dtype[name].base, array[name].shape, random)
    elif dtype.kind == "U":
        array[...] = np.array(["", "é", "a", "\U0001f600b"])[random.integers(0, 4, shape)]
    elif dtype.kind == "b" or dtype.itemsize > 16 or dtype.char == "g" or dtype.str[1:] == "f2":
        array[...] = random.normal(size=shape) > 0
    else:
        count = array.size * dtype.itemsize
        array = np.frombuffer(random.bytes(count), dtype).reshape(shape).copy()
    return array


def scalars(types):
    return arrays(types, st.just((1,))).map(lambda array: array[0])


def leaves(types, integers):
    ranges = st.tuples(st.integers(-9, 9), st.integers(-9, 9), st.integers(1, 3))
    hashable = (
        *(st.none(), st.booleans(), integers, st.floats(), st.complex_numbers(), ANY_TEXT),
        *(st.binary(max_size=9), st.just(...), ranges.map(lambda parts: range(*parts))),
        *(ANY_TEXT.map(lambda text: np.str_(text + ".")),),
        st.binary(max_size=4).map(lambda text: np.bytes_(text + b".")),
        st.sampled_from([np.int8(3), np.float32(0.1), np.bool_(True)]),
    )
    return st.one_of(hashable)


def values(types=PLAIN_TYPES, integers=INTEGERS):
    """Values made of everything that a format with these types and integers holds."""
    hashable = leaves(types, integers)
    others = (
        *(arrays(types), scalars(types), st.binary(max_size=9).map(bytearray)),
        st.slices(5),
        st.text(max_size=3).map(lambda text: text * 1000),
        st.binary(max_size=3).map(lambda text: text * 1000),
        st.lists(st.floats(), min_size=64, max_size=70),
        st.lists(st.integers(-(2**63), 2**63 - 1), min_size=64, max_size=70).map(tuple),
    )
    keys = hashable | st.tuples(hashable, hashable) | st.frozensets(hashable, max_size=2)
    return st.recursive(
        hashable | st.one_of(others),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.lists(inner, max_size=4).map(tuple),
            st.dictionaries(keys, inner, max_size=4),
            st.dictionaries(SIMPLE_TEXT, inner, max_size=4),
            st.sets(keys, max_size=4),
            st.frozensets(keys, max_size=4),
        ),
        max_leaves=12,
    )


ALL_VALUES = values(PLAIN_TYPES + SPECIAL_TYPES, st.integers())
#: In pickles numpy turns the bytes of some big-endian arrays around: equal values of another type.
PICKLED_VALUES = values(
    tuple(kind for kind in PLAIN_TYPES + SPECIAL_TYPES if ">" not in str(kind)), st.integers()
)


def nested(depth):
    value = []
    for _ in range(depth - 1):
        value = [value]
    return value


#: Held by every format.
EXAMPLES = {
    "nothing": None,
    "no items": [[], (), {}, set(), frozenset(), "", b"", bytearray(), range(0)],
    "negative zero": -0.0,
    "a NaN with a content": np.array([0x7FF8000000000123], "u8").view("f8")[0].item(),
    "infinities": (float("inf"), complex("-inf+nanj")),
    "integers at the edges": [2**63 - 1, 2**63, 2**64 - 1, -(2**63)],
    "halves of a surrogate pair": ["\ud83d\ude00", "\U0001f600", "\udc80" * 1000],
    "text with zeros": ["a\0", "\0" * 2000],
    "long text": ["é" * 1500, "a" * 999, b"b" * 5000, np.str_("c" * 2000)],
    "keys of all kinds": {1: "a", 1.5: "b", None: "c", (1, "d"): "e", "a/b": 1, ".": 2, "": 3},
    "names that formats use": {"python": 1, "#0": 2, "#python": 3, "varargout": 4, "0": 5},
    "names that are not Matlab's": {"_x": 1, "x" * 64: 2, "x y": 3, "é": 4, "end": 5},
    "True and 1": [True, 1, 1.0, np.True_, np.int64(1), np.float32(1)],
    "a list like a tuple": [(1, 2), [1, 2], (1,), [1]],
    "many numbers": [list(range(1000)), [0.5] * 100, (2**63,) * 100, [True] * 100],
    "no time": [np.datetime64("NaT", "s"), np.timedelta64(5, "s"), np.datetime64("2020-01", "M")],
    "deep": nested(100),
    "no size": [np.zeros((0, 3)), np.zeros((2, 0, 4), "f4", order="F"), np.zeros(0, "U5")],
    "no width": [np.zeros(3, "S"), np.ndarray((2, 2), "U0"), np.ndarray((2,), "S0")],
    "no dimensions": [np.array(1.5), np.array("text"), np.array(b"bytes"), np.array(True)],
    "Fortran order": np.asfortranarray(np.arange(24.0).reshape(2, 3, 4)),
    "another order": np.arange(24.0).reshape(2, 3, 4).transpose(1, 0, 2),
    "one long row": np.zeros((1, 5), order="F"),
    "big-endian": np.arange(5, dtype=">i2"),
    "many dimensions": np.zeros((1,) * 32),
    "steps": [np.array(["a", "bc"])[::-1], np.zeros(6, "M8[s]")[::2], np.arange(9)[::3]],
    "bits": np.array([True, False])[::-1],
    "dates": np.array(["2020-01-01", "NaT"], "M8[ns]"),
    "slices": [slice(None), slice(1, 2.5, "x"), slice((1, 2), None, [3])],
    "an array alone in a list": [np.arange(3)],
    "an array that looks like a structure": np.array(b'{"array":0}'),
}
#: Held by every format but ``pickle``, in which numpy makes something similar of them.
EXACT_EXAMPLES = {
    "numpy's text with zeros": [np.str_("a\0"), np.bytes_(b"a\0"), np.str_("\0" * 2000)],
    "an integer type of equal size": [np.longlong(1), np.int64(1), np.intc(1), np.ulonglong(1)],
}
#: Held by all but ``mat``.
SPECIAL_EXAMPLES = {
    "large integers": [2**64, -(2**63) - 1, 10**5000, {2**70: -(2**200)}],
    "longdouble": [np.longdouble("0.1"), np.ones(3, "g"), np.clongdouble(1j)],
    "half NaNs": np.array([0x7E01, 0xFC01], "u2").view("f2"),
    "void": [np.void(b"abc"), np.zeros(3, "V7"), np.void(b"x" * 3000)],
    "records": np.array([(1, 2.5), (3, 4.5)], [("a", "i4"), ("b", ">f8")]),
    "one record": np.array([(1, "x")], [("a", "i1"), ("b", "U2")])[0],
    "no fields": np.zeros(3, []),
    "many fields": np.zeros(2, [(f"field {number}", "f4") for number in range(500)]),
}


class Colour(enum.IntEnum):
    RED = 1


@dataclass
class Point:
    x: int = 1


class OwnInt(int):
    pass


class OwnFloat(np.float64):
    pass


Pair = collections.namedtuple("Pair", "a b")


def containing_itself():
    value = [1]
    value.append({"again": value})
    return value


ALIGNED = np.dtype({"names": ["a", "b"], "formats": ["i1", "i4"]}, align=True)
OVERLAPPING = np.dtype({"names": ["a", "b"], "formats": ["i4", "i2"], "offsets": [0, 2]})

#: No safe format holds these, and what the reason must say.
REFUSED = {
    "objects": (np.array([1, "a"], object), "holds Python objects"),
    "objects in a field": (np.zeros(2, [("a", "i4"), ("b", "O")]), "holds Python objects"),
    "a named tuple": (Pair(1, 2), "come back as tuple"),
    "an ordered dict": (collections.OrderedDict(a=1), "come back as dict"),
    "a default dict": (collections.defaultdict(list), "come back as dict"),
    "an enumeration": (Colour.RED, "come back as int"),
    "an integer of its own": (OwnInt(3), "come back as int"),
    "a float of its own": (OwnFloat(3), "come back as float64"),
    "a text of its own": (type("OwnText", (str,), {})("a"), "come back as str"),
    "a matrix": (np.ones((1, 1)).view(np.matrix), "come back as ndarray"),
    "a masked array": (np.ma.masked_array([1, 2], [True, False]), "come back as ndarray"),
    "a record array": (np.rec.array([(1,)], [("a", "i4")]), "come back as ndarray"),
    "records in an array": (np.zeros(2, np.dtype((np.record, [("a", "i4")]))), "lose a part"),
    "a dtype with metadata": (np.zeros(2, np.dtype("i4", metadata={"a": 1})), "lose a part"),
    "an aligned dtype": (np.zeros(2, ALIGNED), "lose a part"),
    "overlapping fields": (np.zeros(2, OVERLAPPING), "overlapping"),
    "an object of a user's": (Point(), "not plain data"),
    "a class": (Point, "not plain data"),
    "a function": (len, "not plain data"),
    "a lock": (threading.Lock(), "not plain data"),
    "itself": (containing_itself(), "contains itself"),
    "a nest": (nested(101), "more than 100 deep"),
}
