import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurotools.memo.errors import UnstorableValue
from neurotools.memo.formats.npy import Npy, _matched, _usual
from neurotools.memo.formats.structure import rebuild
from tests.memo.formats.promises import (
    SafeFormatPromises,
    again,
    aligned,
    encoded,
    file_of,
    is_same,
)
from tests.memo.formats.values import PLAIN_TYPES, SPECIAL_TYPES, arrays

FORM = Npy()


def header(text, data=b"", version=1):
    """Return a stream with a header of one's own."""
    size = len(text).to_bytes(2 if version == 1 else 4, "little")
    return aligned(b"\x93NUMPY" + bytes([version, 0]) + size + text.encode("latin-1") + data)


def fields(descr="'<f8'", fortran="False", shape="(1,)"):
    return f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n"


class TestNpy(SafeFormatPromises):
    form = FORM


@given(arrays(PLAIN_TYPES + SPECIAL_TYPES))
def test_an_array_is_a_file_that_numpy_opens(array):
    content, layout = encoded(FORM, array)
    assert layout == {}
    path = FILES / "array.npy"
    path.write_bytes(content + b"trailer" * 9)
    assert is_same(np.load(path), np.array(array, order="K" if array.flags.fnc else "C"))


@pytest.fixture(autouse=True, scope="module")
def _files(tmp_path_factory):
    global FILES
    FILES = tmp_path_factory.mktemp("npy")


def test_an_array_is_mapped_where_it_lies(tmp_path):
    array = np.asfortranarray(np.arange(12.0).reshape(3, 4))
    mapped = np.load(file_of(FORM, array, tmp_path), mmap_mode="r")
    assert isinstance(mapped, np.memmap)
    assert mapped.offset % 64 == 0
    assert is_same(np.asarray(mapped), array)


def test_other_values_are_a_row_of_files_that_numpy_opens(tmp_path):
    value = {"x": np.arange(3), "y": [np.eye(2, order="F"), "a"], "n": [0.5] * 64}
    with file_of(FORM, value, tmp_path).open("rb") as file:
        structure = json.loads(np.load(file).item())
        loaded = [np.load(file) for _ in range(3)]
    assert structure["dict"][:2] == [["x", {"array": 0}], ["y", [{"array": 1}, "a"]]]
    assert is_same(loaded, [value["x"], value["y"][0], np.full(64, 0.5)])


@pytest.mark.parametrize("count", [0, 1, 7, 64, 1000])
def test_all_data_is_aligned(count):
    content, layout = encoded(FORM, [np.zeros(count, "u1") for _ in range(9)])
    back = FORM.decode(aligned(content), layout)
    assert {array.ctypes.data % 64 for array in back if array.size} <= {0}


def test_large_arrays_are_views_in_both_directions():
    array = np.arange(10**5)
    payload = FORM.encode({"x": array, "y": array.reshape(100, -1).T})
    views = [part for part in payload.parts if np.shares_memory(np.frombuffer(part, "u1"), array)]
    assert len(views) == 2
    buffer = aligned(b"".join(payload.parts))
    assert np.shares_memory(FORM.decode(buffer, {})["x"], np.frombuffer(buffer, "u1"))


def test_arrays_of_a_payload_that_is_read_only_are_read_only():
    content, _ = encoded(FORM, [np.arange(3)])
    assert not FORM.decode(memoryview(content), {})[0].flags.writeable


def test_headers_are_written_as_numpy_writes_them(tmp_path):
    array = np.arange(12, dtype=">f4").reshape(3, 4)
    np.save(tmp_path / "numpy.npy", array)
    assert encoded(FORM, array)[0] == (tmp_path / "numpy.npy").read_bytes()


def test_field_names_of_all_scripts_are_kept(tmp_path):
    array = np.zeros(2, [("時間", "f8"), ("größe", "f4")])
    path = file_of(FORM, array, tmp_path)
    assert path.read_bytes()[6] == 3
    assert is_same(np.load(path), array)
    assert is_same(again(FORM, [array])[0], array)


def test_too_many_fields_are_refused():
    array = np.zeros(1, [(f"a rather long name {number}", "f4") for number in range(5000)])
    with pytest.raises(UnstorableValue, match="description of its fields"):
        FORM.encode(array)


@pytest.mark.parametrize(
    "text",
    [
        fields("'|O'"),
        fields("'O8'"),
        fields("'<f8, O'"),
        fields("'object'"),
        fields("[('a', 'O')]"),
        fields("[('a', [('b', '|O8')])]"),
        fields("[('a', '<f8', __import__('os').getpid())]"),
        fields("[" * 5000 + "]" * 5000),
        fields("[" + "-" * 5000 + "1]"),
        fields("['a', '<f8']"),
        fields("[('a', '<f8', (1, 'b'))]"),
        fields("[(1, '<f8')]"),
        fields("'<f3'"),
        fields(shape="(-1,)"),
        fields(shape="(1 << 60,)"),
        fields(shape="(1.0,)"),
        fields(fortran="0"),
        fields() + "x",
        "{}\n",
        "",
    ],
)
def test_headers_that_were_not_written_here_are_refused(text):
    with pytest.raises(ValueError, match=r"header|dtype|array|byte"):
        FORM.decode(header(text, bytes(64)), {})


@pytest.mark.parametrize("shape", ["(9,)", "(4611686018427387904, 8)", "(999999999999999999,)"])
def test_arrays_that_end_behind_the_payload_are_refused(shape):
    with pytest.raises(ValueError, match=r"ends|header"):
        FORM.decode(header(fields(shape=shape), bytes(64)), {})


def test_a_header_that_claims_gigabytes_is_refused():
    content = header(fields(), version=3)
    content[8:12] = b"\xff\xff\xff\xff"
    with pytest.raises(ValueError, match="header of"):
        FORM.decode(content, {})


def test_sizes_without_bytes_make_no_items():
    """An array of no bytes has any number of items: a list made of it would fill the memory."""
    structure = header(fields("'|S10'", "True", "()"), b'{"list":0}')
    items = header(fields("'|V0'", shape="(999999999999,)"))
    with pytest.raises(ValueError, match="no numbers"):
        FORM.decode(aligned(bytes(structure) + bytes(items)), {})


@pytest.mark.parametrize(
    "structure",
    [
        '{"array":1}',
        '{"array":0,"list":0}',
        '[{"bytes":0},{"bytes":0}]',
        '{"same":0}',
        '{"unknown":0}',
        '{"scalar":["|V99999999999",5]}',
        '{"scalar":["<U9",5]}',
        '{"bytes_":99999999999}',
        '{"str_":5}',
        '{"scalar":["|V5",{"bytes":""}]}',
        '{"set":[[]]}',
        '{"dict":[[1]]}',
        '{"range":["a"]}',
        '{"int":"0x"}',
        '{"float":"00"}',
        "[" * 100_000,
        "not json",
    ],
)
def test_structures_that_were_not_written_here_are_refused(structure):
    text = fields(f"'|S{len(structure)}'", "True", "()")
    arrays = encoded(FORM, np.zeros(3, "u1"))[0]
    with pytest.raises(ValueError, match=r"."):
        FORM.decode(aligned(bytes(header(text, structure.encode())) + arrays), {})


@given(st.binary(min_size=1, max_size=400))
def test_foreign_bytes_behind_a_header_are_refused(content):
    start = bytes(header(fields("'|S5'", "True", "()"), b"[1,2]"))
    with pytest.raises(ValueError, match=r"stream|header|array"):
        FORM.decode(aligned(start + content), {})


def test_what_is_done_to_a_value_does_not_show_in_the_next_of_its_structure():
    value = {"list": [1, [2.0, None]], "tuple": ("a", {"x": {3}}), "bytes": bytearray(b"abc")}
    first = again(FORM, value)
    first["list"][1].append("more")
    first["tuple"][1]["x"].add(4)
    first["bytes"].append(0)
    first["new"] = first.pop("list")
    assert is_same(again(FORM, value), value)


def test_a_scalar_too_large_for_its_type_is_damage():
    with pytest.raises(ValueError, match="damaged structure"):
        rebuild({"scalar": ["<f4", 10**40]}, [])


def usual_headers():
    """Yield headers as numpy writes them."""
    for dtype in ("<f8", "|b1", ">i4", "<U5", "<M8[ns]", "|S0", [("a", "<f4"), ("b", "|u1")]):
        for shape in ((), (0,), (128,), (3, 4), (1, 2, 3)):
            array = np.zeros(shape, dtype)
            for order in "CF":
                told = np.lib.format.header_data_from_array_1_0(np.asarray(array, order=order))
                fortran, sizes = told["fortran_order"], told["shape"]
                for padding in ("", " ", " " * 40):
                    start = f"{{'descr': {told['descr']!r}, 'fortran_order': {fortran}"
                    yield f"{start}, 'shape': {sizes}, }}{padding}\n"


def test_the_short_way_to_read_a_header_finds_what_the_pattern_finds():
    texts = set(usual_headers())
    for text in texts:
        assert _matched(text) is not None
        assert _usual(text) in ({None} if "[(" in text else {_matched(text)})


def test_a_header_that_is_changed_anywhere_is_left_to_the_pattern_or_read_alike():
    text = "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 40), }  \n"
    others = "'\"(){},: 0x\n\x00\u0663"
    changed = {text[:i] + text[i + 1 :] for i in range(len(text))}
    changed |= {text[:i] + c + text[i:] for i in range(len(text) + 1) for c in others}
    changed |= {text[:i] + c + text[i + 1 :] for i in range(len(text)) for c in others}
    changed |= {text.replace("3, 40", sizes) for sizes in ("", ",", "3,", "3, 4,", "9" * 19, "-1")}
    for one in changed:
        if (found := _usual(one)) is not None:
            assert found == _matched(one)
