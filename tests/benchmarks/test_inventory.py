"""The benchmarks of listings and budgets: what they make and what they count."""

import pytest

from benchmarks import budget, inventory
from neurotools.console.main import main


def test_the_cache_that_is_listed_has_as_many_entries_as_asked(tmp_path, capsys):
    inventory.fill(tmp_path, 40)
    assert main(["stats", str(tmp_path)]) == 0
    assert "41 results" in capsys.readouterr().out  # and the one they are made of


def test_ratios_are_taken_turn_by_turn():
    times = {"du -s": [1.0, 2.0, 4.0], "ls": [2.0, 6.0, 4.0]}
    assert inventory.rows("warm", times) == [
        ["warm", "``du -s``", "2.00", ""],
        ["warm", "``neurotools ls``", "4.00", "2.0"],
    ]


def test_a_turn_counts_stores_and_sees_the_budget(tmp_path):
    turns = budget.Turns(tmp_path, 100, 2_000_000)
    try:
        speed, cost, shares = turns.take("budget", 1.0)
    finally:
        turns.end()
    assert speed > 0
    assert cost > 0
    assert shares
    assert budget.room(tmp_path / "budget") > 0


def test_what_is_lost_is_the_median_of_the_rounds():
    assert budget.lost([100.0, 200.0, 100.0], [90.0, 100.0, 95.0]) == pytest.approx(0.1)
