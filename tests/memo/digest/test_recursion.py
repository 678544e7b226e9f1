"""Digests of values that are deep, widely shared, or contain themselves."""

import copy
import pickle
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurotools.memo.digest.values import digest
from neurotools.memo.errors import UndigestableValue
from tests.memo.digest.examples import Box, nested


@st.composite
def graphs(draw):
    """Return a list from which others are reached, that may refer to each other in any way."""
    count = draw(st.integers(1, 5))
    nodes = [[] for _ in range(count)]
    for node in nodes:
        node.extend(draw(st.lists(st.sampled_from([*nodes, 0, 1, "a"]), max_size=3)))
    return nodes[0]


def unfolded(value, depth):
    if not isinstance(value, list):
        return value
    return [unfolded(item, depth - 1) for item in value] if depth else "..."


@given(graphs())
def test_a_copy_of_what_contains_itself_has_the_same_digest(graph):
    assert digest(copy.deepcopy(graph)) == digest(graph)


@given(graphs(), graphs())
def test_what_contains_itself_in_another_way_has_another_digest(one, other):
    if unfolded(one, 6) != unfolded(other, 6):
        assert digest(one) != digest(other)


@given(graphs())
def test_where_a_value_stands_does_not_change_what_is_said_of_it(graph):
    twice, once = [copy.deepcopy(graph), [copy.deepcopy(graph)]], [graph, [graph]]
    if all(node is not graph for node in graph):
        assert digest(twice) == digest(once)


@pytest.mark.parametrize("more", [lambda node: [], lambda node: [node], lambda node: [[node], 1]])
def test_what_a_part_refers_back_to_counts_where_it_is_met_again(more):
    """Twice the same node, which refers to the root; or another one, which refers to its list."""

    def node(parent):
        found = [*range(20)]  # so long that it is not written again
        found += [parent, more(found)]
        return found

    one, other, inner = [], [], []
    one += [node(one)] * 2
    one[1] = [one[0]]
    inner += [node(inner)]
    other += [node(other), inner]
    assert digest(one) != digest(other)


def test_parts_apart_or_shared_count_the_same_outside_of_a_loop():
    loop, twin, leaf = [], [], [[1, 2]]
    loop += [loop, leaf, [leaf, leaf]]
    twin += [twin, [[1, 2]], [[[1, 2]], [[1, 2]]]]
    assert digest([loop, [loop, leaf]]) == digest([twin, [copy.deepcopy(twin), [[1, 2]]]])


def test_deeply_shared_parts_are_looked_at_once():
    value = []
    for _ in range(100):
        value = [value, value]
    assert digest(value) == digest(copy.deepcopy(value))


@pytest.mark.parametrize("make", [lambda v: Box(a=v, b=v), lambda v: {"a": v, "b": (v, v)}])
def test_deeply_shared_objects_are_looked_at_once(make):
    value = 0
    for _ in range(60):
        value = make(value)
    assert digest(value)


def test_parts_that_all_refer_to_each_other_are_looked_at_once():
    nodes = [[] for _ in range(100)]
    for node in nodes:
        node.extend(nodes)
    assert digest(nodes) == digest(copy.deepcopy(nodes))


def test_objects_that_refer_to_each_other_are_digested():
    parent = Box(name="parent", children=[])
    parent.children.extend(Box(name=name, parent=parent) for name in "abc")
    assert digest(parent) == digest(pickle.loads(pickle.dumps(parent)))
    parent.children[2].name = "d"
    assert digest(parent) != digest(Box(name="parent", children=parent.children))


@pytest.mark.parametrize("levels", [10_000, 100_000])
def test_what_is_nested_too_deeply_is_refused(levels):
    value = nested(levels)
    with pytest.raises(UndigestableValue, match="nested too deeply"):
        digest(value)
    while value:  # taken apart from outside: the interpreter would do it recursively
        value = value[0]


def test_objects_nested_too_deeply_are_refused():
    value = None
    for _ in range(10_000):
        value = Box(next=value)
    with pytest.raises(UndigestableValue, match="nested too deeply"):
        digest(value)


def test_the_depth_does_not_hang_on_the_recursion_limit():
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000_000)
    try:
        with pytest.raises(UndigestableValue, match="nested too deeply"):
            digest(nested(50_000))
    finally:
        sys.setrecursionlimit(limit)


def test_a_hundred_levels_are_digested():
    assert digest(nested(100)) != digest(nested(101))
