"""What was used on which day: it outlives the log, and what anybody wrote there breaks nothing."""

import os

import pytest

from neurotools.memo.tiers import days
from neurotools.memo.tiers.days import Day
from neurotools.memo.tiers.uses import LOG, by_day, sum_up

_LOG = """@m/f/v\t3\t30\t86400
a.npy\t3\t10\t86400
@m/f/v\t0\t0\t86500
b.npy\t0\t10\t86500
@m/g/v\t2\t1.5\t86700
c.npy\t2\t0.75\t86700
@m/f/v\t1\t10\t950400
a.npy\t1\t10\t950400
"""


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / ".neurotools" / "uses"
    folder.mkdir(parents=True)
    (folder / LOG).write_text(_LOG)
    return folder


def test_days_are_the_same_before_and_after_the_log_is_summed_up(place, tmp_path):
    expected = {1: Day(5, 31.5), 11: Day(1, 10.0)}
    assert by_day(str(tmp_path)) == expected
    sum_up(str(place))
    assert not (place / LOG).exists()
    assert by_day(str(tmp_path)) == expected
    (place / LOG).write_text(_LOG)
    twice = {1: Day(10, 63.0), 11: Day(2, 20.0)}
    assert by_day(str(tmp_path)) == twice
    sum_up(str(place))
    assert by_day(str(tmp_path)) == twice


def test_a_cache_that_was_never_used_has_no_days(tmp_path):
    assert by_day(str(tmp_path)) == {}
    assert by_day(str(tmp_path / "missing")) == {}


@pytest.mark.parametrize(
    "line", ["x", "1\t2", "-1\t2\t3", "400000\t2\t3", "1\t-2\t3", "1\t2\tinf", "1\t2\tnan", "\xff"]
)
def test_lines_that_make_no_sense_are_left_out(place, tmp_path, line):
    (place / LOG).unlink()
    (place / "days").write_text(f"{line}\n7\t2\t3.5\n", encoding="latin-1")
    assert by_day(str(tmp_path)) == {7: Day(2, 3.5)}


def test_nothing_is_written_where_nothing_was_loaded(place):
    days.add(str(place), days.noted([(5.0, Day(0, 0.0))]), 0o600)
    assert os.listdir(place) == [LOG]
