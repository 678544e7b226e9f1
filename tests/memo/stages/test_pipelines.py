"""Pipelines beyond the reference: errors at once, executors, failures, plans, pictures."""

import io
import logging
import os
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

from neurotools.jobs.pipeline import Pipeline, Stage, StageFailed, WrongPipeline
from neurotools.memo.stages.progress import Progress


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def note(name):
    with open("calls", "a") as file:
        file.write(f"{name} ")


def called():
    return Path("calls").read_text().split() if os.path.exists("calls") else []


def load(n):
    note("load")
    return list(range(n))


def smooth(values):
    note("smooth")
    return [value / 2 for value in values]


def mask(values):
    note("mask")
    return [value > 1 for value in values]


def average(smoothed, inside, weight=1):
    note("average")
    if os.path.exists("fail"):
        raise RuntimeError("no average")
    return weight * sum(value for value, is_in in zip(smoothed, inside, strict=True) if is_in)


def report(mean):
    note("report")
    return f"mean {mean}"


def stages(cache="cache"):
    made = {
        "load": Stage(load, ["values"], cache),
        "smooth": Stage(smooth, ["smoothed"], cache),
        "mask": Stage(mask, ["inside"], cache),
        "average": Stage(average, ["mean"], cache),
        "report": Stage(report, ["text"], cache),
    }
    first, *middle, third, last = made.values()
    definition = [
        ("start", first),
        *((first, one) for one in middle),
        (tuple(middle), third),
        (third, last),
    ]
    return Pipeline(definition)


RESULT = {
    "values": [0, 1, 2, 3],
    "smoothed": [0.0, 0.5, 1.0, 1.5],
    "inside": [False, False, True, True],
    "mean": 2.5,
    "text": "mean 2.5",
}


# ---------------------------------------------------------------- errors at construction


def pairs(wrong):
    """Return a wrong definition list."""
    one, two, three = (
        Stage(lambda x: x, ["x"], stage_name=word) for word in ("one", "two", "three")
    )
    needy = Stage(lambda x, missing: x, stage_name="needy")
    return {
        "empty": [],
        "no pair": [one],
        "no stage": [("start", load)],
        "no source": [("begin", one)],
        "nothing": [((), one)],
        "unknown": [(one, two)],
        "cycle": [("start", one), ((one, three), two), (two, three)],
        "itself": [(one, one)],
        "twice": [("start", one), ("start", two), (one, three), (two, three)],
        "same source": [("start", one), ((one, one), two)],
        "missing": [("start", one), (one, needy)],
    }[wrong]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("empty", "there is no stage in it"),
        ("no pair", "is no pair of a source and a stage"),
        ("no stage", "is no Stage"),
        ("no source", "'begin' is no source"),
        ("nothing", "'one' has no source"),
        ("unknown", "'one' feeds 'two', and nothing feeds 'one'"),
        ("cycle", "there is a cycle: two -> three -> two"),
        ("itself", "there is a cycle: one -> one"),
        ("twice", "'three' is supplied twice; give all its sources at once"),
        ("same source", "'one' stands twice among the sources of 'two'"),
        ("missing", "stage 'needy' needs 'missing', and one gives no such thing"),
    ],
)
def test_a_wrong_definition_is_told_at_once(name, told):
    with pytest.raises(WrongPipeline, match=told) as error:
        Pipeline(pairs(name))
    assert isinstance(error.value, ValueError)


def test_stages_may_be_written_in_any_order():
    one, two = Stage(lambda n: n + 1, ["x"], stage_name="a"), Stage(lambda x: x * 2, ["y"])
    assert Pipeline([(one, two), ("start", one)]).run(1) == {"x": 2, "y": 4}


def test_what_is_missing_at_the_start_runs_nothing():
    with pytest.raises(TypeError, match="missing a required argument: 'n'"):
        stages().run()
    assert called() == []


def test_start_may_stand_among_several_sources():
    one = Stage(lambda n: n + 1, ["x"], stage_name="one")
    two = Stage(lambda x, scale: x * scale, ["y"], stage_name="two")
    assert Pipeline([("start", one), ((one, "start"), two)]).run(n=1, scale=10) == {"x": 2, "y": 20}


# ---------------------------------------------------------------- runs


def test_a_run_is_remembered_by_the_next():
    assert stages().run(4) == stages().run(n=4) == RESULT
    assert called() == ["load", "smooth", "mask", "average", "report"]


def test_only_what_a_change_can_change_runs():
    stages().run(4)
    pipeline = stages()
    pipeline._graph.nodes[3].stage.set_stage_arg("weight", 2)
    assert pipeline.run(4)["text"] == "mean 5.0"
    assert called()[5:] == ["average", "report"]


@pytest.mark.parametrize("executor", [None, "threads", "processes"])
def test_a_failing_stage_names_itself_and_the_rerun_goes_on_there(executor):
    Path("fail").touch()
    told = r"stage 'average' failed with RuntimeError: no average. Its inputs: smoothed=\[0.0, 0.5"
    with pytest.raises(StageFailed, match=told) as failed, made(executor) as crew:
        stages().run(4, executor=crew)
    assert (failed.value.stage, failed.value.skipped) == ("average", ["report"])
    assert isinstance(failed.value.__cause__, RuntimeError)
    Path("fail").unlink()
    assert stages().run(4) == RESULT
    assert called()[4:] == ["average", "report"]


def made(executor):
    import contextlib

    kinds = {"threads": ThreadPoolExecutor, "processes": ProcessPoolExecutor}
    return kinds[executor](2) if executor else contextlib.nullcontext()


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_an_executor_gives_the_same(executor):
    with made(executor) as crew:
        assert stages().run(4, executor=crew) == RESULT
        assert stages().run(4, executor=crew) == RESULT
    assert sorted(called()) == ["average", "load", "mask", "report", "smooth"]


def test_a_number_of_processes():
    pytest.importorskip("loky")
    assert stages().run(4, executor=2) == RESULT
    assert stages().run(4) == RESULT
    assert len(called()) == 5


def test_a_dask_cluster():
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0"
    )
    with cluster, distributed.Client(cluster) as client:
        assert stages().run(4, executor=client) == RESULT
    assert len(called()) == 5


def test_independent_branches_run_at_the_same_time():
    def wait_for(mine, other):
        Path(mine).touch()
        ends = time.monotonic() + 60
        while not Path(other).exists():
            assert time.monotonic() < ends
        return mine

    one = Stage(lambda: wait_for("a", "b"), ["x"], stage_name="one")
    two = Stage(lambda: wait_for("b", "a"), ["y"], stage_name="two")
    with ThreadPoolExecutor(2) as crew:
        result = Pipeline([("start", one), ("start", two)]).run(executor=crew)
    assert result == {"x": "a", "y": "b"}


# ---------------------------------------------------------------- what is shown


def test_a_plan_says_what_would_run_and_runs_nothing():
    pipeline = stages()
    plan = pipeline.plan(4)
    assert [step.state for step in plan] == ["runs", *["may run"] * 4]
    assert called() == []
    pipeline.run(4)
    assert {step.state for step in pipeline.plan(4)} == {"remembered"}
    pipeline._graph.nodes[2].stage.function_to_call = mask
    pipeline._graph.nodes[3].stage.set_stage_arg("weight", 3)
    plan = pipeline.plan(4)
    assert plan.runs == ["average", "report"]
    assert "argument weight: 1 there, 3 here" in plan[3].reason
    assert plan[4].reason == "depends on what average will give"
    assert str(plan).splitlines()[0].split()[:2] == ["load", "remembered"]


def test_a_plan_tells_of_changed_arguments_and_missing_files():
    Path("in").write_text("1")
    stage = Stage(doubled, ["file"], "cache")
    pipeline = Pipeline([("start", stage)])
    pipeline.run("in")
    assert pipeline.plan("in").runs == []
    Path("out").unlink()
    assert str(pipeline.plan("in")) == "doubled  runs        out does not exist"


def doubled(path):
    Path("out").write_text(Path(path).read_text() * 2)
    return "out"


def test_printing_shows_the_graph_and_what_is_known():
    pipeline = stages()
    shown = (
        "Pipeline of 5 stages\n"
        "  start        -> load(n)                           -> values\n"
        "  load         -> smooth(values)                    -> smoothed\n"
        "  load         -> mask(values)                      -> inside\n"
        "  smooth, mask -> average(smoothed, inside, weight) -> mean\n"
        "  average      -> report(mean)                      -> text"
    )
    assert str(pipeline) == shown
    pipeline.run(4)
    assert str(pipeline).count("[computed]") == 5
    pipeline.run(4)
    assert str(pipeline).count("[remembered]") == 5
    pipeline.plan(5)
    assert [str(pipeline).count(f"[{state}]") for state in ("runs", "may run")] == [1, 4]
    assert repr(pipeline) == "<pipeline of load, smooth, mask, average, report>"


def test_a_picture_without_graphviz_is_text(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert stages().picture("graph.svg", 4) == "graph.txt"
    assert "load -> smooth" in " ".join(Path("graph.txt").read_text().split()).replace("(n) ->", "")


def test_a_picture_in_the_language_of_graphviz():
    stages().run(4)
    assert stages().picture("graph.dot", 4) == "graph.dot"
    text = Path("graph.dot").read_text()
    assert '"smooth" -> "average" [label="smoothed"];' in text
    assert text.count("remembered") == 5


def test_a_picture_by_graphviz():
    if shutil.which("dot") is None:
        pytest.skip("Graphviz is not installed")
    assert stages().picture("graph.svg", 4) == "graph.svg"
    assert "average" in Path("graph.svg").read_text()


def test_a_picture_of_another_kind_is_refused():
    with pytest.raises(ValueError, match=r"'graph.jpg' ends with none of .svg"):
        stages().picture("graph.jpg")


def test_one_bar_for_all_stages():
    stream = io.StringIO()
    bar = Progress(2, stream)
    for name in ("one", "two"):
        bar.began(name)
        bar.ended(name)
    bar.close()
    lines = stream.getvalue().split("\r")
    assert "0/2" in lines[1]
    assert lines[1].rstrip().endswith("one")
    assert "########################] 2/2" in lines[-1]


def test_a_bar_is_shown_when_asked_for(capsys):
    stages().run(4, progress=True)
    stages().run(4)
    assert capsys.readouterr().err.count("5/5") == 1


@pytest.mark.parametrize("progress", [None, True])
def test_where_there_is_no_standard_error_no_bar_is_shown(progress, monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert stages().run(4, progress=progress)


def test_a_bar_that_nobody_looks_at_any_more_stops_nothing(monkeypatch):
    stream = io.StringIO()
    stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    assert stages().run(4, progress=True)


def test_stages_of_one_name_are_told_apart():
    one, two = (Stage(lambda x: x, ["x"], stage_name="same") for _ in range(2))
    pipeline = Pipeline([("start", one), (one, two)])
    pipeline.run(1)
    assert repr(pipeline) == "<pipeline of same, same-2>"


def test_what_is_run_stands_in_the_log(caplog):
    with caplog.at_level(logging.INFO):
        stages().run(4)
        stages().run(4)
    assert "running stage load" in caplog.text
    assert "skipping stage load: it is remembered" in caplog.text
