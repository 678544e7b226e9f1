import errno
import logging
import os
import pickle

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from neurotools.memo.entry import Key, Record
from neurotools.memo.formats.registry import FORMATS
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.seal import seal
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.tiers.ram import RamTier
from tests.memo.tiers.promises import KEY, TierPromises, entry, value_in


class TestHierarchy(TierPromises):
    @pytest.fixture
    def tier(self, tmp_path):
        folders = [DirectoryTier(str(tmp_path / name)) for name in ("fast", "slow")]
        return Hierarchy([RamTier(), *folders])


class TestHierarchyOfHierarchies(TierPromises):
    @pytest.fixture
    def tier(self, tmp_path):
        inner = Hierarchy(
            [DirectoryTier(str(tmp_path / "fast")), DirectoryTier(str(tmp_path / "slow"))]
        )
        return Hierarchy([Hierarchy([RamTier()]), inner])


@pytest.fixture
def tiers(tmp_path):
    return [RamTier(), *(DirectoryTier(str(tmp_path / name)) for name in ("fast", "slow"))]


def test_a_hit_is_copied_to_the_faster_tiers_byte_by_byte(tiers):
    tiers[2].put(KEY, entry(1))
    assert value_in(Hierarchy(tiers)) == 1
    contents = [b"".join(tier.get(KEY).blob.parts) for tier in tiers]
    assert contents[0] == contents[1] == contents[2]


def test_a_hit_in_a_fast_tier_does_not_touch_the_slow_one(tiers):
    tiers[0].put(KEY, entry(1))
    hierarchy = Hierarchy(tiers)
    hierarchy.get(KEY)
    assert not tiers[2].has(KEY)
    assert [count["misses"] for count in hierarchy.counts] == [0, 0, 0]


@pytest.mark.parametrize(("write_back", "kept"), [(True, [1, 1, 1]), (False, [1, 0, 0])])
def test_new_entries_are_written_back_or_not(tiers, write_back, kept):
    Hierarchy(tiers, write_back=write_back).put(KEY, entry(1))
    assert [tier.has(KEY) for tier in tiers] == kept


def test_damage_in_one_tier_is_mended_from_the_next(tiers, caplog):
    hierarchy = Hierarchy(tiers[1:])
    hierarchy.put(KEY, entry("whole"))
    with open(tiers[1].location(KEY), "r+b") as file:
        file.write(b"damage")
    assert value_in(hierarchy) == "whole"
    assert value_in(tiers[1]) == "whole"
    assert "its checksum does not fit" in caplog.text


class Broken:
    name = "broken"

    def __init__(self, error=None):
        self.error = error or OSError(errno.EIO, "Input/output error")

    def _fail(self, *_):
        raise self.error

    get = put = discard = has = record = size = keys = put_manifest = get_manifest = _fail

    def location(self, key):
        return "broken"


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_tier_that_fails_is_left_out_with_one_warning(tmp_path, caplog, place):
    tiers = [DirectoryTier(str(tmp_path / "a")), DirectoryTier(str(tmp_path / "b"))]
    tiers.insert(place, Broken())
    hierarchy = Hierarchy(tiers)
    for _ in range(5):
        hierarchy.put(KEY, entry(1))
        assert value_in(hierarchy) == 1
        assert hierarchy.has(KEY)
        assert list(hierarchy.keys()) == [KEY]
        hierarchy.put_manifest(KEY, b"manifest")
        assert hierarchy.get_manifest("pkg/f", "code") == b"manifest"
    assert hierarchy.discard(KEY)
    warnings = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "going on without it" in warnings[0].getMessage()


def test_an_entry_that_is_not_trusted_is_told_once(tiers, caplog):
    key = KEY._replace(method="pickle")
    hierarchy = Hierarchy(tiers[1:])
    hierarchy.put(key, entry(1, key))
    for tier in tiers[1:]:
        os.chmod(tier.location(key), 0o666)
    assert hierarchy.get(key) is hierarchy.get(key) is None
    assert len(caplog.records) == 2


@pytest.mark.parametrize(("kind", "is_copied"), [("code", False), ("file", True)])
def test_a_record_that_names_code_does_not_become_trusted(tiers, kind, is_copied):
    form = FORMATS["npy"]
    payload = form.encode(1)
    record = Record(1.0, 1.0, payload.layout, {"traced": [[kind, "planted:run", "digest"]]})
    tiers[2].put(KEY, seal(payload, record, KEY, form))
    os.chmod(tiers[2].location(KEY), 0o666)
    assert value_in(Hierarchy(tiers)) == 1
    assert tiers[1].has(KEY) is is_copied


def test_each_cause_is_reported(caplog):
    tier = Broken()
    hierarchy = Hierarchy([tier])
    hierarchy.put(KEY, entry(1))
    tier.error = OSError(errno.ENOSPC, "No space left on device")
    hierarchy.put(KEY, entry(1))
    assert len(caplog.records) == 2
    assert hierarchy.counts[0]["failures"] == 2


def test_an_interrupt_is_not_swallowed():
    with pytest.raises(KeyboardInterrupt):
        Hierarchy([Broken(KeyboardInterrupt())]).get(KEY)


def test_it_needs_a_tier():
    with pytest.raises(ValueError, match="one tier at least"):
        Hierarchy([])


def test_it_travels(tiers):
    hierarchy = Hierarchy(tiers, write_back=False)
    hierarchy.put(KEY, entry(1))
    there = pickle.loads(pickle.dumps(hierarchy))
    assert there.name == hierarchy.name
    assert not there.write_back
    assert value_in(there) is None  # only memory had it


class AgainstADictionary(RuleBasedStateMachine):
    """Whatever is done to its tiers, a hierarchy never gives a wrong value, and loses none."""

    keys = st.builds(
        Key,
        st.sampled_from(["f", "g/h"]),
        st.sampled_from(["one", "two"]),
        st.sampled_from(["a.x", "b.x"]),
        st.sampled_from(["npy", "pickle"]),
    )

    @initialize()
    def start(self):
        import tempfile

        self.tiers = [
            RamTier(max_bytes=2000),
            *(DirectoryTier(tempfile.mkdtemp()) for _ in range(2)),
        ]
        self.hierarchy = Hierarchy(self.tiers)
        self.expected = {}

    @rule(key=keys, value=st.integers() | st.text(max_size=100))
    def put(self, key, value):
        self.hierarchy.put(key, entry(value, key))
        self.expected[key] = value

    @rule(key=keys)
    def get(self, key):
        assert value_in(self.hierarchy, key) == self.expected.get(key)

    @rule(key=keys)
    def discard(self, key):
        assert self.hierarchy.discard(key) == (self.expected.pop(key, None) is not None)

    @rule(key=keys, depth=st.integers(0, 1))
    def lose_it_in_a_fast_tier(self, key, depth):
        self.tiers[depth].discard(key)

    @rule(key=keys, depth=st.integers(1, 2))
    def damage_it_in_one_tier(self, key, depth):
        if self.tiers[depth].has(key) and self.tiers[3 - depth].has(key):
            with open(self.tiers[depth].location(key), "r+b") as file:
                file.truncate(10)

    @invariant()
    def the_same_keys_are_listed(self):
        if hasattr(self, "expected"):
            assert set(self.hierarchy.keys()) == set(self.expected)


TestAgainstADictionary = AgainstADictionary.TestCase
TestAgainstADictionary.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
