"""The benchmark of layers: that it times what it says, in turns."""

import pytest

from benchmarks import layers


def test_who_begins_changes_from_round_to_round(tmp_path):
    asked = []
    row = layers.Row("", lambda library, folder: lambda: asked.append(library), is_first=True)
    found = list(layers.turns(row, ["ours", "theirs"], 3, tmp_path))
    assert asked == ["ours", "theirs", "theirs", "ours", "ours", "theirs"]
    assert [len(pair) for pair in found] == [2, 2, 2]


def test_a_ratio_is_that_of_the_rounds():
    row = layers.Row("a statement", lambda library, folder: None, "1/3")
    told = layers.line(row, [[1.0, 10.0], [2.0, 20.0], [9.0, 30.0]])
    assert told == ("a statement", "2e+03", "2e+04", "1/10", "1/3")


def test_each_row_runs_on_our_layers(tmp_path):
    pytest.importorskip("skimage", reason="the photograph is of scikit-image")
    library = layers.Library("neurotools.jobs.layers")
    for number, row in enumerate(layers.ROWS):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert row.make(library, folder)() is not None
