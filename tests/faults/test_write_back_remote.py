"""What is sent in the background to a real S3 server, through outages and to the program's end."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from neurotools.console.main import main
from neurotools.jobs.cache import hierarchical_cacher
from tests.faults.away import entries_in, marks_in, until
from tests.faults.places import ROOT

pytest.importorskip("s3fs")


def ramp(n):
    return np.arange(1000) + n


def check(f, numbers):
    for number in numbers:
        assert (f(number) == ramp(number)).all()


def stored(s3, bucket):
    return [path for path in s3.system().find(bucket) if path.endswith(".npy")]


_PROGRAM = """
import json, sys
from neurotools.jobs.cache import hierarchical_cacher
near, far, options, count = sys.argv[1:]
remember = hierarchical_cacher((near, far), write_back="async", storage_options=json.loads(options))
f = remember(lambda n: [n] * 100)
for n in range(int(count)):
    f(n)
"""


@pytest.mark.parametrize("count", [1, 20])
def test_the_end_of_a_program_waits_until_the_store_has_all(tmp_path, s3, bucket, count):
    near, options = tmp_path / "near", json.dumps(s3.options)
    command = [sys.executable, "-c", _PROGRAM, near, f"s3://{bucket}/x", options, str(count)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert len(stored(s3, bucket)) == count
    assert marks_in(near) == []


@pytest.mark.parametrize("write_back", [True, "async"])
@pytest.mark.parametrize("how", ["503", "reset"])
def test_results_of_an_outage_arrive_when_it_is_over(tmp_path, s3, bucket, proxy, write_back, how):
    f = hierarchical_cacher(
        (tmp_path / "near", f"s3://{bucket}/x"),
        storage_options=s3.options_at(proxy.url),
        write_back=write_back,
        patience=60.0,
    )(ramp)
    check(f, [0])
    f.flush()
    proxy.spoil(how)
    check(f, range(10))
    assert f.flush() == 9
    assert len(marks_in(tmp_path)) == 9
    proxy.well()
    until(lambda: f.flush(1) == 0)
    assert len(stored(s3, bucket)) == 10
    assert marks_in(tmp_path) == []


def test_each_result_takes_one_request(tmp_path, s3, bucket, proxy):
    options = s3.options_at(proxy.url)
    near, far = tmp_path / "near", f"s3://{bucket}/x"
    f = hierarchical_cacher((near, far), storage_options=options, write_back="async")(ramp)
    check(f, range(8))
    assert f.flush() == 0
    puts = [asked for asked in proxy.asked if asked.startswith("PUT") and ".npy" in asked]
    assert len(puts) == len(set(puts)) == 8


def test_sync_lists_each_side_once_and_copies_both_ways(tmp_path, s3, bucket, proxy, capsys):
    near, far = tmp_path / "near", f"s3://{bucket}/x"
    options = ["--storage-options", json.dumps(s3.options_at(proxy.url))]
    f = hierarchical_cacher((near,))(ramp)
    check(f, range(12))
    proxy.count()
    assert main(["sync", *options, "--to", str(near), far]) == 0
    assert len(stored(s3, bucket)) == 12
    # One listing, one for each entry, and the manifest.
    assert proxy.count() <= 12 + 4
    assert main(["sync", *options, str(near), far]) == 0
    assert proxy.count() <= 2
    assert main(["sync", *options, "--from", "--verify", str(tmp_path / "other"), far]) == 0
    assert entries_in(tmp_path / "other") == entries_in(near)
    assert proxy.count() <= 12 + 4
    assert "12 results copied to" in capsys.readouterr().out


def test_sync_stops_with_one_line_where_the_bucket_is_missing(tmp_path, s3, capsys):
    check(hierarchical_cacher(tmp_path / "near")(ramp), [1])
    options = ["--storage-options", json.dumps(s3.options)]
    assert main(["sync", *options, "--to", str(tmp_path / "near"), "s3://no-such-bucket/x"]) == 1
    said = capsys.readouterr().err
    assert "there is no such bucket" in said
    assert said.count("\n") == 1


def test_a_pickle_that_nobody_signed_is_not_fetched(tmp_path, s3, bucket, capsys):
    near, far = tmp_path / "near", f"s3://{bucket}/x"
    check(hierarchical_cacher((near,), method="pickle")(ramp), range(2))
    options = ["--storage-options", json.dumps(s3.options)]
    assert main(["sync", *options, "--to", str(near), far]) == 0
    assert main(["sync", *options, "--from", str(tmp_path / "other"), far]) == 1
    assert capsys.readouterr().err.count("not copied") == 2
    assert entries_in(tmp_path / "other") == set()
    key = tmp_path / "key"
    key.write_text("secret")
    os.chmod(key, 0o600)
    shutil.rmtree(near)
    f = hierarchical_cacher((near,), method="pickle", key_file=key)(ramp)
    check(f, range(3))
    options += ["--key-file", str(key)]
    s3.system().rm(f"{bucket}/x", recursive=True)
    assert main(["sync", *options, "--to", str(near), far]) == 0
    assert main(["sync", *options, "--from", str(tmp_path / "other"), far]) == 0
    assert entries_in(tmp_path / "other") == entries_in(near)


@pytest.mark.parametrize("options", ["x", "[]", "1"])
def test_storage_options_that_are_none(tmp_path, options, capsys):
    with pytest.raises(SystemExit):
        main(["sync", "--storage-options", options, str(tmp_path), "s3://x/y"])
    assert "is no JSON object" in capsys.readouterr().err
