import functools
import os
import sys

import numpy as np
import pytest

from neurotools.memo.entry import Blob
from neurotools.memo.tiers import pages as module
from neurotools.memo.tiers.pages import Arrays, Pages

pytestmark = pytest.mark.skipif(
    not hasattr(os, "memfd_create"), reason="files in memory are Linux's"
)

CONTENT = np.arange(100_000, dtype=np.int64)


@pytest.fixture
def pages():
    return Pages(Blob((CONTENT[:10].tobytes(), CONTENT[10:].tobytes()), CONTENT.nbytes))


def copied(pages):
    return np.frombuffer(pages.copy(), np.int64)


def taken(pages):
    return arrays_of(pages).make()


@functools.lru_cache(maxsize=1)
def arrays_of(pages):
    return Arrays(pages, CONTENT.shape, "<i8", 0)


@pytest.fixture(autouse=True)
def forgotten():
    yield
    arrays_of.cache_clear()


@pytest.mark.parametrize("make", [copied, taken])
def test_a_copy_has_the_bytes_and_changes_alone(pages, make):
    first, second = make(pages), make(pages)
    first[:] = -1
    assert (second == CONTENT).all()
    assert (make(pages) == CONTENT).all()
    assert (first == -1).all()


def test_a_copy_that_was_written_to_is_as_new_when_it_is_given_again(pages):
    array = taken(pages)
    address = array.__array_interface__["data"][0]
    array[:] = -1
    del array
    again = taken(pages)
    assert again.__array_interface__["data"][0] == address
    assert (again == CONTENT).all()


@pytest.mark.parametrize(
    "holder",
    [
        lambda array: array[5:],
        lambda array: memoryview(array)[5:],
        lambda array: array.view(np.uint8).reshape(-1, 8)[::2],
        lambda array: np.asarray(array.base),
    ],
    ids=["view", "buffer", "view of a view", "owner"],
)
def test_what_still_sees_a_copy_keeps_it_from_others(pages, holder):
    array = taken(pages)
    array[:] = -1
    held = holder(array)
    del array
    others = [taken(pages) for _ in range(3)]
    assert all((other == CONTENT).all() for other in others)
    for other in others:
        other[:] = 7
    assert np.asarray(held).flat[0] != 7


def test_a_copy_outlives_its_pages(pages):
    array, mapping = taken(pages), copied(pages)
    del pages
    assert (array == CONTENT).all()
    assert (mapping == CONTENT).all()


def test_nobody_can_write_to_the_pages_themselves(pages):
    with pytest.raises(PermissionError):
        os.write(pages._descriptor, b"x")


def test_descriptors_are_given_back(pages):
    before = len(module._IN_USE)
    held = [taken(pages) for _ in range(5)] + [copied(pages) for _ in range(5)]
    more = Pages(Blob((b"x" * 10,), 10))
    del held, more
    assert len(module._IN_USE) <= before + module._MOST_SPARE


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="mappings hold no descriptors")
def test_copies_are_refused_before_descriptors_run_out(pages, monkeypatch):
    most = len(module._IN_USE) + 1
    monkeypatch.setattr(module, "_most", lambda: most)
    held = pages.copy()
    with pytest.raises(OSError, match="descriptors are in use"):
        pages.copy()
    with pytest.raises(OSError, match="descriptors are in use"):
        Pages(Blob((b"x",), 1))
    del held
    assert (copied(pages) == CONTENT).all()


@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_forked_child_spoils_nothing(pages):
    array = taken(pages)
    child = os.fork()
    if not child:
        array[:] = -1
        del array
        os._exit(0 if (taken(pages) == CONTENT).all() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert (array == CONTENT).all()
    assert (taken(pages) == CONTENT).all()
