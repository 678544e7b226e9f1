"""``neurotools lineage`` and what ``explain`` gained, as a user types them."""

import json
import sys
from pathlib import Path

import pytest

from neurotools.console import explain
from neurotools.console.main import main
from neurotools.jobs.cache import disk_cacher


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Return a folder with a cache of two functions, one made from the other, in another cache."""
    monkeypatch.chdir(tmp_path)
    low = disk_cacher("low")(lambda x: x + 1)
    high = disk_cacher("high")(lambda x: low(x) * 2)
    high(1)
    return low, high


def said(capsys, *words, code=0):
    assert main([str(word) for word in words]) == code
    done = capsys.readouterr()
    assert "Traceback" not in done.err
    return done.out


def test_an_entry_is_shown_by_path_or_by_name(study, capsys):
    high = study[1]
    path = Path(high.locate(1))
    by_path = said(capsys, "lineage", path)
    assert by_path == said(capsys, "lineage", path.name[:8], "--cache", "high")
    assert by_path.count("version") == 2
    assert "missing" in by_path


def test_another_cache_is_looked_at_when_asked_for(study, capsys):
    told = said(capsys, "lineage", study[1].locate(1), "--also", "low")
    assert "missing" not in told


def test_as_json_it_has_every_entry(study, capsys):
    low, high = study
    told = json.loads(said(capsys, "lineage", high.locate(1), "--also", "low", "--json"))
    assert [entry["location"] for entry in told["entries"]] == [high.locate(1), low.locate(1)]
    assert told["entries"][0]["made_from"][0]["checksum"] == told["entries"][1]["checksum"]
    assert told["drawn"] == []


def test_pictures_are_drawn_whatever_their_names(study, capsys):
    pytest.importorskip("matplotlib")
    told = said(capsys, "lineage", study[1].locate(1), "--png", "a", "--svg", "b.x", "--dot", "c")
    assert told.count("drawn to ") == 3
    assert Path("a").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in Path("b.x").read_text(encoding="utf-8")
    assert Path("c").read_text(encoding="utf-8").startswith("digraph")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nothing-of-that-name", "--cache", "high"], "nothing is named so"),
        (["low"], "holds no folder that a cacher has made"),
        (["x", "--cache", "absent"], "No such file"),
    ],
)
def test_what_is_no_entry_is_one_line(study, capsys, words, told):
    Path("other").mkdir()
    here = ["--cache", "other"] if "--cache" not in words else []
    assert main(["lineage", *words, *here]) == 1
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_a_picture_where_nothing_can_be_written_is_one_line(study, capsys):
    Path("file").touch()
    assert main(["lineage", study[1].locate(1), "--dot", "file/a.dot"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_damaged_entry_is_said_to_be_one(study, capsys):
    path = Path(study[1].locate(1))
    path.write_bytes(path.read_bytes()[:-10])
    assert "damaged: it does not end with a seal" in said(capsys, "lineage", path)


def test_explain_is_coloured_on_a_terminal_alone(capsys, monkeypatch):
    line = explain._coloured("  -    return 1")
    assert line == "  -    return 1"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert explain._coloured("  -    return 1") == "\033[31m  -    return 1\033[0m"
    assert explain._coloured("miss: why").startswith("\033[31mmiss\033[0m: why")
    assert explain._coloured("    def f():") == "    def f():"
