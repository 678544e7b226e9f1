"""The benchmark of interfaces measures what it says: the same nodes in both memories, as hits."""

import warnings

import pytest

from benchmarks import interfaces

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("nipype.caching")

pytestmark = pytest.mark.filterwarnings("ignore")  # nipype's own


def test_each_work_is_measured_in_both_memories(tmp_path, monkeypatch):
    monkeypatch.setattr(interfaces, "IMAGE_BYTES", 2 << 20)
    rows, read = interfaces.measure(tmp_path, rounds=1, calls=2)
    assert [row[0] for row in rows] == list(interfaces.works(tmp_path))
    assert all(float(cell) > 0 for row in rows for cell in row[1:])
    assert read >= 0
    for memory in ("theirs", "ours"):
        folders = {path.name for path in (tmp_path / memory / "nipype_mem").glob("*-*")}
        assert folders == {
            "benchmarks-gzip_interface-Gzip",
            "nipype-interfaces-utility-base-Rename",
        }
