import errno
import os
import stat

import pytest

from neurotools.jobs.cache import disk_cacher, hierarchical_cacher
from neurotools.memo.errors import UnknownChoice
from neurotools.memo.tiers import durable
from neurotools.memo.tiers.directory import DirectoryTier
from tests.memo.tiers.promises import KEY, SAME_CALL, TierPromises, entry, value_in


class TestDurableTier(TierPromises):
    @pytest.fixture
    def tier(self, tmp_path):
        return DirectoryTier(str(tmp_path / "cache"), durability="power")


@pytest.fixture
def synced(monkeypatch):
    """Return what was brought to the disk: paths of folders, and 'file'."""
    done, fsync = [], os.fsync

    def noted(descriptor):
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        done.append(os.readlink(f"/proc/self/fd/{descriptor}") if is_folder else "file")
        fsync(descriptor)

    monkeypatch.setattr(durable.os, "fsync", noted)
    return done


linux = pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="folders are named there")


@linux
def test_file_then_folder_then_only_what_is_new(tmp_path, synced):
    tier = DirectoryTier(str(tmp_path / "new" / "cache"), durability="power")
    tier.put(KEY, entry(1))
    folder = os.path.dirname(tier.location(KEY))
    assert synced[-2:] == ["file", folder]
    way = {str(tmp_path), *(os.path.join(tier.root, *parts) for parts in [(), ("pkg",)])}
    assert way <= set(synced[:-2])
    synced.clear()
    tier.put(KEY, entry(2))
    assert synced == ["file", folder]
    synced.clear()
    tier.put(SAME_CALL, entry(2, SAME_CALL))
    assert synced[-2:] == ["file", os.path.dirname(tier.location(SAME_CALL))]
    assert len(synced) > 2


@linux
def test_nothing_waits_for_the_disk_unless_asked(tmp_path, synced):
    disk_cacher(tmp_path)(abs)(-1)
    assert synced == []


@linux
def test_notes_do_not_wait_for_the_disk(tmp_path, synced):
    DirectoryTier(str(tmp_path / "cache"), durability="power").keep_note("name", b"content")
    assert synced == []


@linux
def test_what_is_promoted_is_brought_to_the_disk(tmp_path, synced):
    places = [tmp_path / "fast", tmp_path / "slow"]
    hierarchical_cacher(places[1:], durability="power")(abs)(-1)
    synced.clear()
    both = hierarchical_cacher(places, durability="power")(abs)
    assert both(-1) == 1
    assert both.cache_info().hits == 1
    assert str(tmp_path / "fast") in {path[: len(str(tmp_path / "fast"))] for path in synced}


@pytest.mark.parametrize("make", [disk_cacher, hierarchical_cacher])
def test_an_unknown_durability_is_refused_before_a_folder_is_made(tmp_path, make):
    with pytest.raises(UnknownChoice, match="unknown durability 'disk'; choose power or process"):
        make(tmp_path / "cache", durability="disk")
    assert not (tmp_path / "cache").exists()


def test_a_tier_refuses_an_unknown_durability(tmp_path):
    with pytest.raises(UnknownChoice, match="durability None"):
        DirectoryTier(str(tmp_path), durability=None)


@pytest.mark.parametrize("error", [errno.EINVAL, errno.ENOTSUP])
@pytest.mark.skipif(os.name == "nt", reason="nothing is asked there")
def test_a_folder_that_cannot_be_asked_for_is_passed_over(tmp_path, monkeypatch, error):
    monkeypatch.setattr(durable, "keep_file", _failing(error))
    durable.keep_names(str(tmp_path))


@pytest.mark.skipif(os.name == "nt", reason="nothing is asked there")
def test_a_disk_that_fails_is_a_failure(tmp_path, monkeypatch):
    tier = DirectoryTier(str(tmp_path / "cache"), durability="power")
    tier.put(KEY, entry(1))
    monkeypatch.setattr(durable, "keep_file", _failing(errno.EIO))
    with pytest.raises(OSError, match="Input/output"):
        tier.put(KEY, entry(2))
    assert value_in(tier) == 1
    assert [
        name for name in os.listdir(os.path.dirname(tier.location(KEY))) if name[0] == "."
    ] == []


def _failing(number):
    def fail(_):
        raise OSError(number, os.strerror(number))

    return fail
