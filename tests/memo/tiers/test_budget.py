"""Budgets: kept while in use, by the right order, with what is to be spared; never in the way."""

import contextlib
import itertools
import multiprocessing
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from neurotools.jobs.cache import disk_cacher, folder, hierarchical_cacher
from neurotools.memo.errors import UnknownChoice
from neurotools.memo.tiers import account as account_module
from neurotools.memo.tiers import budget as budget_module
from neurotools.memo.tiers import evicting, going, worth
from neurotools.memo.tiers.account import Account, Counts
from neurotools.memo.tiers.budget import Keeper
from neurotools.memo.tiers.census import census, taken
from neurotools.memo.tiers.limits import ORDERS, budget_of
from neurotools.memo.tiers.trust import Trust


def block(i, size=1000):
    return np.full(size, float(i))


def slow(i):
    time.sleep(0.02 * (i % 2))
    return np.full(1000, float(i))


def room_in(root):
    return sum(taken(found.size) for shelf in census(str(root)) for found in shelf.entries)


def entries_in(root):
    return sum(len(shelf.entries) for shelf in census(str(root)))


def kept(remembering):
    """Wait until the budget is kept, whoever has to do it."""
    remembering._hierarchy.tiers[0]._keeper.keep()


def evictor_of(remembering):
    """Return what removes entries, when nobody else is about to look at the folder."""
    keeper = remembering._hierarchy.tiers[0]._keeper
    keeper._thread.join()
    return keeper._evictor


@pytest.fixture
def at_once(monkeypatch):
    """Let nothing count as written a moment ago."""
    monkeypatch.setattr(going, "YOUNG_SECONDS", -1.0)


class TestLimits:
    def test_bytes_stay_within_five_percent_while_in_use(self, tmp_path):
        limit = 2_000_000
        remembering = disk_cacher(tmp_path, max_bytes=limit)(block)
        rooms = []
        for i in range(600):
            remembering(i)
            assert remembering.check_call_in_cache(i), "what was just stored is there"
            if i % 20 == 0:
                rooms.append(room_in(tmp_path))
        kept(remembering)
        assert max(rooms) <= 1.05 * limit
        assert 0.95 * limit <= room_in(tmp_path) <= limit

    def test_among_few_what_is_stored_during_a_look_is_counted(
        self, tmp_path, at_once, monkeypatch
    ):
        remembering, unlimited = (
            disk_cacher(tmp_path, max_entries=most)(block) for most in (10, None)
        )
        late = iter(range(13, 16))

        def census_before_others(root):
            shelves = list(census(root))
            for i in late:
                remembering(i)
            return shelves

        for i in range(12):
            unlimited(i)
        monkeypatch.setattr(budget_module, "census", census_before_others)
        remembering(12)
        kept(remembering)
        assert next(late, None) is None, "nobody has looked"
        assert entries_in(tmp_path) <= 10

    def test_entries_are_counted(self, tmp_path):
        remembering = disk_cacher(tmp_path, max_entries=25)(block)
        for i in range(100):
            remembering(i)
            assert remembering.check_call_in_cache(i)
        kept(remembering)
        assert 20 <= entries_in(tmp_path) <= 25

    def test_room_is_kept_free(self, tmp_path, monkeypatch):
        usage = type("Usage", (), {})

        def disk_usage(path):
            found = usage()
            found.total, found.free = 10**9, 1_000_000 - room_in(tmp_path)
            return found

        # No disk here is small enough; what is asked is the standard library's own question.
        monkeypatch.setattr(evicting.shutil, "disk_usage", disk_usage)
        remembering = disk_cacher(tmp_path, min_free=600_000)(block)
        for i in range(100):
            remembering(i)
        kept(remembering)
        assert room_in(tmp_path) <= 400_000
        assert entries_in(tmp_path) > 10

    def test_a_disk_that_says_late_what_is_free_loses_no_more_than_it_has_to(
        self, tmp_path, monkeypatch
    ):
        usage = type("Usage", (), {})()
        usage.total, usage.free = 10**9, 0
        monkeypatch.setattr(evicting.shutil, "disk_usage", lambda _: usage)
        remembering = disk_cacher(tmp_path, min_free=400_000)(block)
        usage.free = 500_000
        for i in range(100):
            remembering(i)
        usage.free = 300_000
        for _ in range(3):
            kept(remembering)
        assert 80 <= entries_in(tmp_path) <= 92  # 100 kB and a little

    def test_a_limit_of_one_entry_keeps_one(self, tmp_path):
        remembering = disk_cacher(tmp_path, max_entries=1)(block)
        for i in range(10):
            remembering(i)
            assert remembering.check_call_in_cache(i)
        kept(remembering)
        assert entries_in(tmp_path) == 1

    def test_an_entry_larger_than_the_budget_is_kept_as_the_last_one(self, tmp_path):
        remembering = disk_cacher(tmp_path, max_bytes=10_000)(block)
        remembering(1, size=10_000)
        kept(remembering)
        assert remembering.check_call_in_cache(1, size=10_000)

    def test_a_limit_below_one_entry_keeps_the_last_of_two_functions(self, tmp_path):
        both = [disk_cacher(tmp_path, max_bytes="5kB")(f) for f in (block, slow)]
        for i in range(0, 80, 2):
            for remembering in both:
                assert remembering(i)[0] == i
                assert remembering.check_call_in_cache(i)
            # A thread may be about to remove some, and come to it late on a busy machine.
            ends = time.monotonic() + 60
            while entries_in(tmp_path) > 4:
                assert time.monotonic() < ends
                time.sleep(0.01)

    def test_there_is_no_budget_without_limits(self, tmp_path):
        remembering = disk_cacher(tmp_path)(block)
        remembering(1)
        assert not (tmp_path / "__neurotools_cache__" / ".neurotools" / "budget").exists()

    @pytest.mark.parametrize("bad", [0, -1, "much", float("nan"), float("inf"), True, [1]])
    @pytest.mark.parametrize("limit", ["max_bytes", "min_free"])
    def test_what_is_no_size_is_refused_before_a_folder_is_made(self, tmp_path, limit, bad):
        with pytest.raises(ValueError, match=limit):
            disk_cacher(tmp_path / "cache", **{limit: bad})
        assert not (tmp_path / "cache").exists()

    @pytest.mark.parametrize("bad", [0, -3, 1.5, True, "x"])
    def test_what_is_no_number_of_entries_is_refused(self, tmp_path, bad):
        with pytest.raises(ValueError, match="max_entries"):
            disk_cacher(tmp_path, max_entries=bad)

    def test_an_unknown_order_is_refused(self, tmp_path):
        with pytest.raises(UnknownChoice):
            disk_cacher(tmp_path, max_entries=1, evict="random")
        assert set(ORDERS) == set(worth.ORDERS)


class TestOrder:
    def filled(self, tmp_path, evict, function=slow):
        remembering = disk_cacher(tmp_path, max_entries=60, evict=evict)(function)
        for i in range(40):
            remembering(i)
        return remembering

    def spared(self, remembering, count=40):
        return {i for i in range(count) if remembering.check_call_in_cache(i)}

    def test_what_saves_least_goes_first(self, tmp_path, at_once):
        remembering = self.filled(tmp_path, "value")
        for i in range(100, 140):
            remembering(i)
        kept(remembering)
        gone = {*range(40), *range(100, 140)} - self.spared(remembering, 140)
        assert len(gone) >= 20
        # The odd ones take 20 ms to compute, the others none, unless the machine was busy.
        assert sum(i % 2 for i in gone) < len(gone) / 4

    def test_what_was_used_often_is_worth_more(self, tmp_path, at_once):
        remembering = self.filled(tmp_path, "value", function=block)
        for _ in range(1000):
            remembering(3)
        remembering._hierarchy.tiers[0]._uses.write()
        for i in range(100, 150):
            remembering(i)
        kept(remembering)
        assert 3 in self.spared(remembering)

    @pytest.mark.parametrize("evict", ["lru", "oldest"])
    def test_the_oldest_goes_first_unless_it_was_used(self, tmp_path, at_once, evict):
        remembering = self.filled(tmp_path, evict, function=block)
        for shelf in census(str(tmp_path)):
            for number, found in enumerate(shelf.entries):
                os.utime(os.path.join(shelf.path, found.name), (1e9 + number, 1e9 + number))
        place = tmp_path / "__neurotools_cache__" / ".neurotools" / "uses"
        remembering._hierarchy.tiers[0]._uses.write()
        for name in os.listdir(place):
            (place / name).unlink()
        used = 7
        remembering(used)
        remembering._hierarchy.tiers[0]._uses.write()
        for i in range(100, 154):
            remembering(i)
        kept(remembering)
        left = self.spared(remembering)
        assert len(left) < 8
        assert (used in left) is (evict == "lru")


class TestSpared:
    def test_what_is_pinned_stays(self, tmp_path, at_once):
        remembering = disk_cacher(tmp_path, max_entries=30, evict="oldest")(block)
        for i in range(5):
            remembering(i)
            remembering.pin(i)
        for i in range(100, 160):
            remembering(i)
        kept(remembering)
        assert all(remembering.check_call_in_cache(i) for i in range(5))
        remembering.unpin(0)
        remembering._hierarchy.tiers[0]._keeper._look()
        for i in range(200, 260):
            remembering(i)
        kept(remembering)
        assert not remembering.check_call_in_cache(0)
        assert remembering.check_call_in_cache(1)

    def test_what_is_pinned_after_somebody_looked_stays(self, tmp_path, at_once):
        remembering = disk_cacher(tmp_path, max_entries=50)(block)
        for i in range(40):
            remembering(i)
        root = str(tmp_path / "__neurotools_cache__")
        evictor = evictor_of(remembering)
        evictor._last.clear()
        evictor.arrange(list(census(root)), time.time())
        remembering.pin(7)
        evictor.evict(Counts(0, 100), 100)
        assert entries_in(root) == 1
        assert remembering.check_call_in_cache(7)

    def test_a_pinned_version_stays_as_a_whole_with_one_warning(self, tmp_path, at_once, caplog):
        remembering = disk_cacher(tmp_path, max_entries=20)(block)
        remembering.pin()
        for i in range(60):
            remembering(i)
        kept(remembering)
        kept(remembering)
        assert entries_in(tmp_path) == 60
        assert caplog.text.count("cannot be kept") == 1

    def test_what_joins_a_pinned_version_stays(self, tmp_path, at_once, caplog):
        free, pinned = (disk_cacher(tmp_path, max_bytes=400_000)(f) for f in (slow, block))
        pinned.pin()
        for i in range(0, 120, 2):  # the even ones take no time
            free(i)
        kept(free)
        for i in range(20):
            pinned(i)
            free(1000 + 2 * i)
        kept(free)
        assert all(pinned.check_call_in_cache(i) for i in range(20))
        assert room_in(tmp_path) <= 1.05 * 400_000
        assert caplog.text == ""

    def test_the_last_copy_stays_where_that_is_asked(self, tmp_path, at_once):
        fast, lab = tmp_path / "fast", tmp_path / "lab"
        tiers = (folder(fast, max_entries=30, spare_last=True), lab)
        remembering = hierarchical_cacher(tiers)(block)
        for i in range(60):
            remembering(i)
        alone = hierarchical_cacher(tiers, write_back=False)(block)
        for i in range(100, 125):
            alone(i)
        kept(remembering)
        assert entries_in(lab) == 60
        held = {i for i in range(100, 125) if alone.check_call_in_cache(i)}
        assert held == set(range(100, 125))
        assert entries_in(fast) <= 31

    def test_a_promoted_entry_counts(self, tmp_path):
        fast, lab = tmp_path / "fast", tmp_path / "lab"
        plain = hierarchical_cacher([lab])(block)
        for i in range(60):
            plain(i)
        both = hierarchical_cacher([folder(fast, max_entries=10), lab])(block)
        for i in range(60):
            both(i)
        kept(both)
        assert both.cache_info().hits == 60
        assert entries_in(fast) <= 10


class TestNeverInTheWay:
    def test_what_is_to_go_is_said_before_it_is_removed(self, tmp_path, at_once):
        remembering = disk_cacher(tmp_path, max_entries=50, evict="oldest")(block)
        for i in range(40):
            remembering(i)
        root = str(tmp_path / "__neurotools_cache__")
        evictor = evictor_of(remembering)
        evictor.arrange(list(census(root)), time.time())
        first = min(evictor._going._old)[-1].path(root)
        os.unlink(first)
        told = []
        freed = evictor.evict(
            Counts(0, 10), 10, lambda gone: told.append((gone.entries, entries_in(root)))
        )
        assert told == [(10, 39), (-1, 30)], "one had gone before"
        assert freed.entries == 9

    def test_explain_says_that_an_entry_was_evicted(self, tmp_path):
        remembering = disk_cacher(tmp_path, max_entries=20)(block)
        for i in range(60):
            remembering(i)
        kept(remembering)
        told = str(remembering.explain(0))
        assert "removed on" in told
        assert "to keep the budget" in told
        assert remembering(0)[0] == 0.0  # computed anew
        assert remembering.explain(0).hit

    def test_a_failing_look_is_one_warning(self, tmp_path, monkeypatch, caplog):
        def fail(*_, **__):
            raise OSError(5, "the disk is broken")

        monkeypatch.setattr(budget_module, "census", fail)
        remembering = disk_cacher(tmp_path, max_entries=20)(block)
        for i in range(60):
            assert remembering(i)[0] == i
        remembering._hierarchy.tiers[0]._keeper._work()
        # A thread that keeps the budget of another test may fail as well.
        assert caplog.text.count(f"cannot keep the budget of the cache at {tmp_path}") == 1

    def test_nobody_waits_for_a_look_that_fails(self, tmp_path, monkeypatch):
        def fail(*_, **__):
            raise OSError(5, "the disk is broken")

        waits = []

        class Noted(threading.Event):
            def wait(self, timeout=None):
                waits.append(super().wait(timeout))

        remembering = disk_cacher(tmp_path, max_entries=20)(block)
        remembering(0)
        kept(remembering)
        keeper = remembering._hierarchy.tiers[0]._keeper
        keeper._look()  # there is an account
        keeper._thread.join()
        monkeypatch.setattr(keeper, "_is_ordered", Noted())
        monkeypatch.setattr(budget_module, "_WAITS", ((1.0, 60.0),))
        monkeypatch.setattr(budget_module, "census", fail)
        for i in range(1, 30):
            remembering(i)
        keeper._thread.join()
        assert len(waits) >= 5
        assert all(waits), "until it had failed, and no longer"

    def test_what_is_too_much_waits_for_the_first_look(self, tmp_path, monkeypatch):
        go_on = threading.Event()

        def slowly(root):
            go_on.wait(60)
            return census(root)

        class Waiting(threading.Event):
            def wait(self, timeout=None):
                go_on.set()
                return super().wait(timeout)

        remembering = disk_cacher(tmp_path, max_bytes=30_000)(block)
        keeper = remembering._hierarchy.tiers[0]._keeper
        monkeypatch.setattr(keeper, "_is_ordered", Waiting())
        monkeypatch.setattr(budget_module, "_WAITS", ((1.03, 60.0),))
        monkeypatch.setattr(budget_module, "census", slowly)
        for i in range(20):
            remembering(i)
            assert go_on.is_set() or i < 3, "what was stored was more than it may be"
        kept(remembering)
        assert entries_in(tmp_path) <= 3

    def test_a_damaged_account_is_put_right_by_looking(self, tmp_path):
        remembering = disk_cacher(tmp_path, max_entries=20)(block)
        for i in range(30):
            remembering(i)
        place = tmp_path / "__neurotools_cache__" / ".neurotools" / "budget"
        for content in (b"", b"x" * 24, b"NTacct1\n" + b"\x7f" * 16):
            for name in os.listdir(place):
                (place / name).write_bytes(content)
            for i in range(100, 160):
                remembering(i)
            kept(remembering)
            assert 15 <= entries_in(tmp_path) <= 20

    def test_several_budgets_of_a_folder_keep_one_account(self, tmp_path):
        small = disk_cacher(tmp_path, max_entries=20)(block)
        large = disk_cacher(tmp_path, max_entries=200)(slow)
        for i in range(60):
            small(i)
            large(2 * i)
        kept(large)
        kept(small)
        assert 15 <= entries_in(tmp_path) <= 20
        total = small._hierarchy.tiers[0]._keeper._account.total()
        assert total.entries == entries_in(tmp_path)

    def test_a_folder_that_others_fill_is_looked_at_again(self, tmp_path, monkeypatch, at_once):
        remembering, plain = disk_cacher(tmp_path, max_entries=40)(block), disk_cacher(tmp_path)
        for i in range(10):
            remembering(i)
        kept(remembering)
        unlimited = plain(slow)
        for i in range(100):
            unlimited(2 * i)
        monkeypatch.setattr(account_module, "_STALE_SECONDS", -1.0)
        remembering(10)
        remembering._hierarchy.tiers[0]._keeper._thread.join(30)
        monkeypatch.undo()
        remembering(11)
        kept(remembering)
        assert 30 <= entries_in(tmp_path) <= 40

    def test_entries_that_others_removed_are_no_error(self, tmp_path, at_once, caplog):
        remembering = disk_cacher(tmp_path, max_entries=40)(block)
        for i in range(60):
            remembering(i)
        for shelf in census(str(tmp_path)):
            for found in shelf.entries:
                os.unlink(os.path.join(shelf.path, found.name))
        for i in range(100, 160):
            remembering(i)
        kept(remembering)
        assert 30 <= entries_in(tmp_path) <= 40
        assert caplog.text == ""

    def test_an_entry_made_anew_since_the_look_stays(self, tmp_path, at_once):
        remembering = disk_cacher(tmp_path, max_entries=50)(block)
        for i in range(40):
            remembering(i)
        evictor = evictor_of(remembering)
        evictor._last.clear()
        root = str(tmp_path / "__neurotools_cache__")
        evictor.arrange(list(census(root)), time.time())
        first = min(evictor._going._old)[-1].path(root)
        os.utime(first, (2e9, 2e9))
        evictor.evict(Counts(0, 1), 1)
        assert os.path.exists(first)
        assert entries_in(root) == 40

    def test_a_tier_with_a_budget_travels(self, tmp_path):
        remembering = disk_cacher(tmp_path, max_entries=20)(block)
        remembering(1)
        tier = pickle.loads(pickle.dumps(remembering._hierarchy.tiers[0]))
        assert tier.budget == budget_of(max_entries=20)
        assert isinstance(tier._keeper, Keeper)


def _fill(place, start, count, limit):
    remembering = disk_cacher(place, max_bytes=limit)(block)
    for i in range(start, start + count):
        remembering(i)
        if not remembering.check_call_in_cache(i):
            os._exit(3)
    budget_module._end()
    os._exit(0)


def test_two_writers_keep_one_budget(tmp_path):
    limit, context = 2_000_000, multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=_fill, args=(tmp_path, start, 400, limit)) for start in (0, 1000)
    ]
    for writer in writers:
        writer.start()
    rooms = []
    while any(writer.is_alive() for writer in writers):
        rooms.append(room_in(tmp_path))
        time.sleep(0.02)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert max(rooms) <= 1.08 * limit  # a look takes a while, and they go on writing
    assert 0.9 * limit <= room_in(tmp_path) <= 1.05 * limit


_ENDLESSLY = """
import itertools, sys, time
from neurotools.jobs.cache import disk_cacher
def result(i, who): return bytes([i % 256]) * 2000
remembering = disk_cacher(sys.argv[1], max_bytes=int(sys.argv[2]))(result)
for i in itertools.count():
    remembering(i, sys.argv[3])
"""


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="processes cannot be stopped here")
def test_two_writers_stay_within_five_percent_also_when_one_is_killed(tmp_path):
    limit, shares, seconds, names = 8_000_000, [], 1.5, itertools.count()
    writers = []

    def start():
        words = [sys.executable, "-c", _ENDLESSLY, str(tmp_path), str(limit), str(next(names))]
        writers.append(subprocess.Popen(words))

    def share():
        # Nobody can look at a folder at once; so those who write are stopped for the while.
        for writer in writers:
            writer.send_signal(signal.SIGSTOP)
        try:
            time.sleep(0.005)
            return room_in(tmp_path) / limit
        finally:
            for writer in writers:
                writer.send_signal(signal.SIGCONT)

    start()
    start()
    try:
        while share() < 0.97:
            assert all(writer.poll() is None for writer in writers)
            time.sleep(0.02)
        for _ in range(2):
            ends = time.monotonic() + seconds / 2
            while time.monotonic() < ends or len(shares) < 20:
                shares.append(share())
                time.sleep(0.02)
            writers[0].kill()
            writers.pop(0).wait()
            start()
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
    assert min(shares) >= 0.95
    assert max(shares) <= 1.05


@pytest.fixture
def small_disk(tmp_path):
    """Give a folder on a disk of its own, of 8 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(words, capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def free_in(place):
    return shutil.disk_usage(place).free


def fill(path):
    """Take all that is left on a disk."""
    with open(path, "wb", 0) as large, contextlib.suppress(OSError):
        while True:
            large.write(bytes(4096))


def until(is_so, remembering):
    """Store results, one after another, until something is so; each of them is right."""
    ends = time.monotonic() + 60
    for i in itertools.count(10_000):
        assert remembering(i)[0] == i
        if is_so():
            return
        assert time.monotonic() < ends
        time.sleep(0.01)


class TestSmallDisk:
    def test_room_is_kept_free(self, small_disk):
        remembering = disk_cacher(small_disk, min_free="4MB")(block)
        free = []
        for i in range(600):
            assert remembering(i)[0] == i
            free.append(free_in(small_disk))
        kept(remembering)
        assert min(free) >= 0.95 * 4e6
        assert 4e6 <= free[-1] <= 1.1 * 4e6

    def test_a_disk_that_others_have_filled_gets_room_again(self, small_disk):
        remembering = disk_cacher(small_disk)(block)  # no account of these
        for i in range(300):
            remembering(i)
        fill(small_disk / "large")
        assert free_in(small_disk) < 4096
        remembering = disk_cacher(small_disk, min_free="1MB")(block)
        until(lambda: free_in(small_disk) >= 1e6, remembering)
        until(lambda: remembering.cache_info().tiers[0].stores, remembering)
        assert entries_in(small_disk) > 100

    def test_a_disk_that_is_full_fails_no_call(self, small_disk, caplog):
        remembering = disk_cacher(small_disk, max_bytes="4MB")(block)
        for i in range(200):
            remembering(i)
        before = entries_in(small_disk)
        fill(small_disk / "large")
        for i in range(200, 400):
            assert remembering(i)[0] == i
        assert entries_in(small_disk) == before
        assert caplog.text.count("No space left") == 1
        os.unlink(small_disk / "large")
        until(lambda: entries_in(small_disk) > before, remembering)


def test_short_processes_keep_a_budget_without_looking_each_time(tmp_path):
    context = multiprocessing.get_context("spawn")
    for start in range(0, 60, 20):
        one = context.Process(target=_fill, args=(tmp_path, start, 20, 240_000))
        one.start()
        one.join()
        assert one.exitcode == 0
    assert room_in(tmp_path) <= 1.05 * 240_000
    root = str(tmp_path / "__neurotools_cache__")
    # One may have been evicted when the process ended, and is not accounted for then.
    total = Account(budget_module.Folders(root, Trust())).total()
    assert abs(total.entries - entries_in(root)) <= 2


def test_the_account_adds_up_over_processes_and_looks(tmp_path):
    folders = budget_module.Folders(str(tmp_path), Trust())
    account = Account(folders)
    assert account.total() is None
    account.own = Counts(4096, 1)
    account.look(account.moved(), Counts(40960, 10))
    assert account.total() == Counts(40960, 10)
    account.own += Counts(8192, 2)
    assert account.total() == Counts(49152, 12)
    account.end()
    assert Account(folders).total() == Counts(49152, 12)


def test_who_ends_just_now_is_not_counted_twice(tmp_path, monkeypatch):
    folders = budget_module.Folders(str(tmp_path), Trust())
    account, ending = Account(folders), Account(folders)
    account.look(account.moved(), Counts(40960, 10))
    other = tmp_path / ".neurotools" / "budget" / "other"

    def ends(moved=account._moved):
        found = moved()
        os.unlink(other)
        ending._write("base", Counts(45056, 11))
        return found

    ending._write("other", Counts(4096, 1))
    monkeypatch.setattr(account, "_moved", ends)
    assert account.total().entries <= 11
    monkeypatch.undo()
    assert account.total() == Counts(45056, 11)


def test_who_ends_stands_in_one_place_at_a_time(tmp_path, monkeypatch):
    account = Account(budget_module.Folders(str(tmp_path), Trust()))
    account.look(account.moved(), Counts(40960, 10))
    account.add(Counts(4096, 1))
    assert account.total() == Counts(45056, 11)
    seen = []

    def noted(name, counts, write=account._write):
        seen.append(sorted(os.listdir(tmp_path / ".neurotools" / "budget")))
        write(name, counts)

    monkeypatch.setattr(account, "_write", noted)
    account.end()
    assert seen == [["base"]]
    assert account.total() == Counts(45056, 11)


def test_what_was_killed_is_added_up_and_who_was_only_idle_goes_on(tmp_path):
    folders = budget_module.Folders(str(tmp_path), Trust())
    account = Account(folders)
    account.add(Counts(4096, 1))
    account.look(account.moved(), Counts(40960, 10))
    place = tmp_path / ".neurotools" / "budget"
    (said,) = (path for path in place.iterdir() if path.name != "base")
    for number in range(20):
        (place / f"killed-{number}").write_bytes(said.read_bytes())
    for path in place.iterdir():
        if path.name != "base":
            os.utime(path, (1e9, 1e9))
    assert account.total() == Counts(40960 + 20 * 4096, 30)
    assert [path.name for path in place.iterdir()] == ["base"]
    account.add(Counts(4096, 1))
    assert account.total() == Counts(40960 + 21 * 4096, 31)
    account.end()
    assert Account(folders).total() == Counts(40960 + 21 * 4096, 31)
