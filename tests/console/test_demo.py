"""The demo, run for real: what it computes, what it remembers, what it leaves behind."""

import contextlib
import dataclasses
import io
import re
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import neurotools
from neurotools.console import demo
from neurotools.console.main import main

ROOT = Path(neurotools.__file__).parents[1]
LINE = re.compile(r"^ +(load|denoise|decompose|agreement) +(\w+) +([\d.]+) s$", re.MULTILINE)

needs_extra = pytest.mark.skipif(
    not all(map(find_spec, ("matplotlib", "nibabel", "scipy"))),
    reason="the extra [demo] is not installed",
)


def run_demo(folder, *options):
    """Run the command; return what it said and what it left."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = main(["demo", "--folder", str(folder), *options])
    return SimpleNamespace(code=code, text=said.getvalue(), folder=folder)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        # The script runs in a process of its own, which must find the package that is tested.
        patch.setenv("PYTHONPATH", str(ROOT))
        return run_demo(tmp_path_factory.mktemp("demo") / "kept", "--keep")


@pytest.fixture(scope="module")
def runs(told):
    """Return what each run said of each step: where its result came from, and the seconds."""
    parts = re.split(r"^\d\. ", told.text, flags=re.MULTILINE)[1:]
    return [{step: (origin, float(s)) for step, origin, s in LINE.findall(part)} for part in parts]


def origins(run):
    return {step: origin for step, (origin, _) in run.items()}


@needs_extra
class TestWhatTheDemoShows:
    def test_it_ends_well(self, told):
        assert told.code == 0, told.text

    def test_the_first_run_computes_every_step(self, runs):
        assert origins(runs[0]) == dict.fromkeys(demo.STEPS, "computed")

    def test_the_second_run_remembers_every_step(self, runs):
        assert origins(runs[1]) == dict.fromkeys(demo.STEPS, "remembered")

    def test_a_comment_and_a_new_layout_cost_nothing(self, runs):
        assert origins(runs[2]) == dict.fromkeys(demo.STEPS, "remembered")

    def test_a_changed_helper_costs_what_depends_on_it(self, runs):
        assert origins(runs[3]) == {
            "load": "remembered",
            "denoise": "remembered",
            "decompose": "computed",
            "agreement": "computed",
        }

    def test_remembering_slow_steps_is_much_faster(self, runs):
        cold, warm = (run["denoise"][1] + run["decompose"][1] for run in runs[:2])
        assert warm < cold / 10

    def test_the_reason_names_the_helper_and_the_line_that_changed(self, told):
        fourth = told.text.split("\n4. ")[1]
        reason = fourth.split("decompose   computed")[1].split("agreement   computed")[0]
        assert "brain" in reason
        assert "0.3" in reason

    def test_the_listing_shows_the_calls_with_their_arguments(self, told):
        listed = re.findall(r"MB   (\w+)\((.*)\)$", told.text, re.MULTILINE)
        assert [step for step, _ in listed] == [*demo.STEPS, "decompose", "agreement"]
        assert "noise=30.0" in dict(listed)["denoise"]


@needs_extra
class TestWhatTheDemoLeaves:
    def test_the_script_has_both_edits(self, told):
        script = (told.folder / demo.SCRIPT).read_text()
        assert all(act.new in script for act in demo.ACTS)

    def test_the_picture_is_a_png_with_something_on_it(self, told):
        from matplotlib.image import imread

        image = imread(told.folder / demo.PICTURE)
        assert image.shape[0] > 400
        assert image[..., :3].std() > 0.1

    def test_a_kept_cache_opens_without_neurotools(self, told):
        arrays = [np.load(file) for file in (told.folder / demo.CACHE).rglob("denoise/**/*.npy")]
        assert [array.shape for array in arrays] == [(128, 96, 24, 2)]

    def test_the_cache_goes_unless_it_is_to_be_kept(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        first, second, *_ = demo.ACTS
        slow, quick = "decompose, step(denoise, scan)", "decompose, step(denoise, scan, 1), 4, 3"
        acts = dataclasses.replace(first, old=slow, new=quick), second
        monkeypatch.setattr(demo, "ACTS", acts)
        assert run_demo(tmp_path / "tidy").code == 0
        assert sorted(path.name for path in (tmp_path / "tidy").iterdir()) == [
            demo.SCRIPT,
            demo.PICTURE,
        ]


@pytest.mark.parametrize("act", [act for act in demo.ACTS if act.old], ids=["comment", "helper"])
def test_an_edit_finds_its_passage_once(act):
    script = Path(demo.__file__).with_name(demo.SCRIPT).read_text(encoding="utf-8")
    assert script.count(act.old) == 1


@needs_extra
def test_a_folder_in_use_is_left_alone(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("all of it")
    assert main(["demo", "--folder", str(tmp_path)]) == 1
    assert "it is not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_the_default_folder_is_one_that_is_not_there_yet(tmp_path):
    first = tmp_path / "neurotools-demo"
    assert demo.unused(first) == first
    first.mkdir()
    assert demo.unused(first) == tmp_path / "neurotools-demo-2"


def test_a_missing_extra_is_named_in_one_line(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(demo, "find_spec", lambda name: None)
    assert main(["demo", "--folder", str(tmp_path / "new")]) == 1
    said = capsys.readouterr().err
    assert said == "neurotools demo: the demo needs more: pip install 'neurotools[demo]'\n"
    assert not (tmp_path / "new").exists()


def test_a_run_that_went_wrong_is_not_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "lines_of", lambda *_: iter(["load  remembered  0.1 s"]))
    with pytest.raises(demo.UnexpectedRun, match=r"run 1 .* load was remembered"):
        demo.played(tmp_path / demo.SCRIPT, 1, demo.ACTS[0])


def test_a_script_that_fails_ends_the_demo(tmp_path):
    script = tmp_path / "broken.py"
    script.write_text("raise SystemExit(3)")
    with pytest.raises(demo.UnexpectedRun, match="exit code 3"):
        list(demo.lines_of(script, 1, ()))
