"""The script that compares caches, where it needs no network: its worker and its verdicts."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("peers_stale")


@pytest.fixture
def called(tmp_path):
    """Return a function that tells what a program gives through a cache, in a fresh process."""
    project = tmp_path / "project"
    project.mkdir()

    def call(cache, program):
        (project / "main.py").write_text(program)
        job = {"folder": str(project), "cache": str(tmp_path / "cache"), "args": [3], "options": {}}
        done = subprocess.run(
            [sys.executable, BENCHMARKS / "stale_worker.py", cache],
            input=json.dumps(job) + "\n",
            capture_output=True,
            text=True,
            cwd=project,
            env={**os.environ, "PYTHONPATH": str(BENCHMARKS.parent)},
        )
        return json.loads(done.stdout)

    return call


forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="the worker forks")


@forks
def test_without_a_cache_every_process_runs_the_program(called):
    told = [called("truth", "def f(x): return x + 1") for _ in range(2)]
    assert told == [{"value": "4", "ran": True}] * 2


@forks
def test_through_ours_only_the_first_process_and_the_edited_one_run_it(called):
    programs = ["def f(x): return x + 1"] * 2 + ["def f(x): return x + 2"]
    told = [called("neurotools", program) for program in programs]
    assert told == [
        {"value": "4", "ran": True},
        {"value": "4", "ran": False},
        {"value": "5", "ran": True},
    ]


@forks
def test_an_error_is_an_answer(called):
    assert called("truth", "def f(x): raise KeyError(x)") == {"error": "KeyError: 3"}


def told(*values, ran=(True, False, True)):
    return [{"value": value, "ran": r} for value, r in zip(values, ran, strict=True)]


@pytest.mark.parametrize(
    ("verdict", "must_run", "got", "truth"),
    [
        ("fine", True, told("1", "1", "2"), told("1", "1", "2")),
        ("fine", False, told("1", "1", "1", ran=(1, 0, 0)), told("1", "1", "1")),
        ("stale", True, told("1", "1", "1", ran=(1, 0, 0)), told("1", "1", "2")),
        ("stale", False, told("1", "0", "1"), told("1", "1", "1")),
        ("needless", False, told("1", "1", "1"), told("1", "1", "1")),
        ("forgets", False, told("1", "1", "1", ran=(1, 1, 1)), told("1", "1", "1")),
        ("fails", True, [*told("1", "1", "2")[:2], {"error": "no"}], told("1", "1", "2")),
    ],
)
def test_verdict(script, verdict, must_run, got, truth):
    assert script.judge(must_run, got, truth) == verdict
