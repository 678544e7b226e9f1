import numpy as np
import pytest

from neurotools.memo.entry import Key
from neurotools.memo.formats.registry import FORMATS, holds
from neurotools.memo.tiers import pages
from neurotools.memo.tiers.kept import Kept
from tests.memo.formats.promises import is_same
from tests.memo.tiers.promises import entry

MANY = 50_000
VALUES = {
    "number": 5,
    "small array": np.arange(10),
    "large array": np.arange(MANY),
    "large array in another order": np.asfortranarray(np.arange(MANY).reshape(500, 100)),
    "large array of other numbers": np.arange(MANY, dtype=">u8"),
    "large array of times": np.arange(MANY).astype("M8[us]"),
    "large array of words": np.array(["a", "bcd"] * MANY),
    "large array of records": np.zeros(MANY, [("a", "f8"), ("b", "i4")]),
    "large containers": {"a": [np.arange(MANY), 1], "b": (np.ones(MANY), "x"), "c": np.zeros(2)},
    "long text": "x" * 500_000,
    "many parts": [[number] for number in range(2000)],
    "one object twice": [[1, 2]] * 2,
}


def kept(value, method="npy", grown=lambda kept, size: None):
    key = Key("pkg/f", "code", "hash.key", method)
    return Kept(key, entry(value, key), grown)


@pytest.fixture(params=["pages", "no pages", "no copies"])
def memory(request, monkeypatch):
    """Whether files in memory can be had: always, never, or none but those that are there."""
    if request.param == "no pages":
        monkeypatch.setattr(pages, "_most", lambda: 0)
    if request.param == "no copies":
        monkeypatch.setattr(pages.Pages, "copy", refuse)


def refuse(self):
    raise OSError("no descriptors")


@pytest.mark.parametrize("method", list(FORMATS))
@pytest.mark.parametrize("name", VALUES)
def test_every_hit_gives_what_was_kept(method, name, memory):
    value = VALUES[name]
    if not holds(FORMATS[method], value):
        pytest.skip(f"{method} cannot hold it")
    found = kept(value, method)
    assert all(is_same(found.value(), value) for _ in range(3))


@pytest.mark.parametrize("method", ["npy", "pickle"])
@pytest.mark.parametrize("name", [name for name in VALUES if "array" in name])
def test_no_hit_can_be_spoilt_by_another(method, name, memory):
    found = kept(VALUES[name], method)
    for _ in range(4):
        array = found.value()
        assert is_same(array, VALUES[name])
        array[...] = array[::-1].copy()


@pytest.mark.parametrize("method", ["npy", "pickle"])
@pytest.mark.parametrize("count", [3, MANY])
def test_renaming_fields_spoils_no_other_hit(method, count):
    found = kept(np.zeros(count, [("a", "f8"), ("b", "i4")]), method)
    for _ in range(3):
        array = found.value()
        assert array.dtype.names == ("a", "b")
        array.dtype.names = ("c", "d")


def test_arrays_that_were_read_only_stay_so():
    array = np.arange(MANY)
    array.flags.writeable = False
    found = kept([array], "pickle")
    assert not any(found.value()[0].flags.writeable for _ in range(3))


def test_growth_is_told_once():
    told = []
    found = kept(["a", "b"], grown=lambda kept, size: told.append((kept, size)))
    assert told == []
    found.value()
    found.value()
    assert [who for who, _ in told] == [found]
    assert told[0][1] > 0


@pytest.mark.parametrize("name", ["small array", "large array"])
def test_its_bytes_can_go_to_another_tier(name):
    blob = entry(VALUES[name])
    found = kept(VALUES[name])
    found.value()[...] = 0
    assert b"".join(found.blob.parts) == b"".join(blob.parts)
    assert found.record.created == 2.0
    assert found.seconds == 1.0
