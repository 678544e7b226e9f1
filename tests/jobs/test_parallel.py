"""Many calls of any function."""

import os
import threading

import numpy as np
import pytest

from neurotools.jobs import parallel
from neurotools.jobs.cache import disk_cacher
from neurotools.memo.errors import CannotTravel, NotCalls, UnknownChoice, UnsupportedFunction

pytest.importorskip("loky")


def power(x, exponent=2, *, data=None):
    if x < 0:
        raise ValueError(f"{x} is negative")
    return x**exponent + (0 if data is None else data.sum())


@pytest.mark.parametrize("executor", [None, 2], ids=["here", "processes"])
def test_results_come_in_order(executor):
    data = np.ones(100_000)
    assert parallel.map(power, range(4), executor=executor) == [0, 1, 4, 9]
    assert parallel.map(power, [2, 3], [3, 1], data=data, executor=executor) == [100_008, 100_003]
    items = [(2, 3), {"x": 3}, parallel.call(4, exponent=1)]
    assert parallel.starmap(power, items, executor=executor) == [8, 9, 4]


def test_each_call_is_made_and_none_is_kept():
    made = []
    parallel.map(made.append, [1, 1, 2])
    parallel.map(made.append, [1])
    assert made == [1, 1, 2, 1]


def test_processes_do_the_work():
    assert os.getpid() not in parallel.starmap(os.getpid, [(), ()], executor=1)


@pytest.mark.parametrize("executor", [None, 1], ids=["here", "processes"])
def test_errors_are_raised_or_collected(executor):
    with pytest.raises(ValueError, match="-1 is negative"):
        parallel.map(power, [1, -1, 2], executor=executor)
    results = parallel.map(power, [1, -1, 2], executor=executor, on_error="collect")
    assert (results[0], str(results[1]), results[2]) == (1, "-1 is negative", 4)


def test_what_cannot_travel_is_named():
    with pytest.raises(CannotTravel, match=r"calls\[1\] of 2, type\(<lock>\): a call"):
        parallel.map(type, [1, threading.Lock()], executor=1)


def test_remembered_functions_use_their_own(tmp_path):
    made = []
    double = disk_cacher(tmp_path, allow_mutable_bindings=True)(lambda x: made.append(x) or 2 * x)
    assert parallel.map(double, [1, 2, 1]) == [2, 4, 2]
    assert parallel.starmap(double, [(1,), {"x": 3}]) == [2, 6]
    assert made == [1, 2, 3]


def test_what_makes_no_sense_is_refused():
    async def waits(x):
        return x

    with pytest.raises(NotCalls):
        parallel.map(power, "abc")
    with pytest.raises(UnknownChoice):
        parallel.map(power, [1], on_error="skip")
    with pytest.raises(UnsupportedFunction, match="gather"):
        parallel.map(waits, [1])
