import datetime as dt
import sys

import numpy as np
import pytest

from neurotools.memo.tiers.template import MOST_PARTS, NoTemplate, Template
from tests.memo.formats.promises import is_same as same

CONSTANTS = [
    *(None, True, 5, -0.0, 1j, "text", b"bytes", ..., (), (1, ("a", 2.5))),
    *(np.float32(1.5), np.str_("a"), np.datetime64("2020-01-01"), np.bool_(True)),
]
FRESH = [
    np.arange(10),
    np.asfortranarray(np.ones((3, 4))),
    np.array(5.0),
    np.zeros((0, 3)),
    np.arange(6, dtype=">i4").reshape(2, 3),
    [],
    [1, 2, 3],
    {"a": 1, (1, "b"): [2.0]},
    {1, 2, 3},
    (1, [2, 3]),
    {"x": np.arange(3), "y": [np.ones(2), {"z": (np.zeros(1), 5)}]},
]


@pytest.mark.parametrize("value", CONSTANTS, ids=repr)
def test_what_cannot_change_is_given_as_it_is(value):
    assert Template(value).make(None) is value


@pytest.mark.parametrize("value", FRESH, ids=repr)
def test_what_can_change_is_made_anew_each_time(value):
    make = Template(value).make
    first, second = make(None), make(None)
    assert same(first, value)
    assert same(second, value)
    assert first is not second


def test_no_part_that_can_change_is_shared():
    value = {"a": [np.arange(3), {"b": [1]}], "c": (np.zeros(2), {4})}
    make = Template(value).make
    spoilt = make(None)
    spoilt["a"][0][:] = -1
    spoilt["a"][1]["b"].append(2)
    spoilt["c"][0][:] = -1
    spoilt["c"][1].add(5)
    assert same(make(None), {"a": [np.arange(3), {"b": [1]}], "c": (np.zeros(2), {4})})


def once_more(part):
    return [part, part]


def holding_itself():
    value = []
    value.append(value)
    return value


def read_only():
    array = np.arange(3)
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "value",
    [
        once_more([]),
        once_more(np.zeros(2)),
        once_more(([],)),
        holding_itself(),
        read_only(),
        np.zeros(2, [("a", "f8")]),
        np.array([None, 1]),
        np.zeros(2, [("a", "f8")])[0],
        np.ma.zeros(3),
        np.zeros(2).view(np.recarray),
        dt.date(2020, 1, 1),
        frozenset([1]),
        bytearray(b"x"),
        type("Own", (list,), {})(),
        [[] for _ in range(MOST_PARTS + 1)],
    ],
    ids=lambda value: f"{type(value).__name__} {value!r:.20}",
)
def test_for_others_there_is_none(value):
    with pytest.raises(NoTemplate):
        Template(value)


def test_arrays_in_the_memory_are_placed_in_the_buffer_given():
    memory = np.arange(100, dtype=np.float64)
    value = [memory[10:20].reshape(2, 5), memory[20:26].reshape(3, 2).T, np.arange(3)]
    extent = memory.__array_interface__["data"][0], memory.nbytes
    template = Template(value, extent)
    buffer = bytearray(memory.tobytes())
    made = template.make(buffer)
    assert same(made, value)
    made[0][0, 0] = -5
    assert np.frombuffer(buffer)[10] == -5
    assert value[2].nbytes <= template.size < value[2].nbytes + 1000


def test_a_template_says_what_it_holds():
    words = [f"word {number}" for number in range(1000)]
    assert Template(words).size >= sum(map(sys.getsizeof, words))
    assert Template(np.arange(1000)).size >= 8000
