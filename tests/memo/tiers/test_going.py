"""What goes next from a folder, and that it is removed only as it was."""

import os
import time

import pytest

from neurotools.memo.tiers import going
from neurotools.memo.tiers.folders import Folders
from neurotools.memo.tiers.going import Going
from neurotools.memo.tiers.removal import removed
from neurotools.memo.tiers.trust import Trust
from neurotools.memo.tiers.worth import ORDERS, Candidate

NOW = 1e9


def one(name, written=NOW - 100, seconds=1.0):
    return Candidate("pkg/f/code", f"{name}.npy", 4096, seconds, 0, written, written)


def order_of(waiting):
    return [found.name[:-4] for found in iter(waiting.pop, None)]


@pytest.fixture
def waiting():
    return Going(ORDERS["value"])


def looked(waiting, *found):
    waiting.begin_with(waiting.arranged(list(found), NOW))


def test_what_is_worth_least_goes_first_and_what_is_young_last(waiting):
    looked(waiting, one("b", seconds=2), one("new", NOW - 1, 0.1), one("a", seconds=1))
    waiting.add([one("own", NOW, 0.1)])
    assert len(waiting) == 4
    assert order_of(waiting) == ["a", "b", "own", "new"]
    assert len(waiting) == 0


def test_what_was_stored_since_the_look_takes_its_place_when_it_is_no_longer_young(
    waiting, monkeypatch
):
    looked(waiting, one("a", seconds=1), one("c", seconds=3))
    waiting.add([one("b", NOW, seconds=2)])
    monkeypatch.setattr(going, "YOUNG_SECONDS", -1.0)
    assert order_of(waiting) == ["a", "b", "c"]


def test_the_newest_never_go_whoever_stored_them(waiting):
    looked(waiting, *(one(f"{i}", NOW - 1 + i / 100) for i in range(60)))
    waiting.add([one(f"own{i}", NOW) for i in range(10)])
    left = order_of(waiting)
    assert len(waiting) == 0
    assert left == [f"own{i}" for i in range(4)] + [f"{i}" for i in range(54)]


def test_a_clock_that_went_wrong_spares_nothing(waiting):
    looked(waiting, one("future", NOW + 1e6, 0.5), one("past", 0.0, 1.0))
    assert order_of(waiting) == ["future", "past"]


def test_a_second_look_does_not_forget_what_this_process_has_just_stored(waiting):
    waiting.add([one("own", NOW)])
    looked(waiting, one("own", NOW), one("other", NOW - 0.5))
    assert order_of(waiting) == ["own", "other"]


def test_only_what_may_go_is_left(waiting):
    looked(waiting, one("a"), one("b"), one("young", NOW))
    waiting.add([one("own", NOW)])
    waiting.keep(lambda found: found.name in {"b.npy", "own.npy"})
    assert order_of(waiting) == ["b", "own"]


class TestRemoval:
    @pytest.fixture
    def folders(self, tmp_path):
        return Folders(str(tmp_path), Trust())

    def made(self, folders, name, shelf="pkg/f/code"):
        folder = os.path.join(folders.root, *shelf.split("/"))
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, f"{name}.npy")
        with open(path, "w"):
            pass
        os.utime(path, (NOW, NOW))
        return path

    def test_what_is_there_as_it_was_is_removed(self, folders):
        gone, anew = self.made(folders, "gone"), self.made(folders, "anew")
        os.utime(anew, (NOW + 1, NOW + 1))
        failures = []
        ones = [one(name, NOW) for name in ("gone", "anew", "missing")]
        elsewhere = one("x")._replace(shelf="pkg/f/other")
        assert removed(folders, [*ones, elsewhere], failures.append) == ones[:1]
        assert not os.path.exists(gone)
        assert os.path.exists(anew)
        assert failures == []

    def test_what_cannot_be_removed_keeps_nothing_else(self, folders):
        path = self.made(folders, "free")
        os.makedirs(os.path.join(os.path.dirname(path), "folder.npy"))
        failures = []
        going_now = [one("folder", time.time() + 100), one("free", NOW)]
        assert removed(folders, going_now, failures.append) == going_now[1:]
        assert len(failures) == 1
