"""The benchmark of speed: that it measures what it says. Never how fast anything is."""

import math
import os

import numpy as np
import pytest

from benchmarks.speed import growth, report, study
from benchmarks.speed.contestants import OURS, RAW, Cannot
from benchmarks.speed.growth import GROWTHS
from benchmarks.speed.row import Entrant, Row
from benchmarks.speed.rows import ROWS
from benchmarks.speed.runner import Outcome, Runner
from benchmarks.speed.task import Stage, Task, must_hit, must_run, same
from benchmarks.speed.works.table import WORKS

ROW = Row("a", "a thing", "hit", {"smallest": {"count": 8}}, 0.5, limit="np.load")


@pytest.fixture(autouse=True)
def _counting(tmp_path):
    # Something else in this process may have been given that number.
    try:
        before = os.dup(study.TALLY)
    except OSError:
        before = None
    study.count_in(str(tmp_path / "executions"))
    yield
    os.close(study.TALLY)
    if before is not None:
        os.dup2(before, study.TALLY)
        os.close(before)


@pytest.fixture
def stage(tmp_path):
    """Return a function that makes a contestant's place."""

    def make(contestant):
        folder = tmp_path / contestant
        folder.mkdir()
        return Stage(contestant, folder)

    return make


def tried(work, place, options):
    """Prepare a work, check it, measure it once, check it again, and return the figure."""
    if work == "frame_argument":
        pytest.importorskip("pandas")
    try:
        task = WORKS[work](place, **options)
    except Cannot as reason:
        pytest.skip(str(reason))
    try:
        task.check()
        figure = task.figure()
        task.check()
    finally:
        task.close()
    return figure


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_hits_where_it_should_and_gives_equal_results(row, stage):
    ours = next(entrant for entrant in row.entrants if entrant.label == OURS)
    options = {**row.options_in("smallest"), **ours.options}
    assert tried(row.work, stage(OURS), options) > 0


@pytest.mark.parametrize("row", [r for r in ROWS if r.against == RAW], ids=lambda row: row.name)
def test_every_limit_can_be_measured(row, stage):
    assert tried(row.work, stage(RAW), row.options_in("smallest")) > 0


@pytest.mark.parametrize("one", GROWTHS, ids=lambda one: one.name)
def test_every_plot_has_points_that_can_be_measured(one, stage):
    line = one.lines[0]
    options = {**line.options, one.option: one.points["smallest"][0] // one.per_option}
    assert tried(line.work, stage(line.contestant), options) > 0


def test_what_executes_is_no_hit():
    with pytest.raises(AssertionError, match="ran 1 times where it should have been remembered"):
        must_hit(lambda: study.filled(3, 4), study.constant(3, 4))()


def test_what_does_not_execute_is_no_miss():
    with pytest.raises(AssertionError, match="ran 0 times where it should have run once"):
        must_run(lambda: study.constant(3, 4), study.constant(3, 4))


def test_a_wrong_result_is_noticed():
    with pytest.raises(AssertionError, match="the wrong result"):
        must_hit(lambda: study.constant(4, 4), study.constant(3, 4))()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (np.zeros(3), np.zeros(3, np.float32)),
        (np.zeros(3), [0.0, 0.0, 0.0]),
        ({"a": np.zeros(3)}, {"a": np.ones(3)}),
        ({"a": 1}, {"b": 1}),
        (1, 1.0),
    ],
)
def test_results_that_differ_in_type_or_value_are_not_the_same(one, other):
    assert same(one, one)
    assert not same(one, other)


def test_a_task_that_is_undone_first_measures_each_call_alone():
    done = []
    task = Task(lambda: done.append("call"), reset=lambda: done.append("reset"))
    task.figure()
    assert done[:4] == ["reset", "call", "reset", "call"]


# ---------------------------------------------------------------- processes


def test_entrants_take_turns_in_processes_of_their_own(tmp_path):
    outcome = run(tmp_path, RAW, OURS)
    assert set(outcome.figures) == {RAW, OURS}
    assert outcome.ratio(OURS, RAW) > 0


def test_who_fails_is_left_out_with_the_reason(tmp_path):
    outcome = run(tmp_path, OURS, "nobody")
    assert set(outcome.figures) == {OURS}
    assert outcome.failures == {"nobody": "KeyError: 'nobody'"}


def run(scratch, *names):
    with Runner("smallest", scratch) as runner:
        return runner.measure(ROW, [Entrant(name, name) for name in names])


# ---------------------------------------------------------------- what is said


def outcome(row=ROW, **figures):
    return Outcome(row, {name: list(values) for name, values in figures.items()})


def test_ratios_are_taken_round_by_round():
    got = outcome(raw=(1.0, 10.0, math.nan), neurotools=(2.0, 20.0, 7.0))
    assert got.ratios(OURS, RAW) == [2.0, 2.0]


@pytest.mark.parametrize(("ours", "verdict"), [(4e-6, "yes"), (6e-6, "no")])
def test_a_goal_is_met_or_not(ours, verdict):
    line = report.line(outcome(raw=(1e-5,), neurotools=(ours,)), 0)
    assert line.split()[-1] == verdict
    assert "≤ 0.5 of np.load" in line


def test_where_more_is_better_a_goal_is_met_from_above():
    row = Row("a", "", "scan", {}, 100, against="", unit="/s", at_least=True)
    assert report.line(outcome(row, neurotools=(150.0,)), 0).split()[-1] == "yes"


def test_a_row_that_failed_says_why():
    failed = Outcome(ROW, {}, failures={OURS: "it broke"})
    assert report.line(failed, 0).endswith("it broke                 failed")


@pytest.mark.parametrize(
    ("figure", "unit", "told"),
    [(2e-6, "µs", "2 µs"), (2e-3, "µs", "2 ms"), (1.5, "times", "1.5"), (5e6, "MB", "5 MB")],
)
def test_amounts_are_readable(figure, unit, told):
    assert report.amount(figure, unit) == told


@pytest.mark.parametrize(
    ("times", "told"),
    [
        ((1e-6, 1e-6, 1.1e-6), "flat, 1 µs at 1"),
        ((1e-6, 1e-6, 1e-5), "flat up to 10, between the last two points as the power 1.00"),
        ((1e-6, 1e-5, 1e-3), "1 ms at 100 things, between the last two points as the power 2.00"),
    ],
)
def test_the_shape_of_growth_is_told_from_its_points(times, told):
    one = growth.Growth("g", "growing", "things", "x", {}, (), "So it is.")
    points = {"hit": list(zip((1, 10, 100), times, strict=True))}
    assert told in growth.paragraph(one, points, "a.svg")


def test_of_several_runs_each_figure_is_shown_and_the_middle_one_told(monkeypatch):
    monkeypatch.setattr(report, "version", lambda name: "1")
    row = [outcome(raw=(1e-5,), neurotools=(time,)) for time in (6e-6, 1e-6, 4e-6)]
    table = report.tables([row], "full", 60)["speed-goals.inc"]
    assert "0.60, 0.10, 0.40" in table
    assert "0.40 (4 µs)" in table
    assert "in 2 of 3" in table
    assert "--full --times 3" in table
