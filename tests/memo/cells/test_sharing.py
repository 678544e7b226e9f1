"""Values with changeable parts in common."""

import sys

import numpy as np
import pandas as pd
import pytest

from neurotools.memo.cells.sharing import shared


class Thing:
    def __init__(self, held):
        self.held = held


LIST, ARRAY = [1, 2], np.arange(10.0)
FRAME = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (LIST, LIST),
        ({"k": (LIST,)}, LIST),
        (Thing(LIST), [LIST]),
        (ARRAY[2:4], ARRAY),
        (ARRAY[::-2], {"x": ARRAY}),
        (ARRAY.reshape(2, 5).T, ARRAY[:1]),
        (np.array([LIST, None], dtype=object), LIST),
        (FRAME, FRAME),
        (bytearray(b"x"), None),
    ],
)
def test_what_is_shared_is_found(given, taken):
    taken = given if taken is None else taken
    assert shared({"out": given}, {"in": taken}) == ("out", "in")


def _still(array):
    array = array.copy()
    array.flags.writeable = False
    return array


STILL = _still(ARRAY)


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ([1, 2], [1, 2]),
        (ARRAY[:5], ARRAY[5:]),
        (ARRAY.copy(), ARRAY),
        (STILL[1:], STILL),
        ((1, "x", frozenset([2])), (1, "x")),
        (sys, sys),
        (len, {"f": len}),
        (Thing, Thing(LIST)),
        (FRAME.columns, FRAME),
        (FRAME.dtypes.iloc[0], FRAME),
    ],
)
def test_what_is_not_shared_or_cannot_change_is_well(given, taken):
    assert shared({"out": given}, {"in": taken}) is None


@pytest.mark.skipif(int(pd.__version__.split(".")[0]) < 3, reason="pandas copies on write since 3")
def test_tables_that_copy_on_write_share_nothing_that_shows():
    assert shared({"out": FRAME[["a"]]}, {"in": FRAME}) is None


def test_tables_that_have_memory_of_their_own_share_nothing():
    large = FRAME.query("a > 1")
    assert shared({"out": large, "mean": FRAME.groupby("b").mean()}, {"in": FRAME}) is None


def test_two_outputs_may_hold_one_object_but_not_two_views_of_one_array():
    assert shared({"a": LIST, "b": [LIST]}, {}) is None
    assert set(shared({"a": ARRAY, "b": ARRAY[1:]}, {})) == {"a", "b"}


def test_a_circle_has_an_end():
    circle = []
    circle.append(circle)
    assert shared({"out": circle}, {"in": [1]}) is None
