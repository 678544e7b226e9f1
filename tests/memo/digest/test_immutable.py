"""Which values keep their content as long as they live."""

import collections
import datetime as dt
import decimal
import fractions
import functools
import re
import uuid
from pathlib import Path

import numpy as np
import pytest

from neurotools.memo.digest.values import is_immutable
from tests.memo.digest.examples import Box, Colour, Number, Pair, Text, Whole

IMMUTABLE = [
    *(0, 1.5, 1j, "a", b"a", True, None, ..., range(3), re.compile("a"), Path("a")),
    *(decimal.Decimal(1), fractions.Fraction(1), dt.date(2020, 1, 1), uuid.UUID(int=1)),
    *(dt.datetime(2020, 1, 1), dt.timedelta(1), dt.timezone.utc),
    *(dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc), dt.time(1)),
    *(np.dtype("f8"), np.float64(1), Colour.RED, Number.ONE, (), (1, ("a",)), frozenset({1, (2,)})),
]
MUTABLE = [
    *([], {}, set(), bytearray(), (1, []), ((([],),),), Box(), np.zeros(1), len, Pair(1, 2)),
    *(
        frozenset({Box()}),
        Text("a"),
        Whole(1),
        np.zeros(1, "i4,i4")[0],
        np.dtype("i4,i4"),
        object(),
    ),
    *(tuple(range(100_000)), functools.partial(len), collections.deque()),
]


@pytest.mark.parametrize("value", IMMUTABLE, ids=repr)
def test_plain_values_are_immutable(value):
    assert is_immutable(value)


@pytest.mark.parametrize("value", MUTABLE, ids=lambda value: type(value).__name__)
def test_what_can_change_is_not_immutable(value):
    assert not is_immutable(value)


def test_a_time_zone_of_ones_own_may_change():
    class Zone(dt.tzinfo):
        pass

    assert not is_immutable(dt.datetime(2020, 1, 1, tzinfo=Zone()))


def test_immutability_of_what_is_large_or_deep_is_told_quickly():
    shared = nested_tuple = ()
    for _ in range(1000):
        shared, nested_tuple = (shared, shared), (nested_tuple,)
    assert not is_immutable(shared)
    assert not is_immutable((nested_tuple,) * 2)
