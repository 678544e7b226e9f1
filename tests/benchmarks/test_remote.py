"""The comparison with s3fs: that it measures what it says."""

import pytest

pytest.importorskip("s3fs")

from benchmarks.remote import WAYS, measured, requests, row


def test_hits_are_timed_in_all_ways_and_requests_counted(s3):
    bucket = s3.bucket()
    found = measured(s3, bucket, 1000, calls=1, rounds=2)
    assert {name: len(times) for name, times in found.items()} == dict.fromkeys(WAYS, 2)
    assert requests(s3, bucket) == (1, 1, 1)


def test_ratios_above_one_say_that_hits_are_quicker():
    found = {"neurotools": [1.0, 1.0], "s3fs": [2.0, 2.0], "s3fs, one range": [0.5, 0.5]}
    told = row("1 MB", 10**6, found, (1, 1, 1))
    assert told == ["1 MB", "1.0", "0.5", "2.0", "1.0", "2.00", "0.50", "1, 1, 1"]
