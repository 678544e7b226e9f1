"""Leases in a real S3 server: computers that share a bucket and nothing else."""

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("fsspec")

from neurotools.jobs.cache import hierarchical_cacher
from neurotools.memo.entry import Key
from neurotools.memo.tiers.guarded import Guarded
from neurotools.memo.tiers.remote import RemoteTier
from neurotools.memo.turns.leases import Leases

ROOT = Path(__file__).resolve().parents[3]
COMPUTERS = "tests.memo.turns.computers"
KEY = Key("f", "code", "hash.key", "npy")


def leases_at(url, options, seconds=60, patience=30):
    tier = RemoteTier(url, storage_options=options, patience=patience)
    return Leases(Guarded(tier), seconds, lambda _: False)


def started(s3, bucket, name, *calls, seconds=60):
    place = f"s3://{bucket}/cache"
    command = [
        sys.executable,
        "-m",
        COMPUTERS,
        place,
        name,
        str(seconds),
        *calls,
    ]
    environment = {**os.environ, "STORAGE_OPTIONS": json.dumps(s3.options)}
    return subprocess.Popen(
        command,
        cwd=ROOT,
        text=True,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def said(computer):
    out, _ = computer.communicate(timeout=120)
    assert computer.returncode == 0
    return out.splitlines()


def marks_in(s3, bucket):
    with contextlib.suppress(FileNotFoundError):
        return [name for name in s3.system().find(bucket) if "/marks/leases/" in name]
    return []


def test_computers_compute_each_result_once(s3, bucket):
    orders = [("1:0.3", "2:0.3", "3"), ("3:0.3", "1:0.3", "2"), ("2:0.3", "3:0.3", "1")]
    computers = [started(s3, bucket, f"c{n}", *calls) for n, calls in enumerate(orders)]
    told = [line for computer in computers for line in said(computer)]
    assert sorted(line for line in told if "computing" in line) == [
        f"computing {x}" for x in (1, 2, 3)
    ]
    assert sum("gives" in line for line in told) == 9
    assert marks_in(s3, bucket) == []


def test_a_computer_that_died_is_taken_over(s3, bucket):
    dead = started(s3, bucket, "dead", "1:100", seconds=2)
    while "computing" not in (line := dead.stdout.readline()):
        assert line
    dead.kill()
    dead.communicate()
    waiting = [started(s3, bucket, f"c{n}", "1:0.3", seconds=60) for n in range(2)]
    told = [line for one in waiting for line in said(one)]
    assert told.count("computing 1") == 1
    assert told.count("1 gives 2") == 2
    assert marks_in(s3, bucket) == []


@pytest.mark.parametrize("how", ["hang", "reset", "500", "lost"])
def test_an_outage_costs_work_only(proxy, bucket, s3, how):
    shelf = leases_at(f"s3://{bucket}/cache", s3.options_at(proxy.url), seconds=1, patience=1)
    lease = shelf.of(KEY, list)
    lease.take((), has_lock=False)
    proxy.spoil(how)
    other = shelf.of(KEY, list)
    other.take((), has_lock=False)
    other.free()
    lease.free()
    proxy.well()


def test_a_request_whose_answer_got_lost_was_done_all_the_same(proxy, bucket, s3):
    shelf = leases_at(f"s3://{bucket}/cache", s3.options_at(proxy.url))
    assert shelf.marks.read("leases/none") is None  # its client is there
    proxy.spoil("lost", times=1, of="PUT")
    lease = shelf.of(KEY, list)
    assert not lease.take((), has_lock=False)
    lease.free()
    assert marks_in(s3, bucket) == []


def test_a_lease_takes_two_requests(proxy, bucket, s3):
    shelf = leases_at(f"s3://{bucket}/cache", s3.options_at(proxy.url))
    for name in ("first", "second"):  # the first one finds out what the store can do
        proxy.count()
        lease = shelf.of(KEY._replace(call=name), list)
        lease.take((), has_lock=False)
        lease.free()
    assert [asked.split()[0] for asked in proxy.asked] == ["PUT", "DELETE"]


def test_a_lease_stays_while_the_result_is_on_its_way(proxy, s3, bucket, tmp_path):
    place = f"s3://{bucket}/cache"

    def double_of(computer, **options):
        tiers = (str(tmp_path / computer), place)
        options = {"storage_options": s3.options_at(proxy.url), **options}

        @hierarchical_cacher(tiers, allow_mutable_bindings=True, **options)
        def double(x):
            COMPUTED.append(x)
            return 2 * x

        return double

    one, other = double_of("one", write_back="async"), double_of("other")
    for function in (one, other):
        assert not function.check_call_in_cache(3)
    assert one(3) == 6
    assert other(3) == 6
    assert COMPUTED == [3]
    one.flush()
    ends = time.monotonic() + 60
    while marks_in(s3, bucket):
        assert time.monotonic() < ends
        time.sleep(0.05)


COMPUTED = []
