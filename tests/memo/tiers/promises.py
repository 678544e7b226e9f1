"""What every tier promises, a hierarchy of tiers included; run over each of them."""

import numpy as np
import pytest

from neurotools.memo.entry import Key, Record
from neurotools.memo.formats.registry import FORMATS
from neurotools.memo.seal import seal

KEY = Key("pkg/f", "code", "hash.key", "npy")
SAME_CALL = Key("pkg/f", "other", "hash.key", "npy")
OTHER_FUNCTION = Key("pkg/f.g", "code", "hash.key", "npy")


def entry(value, key=KEY, seconds=1.0):
    form = FORMATS[key.method]
    payload = form.encode(value)
    return seal(payload, Record(2.0, seconds, payload.layout, {}), key, form)


def value_in(tier, key=KEY):
    found = tier.get(key)
    return None if found is None else found.value()


class TierPromises:
    @pytest.mark.parametrize("value", [None, 0, "text", (1, [2.5], {"a": b"x"})])
    def test_what_was_put_is_got(self, tier, value):
        tier.put(KEY, entry(value))
        found = tier.get(KEY)
        assert found.value() == value
        assert found.record.created == 2.0

    @pytest.mark.parametrize("count", [0, 1, 1000, 10**6])
    def test_arrays_of_any_size_are_got(self, tier, count):
        tier.put(KEY, entry(np.arange(count)))
        assert (value_in(tier) == np.arange(count)).all()

    @pytest.mark.parametrize("method", list(FORMATS))
    def test_entries_of_all_methods_are_kept_side_by_side(self, tier, method):
        key = Key("pkg/f", "code", "hash.key", method)
        tier.put(KEY, entry(1))
        tier.put(key, entry(2.0, key))
        assert value_in(tier, key) == 2.0

    def test_a_record_is_read_alone(self, tier):
        tier.put(KEY, entry(np.zeros(10**5)))
        assert tier.record(KEY).created == 2.0
        assert tier.size(KEY) > 8 * 10**5
        assert tier.record(KEY).details["key"] == KEY.path

    def test_what_was_not_put_is_not_there(self, tier):
        assert tier.get(KEY) is None
        assert tier.record(KEY) is None
        assert tier.size(KEY) == 0
        assert not tier.has(KEY)
        assert list(tier.keys()) == []

    def test_a_version_is_cleared_and_nothing_else(self, tier):
        again = Key("pkg/f", "code", "other.key", "pickle")
        others = [SAME_CALL, OTHER_FUNCTION]
        for key in (KEY, again, *others):
            tier.put(key, entry(1, key))
        assert tier.clear("pkg/f", "code") == {"hash.key.npy", "other.key.pickle"}
        assert tier.clear("pkg/f", "code") == set()
        assert tier.clear("pkg/none", "code") == set()
        assert set(tier.keys()) == set(others)

    def test_the_last_one_put_counts(self, tier):
        tier.put(KEY, entry(1))
        tier.put(KEY, entry(2))
        assert value_in(tier) == 2
        assert list(tier.keys()) == [KEY]

    def test_what_was_discarded_is_gone(self, tier):
        tier.put(KEY, entry(1))
        assert tier.discard(KEY)
        assert tier.get(KEY) is None
        assert not tier.discard(KEY)

    def test_keys_are_told_apart(self, tier):
        for number, key in enumerate([KEY, SAME_CALL, OTHER_FUNCTION]):
            tier.put(key, entry(number, key))
        assert [value_in(tier, key) for key in [KEY, SAME_CALL, OTHER_FUNCTION]] == [0, 1, 2]

    def test_keys_are_listed_by_function_or_all(self, tier):
        for key in [KEY, SAME_CALL, OTHER_FUNCTION]:
            tier.put(key, entry(1, key))
        assert set(tier.keys()) == {KEY, SAME_CALL, OTHER_FUNCTION}
        assert set(tier.keys("pkg/f")) == {KEY, SAME_CALL}

    def test_what_is_got_can_be_changed_without_changing_the_tier(self, tier):
        tier.put(KEY, entry(np.zeros(100)))
        value_in(tier)[:] = 1
        assert (value_in(tier) == 0).all()

    def test_what_was_put_can_be_changed_without_changing_the_tier(self, tier):
        value = np.zeros(100)
        tier.put(KEY, entry(value))
        value[:] = 1
        assert (value_in(tier) == 0).all()

    def test_a_location_names_the_entry(self, tier):
        assert tier.location(KEY).replace("\\", "/").endswith(KEY.path)
