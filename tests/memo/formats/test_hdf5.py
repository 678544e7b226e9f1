import json
import shutil
import subprocess

import numpy as np
import pytest

from neurotools.memo.errors import UnstorableValue
from neurotools.memo.formats.hdf5 import Hdf5
from tests.memo.formats.promises import (
    SafeFormatPromises,
    again,
    aligned,
    encoded,
    file_of,
    is_same,
)
from tests.memo.formats.values import EXAMPLES, SPECIAL_EXAMPLES

h5py = pytest.importorskip("h5py")

FORM = Hdf5()
RECORDING = {
    "samples": np.arange(6.0).reshape(2, 3),
    "rate": 30.0,
    "count": 3,
    "name": "Größe",
    "valid": True,
    "unknown": None,
    "channels": ["a", ("b", np.arange(2))],
    "days": np.array(["1970-01-02"], "M8[D]"),
    "names": np.array(["ab", "c"]),
    "codes": np.array([b"ab", b"c"]),
    "events": np.array([(1, 0.5)], [("id", "i4"), ("time", "f8")]),
    "notes": "long text " * 200,
    "raw": b"\x01\x02" * 600,
}


class TestHdf5(SafeFormatPromises):
    form = FORM


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = file_of(FORM, RECORDING, tmp_path_factory.mktemp("hdf5"))
    with h5py.File(path, "r") as file:
        yield file["varargout"]


@pytest.mark.parametrize("name", ["samples", "codes", "events"])
def test_arrays_are_datasets(recording, name):
    assert is_same(recording[name][()], RECORDING[name])


@pytest.mark.parametrize("name", ["rate", "count", "name", "valid"])
def test_scalars_are_attributes(recording, name):
    assert recording.attrs[name] == RECORDING[name]


def test_none_is_empty(recording):
    assert recording.attrs["unknown"] == h5py.Empty("f8")


def test_containers_are_groups(recording):
    assert recording["channels"].attrs["0"] == "a"
    assert recording["channels/1"].attrs["0"] == "b"
    assert recording["channels/1/1"][()].tolist() == [0, 1]


def test_what_hdf5_does_not_know_is_shown_as_numbers(recording):
    assert recording["days"][()].tolist() == [1]
    assert recording["names"][()].tolist() == [[97, 98], [99, 0]]
    assert bytes(recording["raw"][()]) == RECORDING["raw"]


def test_long_texts_are_texts(recording):
    assert recording["notes"].asstr()[()] == RECORDING["notes"]


def test_every_node_says_what_it_is_to_python(recording):
    def said(name):
        return json.loads(recording[name].attrs["python"])

    assert said("days") == {"array": ["<M8[D]", "C"]}
    assert said("channels") == {"list": ["a", {"member": "1"}]}
    assert said("channels/1") == {"tuple": ["b", {"member": "1"}]}
    assert said(".")["dict"][:2] == [["samples", {"member": "samples"}], ["rate", 30.0]]


def test_keys_that_cannot_be_names_are_numbered(tmp_path):
    with h5py.File(file_of(FORM, {"a/b": 1, (1, 2): np.arange(3), "python": 2}, tmp_path)) as file:
        group = file["varargout"]
        assert group.attrs["#0"] == 1
        assert group.attrs["#0.key"] == "a/b"
        assert group["#1"][()].tolist() == [0, 1, 2]
        assert group["#1.key"].attrs["1"] == 2
        assert group.attrs["#2.key"] == "python"


def test_one_object_in_two_places_is_stored_once(tmp_path):
    array = np.zeros(10**5)
    path = file_of(FORM, {"x": array, "y": [array]}, tmp_path)
    with h5py.File(path) as file:
        assert file["varargout/x"] == file["varargout/y/0"]
    assert path.stat().st_size < 1.1 * array.nbytes


def test_a_long_list_of_scalars_is_noted_beside_it(tmp_path):
    value = [f"item {number}" for number in range(10_000)]
    with h5py.File(file_of(FORM, value, tmp_path)) as file:
        group = file["varargout"]
        assert len(group.attrs) == 64
        assert json.loads(group["#python"].asstr()[()]) == {"list": value}


@pytest.mark.parametrize("value", [5, "text", None, 2.5, b"x", 2**70, 1j])
def test_a_scalar_alone_is_a_dataset(value, tmp_path):
    with h5py.File(file_of(FORM, value, tmp_path)) as file:
        assert file["varargout"].shape in {(), None}
        assert "python" in file["varargout"].attrs


@pytest.mark.parametrize("value", [EXAMPLES, SPECIAL_EXAMPLES], ids=["plain", "special"])
def test_h5dump_opens_every_example(value, tmp_path):
    program = shutil.which("h5dump")
    if program is None:
        pytest.skip("h5dump is not installed")
    for index, example in enumerate(value.values()):
        path = file_of(FORM, example, tmp_path, f"example{index}")
        done = subprocess.run([program, path], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), list(value)[index]
        assert '"varargout"' in done.stdout


def test_large_arrays_are_aligned_views_when_read():
    content, layout = encoded(FORM, [np.zeros(1001, "u1"), np.arange(10**5)])
    buffer = aligned(content)
    back = FORM.decode(buffer, layout)[1]
    assert np.shares_memory(back, np.frombuffer(buffer, "u1"))
    assert back.ctypes.data % 64 == 0


def test_more_dimensions_than_hdf5_has_are_for_npy():
    try:
        array = np.zeros((1,) * 33)
    except ValueError:
        pytest.skip("this numpy has no more dimensions either")
    with pytest.raises(UnstorableValue, match=r"32 dimensions.*'npy'"):
        FORM.encode([array])


def test_nothing_that_a_file_names_is_opened(tmp_path):
    """Links, external storage and virtual datasets are instructions to open other files."""
    secret = tmp_path / "secret.raw"
    secret.write_bytes(bytes(range(80)))
    path = tmp_path / "hostile.hdf5"
    with h5py.File(path, "w") as file:
        file["varargout"] = h5py.ExternalLink(str(secret), "/")
        file.create_dataset("x", (10,), "f8", external=[(str(secret), 0, 80)])
    layout = {
        "structure": {"array": 0},
        "arrays": [
            {"dtype": "<f8", "shape": [10], "order": "C", "stored": ["<f8", "C"], "at": [0]}
        ],
    }
    content = path.read_bytes()
    back = FORM.decode(aligned(content), layout)
    assert back.tobytes() == content[:80]


def test_reading_needs_no_library(monkeypatch):
    content, layout = encoded(FORM, RECORDING)
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    assert is_same(FORM.decode(aligned(content), layout), RECORDING)
    with pytest.raises(ImportError):
        again(FORM, RECORDING)
