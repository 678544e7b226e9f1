"""The profile of a hit: that its lines are those that run."""

import signal
from collections import Counter

import pytest

from benchmarks.hit_path import order, rows, sample


def first(x):
    return second(x) + 1


def second(x):
    return sum(range(x))


def test_lines_come_in_the_order_in_which_a_call_runs_them():
    names = [code.co_name for code, _ in order(lambda: first(3))]
    assert names == ["<lambda>", "first", "second"]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers that interrupt here")
def test_the_line_that_takes_long_is_noted_most():
    notes, seconds = sample(lambda: first(20_000), 0.3)
    assert notes.most_common(1)[0][0][0].co_name == "second"
    assert seconds > 0


def test_shares_of_the_notes_become_microseconds():
    lines = order(lambda: first(3))
    notes = Counter(dict(zip(lines, (0, 1, 3), strict=True)))
    told = {row[0].split()[-1]: row[1] for row in rows(lines, notes, 4e-6)}
    assert told == {"first": "1.00", "second": "3.00", "others": "0.00", "all": "4.00"}
