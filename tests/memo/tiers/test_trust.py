"""Without other users: with them, see `tests/faults/test_trust.py`."""

import os
import pickle
import time

import pytest

from neurotools.memo.tiers import trust
from neurotools.memo.tiers.trust import Trust, user_numbers

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has no such users")


@pytest.fixture
def place(tmp_path):
    (tmp_path / "root" / "inner").mkdir(parents=True)
    return tmp_path


def doubt(place, within="root"):
    return Trust().in_folder(str(place / "root" / "inner"), str(place / within))


def test_folders_of_ones_own_are_trusted(place):
    assert doubt(place) is None


@pytest.mark.parametrize("name", ["", "root", "root/inner"])
def test_a_folder_that_others_may_write_is_named(place, name):
    (place / name).chmod(0o777)
    assert doubt(place) == (str(place / name), "other users may write to it")


def test_the_sticky_bit_helps_above_the_root_alone(place):
    place.chmod(0o1777)
    assert doubt(place) is None
    (place / "root").chmod(0o1777)
    assert doubt(place) == (str(place / "root"), "other users may write to it")


def test_links_are_followed_to_what_they_lead_to(place):
    (place / "real").mkdir()
    (place / "root" / "inner").rmdir()
    (place / "root" / "inner").symlink_to("../real")
    assert doubt(place) is None
    (place / "real").chmod(0o777)
    assert doubt(place) == (str(place / "real"), "other users may write to it")


def test_links_in_a_circle_are_a_doubt(place):
    (place / "root" / "inner").rmdir()
    (place / "root" / "inner").symlink_to("inner")
    assert "too many symbolic links" in doubt(place).reason


def test_what_is_not_there_is_a_doubt_that_is_not_remembered(place):
    known = Trust()
    path = place / "root" / "later"
    assert known.in_folder(str(path), str(place / "root")).location == str(path)
    path.mkdir()
    assert known.in_folder(str(path), str(place / "root")) is None


def test_a_verdict_is_remembered_for_a_while(place, monkeypatch):
    known, now = Trust(), time.monotonic()
    monkeypatch.setattr(trust.time, "monotonic", lambda: now)
    folder, root = str(place / "root" / "inner"), str(place / "root")
    assert known.in_folder(folder, root) is None
    place.chmod(0o777)
    assert known.in_folder(folder, root) is None
    now += trust.REMEMBERED_SECONDS
    assert known.in_folder(folder, root).location == str(place)
    assert pickle.loads(pickle.dumps(Trust([7]))).owners == {7}


def test_owners_are_names_or_numbers():
    assert user_numbers(()) == frozenset()
    assert user_numbers(7) == user_numbers([7]) == {7}
    with pytest.raises(ValueError, match="there is no user 'nobody at all' here"):
        user_numbers("nobody at all")
    with pytest.raises(TypeError, match="True is neither"):
        user_numbers([True])
