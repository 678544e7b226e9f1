import datetime as dt
import math
from collections import OrderedDict, namedtuple
from dataclasses import dataclass

import numpy as np
import pytest

from neurotools.memo.upkeep.agreement import Tolerance, checked_tolerance, difference

Pair = namedtuple("Pair", "a b")


@dataclass
class Fit:
    slope: float
    residuals: np.ndarray


class Odd:
    def __reduce_ex__(self, protocol):
        raise RuntimeError("no")


NAN, OTHER_NAN = np.array([0x7FF8000000000000, 0xFFF8000000000001], "u8").view("f8")

SAME = [
    (1, 1),
    (10**30, 10**30),
    (math.nan, math.nan),
    (NAN, OTHER_NAN),
    (np.array([NAN, 1.0]), np.array([OTHER_NAN, 1.0])),
    (np.array([[1, 2]]), np.asfortranarray([[1, 2]])),
    ({"a": 1, "b": [2.0]}, {"b": [2.0], "a": 1}),
    (Fit(1.0, np.arange(3.0)), Fit(1.0, np.arange(3.0))),
    (Fit(math.nan, np.array([NAN])), Fit(math.nan, np.array([OTHER_NAN]))),
    (Pair(1, np.ones(2)), Pair(1, np.ones(2))),
    (np.array(["NaT", "2020"], "M8[s]"), np.array(["NaT", "2020"], "M8[s]")),
    ({1, 2}, {2, 1}),
    (np.array([{"a": 1}, None]), np.array([{"a": 1}, None])),
    (len, len),
    (np.float32, np.float32),
    (None, None),
]

OTHER = [
    (1, 1.0, "int before, float now"),
    (1, True, "int before, bool now"),
    (1.0, np.float64(1.0), "numpy.float64 now"),
    (0.0, -0.0, "0.0 before, -0.0 now"),
    (1 + 0j, complex(1, -0.0), "before"),
    (10**30, 10**30 + 1, "before"),
    ([1], (1,), "list before, tuple now"),
    ([1, 2], [1], "length 2 before, 1 now"),
    ({"a": 1}, {"b": 1}, "key 'a' is gone"),
    ({}, {"b": 1}, "key 'b' is new"),
    ({1: 0}, {True: 0}, "key 1 is gone"),
    (OrderedDict(a=1, b=2), OrderedDict(b=2, a=1), "another order"),
    (np.zeros(2), np.zeros(2, "f4"), "dtype float64 before, float32 now"),
    (np.zeros(2, ">f8"), np.zeros(2, "<f8"), "dtype"),
    (np.zeros(2), np.zeros((2, 1)), "shape (2,) before, (2, 1) now"),
    (np.array([0.0]), np.array([-0.0]), "1 of 1 elements"),
    (np.array(["a", "b"]), np.array(["a", "c"]), "[1] 'b' before, 'c' now"),
    (np.array([True]), np.array([False]), "elements differ"),
    (np.array(["2020"], "M8[s]"), np.array(["NaT"], "M8[s]"), "elements differ"),
    (np.array([b"ab"], "V2"), np.array([b"ac"], "V2"), "elements differ"),
    (np.array([(1, 2.0)], "i4,f8"), np.array([(1, 3.0)], "i4,f8"), "['f1']: 1 of 1"),
    (np.array([{"a": 1}]), np.array([{"a": 2}]), "[0]['a']: 1 before, 2 now"),
    (Fit(1.0, np.ones(2)), Fit(2.0, np.ones(2)), "1.0 before, 2.0 now"),
    (Pair(1, 2), Pair(1, 3), "2 before, 3 now"),
    (dt.date(2020, 1, 1), dt.date(2020, 1, 2), "before"),
    ({1, 2}, {1, 3}, "before"),
    (len, max, "before"),
    (np.ma.array([1.0, 2.0], mask=[0, 1]), np.ma.array([1.0, 2.0]), "before"),
    (Odd(), Odd(), "cannot be compared"),
    ("a" * 500, "b", "… before"),
]


@pytest.mark.parametrize(("old", "new"), SAME)
def test_what_is_the_same(old, new):
    assert difference(old, new) is None


@pytest.mark.parametrize(("old", "new", "told"), OTHER)
def test_what_differs_is_told(old, new, told):
    assert told in str(difference(old, new))


def test_the_largest_difference_is_shown():
    new = np.arange(6.0).reshape(2, 3)
    new[1, 1] += 0.5
    new[0, 0] = 1e-9
    found = difference({"m": [np.arange(6.0).reshape(2, 3)]}, {"m": [new]})
    assert found.where == "['m'][0]"
    assert found.what == "2 of 6 elements differ; at [1, 1] 4.0 before, 4.5 now"
    assert (found.absolute, found.relative) == (0.5, math.inf)
    assert found.as_dict()["relative"] is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (1.0, 1.0 + 1e-7),
        (
            np.array([1.0, math.inf, -math.inf, 0.0]),
            np.array([1 + 1e-7, math.inf, -math.inf, -0.0]),
        ),
        (np.float32(1), np.float32(1.0000001)),
        ({"a": [1j]}, {"a": [1j + 1e-9]}),
        (Fit(1.0, np.ones(2)), Fit(1.0 + 1e-8, np.ones(2) - 1e-8)),
        (np.array([(1, 2.0)], "i4,f8"), np.array([(1, 2.0000001)], "i4,f8")),
        (np.ma.array([1.0, 2.0], mask=[0, 1]), np.ma.array([1 + 1e-9, 2.0], mask=[0, 1])),
    ],
)
def test_numbers_may_be_apart_by_a_tolerance(old, new):
    assert difference(old, new) is not None
    assert difference(old, new, Tolerance(rtol=1e-6)) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (1.0, 1.1),
        (1.0, math.nan),
        (1.0, math.inf),
        (math.inf, -math.inf),
        (1.0, 1),
        (np.ones(1), np.ones(1, "f4")),
        ("a", "b"),
        (True, False),
    ],
)
def test_a_tolerance_excuses_nothing_else(old, new):
    assert difference(old, new, Tolerance(rtol=1e-6, atol=1e-6)) is not None


def test_frames_are_compared_number_by_number():
    pd = pytest.importorskip("pandas")
    old = pd.DataFrame({"a": [1.0, math.nan], "b": ["x", "y"]})
    assert difference(old, old.copy()) is None
    near = old.assign(a=[1.0 + 1e-9, math.nan])
    assert difference(old, near) is not None
    assert difference(old, near, Tolerance(rtol=1e-6)) is None
    assert difference(old, old.assign(b=["x", "z"]), Tolerance(rtol=1e-6)) is not None


def test_what_holds_itself_does_not_hang():
    old, new = [], []
    old.append(old), new.append(new)
    assert "too deeply" in str(difference(old, new))


@pytest.mark.parametrize("wrong", [-1, math.nan, math.inf, "1e-3", None, True])
def test_what_is_no_tolerance_is_refused(wrong):
    with pytest.raises(ValueError, match="rtol"):
        checked_tolerance(wrong, 0)
    with pytest.raises(ValueError, match="atol"):
        checked_tolerance(0, wrong)
