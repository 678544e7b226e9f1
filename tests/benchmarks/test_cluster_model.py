"""The model of many workers: the simulation keeps its own rules, and what it counts is so."""

import itertools
import random
from collections import Counter

import pytest

from benchmarks.cluster import counted, demand
from benchmarks.cluster.simulation import Simulation
from benchmarks.cluster.stores import STORES


@pytest.fixture(scope="module")
def steps():
    return {"requests": counted._requests(), **_kept()}


def _kept():
    import json

    kept = json.loads(counted._KEPT.read_text())
    return {kind: {name: Counter(one) for name, one in kept[kind].items()} for kind in kept}


def test_what_a_store_is_asked(steps):
    requests = steps["requests"]
    assert requests["hit"] == {"get": 1}
    assert requests["miss"] == {"get": 1, "head": 2, "put": 2, "delete": 1}


@pytest.mark.parametrize("store", STORES.values(), ids=STORES)
def test_each_key_is_computed_once(steps, store):
    chance = random.Random(1)
    calls = [chance.choices(range(20), k=30) for _ in range(8)]
    done = Simulation(store, steps, lambda _: 0.5).run(calls).done
    assert done["computed"] == len({key for keys in calls for key in keys})
    assert sum(done.values()) == 8 * 30


@pytest.mark.parametrize("store", STORES.values(), ids=STORES)
def test_a_store_gives_no_more_than_it_sustains(steps, store):
    keys = itertools.count()
    outcome = Simulation(store, steps, lambda _: 0.0).run([keys] * 200, 1.0)
    rates = {kind: outcome.asked[kind] / outcome.seconds for kind in store.rates}
    waiting = 200 / outcome.seconds / min(store.rates.values())
    assert demand.sum_of_shares(store, rates) <= 1 + waiting


def test_a_longer_computation_asks_for_less(steps):
    store = STORES["NFS"]
    shares = [demand.wanted(steps, store, 1000, seconds) for seconds in (0.1, 1, 10)]
    assert shares == sorted(shares, reverse=True)
    assert demand.filled_at(steps, store, 1000) == pytest.approx(
        10 * demand.filled_at(steps, store, 100)
    )


def test_a_line_of_strace_is_understood():
    log = """1 newfstatat(AT_FDCWD, "/step/miss", 0x7f) = -1 ENOENT
1 openat(AT_FDCWD, "/c/x.npy", O_RDONLY|O_NOFOLLOW) = -1 ENOENT (No such file)
1 fcntl(4</c/.neurotools/locks>, F_SETLK, {l_type=F_WRLCK, l_len=1}) = 0
1 openat(AT_FDCWD, "/c/.tmp", O_WRONLY|O_CREAT|O_EXCL, 0600) = 5</c/.tmp>
1 write(5</c/.tmp>, "x", 1) = 1
1 rename("/c/.tmp", "/c/x.npy") = 0
1 unlink("/c/y") = 0
1 write(1</dev/null>, "x", 1) = 1
1 fcntl(4</c/.neurotools/locks>, F_SETLKW, {l_type=F_UNLCK, l_len=1}) = 0
1 newfstatat(AT_FDCWD, "/step/end", 0x7f) = -1 ENOENT
"""
    names = ("missing", "lock", "create", "write", "rename", "unlink", "unlock")
    assert counted._steps_in(log, "/c") == {"miss": dict.fromkeys(sorted(names), 1)}
