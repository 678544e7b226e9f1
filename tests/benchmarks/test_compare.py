"""The comparison of two commits: its verdicts, not how fast anything is."""

import pytest

from benchmarks.compare import entrants, judge
from benchmarks.speed.row import Row
from benchmarks.speed.rows import ROWS
from benchmarks.speed.runner import Outcome

ROW = Row("a", "a thing", "hit", {}, 1.0)
STEADY = (1.0, 1.01, 0.99, 1.0, 1.0)
NOISY = (1.0, 1.6, 0.6, 1.5, 0.7)


def verdict(after, again=STEADY, row=ROW):
    figures = {"before": [1.0] * 5, "before, again": list(again), "after": list(after)}
    return judge(Outcome(row, figures), threshold=0.1)


@pytest.mark.parametrize(
    ("after", "is_slower"),
    [
        ((1.3,) * 5, True),
        ((1.05,) * 5, False),
        ((0.5,) * 5, False),
        ((1.0, 1.0, 1.2, 1.3, 1.3), False),
    ],
)
def test_slower_is_what_most_rounds_say_by_more_than_the_threshold(after, is_slower):
    assert verdict(after).is_slower == is_slower


def test_what_the_first_commit_differs_from_itself_is_no_regression():
    assert not verdict((1.3,) * 5, again=NOISY).is_slower


def test_where_more_is_better_less_is_slower():
    row = Row("a", "", "scan", {}, 1.0, at_least=True)
    assert verdict((0.5,) * 5, row=row).is_slower
    assert not verdict((2.0,) * 5, row=row).is_slower


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_has_ours_to_compare(row, tmp_path):
    three = entrants(row, tmp_path / "a", tmp_path / "b")
    assert [entrant.tree.name for entrant in three] == ["a", "a", "b"]
    assert len({entrant.label for entrant in three}) == 3
