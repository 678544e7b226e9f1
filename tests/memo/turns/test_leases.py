"""Leases among computers: processes that share a tier and no lock."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.memo.turns.far import marks_in

ROOT = Path(__file__).resolve().parents[3]
COMPUTERS = "tests.memo.turns.computers"
needs_signals = pytest.mark.skipif(os.name == "nt", reason="no SIGKILL, no SIGSTOP")


@pytest.fixture
def start(tmp_path):
    """Start a computer of its own, by name; what it says is on its stdout."""
    started = []

    def begin(name, *calls, seconds=60):
        command = [
            sys.executable,
            "-m",
            COMPUTERS,
            str(tmp_path),
            name,
            str(seconds),
        ]
        pipes = dict.fromkeys(("stdin", "stdout"), subprocess.PIPE)
        one = subprocess.Popen([*command, *calls], cwd=ROOT, text=True, bufsize=1, **pipes)
        # Hung tests are for people to look at, not for ever.
        watchdog = threading.Timer(120, one.kill)
        watchdog.start()
        started.append((one, watchdog))
        return one

    yield begin
    for one, watchdog in started:
        watchdog.cancel()
        one.kill()
        one.communicate()


def said(computer):
    """Return all that a computer says from now on; it has to end well."""
    out, _ = computer.communicate()
    assert computer.returncode == 0
    return out.splitlines()


def until(computer, line):
    while (told := computer.stdout.readline()) != f"{line}\n":
        assert told, f"it never said {line!r}"


def go(computer):
    computer.stdin.write("\n")
    computer.stdin.flush()


def test_computers_compute_each_result_once(start, tmp_path):
    orders = [("1", "2", "3", "4"), ("3", "1", "4", "2"), ("4", "3", "2", "1"), ("1", "4", "2")]
    calls = [[f"{x}:0.2" for x in order] for order in orders]
    computers = [start(f"c{number}", *some) for number, some in enumerate(calls)]
    told = [line for computer in computers for line in said(computer)]
    assert sorted(line for line in told if "computing" in line) == [
        f"computing {x}" for x in (1, 2, 3, 4)
    ]
    assert sum("gives" in line for line in told) == 15
    assert marks_in(tmp_path) == []


def test_who_waits_gets_the_result_that_was_waited_for(start):
    one = start("one", "1:-1")
    until(one, "computing 1")
    other = start("other", "1")
    until(other, "ready")
    go(one)
    assert said(other) == ["1 gives 2"]
    assert said(one) == ["1 gives 2"]


@needs_signals
def test_one_of_those_who_wait_takes_over_from_a_computer_that_died(start, tmp_path):
    dead = start("dead", "1:-1", seconds=1)
    until(dead, "computing 1")
    # Who has taken over may be held up by a busy disk.
    waiting = [start(f"c{number}", "1:0.3", seconds=60) for number in range(3)]
    for one in waiting:
        until(one, "ready")
    dead.kill()
    told = [line for one in waiting for line in said(one)]
    assert sorted(told) == ["1 gives 2"] * 3 + ["computing 1"]
    assert marks_in(tmp_path) == []


@needs_signals
def test_a_process_of_the_same_computer_that_died_is_not_waited_for(start):
    dead = start("one", "1:-1", seconds=3600)
    until(dead, "computing 1")
    dead.kill()
    dead.wait()
    assert said(start("one", "1", seconds=3600)) == ["ready", "computing 1", "1 gives 2"]


@needs_signals
def test_a_computer_that_stood_still_and_one_that_took_over_have_the_same_result(start, tmp_path):
    still = start("still", "1:-1", "2", seconds=1)
    until(still, "computing 1")
    still.send_signal(signal.SIGSTOP)
    other = start("other", "1:-1", seconds=1)
    until(other, "computing 1")
    still.send_signal(signal.SIGCONT)
    go(still)
    assert said(still) == ["1 gives 2", "computing 2", "2 gives 4"]
    go(other)
    assert said(other) == ["1 gives 2"]
    assert marks_in(tmp_path) == []


def test_a_computation_that_goes_on_is_waited_for_however_long(start):
    # Its signs come each second: it may be held up for two by a busy disk.
    one = start("one", "1:5", seconds=3)
    until(one, "computing 1")
    assert said(start("other", "1", seconds=3)) == ["ready", "1 gives 2"]
    assert said(one) == ["1 gives 2"]


@needs_signals
def test_the_seconds_of_who_computes_count(start):
    one = start("one", "1:-1", seconds=3600)
    until(one, "computing 1")
    one.send_signal(signal.SIGSTOP)
    hasty = start("hasty", "1", seconds=0.2)
    until(hasty, "ready")
    with pytest.raises(subprocess.TimeoutExpired):
        hasty.wait(2)


@pytest.mark.parametrize("seconds", [0.3, 60])
def test_a_computation_that_lets_no_other_thread_run(start, tmp_path, seconds):
    one = start("one", "1:-2", seconds=seconds)
    until(one, "computing 1")
    other = said(start("other", "1:-2", seconds=seconds))
    assert (other[0], other[-1]) == ("ready", "1 gives 2")
    if seconds == 60:
        assert "computing 1" not in other
    assert said(one) == ["1 gives 2"]
    assert marks_in(tmp_path) == []
