import pickle
import threading

import numpy as np
import pytest

from neurotools.memo.entry import Key
from neurotools.memo.tiers.ram import RamTier
from tests.memo.tiers.promises import KEY, TierPromises, entry


def key(number):
    return Key("pkg/f", "code", f"hash.{number}", "npy")


class TestRamTier(TierPromises):
    @pytest.fixture
    def tier(self):
        return RamTier()


def test_the_least_recently_used_goes_first():
    size = entry(np.zeros(1000)).size
    tier = RamTier(max_bytes=3 * size + 100)
    for number in range(3):
        tier.put(key(number), entry(np.zeros(1000), key(number)))
    tier.get(key(0))
    tier.put(key(3), entry(np.zeros(1000), key(3)))
    assert [tier.has(key(number)) for number in range(4)] == [True, False, True, True]


def test_what_is_too_large_is_not_kept_and_pushes_nothing_out():
    tier = RamTier(max_bytes=2000)
    tier.put(key(0), entry(1, key(0)))
    tier.put(key(1), entry(np.zeros(1000), key(1)))
    assert tier.has(key(0))
    assert not tier.has(key(1))


def test_the_bound_counts_replaced_and_discarded_entries_once():
    tier = RamTier(max_bytes=10**6)
    for _ in range(100):
        tier.put(KEY, entry(np.zeros(10000)))
    assert tier.has(KEY)
    tier.discard(KEY)
    assert tier._size == 0


def test_the_bound_holds_among_threads():
    tier = RamTier(max_bytes=10**5)
    blobs = {number: entry(np.zeros(1000), key(number)) for number in range(3)}

    def work():
        for _ in range(200):
            for number, blob in blobs.items():
                tier.put(key(number), blob)
                tier.discard(key(number))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tier._size == sum(kept.size for kept in tier._entries.values())


def test_the_bound_counts_what_hits_need():
    tier = RamTier(max_bytes=50_000)
    words = [f"word {number}" for number in range(100)]
    for number in range(20):
        tier.put(key(number), entry(words, key(number)))
        tier.get(key(number)).value()
    assert tier._size == sum(kept.size for kept in tier._entries.values())
    assert 0 < tier._size <= 50_000
    assert tier.has(key(19))


def test_it_travels_empty():
    tier = RamTier(max_bytes=12345)
    tier.put(KEY, entry(1))
    there = pickle.loads(pickle.dumps(tier))
    assert (there.max_bytes, list(there.keys())) == (12345, [])


def test_a_negative_size_is_refused():
    with pytest.raises(ValueError, match="max_bytes is -1"):
        RamTier(-1)


def test_entries_are_counted_and_travel_with_their_bound():
    tier = RamTier(max_entries=3)
    for number in range(5):
        tier.put(key(number), entry(number, key(number)))
    assert [tier.has(key(number)) for number in range(5)] == [False, False, True, True, True]
    assert pickle.loads(pickle.dumps(tier)).max_entries == 3
    with pytest.raises(ValueError, match="max_entries"):
        RamTier(max_entries=-1)
