"""Stage and Pipeline: each statement of the reference. A docstring is the statement it shows."""

import hashlib
import json
import textwrap

import pytest

from neurotools.jobs.pipeline import Pipeline, Stage, hashable, redefine_result_key


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """Return what counts calls: a file, since a list would be what the code depends on."""
    monkeypatch.chdir(tmp_path)
    return Calls(tmp_path / "calls")


class Calls:
    """Names of functions that have run."""

    def __init__(self, path):
        self.path = path

    def __len__(self):
        return len(self.path.read_text().split()) if self.path.exists() else 0


def note(name):
    with open("calls", "a") as file:
        file.write(f"{name} ")


def function(a, b, c):
    note("function")
    d = a + b
    e = b + c
    return d, e


def function2(d, e):
    note("function2")
    return d + e


# ---------------------------------------------------------------- stages


def test_a_stage_is_run_and_its_results_are_labelled(calls):
    """result will return a dictionary containing: {"d": 3, "e": 5}, then {"d": 5, "e": 7}."""
    stage = Stage(function, stage_outputs=["d", "e"])
    assert stage.run(1, 2, 3) == {"d": 3, "e": 5}
    assert stage.run(2, 3, 4) == {"d": 5, "e": 7}


def test_results_are_passed_on_by_name(calls):
    """We merely need to **results; or run the entire pipeline from the beginning."""
    first, second = Stage(function, stage_outputs=["d", "e"]), Stage(function2, stage_outputs=["f"])
    assert second.run(**first.run(2, 3, 4)) == {"f": 12}
    assert second.run(**first.run(1, 2, 3)) == {"f": 8}


def test_static_values_win_over_inputs(calls):
    """It does not change with the input (2, 3, 4)."""
    stage = Stage(function, stage_outputs=["d", "e"], a=1, b=2, c=3)
    assert stage.run(2, 3, 4) == stage.run(a=7) == stage.run() == {"d": 3, "e": 5}


def test_a_stage_remembers(calls, tmp_path):
    """Memoize the inputs to each stage and recall the outputs if they are the same."""
    stage = Stage(function, stage_outputs=["d", "e"], hash_output=tmp_path / "made" / "here")
    results = [stage.run(1, 2, 3), stage.run(1, 2, c=3), stage.run(1, 2, 4), stage.run(1, 2, 3)]
    assert results == [{"d": 3, "e": 5}, {"d": 3, "e": 5}, {"d": 3, "e": 6}, {"d": 3, "e": 5}]
    assert (len(calls), stage.stage_from_hash, stage.state) == (2, True, "remembered")


def test_three_files_are_written_for_people(calls, tmp_path):
    """This will write 3 files: test_function.inputs, test_function.stage, test_function.outputs."""
    Stage(function, stage_outputs=["d", "e"], hash_output=tmp_path).run(1, 2, 3)
    assert json.loads((tmp_path / "function.inputs").read_text()) == {"a": 1, "b": 2, "c": 3}
    assert (tmp_path / "function.outputs").read_text() == '{\n    "d": 3,\n    "e": 5\n}\n'
    assert "function" in json.loads((tmp_path / "function.stage").read_text())["function"]


def test_the_files_have_the_name_of_the_stage(calls, tmp_path):
    """Set the name of the Stage object with the stage_name parameter in the constructor."""
    Stage(function, hash_output=tmp_path, stage_name="my_stage_name").run(1, 2, 3)
    names = {path.name for path in tmp_path.glob("my_stage_name.*")}
    assert names == {f"my_stage_name.{suffix}" for suffix in ("inputs", "stage", "outputs")}


def test_a_file_counts_by_its_content(calls, tmp_path):
    """Valid files are compared by hash values rather than path/filename."""
    stage = Stage(copied, stage_outputs=["file1"], hash_output=tmp_path / "cache")
    (tmp_path / "f0.txt").write_text("one")
    assert stage.run("f0.txt") == {"file1": "result.txt"}
    (tmp_path / "f0.txt").rename(tmp_path / "moved.txt")
    assert stage.run("moved.txt") == {"file1": "result.txt"}
    assert len(calls) == 1
    (tmp_path / "moved.txt").write_text("two")
    stage.run("moved.txt")
    assert (len(calls), (tmp_path / "result.txt").read_text()) == (2, "two")


def test_files_stand_with_their_hash_in_the_files_for_people(calls, tmp_path):
    """memori replaces a valid file path with a dictionary containing "file" and "hash" (SHA256)."""
    (tmp_path / "f0.txt").write_text("one")
    Stage(copied, stage_outputs=["file1"], hash_output=tmp_path / "cache").run("f0.txt")
    digest = hashlib.sha256(b"one").hexdigest()
    shown = [json.loads((tmp_path / f"cache/copied.{kind}").read_text()) for kind in SHOWN]
    assert shown == [
        {"f0": {"file": "f0.txt", "hash": digest}},
        {"file1": {"file": "result.txt", "hash": digest}},
    ]


SHOWN = ("inputs", "outputs")


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_a_missing_or_changed_result_file_runs(calls, tmp_path, damage):
    """Results that reflect changes in data integrity."""
    stage = Stage(copied, stage_outputs=["file1"], hash_output=tmp_path / "cache")
    (tmp_path / "f0.txt").write_text("one")
    stage.run("f0.txt")
    result = tmp_path / "result.txt"
    result.unlink() if damage == "missing" else result.write_text("other")
    stage.run("f0.txt")
    assert (len(calls), result.read_text()) == (2, "one")


def copied(f0):
    note("copied")
    with open(f0) as file, open("result.txt", "w") as copy:
        copy.write(file.read())
    return "result.txt"


def test_file_and_hash_are_ordinary_keys(calls, tmp_path):
    """ "file" and "hash" are reserved keywords (a defect of the original that ours has not)."""
    stage = Stage(kept, hash_output=tmp_path)
    values = [{"file": "a", "hash": "b"}, {"file": "c", "hash": "b"}]
    for value in values * 2:
        assert stage.run(value) == {"output": value}
    assert len(calls) == 2


@pytest.mark.parametrize(
    "values",
    [[(1, 2), [1, 2]], [1, 1.0, True], [{1: "a"}, {"1": "a"}], [None, "None"], [b"x", "x"]],
    ids=str,
)
def test_values_of_all_types_come_back_as_they_were(calls, tmp_path, values):
    """The inputs/outputs MUST be JSON serializable; Tuple to List (defects that ours has not)."""
    stage = Stage(kept, stage_outputs="value", hash_output=tmp_path)
    for value in (*values, *values):
        (back,) = stage.run([value])["value"]
        assert (type(back), back) == (type(value), value)
    assert len(calls) == len(values)


def test_not_a_number_is_itself(calls, tmp_path):
    """Conversion effects of JSON: NaN ran every time."""
    stage = Stage(kept, hash_output=tmp_path)
    for _ in range(2):
        stage.run(float("nan"))
    assert len(calls) == 1


def kept(value):
    note("kept")
    return value


def module_of(tmp_path, text, name="stages_of_a_user"):
    """Return a module of its own, as an edited script is."""
    import importlib.util

    path = tmp_path / f"{name}.py"
    path.write_text(textwrap.dedent(text))
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CODE = """
    from neurotools.jobs.pipeline import hashable

    def function(a, b):
        c = a + b{more}
        d = {call}(c)
        return d

    {decorator}
    def function2(c):
        return c + {step}
"""


def ran(tmp_path, **text):
    pieces = {"more": "", "call": "function2", "decorator": "", "step": 1, **text}
    function = module_of(tmp_path, CODE.format(**pieces)).function
    stage = Stage(function, stage_outputs=["d"], hash_output=tmp_path / "test")
    return stage.run(1, 2)["d"], stage.state


def test_changed_code_runs(tmp_path):
    """.stage will mismatch since the function is different; this should return {"d": 5}."""
    assert ran(tmp_path) == (4, "computed")
    assert ran(tmp_path) == (4, "remembered")
    assert ran(tmp_path, more=" + 1") == (5, "computed")


@pytest.mark.parametrize(
    "text",
    [{}, {"call": "hashable(function2)"}, {"decorator": "@hashable"}],
    ids=["unmarked", "wrapped", "decorated"],
)
def test_changed_code_that_is_called_runs(tmp_path, text):
    """Function hashing only occurs one call deep: ours at any depth; hashable is accepted."""
    assert ran(tmp_path, more=" + 1", **text) == (5, "computed")
    assert ran(tmp_path, more=" + 1", step=2, **text) == (6, "computed")
    assert ran(tmp_path, more=" + 1", **text) == (5, "remembered")


def test_comments_and_docstrings_do_not_run(tmp_path):
    """Static analysis to check whether code has changed in a way that will affect the result."""
    assert ran(tmp_path)[1] == "computed"
    assert ran(tmp_path, decorator="# a comment")[1] == "remembered"


def test_hashable_gives_back_what_it_gets():
    """You can add the hashable wrapper as a decorator; it marks a function."""
    assert hashable(function) is function
    assert hashable(Calls) is Calls


def test_a_test_function3_wrapped_in_another_function(calls):
    """def test_function3_mod(c): return hashable(test_function3)(c)."""

    def function3(d):
        return d + 2

    def function3_mod(c):
        return hashable(function3)(c)

    assert Stage(function3_mod, stage_outputs=["f"]).run(c=3) == {"f": 5}


# ---------------------------------------------------------------- pipelines


def add(a, b):
    return a + b


def one_more(c):
    c += 1
    return c


def two_more(d):
    d += 2
    return d


def test_the_definition_list(calls):
    """("start", stage0), (stage0, stage1), (stage0, stage2), ((stage1, stage2), stage3)."""
    stage0, stage1 = Stage(add, stage_outputs=["c"]), Stage(one_more, stage_outputs=["e"])
    stage2 = Stage(lambda c: c * 10, stage_outputs=["d"], stage_name="stage2")
    stage3 = Stage(lambda d, e: (d, e), stage_outputs="g", stage_name="stage3")
    definition = [("start", stage0), (stage0, stage1), (stage0, stage2), ((stage1, stage2), stage3)]
    result = Pipeline(definition).run(1, 2)
    assert result == {"c": 3, "e": 4, "d": 30, "g": (30, 4)}


@pytest.mark.parametrize(("turn", "expected"), [(1, "second"), (-1, "first")])
def test_the_right_most_source_has_precedence(turn, expected):
    """If stage1 and stage2 have outputs of the same name, the last (right-most) has precedence."""
    start = Stage(lambda a: a, stage_outputs=["x"], stage_name="start-stage")
    first = Stage(lambda x: "first", stage_outputs=["y"], stage_name="first")
    second = Stage(lambda x: "second", stage_outputs=["y"], stage_name="second")
    last = Stage(lambda y: y, stage_outputs=["z"], stage_name="last")
    both = (first, second)[::turn]
    pipeline = Pipeline([("start", start), (start, first), (start, second), (both, last)])
    assert pipeline.run(1)["z"] == expected


def test_an_alias_gives_a_result_another_name():
    """Aliases map the name of one of the stage outputs to another name: d -> c."""
    first = Stage(add, stage_outputs=["c"], aliases={"d": "c"})
    second, third = Stage(one_more, stage_outputs=["e"]), Stage(two_more, stage_outputs=["f"])
    pipeline = Pipeline([("start", first), (first, second), (first, third)])
    assert pipeline.run(1, 2) == {"c": 3, "e": 4, "f": 5}
    assert first.results == {"c": 3, "d": 3}
    assert first.run(1, 2) == {"c": 3}


def test_running_a_pipeline_runs_each_stage_and_passes_results_on(calls, tmp_path):
    """Running the pipeline has the effect of invoking the run method of each Stage object."""
    first = Stage(function, stage_outputs=["d", "e"], hash_output=tmp_path / "cache")
    second = Stage(function2, stage_outputs=["f"], hash_output=tmp_path / "cache")
    pipeline = Pipeline([("start", first), (first, second)])
    assert pipeline.run(1, 2, 3) == pipeline.run(1, 2, c=3) == {"d": 3, "e": 5, "f": 8}
    assert (len(calls), first.results, second.results) == (2, {"d": 3, "e": 5}, {"f": 8})


def test_results_have_absolute_paths(tmp_path, monkeypatch):
    """`results` also makes existing paths absolute (seen in the original)."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    pipeline = Pipeline([("start", Stage(lambda: "file", stage_name="stage"))])
    assert pipeline.run() == {"output": "file"}
    assert pipeline.results == {"output": str(tmp_path / "file")}


def test_a_result_key_is_redefined():
    """redefine_result_key(dictionary, old, new) (seen in the original)."""
    results = {"hello": 1, "test": 2}
    assert redefine_result_key(results, "hello", "testing") == {"testing": 1, "test": 2}
    assert results == {"hello": 1, "test": 2}
