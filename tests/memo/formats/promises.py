"""What every format promises; run over each of them, compressed forms included."""

import json
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurotools.memo.errors import UnstorableValue
from tests.memo.formats.values import (
    ALL_VALUES,
    EXACT_EXAMPLES,
    EXAMPLES,
    REFUSED,
    SPECIAL_EXAMPLES,
)

#: As large as the record and the seal behind a payload may be, in eights.
TRAILER = bytes(range(128))


def aligned(content):
    room = np.empty(len(content) + 63, np.uint8)
    start = -room.ctypes.data % 64
    room[start : start + len(content)] = np.frombuffer(content, np.uint8)
    return room[start : start + len(content)].data


def encoded(form, value):
    """Return a payload's bytes and its layout as it is read from a file."""
    payload = form.encode(value)
    return b"".join(payload.parts), json.loads(json.dumps(payload.layout))


def again(form, value):
    content, layout = encoded(form, value)
    return form.decode(aligned(content), layout)


def file_of(form, value, folder, name="entry", trailer=TRAILER):
    """Write a payload with what stands behind it in a file of the cache."""
    content, _ = encoded(form, value)
    path = folder / f"{name}.{form.method}"
    path.write_bytes(content + form.bridge(len(content), len(trailer)) + trailer)
    return path


def is_same(one, other):
    """Tell whether values agree in every type and bit."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return _is_same_array(one, other)
    if isinstance(one, np.generic) and not isinstance(one, (str, bytes)):
        return _is_same_array(np.asarray(one), np.asarray(other))
    if isinstance(one, (float, complex)):
        return _bits(one) == _bits(other)
    if isinstance(one, dict):
        return is_same(list(one.items()), list(other.items()))
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, (set, frozenset)):
        return sorted(map(_spelled, one)) == sorted(map(_spelled, other))
    if isinstance(one, slice):
        return is_same((one.start, one.stop, one.step), (other.start, other.stop, other.step))
    if isinstance(one, (np.str_, np.bytes_)):  # numpy's own comparison forgives zeros at the end
        return list(one) == list(other)
    return one == other


def _spelled(member):
    """Return the text of a member of a set, in which the order of sets does not show."""
    if isinstance(member, frozenset):
        return f"{{{sorted(map(_spelled, member))}}}"
    if isinstance(member, tuple):
        return f"({', '.join(map(_spelled, member))})"
    return f"{type(member)} {member!r}"


def _bits(number):
    number = complex(number)
    return struct.pack("dd", number.real, number.imag)


def _is_same_array(one, other):
    if (one.shape, one.dtype) != (other.shape, other.dtype) or one.dtype.str != other.dtype.str:
        return False
    if not one.flags.c_contiguous and one.flags.f_contiguous != other.flags.f_contiguous:
        return False
    if one.dtype.names is not None:
        return all(_is_same_array(one[name], other[name]) for name in one.dtype.names)
    if one.dtype.char in "gG":  # has unused bits
        return np.array_equal(one, other, equal_nan=True)
    return one.tobytes() == other.tobytes()


def examples(table):
    return pytest.mark.parametrize("value", table.values(), ids=table)


class FormatPromises:
    """Set ``form``; narrow ``values`` and ``special`` if it holds less than all."""

    values = ALL_VALUES
    special = SPECIAL_EXAMPLES

    @settings(suppress_health_check=list(HealthCheck))
    @given(st.data())
    def test_what_was_encoded_is_decoded(self, data):
        value = data.draw(self.values)
        assert is_same(again(self.form, value), value)

    @examples(EXAMPLES)
    def test_examples_come_back(self, value):
        assert is_same(again(self.form, value), value)

    def test_special_examples_come_back(self):
        for value in self.special.values():
            assert is_same(again(self.form, value), value), value

    def test_what_was_one_object_is_one_again(self):
        array, items, key = np.arange(3), [1], (1, 2)
        value = [array, items, {key: (array, items)}, key, array[:2]]
        back = again(self.form, value)
        assert back[0] is back[2][1, 2][0]
        assert back[1] is back[2][1, 2][1]
        assert next(iter(back[2])) is back[3]
        assert back[1] is not items

    def test_temporary_objects_are_not_taken_for_one(self):
        texts = [np.str_(f"{number}" * 2000) for number in range(9)]
        voids = [np.void(bytes([number]) * 2000) for number in range(9)]
        value = texts if self.form.method == "mat" else texts + voids
        assert is_same(again(self.form, value), value)

    def test_many_paths_lead_to_one_list(self):
        value = []
        for _ in range(12):
            value = [value, value]
        assert is_same(again(self.form, value), value)

    def test_arrays_can_be_written_to(self):
        content, layout = encoded(self.form, [np.arange(10**5), np.arange(3.0), {"x": np.ones(4)}])
        payload = aligned(content)
        before = bytes(payload)
        back = self.form.decode(payload, layout)
        for array in (back[0], back[1], back[2]["x"]):
            array += 1
        assert back[0][-1] == 10**5
        assert before == content

    def test_a_memory_map_is_stored_as_an_array(self, tmp_path):
        mapped = np.memmap(tmp_path / "map", "i4", "w+", shape=(10,))
        mapped[:] = range(10)
        if self.form.runs_code:
            assert (again(self.form, mapped) == range(10)).all()
        else:
            assert is_same(again(self.form, mapped), np.arange(10, dtype="i4"))

    def test_one_value_makes_one_payload(self):
        value = {"x": np.arange(5.0), "y": [1, "a", None]}
        assert encoded(self.form, value) == encoded(self.form, value)

    @pytest.mark.parametrize("content", [b"", b"\0" * 64, b"text" * 100, b"\x93NUMPY\1\0"])
    def test_foreign_bytes_are_refused(self, content):
        places = {"arrays": [], "structure": None}
        for layout in ({}, places, {"zstd": {}}, {"buffers": [[0, 9, 0]]}):
            with pytest.raises(ValueError, match=r"."):
                self.form.decode(aligned(content), layout)


class SafeFormatPromises(FormatPromises):
    """What formats promise that hold plain data and run no code."""

    @examples(EXACT_EXAMPLES)
    def test_exact_examples_come_back(self, value):
        assert is_same(again(self.form, value), value)

    @pytest.mark.parametrize(("value", "reason"), REFUSED.values(), ids=REFUSED)
    def test_what_would_change_is_refused(self, value, reason):
        with pytest.raises(UnstorableValue, match=reason) as caught:
            self.form.encode(value)
        assert caught.value.method == self.form.method
        assert caught.value.suggestion == "pickle"

    @pytest.mark.parametrize(("value", "reason"), REFUSED.values(), ids=REFUSED)
    def test_a_refusal_names_the_place(self, value, reason):
        with pytest.raises(UnstorableValue, match=r"at \['x'\]\[2\]"):
            self.form.encode({"w": 1, "x": (0, [1], value)})

    def test_what_no_method_can_hold_has_no_suggestion(self):
        with pytest.raises(UnstorableValue, match="generator") as caught:
            self.form.encode([0, (item for item in "ab")])
        assert caught.value.suggestion == ""

    def test_it_runs_no_code(self):
        assert not self.form.runs_code

    @settings(suppress_health_check=list(HealthCheck), max_examples=300)
    @given(st.data())
    def test_damage_gives_a_value_or_a_value_error(self, data):
        content, layout = DAMAGED.setdefault(id(self.form), encoded(self.form, SAMPLE))
        content, layout = data.draw(damaged(content)), data.draw(damaged_layouts(layout))
        tracemalloc.start()
        try:
            self.form.decode(aligned(content), layout)
        except ValueError:
            pass
        finally:
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert peak < 8_000_000


#: Something of everything, for the tests with damage.
SAMPLE = {
    "x": np.arange(6.0).reshape(2, 3),
    "y": [1, "a", b"b" * 2000, 2.5, np.float32(1), (None, {1, 2}, 1j)],
    "z": np.zeros(3, "M8[s]"),
    "c": np.ones((2, 2), complex),
    "n": [0.5] * 64,
    "t": "text" * 500,
}
DAMAGED = {}


@st.composite
def damaged(draw, content):
    """Draw bytes with some of them changed, cut off, left out or put in."""
    changed = bytearray(content)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(changed)))
        width = draw(st.sampled_from([0, 1, 1, 2, 8, 100]))
        changed[at : at + width] = draw(st.binary(max_size=8) | st.just(b"9" * width))
    return bytes(changed[: draw(st.integers(0, len(changed)))] if draw(st.booleans()) else changed)


def damaged_layouts(layout):
    """Draw layouts of which one node is another one, or something else."""
    nodes = list(_nodes(layout))
    strange = st.one_of(
        st.sampled_from([None, -1, 10**30, 1.5, "", [], {}, True, {"array": 0}, {"same": 0}, "|O"]),
        st.sampled_from(nodes),
    )
    places = st.integers(0, max(len(nodes) - 1, 0))
    replaced = st.builds(lambda place, node: _replaced(layout, [place], node), places, strange)
    return st.just(layout) | replaced.map(lambda node: node if isinstance(node, dict) else {})


def _nodes(node):
    yield node
    children = list(node.values()) if isinstance(node, dict) else node
    for child in children if isinstance(children, list) else ():
        yield from _nodes(child)


def _replaced(node, countdown, new):
    countdown[0] -= 1
    if countdown[0] == -1:
        return new
    if isinstance(node, dict):
        return {key: _replaced(child, countdown, new) for key, child in node.items()}
    return [_replaced(child, countdown, new) for child in node] if isinstance(node, list) else node
