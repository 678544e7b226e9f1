"""Digests of arrays: every bit of content counts, and nothing of how it lies in memory."""

import collections
import copy
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from neurotools.memo.digest import arrays
from neurotools.memo.digest.values import digest

PACKED = np.dtype([("a", "u1"), ("b", "<f8")])
PADDED = np.dtype([("a", "u1"), ("b", "<f8")], align=True)
NESTED = np.dtype([("a", PADDED), ("b", "<i2", (2, 3)), ("c", "S3")])
GAPS = np.dtype({"names": ["a", "b"], "formats": ["u1", "<i4"], "offsets": [9, 2], "itemsize": 16})
OVERLAPPING = np.dtype({"names": ["a", "b"], "formats": ["<i4", "<i2"], "offsets": [0, 2]})
TRAILING = np.dtype([("a", "<f8"), ("b", "u1")], align=True)
INSIDE = np.dtype([("a", PADDED, (2,)), ("b", "u1")])
TITLED = np.dtype([(("title", "a"), "u1"), ("b", "<f8")])


class Image(np.ndarray):
    pass


def image(**attributes):
    found = np.arange(3.0).view(Image)
    vars(found).update(attributes)
    return found


#: No two of these are the same.
DIFFERENT = {
    "vector": np.arange(6.0),
    "0-d": np.array(0.0),
    "row": np.arange(6.0).reshape(1, 6),
    "column": np.arange(6.0).reshape(6, 1),
    "2 x 3": np.arange(6.0).reshape(2, 3),
    "3 x 2": np.arange(6.0).reshape(3, 2),
    "transposed": np.arange(6.0).reshape(2, 3).T,
    "float32": np.arange(6.0, dtype="f4"),
    "big-endian": np.arange(6.0, dtype=">f8"),
    "int": np.arange(6),
    "uint": np.arange(6, dtype="u8"),
    "as time": np.arange(6).view("m8[s]"),
    "as other time": np.arange(6).view("m8[ms]"),
    "as date": np.arange(6).view("M8[s]"),
    "steps of time": np.arange(6).view("m8[25s]"),
    "complex": np.arange(6.0).view("c16"),
    "zeros": np.zeros(1),
    "minus zeros": -np.zeros(1),
    "nan": np.full(1, np.nan),
    "other nan": np.array([0x7FF8000000000001], "u8").view("f8"),
    "empty": np.zeros(0),
    "empty int": np.zeros(0, int),
    "empty, 2-d": np.zeros((0, 3)),
    "empty, other 2-d": np.zeros((3, 0)),
    "empty text": np.zeros(2, "U0"),
    "text": np.array(["a", "b"]),
    "wide text": np.array(["a", "b"], "U2"),
    "bytes": np.array([b"a", b"b"]),
    "void": np.array([b"a", b"b"]).view("V1"),
    "objects": np.array(["a", "b"], object),
    "other objects": np.array(["a", b"b"], object),
    "objects, 2-d": np.array([["a"], ["b"]], object),
    "objects, 0-d": np.array("a", object),
    "nested objects": np.array([np.arange(2), None], object),
    "packed": np.zeros(2, PACKED),
    "padded": np.zeros(2, PADDED),
    "nested fields": np.zeros(2, NESTED),
    "gaps": np.zeros(2, GAPS),
    "overlapping": np.zeros(2, OVERLAPPING),
    "titled": np.zeros(2, TITLED),
    "other names": np.zeros(2, [("x", "u1"), ("b", "<f8")]),
    "record": np.zeros(2, PACKED)[0],
    "padded record": np.zeros(2, PADDED)[0],
    "recarray": np.zeros(2, PACKED).view(np.recarray),
    "fields of objects": np.array([(1, [2])], [("a", "i4"), ("b", object)]),
    "other fields of objects": np.array([(1, [3])], [("a", "i4"), ("b", object)]),
    "metadata": np.zeros(1, np.dtype("f8", metadata={"unit": "m"})),
    "other metadata": np.zeros(1, np.dtype("f8", metadata={"unit": "s"})),
    "longdouble": np.zeros(1, "g"),
    "complex longdouble": np.zeros(1, "G"),
    "matrix": np.zeros((1, 1)).view(np.matrix),
    "no matrix": np.zeros((1, 1)),
    "subclass": image(),
    "subclass with attribute": image(unit="mm"),
    "subclass with other attribute": image(unit="m"),
    "masked": np.ma.array([1, 2], mask=[False, True]),
    "masked, other mask": np.ma.array([1, 2], mask=[True, False]),
    "masked, other under the mask": np.ma.array([1, 3], mask=[False, True]),
    "masked, other fill": np.ma.array([1, 2], mask=[False, True], fill_value=7),
    "masked, hard": np.ma.array([1, 2], mask=[False, True], hard_mask=True),
    "masked, no mask": np.ma.array([1, 2]),
    "masked matrix": np.ma.array(np.zeros((1, 1)).view(np.matrix)),
    "masked, no matrix": np.ma.array(np.zeros((1, 1))),
    "the masked constant": np.ma.masked,
    "dtype": np.dtype("f8"),
    "big-endian dtype": np.dtype(">f8"),
    "packed dtype": PACKED,
    "padded dtype": PADDED,
}


def test_different_arrays_have_different_digests():
    found = collections.defaultdict(list)
    for name, value in DIFFERENT.items():
        found[digest(value)].append(name)
    assert [names for names in found.values() if len(names) > 1] == []


#: What copies of arrays lose: attributes of subclasses; by pickle also metadata, and more.
LOST = (
    "subclass with",
    "metadata",
    "other metadata",
    "masked, hard",
    "masked, no",
    "masked matrix",
)


@pytest.mark.parametrize("name", [name for name in DIFFERENT if not name.startswith(LOST)])
def test_a_copy_is_the_same(name):
    assert digest(copy.deepcopy(DIFFERENT[name])) == digest(DIFFERENT[name])
    if name != "big-endian":  # comes back in the machine's order
        assert digest(pickle.loads(pickle.dumps(DIFFERENT[name]))) == digest(DIFFERENT[name])


plain_arrays = hnp.arrays(
    st.one_of(
        hnp.integer_dtypes(endianness="?"),
        hnp.floating_dtypes(endianness="?"),
        hnp.datetime64_dtypes(),
        hnp.unicode_string_dtypes(max_len=3),
        st.sampled_from([PACKED, PADDED, NESTED, GAPS]),
    ),
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
)


def scattered(array):
    """Return a view with the same elements, which lie apart and backwards in memory."""
    room = np.empty(tuple(3 * side + 1 for side in array.shape), array.dtype)
    view = room[(..., *(slice(-2, None, -3) for _ in array.shape))]
    view = view[(..., *map(slice, array.shape))]
    view[...] = array
    return view


def read_only(array):
    found = array.copy()
    found.flags.writeable = False
    return found


@given(plain_arrays)
@pytest.mark.parametrize("layout", [np.copy, np.asfortranarray, scattered, read_only])
def test_the_layout_in_memory_does_not_count(layout, array):
    assert digest(layout(array).reshape(array.shape)) == digest(array)


@given(plain_arrays, st.data())
def test_every_bit_counts(array, data):
    flipped = np.ascontiguousarray(array).reshape(array.shape).copy()
    raw = flipped.reshape(-1).view(np.uint8) if flipped.nbytes else np.zeros(0, np.uint8)
    if len(raw) and array.dtype not in (PADDED, NESTED, GAPS):
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        assert (digest(flipped) == digest(array)) == (flipped.tobytes() == array.tobytes())


@pytest.mark.parametrize("layout", ["C", "F", "scattered"])
@pytest.mark.parametrize("shape", [(5, 7, 11), (385,), (1, 385), (385, 1), (5, 77)])
def test_blocks_of_any_size_give_the_same_digest(monkeypatch, layout, shape):
    array = np.arange(385.0).reshape(shape)
    expected = digest(array)
    view = scattered(array) if layout == "scattered" else np.array(array, order=layout)
    for block in (8, 64, 500, 1000, 10_000):
        monkeypatch.setattr(arrays, "BLOCK_BYTES", block)
        assert digest(view) == expected


def set_to_zero(array):
    """Set all fields to zero, and leave the bytes between them as they are."""
    for name in array.dtype.names:
        if array[name].dtype.names:
            set_to_zero(array[name])
        else:
            array[name] = np.zeros((), array[name].dtype)


@pytest.mark.parametrize("dtype", [PADDED, NESTED, GAPS, TRAILING, INSIDE], ids=str)
def test_what_lies_between_fields_does_not_count(dtype):
    raw = np.full(3 * dtype.itemsize, 0xFF, np.uint8)
    clean, dirty = np.zeros(3, dtype), raw.view(dtype)
    set_to_zero(dirty)
    assert raw.any()
    assert digest(dirty) == digest(clean)
    assert digest(dirty[0]) == digest(clean[0])


@pytest.mark.parametrize("field", ["a", "b"])
def test_every_field_of_a_padded_record_counts(field):
    array = np.zeros(3, PADDED)
    before = digest(array)
    array[field][2] = 1
    assert digest(array) != before


def with_junk(array):
    """Return a copy whose long doubles have something in the bytes that they do not use."""
    found = array.copy()
    raw = found.reshape(-1).view(np.uint8).reshape(-1, np.dtype("g").itemsize)
    raw[:, slice(10, None) if array.dtype.isnative else slice(-10)] = 0xFF
    return found


X87 = np.finfo(np.longdouble).nmant == 63
x87 = pytest.mark.skipif(not X87, reason="every byte is used here")


@x87
@pytest.mark.parametrize("kind", ["g", "G", np.dtype("g").newbyteorder()], ids=str)
def test_unused_bytes_of_a_long_double_do_not_count(kind):
    clean = np.arange(4).astype(kind)
    dirty = with_junk(clean)
    assert dirty.tobytes() != clean.tobytes()
    assert digest(dirty) == digest(clean)
    assert digest(dirty[1]) == digest(clean[1])


@x87
def test_unused_bytes_of_long_doubles_in_fields_do_not_count():
    clean = np.arange(8).astype("g").view([("a", "g", (2,)), ("b", "g"), ("c", "g")])
    dirty = with_junk(clean.view("g")).view(clean.dtype)
    assert digest(dirty) == digest(clean)


def test_every_used_byte_of_a_long_double_counts():
    one, other = np.ones(2, "g"), np.ones(2, "g")
    other[1] += np.finfo("g").eps
    assert digest(one) != digest(other)
    assert digest(one[0]) != digest(other[1])


def test_a_memory_map_is_the_same_as_an_array(tmp_path):
    array = np.arange(100.0).reshape(10, 10)
    np.save(tmp_path / "a.npy", array)
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    assert isinstance(mapped, np.memmap)
    assert digest(mapped) == digest(array)
    assert digest(mapped[2:]) == digest(array[2:])


def test_objects_are_digested_one_by_one_by_content():
    one, other = np.array([[1, 2], "a"], object), np.array([[1, 2], "a"], object)
    assert digest(one) == digest(other)
    other[0].append(3)
    assert digest(one) != digest(other)


def test_an_array_of_objects_may_contain_itself():
    def itself(rest):
        array = np.array([None, rest], object)
        array[0] = array
        return array

    assert digest(itself(1)) == digest(itself(1)) != digest(itself(2))


def test_text_of_variable_width_is_digested():
    kind = getattr(getattr(np, "dtypes", None), "StringDType", None)
    if kind is None:
        pytest.skip("numpy is too old")
    one, long = np.array(["a", "b"], kind()), np.array(["a", "b" * 100], kind())
    missing = np.array(["a", "b"], kind(na_object=None))
    assert digest(one) == digest(one.copy())
    assert len({digest(value) for value in (one, long, missing, np.array(["a", "b"]))}) == 4


def test_looking_at_the_fill_value_changes_nothing():
    array = np.ma.array([1.0], mask=[True])
    before = digest(array)
    assert array.fill_value == 1e20
    assert digest(array) == before


def test_an_attribute_of_a_masked_array_counts():
    one, other = np.ma.array([1.0]), np.ma.array([1.0])
    other.unit = "m"
    assert digest(one) != digest(other)


@pytest.mark.parametrize("order", ["C", "F"])
def test_large_arrays_take_little_memory(order):
    array = np.zeros((4096, 2048), order=order)  # 64 MB
    tracemalloc.start()
    digest(array)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


def test_an_array_met_again_is_not_read_again(monkeypatch):
    read = []
    content = arrays.content
    monkeypatch.setattr(arrays, "content", lambda array: (read.append(1), content(array))[1])
    array = np.zeros(1000)
    digest([array, {"a": array}, array])
    assert len(read) == 1


def test_arrays_made_for_a_moment_are_told_apart():
    class Maker:
        def __init__(self, value):
            self.value = value

        def __neurotools_digest__(self):
            return [np.full(1000, self.value)]

    assert digest([Maker(1), Maker(2)]) != digest([Maker(1), Maker(1)])
