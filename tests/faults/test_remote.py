"""A store that fails in every way a network can: the call never does, and waits once at most.

Nothing here looks at a clock: what hangs does so until the test ends it, so that a call that comes
back at all was not kept waiting, and requests are counted where they arrive.
"""

import random
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from neurotools.jobs.cache import hierarchical_cacher
from neurotools.memo.tiers.remote import RemoteTier
from neurotools.memo.watch import breaker
from tests.faults.pauses import until_used_again
from tests.faults.places import ROOT
from tests.faults.proxy import WAYS
from tests.faults.stores import sftp_server
from tests.memo.tiers.promises import KEY, entry, value_in

pytest.importorskip("s3fs")

#: While the store is well, its answers may take long: the machine may be busy.
PATIENCE, LONG_PATIENCE = 1.0, 60.0
#: Those in which nothing ever comes.
HANGING = ("hang", "stall")


def ramp(n):
    return np.arange(5000) + n


def check(f, numbers):
    for number in numbers:
        assert (f(number) == ramp(number)).all()


@pytest.fixture
def options(proxy, s3):
    return s3.options_at(proxy.url)


@pytest.fixture
def once(options):
    """Return options of a driver that asks once, and not again after a second."""
    return {**options, "config_kwargs": {"retries": {"total_max_attempts": 1}}}


def keeping(proxy, places, options):
    """Return a function that keeps its results there, the first already."""
    f = hierarchical_cacher(places, storage_options=options)(ramp)
    be_patient(f, LONG_PATIENCE)
    check(f, [1])
    check(f, [1])
    assert f.cache_info().hits == 1
    proxy.count()
    return f


def be_patient(f, seconds):
    f._hierarchy.tiers[-1].health.be_patient(seconds)


def spoil(f, proxy, how):
    """Spoil all answers; what hangs is not waited for for long."""
    proxy.spoil(how)
    if how in HANGING:
        be_patient(f, PATIENCE)


def well(f, proxy):
    """Spoil no more answers, and wait until the store is used again."""
    proxy.well()
    be_patient(f, LONG_PATIENCE)
    until_used_again(f, check)


@pytest.fixture
def f(proxy, bucket, once):
    return keeping(proxy, f"s3://{bucket}/x", once)


@pytest.fixture
def trying(proxy, bucket, options):
    """Return one whose driver asks again, for which it waits up to a second at random."""
    return keeping(proxy, f"s3://{bucket}/x", options)


@pytest.mark.parametrize("how", [how for how in WAYS if how not in HANGING])
def test_a_store_that_spoils_every_answer(f, proxy, caplog, how):
    spoil(f, proxy, how)
    check(f, [1, 2, 3, 4, 5, 1])
    # Each cause is told once: what is wrong with reading, with writing, with each entry.
    assert 1 <= len(caplog.records) <= (7 if how == "nonsense" else 3)
    well(f, proxy)
    hits = f.cache_info().hits
    check(f, [7, 7, 1, 1])
    assert f.cache_info().hits >= hits + 2


def test_faults_of_all_kinds_by_chance(proxy, bucket, once, monkeypatch):
    # So that most calls meet a fault, and few a pause.
    monkeypatch.setattr(breaker, "LONGEST_SECONDS", 0.01)
    chance, f = random.Random(5), keeping(proxy, f"s3://{bucket}/x", once)
    ways = [how for how in WAYS if how not in HANGING]
    for _ in range(60):
        proxy.spoil(chance.choice(ways), times=chance.randrange(3))
        check(f, [chance.randrange(20)])
    well(f, proxy)
    check(f, range(20))
    tier = f._hierarchy.tiers[0]
    kept = [value_in(tier, key) for key in list(tier.keys())]
    assert len(kept) >= 10
    assert all((np.diff(value) == 1).all() for value in kept)


@pytest.mark.parametrize("how", HANGING)
def test_a_store_that_does_not_answer_is_waited_for_once(f, proxy, caplog, how):
    spoil(f, proxy, how)
    check(f, [1, 2, 3, 4, 5, 1])
    last = f.cache_info().tiers[-1]
    assert last.failures == 1
    assert "did not answer" in last.left_alone
    assert len(caplog.records) == 1
    # One that hung, asked a second time by the driver, and probes: not one for each call.
    assert proxy.count() <= 4
    well(f, proxy)
    check(f, [7, 7])
    assert len(caplog.records) == 1


def test_a_store_that_does_not_answer_is_tried_again_in_the_background(f, proxy):
    spoil(f, proxy, "hang")
    check(f, [1])
    proxy.count()
    end = time.monotonic() + 60
    while not proxy.asked and time.monotonic() < end:
        check(f, [2])
        time.sleep(0.05)
    assert proxy.count() <= 2
    assert f.cache_info().tiers[-1].left_alone


def test_a_store_that_is_gone(bucket, s3, caplog, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        options = s3.options_at(f"http://127.0.0.1:{nobody.getsockname()[1]}")
    f = hierarchical_cacher((str(tmp_path), f"s3://{bucket}/x"), storage_options=options)(ramp)
    check(f, range(8))
    check(f, range(8))
    first, last = f.cache_info().tiers
    assert (first.hits, first.stores, first.failures) == (8, 8, 0)
    assert last.failures == 1
    assert last.left_alone
    assert "there is no way to connect to it" in caplog.text
    assert len(caplog.records) == 1


@pytest.mark.parametrize("how", ["reset", "cut", "torn", "short", "flipped", "500", "503"])
def test_one_spoilt_answer_is_asked_for_again(trying, proxy, caplog, how):
    proxy.spoil(how, times=1, of="GET")
    check(trying, [1])
    assert trying.cache_info().hits == 2
    assert caplog.records == []


@pytest.mark.parametrize("how", ["reset", "lost", "500", "503"])
def test_one_spoilt_store_is_done_again(trying, proxy, caplog, how):
    proxy.spoil(how, times=1, of="PUT")
    check(trying, [2, 2])
    assert trying.cache_info().hits == 2
    assert caplog.records == []


def test_a_mark_whose_answer_got_lost_is_ours(proxy, bucket, s3):
    tier = RemoteTier(f"s3://{bucket}/x", storage_options=s3.options_at(proxy.url))
    proxy.spoil("lost", times=1, of="PUT")
    assert tier.marks.create("leases/a", b"one")
    proxy.well()
    assert not tier.marks.create("leases/a", b"two")
    assert tier.marks.is_exclusive


@pytest.mark.parametrize("how", ["reset", "503", "500", "hang"])
def test_an_outage_in_the_middle_of_a_run(proxy, bucket, once, caplog, tmp_path, how):
    f = keeping(proxy, (str(tmp_path), f"s3://{bucket}/x"), once)
    check(f, range(5))
    spoil(f, proxy, how)
    check(f, range(12))
    assert f.cache_info().tiers[1].failures <= 6
    assert len(caplog.records) in {1, 2}
    well(f, proxy)
    check(f, range(12, 20))
    near, far = f._hierarchy.tiers
    wanted, end = set(near.keys()), time.monotonic() + 60
    while set(far.keys()) != wanted and time.monotonic() < end:
        check(f, [0])
        time.sleep(0.1)
    assert set(far.keys()) == wanted
    assert len(wanted) >= 20


@pytest.mark.parametrize("how", ["cut", "reset", "500", "flipped"])
def test_a_large_entry_some_of_whose_parts_fail(proxy, bucket, s3, how):
    tier = RemoteTier(f"s3://{bucket}/x", storage_options=s3.options_at(proxy.url))
    value = np.random.default_rng(1).integers(0, 99, 3_000_000)
    proxy.spoil(how, times=1, of="PUT")
    tier.put(KEY, entry(value))
    proxy.spoil(how, times=1, of="GET")
    assert (value_in(tier) == value).all()


def test_a_large_entry_that_is_not_sent_whole_does_not_appear(proxy, bucket, s3, once):
    tier = RemoteTier(f"s3://{bucket}/x", storage_options=once)
    proxy.spoil("500", times=20, of="PUT")
    with pytest.raises(OSError, match="failed by itself"):
        tier.put(KEY, entry(np.zeros(3_000_000)))
    proxy.well()
    assert list(tier.keys()) == []
    assert s3.system().list_multipart_uploads(bucket) == []


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("keys", "the credentials were refused"),
        ("signature", "the credentials were refused"),
        ("403", "there is no permission"),
        ("bucket", "there is no such bucket"),
        ("none", "there are no credentials"),
    ],
)
def test_what_the_user_has_to_see_to_is_told_once(proxy, bucket, once, caplog, how, told, tmp_path):
    options = once
    place = f"s3://{bucket}/x"
    if how == "bucket":
        place = f"s3://no-{bucket}/x"
    elif how == "none":
        options = {"endpoint_url": proxy.url}
    else:
        proxy.spoil(how)
    f = hierarchical_cacher((str(tmp_path), place), storage_options=options)(ramp)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
        check(f, [1, 2, 3, 4, 5, 1])
    assert len(caplog.records) == 1
    assert told in caplog.text
    assert f.cache_info().tiers[0].hits == 1


_LARGE = """
import sys
import numpy as np
from neurotools.jobs.cache import disk_cacher
options = {"key": "testing", "secret": "testing", "endpoint_url": sys.argv[1]}
f = disk_cacher(sys.argv[2], storage_options=options, patience=60)(lambda n: np.zeros(n))
f(3_000_000)
"""


def test_what_a_killed_process_was_sending_does_not_appear(proxy, bucket, s3):
    parts = f"PUT /{bucket}/x/__neurotools_cache__/__main__"
    proxy.spoil("hang", of=parts)
    sending = subprocess.Popen(
        [sys.executable, "-c", _LARGE, proxy.url, f"s3://{bucket}/x"],
        cwd=ROOT,
    )
    end = time.monotonic() + 60
    while time.monotonic() < end and not any(asked.startswith(parts) for asked in proxy.asked):
        time.sleep(0.05)
    sending.kill()
    sending.wait()
    proxy.well()
    assert proxy.count(parts) >= 1
    assert list(RemoteTier(f"s3://{bucket}/x", storage_options=s3.options).keys()) == []
    assert len(s3.system().list_multipart_uploads(bucket)) == 1


def test_a_file_server_that_is_stopped_and_one_that_is_started_anew(tmp_path, caplog):
    for package in ("asyncssh", "paramiko"):
        pytest.importorskip(package)
    login = {"username": "me", "password": "secret"}
    with sftp_server() as (server, port):
        options = {**login, "port": port}
        f = hierarchical_cacher(f"sftp://127.0.0.1{tmp_path}", storage_options=options)(ramp)
        be_patient(f, LONG_PATIENCE)
        check(f, [1, 1])
        server.send_signal(signal.SIGSTOP)
        be_patient(f, PATIENCE)
        check(f, [1, 2, 3, 1])
        assert f.cache_info().tiers[0].failures == 1
        server.send_signal(signal.SIGCONT)
        be_patient(f, LONG_PATIENCE)
        until_used_again(f, check)
        check(f, [4, 4])
    check(f, [1, 5, 6, 7, 1])
    assert f.cache_info().tiers[0].left_alone
    with sftp_server(port):
        until_used_again(f, check)
        hits = f.cache_info().hits
        check(f, [8, 8, 1])
        assert f.cache_info().hits >= hits + 1


def test_a_program_ends_while_its_store_does_not_answer(proxy, bucket, s3):
    code = (
        "import sys\n"
        "from neurotools.jobs.cache import disk_cacher\n"
        "options = {'key': 'testing', 'secret': 'testing', 'endpoint_url': sys.argv[1]}\n"
        "f = disk_cacher(sys.argv[2], storage_options=options, patience=1)(lambda x: 2 * x)\n"
        "print([f(x) for x in (1, 2, 3)])\n"
    )
    proxy.spoil("hang")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, proxy.url, f"s3://{bucket}/x"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "[2, 4, 6]\n"
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
