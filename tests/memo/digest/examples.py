"""Values of which no two are the same, and the classes that they need."""

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import functools
import io
import math
import operator
import pathlib
import random
import re
import types
import uuid
import zoneinfo

import numpy as np

MISSING = object()
_lowercase_marker = object()


class Colour(enum.Enum):
    RED = 1
    BLUE = 2
    MARK = object()


class Shade(enum.Enum):
    RED = 1
    BLUE = 2


class Number(enum.IntEnum):
    ONE = 1


Pair = collections.namedtuple("Pair", "a b")
OtherPair = collections.namedtuple("OtherPair", "a b")


class Box:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)

    def method(self):
        return self


class OtherBox(Box):
    pass


class Slots:
    __slots__ = ("a", "b")

    def __init__(self, **attributes):
        for name, value in attributes.items():
            setattr(self, name, value)


class Reducing:
    def __init__(self, content, cache=None):
        self.content, self.cache = content, cache

    def __reduce__(self):
        return Reducing, (self.content,)


class Stateful(Reducing):
    __reduce__ = object.__reduce__

    def __getstate__(self):
        return {"content": self.content}


@dataclasses.dataclass(frozen=True)
class Point:
    x: float
    y: float = 0.0


class Text(str):
    pass


class Whole(int):
    pass


class Row(list):
    pass


class Bag(set):
    pass


class Table(dict):
    pass


class Ranked(collections.OrderedDict):
    pass


class Tally(collections.Counter):
    pass


class Lying(list):
    def __iter__(self):
        return iter(())


class LyingTable(dict):
    def items(self):
        return {}.items()


class LyingBag(set):
    def __iter__(self):
        return iter(())


class Day(dt.date):
    pass


class Amount(decimal.Decimal):
    pass


class Length(np.float64):
    pass


class MyPath(pathlib.PurePosixPath):
    pass


def with_attributes(value, **attributes):
    vars(value).update(attributes)
    return value


def recursive(make, *rest):
    """Return a list that contains itself, in the place that ``make`` gives it."""
    found = []
    found.extend((make(found), *rest))
    return found


def nested(levels, value=0):
    for _ in range(levels):
        value = [value]
    return value


#: No two of these are the same.
DIFFERENT = {
    "1": 1,
    "1.0": 1.0,
    "True": True,
    "'1'": "1",
    "b'1'": b"1",
    "[1]": [1],
    "(1,)": (1,),
    "{1}": {1},
    "frozenset": frozenset({1}),
    "{1: 1}": {1: 1},
    "int64": np.int64(1),
    "int32": np.int32(1),
    "float32": np.float32(1),
    "float64": np.float64(1),
    "longdouble": np.longdouble(1),
    "bool_": np.True_,
    "0-d array": np.array(1),
    "array": np.array([1]),
    "complex": 1 + 0j,
    "complex128": np.complex128(1),
    "Decimal": decimal.Decimal(1),
    "Decimal 1.0": decimal.Decimal("1.0"),
    "Fraction": fractions.Fraction(1),
    "Whole": Whole(1),
    "Number": Number.ONE,
    "Colour": Colour.RED,
    "Shade": Shade.RED,
    "other colour": Colour.BLUE,
    "marked colour": Colour.MARK,
    "timedelta64": np.timedelta64(1, "s"),
    "timedelta64 ms": np.timedelta64(1, "ms"),
    "0": 0,
    "0.0": 0.0,
    "-0.0": -0.0,
    "-0j": complex(0.0, -0.0),
    "0j": 0j,
    "-0.0+0j": complex(-0.0, 0.0),
    "False": False,
    "None": None,
    "Ellipsis": ...,
    "NotImplemented": NotImplemented,
    "nan": math.nan,
    "other nan": np.array([0x7FF8000000000001], "u8").view("f8").tolist()[0],
    "minus nan": -math.nan,
    "''": "",
    "b''": b"",
    "bytearray": bytearray(),
    "memoryview": memoryview(b""),
    "NUL": "\0",
    "np.str_": np.str_(""),
    "np.bytes_": np.bytes_(b""),
    "np.str_ NUL": np.str_("\0"),
    "Text": Text(),
    "Text with attribute": with_attributes(Text(), unit="m"),
    "surrogate": "\ud83d\ude00",
    "no surrogate": "\U0001f600",
    "composed": "é",
    "decomposed": "e\u0301",
    "[]": [],
    "()": (),
    "{}": {},
    "set()": set(),
    "[[]]": [[]],
    "[[], []]": [[], []],
    "[[[]]]": [[[]]],
    "[()]": [()],
    "{None}": {None},
    "'a', 'b'": ["a", "b"],
    "'ab', ''": ["ab", ""],
    "'ab'": ["ab"],
    "'a'": ["a"],
    "[1, 2]": [1, 2],
    "[2, 1]": [2, 1],
    "[[1], 2]": [[1], 2],
    "[[1, 2]]": [[1, 2]],
    "{1: 2}": {1: 2},
    "{2: 1}": {2: 1},
    "{True: 2}": {True: 2},
    "{1.0: 2}": {1.0: 2},
    "{'a': {'b': 1}}": {"a": {"b": 1}},
    "{'a': {}, 'b': 1}": {"a": {}, "b": 1},
    "{nan, nan}": {float("nan"), float("nan")},
    "{nan}": {float("nan")},
    "nan keys": {float("nan"): 1, float("nan"): 2},
    "nan keys, other values": {float("nan"): 1, float("nan"): 1},
    "many ints": [1] * 100,
    "many floats": [1.0] * 100,
    "many bools": [True] * 100,
    "many and one": [1] * 99 + [1.0],
    "many large": [2**63] * 100,
    "range": range(1),
    "longer range": range(2),
    "slice": slice(1),
    "OrderedDict": collections.OrderedDict(a=1, b=2),
    "OrderedDict, other order": collections.OrderedDict(b=2, a=1),
    "with attribute": with_attributes(collections.OrderedDict(a=1, b=2), unit="m"),
    "dict of the same": {"a": 1, "b": 2},
    "defaultdict": collections.defaultdict(None, a=1, b=2),
    "defaultdict of list": collections.defaultdict(list, a=1, b=2),
    "defaultdict of set": collections.defaultdict(set, a=1, b=2),
    "Counter": collections.Counter(a=1, b=2),
    "Tally": Tally(a=1, b=2),
    "Tally with attribute": with_attributes(Tally(a=1, b=2), unit="m"),
    "mappingproxy": types.MappingProxyType({"a": 1, "b": 2}),
    "namespace": types.SimpleNamespace(a=1, b=2),
    "Table": Table(a=1, b=2),
    "Table with attribute": with_attributes(Table(a=1, b=2), unit="m"),
    "LyingTable": LyingTable(a=1),
    "empty LyingTable": LyingTable(),
    "Ranked": Ranked(a=1, b=2),
    "Ranked, other order": Ranked(b=2, a=1),
    "Box": Box(a=1, b=2),
    "Box, other value": Box(a=1, b=3),
    "OtherBox": OtherBox(a=1, b=2),
    "Slots": Slots(a=1, b=2),
    "Slots, one": Slots(a=1),
    "Slots, none": Slots(),
    "Reducing": Reducing(1),
    "Stateful": Stateful(1),
    "Stateful 2": Stateful(2),
    "dict keys": {"a": 1, "b": 2}.keys(),
    "dict values": {"a": 1, "b": 2}.values(),
    "dict items": {"a": 1, "b": 2}.items(),
    "deque": collections.deque([1]),
    "short deque": collections.deque([1], 2),
    "Row": Row([1]),
    "Row with attribute": with_attributes(Row([1]), unit="m"),
    "Lying": Lying([1]),
    "Lying 2": Lying([2]),
    "Bag": Bag([1]),
    "Bag 2": Bag([1, 2]),
    "Bag with attribute": with_attributes(Bag([1]), unit="m"),
    "Pair": Pair(1, 2),
    "OtherPair": OtherPair(1, 2),
    "(1, 2)": (1, 2),
    "Point": Point(1, 2),
    "Point of floats": Point(1.0, 2.0),
    "path": pathlib.PurePosixPath("a"),
    "windows path": pathlib.PureWindowsPath("a"),
    "MyPath": MyPath("a"),
    "MyPath b": MyPath("b"),
    "MyPath with attribute": with_attributes(MyPath("a"), unit="m"),
    "LyingBag": LyingBag([1]),
    "LyingBag 2": LyingBag([2]),
    "Day": Day(2020, 1, 1),
    "Day with attribute": with_attributes(Day(2020, 1, 1), unit="m"),
    "Amount": Amount(1),
    "Amount with attribute": with_attributes(Amount(1), unit="m"),
    "Length": Length(1),
    "Length with attribute": with_attributes(Length(1), unit="m"),
    "date": dt.date(2020, 1, 1),
    "datetime": dt.datetime(2020, 1, 1),
    "datetime, fold": dt.datetime(2020, 1, 1, fold=1),
    "datetime, utc": dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc),
    "datetime, zone": dt.datetime(2020, 1, 1, tzinfo=zoneinfo.ZoneInfo("UTC")),
    "utc": dt.timezone.utc,
    "named utc": dt.timezone(dt.timedelta(0), "x"),
    "timedelta": dt.timedelta(1),
    "time": dt.time(1),
    "datetime64": np.datetime64("2020-01-01"),
    "NaT": np.datetime64("NaT", "s"),
    "uuid": uuid.UUID(int=1),
    "pattern": re.compile("a"),
    "pattern, flag": re.compile("a", re.IGNORECASE),
    "pattern of bytes": re.compile(b"a"),
    "list[int]": list[int],
    "list[str]": list[str],
    "list": list,
    "int | str": int | str,
    "len": len,
    "math": math,
    "str.upper": str.upper,
    "'a'.upper": "a".upper,
    "'b'.upper": "b".upper,
    "'a'.lower": "a".lower,
    "fromkeys": dict.fromkeys,
    "other fromkeys": Table.fromkeys,
    "method": Box(a=1).method,
    "method, other self": Box(a=2).method,
    "function": Box.method,
    "wrapper": (1).__add__,
    "partial": functools.partial(len),
    "partial, argument": functools.partial(len, "a"),
    "partial, keyword": functools.partial(len, a="a"),
    "partial, attribute": with_attributes(functools.partial(len), unit="m"),
    "itemgetter": operator.itemgetter(1),
    "attrgetter": operator.attrgetter("a"),
    "cache": functools.lru_cache(Box.method),
    "staticmethod": staticmethod(len),
    "property": property(len),
    "cached_property": functools.cached_property(len),
    "ValueError": ValueError(1),
    "TypeError": TypeError(1),
    "BytesIO": io.BytesIO(b"ab"),
    "random": random.Random(1),
    "other random": random.Random(2),
    "contains itself": recursive(lambda itself: itself),
    "contains itself, deeper": recursive(lambda itself: [itself]),
    "contains itself, in a tuple": recursive(lambda itself: (itself,)),
    "contains itself twice": recursive(lambda itself: [itself, itself]),
    "contains itself and more": recursive(lambda itself: itself, 1),
    "contains one that contains itself": [recursive(lambda itself: itself)],
    "contains what contains itself": recursive(
        lambda itself: recursive(lambda inner: [inner, itself])
    ),
    "contains itself in a dict": recursive(lambda itself: {"a": itself}),
    "marker": MISSING,
    "other marker": _lowercase_marker,
}
