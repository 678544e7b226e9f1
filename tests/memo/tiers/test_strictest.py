"""Where a folder is given several limits, the strictest holds, for all who store there."""

import os
import subprocess
import sys

import numpy as np
import pytest

from neurotools.jobs.cache import disk_cacher
from neurotools.memo.tiers import strictest as strictest_module
from neurotools.memo.tiers.census import census, taken
from neurotools.memo.tiers.figures import NO_LIMITS, Counts, Limits
from neurotools.memo.tiers.limits import budget_of
from neurotools.memo.tiers.strictest import Given, excess, strictest


def block(i):
    return np.full(1000, float(i))


def other(i):
    return np.full(1000, float(i))


def entries_in(root):
    return sum(len(shelf.entries) for shelf in census(str(root)))


def room_in(root):
    return sum(taken(found.size) for shelf in census(str(root)) for found in shelf.entries)


def test_the_strictest_limit_of_each_kind_holds():
    given = [Limits(100, 0, 7), Limits(50, 9, 0), NO_LIMITS, Limits(-1, -1, -1)]
    assert strictest(given) == Limits(50, 9, 7)
    assert strictest([]) == NO_LIMITS


def test_what_is_too_much_is_told_of_each_kind():
    def free():
        return 60

    assert excess(Limits(100, 10), Counts(130, 15), 1.0, free) == Counts(30, 5)
    assert excess(Limits(100, 10), Counts(90, 10), 1.0, free) == Counts(0, 0)
    assert excess(Limits(100, 100), Counts(90, 90), 0.5, free) == Counts(40, 40)
    assert excess(Limits(min_free=100), Counts(500, 1), 1.0, free) == Counts(40, 0)
    assert excess(Limits(min_free=100), Counts(10, 1), 1.0, free) == Counts(10, 0)


def test_a_function_that_got_another_budget_leaves_its_first():
    given, small, large = Given(), budget_of(max_entries=50), budget_of(max_entries=100)
    given.use(["f", "g"], small, 0.0)
    given.use(["f"], large, 5.0)
    assert given.limits.max_entries == 50, "the first may be in use still"
    given.use(["f"], large, 50.0)
    assert given.limits.max_entries == 50, "another function has it"
    given.use(["g"], large, 50.0)
    given.use(["g"], large, 70.0)
    assert given.limits.max_entries == 100


def test_limits_that_spare_the_last_copy_are_not_for_others():
    given = Given()
    given.use(["f"], budget_of(max_entries=50, spare_last=True), 0.0)
    assert given.limits == NO_LIMITS


@pytest.mark.parametrize("functions", [(block, other), (block, block)])
@pytest.mark.parametrize(("kind", "strict"), [("max_entries", 50), ("max_bytes", 1_000_000)])
def test_the_stricter_of_two_limits_holds_whoever_stores(tmp_path, functions, kind, strict):
    measure = entries_in if kind == "max_entries" else room_in
    small, large = (
        disk_cacher(tmp_path, **{kind: limit})(function)
        for limit, function in zip((strict, 20 * strict), functions, strict=True)
    )
    most = 0
    for i in range(300):
        remembering = large if i % 11 else small
        remembering(i)
        assert remembering.check_call_in_cache(i)
        if i % 5 == 0:
            most = max(most, measure(tmp_path))
    assert 0.9 * strict <= most <= 1.05 * strict


def test_a_limit_may_be_raised(tmp_path, monkeypatch):
    monkeypatch.setattr(strictest_module, "_BOTH_SECONDS", -1.0)
    small, large = (disk_cacher(tmp_path, max_entries=limit)(block) for limit in (20, 60))
    for i in range(40):
        small(i)
    assert entries_in(tmp_path) <= 21
    for i in range(100, 200):
        large(i)
    assert 50 <= entries_in(tmp_path) <= 63


_ONCE = """
import sys
from neurotools.jobs.cache import disk_cacher
def result(i): return bytes(100)
disk_cacher(sys.argv[1], max_entries=30)(result)(1)
print("stored", flush=True)
sys.stdin.read(1)
"""


def test_the_limit_of_another_process_holds_while_it_runs(tmp_path):
    words = [sys.executable, "-c", _ONCE, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, **pipes) as process:
        try:
            assert process.stdout.readline() == "stored\n"
            remembering = disk_cacher(tmp_path, max_entries=100)(block)
            most = 0
            for i in range(100):
                remembering(i)
                most = max(most, entries_in(tmp_path))
            assert 25 <= most <= 31
        finally:
            process.kill()
    root = tmp_path / "__neurotools_cache__"
    assert len(os.listdir(root / ".neurotools" / "budget")) == 3, "what it said is there still"
    for i in range(200, 280):
        remembering(i)
    assert entries_in(tmp_path) > 60
