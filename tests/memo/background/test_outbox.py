"""What slower tiers get in the background, within one process. Kills are in `tests.faults`."""

import os
import pickle
import threading

import numpy as np
import pytest

from neurotools.jobs.cache import disk_cacher, flush, hierarchical_cacher
from neurotools.memo.background import lanes
from neurotools.memo.background.sending import Parcel
from neurotools.memo.entry import Key
from neurotools.memo.errors import UnknownChoice
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.tiers.marks import FolderMarks
from neurotools.memo.tiers.ram import RamTier
from tests.faults.away import Away, entries_in, marks_in, until
from tests.memo.tiers.promises import KEY, entry, value_in


@pytest.fixture
def away(tmp_path):
    (tmp_path / "away").mkdir()
    return Away(tmp_path / "away")


@pytest.fixture
def fast(tmp_path):
    return DirectoryTier(str(tmp_path / "fast"))


def keys(count):
    return [KEY._replace(call=f"hash.{number}") for number in range(count)]


def asynchronous(*tiers, **options):
    return Hierarchy(tiers, write_back="async", **options)


def test_the_slow_tier_gets_what_the_fast_one_has(fast, away):
    hierarchy = asynchronous(RamTier(), fast, away)
    for number, key in enumerate(keys(30)):
        hierarchy.put(key, entry(number, key))
        assert fast.has(key)
    assert hierarchy.flush() == 0
    assert [value_in(away, key) for key in keys(30)] == list(range(30))
    assert sorted(away.puts()) == sorted(key.path for key in keys(30))
    assert hierarchy.counts[2]["stores"] == 30
    assert marks_in(fast.root) == []


def test_the_result_is_there_before_the_slow_tier_has_it(fast, away):
    away.switch("hangs")
    hierarchy = asynchronous(fast, away)
    hierarchy.put(KEY, entry(1))
    assert value_in(hierarchy) == 1
    assert len(marks_in(fast.root)) == 1
    assert hierarchy.flush(timeout=0.05) == 1
    away.switch("hangs", on=False)
    assert hierarchy.flush() == 0
    assert value_in(away) == 1


def test_manifests_are_sent_too(fast, away):
    hierarchy = asynchronous(RamTier(), fast, away)
    hierarchy.put(KEY, entry(1))
    assert hierarchy.put_manifest(KEY, b"{}")
    hierarchy.flush()
    assert away.get_manifest(KEY.function, KEY.code) == b"{}"


def test_without_a_folder_it_is_sent_from_memory(away):
    hierarchy = asynchronous(RamTier(max_bytes=10_000), away)
    away.switch("slow", 0.01)
    for number, key in enumerate(keys(20)):  # memory does not hold all of them
        hierarchy.put(key, entry(np.full(100, number), key))
    hierarchy.put_manifest(KEY, b"{}")
    assert hierarchy.flush() == 0
    assert [value_in(away, key)[0] for key in keys(20)] == list(range(20))
    assert away.get_manifest(KEY.function, KEY.code) == b"{}"
    assert lanes.lane_to(away.name)._waiting._held == 0


def test_what_memory_does_not_keep_is_stored_at_once(away):
    hierarchy = asynchronous(RamTier(max_bytes=10), away)
    hierarchy.put(KEY, entry(1))
    assert value_in(away) == 1


def test_what_the_folder_cannot_keep_is_stored_at_once(tmp_path, away, monkeypatch):
    fast = DirectoryTier(str(tmp_path / "fast"))
    hierarchy = asynchronous(fast, away)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fast, "put", full)
    hierarchy.put(KEY, entry(1))
    assert value_in(away) == 1


def test_what_cannot_be_marked_is_stored_at_once(fast, away, monkeypatch):
    hierarchy = asynchronous(fast, away)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FolderMarks, "keep", full)
    hierarchy.put(KEY, entry(1))
    assert value_in(away) == 1
    assert value_in(fast) == 1


def test_what_is_noted_before_it_is_kept_is_forgotten_if_it_cannot_be(fast, away, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fast, "put", full)
    asynchronous(fast, away).put(KEY, entry(1))
    assert marks_in(fast.root) == []
    assert value_in(away) == 1


def test_an_entry_that_is_about_to_be_kept_is_not_given_up(fast, away, monkeypatch):
    """A killed process had noted it, and this one computes it while it looks for the entry."""
    hierarchy, put = asynchronous(fast, away), fast.put

    def put_late(key, blob):
        route = hierarchy._outbox._routes[1]
        route.send(Parcel(route, key, route.unsent.name(key), is_found=True))
        put(key, blob)

    monkeypatch.setattr(fast, "put", put_late)
    hierarchy.put(KEY, entry(1))
    assert hierarchy.flush() == 0
    assert value_in(away) == 1


def test_an_entry_is_noted_before_it_is_kept(fast, away, monkeypatch):
    noted, put = [], fast.put

    def look(key, blob):
        noted.extend(marks_in(fast.root))
        put(key, blob)

    monkeypatch.setattr(fast, "put", look)
    asynchronous(fast, away).put(KEY, entry(1))
    assert len(noted) == 1


@pytest.mark.parametrize("write_back", [True, "async"])
def test_results_of_an_outage_arrive_when_it_is_over(fast, away, write_back, caplog):
    hierarchy = Hierarchy([fast, away], write_back=write_back)
    hierarchy.put(KEY, entry("before"))
    assert hierarchy.flush() == 0
    away.switch("away")
    for number, key in enumerate(keys(10)):
        hierarchy.put(key, entry(number, key))
    assert hierarchy.flush() == 10
    assert len(marks_in(fast.root)) == 10
    away.switch("away", on=False)
    until(lambda: hierarchy.flush(1) == 0)
    assert [value_in(away, key) for key in keys(10)] == list(range(10))
    assert marks_in(fast.root) == []
    assert len([one for one in caplog.records if "going on without it" in one.message]) == 1


def test_nothing_is_marked_where_all_is_well(fast, away):
    hierarchy = Hierarchy([fast, away])
    hierarchy.put(KEY, entry(1))
    assert not os.path.exists(os.path.join(fast.root, ".neurotools", "marks"))
    assert hierarchy._known_outbox is None


def test_what_can_never_be_kept_there_is_not_marked(fast, away, monkeypatch):
    def refuse(*_):
        raise OSError(36, "File name too long")

    monkeypatch.setattr(away, "put", refuse)
    Hierarchy([fast, away]).put(KEY, entry(1))
    assert marks_in(fast.root) == []
    hierarchy = asynchronous(fast, away)
    hierarchy.put(KEY, entry(1))
    assert hierarchy.flush() == 0
    assert marks_in(fast.root) == []


def test_one_that_fails_does_not_hold_up_the_others(fast, away, monkeypatch):
    put = away.put

    def refuse(key, blob):
        if key == keys(40)[0]:
            raise OSError(5, "Input/output error")
        put(key, blob)

    monkeypatch.setattr(away, "put", refuse)
    monkeypatch.setattr(lanes, "_FIRST_PAUSE", 0.001)
    hierarchy = asynchronous(fast, away)
    for number, key in enumerate(keys(40)):
        hierarchy.put(key, entry(number, key))
    until(lambda: len(marks_in(fast.root)) == 1)
    assert len(entries_in(away.place)) == 39


# ---------------------------------------------------------------- what is removed


@pytest.mark.parametrize("how", ["discard", "clear"])
@pytest.mark.parametrize("front", ["folder", "memory"])
def test_what_was_removed_before_it_was_sent_does_not_come_back(fast, away, how, front):
    hierarchy = asynchronous(fast if front == "folder" else RamTier(), away)
    away.switch("away")
    for number, key in enumerate(keys(5)):
        hierarchy.put(key, entry(number, key))
    if how == "clear":
        hierarchy.clear(KEY.function, KEY.code)
    else:
        for key in keys(5):
            hierarchy.discard(key)
    assert marks_in(fast.root) == []
    away.switch("away", on=False)
    until(lambda: hierarchy.flush(1) == 0)
    assert list(away.keys()) == []


@pytest.mark.parametrize("how", ["discard", "clear"])
def test_what_is_removed_while_it_is_sent_does_not_come_back(fast, away, how):
    hierarchy = asynchronous(fast, away)
    away.switch("slow", 0.3)
    hierarchy.put(KEY, entry(1))
    until(away.puts)
    assert hierarchy.discard(KEY) if how == "discard" else hierarchy.clear(KEY.function, KEY.code)
    assert hierarchy.flush() == 0
    assert list(away.keys()) == []
    assert marks_in(fast.root) == []


def test_what_cannot_be_taken_back_now_is_taken_back_later(fast, away):
    hierarchy = asynchronous(fast, away)
    fail, tier = [OSError(113, "No route to host")] * 2, away._tier
    begun, go_on = threading.Event(), threading.Event()

    def put(key, blob):
        begun.set()
        assert go_on.wait(60)
        return DirectoryTier.put(tier, key, blob)

    def discard(key):
        if fail:
            raise fail.pop()
        return DirectoryTier.discard(tier, key)

    tier.put, tier.discard = put, discard
    hierarchy.put(KEY, entry(1))
    assert begun.wait(30)
    hierarchy.discard(KEY)
    go_on.set()
    until(lambda: hierarchy.flush(1) == 0)
    assert list(away.keys()) == []
    assert fail == []


def test_what_is_computed_anew_while_the_old_one_is_sent_arrives(fast, away):
    hierarchy = asynchronous(fast, away)
    away.switch("slow", 0.2)
    hierarchy.put(KEY, entry("old"))
    until(away.puts)
    hierarchy.put(KEY, entry("new"))
    assert hierarchy.flush() == 0
    assert value_in(away) == "new"
    assert marks_in(fast.root) == []


def test_an_entry_that_is_gone_is_forgotten(fast, away):
    away.switch("away")
    hierarchy = asynchronous(fast, away)
    hierarchy.put(KEY, entry(1))
    os.unlink(fast.location(KEY))
    away.switch("away", on=False)
    until(lambda: hierarchy.flush(1) == 0)
    assert marks_in(fast.root) == []
    assert list(away.keys()) == []


def test_a_damaged_entry_is_not_sent(fast, away, caplog):
    away.switch("away")
    hierarchy = asynchronous(fast, away)
    hierarchy.put(KEY, entry(1))
    until(lambda: hierarchy.left_alone)  # it was read, and could not be sent: it is read again
    with open(fast.location(KEY), "r+b") as file:
        file.write(b"damage")
    away.switch("away", on=False)
    until(lambda: hierarchy.flush(1) == 0)
    assert list(away.keys()) == []
    assert "its checksum does not fit" in caplog.text


def test_a_pickle_that_is_not_trusted_is_not_sent(fast, away, caplog):
    key = KEY._replace(method="pickle")
    away.switch("away")
    hierarchy = asynchronous(fast, away)
    hierarchy.put(key, entry(1, key))
    until(lambda: hierarchy.left_alone)
    os.chmod(fast.location(key), 0o666)
    away.switch("away", on=False)
    until(lambda: hierarchy.flush(1) == 0)
    assert list(away.keys()) == []
    assert "will not open" in caplog.text
    assert len(marks_in(fast.root)) == 1


# ---------------------------------------------------------------- bounds


def test_keys_beyond_the_bound_wait_on_disk(fast, away, monkeypatch):
    monkeypatch.setattr(lanes, "_MOST_KNOWN", 5)
    away.switch("hangs")
    hierarchy = asynchronous(fast, away)
    for number, key in enumerate(keys(30)):
        hierarchy.put(key, entry(number, key))
    assert len(lanes.lane_to(away.name).pending) == 5
    away.switch("hangs", on=False)
    until(lambda: not marks_in(fast.root))
    assert len(entries_in(away.place)) == 30


def test_few_bytes_are_held_at_a_time(fast, away, monkeypatch):
    monkeypatch.setattr(lanes, "MOST_HELD", 10_000)
    room = lanes.lane_to(away.name)._sending
    held, put = [], away.put

    def look(key, blob):
        held.append(room._held)
        put(key, blob)

    monkeypatch.setattr(away, "put", look)
    hierarchy = asynchronous(fast, away)
    for number, key in enumerate(keys(40)):
        hierarchy.put(key, entry(np.full(number * 50, number), key))
    assert hierarchy.flush() == 0
    assert 0 < max(held) <= max(10_000, fast.size(keys(40)[-1]))
    assert room._held == 0


def test_one_that_is_larger_than_the_room_has_it_alone():
    room = lanes.Room(10)
    assert room.take(100)
    assert not room.take(1, waits=False)
    room.give_back(100)
    assert room.take(1, waits=False)


def test_many_threads_may_leave_results(fast, away):
    hierarchy = asynchronous(fast, away)

    def put(start):
        for number in range(start, 200, 4):
            hierarchy.put(keys(200)[number], entry(number, keys(200)[number]))

    threads = [threading.Thread(target=put, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert hierarchy.flush() == 0
    assert len(entries_in(away.place)) == 200
    assert len(lanes.lane_to(away.name)._threads) <= 4


# ---------------------------------------------------------------- functions


def test_a_function_keeps_its_results_everywhere(tmp_path, away):
    @hierarchical_cacher(("ram://", tmp_path / "fast", away), write_back="async")
    def double(x):
        return 2 * x

    away.switch("hangs")
    assert [double(x) for x in range(5)] == [0, 2, 4, 6, 8]
    assert [tier.unsent for tier in double.cache_info().tiers] == [0, 0, 5]
    away.switch("hangs", on=False)
    assert double.flush() == 0
    assert double.cache_info().tiers[2].unsent == 0
    assert flush() == 0
    assert len(entries_in(away.place)) == 5
    assert double.cache_info().tiers[2].stores == 5
    assert double.versions()


def test_what_is_opened_while_it_is_sent_is_no_input_of_what_is_computed(tmp_path, away):
    away.switch("slow", 0.1)

    @hierarchical_cacher((tmp_path / "fast", away), write_back="async", trace=True)
    def wait(x):
        until(lambda: len(away.puts()) >= x)
        return x

    wait(0)
    wait(1)
    record = wait._hierarchy.record(wait._key((1,), {}))
    assert not [fact for fact in record.details["traced"] if fact[1].endswith(os.sep + "slow")]
    wait.flush()


def test_one_folder_is_written_at_once(tmp_path):
    double = disk_cacher(tmp_path, write_back="async")(lambda x: 2 * x)
    assert double(1) == double(1) == 2
    assert double.cache_info().hits == 1
    assert double.flush() == 0


@pytest.mark.parametrize("make", [disk_cacher, hierarchical_cacher])
def test_other_ways_of_writing_are_refused(tmp_path, make):
    with pytest.raises(UnknownChoice, match="unknown write_back 'asynch'"):
        make(tmp_path, write_back="asynch")


@pytest.mark.parametrize("seconds", [-1, "soon", float("nan")])
def test_a_wait_that_is_none_is_refused(tmp_path, seconds):
    with pytest.raises(ValueError, match="flush_seconds is"):
        hierarchical_cacher(tmp_path, flush_seconds=seconds)


def test_it_travels(fast, away):
    there = pickle.loads(pickle.dumps(asynchronous(fast, away, flush_seconds=3)))
    assert (there.write_back, there.flush_seconds) == ("async", 3)
    there.put(KEY, entry(1))
    assert there.flush() == 0
    assert value_in(away) == 1


def test_odd_names_are_sent_too(fast, away):
    hierarchy = asynchronous(fast, away)
    odd = Key("pkg/f", "code", "hash.é key", "npy")
    hierarchy.put(odd, entry(1, odd))
    assert hierarchy.flush() == 0
    assert value_in(away, odd) == 1
