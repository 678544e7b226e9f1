"""Edits of small programs, each looked at in a fresh process before and after.

The verdict of each case is checked against the truth: what the program returns without a cache.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from neurotools.memo.fingerprint.manifest import Manifest, difference
from tests.memo.fingerprint.mutations import (
    calls,
    chance,
    classes,
    containers,
    corners,
    dynamic,
    environment,
    found,
    habits,
    introspection,
    libraries,
    modules,
    neutral,
    packages,
    protocols,
    spelling,
    values,
)
from tests.memo.fingerprint.mutations.case import HIT, Case

WORKER = Path(__file__).parent / "mutations" / "worker.py"

TABLES = (
    *(calls, classes, values, modules, dynamic, environment, corners, found, neutral),
    *(libraries, protocols, spelling, introspection, containers, packages, chance, habits),
)

CASES: list[Case] = [case for table in TABLES for case in table.CASES]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the worker forks")


#: Takes long to import: programs that begin with that are looked at in forks of a process that has.
HEAVY = re.compile(r"^(?:import|from) (?:matplotlib|pandas|scipy)\b", re.MULTILINE)


@pytest.fixture(scope="module")
def look():
    """Return a function that looks at a folder in a fresh process."""
    with worker() as ask, worker("--heavy") as ask_heavy:

        def look(*, is_heavy, **job):
            return (ask_heavy if is_heavy else ask)(**job)

        yield look


@contextlib.contextmanager
def worker(*options):
    """Yield a function that gives a job to a process, and returns its answer."""
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen(
        [sys.executable, str(WORKER), *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as worker:

        def ask(**job):
            worker.stdin.write(json.dumps(job) + "\n")
            worker.stdin.flush()
            answer = json.loads(worker.stdout.readline())
            assert "error" not in answer, answer["error"]
            return answer

        yield ask
        worker.stdin.close()


def write(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return folder


def why(before: dict, after: dict) -> str:
    manifests = [Manifest.from_json(answer["manifest"]) for answer in (before, after)]
    return "\n".join(map(str, difference(*manifests)))


def test_names_of_cases_are_unique():
    names = [case.name for case in CASES]
    assert len(names) == len(set(names)) >= 150


each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    """Return a function that gives the folder of a case: its program, and what is known of it."""

    @functools.cache
    def folder(name):
        return tmp_path_factory.mktemp("case")

    return lambda case: folder(case.name)


@pytest.fixture(scope="module")
def look_before(look, folder_of):
    """Return a function that looks at a case before its edit, once."""
    answers = {}

    def ask(case):
        if case.needs:
            pytest.importorskip(case.needs)
        if case.name not in answers:
            answers[case.name] = look_at(case.before(), look, folder_of(case), case)
        return answers[case.name]

    return ask


def look_at(files, look, folder, case):
    """Look at a program that was edited in place, with what was learnt before the edit."""
    shutil.rmtree(folder / "program", ignore_errors=True)
    program = write(folder / "program", files)
    shelf = str(folder / "shelf")
    has_own = any(HEAVY.search(f"import {path}") for path in files)
    is_heavy = any(map(HEAVY.search, files.values())) and not has_own
    return look(
        is_heavy=is_heavy,
        folder=str(program),
        args=case.args,
        options=case.options,
        shelf=shelf,
    )


@each_case
def test_edit(case, look, look_before, folder_of):
    before = look_before(case)
    after = look_at(case.after(), look, folder_of(case), case)
    assert (before["result"] == after["result"]) == (case.verdict == HIT), "the case is wrong"
    assert (before["code"] == after["code"]) == (case.verdict == HIT), why(before, after)


@each_case
def test_running_does_not_change_the_fingerprint(case, look_before):
    answer = look_before(case)
    assert (answer["code"] == answer["kept"] == answer["again"]) == case.settled


@each_case
def test_nothing_is_refused(case, look_before):
    assert look_before(case)["refusals"] == []
