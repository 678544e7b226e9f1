"""Marks of what a slower tier lacks."""

import json

import pytest

from neurotools.memo.background.unsent import Unsent, key_at
from neurotools.memo.entry import Key
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.tiers.guarded import Guarded
from neurotools.memo.tiers.ram import RamTier
from neurotools.memo.tiers.unfinished import this_process
from tests.memo.tiers.promises import KEY, OTHER_FUNCTION


@pytest.fixture(params=["folder", "memory"])
def keeper(request, tmp_path):
    tier = DirectoryTier(str(tmp_path / "c")) if request.param == "folder" else RamTier()
    return Guarded(tier)


@pytest.fixture
def unsent(keeper):
    return Unsent(keeper, "/slow")


def test_an_entry_is_noted_read_and_dropped(unsent):
    name = unsent.add(KEY)
    note = unsent.read(name)
    assert (note.key, note.by) == (KEY, this_process())
    assert unsent.is_ours(note)
    assert [one.key for one in unsent.notes()] == [KEY]
    assert unsent.drop(note)
    assert unsent.read(name) is None
    assert not unsent.drop(note)


def test_what_is_noted_anew_is_not_dropped_with_what_was_noted_before(unsent):
    name = unsent.add(KEY)
    before = unsent.read(name)
    unsent.add(KEY)
    assert not unsent.drop(before)
    assert unsent.read(name).key == KEY


def test_several_entries_are_forgotten_and_no_others(unsent):
    keys = [KEY._replace(call=f"h.{number}") for number in range(3)]
    for key in (*keys, OTHER_FUNCTION):
        unsent.add(key)
    unsent.forget([*keys, KEY])
    assert [note.key for note in unsent.notes()] == [OTHER_FUNCTION]
    unsent.forget([OTHER_FUNCTION])
    assert list(unsent.notes()) == []


def test_each_slower_tier_has_its_own(tmp_path):
    keeper = Guarded(DirectoryTier(str(tmp_path)))
    one, other = Unsent(keeper, "/one"), Unsent(keeper, "/other")
    one.add(KEY)
    assert (len(one.names()), len(other.names())) == (1, 0)


def test_marks_in_memory_end_with_it(tmp_path):
    assert Unsent(Guarded(DirectoryTier(str(tmp_path))), "/slow").is_lasting
    assert not Unsent(Guarded(RamTier()), "/slow").is_lasting


@pytest.mark.parametrize("surrogate", ["\udc80", "é", "x" * 200])
def test_keys_of_all_kinds_come_back(unsent, surrogate):
    key = KEY._replace(call=f"hash.{surrogate}")
    assert unsent.read(unsent.add(key)).key == key


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"[" * 100_000,
        b"x" * 100_000,
        json.dumps({"key": 1, "by": "x"}).encode(),
        json.dumps({"key": KEY.path}).encode(),
        json.dumps({"key": KEY.path, "by": None}).encode(),
        json.dumps({"key": "../../etc/x.npy", "by": "x"}).encode(),
        json.dumps({"key": OTHER_FUNCTION.path, "by": "x"}).encode(),
    ],
)
def test_what_is_no_note_of_that_entry_is_dropped(unsent, content):
    name = unsent.name(KEY)
    unsent._marks.keep(name, content)
    assert unsent.read(name) is None
    assert unsent.names() == []


@pytest.mark.parametrize(
    "path",
    [
        *("", "x", "a/b", "a/b.npy", "a/b/.npy", "a/b/c", "a/b/c.exe", "/a/b/c.npy"),
        *("a//c.npy", "../a/b.npy", "a/../b.npy", "a/./b.npy", "a/b\0/c.npy"),
        ".neurotools/a/b.npy",
    ],
)
def test_no_path_leads_anywhere_else(path):
    assert key_at(path) is None


def test_a_path_gives_its_key():
    for key in (KEY, Key("a/b/c", "d", "e.f.g", "pickle")):
        assert key_at(key.path) == key


def test_the_process_of_a_note_is_seen_to_live_or_not(tmp_path):
    unsent = Unsent(Guarded(DirectoryTier(str(tmp_path))), "/slow")
    own = unsent.read(unsent.add(KEY))
    assert unsent.is_orphan(own) is False
    host = this_process().rsplit("-", 2)[0]
    assert unsent.is_orphan(own._replace(by=f"{host}-1-{'0' * 16}")) is not False
    assert unsent.is_orphan(own._replace(by="elsewhere+0-1-00")) is None
    assert unsent.is_orphan(own._replace(by="nonsense")) is None
