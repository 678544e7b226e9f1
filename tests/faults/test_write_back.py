"""What is sent in the background outlives kills, outages, forks, interrupts and full disks."""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest

from neurotools.console.main import main
from neurotools.jobs.cache import hierarchical_cacher
from tests.faults.away import Away, entries_in, marks_in, until
from tests.faults.places import needs_fuse, needs_linux, needs_mounts, served, small_disk

ROOT = Path(__file__).resolve().parents[2]

_PRELUDE = """
import logging, multiprocessing, os, signal, sys, threading, time
import numpy as np
from neurotools.jobs.cache import flush, hierarchical_cacher
from tests.faults.away import Away, marks_in, until
top = sys.argv[1]
away = Away(top + "/far")
def remember(**options):
    options = {"write_back": "async", **options}
    return hierarchical_cacher((top + "/fast", away), **options)
def double(x):
    return np.full(100, 2 * x)
f = remember()(double)
def call(x):
    f(x)
def main():
"""


class Program:
    """A program of its own that memoizes."""

    def __init__(self, top, code):
        script = Path(tempfile.mkdtemp(dir=top)) / "program.py"
        script.write_text(
            _PRELUDE
            + textwrap.indent(textwrap.dedent(code), "    ")
            + "\nif __name__ == '__main__':\n    main()\n"
        )
        self.process = subprocess.Popen(
            [sys.executable, str(script), str(top)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self, code=0):
        """Wait for its end; return what it printed and what it said."""
        out, err = self.process.communicate(timeout=60)
        assert self.process.returncode == code, err
        return out.split(), err

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.end(-signal.SIGKILL)


@pytest.fixture
def top(tmp_path):
    (tmp_path / "far").mkdir()
    return tmp_path


@pytest.fixture
def away(top):
    return Away(top / "far")


def run(top, code):
    return Program(top, code).end()


CALLS = "assert all((f(x) == 2 * x).all() for x in range(20))\n"


def test_the_end_of_a_program_waits_until_all_is_sent(top, away):
    away.switch("slow", 0.02)
    _, said = run(top, CALLS)
    assert said == ""
    assert len(entries_in(away.place)) == len(away.puts()) == 20
    assert marks_in(top) == []


def test_the_end_waits_only_so_long_and_says_what_to_do(top, away):
    away.switch("hangs")
    _, said = run(top, "f = remember(flush_seconds=0.2)(double)\n" + CALLS)
    assert said.count("\n") == 1
    assert "20 results have not reached" in said
    assert "neurotools sync" in said
    assert len(marks_in(top)) == 20
    away.switch("hangs", on=False)
    run(top, "f(0); assert flush() == 0")
    assert len(entries_in(away.place)) == 20


def test_a_tier_that_is_away_is_not_waited_for_at_the_end(top, away):
    away.switch("away")
    _, said = run(top, "f = remember(flush_seconds=1e9)(double)\n" + CALLS)
    assert "20 results have not reached" in said
    assert len(marks_in(top)) == 20


def test_a_program_that_is_killed_leaves_it_to_the_next(top, away):
    away.switch("hangs")
    program = Program(top, CALLS + "print('done', flush=True)\ntime.sleep(60)")
    assert program.process.stdout.readline() == "done\n"
    program.kill()
    assert len(marks_in(top)) == 20
    away.switch("hangs", on=False)
    # All are hits.
    assert run(top, CALLS + "print(f.cache_info().misses, flush())")[0] == ["0", "0"]
    assert len(entries_in(away.place)) == 20
    assert marks_in(top) == []


@pytest.mark.parametrize("seconds", [0.02, 0.2])
def test_a_program_that_is_killed_while_it_sends(top, away, seconds):
    away.switch("slow", 0.03)
    program = Program(top, CALLS + "print('done', flush=True)\ntime.sleep(60)")
    program.process.stdout.readline()
    until(away.puts)
    with pytest.raises(subprocess.TimeoutExpired):
        program.process.wait(seconds)
    program.kill()
    assert run(top, CALLS + "print(f.cache_info().misses, flush())")[0] == ["0", "0"]
    assert len(entries_in(away.place)) == 20
    assert marks_in(top) == []
    # Only what was being sent when it was killed is sent again.
    assert len(away.puts()) <= 24


def test_whenever_programs_are_killed_the_slow_tier_gets_what_the_fast_one_has(top, away):
    chance = random.Random(6)
    away.switch("slow", 0.001)
    for turn in range(4):
        program = Program(
            top,
            f"f({turn * 50}); print(1, flush=True)\n[f(x) for x in range({turn * 50}, 100_000)]",
        )
        program.process.stdout.readline()
        until(lambda turn=turn: len(entries_in(top / "fast")) > 15 * (turn + 1))
        with pytest.raises(subprocess.TimeoutExpired):
            program.process.wait(chance.uniform(0.01, 0.4))
        program.kill()
    assert run(top, "f(0); print(flush(), len(marks_in(top)))")[0] == ["0", "0"]
    assert entries_in(away.place) == entries_in(top / "fast")
    assert len(entries_in(away.place)) > 50


def test_sync_sends_what_a_killed_program_left(top, away, capsys):
    code = """
    from neurotools.memo.tiers.directory import DirectoryTier
    put = DirectoryTier.put
    def put_slowly(tier, key, blob):
        time.sleep(60 if tier.root.startswith(top + "/slow") else 0)
        put(tier, key, blob)
    DirectoryTier.put = put_slowly
    f = hierarchical_cacher((top + "/fast", top + "/slow"), write_back="async")(double)
    [f(x) for x in range(5)]
    print("done", flush=True)
    time.sleep(60)
    """
    program = Program(top, code)
    program.process.stdout.readline()
    program.kill()
    assert len(marks_in(top)) == 5
    assert main(["sync", str(top / "fast"), str(top / "slow")]) == 0
    assert "5 results copied to" in capsys.readouterr().out
    assert marks_in(top) == []
    assert entries_in(top / "slow") == entries_in(top / "fast")


def test_an_outage_in_the_middle_of_a_run(top, away):
    code = """
    f(0)
    away.switch("away")
    assert [f(x)[0] for x in range(1, 20)] == [2 * x for x in range(1, 20)]
    assert len(marks_in(top)) >= 19
    away.switch("away", on=False)
    until(lambda: not marks_in(top))
    """
    for write_back in (True, "async"):
        run(top, f"f = remember(write_back={write_back!r})(double)\n" + textwrap.dedent(code))
        assert len(entries_in(away.place)) == 20
        away.clear("__main__/program/double", next(iter(away.keys())).code)
        shutil.rmtree(top / "fast")


def test_a_process_that_lives_sends_its_own(top, away):
    away.switch("hangs")
    first = Program(top, CALLS + "print('done', flush=True)\nsys.stdin.readline()\nflush()")
    first.process.stdout.readline()
    # Another one looks, and leaves alone what is being sent.
    assert run(top, "f(0); flush(1); print(len(marks_in(top)))")[0] == ["20"]
    away.switch("hangs", on=False)
    first.end()
    assert len(away.puts()) == len(entries_in(away.place)) == 20


def test_processes_that_share_the_fast_folder_send_each_entry_once(top, away):
    away.switch("slow", 0.01)
    code = "[f(x) for x in range({0}, {0} + 20)]"
    programs = [Program(top, code.format(start)) for start in (0, 10, 20)]
    for program in programs:
        assert program.end()[1] == ""
    assert len(entries_in(away.place)) == len(away.puts()) == 40
    assert marks_in(top) == []


def test_two_that_take_over_at_once_send_all(top, away):
    away.switch("hangs")
    program = Program(top, CALLS + "print('done', flush=True)\ntime.sleep(60)")
    program.process.stdout.readline()
    program.kill()
    away.switch("hangs", on=False)
    programs = [Program(top, "f(0)\nuntil(lambda: not marks_in(top))") for _ in range(2)]
    for program in programs:
        program.end()
    assert len(entries_in(away.place)) == 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_sends_its_own_and_not_its_parents(top, away):
    code = """
    away.switch("slow", 0.02)
    [f(x) for x in range(10)]
    child = os.fork()
    if child == 0:
        [f(x) for x in range(10, 15)]
        sys.exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    printed, said = run(top, code)
    assert printed == ["0"]
    assert "have not reached" not in said
    assert len(away.puts()) == len(entries_in(away.place)) == 15
    assert marks_in(top) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_what_a_child_leaves_at_once_is_sent_by_the_next(top, away):
    code = """
    away.switch("slow", 0.05)
    if os.fork() == 0:
        [f(x) for x in range(5)]
        os._exit(0)
    os.wait()
    """
    run(top, code)
    assert run(top, "f(99); print(flush())")[0] == ["0"]
    assert len(entries_in(away.place)) == 6
    assert marks_in(top) == []
    run(top, code.replace("range(5)", "range(5, 9)") + "f(100); assert flush() == 0")
    assert len(entries_in(away.place)) == 11
    assert marks_in(top) == []


@pytest.mark.parametrize("way", ["fork", "spawn"])
def test_children_of_multiprocessing_wait_at_their_end(top, away, way):
    if way == "fork" and not hasattr(os, "fork"):
        pytest.skip("needs fork")
    code = f"""
    away.switch("slow", 0.05)
    f(0)
    context = multiprocessing.get_context("{way}")
    children = [context.Process(target=call, args=(x,)) for x in (1, 2)]
    [child.start() for child in children]
    [child.join() for child in children]
    flush()
    print(*[child.exitcode for child in children], len(marks_in(top)))
    """
    assert run(top, code)[0] == ["0", "0", "0"]
    assert len(away.puts()) == len(entries_in(away.place)) == 3


@needs_linux
def test_an_interrupt_ends_the_wait_at_once(top, away):
    away.switch("hangs")
    code = """
    f = remember(flush_seconds=1e9)(double)
    [f(x) for x in range(5)]
    print("done", flush=True)
    """
    program = Program(top, code)
    program.process.stdout.readline()
    until(lambda: "futex" in waits_in(program.process.pid))
    with pytest.raises(subprocess.TimeoutExpired):
        program.process.wait(0.5)
    program.process.send_signal(signal.SIGINT)
    _, said = program.end()
    assert "5 results have not reached" in said
    assert "Traceback" not in said
    assert len(marks_in(top)) == 5


def waits_in(process):
    """Return what the main thread of a process waits in."""
    try:
        return Path(f"/proc/{process}/wchan").read_text()
    except OSError:
        return "futex"


def test_an_interrupted_program_loses_nothing(top, away):
    away.switch("slow", 0.02)
    program = Program(top, CALLS + "print('done', flush=True)\ntime.sleep(60)")
    program.process.stdout.readline()
    program.process.send_signal(signal.SIGINT)
    program.end(-signal.SIGINT)
    assert len(entries_in(away.place)) + len(marks_in(top)) >= 20


def test_a_thread_that_goes_on_after_the_end_of_the_program(top, away):
    code = """
    def work():
        time.sleep(0.3)
        f(1)
    threading.Thread(target=work).start()
    f(0)
    """
    run(top, code)
    assert len(entries_in(away.place)) + len(marks_in(top)) >= 2


@needs_mounts
def test_a_full_slow_disk_gets_it_when_there_is_room(top, away):
    with small_disk(top / "disk", size="2m") as disk:
        ballast = os.path.join(disk, "ballast")
        Path(ballast).write_bytes(bytes(1_800_000))
        f = hierarchical_cacher((top / "near", disk), write_back="async")(lambda x: [x] * 3000)
        for x in range(20):
            assert f(x) == [x] * 3000
        assert f.flush() > 0
        assert len(entries_in(top / "near")) == 20
        os.unlink(ballast)
        until(lambda: f.flush(1) == 0 and not marks_in(top / "near"))
        assert entries_in(disk) == entries_in(top / "near")


@needs_mounts
def test_a_full_fast_disk_means_that_the_slow_one_is_written_at_once(top, away):
    with small_disk(top / "disk", size="64k") as disk:
        f = hierarchical_cacher((disk, away), write_back="async")(lambda x: [x] * 3000)
        for x in range(20):
            assert f(x) == [x] * 3000
        f.flush()
        assert len(entries_in(away.place)) == 20


@needs_mounts
@needs_fuse
def test_a_server_that_stops_gets_it_when_it_goes_on(top):
    with served(top) as server:
        options = {"write_back": "async", "patience": 60}  # the machine may be busy
        f = hierarchical_cacher((top / "near", server.folder), **options)(lambda x: 2 * x)
        f(0)
        assert f.flush() == 0
        server.stop()
        f._hierarchy.tiers[-1].health.be_patient(0.5)
        assert [f(x) for x in range(10)] == [2 * x for x in range(10)]
        assert f.flush() == 9
        assert len(marks_in(top / "near")) == 9
        server.go_on()
        f._hierarchy.tiers[-1].health.be_patient(60)
        until(lambda: f.flush(1) == 0)
        assert entries_in(server.folder) == entries_in(top / "near")
