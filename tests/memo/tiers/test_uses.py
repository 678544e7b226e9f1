"""What is noted of use: hits write nothing, processes share a log, damage is left out."""

import multiprocessing
import os

import pytest

from neurotools.jobs.cache import disk_cacher
from neurotools.memo.tiers import uses
from neurotools.memo.tiers.uses import LOG, SUMS, by_entry, sum_up, totals


def double(x):
    return 2 * x


@pytest.fixture
def cache(tmp_path):
    """Return a remembered function, its cache's folder, and what notes its uses."""
    remembering = disk_cacher(tmp_path)(double)
    remembering(1)
    tier = remembering._hierarchy.tiers[0]
    return remembering, tier.root, tier._uses


def test_a_hit_writes_nothing(cache):
    remembering, root, noted = cache
    noted.write()
    before = {name: os.stat(os.path.join(root, ".neurotools", "uses", name)) for name in [LOG]}
    for _ in range(10):
        remembering(1)
    assert os.stat(os.path.join(root, ".neurotools", "uses", LOG)) == before[LOG]
    assert len(noted.fresh) == 10


def test_loads_and_seconds_are_counted_by_entry_and_by_version(cache):
    remembering, root, noted = cache
    remembering(2)
    for x in (1, 1, 1, 2):
        remembering(x)
    noted.write()
    remembering(1)
    noted.write()
    (marks,) = by_entry(root).values()
    assert sorted(use.times for use in marks.values()) == [1, 4]
    assert all(use.seconds > 0 for use in marks.values())
    (total,) = totals(root).values()
    assert total.times == 5
    assert total.seconds == pytest.approx(sum(u.times * u.seconds for u in marks.values()), 1e-4)


def test_many_hits_are_written_without_a_store(cache):
    remembering, root, _ = cache
    for _ in range(5000):
        remembering(1)
    assert next(iter(totals(root).values())).times >= 4096


def test_summing_up_changes_nothing_and_forgets_what_is_gone(cache):
    remembering, root, noted = cache
    remembering(2)
    remembering(1)
    noted.write()
    before, place = by_entry(root), os.path.join(root, ".neurotools", "uses")
    sum_up(place)
    assert sorted(os.listdir(place)) == ["days", SUMS]
    assert by_entry(root) == before
    (shelf,), mark = before, next(iter(next(iter(before.values()))))
    sum_up(place, {shelf: {mark: uses.Use(0, 0.0, 0.0)}})
    assert by_entry(root) == {shelf: {mark: before[shelf][mark]}}


def _call(folder, count):
    remembering = disk_cacher(folder)(double)
    for _ in range(count):
        remembering(1)
    os._exit(remembering._hierarchy.tiers[0]._uses.end() or 0)


def test_processes_add_to_the_same_log(cache, tmp_path):
    _, root, _ = cache
    context = multiprocessing.get_context("spawn")
    calls = [context.Process(target=_call, args=(tmp_path, count)) for count in (10, 20)]
    for call in calls:
        call.start()
    for call in calls:
        call.join()
        assert call.exitcode == 0
    assert next(iter(totals(root).values())).times == 30


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_does_not_count_its_parents_uses(cache):
    remembering, root, noted = cache
    for _ in range(7):
        remembering(1)
    if not (child := os.fork()):
        remembering(1)
        noted.end()
        os._exit(0)
    os.waitpid(child, 0)
    assert next(iter(totals(root).values())).times == 1
    noted.write()
    assert next(iter(totals(root).values())).times == 8


@pytest.mark.parametrize(
    "rubbish",
    [b"", b"\0" * 1000, b"\xff\xfe@", b"@\n@\n@", b"@a\t1\t1\t1\nb\t1\tinf\t1\nc\t-1\t1\t1\nd\tx\n",
     b"@a\t1\tnan\t1\n", b"@a\t99999999999999999999\t1\t1\n", b"@a\t1\t1\t1e300\n", b"no\n" * 9],
)  # fmt: skip
def test_what_is_no_line_is_left_out(cache, rubbish):
    remembering, root, noted = cache
    place = os.path.join(root, ".neurotools", "uses")
    noted.write()
    good = totals(root)
    with open(os.path.join(place, LOG), "ab") as log:
        log.write(rubbish)
    remembering(1)
    noted.write()
    found = totals(root)
    assert set(good) <= set(found)
    assert all(0 <= use.seconds < float("inf") for use in found.values())
    assert all(use.times >= 0 for marks in by_entry(root).values() for use in marks.values())
    sum_up(place)
    assert set(good) <= set(totals(root))


def test_something_else_in_its_place_is_no_error(cache, tmp_path):
    remembering, root, noted = cache
    place = os.path.join(root, ".neurotools", "uses")
    noted.write()
    os.unlink(os.path.join(place, LOG))
    os.mkdir(os.path.join(place, LOG))
    remembering(1)
    noted.write()
    assert totals(root) == {}


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="there are no links here")
def test_no_link_is_followed(cache, tmp_path):
    remembering, root, noted = cache
    place = os.path.join(root, ".neurotools", "uses")
    noted.write()
    os.unlink(os.path.join(place, LOG))
    (tmp_path / "precious").write_text("mine")
    os.symlink(tmp_path / "precious", os.path.join(place, LOG))
    remembering(1)
    noted.write()
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_cache_that_was_removed_is_not_made_again(cache, tmp_path):
    import shutil

    remembering, root, noted = cache
    remembering(1)
    shutil.rmtree(root)
    noted.write()
    assert not os.path.exists(root)


def test_who_was_killed_while_summing_up_keeps_nobody_from_it(cache):
    _, root, noted = cache
    noted.write()
    place = os.path.join(root, ".neurotools", "uses")
    busy = os.path.join(place, "busy")
    with open(busy, "w"):
        pass
    sum_up(place)
    assert os.path.exists(os.path.join(place, LOG))  # somebody seems to be at it
    os.utime(busy, (1, 1))
    sum_up(place)
    assert os.listdir(place) == [SUMS]
