import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurotools.memo import seal as seal_module
from neurotools.memo.entry import Key, Record
from neurotools.memo.errors import CorruptEntry
from neurotools.memo.formats.base import Payload
from neurotools.memo.formats.registry import FORMATS
from neurotools.memo.seal import SIZE, Sealed, record_of, reseal, seal

KEY = Key("pkg/f", "code", "hash.key", "npy")
OTHER = Key("pkg/f", "code", "hash.other", "npy")
RECORD = Record(12.5, 0.25, {}, {"host": "here"})


def sealed(value=None, record=RECORD):
    payload = FORMATS["npy"].encode(np.arange(10) if value is None else value)
    blob = seal(payload, record, KEY, FORMATS["npy"])
    content = b"".join(blob.parts)
    assert len(content) == blob.size
    return content


def test_what_was_sealed_is_read_back():
    entry = Sealed(memoryview(sealed()), KEY, "here")
    assert (entry.created, entry.seconds) == (12.5, 0.25)
    assert entry.record.details == {"host": "here", "key": KEY.path}
    assert entry.layout == {}
    assert (FORMATS["npy"].decode(entry.payload, {}) == np.arange(10)).all()


def test_a_layout_is_kept():
    record = Record(1.0, 1.0, {"blocks": [1, 2]}, {})
    entry = Sealed(memoryview(sealed(record=record)), KEY, "here")
    assert entry.layout == {"blocks": [1, 2]}


def test_an_entry_under_another_name_does_not_open():
    with pytest.raises(CorruptEntry, match="content and name"):
        Sealed(memoryview(sealed()), OTHER, "here")


def test_an_entry_can_be_sealed_for_another_key():
    entry = Sealed(memoryview(sealed()), KEY, "here")
    content = b"".join(reseal(entry, OTHER, FORMATS["npy"]).parts)
    moved = Sealed(memoryview(content), OTHER, "there")
    assert bytes(moved.payload) == bytes(entry.payload)
    assert moved.record.details == {"host": "here", "key": OTHER.path}
    assert moved.seconds == entry.seconds


@given(st.data())
def test_a_flipped_bit_anywhere_is_noticed(data):
    content = bytearray(sealed())
    place = data.draw(st.integers(0, len(content) * 8 - 1))
    content[place // 8] ^= 1 << place % 8
    with pytest.raises(CorruptEntry, match="cannot read cache entry here"):
        Sealed(memoryview(content), KEY, "here")


@given(st.integers(0, len(sealed()) - 1))
def test_a_file_that_ends_early_is_noticed(size):
    with pytest.raises(CorruptEntry, match="cannot read"):
        Sealed(memoryview(sealed()[:size]), KEY, "here")


@given(st.binary(min_size=1, max_size=200))
def test_extra_bytes_are_noticed(extra):
    with pytest.raises(CorruptEntry, match="cannot read"):
        Sealed(memoryview(sealed() + extra), KEY, "here")


@given(st.binary(max_size=300))
def test_foreign_bytes_are_no_entry(content):
    with pytest.raises(CorruptEntry, match="here"):
        Sealed(memoryview(content), KEY, "here")
    with pytest.raises(CorruptEntry, match="here"):
        record_of(content, "here")


def test_a_record_is_read_from_the_end_alone():
    content = sealed()
    record = Sealed(memoryview(content), KEY, "here").record
    assert record_of(content[-400:], "here") == record
    with pytest.raises(CorruptEntry, match="seal"):
        record_of(content[-SIZE - 5 :], "here")


def test_the_payload_is_not_copied():
    value = np.zeros(10**5)
    payload = FORMATS["npy"].encode(value)
    parts = seal(Payload(payload.parts), RECORD, KEY, FORMATS["npy"]).parts
    assert any(
        np.shares_memory(np.frombuffer(part, np.uint8), value) for part in parts if len(part)
    )


def test_a_checksum_is_computed_once_and_only_when_it_is_needed(monkeypatch):
    updates = []

    class Counting:
        def update(self, part):
            updates.append(part)

        def digest(self):
            return b"x" * 16

    monkeypatch.setattr(seal_module, "checksum", lambda key: Counting())
    payload = FORMATS["npy"].encode(np.arange(10_000))
    blob = seal(payload, RECORD, KEY, FORMATS["npy"])
    assert updates == []
    assert blob.parts == blob.parts
    assert len(updates) == len(blob.body)
    assert sum(len(part) for part in blob.parts) == blob.size


def test_a_small_entry_is_one_piece_and_the_same_as_in_parts(monkeypatch):
    for kind in ("npy", "pickle"):
        payload = FORMATS[kind].encode(np.arange(100))
        key = KEY._replace(method=kind)
        small = seal(payload, RECORD, key, FORMATS[kind])
        with monkeypatch.context() as patched:
            patched.setattr(seal_module, "_SMALL", 0)
            parts = seal(payload, RECORD, key, FORMATS[kind])
        assert len(small.body) == 1 < len(parts.body)
        assert b"".join(small.parts) == b"".join(parts.parts)
        assert small.size == parts.size == len(small.body[0])
        assert seal_module.checksum_of(small) == seal_module.checksum_of(parts)
        assert seal_module.seconds_of(small) == seal_module.seconds_of(parts) == RECORD.seconds
