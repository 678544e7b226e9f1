"""Small files are there whole, or not at all."""

import os
import stat

import pytest

from neurotools.memo import whole


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path):
    path = tmp_path / "made" / "one"
    whole.write(str(path), b"first")
    whole.write(str(path), b"second")
    assert path.read_bytes() == b"second"
    assert os.listdir(path.parent) == ["one"]


def test_what_was_there_stays_when_it_cannot_be_written(tmp_path, monkeypatch):
    path = tmp_path / "one"
    whole.write(str(path), b"first")

    def fail(*_):
        raise OSError(28, "no room")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no room"):
        whole.write(str(path), b"second")
    assert path.read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["one"]


def test_names_may_be_long_and_paths_may_begin_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = "x" * 250
    whole.write(name, b"content")
    assert os.listdir(tmp_path) == [name]


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no such modes")
def test_what_is_for_others_can_be_read_by_others(tmp_path):
    before = os.umask(0o022)
    try:
        whole.write(str(tmp_path / "own"), b"")
        whole.write(str(tmp_path / "report"), b"", is_private=False)
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"own": 0o600, "report": 0o644}
