"""A memory for real nipype: its own test, the statements of its documentation, real tools."""

import contextlib
import importlib
import inspect
import logging
import os
import pydoc
import shutil
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

from neurotools.jobs.memory import InterfaceFailed, Memory

os.environ.setdefault("NIPYPE_NO_ET", "1")  # it would ask the network for its newest version
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("nipype", reason="pip install 'neurotools[nipype]'")
    from nipype.interfaces import fsl, utility
    from nipype.interfaces.base import (
        CommandLine,
        CommandLineInputSpec,
        Directory,
        File,
        InputMultiPath,
        SimpleInterface,
        TraitedSpec,
        isdefined,
        traits,
    )
    from nipype.interfaces.io import DataGrabber

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # nipype's own
    pytest.mark.skipif(os.name == "nt", reason="nipype and its tools do not run on Windows"),
]


class GzipInput(CommandLineInputSpec):
    in_file = File(exists=True, mandatory=True, argstr="-c %s", position=0, desc="what to pack")
    level = traits.Range(1, 9, argstr="-%d", position=-3, desc="how hard to try")
    out_file = File(argstr="> %s", position=-1, name_source="in_file", name_template="%s.gz")
    threads = traits.Int(nohash=True, desc="how many to use")


class GzipOutput(TraitedSpec):
    out_file = File(exists=True, desc="the packed file")


class Gzip(CommandLine):
    """Pack a file."""

    _cmd = "gzip"
    input_spec, output_spec = GzipInput, GzipOutput


class ChangeInput(TraitedSpec):
    in_file = File(exists=True, copyfile=True, mandatory=True)


class Change(SimpleInterface):
    """Change its input where it lies, as SPM does."""

    input_spec, output_spec = ChangeInput, ChangeInput

    def _run_interface(self, runtime):
        with open(self.inputs.in_file, "a") as file:
            file.write(" changed")
        self._results["in_file"] = os.path.abspath(self.inputs.in_file)
        return runtime


class CountInput(TraitedSpec):
    folder = Directory(exists=True, mandatory=True)
    files = InputMultiPath(File(exists=True))


class CountOutput(TraitedSpec):
    count = traits.Int()
    nothing = traits.Str()


class Count(SimpleInterface):
    """Count the files of a folder."""

    input_spec, output_spec = CountInput, CountOutput

    def _run_interface(self, runtime):
        self._results["count"] = len(os.listdir(self.inputs.folder))
        return runtime


@pytest.fixture(autouse=True)
def quiet():
    """Nipype writes what commands print to the terminal."""
    logging.getLogger("nipype.interface").setLevel("CRITICAL")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working directory with a file in it."""
    (tmp_path / "a.txt").write_text("hello")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def mem(place):
    return Memory(base_dir=".")


@pytest.fixture
def said(caplog):
    caplog.set_level(logging.INFO, logger="workflow")
    return lambda start: [
        line for line in (r.getMessage() for r in caplog.records) if line.startswith(start)
    ]


@pytest.fixture
def tools(place, monkeypatch):
    """Stand-ins for programs of FSL, which is not in Debian: they drive the real classes."""
    folder = place / "bin"
    folder.mkdir()
    (folder / "bet").write_text('#!/bin/sh\ncp "$1" "$2"\necho brain of "$1"\n')
    (folder / "fslmerge").write_text('#!/bin/sh\nshift; out="$1"; shift; cat "$@" > "$out"\n')
    for path in folder.iterdir():
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FSLOUTPUTTYPE", "NIFTI")
    for name in ("a.nii", "b.nii"):
        (place / name).write_text(name)
    return folder


def test_nipypes_own_caching_test_passes(tmpdir, monkeypatch):
    import nipype.caching

    monkeypatch.setattr(nipype.caching, "Memory", Memory)
    name = "nipype.caching.tests.test_memory"
    monkeypatch.delitem(sys.modules, name, raising=False)
    theirs = importlib.import_module(name)
    assert theirs.Memory is Memory
    theirs.test_caching(tmpdir)
    assert theirs.nb_runs == 2
    monkeypatch.delitem(sys.modules, name)


class TestReference:
    """What the documentation of nipype's caching shows, with the real classes."""

    def test_cache_takes_interface_classes_and_not_instances(self, mem):
        with pytest.raises(ValueError, match=r"not an instance of .*BET: give the class itself"):
            mem.cache(fsl.BET(in_file=__file__))

    def test_the_argument_list_is_shown_as_in_ipython(self, mem):
        merge = mem.cache(fsl.Merge)
        assert str(merge) == f"PipeFunc(nipype.interfaces.fsl.utils.Merge, base_dir={mem.base_dir})"
        told = inspect.getdoc(merge)
        names = ("dimension", "in_files", "merged_file", "args", "environ", "output_type")
        assert all(f"{name}:" in told for name in names)
        assert "Additional parameters to the command" in told
        assert {"dimension", "in_files", "args"} <= set(inspect.signature(merge).parameters)
        assert inspect.signature(merge).parameters["in_files"].default is inspect.Parameter.empty

    def test_help_shows_the_inputs(self, mem):
        assert "what to pack" in pydoc.plain(pydoc.render_doc(mem.cache(Gzip)))

    def test_fsl_merge_is_applied_to_a_set_of_files(self, mem, tools, said):
        merge = mem.cache(fsl.Merge)
        results = merge(dimension="t", in_files=["a.nii", "b.nii"])
        assert Path(results.outputs.merged_file).read_text() == "a.niib.nii"
        folder = os.path.dirname(results.outputs.merged_file)
        (running,) = said("Running: ")
        inputs = f"{os.path.abspath('a.nii')} {os.path.abspath('b.nii')}"
        assert running.startswith(f"Running: fslmerge -t a_merged.nii {inputs}")
        merge(dimension="t", in_files=["a.nii", "b.nii"])
        assert (
            said("Executing node")
            == [f"Executing node {os.path.basename(folder)} in dir: {folder}"] * 2
        )
        assert len(said("Collecting precomputed outputs")) == 1
        assert "nipype_mem/nipype-interfaces-fsl-utils-Merge/" in folder

    def test_bet_with_a_named_output_collects_it_the_second_time(self, mem, tools, said, place):
        bet = mem.cache(fsl.BET)
        out = str(place / "brain.nii")
        for _ in range(3):
            results = bet(in_file="a.nii", out_file=out, mask=False)
            assert Path(results.outputs.out_file).read_text() == "a.nii"
        assert len(said("Running: bet")) == 1
        Path(out).unlink()  # what lies outside of the folder is looked at as well
        bet(in_file="a.nii", out_file=out, mask=False)
        assert (Path(out).read_text(), len(said("Running: bet"))) == ("a.nii", 2)

    def test_results_are_standard_node_results(self, mem, place):
        for _ in range(2):
            results = mem.cache(Gzip)(in_file="a.txt", level=9)
            assert results.runtime.returncode == 0
            assert results.runtime.cmdline.startswith(f"gzip -c {place}/a.txt")
            assert results.inputs == {"environ": {}, "in_file": str(place / "a.txt"), "level": 9}
            assert results.interface is Gzip
            assert results.runtime.cwd == os.path.dirname(results.outputs.out_file)

    def test_outputs_without_a_value_are_undefined(self, mem, place):
        outputs = mem.cache(Count)(folder=str(place / "nipype_mem")).outputs
        assert (isdefined(outputs.count), isdefined(outputs.nothing)) == (True, False)


class TestKeys:
    def test_wrong_inputs_are_told_before_anything_runs(self, mem, said):
        gzip = mem.cache(Gzip)
        wrong = ({"level": 11}, {"nothing": 1}, {"in_file": "missing"})
        for inputs in wrong:
            with pytest.raises(traits.TraitError):
                gzip(**{"in_file": "a.txt", **inputs})
        with pytest.raises(ValueError, match="requires a value for input 'in_file'"):
            gzip()
        assert said("Running") == []

    def test_a_misspelled_input_does_not_make_all_run_again(self, mem, said):
        """traits notes unknown names in the class itself, as if they had been declared."""
        gzip = mem.cache(Gzip)
        gzip(in_file="a.txt")
        with pytest.raises(traits.TraitError):
            gzip(in_fil="a.txt")
        with pytest.raises(ValueError, match="cannot be made"):
            mem.cache(Gzip, in_fil="a.txt")
        assert not hasattr(GzipInput(), "out_fil")
        for path in ("a.txt", Path("a.txt")):
            gzip(in_file=path)
        assert len(said("Running")) == 1

    def test_the_environment_of_the_interface_counts(self, mem, said):
        for value in ("1", "1", "2"):
            mem.cache(Gzip)(in_file="a.txt", environ={"LEVEL": value})
        assert len(said("Running")) == 2

    def test_what_is_said_not_to_count_does_not(self, mem, said):
        for threads in (1, 2):
            mem.cache(Gzip)(in_file="a.txt", threads=threads)
        assert len(said("Running")) == 1

    def test_a_setting_of_the_environment_is_seen_at_the_next_call(self, mem, tools, monkeypatch):
        merge, found = mem.cache(fsl.Merge), []
        for kind in ("NIFTI", "NIFTI_GZ", "NIFTI"):
            monkeypatch.setenv("FSLOUTPUTTYPE", kind)
            out = merge(dimension="t", in_files=["a.nii"]).outputs.merged_file
            found.append("".join(Path(out).suffixes))
        assert found == [".nii", ".nii.gz", ".nii"]

    def test_a_new_file_in_an_input_folder_is_seen(self, mem, place):
        (place / "dicom").mkdir()
        count, found = mem.cache(Count), []
        for number in range(3):
            found.append(count(folder="dicom").outputs.count)
            (place / "dicom" / str(number)).write_text("slice")
        assert found == [0, 1, 2]

    def test_what_nipype_runs_always_runs_always(self, mem, place):
        """Grabbers look for files: what they find is not to be read from their inputs."""
        grab = mem.cache(DataGrabber, infields=[], outfields=["files"])
        for names in (["a.txt", "b.txt"], ["a.txt", "b.txt", "c.txt"]):
            (place / names[-1]).write_text("")
            found = grab(template=str(place / "*.txt"), sort_filelist=True).outputs.files
            assert found == [str(place / name) for name in names]

    def test_a_changed_version_of_the_interface_runs_again(self, mem, said, monkeypatch):
        mem.cache(Gzip)(in_file="a.txt")
        monkeypatch.setattr(Gzip, "_version", "2.0")
        mem.cache(Gzip)(in_file="a.txt")
        assert len(said("Running")) == 2

    def test_a_changed_interface_of_python_runs_again(self, mem, place, said):
        (place / "counted").mkdir()
        for text in ("len(os.listdir(f))", "len(os.listdir(f)) + 0", "len(os.listdir(f))"):
            space = {"Count": Count, "os": os}
            source = (
                "class Other(Count):\n    def _run_interface(self, runtime):\n"
                f"        f = self.inputs.folder\n        self._results['count'] = {text}\n"
                "        return runtime\n"
            )
            with temporary_module(place / "other_interface.py", source, space):
                mem.cache(space["Other"])(folder="counted")
        assert len(said("Running")) == 2

    def test_the_other_half_of_an_image_counts(self, mem, place, said):
        for content in ("one", "two"):
            (place / "a.img").write_text("image")
            (place / "a.hdr").write_text(content)
            mem.cache(Gzip)(in_file="a.img")
        assert len(said("Running")) == 2

    def test_a_matrix_that_comes_later_to_an_image_counts(self, mem, place, said):
        (place / "a.nii").write_text("image")
        gzip = mem.cache(Gzip)
        gzip(in_file="a.nii")
        gzip(in_file="a.nii")
        (place / "a.mat").write_text("matrix")
        gzip(in_file="a.nii")
        assert len(said("Running")) == 2

    def test_a_file_to_read_counts_though_it_need_not_exist(self, mem, tools, said):
        (tools.parent / "in.mat").write_text("one")
        for content in ("one", "two"):
            (tools.parent / "in.mat").write_text(content)
            shape = mem.cache(fsl.FLIRT)._calls.shape
            made = shape.make({"in_matrix_file": "in.mat", "out_file": "a.nii"})
            counts = {given.name: given.counts for given in shape.inputs(made)}
            assert (counts["in_matrix_file"], counts["out_file"]) == ("either", "value")

    def test_a_program_that_cannot_tell_its_version_counts_itself(self, mem, tools, said):
        for more in ("", "", "# newer\n"):
            with (tools / "bet").open("a") as file:
                file.write(more)
            mem.cache(fsl.BET)(in_file="a.nii")
        assert len(said("Running")) == 2


@contextlib.contextmanager
def temporary_module(path, source, space):
    path.write_text(source)
    space["__name__"] = path.stem
    exec(compile(source, str(path), "exec"), space)
    yield


class TestConstructors:
    """Interfaces whose constructor takes something get it after the class."""

    def test_function(self, mem, said):
        add = mem.cache(
            utility.Function,
            input_names=["a", "b"],
            output_names=["total"],
            function="def add(a, b):\n    return a + b\n",
        )
        assert [add(a=1, b=2).outputs.total, add(a=1, b=2).outputs.total] == [3, 3]
        assert len(said("Running")) == 1
        other = mem.cache(
            utility.Function,
            input_names=["a", "b"],
            output_names=["total"],
            function="def add(a, b):\n    return a - b\n",
        )
        assert other(a=1, b=2).outputs.total == -1

    def test_a_function_that_gives_an_array(self, mem):
        ones = mem.cache(
            utility.Function,
            input_names=["n"],
            output_names=["array"],
            function="def ones(n):\n    import numpy\n    return numpy.ones(n)\n",
        )
        for _ in range(2):
            assert isinstance(ones(n=3).outputs.array, np.ndarray)

    def test_merge_and_identity(self, mem, place):
        merged = mem.cache(utility.Merge, numinputs=2)(in1=["a.txt"], in2=[3]).outputs.out
        assert merged == [str(place / "a.txt"), 3]
        assert mem.cache(utility.Merge, 2)(in1=[1], in2=[2]).outputs.out == [1, 2]
        assert mem.cache(utility.IdentityInterface, fields=["x"])(x=3).outputs.x == 3

    def test_what_is_missing_is_told(self, mem):
        with pytest.raises(ValueError, match=r"cannot be made: .*, as in cache\(IdentityInterface"):
            mem.cache(utility.IdentityInterface)


class TestFolders:
    def test_an_input_that_would_be_changed_is_copied(self, mem, place):
        changed = mem.cache(Change)(in_file="a.txt").outputs.in_file
        assert Path(changed).read_text() == "hello changed"
        assert (place / "a.txt").read_text() == "hello"
        assert os.getcwd() == str(place)

    def test_a_relative_path_is_that_of_the_program_while_another_thread_runs(
        self, mem, place, monkeypatch
    ):
        (place / "b.txt").write_text("other")
        inside, seen = threading.Event(), threading.Event()
        real = Change._run_interface

        def run(self, runtime):
            inside.set()
            seen.wait(20)
            return real(self, runtime)

        monkeypatch.setattr(Change, "_run_interface", run)
        thread = threading.Thread(target=mem.cache(Change), kwargs={"in_file": "a.txt"})
        thread.start()
        try:
            assert inside.wait(20)
            made = mem.cache(Gzip)._calls.shape.make({"in_file": "b.txt"})
            assert made.inputs.in_file == str(place / "b.txt")
        finally:
            seen.set()
            thread.join()
        assert os.getcwd() == str(place)

    def test_a_failing_command_tells_its_command_exit_code_and_what_it_said(self, mem, said):
        with pytest.raises(InterfaceFailed, match="unrecognized option") as caught:
            mem.cache(Gzip)(in_file="a.txt", args="--nonsense")
        error = caught.value
        assert (error.exit_code, "--nonsense" in error.command) == (1, True)
        assert isinstance(error, RuntimeError)
        assert "unrecognized option" in error.stderr
        assert os.path.isdir(error.folder)
        assert os.getcwd() == os.path.dirname(mem.base_dir)

    def test_a_program_that_is_not_there_is_told_by_nipype(self, mem, monkeypatch):
        monkeypatch.setenv("PATH", "")
        with pytest.raises(OSError, match='No command "gzip" found'):
            mem.cache(Gzip)(in_file="a.txt")

    def test_a_node_is_restored_on_another_machine(self, place, said):
        for name in ("one", "two"):
            results = Memory(name, slower=place / "share").cache(Gzip)(in_file="a.txt")
            assert Path(results.outputs.out_file).read_bytes()[:2] == b"\x1f\x8b"
        assert len(said("Running")) == 1


class TestRealTools:
    """Programs of Debian on images that come with packages; skipped where they are not."""

    @pytest.fixture
    def images(self):
        nibabel = pytest.importorskip("nibabel")
        return Path(nibabel.__file__).parent

    def test_dcm2niix(self, mem, images, place, said):
        if not shutil.which("dcm2niix"):
            pytest.skip("apt-get install dcm2niix")
        from nipype.interfaces.dcm2nii import Dcm2niix

        (place / "dicom").mkdir()
        shutil.copy(images / "nicom" / "tests" / "data" / "0.dcm", place / "dicom")
        convert = mem.cache(Dcm2niix)
        for _ in range(2):
            out = convert(source_dir="dicom", out_filename="x", compress="i").outputs
            assert Path(out.converted_files).is_file()
        assert len(said("Running: dcm2niix")) == 1
        shutil.copy(images / "nicom" / "tests" / "data" / "1.dcm", place / "dicom")
        assert isinstance(
            convert(source_dir="dicom", out_filename="x", compress="i").outputs.converted_files,
            (str, list),
        )
        assert len(said("Running: dcm2niix")) == 2

    def test_mrtrix(self, mem, images, said):
        if not shutil.which("mrmath"):
            pytest.skip("apt-get install mrtrix3")
        import nibabel
        from nipype.interfaces.mrtrix3 import MRMath

        functional = str(images / "tests" / "data" / "functional.nii")
        mean = mem.cache(MRMath)
        for _ in range(2):
            out = mean(in_file=functional, operation="mean", axis=3, out_file="mean.nii")
            assert nibabel.load(out.outputs.out_file).shape == (17, 21, 3)
        assert len(said("Running: mrmath")) == 1

    def test_an_interface_of_nipype_in_python(self, mem, images, said):
        from nipype.algorithms.confounds import TSNR

        functional = str(images / "tests" / "data" / "functional.nii")
        for _ in range(2):
            assert Path(mem.cache(TSNR)(in_file=functional).outputs.tsnr_file).is_file()
        assert len(said("Running")) == 1
