"""The documented checks of what a function depends on."""

from __future__ import annotations

import sys

import pytest

from neurotools.jobs.closure import get_subroutines, verify_function_closure
from neurotools.memo.errors import UnsafeBinding

RATE = 2
TABLE = {"a": [1, 2]}
STREAM = (i for i in range(3))
OTHER = iter([1])


class Model:
    def run(self):
        return helper(1)


def helper(x):
    return x * RATE


def follows(x):
    return helper(x) + TABLE["a"][0]


def calls_itself(x):
    return 1 if x < 1 else calls_itself(x - 1)


def uses_a_class(x):
    return Model().run()


def reads_a_stream(x):
    return next(STREAM)


def reads_two(x):
    return next(STREAM), next(OTHER)


def through_a_helper(x):
    return reads_a_stream(x)


def test_what_can_be_followed_is_fine():
    assert verify_function_closure(follows) is True


def test_a_closure_over_a_value_is_fine():
    def make(n):
        return lambda x: x + n

    assert verify_function_closure(make(1)) is True


@pytest.mark.parametrize("function", [reads_a_stream, through_a_helper])
def test_what_cannot_be_followed_is_named(function):
    with pytest.raises(UnsafeBinding, match=r"test_closure\.STREAM.*used up by reading"):
        verify_function_closure(function)


def test_a_closure_over_a_stream_is_named():
    def make(stream):
        return lambda x: next(stream)

    with pytest.raises(UnsafeBinding, match=r"\^stream"):
        verify_function_closure(make(iter([1])))


@pytest.mark.skipif(sys.version_info < (3, 11), reason="notes are of Python 3.11")
def test_the_others_are_in_the_notes():
    with pytest.raises(UnsafeBinding) as caught:
        verify_function_closure(reads_two)
    (note,) = caught.value.__notes__
    assert {"OTHER", "STREAM"} == {
        text.partition("test_closure.")[2].partition(",")[0] for text in (str(caught.value), note)
    }


def test_a_function_can_be_checked_again():
    for _ in range(2):
        with pytest.raises(UnsafeBinding):
            verify_function_closure(reads_two)


def test_subroutines_are_listed():
    assert get_subroutines(follows) == (helper,)


def test_subroutines_at_depth_are_listed():
    assert set(get_subroutines(uses_a_class)) == {Model, Model.run, helper}


def test_a_function_is_not_its_own_subroutine():
    assert get_subroutines(calls_itself) == ()


def test_libraries_are_no_subroutines():
    assert get_subroutines(lambda x: sorted(map(str, pytest.raises))) == ()
