"""What is promised of every library's types: tests of it inherit this and give the values."""

import collections
import copy
import pickle

import pytest

from neurotools.memo.digest.values import digest


class DigestPromises:
    """Inherit, and give fixtures ``different`` (by name, no two the same) and ``not_copied``."""

    @pytest.fixture
    def not_copied(self):
        return ()

    def test_different_values_have_different_digests(self, different):
        found = collections.defaultdict(list)
        for name, value in different.items():
            found[digest(value)].append(name)
        assert [names for names in found.values() if len(names) > 1] == []

    @pytest.mark.parametrize("make", [copy.copy, copy.deepcopy])
    def test_a_copy_has_the_same_digest(self, different, not_copied, make):
        kept = {name: value for name, value in different.items() if name not in not_copied}
        changed = [name for name, value in kept.items() if digest(make(value)) != digest(value)]
        assert changed == []

    def test_what_was_pickled_has_the_same_digest(self, different, not_copied):
        kept = {name: value for name, value in different.items() if name not in not_copied}
        copies = {name: pickle.loads(pickle.dumps(value)) for name, value in kept.items()}
        assert [name for name in kept if digest(copies[name]) != digest(kept[name])] == []
