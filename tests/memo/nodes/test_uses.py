"""The run log: by day, robust to crashes and to many writers, and cheap."""

import datetime as dt
import multiprocessing
import os
import time

import pytest

from neurotools.memo.nodes import uses as module
from neurotools.memo.nodes.uses import Uses

TODAY = dt.date.today()


@pytest.fixture
def base(tmp_path):
    return str(tmp_path)


def today_log(base):
    day = time.localtime()
    return os.path.join(base, f"log.{day.tm_year}", f"{day.tm_mon:02}", f"{day.tm_mday:02}.log")


def write(base, day, *lines):
    path = os.path.join(base, f"log.{day.year}", f"{day.month:02}", f"{day.day:02}.log")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "a") as file:
        file.writelines(f"{line}\n" for line in lines)
    return path


def test_a_log_for_each_day_has_the_names_and_log_current_leads_to_it(base):
    Uses(base).note("class/one")
    with open(today_log(base)) as file:
        assert file.read().splitlines() == ["-/opened", "class/one"]
    current = os.path.join(base, "log.current")
    if os.path.islink(current):
        assert os.path.samefile(current, today_log(base))


def test_log_current_holds_the_path_where_there_are_no_links(base, monkeypatch):
    def refused(*_):
        raise OSError(1314, "a privilege is not held")

    monkeypatch.setattr(module.os, "symlink", refused)
    Uses(base)
    with open(os.path.join(base, "log.current")) as file:
        assert os.path.join(base, *file.read().strip().split("/")) == today_log(base)


def test_a_loop_of_uses_writes_one_line(base):
    uses = Uses(base)
    for _ in range(100):
        uses.note("class/one")
        uses.note("class/two")
    with open(today_log(base)) as file:
        assert len(file.readlines()) == 3


def test_two_that_go_on_side_by_side_write_no_line_twice(base):
    first, second = Uses(base), Uses(base)
    for _ in range(50):
        first.note("class/one")
        second.note("class/two")
        first.note("class/three")
    with open(today_log(base)) as file:
        lines = [line.strip() for line in file if "opened" not in line]
    assert len(lines) == len(set(lines)) == 3


def test_since_made_has_what_others_used_since_and_not_before(base):
    first = Uses(base)
    first.note("class/one")
    second = Uses(base)
    assert second.since_made() == set()
    first.note("class/one")  # noted once more, as somebody looks since
    first.note("class/two")
    assert second.since_made() == {"class/one", "class/two"}


def test_a_torn_line_takes_no_other_with_it(base):
    uses = Uses(base)
    with open(today_log(base), "a") as file:
        file.write("class/to")  # its writer was killed
    uses.note("class/one")
    assert "class/one" in uses.since_made()


def test_what_is_no_line_is_passed_over(base):
    path = write(base, TODAY, "class/one", "", "nonsense", "a/b/c")
    with open(path, "ab") as file:
        file.write(b"\xff\xfe\n\0\0\0\n")
    assert Uses(base).since(TODAY) == {"class/one"}


def test_days_before_do_not_count_and_are_forgotten(base):
    old, new = TODAY - dt.timedelta(400), TODAY - dt.timedelta(1)
    path = write(base, old, "class/old")
    write(base, new, "class/new")
    uses = Uses(base)
    assert uses.since(new) == {"class/new"}
    assert uses.last_days() == {"class/old": old, "class/new": new}
    uses.forget_before(new)
    assert not os.path.exists(path)
    assert uses.since(old) == {"class/new"}


def test_a_log_that_was_removed_is_begun_anew(base):
    uses = Uses(base)
    os.unlink(today_log(base))
    uses.note("class/one")
    assert uses.since(TODAY) == {"class/one"}


def test_midnight_begins_another_log(base, monkeypatch):
    uses = Uses(base)
    tomorrow = TODAY + dt.timedelta(1)
    parts = (tomorrow.year, tomorrow.month, tomorrow.day)
    uses.note("class/one")
    monkeypatch.setattr(module, "_today", lambda: parts)
    uses.note("class/one")
    assert uses.since(tomorrow) == uses.since_made() == {"class/one"}


def test_a_year_of_logs_is_not_read_by_a_call(base, monkeypatch):
    for days in range(1, 366):
        write(base, TODAY - dt.timedelta(days), "class/old")
    monkeypatch.setattr(module, "_nodes", None)
    monkeypatch.setattr(module, "_logs", None)
    Uses(base).note("class/one")  # neither is called


def test_a_log_that_cannot_be_read_stops_clearing(base):
    uses = Uses(base)
    path = write(base, TODAY - dt.timedelta(1), "class/one")
    os.unlink(path)
    os.mkdir(path)
    with pytest.raises(OSError):  # noqa: PT011 - its number differs between systems
        uses.since(TODAY - dt.timedelta(2))


def test_a_place_that_cannot_be_written_does_not_stop_a_call(base, caplog):
    uses = Uses(base)
    os.unlink(today_log(base))
    os.mkdir(today_log(base))
    uses.note("class/one")
    caplog.set_level("INFO")
    uses.note("class/one")
    assert "was not noted" in caplog.text


def test_what_could_not_be_noted_is_known_to_the_process_that_used_it(base, monkeypatch):
    """On a full disk, say: that is when one clears."""
    uses = Uses(base)
    uses.note("class/one")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "write", full)
    uses.note("class/two")
    assert uses.since_made() == uses.since(TODAY) == {"class/one", "class/two"}
    assert uses.since(TODAY + dt.timedelta(1)) == set()
    assert uses.last_days()["class/two"] == TODAY


def _note_many(base, number):
    uses = Uses(base)
    for n in range(200):
        uses.note(f"class/{number}-{n}")


def test_lines_of_many_writers_are_whole(base):
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=_note_many, args=(base, n)) for n in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert Uses(base).since(TODAY) == {f"class/{m}-{n}" for m in range(3) for n in range(200)}
