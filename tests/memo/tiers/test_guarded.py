import threading
import time

import numpy as np
import pytest

from neurotools.memo.errors import LeftAlone
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.tiers.guarded import Guarded
from neurotools.memo.tiers.ram import RamTier
from neurotools.memo.watch.deadline import NoAnswer
from tests.memo.tiers.promises import KEY, TierPromises, entry, value_in

PATIENCE = 0.2


class TestGuarded(TierPromises):
    @pytest.fixture(params=["plain", "with patience"])
    def tier(self, request, tmp_path):
        patience = None if request.param == "plain" else 30.0
        return Guarded(DirectoryTier(str(tmp_path), patience=patience))


class TestGuardedMemory(TierPromises):
    @pytest.fixture
    def tier(self):
        return Guarded(RamTier())


class Stuck:
    """A tier in memory that hangs while it is told to."""

    def __init__(self):
        self.inner, self.name = RamTier(), "stuck"
        self.works, self.calls = threading.Event(), 0
        self.works.set()

    def __getattr__(self, name):
        asked = getattr(self.inner, name)

        def wait(*arguments):
            self.calls += 1
            self.works.wait()
            return asked(*arguments)

        return wait


@pytest.fixture
def stuck():
    stuck = Stuck()
    yield stuck
    stuck.works.set()


def test_it_has_what_its_tier_has(tmp_path):
    tier = DirectoryTier(str(tmp_path))
    assert Guarded(tier).root == tier.root
    with pytest.raises(AttributeError, match="nonsense"):
        _ = Guarded(tier).nonsense


def test_a_tier_that_hangs_keeps_callers_waiting_once(stuck):
    guarded = Guarded(stuck, PATIENCE)
    stuck.works.clear()
    with pytest.raises(NoAnswer):
        guarded.get(KEY)
    calls = stuck.calls
    for work in (guarded.get, guarded.has, guarded.discard):
        with pytest.raises(LeftAlone):
            work(KEY)
    assert stuck.calls == calls


def test_a_hierarchy_goes_on_without_a_tier_that_hangs(stuck, caplog):
    hierarchy = Hierarchy([RamTier(), Guarded(stuck, PATIENCE)])
    stuck.works.clear()
    for number in range(5):
        key = KEY._replace(call=f"hash.{number}")
        assert hierarchy.get(key) is None
        hierarchy.put(key, entry(number, key))
        assert value_in(hierarchy, key) == number
    assert len(caplog.records) == 1
    assert hierarchy.counts[1]["failures"] == 1
    assert hierarchy.left_alone[0].startswith("stuck: not used for")


def test_it_is_used_again_when_it_answers(stuck):
    guarded = Guarded(stuck, PATIENCE)
    stuck.works.clear()
    with pytest.raises(NoAnswer):
        guarded.get(KEY)
    stuck.works.set()
    guarded.health.be_patient(60)  # from here on it answers, if late on a busy machine
    end = time.monotonic() + 60
    while guarded.health.left_alone and time.monotonic() < end:
        for work in (guarded.has, guarded.discard):
            try:
                work(KEY)
            except LeftAlone:
                time.sleep(0.05)
    guarded.put(KEY, entry(1))
    assert value_in(guarded) == 1


def test_a_small_entry_that_hung_is_stored_later_as_it_was(stuck):
    value = np.zeros(100)
    guarded = Guarded(stuck, PATIENCE)
    stuck.works.clear()
    with pytest.raises(NoAnswer):
        guarded.put(KEY, entry(value))
    value[:] = 1
    stuck.works.set()
    end = time.monotonic() + 60
    while not stuck.inner.has(KEY) and time.monotonic() < end:
        time.sleep(0.01)
    assert (value_in(stuck.inner) == 0).all()


def test_a_large_entry_that_was_given_up_does_not_appear(tmp_path, monkeypatch):
    gate, ended, value = threading.Event(), threading.Event(), np.zeros(10**6)
    tier = DirectoryTier(str(tmp_path), patience=PATIENCE)
    put = tier.put

    def late(key, blob):
        gate.wait()
        try:
            put(key, blob)
        finally:
            ended.set()

    monkeypatch.setattr(tier, "put", late)
    with pytest.raises(NoAnswer):
        Guarded(tier).put(KEY, entry(value))
    value[:] = 1
    gate.set()
    assert ended.wait(60)
    assert not tier.has(KEY)
    assert not [path for path in tmp_path.rglob(".*") if path.is_file()]


def test_what_moves_is_not_given_up(stuck):
    class Slow(RamTier):
        def keys(self, function=""):
            for key in super().keys(function):
                time.sleep(0.1)
                yield key

    slow = Slow()
    for number in range(15):
        key = KEY._replace(call=f"hash.{number}")
        slow.put(key, entry(number, key))
    # Longer than its patience in all, but not without a move.
    assert len(list(Guarded(slow, 1.2).keys())) == 15
