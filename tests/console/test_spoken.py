"""Sizes and times, read and written as people do."""

import argparse
import math

import pytest

from neurotools.console import spoken


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (9999, "10 kB"), (999_999, "1.0 MB"),
     (123_456_789, "123 MB"), (5e10, "50 GB"), (1e18, "1.0 EB")],
)  # fmt: skip
def test_a_size_has_two_or_three_digits_and_a_unit(count, text):
    assert spoken.size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (2e-6, "2.0 µs"), (0.0123, "12 ms"), (1, "1.0 s"), (59.99, "1.0 min"),
     (3600, "1.0 h"), (86400 * 3, "3.0 d"), (4e7, "1.3 y"), (math.nan, "?")],
)  # fmt: skip
def test_a_span_has_the_unit_that_suits_it(seconds, text):
    assert spoken.span(seconds) == text


@pytest.mark.parametrize(
    ("text", "count"),
    [("50GB", 50_000_000_000), ("4.1gb", 4_100_000_000), ("300 MB", 300_000_000),
     ("2GiB", 2 << 30), ("2e9", 2_000_000_000), ("17", 17), ("17B", 17), ("1k", 1000),
     ("1.5 GiB", 3 << 29), ("12 bytes", 12), ("0", 0), ("0 GB", 0)],
)  # fmt: skip
def test_a_size_is_read_as_people_write_it(text, count):
    assert spoken.bytes_in(text) == count


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "0.5", "1e999", "12 parsecs", "1iB", "nan"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="is no size"):
        spoken.bytes_in(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90d", 90 * 86400), ("1.5h", 5400), ("30 min", 1800), ("1mo", 2629800),
     ("2 weeks", 1209600), ("1 Week", 604800), ("90 days", 7776000), ("12 hrs", 43200),
     ("1 month", 2629800), ("2 years", 63115200), ("5 minutes", 300), ("1 s", 1), ("10 secs", 10)],
)  # fmt: skip
def test_an_age_is_read_as_people_write_it(text, seconds):
    assert spoken.seconds_in(text) == seconds


@pytest.mark.parametrize("text", ["", "90", "d", "-1d", "3 fortnights", "3 m", "1w2d", "٣d"])
def test_what_is_no_age_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="is no age"):
        spoken.seconds_in(text)


def test_a_time_that_no_calendar_has_is_no_error():
    assert spoken.date(1e30) == "?"
    assert spoken.stamp(1e30) == ""
    assert spoken.ago(4e9, now=1e9) == "in the future"
