"""One lease, within one process: what is asked of the tier, and what may go wrong with it."""

import asyncio
import contextlib
import json
import multiprocessing
import os
import sys
import threading
import time

import pytest

from neurotools.jobs.cache import hierarchical_cacher
from neurotools.memo.entry import Blob, Key
from neurotools.memo.tiers.guarded import Guarded
from neurotools.memo.turns import heartbeat, holders, lifesigns, turn
from neurotools.memo.turns import lease as lease_module
from neurotools.memo.turns.flight import Flight
from neurotools.memo.turns.leases import Leases
from tests.memo.turns.far import FarTier, marks_in

KEY = Key("f", "code", "hash.key", "npy")
OTHER = Key("f", "code", "hash.other", "npy")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Look often, so that the tests take less time."""
    monkeypatch.setattr(lifesigns, "_LONGEST", 0.05)


@pytest.fixture
def elsewhere(monkeypatch):
    """Have leases made from now on look as if made on another computer; call it to end that."""

    def made_by(machine):
        holders._here.cache_clear()
        monkeypatch.setattr(holders, "_machine", lambda: machine)

    yield made_by
    monkeypatch.undo()
    holders._here.cache_clear()


def leases_in(tier, seconds=60.0, look=lambda _: False):
    return Leases(Guarded(tier), seconds, look)


def lease_in(tier, key=KEY, **options):
    return leases_in(tier, **options).of(key, list)


def names(tier):
    return [name for name in tier.marks.names("leases") if "." not in name]


def test_a_short_computation_asks_for_two_things(tmp_path):
    tier = FarTier(tmp_path)
    lease = lease_in(tier)
    assert not lease.take((), has_lock=False)
    lease.free()
    lease.free()
    assert tier.counts == {"marks.create": 1, "marks.drop": 1}


def test_a_lease_says_who_computes(tmp_path, monkeypatch):
    monkeypatch.setenv("USER", "ann")
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "44")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "2")
    holders._here.cache_clear()
    try:
        lease_in(FarTier(tmp_path)).take((), has_lock=False)
        other = lease_in(FarTier(tmp_path)).try_once(has_lock=False)
    finally:
        holders._here.cache_clear()
    assert (other["process"], other["user"], other["job"]) == (os.getpid(), "ann", "44_2")
    assert f"process {os.getpid()} on " in holders.told(other)
    assert " (ann, Slurm job 44_2) since 2" in holders.told(other)


def test_a_lease_that_is_not_held_is_not_dropped(tmp_path):
    tier = FarTier(tmp_path)
    holder, other = lease_in(tier), lease_in(tier)
    holder.take((), has_lock=False)
    assert other.try_once(has_lock=False)
    other.free()
    assert len(names(tier)) == 1
    holder.free()
    assert names(tier) == []


def test_a_heartbeat_changes_the_lease_and_comes_only_when_it_is_time(tmp_path):
    tier = FarTier(tmp_path)
    lease = lease_in(tier, seconds=60)
    lease.take((), has_lock=False)
    before = tier.marks.read(lease.name)
    lease.beat()
    assert tier.marks.read(lease.name) == before
    lease._beaten = tuple(moment - 21 for moment in lease._beaten)
    lease.beat()
    assert tier.marks.read(lease.name) != before
    lease.free()


@pytest.mark.parametrize("jump", [-1e6, 1e6])
def test_clocks_that_are_set_change_nothing(tmp_path, monkeypatch, jump):
    signs = []

    def keep(method, *arguments):
        method(*arguments)
        signs.append(arguments)

    tier = FarTier(tmp_path, {"marks.keep": keep})
    lease = lease_in(tier, seconds=3)
    lease.take((), has_lock=False)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump)
    waiter = lease_in(tier, seconds=3)
    steps = waiter.attempts((), has_lock=False)
    while len(signs) < 4:
        time.sleep(next(steps))  # ends where the lease is taken over
    lease.free()
    for pause in steps:
        time.sleep(pause)
    waiter.free()
    assert names(tier) == []


def test_a_waiter_that_was_stopped_itself_does_not_count_that_time():
    watch = lifesigns.Watch()
    watch.unchanged(b"a", 0.1)
    watch._looked -= 3600
    assert watch.unchanged(b"a", 0.1) < 5


def test_who_waits_looks_less_and_less_often():
    watch = lifesigns.Watch()
    pauses = [watch.pause() for _ in range(200)]
    assert pauses[0] < 0.1
    assert max(pauses) <= 1.2 * lifesigns._LONGEST


def test_a_lease_that_was_lost_is_left_to_the_other(tmp_path):
    tier = FarTier(tmp_path)
    lease = lease_in(tier)
    lease.take((), has_lock=False)
    tier.marks.keep(lease.name, b'{"token": "another"}')
    # As after a computer has slept.
    lease._beaten = (0.0, 0.0)
    lease.beat()
    assert tier.marks.read(lease.name) == b'{"token": "another"}'
    lease.free()
    assert tier.marks.read(lease.name) == b'{"token": "another"}'


def test_the_answer_that_we_have_it_may_be_lost(tmp_path):
    def lost(create, *arguments):
        create(*arguments)
        return create(*arguments)  # as after a request that was sent twice

    tier = FarTier(tmp_path, {"marks.create": lost})
    lease = lease_in(tier)
    assert not lease.take((), has_lock=False)
    lease.free()
    assert names(tier) == []


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"{}", b"1" * 100_000, b"[" * 60_000])
def test_a_lease_that_makes_no_sense_expires(tmp_path, content):
    tier = FarTier(tmp_path)
    lease = lease_in(tier, seconds=0.3)
    tier.marks.keep(lease.name, content)
    assert lease.take((), has_lock=False)
    lease.free()
    assert names(tier) == []


def hostile(**facts):
    return json.dumps({"token": "x", **facts}).encode()


@pytest.mark.parametrize(
    "content",
    [
        hostile(seconds=1e308, process=-1, started=1e300, host="\x1b[2J" * 1000),
        hostile(
            seconds="no", waits=["../../etc", 3, None], process="1", machine=holders._machine()
        ),
        hostile(waits={"a": 1}, started="now", user=["x"], job={}),
        hostile(seconds=float("nan"), process=True),
    ],
)
def test_what_a_lease_says_is_not_trusted(content):
    facts = holders.facts_of(content)
    assert facts.get("seconds", 1) <= holders.LONGEST
    assert facts.get("waits", []) == []
    assert holders.told(facts).isprintable()
    assert len(holders.told(facts)) < 500
    holders.has_died(facts)


def fail(*_):
    raise OSError("broken")


ALL = ("create", "keep", "read", "drop")


@pytest.mark.parametrize("broken", [*[(one,) for one in ALL], ALL])
def test_a_broken_tier_costs_work_only(tmp_path, broken):
    tier = FarTier(tmp_path, {f"marks.{name}": fail for name in broken})
    for _ in range(2):
        lease = lease_in(tier, seconds=0.3)
        lease.take((), has_lock=False)
        lease.free()


@pytest.mark.parametrize(
    "lies",
    [
        {"create": lambda *_: True},
        {"create": lambda *_: False},
        {"create": lambda *_: False, "read": lambda *_: None},
        {"create": lambda *_: False, "read": lambda *_: b"{}"},
        {"read": lambda *_: None},
        {"keep": lambda *_: None, "drop": lambda *_: False},
        {"drop": lambda *_: True},
    ],
)
def test_a_tier_that_lies_costs_work_only(tmp_path, lies, elsewhere):
    tier = FarTier(tmp_path, {f"marks.{name}": lie for name, lie in lies.items()})
    elsewhere("a")
    FarTier(tmp_path).marks.keep(lease_in(tier).name, holders.content_of(token="dead"))
    elsewhere("b")
    for _ in range(2):
        lease = lease_in(tier, seconds=0.2)
        lease.take((), has_lock=False)
        lease.free()


def test_who_waits_goes_on_waiting_when_a_request_fails(tmp_path):
    tier = FarTier(tmp_path)
    holder, waiter = lease_in(tier), lease_in(tier)
    holder.take((), has_lock=False)
    steps = waiter.attempts((), has_lock=False)
    next(steps)
    tier.faults["marks.read"] = fail
    for _ in range(10):
        next(steps)
    tier.faults.clear()
    holder.free()
    for pause in steps:
        time.sleep(pause)
    assert names(tier) == [waiter.name]
    waiter.free()


def test_who_waits_does_not_wait_for_ever_for_a_tier_that_fails(tmp_path):
    tier = FarTier(tmp_path)
    holder, waiter = lease_in(tier), lease_in(tier, seconds=0.3)
    holder.take((), has_lock=False)
    steps = waiter.attempts((), has_lock=False)
    next(steps)
    tier.faults["marks.read"] = fail
    for pause in steps:
        time.sleep(pause)
    tier.faults.clear()
    assert names(tier) == [holder.name]
    holder.free()


@pytest.mark.skipif(not holders._machine(), reason="only Linux tells")
def test_the_process_of_another_user_may_be_hidden(monkeypatch):
    facts = holders.facts_of(holders.content_of(token="x"))
    assert not holders.has_died(facts)
    assert holders.has_died({**facts, "born": "long ago"})
    hidden = {**facts, "process": 1}
    monkeypatch.setattr(holders, "born", lambda _: "")
    monkeypatch.setattr(holders.os.path, "exists", lambda _: False)
    assert not holders.has_died(hidden)


def test_a_tier_that_hangs_is_waited_for_once(tmp_path):
    hangs = threading.Event()
    tier = FarTier(tmp_path, {f"marks.{name}": lambda *_: hangs.wait(100) for name in ALL})
    guarded = Guarded(tier, patience=0.1)
    for _ in range(10):
        lease = Leases(guarded, 60, lambda _: False).of(KEY, list)
        lease.take((), has_lock=False)
        lease.free()
    assert not hangs.is_set()
    hangs.set()
    assert sum(tier.counts.values()) < 5


def test_a_store_without_conditions_is_asked_what_became_of_it(tmp_path):
    tier = FarTier(tmp_path)
    tier.marks.is_exclusive = False

    def overtaken(create, name, content):
        create(name, content)
        FarTier(tmp_path).marks.keep(name, b'{"token": "another"}')
        return True

    tier.faults["marks.create"] = overtaken
    assert lease_in(tier).try_once(has_lock=False)


def test_one_alone_takes_over(tmp_path, elsewhere):
    tier, takers, together = FarTier(tmp_path), [], threading.Barrier(8)
    elsewhere("a")
    tier.marks.create(lease_in(tier).name, holders.content_of(token="dead", seconds=0.3))
    elsewhere("b")

    def wait():
        lease = lease_in(tier, seconds=60)
        together.wait()
        lease.take((), has_lock=False)
        takers.append(lease)
        time.sleep(0.1)
        lease.free()

    threads = [threading.Thread(target=wait) for _ in range(8)]
    begun = []
    before = lease_module.Lease._begin
    try:
        lease_module.Lease._begin = lambda lease: (begun.append(lease.name), before(lease))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        lease_module.Lease._begin = before
    # They take turns: nobody has stored a result.
    assert len(begun) == len(takers) == 8
    assert marks_in(tmp_path) == []


def test_who_dies_while_taking_over_is_no_obstacle(tmp_path, elsewhere):
    tier = FarTier(tmp_path)
    lease = lease_in(tier, seconds=0.2)
    elsewhere("a")
    content = holders.content_of(token="dead", seconds=0.2)
    tier.marks.create(lease.name, content)
    tier.marks.create(f"{lease.name}.{holders.digest(content)}", b"died as well")
    elsewhere("b")
    assert lease.take((), has_lock=False)
    lease.free()


# ---------------------------------------------------------------- circles


def test_computers_that_wait_for_each_other_go_on(tmp_path, elsewhere):
    elsewhere("")  # none is known to have died
    both, errors = threading.Barrier(2), []

    def hold(first, then):
        try:
            # Each has what it needs of its own, as if it were another process.
            held, shelf = turn.Held(), leases_in(FarTier(tmp_path), seconds=1.0)
            mine = shelf.of(first, lambda: [then.path])
            mine.take((), has_lock=False)
            both.wait(60)
            inner = shelf.of(then, list)
            inner.take([first.path], has_lock=False)
            inner.free()
            mine.free()
            del held
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=hold, args=keys) for keys in ((KEY, OTHER), (OTHER, KEY))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert errors == []


def test_a_computation_says_what_it_waits_for(tmp_path):
    tier = FarTier(tmp_path)
    shelf = leases_in(tier, seconds=0.6)
    other = shelf.of(OTHER, list)
    other.take((), has_lock=False)

    def ask():
        with Flight(None, leases=shelf).alone(KEY), Flight(None, leases=shelf).alone(OTHER):
            pass

    thread = threading.Thread(target=ask)
    thread.start()
    wanted, ends = [holders.digest(OTHER.path.encode())], time.monotonic() + 60
    name = shelf.of(KEY, list).name
    while holders.facts_of(tier.marks.read(name) or b"").get("waits") != wanted:
        assert time.monotonic() < ends
        time.sleep(0.01)
    other.free()
    thread.join(30)
    assert not thread.is_alive()


# ---------------------------------------------------------------- forks, interrupts, threads


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_holds_nothing(tmp_path):
    tier = FarTier(tmp_path)
    with Flight(None, leases=leases_in(tier)).alone(KEY) as waited:
        assert not waited
        child = multiprocessing.get_context("fork").Process(target=use_in_child, args=(tmp_path,))
        child.start()
        child.join(60)
        assert child.exitcode == 0
        assert len(names(tier)) == 1
    assert names(tier) == []


def use_in_child(place):
    assert not heartbeat.HEART._living
    with Flight(None, leases=leases_in(FarTier(place))).alone(OTHER):
        assert len(names(FarTier(place))) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_that_leaves_the_block_too_does_not_free_the_parents_lease(tmp_path):
    tier = FarTier(tmp_path)
    with Flight(None, leases=leases_in(tier)).alone(KEY):
        child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    with Flight(None, leases=leases_in(tier)).alone(KEY) as waited:
        assert not waited
        child = os.fork()
        if not child:
            turn._HELD  # noqa: B018 - the child's own
            os._exit(0)
        os.waitpid(child, 0)
        assert len(names(tier)) == 1


@pytest.mark.parametrize("name", ["marks.create", "marks.drop"])
@pytest.mark.parametrize("is_done", [False, True])
def test_an_interrupt_leaves_no_lease(tmp_path, name, is_done):
    interrupts = iter([KeyboardInterrupt()])

    def interrupted(method, *arguments):
        if is_done:
            method(*arguments)
        for error in interrupts:
            raise error
        return method(*arguments)

    tier = FarTier(tmp_path, {name: interrupted})
    turn = Flight(None, leases=leases_in(tier)).alone(KEY)
    with pytest.raises(KeyboardInterrupt):
        run_once(turn)
    assert names(tier) == []
    with Flight(None, leases=leases_in(tier)).alone(KEY) as waited:
        assert not waited


def run_once(turn):
    try:
        with turn:
            pass
    finally:
        turn.free()


def test_what_nobody_gave_back_is_given_back_when_it_goes(tmp_path):
    tier = FarTier(tmp_path)
    turn = Flight(None, leases=leases_in(tier)).alone(KEY)
    turn.__enter__()
    del turn
    ends = time.monotonic() + 60
    while names(tier):
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_a_process_that_ends_in_a_computation_is_not_held_up(tmp_path):
    code = (
        "import sys; from neurotools.memo.turns.flight import Flight\n"
        "from tests.memo.turns.test_lease import *\n"
        f"Flight(None, leases=leases_in(FarTier({str(tmp_path)!r}))).alone(KEY).__enter__()\n"
        "print('ends', flush=True)\n"
    )
    import subprocess

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "ends\n", "")


# ---------------------------------------------------------------- coroutines


def test_a_coroutine_waits_without_blocking_the_loop(tmp_path):
    tier = FarTier(tmp_path)
    other = lease_in(tier)
    other.take((), has_lock=False)

    async def waits():
        async with Flight(None, leases=leases_in(tier)).alone_async(KEY) as waited:
            return waited

    async def main():
        task = asyncio.create_task(waits())
        for _ in range(20):
            await asyncio.sleep(0.01)
        assert not task.done()
        other.free()
        return await task

    assert asyncio.run(main()) is True
    assert names(tier) == []


def test_a_task_that_is_cancelled_leaves_no_lease(tmp_path):
    begins, goes_on = threading.Event(), threading.Event()

    def slowly(create, *arguments):
        begins.set()
        goes_on.wait(30)
        return create(*arguments)

    tier = FarTier(tmp_path, {"marks.create": slowly})

    async def holds():
        async with Flight(None, leases=leases_in(tier)).alone_async(KEY):
            raise AssertionError("it was cancelled before")

    async def main():
        task = asyncio.create_task(holds())
        await asyncio.to_thread(begins.wait, 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        goes_on.set()

    asyncio.run(main())
    ends = time.monotonic() + 60
    while names(tier):
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_coroutines_of_two_computers_compute_once(tmp_path):
    computed = []

    def made():
        @hierarchical_cacher((FarTier(tmp_path),), allow_mutable_bindings=True)
        async def double(x):
            computed.append(x)
            await asyncio.sleep(0.1)
            return 2 * x

        return double

    async def one(function):
        return await function(4)

    results = []
    function, again = made(), made()
    for each in (function, again):
        assert not each.check_call_in_cache(4)  # to read their code takes long
    threads = [
        threading.Thread(target=lambda each=each: results.append(asyncio.run(one(each))))
        for each in (function, again)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (results, computed) == ([8, 8], [4])


# ---------------------------------------------------------------- where there are leases


def test_a_local_folder_has_no_leases(tmp_path):
    @hierarchical_cacher(("ram://", str(tmp_path)))
    def double(x):
        return 2 * x

    assert double._flight.leases is None
    assert double(2) == 4
    assert not os.path.exists(tmp_path / "neurotools_cache" / ".neurotools" / "marks")


def test_the_slowest_tier_that_is_written_to_has_the_leases(tmp_path):
    far = FarTier(tmp_path / "far")

    def leases_of(*tiers, **options):
        return hierarchical_cacher(tiers, **options)(abs)._flight.leases

    assert leases_of("ram://", str(tmp_path / "near"), far)._tier.tier is far
    assert leases_of(far, str(tmp_path / "near")) is None
    assert leases_of(str(tmp_path / "near"), far, write_back=False) is None


def test_processes_of_one_computer_ask_for_a_lease_once(tmp_path):
    far = FarTier(tmp_path / "far")
    double = hierarchical_cacher((str(tmp_path / "near"), far))(slowly_doubled)
    threads = [threading.Thread(target=double, args=(3,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert far.counts["marks.create"] == far.counts["marks.drop"] == 1
    assert far.counts["marks.read"] == 0


def slowly_doubled(x):
    time.sleep(0.2)
    return 2 * x


# ---------------------------------------------------------------- results that arrive later


def later(tier, there):
    return Leases(tier, 60, lambda _: there, is_later=True)


def test_a_lease_stays_until_the_tier_has_got_the_result(tmp_path):
    far = FarTier(tmp_path)
    tier = Guarded(far)
    with Flight(None, leases=later(tier, there=True)).alone(KEY):
        pass
    assert len(names(far)) == 1
    tier.put(KEY, Blob((b"result",), 6))
    assert names(far) == []


@pytest.mark.parametrize("how", ["by another process", "never"])
def test_a_lease_does_not_stay_for_ever(tmp_path, how):
    far = FarTier(tmp_path)
    shelf = later(Guarded(far), there=True)
    lease = shelf.of(KEY, list)
    lease.take((), has_lock=False)
    lease.leave()
    lease.free()
    assert len(names(far)) == 1
    lease._beaten = tuple(moment - 21 for moment in lease._beaten)
    lease.beat()
    assert len(names(far)) == 1
    if how == "never":
        lease._left -= 3600
    else:
        FarTier(tmp_path).put(KEY, Blob((b"result",), 6))
    lease._beaten = tuple(moment - 21 for moment in lease._beaten)
    lease.beat()
    assert names(far) == []


@pytest.mark.parametrize("case", ["arrived before", "not kept", "failed"])
def test_a_lease_goes_where_nothing_is_on_its_way(tmp_path, case):
    far = FarTier(tmp_path)
    tier = Guarded(far)
    with (
        contextlib.suppress(ZeroDivisionError),
        Flight(None, leases=later(tier, there=case != "not kept")).alone(KEY),
    ):
        if case == "arrived before":
            tier.put(KEY, Blob((b"result",), 6))
        if case == "failed":
            raise ZeroDivisionError
    assert names(far) == []
