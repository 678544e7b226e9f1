"""Marks: small files by which those who share a tier tell each other something."""

import errno
import multiprocessing
import os
import pickle

import pytest

from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.tiers.guarded import Guarded
from neurotools.memo.tiers.marks import checked_name


@pytest.fixture
def tier(tmp_path):
    return DirectoryTier(str(tmp_path / "cache"))


def test_a_mark_is_made_read_replaced_and_dropped(tier):
    marks = tier.marks
    assert marks.read("leases/a") is None
    assert marks.create("leases/a", b"one") is True
    assert marks.create("leases/a", b"two") is False
    assert marks.read("leases/a") == b"one"
    marks.keep("leases/a", b"three")
    assert marks.read("leases/a") == b"three"
    assert marks.drop("leases/a") is True
    assert marks.drop("leases/a") is False
    assert marks.read("leases/a") is None


def test_marks_are_listed_by_what_is_above_them(tier):
    for name in ("unsent/x/1", "unsent/x/2", "unsent/y/1", "leases/1"):
        tier.marks.create(name, b"")
    assert sorted(tier.marks.names("unsent/x")) == ["unsent/x/1", "unsent/x/2"]
    assert sorted(tier.marks.names("unsent")) == ["unsent/x/1", "unsent/x/2", "unsent/y/1"]
    assert tier.marks.names("nothing") == []


def test_marks_are_no_entries(tier):
    tier.marks.create("leases/a", b"one")
    assert list(tier.keys()) == []


@pytest.mark.parametrize("name", ["", "..", "../a", "a/../b", "/a", "a/", "a\0b", ".hidden", "a b"])
def test_a_name_leads_nowhere_else(tier, name):
    with pytest.raises(ValueError, match="no name of a mark"):
        checked_name(name)
    with pytest.raises(ValueError, match="no name of a mark"):
        tier.marks.create(name, b"")


def test_nothing_is_left_beside_a_mark(tier):
    assert tier.marks.create("leases/a", b"one")
    assert not tier.marks.create("leases/a", b"two")
    folder = os.path.join(tier.root, ".neurotools", "marks", "leases")
    assert os.listdir(folder) == ["a"]
    assert os.stat(os.path.join(folder, "a")).st_nlink == 1


def test_it_works_where_files_have_one_name_each(tier, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    assert tier.marks.create("leases/a", b"one") is True
    assert tier.marks.create("leases/a", b"two") is False
    assert tier.marks.read("leases/a") == b"one"


def test_an_answer_that_got_lost_does_not_lose_the_mark(tier, monkeypatch):
    link = os.link

    def link_twice(source, target):
        link(source, target)
        link(source, target)

    monkeypatch.setattr(os, "link", link_twice)
    assert tier.marks.create("leases/a", b"one") is True


def test_a_guarded_tier_has_marks_and_one_without_has_none(tier):
    marks = Guarded(tier).marks
    assert marks.is_exclusive
    assert marks.create("a", b"1")
    marks.keep("a", b"2")
    assert (marks.read("a"), marks.names("b"), marks.drop("a")) == (b"2", [], True)

    class Plain:
        name, get = "plain", None

    assert Guarded(Plain()).marks is None


def test_a_tier_with_marks_travels(tier):
    assert tier.marks.create("a", b"1")
    assert pickle.loads(pickle.dumps(tier)).marks.read("a") == b"1"


def _create_all(root, names, won):
    marks = DirectoryTier(root).marks
    won.put([name for name in names if marks.create(name, str(os.getpid()).encode())])


def test_one_process_alone_makes_a_mark(tier):
    context = multiprocessing.get_context("spawn")
    won, names = context.Queue(), [f"leases/{number}" for number in range(200)]
    processes = [
        context.Process(target=_create_all, args=(tier.root, names, won)) for _ in range(3)
    ]
    for process in processes:
        process.start()
    got = [name for _ in processes for name in won.get(timeout=60)]
    for process in processes:
        process.join()
    assert sorted(got) == sorted(names)
