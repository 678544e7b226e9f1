"""What to do while somebody else computes: ``on_busy``; and folders on servers."""

import asyncio
import errno
import multiprocessing
import os
import pickle
import threading
import time

import pytest

from neurotools.jobs.cache import disk_cacher, hierarchical_cacher
from neurotools.memo.entry import Key
from neurotools.memo.errors import Busy, CacheError, UnknownChoice
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.locking import locks
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.turns import heartbeat, leases, lifesigns
from neurotools.memo.turns.flight import Flight
from neurotools.memo.turns.leases import Leases
from tests.memo.turns.far import FarTier, marks_in

KEY = Key("f", "code", "hash.key", "npy")


def double(x):
    COMPUTED.append(x)
    return 2 * x


COMPUTED = []


@pytest.fixture(autouse=True)
def fresh():
    COMPUTED.clear()


def made(where, **options):
    return where(allow_mutable_bindings=True, ignore=(), **options)(double)


@pytest.fixture(params=["folder", "far"])
def cacher(request, tmp_path):
    """Return what makes a decorator, of one computer; each is a computer of its own if far."""

    def make(**options):
        if request.param == "folder":
            return disk_cacher(str(tmp_path), **options)
        return hierarchical_cacher((FarTier(tmp_path),), **options)

    return make


def hold(function, x):
    """Return a turn of a function's, as if it computed a call."""
    turn = function._flight.alone(function._key((x,), {}))
    turn.__enter__()
    return turn


def test_a_caller_may_be_told_that_a_thread_computes(cacher):
    function = made(cacher, on_busy="raise")
    turn = hold(function, 3)
    told = []

    def call():
        with pytest.raises(Busy, match=r"thread \d+ of this process.*on_busy='wait'") as raised:
            function(3)
        told.append(raised.value)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join(60)
    turn.free()
    assert told[0].holder["process"] == os.getpid()
    assert isinstance(told[0], (CacheError, RuntimeError))
    assert (function(3), COMPUTED) == (6, [3])


def test_a_caller_may_compute_as_well(cacher):
    function = made(cacher, on_busy="compute")
    turn = hold(function, 3)
    results = []
    thread = threading.Thread(target=lambda: results.append(function(3)))
    thread.start()
    thread.join(60)
    turn.free()
    assert (results, COMPUTED) == ([6], [3])


def test_a_recursive_call_is_not_busy(cacher):
    function = made(cacher, on_busy="raise")
    with function._flight.alone(function._key((3,), {})):
        assert function(3) == 6


def child(place, pipe):
    function = disk_cacher(str(place), allow_mutable_bindings=True, on_busy="raise")(double)
    with function._flight.alone(function._key((3,), {})):
        pipe.send(os.getpid())
        pipe.recv()


def test_a_caller_may_be_told_which_process_computes(tmp_path):
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=child, args=(tmp_path, there))
    process.start()
    number = here.recv()
    function = disk_cacher(str(tmp_path), allow_mutable_bindings=True, on_busy="raise")(double)
    with pytest.raises(
        Busy, match=rf"double is being .* process {number if os.name != 'nt' else ''}"
    ):
        function(3)
    here.send(None)
    process.join(60)
    assert function(3) == 6


def far_away(place, **options):
    return hierarchical_cacher((FarTier(place),), allow_mutable_bindings=True, **options)(double)


def other_computer(place):
    """Take a call as another computer does, of whose threads and processes we know nothing."""
    shelf = far_away(place)._flight.leases
    lease = shelf.of(far_away(place)._key((3,), {}), list)
    lease.take((), has_lock=False)
    return lease


def test_a_caller_may_be_told_which_computer_computes(tmp_path, monkeypatch):
    lease = other_computer(tmp_path)
    function = far_away(tmp_path, on_busy="raise")
    with pytest.raises(Busy, match=f"process {os.getpid()} on .* since") as raised:
        function(3)
    assert {"host", "process", "user", "started"} <= set(raised.value.holder)
    assert pickle.loads(pickle.dumps(raised.value)).holder == raised.value.holder
    assert far_away(tmp_path, on_busy="compute")(3) == 6
    lease.free()
    assert marks_in(tmp_path) == []


def test_a_coroutine_may_be_told_too(tmp_path):
    async def twice(x):
        return 2 * x

    function = hierarchical_cacher((FarTier(tmp_path),), on_busy="raise")(twice)
    lease = function._flight.leases.of(function._key((3,), {}), list)
    lease.take((), has_lock=False)
    with pytest.raises(Busy):
        asyncio.run(function(3))
    lease.free()
    assert asyncio.run(function(3)) == 6
    assert marks_in(tmp_path) == []


def test_a_caller_that_never_waits_takes_over_in_the_end(tmp_path, monkeypatch):
    lease = other_computer(tmp_path)
    lease.seconds = 0.3
    lease._leases.marks.keep(lease.name, lease._content())
    heartbeat.HEART.remove(lease)  # it has died
    function = far_away(tmp_path, on_busy="raise")
    ends = time.monotonic() + 60
    while True:
        try:
            assert function(3) == 6
            break
        except Busy:
            assert time.monotonic() < ends
            time.sleep(0.1)


@pytest.mark.parametrize(
    "options", [{"on_busy": "sleep"}, {"lease_seconds": 0}, {"lease_seconds": "soon"}]
)
def test_wrong_options_are_named(tmp_path, options):
    with pytest.raises((UnknownChoice, ValueError), match=next(iter(options))):
        disk_cacher(str(tmp_path), **options)


def test_a_lease_that_is_never_to_expire(tmp_path):
    assert far_away(tmp_path, lease_seconds=float("inf"))(3) == 6


# ---------------------------------------------------------------- folders on servers


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A folder that says it lies on a server, whose locks all computers see."""
    monkeypatch.setattr(lifesigns, "_LONGEST", 0.05)
    tier = DirectoryTier(str(tmp_path), patience=30)
    monkeypatch.setattr(tier.health, "kind", "nfs4")
    monkeypatch.setattr(leases, "locks_reach", lambda _: True)
    return tier


def leases_of(tier, seconds):
    place = Hierarchy((tier,)).meeting_place()
    assert place.tier is tier
    return Leases(place, seconds, tier.has)


def flight_in(tier, seconds=0.6):
    return Flight(os.path.join(tier.root, ".neurotools"), leases=leases_of(tier, seconds))


def test_where_locks_reach_a_short_computation_leaves_no_mark(server):
    with flight_in(server, seconds=60).alone(KEY):
        assert marks_in(server.root) == []


def test_where_locks_reach_a_long_computation_shows_that_it_lives(server):
    with flight_in(server).alone(KEY):
        ends = time.monotonic() + 60
        while not marks_in(server.root):
            assert time.monotonic() < ends
            time.sleep(0.02)
    assert marks_in(server.root) == []


def stand_still(place, pipe):
    """Hold a key's lock without a sign of life, as a computer that has died may do for ever."""
    lock = locks.FileLock(place, KEY)
    assert lock.try_take()
    pipe.send("held")
    pipe.recv()


def test_where_locks_reach_nobody_waits_for_a_computer_that_died(server):
    server.health.be_patient(0.5)
    here, there = multiprocessing.Pipe()
    place = os.path.join(server.root, ".neurotools")
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=stand_still, args=(place, there))
    process.start()
    assert here.recv() == "held"
    with flight_in(server).alone(KEY) as waited:
        assert waited
        assert len(marks_in(server.root)) == 1  # for the others who go on without the lock
    here.send(None)
    process.join(60)
    assert marks_in(server.root) == []


def test_where_locks_fail_there_are_leases(server, monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(locks, "try_lock", no_locks)
    with flight_in(server, seconds=60).alone(KEY):
        assert len(marks_in(server.root)) == 1
    assert marks_in(server.root) == []


def test_where_locks_do_not_reach_others_there_are_leases(server, monkeypatch):
    monkeypatch.setattr(leases, "locks_reach", lambda _: False)
    with flight_in(server, seconds=60).alone(KEY):
        assert len(marks_in(server.root)) == 1
    assert marks_in(server.root) == []
