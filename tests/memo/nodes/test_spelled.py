"""Inputs and outputs as JSON: exact, and movable."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurotools.memo.nodes.spelled import Speller, read

FOLDER = os.path.abspath(os.path.join(os.sep, "cache", "node"))

plain = st.none() | st.booleans() | st.integers() | st.text() | st.floats() | st.binary()
values = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text() | st.integers() | st.booleans(), inner, max_size=3)
    ),
    max_leaves=10,
)


def through(value, folder=FOLDER, inputs=(), at=None, given=None):
    speller = Speller(folder, inputs)
    tree = json.loads(json.dumps(speller.spell(value), allow_nan=False))
    return read(tree, at or folder, given or inputs, speller.kept)


@given(values)
def test_every_value_comes_back_as_it_was(value):
    assert repr(through(value)) == repr(value)


def test_a_huge_integer_comes_back():
    assert through([10**5000])[0] == 10**5000


def test_paths_in_the_folder_move_with_it():
    value = [FOLDER, os.path.join(FOLDER, "a", "b.nii"), Path(FOLDER, "c"), FOLDER + "2"]
    new = os.path.abspath(os.path.join(os.sep, "new"))
    found = through(value, at=new)
    assert found == [new, os.path.join(new, "a", "b.nii"), Path(new, "c"), FOLDER + "2"]


def test_an_input_is_that_of_the_call():
    one, two = (os.path.abspath(os.path.join(os.sep, name, "a.nii")) for name in ("one", "two"))
    assert through([one], inputs=[one], given=[two]) == [two]


def test_files_elsewhere_are_noted(tmp_path):
    path = tmp_path / "out.nii"
    path.write_text("")
    speller = Speller(FOLDER, ())
    speller.spell([str(path), str(tmp_path), "relative"])
    assert speller.files == [str(path)]


@pytest.mark.parametrize(
    "tree", [{}, {"file": 1}, {"input": 5}, {"kept": "x"}, {"tuple": 3}, {"a": 1, "b": 2}, {"x": 1}]
)
def test_what_spells_nothing_is_told(tree):
    with pytest.raises(ValueError, match="spells no value"):
        read(tree, FOLDER, (), ())
