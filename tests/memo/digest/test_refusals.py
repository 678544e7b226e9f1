"""What has no content of its own is refused, and the error says where it is."""

import collections
import concurrent.futures
import csv
import ctypes
import functools
import itertools
import logging
import mmap
import os
import queue
import random
import socket
import sqlite3
import sys
import threading
import types
import weakref
from pathlib import Path

import numpy as np
import pytest

from neurotools.memo.digest import values
from neurotools.memo.digest.values import digest
from neurotools.memo.errors import UndigestableValue
from tests.memo.digest.examples import MISSING, Box, Row, Slots, Table, _lowercase_marker, nested


def test_a_member_of_a_set_that_refers_back_to_it_is_refused():
    box = Box()
    box.group = {box}
    with pytest.raises(UndigestableValue, match="refers back"):
        digest(box)


async def _coroutine():
    pass


_box = Box()

#: Each makes something that is not data.
LIVE = {
    "file": Path(os.devnull).open,
    "binary file": functools.partial(open, os.devnull, "rb"),
    "socket": socket.socket,
    "lock": threading.Lock,
    "reentrant lock": threading.RLock,
    "condition": threading.Condition,
    "event": threading.Event,
    "queue": queue.Queue,
    "thread": threading.Thread,
    "executor": concurrent.futures.ThreadPoolExecutor,
    "database": lambda: sqlite3.connect(":memory:"),
    "generator": lambda: (x for x in ()),
    "coroutine": _coroutine,
    "iterator": lambda: iter([1]),
    "iterator of a dict": lambda: iter({}),
    "iterator of a tuple": lambda: iter(()),
    "iterator of a string": lambda: iter("a"),
    "iterator of a deque": lambda: iter(collections.deque()),
    "zip": lambda: zip([1], strict=True),
    "map": lambda: map(len, []),
    "filter": lambda: filter(len, []),
    "enumerate": lambda: enumerate([]),
    "reversed": lambda: reversed([1]),
    "count": itertools.count,
    "chain": itertools.chain,
    "csv reader": lambda: csv.reader([]),
    "weak reference": lambda: weakref.ref(Box),
    "weak proxy": lambda: weakref.proxy(_box),
    "weak dictionary": lambda: weakref.WeakValueDictionary({1: _box}),
    "pointer": lambda: ctypes.pointer(ctypes.c_int(1)),
    "void pointer": lambda: ctypes.c_void_p(1),
    "library": lambda: ctypes.CDLL(None) if os.name == "posix" else ctypes.c_void_p(1),
    "frame": sys._getframe,
    "code": lambda: _coroutine.__code__,
    "ufunc of a function": lambda: np.frompyfunc(len, 1, 1),
    "nditer": lambda: np.nditer(np.arange(3)),
    "flat iterator": lambda: np.arange(3).flat,
    "memory map": lambda: mmap.mmap(-1, 10),
    "logging handler": logging.StreamHandler,
    "system random": random.SystemRandom,
}


@pytest.mark.parametrize("make", LIVE.values(), ids=LIVE.keys())
def test_what_has_no_content_of_its_own_is_refused(make):
    value = make()
    with pytest.raises(UndigestableValue):
        digest(value)
    close = getattr(value, "close", None) or getattr(value, "shutdown", None)
    if close is not None:
        close()


@pytest.mark.parametrize(
    ("make", "where"),
    [
        (lambda lock: {"lock": lock}, r"['lock']"),
        (lambda lock: [0, lock], "[1]"),
        (lambda lock: (0, [lock]), "[1][0]"),
        (lambda lock: Box(handle=lock), ".handle"),
        (lambda lock: Slots(a=lock), ".a"),
        (lambda lock: [{"a": Box(b=(1, lock))}], "[0]['a'].b[1]"),
        (lambda lock: {1: lock, "a": 2}, "[1]"),
        (lambda lock: {(1, 2): lock}, "[<tuple>]"),
        (lambda lock: {lock: 1}, "{<_thread.lock>}"),
        (lambda lock: {lock}, "{<_thread.lock>}"),
        (lambda lock: collections.OrderedDict(a=lock), "['a']"),
        (lambda lock: functools.partial(len, lock), ".args[0]"),
        (lambda lock: functools.partial(len, a=lock), ".keywords['a']"),
        (lambda lock: Box(a=lock).method, ".__self__.a"),
        (lambda lock: np.array([0, lock], object), "[1]"),
        (lambda lock: Row([lock]), "[0]"),
        (lambda lock: Table(a=lock), "['a']"),
        (lambda lock: types.SimpleNamespace(a=lock), ".a"),
        (lambda lock: {10**5000: lock}, "[<int>]"),
    ],
)
def test_an_error_says_which_part_is_at_fault(make, where):
    with pytest.raises(UndigestableValue) as caught:
        digest(make(threading.Lock()))
    assert caught.value.where == where
    assert caught.value.kind == "_thread.lock"


def test_an_error_far_inside_stays_readable():
    with pytest.raises(UndigestableValue) as caught:
        digest({"outermost": nested(100, [threading.Lock()])})
    assert len(caught.value.where) <= 200
    assert caught.value.where.startswith("['outermost'][0]")


def test_an_object_that_fails_when_asked_is_refused():
    class Failing:
        def __reduce_ex__(self, protocol):
            raise RuntimeError("not now")

    with pytest.raises(UndigestableValue, match="not now"):
        digest([Failing()])


@pytest.mark.parametrize("answer", [(), 1, (len,), (len, 1), (len, (), None, 1)], ids=repr)
def test_an_object_that_answers_nonsense_is_refused(answer):
    class Odd:
        def __reduce_ex__(self, protocol):
            return answer

    with pytest.raises(UndigestableValue, match="Odd"):
        digest(Odd())


def test_a_bare_object_is_refused_unless_a_module_names_it():
    with pytest.raises(UndigestableValue, match="equal to itself only"):
        digest(object())
    assert digest(MISSING) != digest(_lowercase_marker)


def test_a_variable_that_held_another_object_names_none(monkeypatch):
    monkeypatch.setattr(values, "current", object(), raising=False)
    digest(values.current)
    monkeypatch.setattr(values, "current", object())
    with pytest.raises(UndigestableValue, match="equal to itself only"):
        digest(values.current)
