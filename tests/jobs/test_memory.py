"""A memory for interfaces of one's own and for functions; no package is needed."""

import copy
import datetime as dt
import json
import logging
import os
import pickle
import re
import shutil
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from neurotools.jobs.memory import InterfaceFailed, Memory, PipeFunc
from neurotools.memo.errors import UnusableLocation, WrongArguments
from tests.jobs.interfaces import Beside, Repeat, Slow, Values

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def mem(tmp_path):
    return Memory(tmp_path / "base")


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "in.txt"
    path.write_text("abc")
    return str(path)


@pytest.fixture
def said(caplog):
    caplog.set_level(logging.INFO, logger="workflow")
    return lambda start: [
        line for line in (r.getMessage() for r in caplog.records) if line.startswith(start)
    ]


@pytest.fixture
def runs(said):
    """Number of runs so far."""
    return lambda: len(said("Running: "))


@pytest.fixture
def notes(tmp_path, monkeypatch):
    """A file with a line for each run of Slow, in any process."""
    path = tmp_path / "notes"
    path.write_text("")
    monkeypatch.setenv("NOTES", str(path))
    return path


def started(notes):
    while not notes.read_text():
        time.sleep(0.02)


def elsewhere(code, *args, wait=True):
    """Run code in another process."""
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, args)]
    if not wait:
        return subprocess.Popen(command, cwd=ROOT)
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


class TestReference:
    """What the documentation of nipype's caching says, statement by statement."""

    def test_the_cache_is_a_sub_folder_so_that_base_dir_is_not_polluted(self, tmp_path):
        (tmp_path / "mine.txt").write_text("mine")
        Memory(base_dir=tmp_path)
        assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.txt", "nipype_mem"]

    def test_cache_takes_classes_and_not_instances(self, mem):
        with pytest.raises(ValueError, match=r"class is needed, not an instance of .*Repeat"):
            mem.cache(Repeat())

    @pytest.mark.parametrize("nothing", ["bet", 3, ["bet"]], ids=repr)
    def test_cache_tells_that_it_takes_classes_and_functions(self, mem, nothing):
        with pytest.raises(ValueError, match=r"an interface class or a function, not .*\(type "):
            mem.cache(nothing)

    def test_inputs_are_given_as_keyword_arguments_of_their_names(self, mem, text):
        assert Path(mem.cache(Repeat)(in_file=text, times=3).outputs.out_file).read_text() == (
            "abcabcabc"
        )

    def test_the_string_form_names_class_and_folder(self, mem):
        assert repr(mem.cache(Repeat)) == (
            f"PipeFunc(tests.jobs.interfaces.Repeat, base_dir={mem.base_dir})"
        )

    def test_help_shows_the_class_and_its_inputs(self, mem):
        told = mem.cache(Repeat).__doc__
        assert "Write a file several times over" in told
        assert all(name in told for name in ("in_file", "times=2"))

    def test_executing_and_running_are_logged(self, mem, text, said):
        folder = mem.cache(Repeat)(in_file=text).folder
        (line,) = said("Executing node")
        assert line == f"Executing node {os.path.basename(folder)} in dir: {folder}"
        assert re.fullmatch(r".*nipype_mem/tests-jobs-interfaces-Repeat/[0-9a-f]{32}", folder)

    def test_the_same_inputs_are_not_computed_but_reloaded(self, mem, text, runs, said):
        repeat = mem.cache(Repeat)
        first, second = repeat(in_file=text), repeat(in_file=text)
        assert (runs(), len(said("Collecting precomputed outputs"))) == (1, 1)
        assert len(said("Executing node")) == 2
        assert first.outputs == second.outputs

    def test_outputs_say_where_an_operation_has_been_persisted(self, mem, text):
        result = mem.cache(Repeat)(in_file=text)
        assert os.path.dirname(result.outputs.out_file) == result.folder == result.runtime.cwd

    def test_files_are_not_overridden_when_parameters_vary(self, mem, text):
        repeat = mem.cache(Repeat)
        outs = [repeat(in_file=text, times=n).outputs.out_file for n in (1, 2, 3)]
        assert [Path(out).read_text() for out in outs] == ["abc", "abcabc", "abcabcabc"]

    def test_plain_python_stages_operations(self, mem, text, runs):
        for _ in range(2):
            first = mem.cache(Repeat)(in_file=text)
            last = mem.cache(Repeat)(in_file=first.outputs.out_file)
        assert (Path(last.outputs.out_file).read_text(), runs()) == ("abc" * 4, 2)

    def test_the_folder_holds_logs_by_date_and_a_folder_for_the_interface(self, mem, text):
        mem.cache(Repeat)(in_file=text)
        names = {p.name for p in Path(mem.base_dir).iterdir() if p.name[0] != "."}
        year = time.localtime().tm_year
        assert names == {f"log.{year}", "log.current", "tests-jobs-interfaces-Repeat"}

    def test_clear_runs_since_without_a_date_keeps_what_was_used_today(self, mem, text, runs):
        mem.cache(Repeat)(in_file=text)
        mem.clear_runs_since()
        mem.cache(Repeat)(in_file=text)
        assert runs() == 1

    def test_clear_runs_since_a_future_date_removes_all_and_says_so(self, mem, text, capsys, runs):
        folder = mem.cache(Repeat)(in_file=text).folder
        mem.clear_runs_since(year=time.localtime().tm_year + 1, month=1, day=1)
        assert capsys.readouterr().out == f"removing directory: {os.path.dirname(folder)}\n"
        assert not os.path.exists(os.path.dirname(folder))
        mem.cache(Repeat)(in_file=text)
        assert runs() == 2

    def test_clear_runs_since_goes_by_the_local_date_of_the_last_use(self, mem, text):
        folder = mem.cache(Repeat)(in_file=text).folder
        log = next(Path(mem.base_dir).glob("log.*/*/*.log"))
        day = dt.date.today() - dt.timedelta(1)
        earlier = Path(mem.base_dir, f"log.{day.year}", f"{day.month:02}", f"{day.day:02}.log")
        earlier.parent.mkdir(parents=True, exist_ok=True)
        os.replace(log, earlier)  # as if it had been used yesterday
        mem.clear_runs_since(day.day, day.month, day.year)
        assert os.path.exists(folder)
        mem.clear_runs_since()
        assert (os.path.exists(folder), earlier.exists()) == (False, False)

    def test_clear_runs_since_tells_that_there_is_no_such_date(self, mem):
        with pytest.raises(ValueError, match="month must be in"):
            mem.clear_runs_since(month=13)

    def test_clear_previous_runs_removes_what_was_not_used_since_the_object_was_made(
        self, mem, text, capsys
    ):
        old = mem.cache(Repeat)(in_file=text, times=1).folder
        new = Memory(mem.location)
        used = new.cache(Repeat)(in_file=text, times=2).folder
        new.clear_previous_runs()
        assert capsys.readouterr().out == f"removing directory: {old}\n"
        assert (os.path.exists(old), os.path.exists(used)) == (False, True)

    def test_without_warn_nothing_is_said(self, mem, text, capsys):
        mem.cache(Repeat)(in_file=text)
        Memory(mem.location).clear_previous_runs(warn=False)
        mem.clear_runs_since(year=2100, warn=False)
        assert capsys.readouterr().out == ""

    def test_pipe_func_works_alone_on_any_directory(self, tmp_path, text):
        calls = []
        repeat = PipeFunc(Repeat, base_dir=tmp_path, callback=lambda *names: calls.append(names))
        folder = repeat(in_file=text).folder
        repeat(in_file=text)
        assert calls == [("tests-jobs-interfaces-Repeat", os.path.basename(folder))] * 2
        assert not (tmp_path / "nipype_mem").exists()

    def test_pipe_func_needs_a_directory_that_is_there(self, tmp_path):
        with pytest.raises(ValueError, match="base_dir should be an existing directory"):
            PipeFunc(Repeat, base_dir=tmp_path / "missing")


class TestKeys:
    def test_order_and_spelled_out_defaults_do_not_matter(self, mem, text, runs):
        repeat = mem.cache(Repeat)
        folders = {
            repeat(in_file=text, times=2).folder,
            repeat(times=2, in_file=text).folder,
            repeat(in_file=text).folder,
        }
        assert (len(folders), runs()) == (1, 1)

    @pytest.mark.parametrize("pair", [(1, 1.0), (1, True), ("1", 1), ([1], (1,)), (0.0, -0.0)])
    def test_unequal_values_are_different_nodes(self, mem, pair):
        values = mem.cache(Values)
        for _ in range(2):
            found = [values(what=what).outputs.value for what in pair]
            assert list(map(repr, found)) == list(map(repr, pair))

    def test_a_file_counts_by_content_and_name_and_not_by_place(self, mem, tmp_path, text, runs):
        other = tmp_path / "moved" / "in.txt"
        other.parent.mkdir()
        other.write_text("abc")
        first, second = (mem.cache(Repeat)(in_file=str(path)) for path in (text, other))
        assert (first.folder, runs()) == (second.folder, 1)
        # What the interface gave back of its inputs is that of this call.
        assert (first.outputs.source, second.outputs.source) == (text, str(other))

    def test_a_place_counts_where_outputs_are_written_beside_inputs(self, mem, tmp_path, text):
        other = tmp_path / "other" / "in.txt"
        other.parent.mkdir()
        shutil.copy(text, other)
        beside = mem.cache(Beside)
        for path in (text, str(other), text):
            for _ in range(2):
                assert beside(in_file=path).outputs.out_file == path + ".out"
        assert (other.parent / "in.txt.out").exists()

    def test_changed_content_of_equal_size_and_time_runs_again(self, mem, text):
        repeat, before = mem.cache(Repeat), os.stat(text)
        repeat(in_file=text)
        Path(text).write_text("xyz")
        os.utime(text, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert Path(repeat(in_file=text).outputs.out_file).read_text() == "xyzxyz"

    def test_a_touched_file_does_not_run_again(self, mem, text, runs):
        mem.cache(Repeat)(in_file=text)
        os.utime(text, (1, 1))
        mem.cache(Repeat)(in_file=text)
        assert runs() == 1

    def test_a_function_counts_by_its_code(self, mem):
        for function, other in ((_double, np.mean), (_double, np.mean)):
            found = [mem.cache(Values)(what=what).outputs.value for what in (function, other)]
            assert found == [function, other]

    def test_a_relative_path_means_the_file_that_is_there_now(self, mem, tmp_path, monkeypatch):
        found = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "in.txt").write_text(name)
            monkeypatch.chdir(tmp_path / name)
            found.append(Path(mem.cache(Repeat)(in_file="in.txt").outputs.out_file).read_text())
        assert found == ["oneone", "twotwo"]

    def test_an_interface_that_says_so_runs_always(self, mem, text, runs, monkeypatch):
        monkeypatch.setattr(Repeat, "always_run", True, raising=False)
        results = [mem.cache(Repeat)(in_file=text) for _ in range(2)]
        assert runs() == 2
        assert all(os.path.exists(result.outputs.out_file) for result in results)

    def test_a_changed_version_of_the_interface_runs_again(self, mem, text, runs, monkeypatch):
        repeat = mem.cache(Repeat)
        repeat(in_file=text)
        monkeypatch.setattr(Repeat, "version", "2.0")
        repeat(in_file=text)
        assert runs() == 2

    def test_changed_code_of_a_helper_runs_again(self, mem, text, tmp_path, monkeypatch, runs):
        head = "from tests.jobs.interfaces import Repeat\n"
        helper = "def helper(found):\n    {more}return found\n"
        run = "    def run(self, cwd):\n        return helper(super().run(cwd))\n"
        monkeypatch.syspath_prepend(tmp_path)
        for number, more in enumerate(("", "found.outputs.size += 1; ", "")):
            (tmp_path / f"tool{number}.py").write_text("")
            space = {"__name__": "tool0"}
            source = (head + helper + "class Tool(Repeat):\n" + run).format(more=more)
            exec(compile(source, str(tmp_path / "tool0.py"), "exec"), space)
            (tmp_path / "tool0.py").write_text(source)
            mem.cache(space["Tool"])(in_file=text)
        assert runs() == 2

    def test_the_program_that_runs_counts(self, mem, tmp_path, monkeypatch, runs):
        tool = tmp_path / "bin" / "tool"
        tool.parent.mkdir()
        monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setattr(Values, "cmd", "tool", raising=False)
        for content in ("#!/bin/sh\n", "#!/bin/sh\n", "#!/bin/sh\n# newer\n"):
            tool.write_text(content)
            tool.chmod(0o755)
            mem.cache(Values)(what=1)
        assert runs() == 2

    def test_a_version_that_a_program_tells_counts(self, mem, tmp_path, monkeypatch, runs):
        tool = tmp_path / "bin" / "tool"
        tool.parent.mkdir()
        monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setattr(Values, "cmd", "tool", raising=False)
        asked = property(lambda self: subprocess.run(["tool"], stdout=-1, check=True).stdout)
        monkeypatch.setattr(Values, "version", asked, raising=False)
        values = mem.cache(Values)
        for version in ("1", "1", "2"):
            if not tool.exists() or version not in tool.read_text():
                tool.write_text(f"#!/bin/sh\necho {version}\n")
                tool.chmod(0o755)
            values(what=1)
        assert runs() == 2

    def test_a_program_that_comes_before_the_other_counts(self, mem, tmp_path, monkeypatch, runs):
        folders = [tmp_path / name for name in ("first", "second")]
        for folder in folders:
            folder.mkdir()
        monkeypatch.setenv("PATH", os.pathsep.join(map(str, folders)))
        monkeypatch.setattr(Values, "cmd", "tool", raising=False)
        values = mem.cache(Values)
        for folder in reversed(folders):
            (folder / "tool").write_text(f"#!/bin/sh\necho {folder}\n")
            (folder / "tool").chmod(0o755)
            values(what=1)
            values(what=1)
        assert runs() == 2

    def test_an_image_seen_before_is_not_read_again(self, mem, tmp_path, monkeypatch):
        from neurotools.memo.digest import files

        image = tmp_path / "image.nii"
        image.write_bytes(bytes(3 << 20))
        # Until its times can be relied on.
        time.sleep(files.seconds_to_settle(os.stat(image)) + 0.05)
        mem.cache(Values)(what=str(image))
        read = []
        real = files._read
        monkeypatch.setattr(files, "_read", lambda path: read.append(path) or real(path))
        mem.cache(Values)(what=str(image))
        files._digests.clear()  # as in another process: a note has been kept
        Memory(mem.location).cache(Values)(what=str(image))
        assert str(image) not in read

    def test_what_cannot_be_digested_runs_each_time_with_one_warning(self, mem, caplog):
        with open(os.devnull) as stream:
            results = [mem.cache(Values)(what=stream) for _ in range(2)]
        assert results[0].folder != results[1].folder
        assert caplog.text.count("runs each time: input 'what' of type") == 1
        assert "was not kept" in caplog.text
        assert results[0].outputs.value is stream


class TestOutputs:
    @pytest.mark.parametrize(
        "value",
        [None, True, 3, -0.5, "text", [1, [2]], (1, ("a",)), {"a": 1, 2: (3,)}, Path("a"), b"raw"],
        ids=repr,
    )
    def test_values_come_back_as_they_were(self, mem, value):
        values = mem.cache(Values)
        first, second = values(what=value).outputs.value, values(what=value).outputs.value
        again = Memory(mem.location).cache(Values)(what=value).outputs.value
        for found in (first, second, again):
            assert (type(found), found) == (type(value), value)

    def test_arrays_and_objects_come_back_each_time_anew(self, mem):
        value = [np.arange(3.0), {1, 2}, dt.date(2026, 1, 2), float("inf")]
        values = mem.cache(Values)
        for _ in range(3):
            values(what=copy.deepcopy(value)).outputs.value[0][:] = 7
        again = Memory(mem.location).cache(Values)(what=value).outputs.value
        np.testing.assert_array_equal(again[0], [0.0, 1.0, 2.0])
        assert again[1:] == value[1:]

    def test_what_a_caller_changes_does_not_change_what_is_kept(self, mem):
        values = mem.cache(Values)
        for _ in range(3):
            found = values(what=[1, [2]]).outputs
            assert found.value == [1, [2]]
            found.value[1].append(3)

    def test_the_record_lists_all_files_with_checksums_and_relative_paths(self, mem, text):
        result = mem.cache(Repeat)(in_file=text)
        record = json.loads((Path(result.folder) / "_node.json").read_text())["node"]
        assert {name: facts["bytes"] for name, facts in record["files"].items()} == {
            "out.txt": 6,
            "side.txt": 9,
        }
        assert record["outputs"]["out_file"] == {"file": "out.txt"}
        assert all(len(facts["digest"]) == 32 for facts in record["files"].values())
        assert record["state"] == "done"

    def test_inputs_and_runtime_are_there_on_hits_too(self, mem, text):
        for _ in range(2):
            result = mem.cache(Repeat)(in_file=text)
            assert result.inputs["in_file"] == text
            assert (result.runtime.returncode, result.runtime.duration) == (0, 0.5)

    def test_inputs_are_those_of_the_call_also_where_json_cannot_hold_them(self, mem):
        values = mem.cache(Values)
        for memory in (mem, mem, Memory(mem.location)):
            found = memory.cache(Values)(what=np.arange(3)).inputs["what"]
            np.testing.assert_array_equal(found, np.arange(3))
        assert values(what={"a": (1, 2)}).inputs["what"] == {"a": (1, 2)}

    @pytest.mark.parametrize("inputs", [SimpleNamespace(x=1), type("Inputs", (), {"x": 1})])
    def test_inputs_that_stand_in_the_class_are_not_shared_by_calls(self, mem, inputs):
        class Same:
            def run(self, cwd):
                return SimpleNamespace(outputs=SimpleNamespace(x=self.inputs.x))

        Same.inputs = inputs
        same = mem.cache(Same)
        assert [same(x=5).outputs.x, same().outputs.x, Same.inputs.x] == [5, 1, 1]

    def test_inputs_may_be_those_of_something_that_is_wrapped(self, mem, text):
        class Wrapping:
            def __init__(self):
                self._inner = Repeat()

            def __getattr__(self, name):
                return getattr(self.__dict__["_inner"], name)

            def run(self, cwd):
                return self._inner.run(cwd)

        result = mem.cache(Wrapping)(in_file=text, times=3)
        assert Path(result.outputs.out_file).read_text() == "abcabcabc"

    def test_a_cache_that_was_moved_still_resolves(self, mem, text, tmp_path, runs):
        mem.cache(Repeat)(in_file=text)
        os.rename(mem.location, tmp_path / "elsewhere")
        found = Memory(tmp_path / "elsewhere").cache(Repeat)(in_file=text)
        assert found.outputs.out_file.startswith(str(tmp_path / "elsewhere"))
        assert (Path(found.outputs.out_file).read_text(), runs()) == ("abcabc", 1)

    @pytest.mark.parametrize("name", ["out.txt", "side.txt"])
    @pytest.mark.parametrize("how", ["missing", "truncated", "modified", "a folder"])
    def test_a_file_that_is_not_what_it_was_runs_again(self, mem, text, runs, name, how):
        repeat = mem.cache(Repeat)
        path = Path(repeat(in_file=text).folder) / name
        was = path.read_text()
        if how in ("missing", "a folder"):
            path.unlink()
        if how == "a folder":
            path.mkdir()
        if how == "truncated":
            path.write_text(was[:2])
        if how == "modified":
            facts = path.stat()
            path.write_text("x" * len(was))
            os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
        repeat(in_file=text)
        assert (path.read_text(), runs()) == (was, 2)

    def test_what_a_person_changed_in_a_result_is_set_aside_and_not_lost(self, mem, text, caplog):
        path = Path(mem.cache(Repeat)(in_file=text).outputs.out_file)
        path.write_text("worked on")
        mem.cache(Repeat)(in_file=text)
        (kept,) = (Path(mem.base_dir) / ".neurotools" / "changed").iterdir()
        assert (kept / "out.txt").read_text() == "worked on"
        assert str(kept) in caplog.text

    @pytest.mark.parametrize("cut", [0, 10, -20])
    def test_a_damaged_record_runs_again(self, mem, text, runs, cut):
        folder = Path(mem.cache(Repeat)(in_file=text).folder)
        whole = (folder / "_node.json").read_text()
        (folder / "_node.json").write_text(whole[:cut])
        Memory(mem.location).cache(Repeat)(in_file=text)
        (folder / "_node.json").write_text(whole.replace('"size": 6', '"size": 7'))
        assert Memory(mem.location).cache(Repeat)(in_file=text).outputs.size == 6
        assert runs() == 3

    def test_copies_belong_to_the_user(self, mem, text, tmp_path, runs):
        repeat = mem.cache(Repeat, copy_to=tmp_path / "results")
        for _ in range(2):
            result = repeat(in_file=text)
            (copied,) = result.placed
            assert Path(copied).read_text() == "abcabc"
            Path(copied).write_text("changed")
        assert (copied, runs()) == (str(tmp_path / "results" / "out.txt"), 1)

    def test_links_lead_to_the_node(self, mem, text, tmp_path):
        result = mem.cache(Repeat)(in_file=text, link_to=tmp_path / "links")
        assert os.readlink(tmp_path / "links" / "out.txt") == result.outputs.out_file
        (tmp_path / "links" / "out.txt").unlink()
        (tmp_path / "links" / "out.txt").write_text("a person's")
        with pytest.raises(FileExistsError, match="something else where a link"):
            result.link_to(tmp_path / "links")


class TestFailures:
    def test_an_interface_raises_its_own_error_and_its_folder_stays(self, mem, text, caplog):
        with pytest.raises(ZeroDivisionError, match="asked to fail"):
            mem.cache(Repeat)(in_file=text, fail=True)
        (record,) = Path(mem.base_dir).glob("*/*/_node.json")
        assert json.loads(record.read_text())["node"]["state"] == "failed"
        assert (record.parent / "out.txt").exists()
        assert str(record.parent) in caplog.text

    def test_an_exit_code_that_is_not_zero_is_a_failure(self, mem, text):
        with pytest.raises(InterfaceFailed, match="Repeat failed with exit code 3"):
            mem.cache(Repeat)(in_file=text, exit_code=3)

    def test_a_failure_is_no_hit_and_the_rerun_starts_clean(self, mem, text, runs):
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                mem.cache(Repeat)(in_file=text, fail=True)
            (record,) = Path(mem.base_dir).glob("*/*/_node.json")
            assert not (record.parent / "left.txt").exists()
            (record.parent / "left.txt").write_text("of the first run")
        assert runs() == 2

    def test_the_callback_is_not_called_for_failures(self, mem, text):
        calls = []
        repeat = mem.cache(Repeat, callback=lambda *names: calls.append(names))
        with pytest.raises(ZeroDivisionError):
            repeat(in_file=text, fail=True)
        assert calls == []

    def test_a_result_of_an_input_that_changed_meanwhile_is_not_kept(
        self, mem, text, monkeypatch, caplog
    ):
        real = Repeat.run

        def run(self, cwd):
            found = real(self, cwd)
            Path(text).write_text("new")
            return found

        monkeypatch.setattr(Repeat, "run", run)
        mem.cache(Repeat)(in_file=text)
        assert "an input has changed while it was made" in caplog.text
        monkeypatch.setattr(Repeat, "run", real)
        Path(text).write_text("abc")
        assert Path(mem.cache(Repeat)(in_file=text).outputs.out_file).read_text() == "abcabc"

    def test_an_output_that_was_not_made_is_an_error(self, mem, text, monkeypatch):
        real = Repeat.run

        def run(self, cwd):
            found = real(self, cwd)
            os.unlink(found.outputs.out_file)
            return found

        monkeypatch.setattr(Repeat, "run", run)
        with pytest.raises(FileNotFoundError, match="an output was not made"):
            mem.cache(Repeat)(in_file=text)

    @pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
    def test_an_interrupted_run_is_no_hit(self, mem, text, runs, monkeypatch, error):
        real = Repeat.run
        monkeypatch.setattr(Repeat, "run", lambda self, cwd: (_ for _ in ()).throw(error))
        with pytest.raises(error):
            mem.cache(Repeat)(in_file=text)
        monkeypatch.setattr(Repeat, "run", real)
        mem.cache(Repeat)(in_file=text)
        assert runs() == 2

    def test_a_run_that_was_killed_is_taken_over(self, mem, text, notes, runs):
        code = """
            import sys
            from neurotools.jobs.memory import Memory
            from tests.jobs.interfaces import Slow
            Memory(sys.argv[1]).cache(Slow)(in_file=sys.argv[2])
        """
        held = Path(f"{notes}-held")
        held.touch()
        process = elsewhere(code, mem.location, text, wait=False)
        started(notes)
        process.kill()
        process.wait()
        held.unlink()
        (record,) = Path(mem.base_dir).glob("*/*/_node.json")
        assert json.loads(record.read_text())["node"]["state"] == "running"
        (record.parent / "left.txt").write_text("of the run that was killed")
        mem.cache(Slow)(in_file=text)
        assert (runs(), (record.parent / "left.txt").exists()) == (1, False)

    @pytest.mark.parametrize("name", ["x" * 300, "Größe" * 40])
    def test_classes_of_long_names_have_folders(self, mem, text, name):
        result = mem.cache(type(name, (Repeat,), {}))(in_file=text)
        assert os.path.exists(result.outputs.out_file)

    def test_something_that_is_not_ours_is_not_touched(self, mem, text):
        folder = Path(mem.cache(Repeat)(in_file=text).folder)
        for path in folder.iterdir():
            path.unlink()
        (folder / "mine.txt").write_text("a person's")
        with pytest.raises(FileExistsError, match="the cache did not make"):
            mem.cache(Repeat)(in_file=text)
        mem.clear_runs_since(year=2100)
        assert (folder / "mine.txt").read_text() == "a person's"

    def test_wrong_inputs_are_told_with_the_right_ones(self, mem):
        with pytest.raises(
            WrongArguments, match="no input 'infile'; the inputs are in_file, times"
        ):
            mem.cache(Repeat)(infile="x")
        with pytest.raises(ValueError, match=r"int is no interface class: it has no method run"):
            mem.cache(int)

    def test_a_cache_that_was_removed_is_made_anew(self, mem, text, runs):
        repeat = mem.cache(Repeat)
        for _ in range(2):
            shutil.rmtree(mem.location)
            assert repeat(in_file=text).outputs.size == 6
        assert runs() == 2

    def test_a_working_directory_that_is_gone_is_no_trouble(self, mem, text, tmp_path, monkeypatch):
        (tmp_path / "gone").mkdir()
        monkeypatch.chdir(tmp_path / "gone")
        (tmp_path / "gone").rmdir()
        for _ in range(2):
            assert mem.cache(Repeat)(in_file=text).outputs.size == 6

    @pytest.mark.parametrize(
        "option", [{"method": "nyp"}, {"mmap_mode": "q"}, {"packages": "some"}, {"compress": "zap"}]
    )
    def test_an_option_that_there_is_not_makes_no_folder(self, tmp_path, option):
        with pytest.raises(ValueError, match="unknown"):
            Memory(tmp_path / "none", **option)
        assert not (tmp_path / "none").exists()

    def test_a_place_where_there_can_be_no_folder_is_told(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(UnusableLocation, match="base_dir cannot be made"):
            Memory(tmp_path / "file")


class TestTogether:
    CODE = """
        import sys
        from neurotools.jobs.memory import Memory
        from tests.jobs.interfaces import Slow
        base, text = sys.argv[1:]
        print(Memory(base).cache(Slow)(in_file=text).outputs.size)
    """

    def test_of_two_processes_one_runs_and_the_other_waits(self, mem, text, notes):
        processes = [elsewhere(self.CODE, mem.location, text, wait=False) for _ in range(3)]
        assert [process.wait() for process in processes] == [0, 0, 0]
        assert len(notes.read_text().split()) == 1

    def test_of_many_threads_one_runs_and_the_others_wait(self, mem, text, notes):
        found, slow = [], mem.cache(Slow)

        def call():
            found.append(slow(in_file=text, seconds=0.2).outputs.size)

        threads = [threading.Thread(target=call) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (found, len(notes.read_text().split())) == ([6] * 8, 1)

    def test_a_folder_in_which_another_process_runs_is_not_removed(self, mem, text, notes):
        process = elsewhere(self.CODE, mem.location, text, wait=False)
        started(notes)
        mem.clear_runs_since(year=2100)
        assert process.wait() == 0

    def test_what_a_process_was_given_stays_while_it_lives(self, mem, text):
        code = """
            import sys
            from neurotools.jobs.memory import Memory
            from tests.jobs.interfaces import Repeat
            print(Memory(sys.argv[1]).cache(Repeat)(in_file=sys.argv[2]).folder, flush=True)
            sys.stdin.read()
        """
        command = [sys.executable, "-c", textwrap.dedent(code), mem.location, text]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, cwd=ROOT, **pipes) as process:
            folder = process.stdout.readline().strip()
            mem.clear_runs_since(year=2100)
            mem.clear(warn=False)
            mem.reduce_size(items_limit=0)
            assert os.path.isdir(folder) or os.name == "nt"
            process.kill()
        mem.clear_runs_since(year=2100)
        assert not os.path.exists(folder)

    def test_used_means_used_by_any_process(self, mem, text):
        repeat = mem.cache(Repeat)
        folders = [repeat(in_file=text, times=n).folder for n in (1, 2)]
        new = Memory(mem.location)
        elsewhere(
            """
            import sys
            from neurotools.jobs.memory import Memory
            from tests.jobs.interfaces import Repeat
            Memory(sys.argv[1]).cache(Repeat)(in_file=sys.argv[2], times=1)
            """,
            mem.location,
            text,
        )
        new.clear_previous_runs()
        assert [os.path.exists(folder) for folder in folders] == [True, False]

    def test_a_pipe_func_and_a_memory_travel(self, mem, text, runs):
        repeat = pickle.loads(pickle.dumps(mem.cache(Repeat)))
        repeat(in_file=text)
        other = pickle.loads(pickle.dumps(mem))
        other.cache(Repeat)(in_file=text)
        assert (other.base_dir, runs()) == (mem.base_dir, 1)
        assert copy.deepcopy(mem) is mem


class TestSlower:
    """Results are written back to slower places, and restored from them on another machine."""

    def test_a_node_is_restored_where_it_never_ran(self, tmp_path, text, runs):
        share = tmp_path / "share"
        Memory(tmp_path / "one", slower=share).cache(Repeat)(in_file=text)
        found = Memory(tmp_path / "two", slower=share).cache(Repeat)(in_file=text)
        assert (Path(found.outputs.out_file).read_text(), runs()) == ("abcabc", 1)
        assert found.outputs.out_file.startswith(str(tmp_path / "two"))
        assert (Path(found.folder) / "side.txt").read_text() == "beside it"

    def test_any_tier_will_do(self, tmp_path, text, runs):
        from neurotools.memo.tiers.ram import RamTier

        tier = RamTier(10**8)
        for name in ("one", "two"):
            found = Memory(tmp_path / name, slower=tier).cache(Repeat)(in_file=text)
            assert Path(found.outputs.out_file).read_text() == "abcabc"
        assert runs() == 1

    def test_a_place_at_a_url_will_do(self, tmp_path, text, runs):
        pytest.importorskip("fsspec", reason="pip install 'neurotools[remote]'")
        for name in ("one", "two"):
            mem = Memory(tmp_path / name, slower=f"memory://{tmp_path.name}")
            assert Path(mem.cache(Repeat)(in_file=text).outputs.out_file).read_text() == "abcabc"
            assert mem.cache(Values)(what=[np.arange(3)]).outputs.value[0].tolist() == [0, 1, 2]
        assert runs() == 2

    def test_a_slower_place_that_fails_does_not_fail_the_call(self, tmp_path, text, caplog):
        mem = Memory(tmp_path / "one", slower=tmp_path / "share")
        shutil.rmtree(tmp_path / "share")
        (tmp_path / "share").write_text("in the way")
        assert mem.cache(Repeat)(in_file=text).outputs.size == 6

    def test_a_record_that_leads_out_of_the_folder_is_not_followed(self):
        from neurotools.memo.nodes import packed

        for name in ("../x", "/x", "a/../../x", "a//b", ""):
            with pytest.raises(ValueError, match="leads out of its folder"):
                packed._safe(name)

    def test_values_of_all_kinds_are_restored(self, tmp_path, runs):
        value = [np.arange(3), {1}, "text", dt.timedelta(1)]
        for name in ("one", "two"):
            mem = Memory(tmp_path / name, slower=[tmp_path / "share"])
            found = mem.cache(Values)(what=value).outputs.value
            assert (found[0].tolist(), found[1:], runs()) == ([0, 1, 2], value[1:], 1)

    def test_damage_in_the_slower_place_runs_again(self, tmp_path, text, runs):
        Memory(tmp_path / "one", slower=tmp_path / "share").cache(Repeat)(in_file=text)
        for path in (tmp_path / "share").rglob("*.npy"):
            raw = bytearray(path.read_bytes())
            raw[len(raw) // 2] ^= 1
            path.write_bytes(bytes(raw))
        found = Memory(tmp_path / "two", slower=tmp_path / "share").cache(Repeat)(in_file=text)
        assert (Path(found.outputs.out_file).read_text(), runs()) == ("abcabc", 2)

    def test_functions_are_written_back_too(self, tmp_path):
        count = tmp_path / "count"

        def double(x):
            with count.open("a") as file:
                file.write("1")
            return 2 * x

        for name in ("one", "two"):
            mem = Memory(tmp_path / name, slower=tmp_path / "share")
            assert mem.cache(double)(2) == 4
        assert count.read_text() == "1"


class TestFunctions:
    def test_cache_is_a_decorator_with_and_without_arguments(self, mem):
        computed = []

        @mem.cache
        def double(x):
            computed.append(x)
            return 2 * x

        @mem.cache(ignore=["jobs"])
        def triple(x, jobs=1):
            return [3 * x, jobs]

        assert (double(2), double(2), len(computed)) == (4, 4, 1)
        assert triple(2, jobs=1) == triple(2, jobs=5) == [6, 1]

    def test_eval_remembers(self, mem):
        assert mem.eval(_double, 3) == mem.eval(_double, x=3) == 6

    def test_results_can_be_shelved_and_cleared(self, mem):
        double = mem.cache(_double)
        shelved = pickle.loads(pickle.dumps(double.call_and_shelve(21)))
        assert (shelved.get(), double.check_call_in_cache(21)) == (42, True)
        shelved.clear()
        with pytest.raises(KeyError, match="is gone"):
            shelved.get()
        assert double.call(4)[0] == 8
        double.clear(warn=False)
        assert not double.check_call_in_cache(4)
        assert double.func is _double

    def test_a_remembered_function_travels(self, mem):
        assert pickle.loads(pickle.dumps(mem.cache(_double)))(4) == 8

    def test_clear_removes_functions_and_runs(self, mem, text, runs):
        double, repeat = mem.cache(_double), mem.cache(Repeat)
        double(1)
        repeat(in_file=text)
        mem.clear(warn=False)
        assert not double.check_call_in_cache(1)
        repeat(in_file=text)
        assert runs() == 2

    def test_a_memory_without_a_folder_has_nothing_to_clear(self):
        nowhere = Memory(None)
        for clear in (nowhere.clear, nowhere.clear_previous_runs, nowhere.clear_runs_since):
            clear()

    def test_clearing_runs_leaves_functions(self, mem):
        mem.cache(_double)(1)
        mem.clear_runs_since(year=2100)
        assert mem.cache(_double).check_call_in_cache(1)

    def test_options_of_the_other_kind_are_refused(self, mem):
        with pytest.raises(TypeError, match="does not take copy_to"):
            mem.cache(_double, copy_to="x")
        with pytest.raises(TypeError, match=r"takes ignore, verbose.*; not \['ignored'\]"):
            mem.cache(_double, ignored=["x"])


class TestReduceSize:
    def test_the_least_lately_used_goes_first(self, mem):
        double = mem.cache(_double)
        for x in range(4):
            double(x)
            os.utime(double.locate(x), (1000 + x, 1000 + x))
        mem.reduce_size(items_limit=2)
        assert [double.check_call_in_cache(x) for x in range(4)] == [False, False, True, True]

    def test_runs_count_as_well(self, mem, text):
        folder = mem.cache(Repeat)(in_file=text).folder
        mem.reduce_size(bytes_limit="1K")
        assert not os.path.exists(folder)

    def test_age_is_a_limit(self, mem):
        double = mem.cache(_double)
        double(1)
        double(2)
        os.utime(double.locate(1), (1, 1))
        mem.reduce_size(age_limit=dt.timedelta(days=1))
        assert [double.check_call_in_cache(x) for x in (1, 2)] == [False, True]

    def test_nonsense_is_told(self, mem):
        for limits in ({"bytes_limit": "much"}, {"bytes_limit": -1}, {"items_limit": -1}):
            with pytest.raises(ValueError, match=r"_limit=.* is (no size|negative)"):
                mem.reduce_size(**limits)
        with pytest.raises(TypeError, match=r"age_limit=3 is no datetime\.timedelta"):
            mem.reduce_size(age_limit=3)


def _double(x):
    return 2 * x


def test_the_error_of_a_command_says_what_it_was():
    error = InterfaceFailed("Tool", "tool -x", 3, "no such option", "/folder")
    copied = pickle.loads(pickle.dumps(error))
    assert (str(copied), copied.exit_code) == (str(error), 3)
    assert re.search(r"exit code 3\nCommand: tool -x\n.*\nno such option\n.*/folder", str(error))
