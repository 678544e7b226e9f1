"""A zoo of values by chance, and an oracle that spells each of them out: type, bits, order.

The oracle was written without a look at the digest: two values are the same argument if and only if
`spell` says the same of both. With ``exact=True`` it says, besides, what a format must keep and a
signature leaves out: the order of dictionaries and of memory, and which system a path is for.
"""

from __future__ import annotations

import array
import collections
import copy
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import ipaddress
import pathlib
import random
import re
import struct
import types
import uuid
import zoneinfo

import numpy as np

# ---------------------------------------------------------------- types of a user's


class Colour(enum.IntEnum):
    RED, GREEN = 1, 2


class Shade(enum.Enum):
    RED, GREEN = 1, 2


class Flags(enum.Flag):
    A, B = 1, 2


class OwnInt(int):
    pass


class OwnStr(str):
    pass


class OwnFloat(float):
    pass


class OwnList(list):
    pass


class OwnDict(dict):
    pass


class OwnArray(np.ndarray):
    def __array_finalize__(self, base):
        self.unit = getattr(base, "unit", None)

    def __reduce__(self):
        function, arguments, state = super().__reduce__()
        return function, arguments, (state, self.unit)

    def __setstate__(self, state):
        super().__setstate__(state[0])
        self.unit = state[1]


Pair = collections.namedtuple("Pair", "a b")
Other = collections.namedtuple("Other", "a b")


@dataclasses.dataclass
class Point:
    x: object
    y: object = 0


@dataclasses.dataclass(frozen=True)
class Frozen:
    x: object
    y: object = 0


class Slots:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x, self.y = x, y


# ---------------------------------------------------------------- the zoo

TEXTS = (
    *("", "a", "b", "ab", "1", "None", "\0", "a\0", "\0a", "é", "e\u0301", "\ud800", "\udc80"),
    *("\u202eabc", "\U0001f600", "\ud83d\ude00", "x" * 200, "x" * 201, "\n", "'", '"', "\\"),
)
FLOATS = (
    *(0.0, -0.0, 1.0, -1.0, 5e-324, -5e-324, 2.2e-308, 1e308, float("inf"), float("-inf")),
    *(struct.unpack("<d", struct.pack("<Q", bits))[0] for bits in (0x7FF8 << 48, 0xFFF8 << 48)),
    *(struct.unpack("<d", struct.pack("<Q", 0x7FF8 << 48 | 0x123))[0], 0.1, 1 / 3),
)
INTEGERS = (0, 1, -1, 2, 127, 128, 255, 256, 2**31, 2**63 - 1, 2**63, 2**64, -(2**63), 10**40)
DTYPES = (
    *("?", "i1", "u1", "<i2", ">i2", "<u4", ">i4", "<i8", ">i8", "u8", "f2", ">f2", "<f4", ">f4"),
    *("<f8", ">f8", "g", "<c8", ">c16", "G", "S", "S1", "S3", "<U1", ">U2", "<U3", "V1", "V5"),
    *("M8[ns]", "M8[us]", "<M8[s]", ">M8[D]", "M8[25s]", "M8[Y]", "M8", "m8[ns]", "m8", "m8[7D]"),
    [("a", "<i4"), ("b", ">f8")],
    [("a", "<i4"), ("c", ">f8")],
    [("b", "<i4"), ("a", ">f8")],
    [("a", "i1", (2,)), ("b", [("c", "S2"), ("d", "<M8[D]")])],
    [(("title", "a"), "i1"), ("b", "u2")],
    [("a", "O"), ("b", "i2")],
    {"names": ["a", "b"], "formats": ["i1", "<f8"], "offsets": [4, 16], "itemsize": 40},
    {"names": ["a", "b"], "formats": ["i1", "<f8"], "offsets": [0, 8], "itemsize": 16},
    "O",
)
SHAPES = ((), (0,), (1,), (2,), (3,), (1, 1), (2, 0), (0, 2), (2, 3), (3, 2), (1, 3), (2, 1, 2))


class Zoo:
    """Makes values by chance."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.kinds = [
            *([self.scalar] * 4 + [self.array] * 4 + [self.special] * 2 + [self.foreign] * 2),
            *(self.container,) * 4,
        ]

    def value(self, depth=3):
        return self.chance.choice(self.kinds if depth else self.kinds[:-4])(depth)

    def scalar(self, _=0):
        choice = self.chance.choice
        makers = (
            lambda: choice((None, True, False, ..., NotImplemented)),
            lambda: choice(INTEGERS),
            lambda: choice(FLOATS),
            lambda: complex(choice(FLOATS), choice(FLOATS)),
            lambda: choice(TEXTS),
            lambda: choice(TEXTS).encode("utf-8", "surrogatepass"),
            lambda: self.numpy_scalar(),
            lambda: choice((OwnInt, OwnFloat))(choice((0, 1, 2))),
            lambda: OwnStr(choice(TEXTS)),
            lambda: choice((*Colour, *Shade, Flags.A, Flags.A | Flags.B, Flags(0))),
        )
        return choice(makers)()

    def hashable(self, depth=1):
        # Signalling comparisons and fields make some of numpy's scalars useless as keys.
        choice = self.chance.choice
        if depth and self.chance.random() < 0.2:
            return tuple(self.hashable(depth - 1) for _ in range(self.chance.randrange(3)))
        return choice(
            (
                *(
                    choice(INTEGERS),
                    choice(FLOATS),
                    choice(TEXTS),
                    choice(TEXTS).encode("utf-8", "surrogatepass"),
                ),
                *(None, True, np.int64(3), np.float32(1.5), Shade.RED, frozenset([1, 2])),
            )
        )

    def numpy_scalar(self):
        return self.filled(self.chance.choice(DTYPES[:-7]), (1,))[0]

    def filled(self, kind, shape):
        dtype = np.dtype(kind)
        found = np.zeros(shape, dtype)
        if dtype.hasobject and dtype.names is None:
            for place in np.ndindex(found.shape):
                found[place] = self.chance.choice(
                    [self.scalar(), [1], (self.chance.choice(FLOATS),)]
                )
        elif dtype.names:
            for name in dtype.names:
                found[name] = self.filled(dtype[name].base, found[name].shape)
        elif dtype.kind in "SU":
            options = ["", "a", "b", "ab", "\0a", "abc"] + ["é"] * (dtype.kind == "U")
            for place in np.ndindex(found.shape):
                found[place] = self.chance.choice(options)
        elif dtype.kind == "b":
            found[...] = np.array([self.chance.random() < 0.5 for _ in range(found.size)]).reshape(
                shape
            )
        elif dtype.char in "gG":
            numbers = [np.longdouble(self.chance.choice(FLOATS)) / 3 for _ in range(found.size)]
            found[...] = np.array(numbers, "g").reshape(shape)
        elif found.size:
            small = self.chance.random() < 0.6
            size = found.size * dtype.itemsize
            raw = (
                bytes(self.chance.choices((0, 0, 1, 128, 255), k=size))
                if small
                else self.chance.randbytes(size)
            )
            found = np.frombuffer(raw, dtype).reshape(shape).copy()
        return found

    def array(self, depth=0):
        found = self.filled(self.chance.choice(DTYPES), self.chance.choice(SHAPES))
        return self.arranged(found)

    def arranged(self, found):
        """Return equal elements in another memory."""
        how = self.chance.randrange(8)
        if how == 1:
            return np.asfortranarray(found) if found.ndim else found
        if how == 2 and found.ndim:
            return found[::-1].copy()[::-1]
        if how == 3 and found.ndim:
            wide = np.zeros((found.shape[0] * 2, *found.shape[1:]), found.dtype)
            wide[::2] = found
            return wide[::2]
        if how == 4 and found.ndim > 1:
            return found.T.copy().T
        if how == 5:
            found = found.copy()
            found.flags.writeable = False
        return found

    def special(self, depth=0):
        choice, chance = self.chance.choice, self.chance
        zones = (
            *(None, dt.timezone.utc, dt.timezone(dt.timedelta(hours=1))),
            *(dt.timezone(dt.timedelta(hours=1), "x"), zoneinfo.ZoneInfo("Europe/Berlin")),
            zoneinfo.ZoneInfo("UTC"),
        )
        moment = dt.datetime(2020, 10, 25, 2, chance.randrange(2), fold=chance.randrange(2))
        makers = (
            lambda: moment.replace(tzinfo=choice(zones)),
            lambda: moment.date(),
            lambda: moment.time().replace(tzinfo=choice(zones[:4]), fold=chance.randrange(2)),
            lambda: dt.timedelta(chance.randrange(3), chance.randrange(2), chance.randrange(2)),
            lambda: decimal.Decimal(
                choice(
                    ("1", "1.0", "1E+1", "10", "-0", "0", "NaN", "sNaN", "NaN1", "Infinity", "-NaN")
                )
            ),
            lambda: fractions.Fraction(chance.randrange(3), 1 + chance.randrange(3)),
            lambda: choice((pathlib.PurePosixPath, pathlib.PureWindowsPath, pathlib.Path))(
                choice(("a", "a/b", "a\\b", "A", "/", ""))
            ),
            lambda: range(chance.randrange(3), chance.randrange(3), 1 + chance.randrange(2)),
            lambda: slice(choice((None, 0, 1, 1.0)), choice((None, 1)), choice((None, -1))),
            lambda: bytearray(choice(TEXTS).encode("utf-8", "surrogatepass")),
            lambda: array.array(
                choice("bBhiIlqfd"), [chance.randrange(3) for _ in range(chance.randrange(3))]
            ),
            lambda: uuid.UUID(int=chance.randrange(3)),
            lambda: choice((ipaddress.IPv4Address, ipaddress.IPv6Address))(chance.randrange(3)),
            lambda: re.compile(
                choice(("a", "b", "a|b")),
                choice((0, re.IGNORECASE, re.IGNORECASE | re.MULTILINE, re.ASCII)),
            ),
            lambda: re.compile(b"a"),
            lambda: choice(
                (int, float, np.float32, np.ndarray, Colour, Point, len, sum, np.add, np.mean, dict)
            ),
            lambda: np.dtype(choice(DTYPES)),
            lambda: np.random.default_rng(chance.randrange(3)),
            lambda: np.random.RandomState(chance.randrange(3)),
            lambda: np.random.Generator(
                choice((np.random.MT19937, np.random.Philox))(chance.randrange(2))
            ),
            lambda: random.Random(chance.randrange(3)),
        )
        return choice(makers)()

    def foreign(self, depth=0):
        chance = self.chance
        if chance.random() < 0.3:
            return self.subclassed()
        if chance.random() < 0.35:
            return self.sparse()
        return self.frame()

    def subclassed(self):
        chance, choice = self.chance, self.chance.choice
        found = self.filled(choice(("i4", "<f8", ">f4", "?")), choice(((2,), (2, 2), (0,), ())))
        kind = chance.randrange(5)
        if kind == 0:
            return np.asmatrix(found)
        if kind == 1:
            return np.array([(1, chance.randrange(2))], [("a", "i4"), ("b", "f4")]).view(
                np.recarray
            )
        if kind == 2:
            own = found.view(OwnArray)
            own.unit = choice((None, "m", "s"))
            return own
        masked = np.ma.array(found, mask=choice((np.ma.nomask, False, True)))
        if found.size and chance.random() < 0.5:
            masked = np.ma.array(found, mask=np.arange(found.size).reshape(found.shape) % 2 == 0)
        if found.dtype.kind == "f" and chance.random() < 0.5:
            masked.fill_value = choice((0, 7))
        if chance.random() < 0.3:
            masked.harden_mask()
        return masked

    def sparse(self):
        from scipy import sparse

        choice = self.chance.choice
        dense = np.array(
            [[0, choice((1, 2)), 0], [choice((0, 3)), 0, 0]], choice(("f8", "i4", "f4"))
        )
        layout = choice(("csr", "csc", "coo", "lil", "dok", "dia", "bsr"))
        made = getattr(sparse, f"{layout}_{choice(('array', 'matrix'))}")(dense)
        if layout == "coo" and self.chance.random() < 0.3:
            twice = ([1, 1], ([0, 0], [1, 1]))
            made = type(made)(twice, shape=(2, 3))
        if layout == "csr" and self.chance.random() < 0.3:
            made.data = made.data * choice((0, 1, 2))
        return made

    def index(self, size):
        import pandas as pd

        choice, chance = self.chance.choice, self.chance
        name = choice((None, "a", "b", 1, ("a", 1)))
        numbers = [chance.randrange(3) for _ in range(size)]
        start = choice(("2020-01-01", "2020-01-02"))
        makers = (
            lambda: pd.RangeIndex(size, name=name),
            lambda: pd.RangeIndex(1, size + 1, name=name),
            lambda: pd.Index(np.array(numbers, choice(("i8", "i4", "f8", "u1"))), name=name),
            lambda: pd.Index(
                [choice("abc") for _ in range(size)], dtype=choice(("object", "str")), name=name
            ),
            lambda: pd.Index([self.scalar_plain() for _ in range(size)], dtype=object, name=name),
            lambda: pd.date_range(
                start,
                periods=size,
                freq=choice(("D", "h", "MS")),
                tz=choice((None, "UTC", "Europe/Berlin")),
                name=name,
            ),
            lambda: pd.DatetimeIndex(pd.date_range(start, periods=size), freq=None, name=name),
            lambda: pd.date_range(start, periods=size, unit=choice(("s", "ms", "us", "ns"))),
            lambda: pd.timedelta_range("1h", periods=size, freq=choice(("h", "2h")), name=name),
            lambda: pd.period_range(start, periods=size, freq=choice(("D", "M")), name=name),
            lambda: pd.interval_range(
                0, periods=size, closed=choice(("left", "right", "both")), name=name
            ),
            lambda: pd.CategoricalIndex(
                [choice("ab") for _ in range(size)],
                categories=choice((["a", "b"], ["b", "a"], ["a", "b", "c"])),
                ordered=choice((True, False)),
                name=name,
            ),
            lambda: pd.MultiIndex.from_arrays(
                [numbers, [choice("ab") for _ in range(size)]],
                names=choice(((None, None), ("a", None), ("a", "b"))),
            ),
        )
        return choice(makers)()

    def scalar_plain(self):
        return self.chance.choice((1, 1.0, "1", None, True, b"1", (1,), "a"))

    def column(self, size):
        import pandas as pd

        choice, chance = self.chance.choice, self.chance
        numbers = [chance.randrange(3) for _ in range(size)]
        missing = [choice((0, 1, None)) for _ in range(size)]
        makers = (
            lambda: pd.Series(np.array(numbers, choice(("i8", "i4", "f8", "f4", "?", "u2")))),
            lambda: pd.Series(np.array([choice(FLOATS) for _ in numbers], "f8")),
            lambda: pd.Series(missing, dtype=choice(("Int64", "Int8", "boolean", "Float64"))),
            lambda: pd.Series(
                [choice(("a", "b", None)) for _ in numbers],
                dtype=choice(("string", "object", "str")),
            ),
            lambda: pd.Series([choice("ab") for _ in numbers]).astype("category"),
            lambda: pd.Series(
                pd.arrays.SparseArray(
                    np.array(numbers, "f8"), fill_value=choice((0.0, 1.0, np.nan))
                )
            ),
            lambda: pd.Series([self.scalar_plain() for _ in numbers], dtype=object),
            lambda: pd.Series(self.index(size)),
        )
        return choice(makers)()

    def frame(self):
        import pandas as pd

        choice, chance = self.chance.choice, self.chance
        size = chance.randrange(4)
        kind = chance.randrange(6)
        if kind == 0:
            return self.index(size)
        if kind == 1:
            return choice(
                (
                    pd.Timestamp("2020-01-01", tz=choice((None, "UTC"))),
                    pd.Timestamp("2020-01-01").as_unit(choice(("s", "ns"))),
                    pd.Timedelta(chance.randrange(2), "h"),
                    pd.Period("2020-01", choice(("M", "D"))),
                    pd.Interval(0, 1, choice(("left", "right"))),
                    pd.NaT,
                    pd.NA,
                    pd.CategoricalDtype(["a"], ordered=choice((True, False))),
                    pd.Int64Dtype(),
                )
            )
        if kind == 2:
            made = self.column(size)
            made.index, made.name = self.index(size), choice((None, "a", 0))
        else:
            columns = [self.column(size) for _ in range(chance.randrange(3))]
            made = pd.concat(columns, axis=1) if columns else pd.DataFrame(index=range(size))
            made.columns = choice((list("ab"), ["a", "a"], [0, 1], [("a", 0), ("a", 1)]))[
                : len(columns)
            ]
            made.index = self.index(size)
        if chance.random() < 0.2:
            made.attrs = {"unit": choice(("m", "s"))}
        return made

    def container(self, depth):
        choice, chance = self.chance.choice, self.chance
        count = chance.randrange(4)
        items = [self.value(depth - 1) for _ in range(count)]
        if items and chance.random() < 0.2:
            items.append(items[0])
        keys = [self.hashable() for _ in items]
        pairs = list(zip(keys, items, strict=True))
        makers = (
            *(lambda: items, lambda: tuple(items), lambda: dict(pairs), lambda: set(keys)),
            *(lambda: frozenset(keys), lambda: collections.OrderedDict(pairs)),
            lambda: collections.deque(items, choice((None, 5, 9))),
            lambda: collections.defaultdict(choice((None, int, list)), pairs),
            lambda: collections.Counter({key: chance.randrange(3) for key in keys}),
            lambda: collections.ChainMap(dict(pairs), {"a": 1}),
            lambda: types.MappingProxyType(dict(pairs)),
            lambda: types.SimpleNamespace(**{f"n{i}": item for i, item in enumerate(items)}),
            *(lambda: OwnList(items), lambda: OwnDict(pairs)),
            lambda: choice((Pair, Other, Point, Frozen, Slots))(*(items * 2 + [0, 0])[:2]),
        )
        return choice(makers)()

    def again(self, value):
        """Return the same value, made in another way."""
        if type(value) is np.ndarray and not value.dtype.hasobject:
            return self.arranged(value.copy())
        if type(value) is dict:
            pairs = list(value.items())
            self.chance.shuffle(pairs)
            return {key: self.again(item) for key, item in pairs}
        if type(value) in {list, tuple}:
            return type(value)(self.again(item) for item in value)
        try:
            return copy.deepcopy(value)
        except TypeError:
            return value

    def neighbours(self, value):
        """Return values that are nearly the same."""
        found = [[value], (value,), {"a": value}]
        if type(value) is list:
            found += [tuple(value), value[::-1], [*value, None], value[:-1]]
        if type(value) is np.ndarray and not value.dtype.hasobject:
            found += [value.reshape(-1), value[None], value.T]
            if value.nbytes and value.dtype.names is None:
                plain = np.ascontiguousarray(value)
                raw = plain.reshape(-1).view("u1").copy()
                found += [
                    raw,
                    raw.view("i1"),
                    raw.tobytes(),
                    plain.view(plain.dtype.newbyteorder()),
                ]
                raw[self.chance.randrange(raw.size)] ^= 1 << self.chance.randrange(8)
                found.append(raw)
        return found


# ---------------------------------------------------------------- the oracle


def spell(value, *, exact=False):
    """Return a text that two values have in common only if they are the same."""
    return _Speller(exact).spell(value)


class _Speller:
    def __init__(self, exact):
        self.exact = exact
        self.open = []

    def spell(self, value):
        if any(value is one for one in self.open):
            return f"<up {next(i for i, one in enumerate(reversed(self.open)) if one is value)}>"
        kind = type(value)
        name = f"{kind.__module__}.{kind.__qualname__}"
        if issubclass(kind, pathlib.PurePath) and not self.exact:
            name = "Windows" if isinstance(value, pathlib.PureWindowsPath) else "Posix"
        self.open.append(value)
        try:
            return f"{name}({self.content(value, kind)})"
        finally:
            self.open.pop()

    def all(self, values):
        return ",".join(map(self.spell, values))

    def pairs(self, pairs):
        return ",".join(f"{self.spell(key)}:{self.spell(item)}" for key, item in pairs)

    def content(self, value, kind):
        for rule in (self.of_packages, self.plain, self.arrays, self.containers):
            if (found := rule(value, kind)) is not None:
                return found
        return self.rest(value)

    def plain(self, value, kind):
        if isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType, np.ufunc)):
            return f"{getattr(value, '__module__', '')}.{value.__name__}"
        if callable(value) and hasattr(value, "__name__"):
            return f"{value.__module__}.{value.__name__}"
        if isinstance(value, enum.Enum):
            return repr(value)
        if value is None or value is ... or value is NotImplemented or kind is bool:
            return repr(value)
        if isinstance(value, np.generic):
            return None
        if isinstance(value, int):
            return hex(value)
        if isinstance(value, float):
            return struct.pack(">d", value).hex()
        if isinstance(value, complex):
            return struct.pack(">dd", value.real, value.imag).hex()
        if isinstance(value, str):
            return value.encode("utf-32-be", "surrogatepass").hex()
        if isinstance(value, (bytes, bytearray)):
            return bytes(value).hex()
        if isinstance(value, (dt.datetime, dt.time)):
            return f"{value.replace(tzinfo=None)!r} {value.fold} {self.zone(value.tzinfo)}"
        if isinstance(value, decimal.Decimal):
            return repr(value.as_tuple())
        if isinstance(value, (range, slice)):
            return self.all((value.start, value.stop, value.step))
        if isinstance(value, array.array):
            return f"{value.typecode} {value.tobytes().hex()}"
        if isinstance(value, pathlib.PurePath):
            return str(value)
        if isinstance(value, re.Pattern):
            return f"{value.pattern!r} {value.flags}"
        if isinstance(value, np.dtype):
            return self.dtype(value)
        if isinstance(value, (np.random.Generator, np.random.RandomState)):
            bits = value.bit_generator if hasattr(value, "bit_generator") else value._bit_generator
            return repr(bits.state) + repr(type(bits))
        if isinstance(value, random.Random):
            return repr(value.getstate())
        return None

    def zone(self, zone):
        return f"{type(zone)} {zone!r}"

    def dtype(self, dtype):
        if dtype.names is not None:
            fields = [
                (name, self.dtype(dtype.fields[name][0]), dtype.fields[name][1:])
                for name in dtype.names
            ]
            return f"{dtype.type.__name__} {dtype.itemsize} {fields}"
        if dtype.subdtype is not None:
            return f"{self.dtype(dtype.base)} {dtype.shape}"
        return dtype.str

    def elements(self, found):
        if found.dtype.names is not None:
            return [self.elements(found[name]) for name in found.dtype.names]
        if found.dtype.hasobject:
            return [self.spell(item) for item in found.ravel().tolist()]
        if found.dtype.char in "gG":
            parts = (found.real, found.imag) if found.dtype.char == "G" else (found,)
            # The bytes that hold no part of a number are whatever was there before.
            size = 10 if np.finfo("g").nmant == 63 else found.dtype.itemsize // len(parts)
            return [[item.tobytes()[:size].hex() for item in part.ravel()] for part in parts]
        return found.tobytes().hex()

    def arrays(self, value, kind):
        if isinstance(value, np.ma.MaskedArray):
            parts = (value.mask, value.data, value.hardmask, value.fill_value)
            return self.all(parts)
        if isinstance(value, np.ndarray):
            plain = value.view(np.ndarray)
            text = f"{self.dtype(plain.dtype)} {plain.shape} {self.elements(plain)}"
            text += f" {getattr(value, 'unit', '')}"
            # Columns first stays so; any other order becomes rows first.
            if self.exact and not value.flags.c_contiguous and value.flags.f_contiguous:
                text += " F"
            return text
        if isinstance(value, np.generic):
            plain = np.asarray(value)
            return f"{self.dtype(plain.dtype)} {self.elements(plain)}"
        return None

    def containers(self, value, kind):
        if isinstance(value, collections.deque):
            return f"{value.maxlen} {self.all(value)}"
        if isinstance(value, (list, tuple)):
            return self.all(value)
        if isinstance(value, (set, frozenset)):
            return ",".join(sorted(map(self.spell, value)))
        if isinstance(value, collections.ChainMap):
            return self.all(value.maps)
        if isinstance(value, collections.OrderedDict):
            return self.pairs(value.items())
        if isinstance(value, (dict, types.MappingProxyType)):
            default = self.spell(value.default_factory) if hasattr(value, "default_factory") else ""
            pairs = [f"{self.spell(key)}:{self.spell(item)}" for key, item in value.items()]
            return default + ",".join(pairs if self.exact else sorted(pairs))
        if isinstance(value, (types.SimpleNamespace, Point, Frozen)):
            return self.pairs(sorted(vars(value).items()))
        if isinstance(value, Slots):
            return self.all((value.x, value.y))
        return None

    def of_packages(self, value, kind):
        if kind.__module__.startswith("scipy.sparse"):
            names = ("data", "indices", "indptr", "row", "col", "offsets", "rows")
            parts = [getattr(value, name) for name in names if hasattr(value, name)]
            items = (
                sorted(f"{key}{self.spell(item)}" for key, item in value.items())
                if value.format == "dok"
                else []
            )
            return f"{value.format} {value.shape} {value.dtype.str} {self.all(parts)} {items}"
        if not kind.__module__.startswith("pandas"):
            return None
        import pandas as pd

        if isinstance(value, pd.DataFrame):
            parts = [
                value.columns,
                value.index,
                *(value.iloc[:, i].array for i in range(value.shape[1])),
            ]
            return f"{self.all(parts)} {value.attrs}"
        if isinstance(value, pd.Series):
            return f"{self.spell(value.name)} {self.all((value.index, value.array))} {value.attrs}"
        if isinstance(value, pd.RangeIndex):
            return f"{value.start} {value.stop} {value.step} {self.spell(value.name)}"
        if isinstance(value, pd.MultiIndex):
            return self.all([*value.levels, *map(np.asarray, value.codes), *value.names])
        if isinstance(value, pd.Index):
            return f"{self.all((value.array, *value.names))} {getattr(value, 'freq', None)!r}"
        if isinstance(value, (pd.Timestamp, pd.Timedelta)) and value is not pd.NaT:
            return f"{value!r} {self.spell(value.asm8)}"
        if isinstance(value, pd.api.extensions.ExtensionArray):
            return self.extension(value, pd)
        return None

    def extension(self, value, pd):
        dtype = value.dtype
        text = f"{dtype!r} {getattr(dtype, 'na_value', '')!r}"
        if isinstance(value, pd.arrays.SparseArray):
            positions = value.sp_index.to_int_index().indices
            return f"{text} {self.all((np.asarray(value.sp_values), positions, len(value)))}"
        if isinstance(value, pd.Categorical):
            return f"{self.all((value.categories, np.asarray(value.codes), value.ordered))}"
        if hasattr(value, "asi8"):
            return f"{text} {self.spell(value.asi8)} {getattr(value, 'freq', None)!r}"
        plain = np.asarray(value, object if not isinstance(value.dtype, np.dtype) else None)
        if (
            hasattr(dtype, "numpy_dtype")
            and isinstance(dtype.numpy_dtype, np.dtype)
            and plain.dtype != object
        ):
            return f"{text} {self.spell(plain)}"
        return f"{text} {self.spell(list(value)) if plain.dtype == object else self.spell(plain)}"

    def rest(self, value):
        return repr(value)
