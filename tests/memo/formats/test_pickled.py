import collections
import pickle
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest

from neurotools.memo.errors import UnstorableValue
from neurotools.memo.formats.pickled import Pickled
from tests.memo.formats.promises import FormatPromises, again, aligned, encoded, file_of, is_same
from tests.memo.formats.values import PICKLED_VALUES

FORM = Pickled()
LARGE = 20_000


@dataclass
class Recording:
    samples: np.ndarray
    rate: float
    more: object = None


class Awkward:
    def __reduce__(self):
        raise RuntimeError("not me")


def mixed():
    samples = np.arange(float(LARGE))
    fixed = samples + 1
    fixed.flags.writeable = False
    return {
        "same": [samples, samples],
        "read-only": fixed,
        "Fortran": np.asfortranarray(samples.reshape(100, -1)),
        "steps": np.arange(4.0 * LARGE)[::2],
        "bytes": [b"b" * 70_000, bytearray(70_000), "é" * 70_000],
        "object": Recording(samples[1:], 0.5, collections.OrderedDict(x=np.ones((100, 200), "f4"))),
        "small": np.arange(5),
    }


def is_as_mixed(back):
    value = mixed()
    parts = ("read-only", "Fortran", "steps", "bytes", "small")
    assert back["same"][0] is back["same"][1]
    assert not back["read-only"].flags.writeable
    assert back["same"][0].flags.writeable
    assert is_same([back[part] for part in parts], [value[part] for part in parts])
    assert type(back["object"]) is Recording
    assert is_same(vars(back["object"])["samples"], value["object"].samples)
    return is_same(back["object"].more["x"], value["object"].more["x"])


class TestPickled(FormatPromises):
    form = FORM
    values = PICKLED_VALUES


def test_objects_come_back():
    content, layout = encoded(FORM, mixed())
    assert is_as_mixed(FORM.decode(aligned(content), layout))


@pytest.mark.parametrize("load", [pickle.load, lambda file: pickle._Unpickler(file).load()])
def test_the_file_is_a_pickle_for_everyone(load, tmp_path):
    """Also for the unpickler in pure Python, which minds the frames."""
    with file_of(FORM, mixed(), tmp_path).open("rb") as file:
        assert is_as_mixed(load(file))


def test_a_python_that_knows_nothing_of_us_opens_it(tmp_path):
    path = file_of(FORM, [np.arange(LARGE), "text"], tmp_path)
    code = f"import pickle; print(pickle.load(open({str(path)!r}, 'rb'))[0].sum())"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, check=True)
    assert int(done.stdout) == sum(range(LARGE))


def test_large_arrays_are_not_copied():
    value = Recording(np.arange(float(LARGE)), 1.0)
    payload = FORM.encode(value)
    parts = [np.frombuffer(part, "u1") for part in payload.parts]
    assert any(np.shares_memory(part, value.samples) for part in parts)
    buffer = aligned(b"".join(payload.parts))
    back = FORM.decode(buffer, payload.layout)
    assert np.shares_memory(back.samples, np.frombuffer(buffer, "u1"))


@pytest.mark.parametrize("count", range(9000, 9016))
def test_large_arrays_are_aligned(count):
    """Whatever stands before them, and however many opcodes are left to fill."""
    value = ["x" * (count % 16), np.zeros(count), b"y" * count, np.ones(count, "u8")]
    content, layout = encoded(FORM, value)
    assert [start % 64 for start, _, _ in layout["buffers"]] == [0, 0]
    assert is_same(FORM.decode(aligned(content), layout), value)


def test_small_values_need_no_layout():
    assert encoded(FORM, {"x": np.arange(100)})[1] == {}


def test_frames_and_sparse_matrices_come_back():
    pandas = pytest.importorskip("pandas")
    sparse = pytest.importorskip("scipy.sparse")
    frame = pandas.DataFrame(
        {"a": np.arange(LARGE), "b": np.ones(LARGE), "c": pandas.Categorical(["x", "y"] * 10_000)},
        index=pandas.date_range("2020-01-01", periods=LARGE, freq="s"),
    )
    matrix = sparse.random(500, 500, 0.1, "csr", random_state=1)
    content, layout = encoded(FORM, (frame, matrix))
    back = FORM.decode(aligned(content), layout)
    assert len(layout["buffers"]) >= 3
    pandas.testing.assert_frame_equal(back[0], frame)
    assert (back[1] != matrix).nnz == 0
    back[0].loc[back[0].index[0], "b"] = 5.0
    assert back[0]["b"].iloc[0] == 5.0


def test_subclasses_and_object_arrays_come_back():
    value = [np.array([1, "a", None], object), collections.OrderedDict(b=1, a=2)]
    back = again(FORM, value)
    assert type(back[1]) is collections.OrderedDict
    assert back[0].tolist() == [1, "a", None]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (lambda: None, "lambda"),
        ((item for item in "ab"), "generator"),
        (type("Local", (), {})(), "Local"),
        ([Awkward()], "RuntimeError: not me"),
    ],
)
def test_what_cannot_be_pickled_is_refused(value, reason):
    with pytest.raises(UnstorableValue, match=reason) as caught:
        FORM.encode(value)
    assert caught.value.suggestion == ""


def test_it_may_run_code():
    assert FORM.runs_code


@pytest.mark.parametrize("end", [0, 1, 100, -1])
def test_a_payload_that_ends_early_is_refused(end):
    content, layout = encoded(FORM, mixed())
    with pytest.raises(ValueError, match="cannot unpickle"):
        FORM.decode(aligned(content[:end]), layout)


@pytest.mark.parametrize("buffers", [[[0, 10, 0]], [[200, 10**9, 0]], [[300, 8, 0], [300, 8, 0]]])
def test_buffers_that_are_not_there_are_refused(buffers):
    content, _ = encoded(FORM, list(range(1000)))
    with pytest.raises(ValueError, match="cannot unpickle"):
        FORM.decode(aligned(content), {"buffers": buffers})


@pytest.mark.parametrize(
    "value",
    [
        np.zeros(5, ">M8[ns]"),
        np.arange(10, dtype=">f8")[::2],
        np.zeros((3, 4), ">f4", order="F"),
        np.array(1, ">f8"),
        np.zeros(2, [("a", ">i2"), ("b", "f8")]),
        np.zeros(0, ">i4"),
        np.arange(10**5, dtype=">f8"),
    ],
    ids=lambda value: f"{value.dtype.str} {value.shape}",
)
def test_foreign_byte_order_is_kept(value):
    payload = FORM.encode(value)
    stored = b"".join(map(bytes, payload.parts))
    for found in (FORM.decode(memoryview(bytearray(stored)), payload.layout), pickle.loads(stored)):
        assert found.dtype.descr == value.dtype.descr
        assert found.tobytes() == value.tobytes()
        assert found.shape == value.shape


@pytest.mark.parametrize(
    "value", [np.str_("a\0"), np.bytes_(b"a\0"), np.longlong(3), np.ulonglong(4), np.int64(3)]
)
def test_numpy_scalars_keep_type_and_content(value):
    payload = FORM.encode(value)
    found = FORM.decode(memoryview(b"".join(payload.parts)), payload.layout)
    assert type(found) is type(value)
    assert found == value
