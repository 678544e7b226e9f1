"""Digests of values: equal ones share one, different ones never do."""

import collections
import contextlib
import copy
import pathlib
import pickle
import re
import unittest.mock
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurotools.memo.digest.values import digest
from neurotools.memo.errors import UndigestableValue
from tests.memo.digest.examples import (
    DIFFERENT,
    Bag,
    Box,
    Colour,
    Number,
    Pair,
    Point,
    Reducing,
    Row,
    Stateful,
)
from tests.memo.digest.strategies import same
from tests.memo.digest.strategies import values as any_values


def test_different_values_have_different_digests():
    found = collections.defaultdict(list)
    for name, value in DIFFERENT.items():
        found[digest(value)].append(name)
    assert [names for names in found.values() if len(names) > 1] == []


def test_a_digest_is_22_characters_of_urlsafe_base64():
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{22}", digest(value)) for value in DIFFERENT.values())


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_value_has_the_same_digest_twice(name):
    assert digest(DIFFERENT[name]) == digest(DIFFERENT[name])


#: The copy module does not copy these, or makes something else of them.
NOT_COPIED = {
    *("math", "memoryview", "mappingproxy", "marker", "other marker", "marked colour", "property"),
    *("cached_property", "staticmethod", "wrapper", "dict keys", "dict values", "dict items"),
    *("Lying", "Lying 2", "LyingBag", "LyingBag 2", "LyingTable", "np.str_ NUL", "Length"),
    *(f"{kind} with attribute" for kind in ("Tally", "Day", "Amount", "Length", "MyPath")),
}


@pytest.mark.parametrize("name", [name for name in DIFFERENT if name not in NOT_COPIED])
def test_a_copy_has_the_same_digest(name):
    assert digest(copy.deepcopy(DIFFERENT[name])) == digest(DIFFERENT[name])


@given(any_values(), any_values())
def test_two_values_share_a_digest_if_and_only_if_they_are_the_same(one, other):
    assert (digest(one) == digest(other)) == same(one, other)


@given(any_values(), st.randoms(use_true_random=False))
def test_order_of_insertion_and_sharing_do_not_count(value, rng):
    assert digest(shuffled(value, rng)) == digest(value)


def shuffled(value, rng):
    """Return a copy whose dictionaries and sets were filled in another order."""
    if type(value) in {list, tuple}:
        return type(value)(shuffled(item, rng) for item in value)
    if type(value) is dict:
        items = [(key, shuffled(item, rng)) for key, item in value.items()]
        return dict(rng.sample(items, len(items)))
    if type(value) in {set, frozenset}:
        return type(value)(rng.sample(list(value), len(value)))
    return copy.deepcopy(value)


@given(st.lists(any_values(), max_size=3), st.lists(any_values(), max_size=3))
def test_where_one_part_ends_and_the_next_begins_counts(ones, others):
    assert (digest([ones, others]) == digest([ones + others, []])) == (not others)


def test_keys_that_are_not_equal_but_the_same_have_no_order():
    one, other = float("nan"), float("nan")
    assert digest({one: 1, other: 2}) == digest({one: 2, other: 1})
    assert digest({one: [1], 3: 3, other: 2}) == digest({other: [1], one: 2, 3: 3})


def test_equal_state_that_was_set_in_another_order_is_the_same():
    assert digest(Box(a=1, b=2)) == digest(Box(b=2, a=1))


def test_what_an_object_leaves_out_of_pickle_does_not_count():
    assert digest(Reducing(1, cache=2)) == digest(Reducing(1))
    assert digest(Stateful(1, cache=2)) == digest(Stateful(1))


def test_a_path_that_can_be_opened_equals_a_pure_one():
    assert digest(pathlib.PosixPath("a")) == digest(pathlib.PurePosixPath("a"))


def test_pickled_objects_come_back_the_same():
    found = [Box(a=[1]), Pair(1, 2), Point(1.0), Colour.RED, Number.ONE, Row([1]), Bag("ab")]
    assert digest(pickle.loads(pickle.dumps(found))) == digest(found)


def test_a_mock_is_digested_or_refused_but_ends():
    with contextlib.suppress(UndigestableValue):
        digest(unittest.mock.MagicMock(return_value=1))


def test_no_warning_is_given_for_any_of_these_values():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for value in DIFFERENT.values():
            digest(value)
