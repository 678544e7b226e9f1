"""Clearing touches nothing that the cache did not make."""

import os

import pytest

from neurotools.memo.nodes import record as records
from neurotools.memo.nodes.alone import alone
from neurotools.memo.nodes.clearing import clear

NAME = "0" * 32


@pytest.fixture
def base(tmp_path):
    return tmp_path


def node(base, folder="a-B", name=NAME):
    path = base / folder / name
    path.mkdir(parents=True)
    records.write(str(path), {"state": "done"})
    return path


def test_nodes_go_and_others_stay(base):
    made = node(base)
    others = [base / "a-B" / "notes", base / "mine" / "x", base / "a-B" / ("1" * 32)]
    for path in others:
        path.mkdir(parents=True)
        (path / "file").write_text("a person's")
    (base / "file").write_text("a person's")
    assert clear(str(base), (), warn=False) == [str(made)]
    assert all((path / "file").exists() for path in others)
    assert (base / "file").exists()


def test_nothing_behind_a_link_is_touched(base, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    inside = node(other)
    try:
        os.symlink(other / "a-B", base / "c-D")
        (base / "a-B").mkdir()
        os.symlink(inside, base / "a-B" / NAME)
    except OSError:
        pytest.skip("links cannot be made here")
    assert clear(str(base), (), warn=False) == []
    assert inside.exists()


def test_what_this_process_runs_in_stays(base):
    path = node(base)
    with alone(str(base), f"a-B/{NAME}"):
        assert clear(str(base), (), warn=False) == []
    assert clear(str(base), (), warn=False) == [str(path.parent)]


def test_what_a_killed_clearing_left_goes(base):
    left = base / ".neurotools" / "removed" / "x"
    left.mkdir(parents=True)
    clear(str(base), (), warn=False)
    assert not left.exists()


def test_an_empty_base_is_no_trouble(base):
    assert clear(str(base), (), warn=True) == []
