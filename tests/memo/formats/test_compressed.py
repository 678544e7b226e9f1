import zlib

import numpy as np
import pytest

from neurotools.memo.formats.compressed import Compressed
from neurotools.memo.formats.npy import Npy
from neurotools.memo.formats.pickled import Pickled
from tests.memo.formats.promises import (
    FormatPromises,
    SafeFormatPromises,
    again,
    aligned,
    encoded,
    is_same,
)
from tests.memo.formats.values import PICKLED_VALUES

zstandard = pytest.importorskip("zstandard")

FORM = Compressed(Npy())
SAMPLES = 300_000


def recording(kind):
    """Return one channel, a rhythm and noise, as a converter or what follows it gives them."""
    noise = np.random.default_rng(1).normal(0, 12, SAMPLES)
    volts = 40 * np.sin(np.arange(SAMPLES) / 600) + noise
    counts = np.round(volts / 0.195)
    return {"filtered": volts, "scaled": counts * 0.195, "counts": counts}[kind]


class TestCompressedNpy(SafeFormatPromises):
    form = FORM


class TestCompressedPickle(FormatPromises):
    form = Compressed(Pickled(), 3)
    values = PICKLED_VALUES


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [("filtered", "f4"), ("scaled", "f4"), ("scaled", "f8"), ("counts", "i2"), ("counts", "f4")],
)
def test_recordings_become_smaller_than_with_gzip(kind, dtype):
    array = recording(kind).astype(dtype)
    content, layout = encoded(FORM, array)
    assert len(content) < len(zlib.compress(array.tobytes(), 6))
    assert is_same(FORM.decode(aligned(content), layout), array)


def test_frames_become_smaller_too():
    pandas = pytest.importorskip("pandas")
    form = Compressed(Pickled())
    frame = pandas.DataFrame({"volts": recording("scaled"), "count": np.arange(SAMPLES)})
    content, _ = encoded(form, frame)
    assert len(content) < frame.memory_usage().sum() / 4
    pandas.testing.assert_frame_equal(again(form, frame), frame)


def test_what_does_not_shrink_is_stored_as_it_is():
    noise = np.frombuffer(np.random.default_rng(1).bytes(3_000_000), "u1")
    payload = FORM.encode(noise)
    assert sum(map(len, payload.parts)) < noise.nbytes * 1.001
    assert any(np.shares_memory(np.frombuffer(part, "u1"), noise) for part in payload.parts)


@pytest.mark.parametrize("count", [0, 1, 4095, 65536, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
@pytest.mark.parametrize("dtype", ["u1", "i2", "f4", "f8", "c16", "V3", "V12"])
def test_arrays_of_all_sizes_come_back(count, dtype):
    width = np.dtype(dtype).itemsize
    items = np.arange(count // width * width, dtype="u4").astype("u1")
    assert is_same(again(FORM, items.view(dtype)), items.view(dtype))


def test_many_short_parts_share_their_blocks():
    content, _ = encoded(FORM, [np.arange(1000) for _ in range(500)])
    assert len(content) < 100_000


def test_arrays_are_aligned_and_writable_when_read():
    content, layout = encoded(FORM, [np.zeros(1001, "u1"), np.arange(10**5)])
    back = FORM.decode(memoryview(content), layout)
    assert [array.ctypes.data % 64 for array in back] == [0, 0]
    back[1][0] = 1


def test_a_higher_level_gives_less():
    text = " ".join(f"{number} and {number**2}" for number in range(10_000))
    low, high = (len(encoded(Compressed(Npy(), level), text)[0]) for level in (1, 19))
    assert high < low


def test_the_layout_of_the_inner_format_is_kept():
    _, layout = encoded(Compressed(Pickled()), np.zeros(10**5))
    assert list(layout["zstd"]) == ["buffers"]


def test_a_frame_that_wants_gigabytes_is_refused():
    content, layout = encoded(FORM, np.zeros(1000))
    frame = zstandard.ZstdCompressor().compress(bytes(50_000_000))
    head = bytearray(content[:24] + content[24:33])
    head[25:29] = len(frame).to_bytes(4, "little")
    with pytest.raises(ValueError, match="50000000 bytes"):
        FORM.decode(aligned(bytes(head) + frame), layout)


@pytest.mark.parametrize(
    ("at", "value", "reason"),
    [
        (0, b"X", "table"),
        (8, b"\xff" * 8, "table"),
        (16, b"\xff" * 8, "do not make"),
        (24, b"\x03", "unknown filter"),
        (25, b"\0\0\0\0", "fill"),
        (29, b"\xff\xff\xff\xff", "do not make"),
        (33, b"\0\0\0\0", "damaged|bytes"),
    ],
)
def test_a_damaged_table_is_refused(at, value, reason):
    content, layout = encoded(FORM, np.zeros(1000))
    changed = content[:at] + value + content[at + len(value) :]
    with pytest.raises(ValueError, match=reason):
        FORM.decode(aligned(changed), layout)
