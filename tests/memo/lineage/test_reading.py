"""Promises of the tree behind a result: whole, true about what is gone, safe with any record."""

import json
import os

import pytest

from neurotools.jobs.cache import File, disk_cacher, hierarchical_cacher
from neurotools.memo.entry import Key
from neurotools.memo.errors import NoEntry
from neurotools.memo.lineage import reading
from neurotools.memo.lineage.reading import key_at, lineage_of
from neurotools.memo.tiers.census import mark_of
from neurotools.memo.tiers.graves import Grave, bury


@pytest.fixture
def study(tmp_path):
    """Return three functions, one made from the other, and their cache."""
    remember = disk_cacher(tmp_path / "cache")

    @remember
    def load(path):
        return float(_text(path))

    @remember
    def half(path):
        return load(path) / 2

    @remember
    def report(path, scale=1):
        return (load(path) + half(path)) * scale

    data = tmp_path / "data.txt"
    data.write_text("4")
    return load, half, report, File(data)


def steps(lineage):
    """Return the entries' calls by function."""
    return {step.function.rpartition(".")[2]: step for step in lineage.steps.values()}


class TestTree:
    def test_all_that_a_result_was_made_from_is_there_once(self, study):
        load, _half, report, data = study
        report(data)
        found = report.lineage(data)
        assert list(steps(found)) == ["report", "load", "half"]
        assert found.root == report.key_of((data,), {}).path
        assert {step.state for step in found.steps.values()} == {"kept"}
        assert steps(found)["load"].location == load.locate(data)

    def test_checksums_agree_with_the_files(self, study):
        _load, _half, report, data = study
        report(data)
        found = report.lineage(data)
        for step in found.steps.values():
            for used in step.made_from:
                assert used.checksum == found.steps[used.path].checksum

    def test_files_are_told_with_path_and_content(self, study):
        _load, _half, report, data = study
        report(data)
        (file,) = steps(report.lineage(data))["load"].files
        assert (file.kind, file.name, file.path) == ("argument", "path", str(data))
        assert len(file.digest) == 22

    def test_files_in_lists_are_told_by_their_place(self, tmp_path, study):
        data = study[-1]

        @disk_cacher(tmp_path)
        def f(paths: list[File], *more: File):
            return 1

        f([data, data], {"a": data})
        names = [file.name for file in steps(f.lineage([data, data], {"a": data}))["f"].files]
        assert names == ["paths[0]", "paths[1]", "*0['a']"]

    def test_traced_files_are_told(self, tmp_path):
        data = tmp_path / "read.txt"
        data.write_text("1")
        f = disk_cacher(tmp_path / "cache", trace="files")(
            lambda name: os.stat(name) and _text(name)
        )
        f(str(data))
        (file,) = next(iter(f.lineage(str(data)).steps.values())).files
        assert (file.kind, file.path) == ("read", str(data))

    def test_an_entry_that_was_removed_is_shown_as_such(self, study):
        load, _half, report, data = study
        report(data)
        key = load.key_of((data,), {})
        root = load.hierarchy.tiers[0].root
        load.purge(data)
        assert steps(report.lineage(data))["load"].state == "missing"
        grave = Grave(1.7e9, "to keep the budget", 2.5)
        bury(root, [(f"{key.function}/{key.code}", mark_of(f"{key.call}.{key.method}"), grave)])
        step = steps(report.lineage(data))["load"]
        assert step.state == "removed"
        assert "to keep the budget; it had taken 2.5 s" in step.detail
        assert "removed: on 2023-" in str(report.lineage(data))

    def test_an_entry_that_was_stored_anew_is_told(self, study):
        load, _half, report, data = study
        report(data)
        load.purge(data)
        load(data)
        assert str(report.lineage(data)).count("stored anew since") == 2

    def test_what_nothing_is_kept_of_is_an_error_that_says_so(self, study):
        report, data = study[2:]
        with pytest.raises(NoEntry, match="nothing is kept of it"):
            report.lineage(data)

    def test_other_caches_of_the_process_are_looked_at(self, tmp_path, study):
        load, data = study[0], study[-1]
        f = hierarchical_cacher(("ram://", tmp_path / "other"))(lambda path: load(path))
        f(data)
        assert steps(f.lineage(data))["load"].state == "kept"
        assert f"kept in {load.hierarchy.name}" in str(f.lineage(data))

    def test_as_data_it_is_plain(self, study):
        _load, _half, report, data = study
        report(data)
        told = report.lineage(data).as_dict()
        assert json.loads(json.dumps(told)) == told
        assert told["entries"][0]["path"] == told["root"]

    def test_in_notebooks_it_is_escaped(self, tmp_path):
        f = disk_cacher(tmp_path)(lambda x: x)
        f("<script>")
        assert "<script>" not in f.lineage("<script>")._repr_html_()

    def test_an_instance_is_the_first_argument_of_its_method(self, tmp_path, study):
        load, data = study[0], study[-1]

        class Study:
            @disk_cacher(tmp_path / "methods")
            def mean(self, path):
                return load(path)

        one = Study()
        one.mean(data)
        assert list(steps(one.mean.lineage(data))) == ["mean", "load"]


def _text(name):
    with open(name) as file:
        return file.read()


def test_long_chains_and_many_branches_are_shown(tmp_path):
    @disk_cacher(tmp_path)
    def fibonacci(n):
        return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

    fibonacci(150)
    found = fibonacci.lineage(150)
    assert len(found.steps) == 151
    assert len(str(found).splitlines()) < 1000
    assert max(map(len, str(found).splitlines())) <= 110


def test_too_many_entries_are_left_out_and_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "MOST", 3)
    low = disk_cacher(tmp_path)(lambda x: x)
    f = disk_cacher(tmp_path)(lambda: sum(map(low, range(5))))
    f()
    found = f.lineage()
    assert (len(found.steps), found.left_out) == (3, 3)
    assert "not looked at" in str(found)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "f.npy",
        "a/b.npy",
        "../../etc/v/x.y.npy",
        "/etc/v/x.y.npy",
        "m/../v/x.y.npy",
        "m/f/v/x.y.exe",
        ".neurotools/f/v/x.y.npy",
        "C:/f/v/x.y.npy",
        "m\\f/g/v/x.y.npy",
        "m/f/v/x\0.y.npy",
        "m/" * 3000 + "v/x.y.npy",
    ],
)
def test_no_record_leads_out_of_a_cache(path):
    assert key_at(path) is None


def test_the_path_of_a_key_leads_back_to_it():
    key = Key("pkg/mod/Class.f(locals).g", "0123456789abcd", "hash.key", "npy")
    assert key_at(key.path) == key


@pytest.mark.parametrize(
    "made_from",
    [
        None,
        3,
        "text",
        [3],
        [[]],
        [["a"]],
        [[1, 2]],
        [["../x/v/c.k.npy", ""]],
        {"a": 1},
        [["m/f/v/c.k.npy", "x"]],
    ],
)
def test_a_made_up_record_is_no_error(tmp_path, monkeypatch, made_from):
    f = disk_cacher(tmp_path)(lambda x: x)
    told = {"made_from": made_from, "made_from_more": "x", "files": [1], "traced": made_from}
    monkeypatch.setattr(f._runs, "told", lambda run, place: told)
    f(1)
    found = f.lineage(1)
    assert found.as_dict()["entries"][0]["more"] == 0
    assert str(found)


def test_a_circle_of_records_ends(tmp_path, monkeypatch):
    f = disk_cacher(tmp_path)(lambda x: x)
    own = f.key_of((1,), {})
    monkeypatch.setattr(f._runs, "told", lambda run, place: {"made_from": [[own.path, ""]]})
    f(1)
    found = lineage_of(own, [f.hierarchy])
    assert len(found.steps) == 1
    found.save(str(tmp_path / "circle.svg"))
    assert str(found)
