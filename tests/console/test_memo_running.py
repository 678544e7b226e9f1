"""How neurotools-memo runs commands: streams, signals, two at a time."""

import contextlib
import os
import random
import signal
import subprocess
import time

import pytest

from tests.shells import needs_posix

pytestmark = needs_posix
MEMO = "neurotools-memo"


def wait_for(condition, seconds=60):
    """Wait until something is so."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.02)


def test_streams_pass_through_live(place):
    place.script("talk.sh", "echo first; read answer; echo $answer; echo bad >&2")
    for flag in ("", "--replay"):
        line = f"exec {MEMO} {flag} -d cache ./talk.sh"
        with place.start(line, stdin=subprocess.PIPE) as process:
            assert process.stdout.readline() == "first\n"  # it runs still, and waits for us
            out, err = process.communicate("second\n", timeout=60)
        assert (process.returncode, out, err) == (0, "second\n", "bad\n")


def test_what_was_printed_can_be_replayed(place):
    place.script("talk.sh", "echo out; echo err >&2; printf 'no end'")
    line = f"{MEMO} --replay -d cache ./talk.sh"
    assert [place.sh(line) for _ in range(2)] == [(0, "out\nno end", "err\n")] * 2
    assert place.runs == 1
    assert (
        "what follows is what it printed then"
        in place.sh(f"{MEMO} --verbose{line[len(MEMO) :]}").err
    )


def test_bytes_are_replayed_as_they_were(place):
    place.sh("head -c 300000 /dev/urandom > noise")
    line = f"{MEMO} --replay -d cache cat noise | sha256sum"
    assert place.sh(line).out == place.sh(line).out == place.sh("sha256sum < noise").out


def test_who_reads_only_the_beginning_ends_the_command(place):
    ended = place.sh(f"{MEMO} --replay -d cache yes | head -1")
    assert ended.out == "y\n"
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, -2), (signal.SIGTERM, -15)])
def test_what_a_signal_ends_leaves_nothing_that_counts_as_done(place, number, code):
    place.script("slow.sh", "touch began; sleep 60")
    line = f"exec {MEMO} -d cache ./slow.sh"
    with place.start(line, start_new_session=True) as process:
        wait_for(lambda: place.exists("began"))
        os.killpg(process.pid, number)
        process.communicate(timeout=60)
    assert process.returncode == code
    place.script("slow.sh", "touch began; echo now")
    assert place.sh(f"{MEMO} -d cache ./slow.sh").out == "now\n"


def test_a_command_that_takes_an_interrupt_for_an_end_is_not_remembered(place):
    place.script("calm.sh", "trap 'exit 0' INT; touch began; while :; do sleep 0.1; done")
    with place.start(f"exec {MEMO} -d cache ./calm.sh", start_new_session=True) as process:
        wait_for(lambda: place.exists("began"))
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert not list(place.folder.glob("cache/commands/*.json"))


def test_sigterm_to_us_alone_reaches_the_command(place):
    place.script(
        "slow.sh", "trap 'echo told; exit 9' TERM; touch began; while :; do sleep 0.1; done"
    )
    with place.start(f"exec {MEMO} -d cache ./slow.sh") as process:
        wait_for(lambda: place.exists("began"))
        process.terminate()
        out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (9, "told\n")


def test_a_kill_leaves_nothing_that_counts_as_done(place):
    place.script("slow.sh", "touch began; sleep 2; echo made > out")
    with place.start(f"exec {MEMO} -d cache -o out ./slow.sh", start_new_session=True) as process:
        wait_for(lambda: place.exists("began"))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
    place.script("slow.sh", "echo made > out")
    place.sh(f"{MEMO} -d cache -o out ./slow.sh")
    assert (place.runs, place.read("out")) == (2, "made\n")


def test_of_two_shells_one_runs_and_the_other_waits(place):
    place.script("slow.sh", "touch began; while ! test -e go; do sleep 0.05; done; echo made > out")
    line = f"exec {MEMO} --verbose -d cache -o out ./slow.sh"
    first = place.start(line)
    wait_for(lambda: place.exists("began"))
    second = place.start(line)
    assert second.stderr.readline() == f"{MEMO}: not skipped: it has not run before\n"
    place.write("go", "")
    first.communicate(timeout=60)
    _, err = second.communicate(timeout=60)
    assert (first.returncode, second.returncode, place.runs) == (0, 0, 1)
    assert "skipped: unchanged" in err


def test_a_remembered_command_may_call_others(place):
    place.script("inner.sh", "echo inner")
    place.script("outer.sh", f"{MEMO} -d cache ./inner.sh; {MEMO} -d cache ./inner.sh; echo outer")
    line = f"{MEMO} -d cache -c inner.sh ./outer.sh"
    assert [place.sh(line).out for _ in range(2)] == ["inner\nouter\n", ""]


def test_whenever_it_is_killed_the_next_run_is_right(place):
    place.script("make.sh", 'head -c 100000 /dev/zero > out; sleep 0.05; cat "$1" > out')
    chance = random.Random(3)
    for number in range(12):
        place.write("in", f"{number % 3}\n")
        flags = chance.choice(["", "--restore", "--replay", "--force", "--restore --replay"])
        line = f"exec {MEMO} {flags} -d cache -o out ./make.sh in"
        with place.start(line, start_new_session=True) as process:
            time.sleep(chance.uniform(0.02, 0.4))
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, chance.choice([signal.SIGKILL, signal.SIGINT]))
            process.communicate(timeout=60)
        flags = chance.choice(["", "--restore"])
        assert place.sh(f"{MEMO} {flags} -d cache -o out ./make.sh in").code == 0
        assert place.read("out") == f"{number % 3}\n"
