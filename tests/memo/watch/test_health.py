import errno
import math
import pickle
import threading
import time

import pytest

from neurotools.memo.errors import CorruptEntry, LeftAlone
from neurotools.memo.watch.breaker import THRESHOLD
from neurotools.memo.watch.deadline import NoAnswer
from neurotools.memo.watch.health import Health, checked_patience, health_at
from tests.memo.watch.test_breaker import Clock

HOUR = 3600.0


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def local(clock):
    return Health("place", clock=clock)


@pytest.fixture
def remote(clock):
    return Health("place", 0.1, clock=clock)


@pytest.fixture
def gate():
    gate = threading.Event()
    yield gate
    gate.set()


def fail(number=errno.EIO):
    raise OSError(number, "as asked")


def fail_often(health, side="read", number=errno.EIO):
    for _ in range(THRESHOLD):
        with pytest.raises(OSError, match="as asked"):
            health.run(side, fail, number)


def until(condition):
    end = time.monotonic() + 60
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    assert condition()


def test_a_place_of_this_computer_is_used_by_whoever_asks(local):
    assert local.is_plain
    assert local.run("read", threading.get_ident) == threading.get_ident()


def test_a_place_with_patience_is_used_by_a_thread_of_its_own(remote):
    assert not remote.is_plain
    remote.be_patient(60)
    assert remote.run("read", threading.get_ident) != threading.get_ident()


def test_infinite_patience_needs_no_thread():
    assert Health("place", math.inf, may_hang=True).is_plain


def test_a_place_that_fails_again_and_again_is_left_alone(local):
    fail_often(local)
    asked = []
    with pytest.raises(LeftAlone, match=r"left alone for a while: .*as asked"):
        local.run("read", asked.append, 1)
    assert not asked


def test_reading_and_writing_are_judged_apart(local):
    fail_often(local, "write", errno.ENOSPC)
    assert local.run("read", int) == 0
    assert local.left_alone.startswith("not used for writing for 1.0 s more: ")


def test_it_is_used_again_when_it_works_again(local, clock):
    fail_often(local)
    clock.now += HOUR
    assert local.run("read", int) == 0
    assert local.is_plain
    assert local.left_alone == ""


@pytest.mark.parametrize(
    "error",
    [
        CorruptEntry("here", "bad"),
        MemoryError(),
        OSError(errno.ENAMETOOLONG, ""),
        OSError(errno.EFBIG, ""),
        OSError(errno.EMFILE, ""),
    ],
)
def test_what_is_wrong_with_an_entry_or_with_us_does_not_count(local, error):
    def work():
        raise error

    for _ in range(2 * THRESHOLD):
        with pytest.raises(type(error)):
            local.run("read", work)
    assert local.is_plain


def test_a_place_that_hangs_is_left_alone_at_once(remote, gate):
    with pytest.raises(NoAnswer, match=r"did not answer for 0\.1 seconds"):
        remote.run("read", gate.wait)
    for side in ("read", "write", "lock"):
        with pytest.raises(LeftAlone):
            remote.run(side, int)


def test_locks_that_hang_say_nothing_of_the_rest(remote, gate):
    with pytest.raises(NoAnswer):
        remote.run("lock", gate.wait)
    remote.be_patient(60)
    assert remote.run("read", int) == remote.run("write", int) == 0


def test_a_place_that_hung_is_tried_in_the_background(remote, clock, gate):
    with pytest.raises(NoAnswer):
        remote.run("read", gate.wait)
    remote.be_patient(60)  # from here on it answers, if late on a busy machine
    clock.now += HOUR
    probed = threading.Event()
    with pytest.raises(LeftAlone):
        remote.run("read", int, probe=probed.set)
    until(lambda: remote.left_alone.startswith("not used for writing"))
    assert probed.is_set()
    assert remote.run("read", int) == 0


def test_a_probe_that_hangs_keeps_it_left_alone(remote, clock, gate):
    with pytest.raises(NoAnswer):
        remote.run("read", gate.wait)
    for _ in range(5):
        clock.now += HOUR
        with pytest.raises(LeftAlone):
            remote.run("read", int, probe=gate.wait)
    assert remote.left_alone


def test_probes_that_hang_do_not_pile_up(remote, clock, gate):
    with pytest.raises(NoAnswer):
        remote.run("read", gate.wait)
    began = []

    def probe():
        began.append(1)
        gate.wait()

    for _ in range(100):
        clock.now += 61
        with pytest.raises(LeftAlone):
            remote.run("read", int, probe=probe)
    until(lambda: len(began) >= 5)  # their threads may come to it late
    assert len(began) <= 12
    remote.be_patient(60)
    gate.set()
    until(lambda: remote.left_alone.startswith("not used for writing"))


def test_a_probe_that_fails_keeps_it_left_alone(remote, clock, gate):
    with pytest.raises(NoAnswer):
        remote.run("read", gate.wait)
    clock.now += HOUR
    with pytest.raises(LeftAlone):
        remote.run("read", int, probe=fail)
    until(lambda: "as asked" in remote.left_alone)


def test_a_disk_that_was_slow_is_watched_until_it_is_quick_again(local):
    local.was_slow(100.0)
    assert local.is_guarded
    for _ in range(1000):
        local.run("read", int)
    assert local.is_plain


def test_what_is_large_may_take_long(local):
    local.was_slow(20.0, size=10**9)
    assert local.is_plain


def test_a_cause_is_told_once(local, caplog):
    for _ in range(5):
        local.tell_failure("read", OSError(errno.EIO, "broken"))
        local.tell_failure("write", OSError(errno.EIO, "broken"))
    assert len(caplog.records) == 1


def test_a_cause_that_comes_back_is_told_again_but_rarely(local, clock, caplog):
    for _ in range(5):
        fail_often(local)
        local.tell_failure("read", OSError(errno.EIO, "broken"))
        clock.now += 70
        local.run("read", int)
    assert len(caplog.records) == 1
    clock.now += HOUR
    local.tell_failure("read", OSError(errno.EIO, "broken"))
    assert len(caplog.records) == 2


def test_a_cause_that_never_went_away_is_not_told_again(local, clock, caplog):
    fail_often(local)
    for _ in range(5):
        local.tell_failure("read", OSError(errno.EIO, "broken"))
        clock.now += HOUR
        with pytest.raises(OSError, match="as asked"):
            local.run("read", fail)
    assert len(caplog.records) == 1


def test_all_that_use_a_folder_share_what_is_known_of_it(tmp_path):
    health = health_at(str(tmp_path))
    assert health_at(str(tmp_path)) is health
    assert pickle.loads(pickle.dumps(health)) is health


@pytest.mark.parametrize("patience", [0, -1, math.nan, "soon", None])
def test_patience_is_a_number_of_seconds(patience):
    with pytest.raises(ValueError, match="give seconds above 0"):
        checked_patience(patience)
