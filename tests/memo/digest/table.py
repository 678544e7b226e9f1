"""Prints the digests of fixed values: they are the same on every Python, machine and hash seed.

Run in a process of its own, in the folder of this file: classes go by the name of their module.
"""

import array
import collections
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import functools
import json
import math
import operator
import pathlib
import re
import sys
import types
import typing
import uuid
import zoneinfo

import numpy as np

from neurotools.memo.digest.values import digest


class Colour(enum.Enum):
    RED = 1


class Flags(enum.Flag):
    A = 1
    B = 2


Pair = collections.namedtuple("Pair", "a b")


@dataclasses.dataclass
class Point:
    x: float
    y: float


@dataclasses.dataclass(frozen=True)
class Slotted:
    __slots__ = ("x",)
    x: int


class Empty:
    pass


class Names(set):
    pass


class Options(dict):
    pass


class Image(np.ndarray):
    pass


def with_attributes(value, **attributes):
    vars(value).update(attributes)
    return value


def cycle():
    inside = {"up": None, "names": {"a", "b"}}
    outside = [inside, inside, 1]
    inside["up"] = outside
    return outside


PACKED = [("a", "u1"), ("b", "<f8")]

TABLE = {
    "none": None,
    "int": 1,
    "large int": -(10**40),
    "float": 1.5,
    "nan": math.nan,
    "complex": 1j,
    "bool": True,
    "text": "äöü\ud800",
    "long text": "abc" * 100,
    "bytes": b"abc",
    "long bytes": b"abc" * 100,
    "list": [1, "a", None],
    "numbers": [0.5] * 50,
    "tuple": (1, (2, ())),
    "dict": {"b": 1, "a": [2]},
    "mixed keys": {1: 1, "a": 2, (1, 2): 3, None: 4},
    "set": {"a", "b", "c", 1, 2.5},
    "frozenset": frozenset({"x", "y", ("z", 1)}),
    "nested sets": {frozenset({"a", "b"}), frozenset({"c"})},
    "cycle": cycle(),
    "ordered": collections.OrderedDict(b=1, a=2),
    "defaultdict": collections.defaultdict(list, a=[1]),
    "counter": collections.Counter("abca"),
    "deque": collections.deque([1, 2], maxlen=3),
    "proxy": types.MappingProxyType({"a": 1}),
    "namespace": types.SimpleNamespace(b=1, a=2),
    "pair": Pair(1, 2),
    "point": Point(1.0, 2.0),
    "slotted": Slotted(1),
    "empty": Empty(),
    "instance": with_attributes(Empty(), b=1, a={"x", "y"}),
    "set subclass": with_attributes(Names({"a", "b", "c"}), unit="m"),
    "dict subclass": Options(b=1, a=2),
    "enum": Colour.RED,
    "flags": Flags.A | Flags.B,
    "exception": ValueError("bad", 1),
    "path": pathlib.PurePosixPath("/a/b"),
    "windows path": pathlib.PureWindowsPath("C:/a"),
    "date": dt.date(2020, 2, 29),
    "datetime": dt.datetime(2020, 2, 29, 1, 2, 3, 4, fold=1),
    "with zone": dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc),
    "zone": zoneinfo.ZoneInfo("Europe/Paris"),
    "timedelta": dt.timedelta(1, 2, 3),
    "time": dt.time(1, 2),
    "decimal": decimal.Decimal("-1.50"),
    "fraction": fractions.Fraction(1, 3),
    "uuid": uuid.UUID(int=5),
    "pattern": re.compile("a+", re.IGNORECASE),
    "slice": slice(1, None, 2),
    "range": range(1, 10, 3),
    "bytearray": bytearray(b"abc"),
    "memoryview": memoryview(b"abc"),
    "array": array.array("d", [1, 2]),
    "alias": list[int],
    "union": int | str,
    "typing": typing.Dict[str, int],  # noqa: UP006 - the other kind of alias
    "function": with_attributes,
    "builtin": len,
    "method": "abc".upper,
    "descriptor": str.upper,
    "class": Point,
    "module": math,
    "partial": functools.partial(with_attributes, 1, a=2),
    "itemgetter": operator.itemgetter("a", 1),
    "cached": functools.lru_cache(with_attributes),
    "numpy int": np.int16(3),
    "numpy float": np.float32(1.5),
    "numpy text": np.str_("abc"),
    "datetime64": np.datetime64("2020-01-01", "ms"),
    "structured": np.array((1, 2.0), PACKED)[()],
    "dtype": np.dtype(">f4"),
    "structured dtype": np.dtype(PACKED, align=True),
    "vector": np.arange(5.0),
    "large": np.arange(10_000, dtype="<i4").reshape(100, 100).T,
    "text array": np.array(["a", "bcd"]),
    "times": np.array(["2020-01-01", "NaT"], "M8[D]"),
    "records": np.array([(1, 2.0), (3, 4.0)], PACKED),
    "padded": np.array([(1, 2.0), (3, 4.0)], np.dtype(PACKED, align=True)),
    "objects": np.array([1, "a", None], object),
    "nested objects": np.array([(1, [2])], [("a", "<i4"), ("b", "O")]),
    "matrix": np.array([[1.0, 2.0]]).view(np.matrix),
    "recarray": np.rec.array([(1, 2.0)], dtype=PACKED),
    "masked": np.ma.array([1.0, 2.0], mask=[True, False]),
    "array subclass": with_attributes(np.arange(3.0).view(Image), unit="mm"),
    "ufunc": np.add,
    "numpy function": np.mean,
    "generator": np.random.Generator(np.random.PCG64(np.random.SeedSequence(1))),
    "random state": np.random.RandomState(1),
}

if __name__ == "__main__":
    sys.modules["table"] = sys.modules.pop("__main__")
    for cls in (Colour, Flags, Pair, Point, Slotted, Empty, Names, Options, Image, with_attributes):
        cls.__module__ = "table"
    json.dump({name: digest(value) for name, value in TABLE.items()}, sys.stdout, indent=1)
