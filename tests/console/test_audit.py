"""``neurotools audit`` and ``neurotools combine --verify``, typed by a user with a real cache."""

import json
import subprocess
import sys

import pytest

from neurotools.console.main import main

STUDY = """
import pathlib, random
import numpy as np
from neurotools.jobs.cache import disk_cacher
remember = disk_cacher("results")
@remember
def area(n, scale=1):
    print("this is no answer")
    return np.full(10, n * scale)
@remember
def reads(name):
    return pathlib.Path(name).read_text()
def _inner(x):
    return random.random()
noisy = remember(_inner)
other = remember(lambda x: x)
"""
CALLS = """
import a_study as s
[s.area(n) for n in range(6)]
s.reads("facts"); s.noisy(1); s.other(1)
@s.remember
def here(x):
    return x
here(1)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    (folder / "a_study.py").write_text(STUDY)
    (folder / "facts").write_text("old")
    (folder / "calls.py").write_text(CALLS)
    subprocess.run([sys.executable, "-B", "calls.py"], cwd=folder, check=True)
    return folder


@pytest.fixture
def study(made, monkeypatch):
    """Return a folder with a module and its cache: nine entries of five functions."""
    monkeypatch.chdir(made)
    monkeypatch.syspath_prepend(str(made))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (made / "a_study.py").write_text(STUDY)
    (made / "facts").write_text("old")
    yield made
    sys.modules.pop("a_study", None)


def said(capsys, *words, code=0):
    assert main(list(words)) == code
    done = capsys.readouterr()
    assert "Traceback" not in done.err
    return done.out


def data(capsys, *words, code=0):
    return json.loads(said(capsys, *words, "--json", code=code))


def test_audit_finds_nothing_stale_and_says_what_it_left_out(study, capsys):
    done = data(capsys, "audit", "results", "--sample", "all")
    assert (done["compared"], done["stale"], len(done["unsteady"])) == (7, 0, 1)
    assert sum(done["left_out"].values()) == 2
    text = said(capsys, "audit", "results", "--sample", "all")
    assert "stale: 0 of 7" in text
    assert "a script or a notebook cannot be imported" in text
    assert "what is defined in a function cannot be imported" in text


def test_audit_names_what_is_stale_and_exits_with_1(study, capsys):
    (study / "facts").write_text("new")
    done = data(capsys, "audit", "results", "--sample", "all", code=1)
    (finding,) = done["findings"]
    assert (finding["function"], finding["arguments"]) == ("a_study.reads", "name='facts'")
    assert finding["what"] == "'old' before, 'new' now"
    text = said(capsys, "audit", "results", "--sample", "100", "--seed", "3", code=1)
    assert "a_study.reads(name='facts'): 'old' before, 'new' now" in text


def test_audit_counts_entries_of_earlier_code(study, capsys):
    (study / "a_study.py").write_text(STUDY.replace("(10, n", "(10, 1 * n"))
    done = data(capsys, "audit", "results", "--sample", "all")
    assert done["left_out"]["of earlier code, which calls do not find any more"] >= 6


def test_audit_goes_on_where_a_module_fails(study, capsys):
    (study / "a_study.py").write_text("1 / 0")
    done = data(capsys, "audit", "results")
    assert (done["compared"], done["rate"], done["interval"]) == (0, None, None)
    assert any("ZeroDivisionError" in reason for reason in done["left_out"])


def test_audit_survives_a_module_that_ends_the_program(study, capsys):
    (study / "a_study.py").write_text("raise SystemExit(3)")
    done = data(capsys, "audit", "results")
    assert any("SystemExit" in reason for reason in done["left_out"])


def test_combine_exits_with_1_where_something_is_refused(study, capsys):
    (study / "a_study.py").write_text(STUDY.replace("n * scale", "n * scale * (1 + 1e-9)"))
    text = said(capsys, "combine", "a_study:area", "--verify", "all", code=1)
    assert "dtype int64 before, float64 now" in text
    assert text.count("version") == 1
    sys.modules.pop("a_study")
    (study / "a_study.py").write_text(STUDY.replace("n * scale", "n + n * (scale - 1)"))
    done = data(capsys, "combine", "a_study:area", "--verify", "4", "--rtol", "1e-6")
    assert (len(done["merged"]), len(done["refused"])) == (6, 0)
    assert done["verdicts"][0]["verified"] == 4


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["audit", "results", "--sample", "x"], "no sample; write 1%"),
        (["audit", "results", "--max-seconds", "-3"], "no time; write 600"),
        (["audit", "results", "--rtol", "nan"], "no tolerance"),
        (["combine", "a_study:area", "--verify", "0"], "no number of calls"),
    ],
)
def test_wrong_words_are_told_in_a_line(study, capsys, words, told):
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert told in capsys.readouterr().err


def test_no_cache_and_options_that_do_not_fit_are_told_in_a_line(study, capsys, tmp_path):
    assert main(["audit", str(tmp_path)]) == 1
    assert "there is no cache at" in capsys.readouterr().err
    assert main(["combine", "a_study:area", "--rtol", "1"]) == 1
    assert "--verify compares" in capsys.readouterr().err
    (study / "a_study.py").write_text(
        "from neurotools.jobs.cache import hierarchical_cacher\n"
        "area = hierarchical_cacher('ram://')(len)"
    )
    sys.modules.pop("a_study")
    assert main(["combine", "a_study:area"]) == 1
    assert "keeps no results in a folder" in capsys.readouterr().err
