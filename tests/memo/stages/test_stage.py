"""Stages beyond the reference: odd functions, odd values, files anywhere, damage, processes."""

import functools
import logging
import math
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from neurotools.jobs.pipeline import Stage
from neurotools.memo.errors import UnsupportedFunction, WrongArguments


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def note():
    with open("calls", "a") as file:
        file.write("x")


def calls():
    return os.path.getsize("calls") if os.path.exists("calls") else 0


def read_all(files):
    note()
    return [Path(file).read_text() for file in _flat(files)]


def _flat(files):
    if isinstance(files, (str, os.PathLike)):
        return [files]
    items = files.values() if isinstance(files, dict) else files
    return [one for item in items for one in _flat(item)]


def write(path, text):
    """Write a file that is as old as files mostly are."""
    Path(path).write_text(text)


# ---------------------------------------------------------------- files


@pytest.mark.parametrize(
    "files",
    [
        "a",
        Path("a"),
        ["a"],
        ("b", ["a"]),
        {"x": {"y": ["b", "a"]}},
        {"x": Path("a")},
    ],
    ids=repr,
)
def test_files_count_by_content_however_deep_they_stand(files):
    stage = Stage(read_all, hash_output="cache")
    write("a", "one")
    write("b", "b")
    before = repr(files)
    assert stage.run(files) == stage.run(files)
    assert calls() == 1
    write("a", "two")
    assert "two" in stage.run(files)["output"]
    assert (calls(), repr(files)) == (2, before)


def test_a_path_object_and_its_text_are_different_inputs():
    stage = Stage(kind_of, hash_output="cache")
    write("a", "one")
    assert [stage.run(path)["output"] for path in ("a", Path("a"), "a")] == [
        "str",
        "PosixPath",
        "str",
    ]


def kind_of(path):
    return type(path).__name__


def test_a_result_that_is_named_after_an_input_is_not_given_for_another():
    stage = Stage(beside, hash_output="cache")
    for name in ("a.nii", "b.nii"):
        write(name, "same")
    names = [stage.run(name)["output"] for name in ("a.nii", "b.nii", "a.nii", "b.nii")]
    assert (names, calls()) == (["a_copy.nii", "b_copy.nii"] * 2, 2)
    assert Path("b_copy.nii").read_text() == "same"


def beside(path):
    note()
    made = path.replace(".nii", "_copy.nii")
    Path(made).write_text(Path(path).read_text())
    return made


def test_a_changed_result_file_deep_in_a_result_runs():
    stage = Stage(makes_two, hash_output="cache")
    stage.run()
    stage.run()
    assert calls() == 1
    write("second", "changed")
    stage.run()
    assert (calls(), Path("second").read_text()) == (2, "made")


def makes_two():
    note()
    for name in ("first", "second"):
        Path(name).write_text("made")
    return {"files": ["first", {"deep": Path("second")}]}


# ---------------------------------------------------------------- functions


class Scaled:
    def __init__(self, factor):
        self.factor = factor

    def times(self, x):
        note()
        return self.factor * x


def test_methods_partials_and_builtins_are_stages():
    assert Stage(Scaled(3).times, hash_output="cache").run(2) == {"output": 6}
    assert Stage(Scaled(4).times, hash_output="cache").run(2) == {"output": 8}
    assert Stage(functools.partial(pow, 2), hash_output="cache").run(5) == {"output": 32}
    assert Stage(math.sqrt, hash_output="cache").run(4) == {"output": 2.0}
    assert Stage(len, stage_name="length").run([1, 2]) == {"output": 2}


def test_functions_with_parameters_of_all_kinds():
    def all_kinds(a, /, b, *more, c=3, **rest):
        return a, b, more, c, rest

    stage = Stage(all_kinds, stage_outputs=["values"], hash_output="cache")
    for _ in range(2):
        assert stage.run(1, 2) == {"values": (1, 2, (), 3, {})}
        assert stage.run(1, 2, 4, 5, c=6, d=7) == {"values": (1, 2, (4, 5), 6, {"d": 7})}
    assert Stage(all_kinds, a=0).run(1, 2)["output"][:2] == (0, 2)


def test_a_recursive_function_is_a_stage():
    assert Stage(factorial, hash_output="cache").run(5) == {"output": 120}


def factorial(n):
    return 1 if n < 2 else n * factorial(n - 1)


def test_changed_defaults_and_closures_run():
    def made(step):
        def stepped(x, factor=step):
            return x * factor + step

        return stepped

    results = [Stage(made(step), hash_output="cache").run(10)["output"] for step in (1, 2, 1)]
    assert results == [11, 22, 11]


@pytest.mark.parametrize(
    ("args", "kwargs", "told"),
    [
        ((1,), {}, "missing a required argument: 'b'"),
        ((1, 2, 3), {}, "it takes 2 by place, and 3 were given"),
        ((1,), {"a": 1, "b": 2}, "multiple values for argument 'a'"),
    ],
)
def test_wrong_inputs_are_type_errors(args, kwargs, told):
    stage = Stage(lambda a, b: a, stage_name="stage", hash_output="cache")
    with pytest.raises(TypeError, match=told):
        stage.run(*args, **kwargs)


def test_inputs_of_an_earlier_run_do_not_stay():
    stage = Stage(lambda a, b=0: (a, b), stage_name="stage")
    assert stage.run(1, 2) == {"output": (1, 2)}
    assert stage.run(3) == {"output": (3, 0)}
    assert stage.input_args == {"a": 3}


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"c": 1}, WrongArguments, "there is no parameter 'c'; the parameters are: a"),
        ({"stage_outputs": []}, ValueError, "stage_outputs is empty"),
        ({"stage_outputs": ["x", "x"]}, ValueError, "names a result twice"),
        ({"stage_outputs": [1]}, TypeError, "a label 1, which is no text"),
        ({"aliases": {"d": "c"}}, ValueError, "alias 'd' stands for 'c'"),
        ({"stage_name": "a/b"}, ValueError, "'a/b' is no name for files"),
    ],
)
def test_what_is_wrong_with_a_stage_is_known_at_once(options, error, told):
    with pytest.raises(error, match=told):
        Stage(factorial_of_a, **options)


def factorial_of_a(a):
    return a


def test_generators_are_refused():
    with pytest.raises(UnsupportedFunction, match="it is a generator"):
        Stage(_flat_generator)


def _flat_generator():
    yield 1


# ---------------------------------------------------------------- results


@pytest.mark.parametrize(
    ("labels", "value", "expected"),
    [
        ("x", (1, 2), {"x": (1, 2)}),
        ("x", (1,), {"x": 1}),
        ("x", [1, 2], {"x": [1, 2]}),
        (["x", "y"], [1, 2], {"x": 1, "y": 2}),
        (["x", "y"], (1, 2, 3), {"x": 1, "y": 2}),
        (["x", "y"], 1, {"x": 1}),
        (None, None, {"output": None}),
    ],
)
def test_what_is_taken_apart(labels, value, expected):
    stage = Stage(same, stage_outputs=labels, hash_output="cache")
    assert stage.run(value) == expected
    assert (stage.run(value), stage.state) == (expected, "remembered")


def same(value):
    return value


class Point:
    def __init__(self, x):
        self.x = x

    def __eq__(self, other):
        return type(other) is Point and other.x == self.x

    __hash__ = None


@pytest.mark.parametrize(
    "value", [Point(3), {Point: 1}, [np.float16(1.5), {1, 2}], 10**50, "ü\ud800", b"\0"]
)
def test_values_of_any_type_are_remembered(value):
    stage = Stage(same, hash_output="cache")
    assert stage.run(value) == {"output": value}
    assert (stage.run(value), stage.state) == ({"output": value}, "remembered")


def test_arrays_are_files_that_numpy_opens():
    stage = Stage(counted, hash_output="cache")
    stage.run(5)
    (file,) = Path("cache").rglob("*.npy")
    assert np.load(file).tolist() == [0, 1, 2, 3, 4]


def counted(n):
    return np.arange(n)


def test_what_cannot_be_kept_is_returned_and_told(caplog):
    stage = Stage(lock_of, hash_output="cache")
    for _ in range(2):
        assert isinstance(stage.run(1)["output"], type(threading.Lock()))
    assert "the results of stage lock_of were not kept" in caplog.text


def lock_of(x):
    return threading.Lock()


class Unlisted(dict):
    def items(self):
        raise ValueError("it is secret")


def in_itself():
    made = []
    made.append(made)
    return made


def unlisted():
    return Unlisted()


@pytest.mark.parametrize(("make", "kind"), [(in_itself, list), (unlisted, Unlisted)])
def test_a_result_that_cannot_be_looked_into_is_returned(make, kind, caplog):
    assert type(Stage(make, hash_output="cache").run()["output"]) is kind
    assert "were not" in caplog.text


def test_an_input_without_a_digest_runs_each_time(caplog):
    stage = Stage(kind_of, hash_output="cache")
    with open("file", "w") as file:
        for _ in range(2):
            assert stage.run(file) == {"output": "TextIOWrapper"}
    assert "is run and not remembered: argument 'path'" in caplog.text


def test_a_changed_result_does_not_change_what_is_remembered():
    stage = Stage(same, hash_output="cache")
    stage.run([1, 2])["output"].append(3)
    stage.run([1, 2])["output"].append(4)
    assert stage.run([1, 2]) == {"output": [1, 2]}


def test_an_error_is_not_remembered():
    stage = Stage(fails_once, hash_output="cache")
    with pytest.raises(OSError, match="not yet"):
        stage.run(1)
    assert stage.run(1) == {"output": 1}


def fails_once(x):
    note()
    if calls() < 2:
        raise OSError("not yet")
    return x


# ---------------------------------------------------------------- the cache


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY", b"x" * 500], ids=["empty", "head", "other"])
def test_a_damaged_entry_runs_again(damage, caplog):
    stage = Stage(noted, hash_output="cache")
    stage.run(1)
    (file,) = Path("cache/stages").rglob("*.npy")
    file.write_bytes(damage)
    assert (stage.run(1), calls()) == ({"output": 2}, 2)
    assert (stage.run(1), calls()) == ({"output": 2}, 2)


def noted(x):
    note()
    return 2 * x


def test_the_files_for_people_are_not_read():
    stage = Stage(noted, hash_output="cache")
    stage.run(1)
    for suffix in ("inputs", "stage", "outputs"):
        Path(f"cache/noted.{suffix}").write_bytes(b"{half")
    assert (stage.run(1), calls()) == ({"output": 2}, 1)


def test_a_folder_that_cannot_be_used_is_told_and_the_stage_runs(caplog):
    Path("file").touch()
    with caplog.at_level(logging.WARNING):
        stage = Stage(noted, hash_output="file/cache")
        assert [stage.run(1), stage.run(1)] == [{"output": 2}] * 2
    assert "file/cache" in caplog.text


def test_several_places_fast_to_slow():
    stage = Stage(noted, hash_output=["ram://", "slow"])
    stage.run(1)
    assert (Stage(noted, hash_output="slow").run(1), calls()) == ({"output": 2}, 1)


def test_forcing():
    stage = Stage(makes_two, hash_output="cache")
    with pytest.raises(LookupError, match="stage makes_two cannot be skipped"):
        stage.run(force_skip_stage=True)
    stage.run()
    write("first", "changed")
    assert stage.run(force_skip_stage=True)["output"]["files"][0] == "first"
    assert (stage.state, calls()) == ("remembered", 1)
    Path("cache/makes_two.outputs").unlink()
    stage.run(force_run_stage=True)
    stage.run(force_hash_write=True)
    assert (stage.state, calls(), Path("cache/makes_two.outputs").exists()) == (
        "remembered",
        2,
        True,
    )


def test_what_a_stage_tells_of_itself():
    stage = Stage(noted, stage_outputs=["y"], aliases={"z": "y"}, x=1)
    assert (stage.inputs, stage.outputs, stage.args) == (["x"], ["y"], {"x": 1})
    assert (stage.state, stage.results, stage.hash_output) == ("not run", {}, None)
    stage.set_stage_arg("x", 5)
    assert (stage.run(), stage.results) == ({"y": 10}, {"y": 10, "z": 10})
    stage.del_stage_arg("x")
    stage.hash_output = "cache"
    assert (stage.run(2), stage.run(2), stage.stage_from_hash) == ({"y": 4}, {"y": 4}, True)
    assert repr(stage) == "<stage noted(x) -> y>"
    for change in (lambda: stage.set_stage_arg("q", 1), lambda: stage.del_stage_arg("q")):
        with pytest.raises(ValueError, match="there is no parameter 'q'") as refused:
            change()
        assert isinstance(refused.value, TypeError)
    with pytest.raises(KeyError):
        stage.del_stage_arg("x")


def test_a_stage_travels():
    stage = Stage(noted, hash_output="cache")
    stage.run(1)
    copy = pickle.loads(pickle.dumps(stage))
    assert (copy.run(1), copy.state, calls()) == ({"output": 2}, "remembered", 1)


def test_threads_compute_once():
    stage = Stage(noted, hash_output="cache")
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda _: Stage(noted, hash_output="cache").run(1), range(8)))
    assert (results, calls()) == ([{"output": 2}] * 8, 1)
    assert stage.run(1) == {"output": 2}


SCRIPT = """
from pathlib import Path
from neurotools.jobs.pipeline import Stage

def slow(x):
    with open("calls", "a") as file:
        file.write("x")
    while not Path("go").exists():
        pass
    return x + 1

print(Stage(slow, hash_output="cache").run(1))
"""


def test_processes_compute_once():
    Path("script.py").write_text(SCRIPT)
    started = [
        subprocess.Popen([sys.executable, "script.py"], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    Path("go").touch()
    assert [process.communicate(timeout=60)[0] for process in started] == ["{'output': 2}\n"] * 3
    assert calls() == 1


def test_a_remembered_function_can_be_a_stage():
    from neurotools.jobs.cache import disk_cacher

    remembered = disk_cacher("inner")(noted)
    stage = Stage(remembered, hash_output="cache")
    assert [stage.run(1), stage.run(1), stage.state] == [{"output": 2}] * 2 + ["remembered"]
    assert (stage.stage_name, calls()) == ("noted", 1)


def test_a_coroutine_function_is_refused():
    async def later(x):
        return x

    with pytest.raises(UnsupportedFunction, match="a stage awaits nothing"):
        Stage(later)


def test_a_result_folder_that_is_gone_runs():
    stage = Stage(makes_folder, hash_output="cache")
    stage.run("made")
    stage.run("made")
    Path("made").rmdir()
    assert (stage.run("made"), calls()) == ({"output": Path("made")}, 2)


def makes_folder(name):
    note()
    Path(name).mkdir(exist_ok=True)
    return Path(name)


def copy(source, target, back=True):
    note()
    Path(target).write_text(Path(source).read_text())
    return target if back else None


@pytest.mark.parametrize("back", [True, False])
def test_a_file_that_it_makes_among_its_inputs_is_a_result(back):
    Path("in").write_text("one")
    stage = Stage(copy, hash_output="cache", back=back)
    for _ in range(3):
        stage.run("in", "out")
    assert calls() == 1
    for damage in (lambda: os.remove("out"), lambda: Path("out").write_text("damaged")):
        damage()
        stage.run("in", "out")
        assert Path("out").read_text() == "one"
    ran = calls()
    stage.run("in", "out")
    assert calls() == ran


def test_a_copy_of_what_it_has_made_is_not_taken_for_it():
    Path("in").write_text("one")
    stage = Stage(copy, hash_output="cache")
    stage.run("in", "out")
    Path("other").write_text("one")
    assert stage.run("in", "other") == {"output": "other"}
    assert stage.run("in", "out") == {"output": "out"}


def test_an_input_that_it_changes_is_another_input():
    def count(path):
        number = int(Path(path).read_text()) + 1
        Path(path).write_text(str(number))
        return number

    Path("number").write_text("0")
    stage = Stage(count, hash_output="cache")
    assert [stage.run("number")["output"] for _ in range(3)] == [1, 2, 3]


def test_an_input_that_changes_while_it_runs_is_not_remembered(caplog):
    def read(path):
        note()
        text = Path(path).read_text()
        Path(path).write_text("later")
        return text

    stage = Stage(read, hash_output="cache")
    for _ in range(2):
        Path("in").write_text("first")
        assert stage.run("in") == {"output": "first"}
    assert calls() == 2
    assert "in changed while it ran" in caplog.text


def test_a_file_that_it_writes_anew_and_returns_is_a_result():
    stage = Stage(copy, hash_output="cache")
    Path("out").write_text("before")
    for text in ("one", "two"):
        Path("in").write_text(text)
        for _ in range(2):
            stage.run("in", "out")
        assert Path("out").read_text() == text
    assert calls() == 2


def test_an_input_that_it_changes_in_memory_is_what_it_was():
    def add(items, path):
        note()
        items.append(1)
        Path(path).write_text(str(items))
        return len(items)

    stage = Stage(add, hash_output="cache")
    assert [stage.run([], "out")["output"] for _ in range(2)] == [1, 1]
    assert stage.run([1], "out") == {"output": 2}


def make_folder(path):
    note()
    os.makedirs(path)


def test_a_folder_that_it_makes_among_its_inputs_is_a_result():
    stage = Stage(make_folder, hash_output="cache")
    stage.run("made")
    stage.run("made")
    os.rmdir("made")
    stage.run("made")
    assert (calls(), os.path.isdir("made")) == (2, True)


def test_a_folder_counts_by_content_where_it_is_wrapped():
    from neurotools.jobs.cache import File

    Path("folder").mkdir()
    stage = Stage(names_in, hash_output="cache")
    assert stage.run(File("folder")) == {"output": []}
    write("folder/a", "1")
    assert stage.run(File("folder")) == {"output": ["a"]}


def names_in(folder):
    return sorted(os.listdir(folder))
