import re
import shutil
import subprocess
import types

import numpy as np
import pytest

from neurotools.memo.errors import UnstorableValue
from neurotools.memo.formats import mat5
from neurotools.memo.formats.mat import Mat
from neurotools.memo.formats.registry import holds
from tests.memo.formats.promises import (
    SafeFormatPromises,
    again,
    aligned,
    encoded,
    file_of,
    is_same,
)
from tests.memo.formats.values import EXAMPLES, values

loadmat = pytest.importorskip("scipy.io").loadmat

FORM = Mat()

#: Values, and what Octave must find true of them.
SEEN_BY_OCTAVE = {
    "vector": (np.arange(4.0), "isequal(v, [0 1 2 3]) && isa(v, 'double')"),
    "matrix": (np.arange(6, dtype="i4").reshape(2, 3), "isequal(v, int32([0 1 2; 3 4 5]))"),
    "fortran": (np.asfortranarray([[1.0, 2], [3, 4]]), "isequal(v, [1 2; 3 4])"),
    "cube": (np.arange(24.0).reshape(2, 3, 4), "isequal(size(v), [2 3 4]) && v(2, 3, 1) == 20"),
    "bits": (np.array([True, False]), "islogical(v) && isequal(v, [true false])"),
    "half": (np.array([0.5], "f2"), "isa(v, 'single') && v == 0.5"),
    "big": (np.array([1, 2], ">u2"), "isequal(v, uint16([1 2]))"),
    "complex": (np.array([1 + 2j, 3]), "isequal(v, [1+2i 3])"),
    "dates": (np.array(["1970-01-02"], "M8[s]"), "isequal(v, int64(86400))"),
    "empty": (np.zeros((0, 3)), "isequal(size(v), [0 3])"),
    "nothing": (None, "isequal(v, [])"),
    "integer": (7, "v == 7 && isa(v, 'int64')"),
    "large": (2**64 - 1, "v == intmax('uint64')"),
    "scalar": (np.float32(0.5), "v == 0.5 && isa(v, 'single')"),
    "yes": (True, "islogical(v) && v"),
    "text": ("some text", "ischar(v) && strcmp(v, 'some text')"),
    "umlaut": ("Größe", "strcmp(v, 'Größe')"),
    "emoji": ("a 😀 b", "strcmp(v, 'a 😀 b')"),
    "longer": ("ö" * 2000, "strcmp(v, repmat('ö', 1, 2000))"),
    "long": ("ab" * 1000, "ischar(v) && isequal(v, repmat('ab', 1, 1000))"),
    "bytes": (b"\x01\xff", "isequal(v, uint8([1 255]))"),
    "list": ([1.5, "a", [2.5]], "iscell(v) && v{1} == 1.5 && v{2} == 'a' && v{3}{1} == 2.5"),
    "many": ([0.5] * 100, "iscell(v) && numel(v) == 100 && v{100} == 0.5"),
    "struct": ({"x": np.arange(3.0), "rate": 30.0}, "isequal(v.x, [0 1 2]) && v.rate == 30"),
    "pairs": ({"a b": 1.0, 3: 2.0}, "isequal(size(v), [2 2]) && strcmp(v{1, 1}, 'a b')"),
    "nest": ({"a": {"b": [{"c": 5.0}]}}, "v.a.b{1}.c == 5"),
    "longname": ({"x" * 63: 1.0}, "v.(repmat('x', 1, 63)) == 1"),
    "codes": (np.array(["ab", "c"]), "isequal(v, uint32([97 99; 98 0]))"),
    "same": ([np.arange(2.0)] * 2, "isequal(v{1}, v{2}, [0 1])"),
}


class TestMat(SafeFormatPromises):
    form = FORM
    values = values()
    special = types.MappingProxyType({})


@pytest.fixture(scope="module")
def octave(tmp_path_factory):
    """Return what Octave, started once, finds of all values."""
    program = shutil.which("octave-cli") or shutil.which("octave")
    if program is None:
        pytest.skip("octave is not installed")
    folder = tmp_path_factory.mktemp("octave")
    lines = []
    for name, (value, test) in SEEN_BY_OCTAVE.items():
        file_of(FORM, value, folder, name)
        lines.append(f"clear all; load {name}.mat; v = varargout;")
        lines.append(f"try, ok = {test}; catch e, ok = false; end")
        lines.append(f"printf('{name} %d %d\\n', ok, numel(neurotools_record));")
    (folder / "check.m").write_text("\n".join(lines), encoding="utf-8")
    call = [program, "--no-gui", "--no-init-file", "--quiet", "check.m"]
    done = subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False)
    return dict(re.findall(r"^(\w+) (\d \d+)$", done.stdout, re.MULTILINE)), done.stderr


@pytest.mark.parametrize("name", SEEN_BY_OCTAVE)
def test_octave_sees_the_value_and_the_record(octave, name):
    found, said = octave
    assert found.get(name) == "1 128", said


@pytest.mark.parametrize("value", EXAMPLES.values(), ids=EXAMPLES)
def test_scipy_opens_every_file(value, tmp_path):
    found = loadmat(file_of(FORM, value, tmp_path))
    assert "varargout" in found
    assert found["neurotools_record"].tobytes() == bytes(range(128))


def test_scipy_sees_the_value(tmp_path):
    value = {"x": np.arange(6.0).reshape(2, 3), "name": "Grüße", "parts": [1, (2.5, None)]}
    found = loadmat(file_of(FORM, value, tmp_path), simplify_cells=True)["varargout"]
    assert is_same(found["x"], np.asfortranarray(value["x"]))
    assert found["name"] == "Grüße"
    assert found["parts"][1][0] == 2.5


@pytest.mark.parametrize("text", ["", "plain", "Größe", "日本", "a 😀 b", "é" * 2000, "x" * 2000])
def test_scipy_sees_texts(text, tmp_path):
    (found,) = loadmat(file_of(FORM, [text], tmp_path))["varargout"][0]
    assert "".join(found) == text


@pytest.mark.parametrize("size", [8, 16, 8000])
def test_records_of_all_lengths_are_one_more_variable(size, tmp_path):
    found = loadmat(file_of(FORM, 5, tmp_path, trailer=bytes(size)))
    assert found["neurotools_record"].shape == (1, size)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (2**64, "more than 64 bits"),
        (-(2**63) - 1, "more than 64 bits"),
        (range(2**70), "more than 64 bits"),
        (np.longdouble(1), "more than 64 bits"),
        (np.ones(3, "G"), "more than 64 bits"),
        (np.zeros(2, [("a", "i4")]), "no such type"),
        (np.zeros(2, [("a", "i4")])[0], "no such type"),
        (np.void(b"abc"), "no such type"),
        (np.zeros((0, 2**31)), "2 GiB"),
        (np.broadcast_to(np.uint8(0), (2**31,)), "2 GiB"),
    ],
)
def test_what_matlab_cannot_hold_is_for_npy(value, reason):
    with pytest.raises(UnstorableValue, match=rf"{reason}.*at \['x'\]\[0\].*'npy'") as caught:
        FORM.encode({"x": [value]})
    assert caught.value.suggestion == "npy"


def test_half_nans_come_back_or_are_refused():
    """Whether single precision keeps them depends on the processor."""
    array = np.array([0x7E01, 0xFC01], "u2").view("f2")
    if not holds(FORM, array):
        with pytest.raises(UnstorableValue, match="NaNs with a content"):
            FORM.encode(array)
    else:
        assert is_same(again(FORM, array), array)


def test_a_sum_of_arrays_beyond_2_gib_is_refused():
    part = np.broadcast_to(np.uint8(0), (2**30,))
    with pytest.raises(UnstorableValue, match="2 GiB"):
        FORM.encode([part, part[:], part[1:]])


def test_too_many_paths_to_one_list_are_refused():
    value = []
    for _ in range(60):
        value = [value, value]
    with pytest.raises(UnstorableValue, match="pieces"):
        FORM.encode(value)


def test_large_vectors_are_views_in_both_directions():
    array = np.arange(10.0**5)
    payload = FORM.encode({"x": array, "y": array.reshape(100, -1).T})
    views = [part for part in payload.parts if np.shares_memory(np.frombuffer(part, "u1"), array)]
    assert len(views) == 2
    buffer = aligned(b"".join(payload.parts))
    assert np.shares_memory(FORM.decode(buffer, payload.layout)["x"], np.frombuffer(buffer, "u1"))


@pytest.mark.parametrize(
    "change",
    [
        {"at": [10**9]},
        {"at": [-8]},
        {"at": []},
        {"at": [0, 0, 0]},
        {"shape": [10**12]},
        {"shape": [-1]},
        {"shape": "9"},
        {"dtype": "|O"},
        {"stored": ["|O", "C"]},
        {"stored": ["<f8", "X"]},
        {"stored": ["<i8", "C"]},
        {"dtype": "<c16"},
        {"dtype": "<f4"},
        {"dtype": "<f2"},
        {"order": "X"},
    ],
)
def test_places_that_do_not_fit_are_refused(change):
    content, layout = encoded(FORM, np.arange(3.0))
    layout["arrays"][0].update(change)
    with pytest.raises(ValueError, match=r"."):
        FORM.decode(aligned(content), layout)


def test_many_places_of_one_array_are_refused():
    content, layout = encoded(FORM, np.arange(1000.0))
    layout["arrays"] *= 3
    layout["structure"] = [{"array": number} for number in range(3)]
    with pytest.raises(ValueError, match="larger than the payload"):
        FORM.decode(aligned(content), layout)


def test_names_that_are_too_long_are_not_cut():
    assert mat5.LONGEST_NAME == 63
    names = {"x" * 63: 1, "x" * 64: 2}
    assert again(FORM, names) == names
