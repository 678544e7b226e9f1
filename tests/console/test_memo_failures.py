"""What neurotools-memo does when something goes wrong: wrong flags, failures, damage."""

import os
import sys
import tempfile
from pathlib import Path

import pytest

from tests.shells import Place, needs_posix

pytestmark = needs_posix
MEMO = "neurotools-memo"


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        ("no-such-command", 127, "no-such-command: command not found"),
        ("./no-such-file", 127, "./no-such-file: No such file or directory"),
        ("./plain", 126, "./plain: permission denied; make it executable with chmod +x"),
        ("/tmp", 126, "/tmp: is a directory"),
        ("-c no-such-script echo 1", 127, "no-such-script: command not found"),
    ],
)
def test_what_cannot_be_run_has_the_code_of_a_shell(place, command, code, told):
    place.write("plain", "text")
    assert place.sh(f"{MEMO} -d cache {command}") == (code, "", f"{MEMO}: {told}\n")
    if "-c" not in command:
        assert place.sh(command).code == code


def test_a_failed_command_is_not_remembered(place):
    place.script("fail.sh", "echo half > out; exit 3")
    line = f"{MEMO} -d cache -o out ./fail.sh"
    assert [place.sh(line).code for _ in range(2)] == [3, 3]
    assert place.runs == 2


def test_a_run_that_fails_takes_back_what_was_remembered(place):
    place.script("make.sh", "test -e stop && exit 1; exit 0")
    line = f"{MEMO} -d cache ./make.sh"
    place.sh(f"{line}; touch stop; {line} ; {MEMO} -f -d cache ./make.sh")
    assert place.runs == 2
    assert place.sh(line).code == 1


def test_force_runs_in_any_case(place):
    assert [place.sh(f"{MEMO} -f -d cache echo 1").out for _ in range(2)] == ["1\n", "1\n"]


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ("", "there is no command"),
        ("-d", "-d needs a value: DIR"),
        ("-Z echo 1", "unknown flag -Z; flags of the command stand behind the command"),
        ("-p x echo 1", "-p takes a number from 1 on, not 'x'"),
        ("-p 2 echo 1", "-p needs the arguments of each run: --arg0 ... --arg1 ..."),
        ("-o a b -d cache echo 1", "'b' would be run as the command"),
        ("--completion csh", "there is no completion for 'csh'; choose bash, zsh, fish"),
    ],
)
def test_wrong_flags_are_told_with_what_to_do(place, flags, told):
    ended = place.sh(f"{MEMO} {flags}")
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err
    assert "Traceback" not in ended.err


def test_a_folder_that_cannot_be_written_is_told_and_the_command_runs(place):
    place.write("file", "")
    ended = place.sh(f"{MEMO} -d file/cache sh -c 'echo 1; exit 0'")
    assert (ended.code, ended.out, ended.err.count("\n")) == (0, "1\n", 1)
    assert f"nothing can be remembered in {place.folder}/file/cache" in ended.err


def test_a_damaged_record_is_set_aside(place):
    line = f"{MEMO} -d cache echo 1"
    place.sh(line)
    (record,) = (place.folder / "cache/commands").glob("*.json")
    for damage in (b"", b"{}", b"[1]", record.read_bytes()[:-40], b"\xff\x00"):
        record.write_bytes(damage)
        ended = place.sh(line)
        assert (ended.code, ended.out) == (0, "1\n")
        assert "was damaged and is set aside" in ended.err
        assert place.sh(line) == (0, "", "")


def test_one_changed_letter_in_a_record_is_damage(place):
    line = f"{MEMO} -d cache echo 1"
    place.sh(line)
    (record,) = (place.folder / "cache/commands").glob("*.json")
    record.write_text(record.read_text().replace('"echo"', '"ecHo"'))
    assert place.sh(line).out == "1\n"


def test_an_input_that_changes_meanwhile_is_not_remembered(place):
    place.script("make.sh", 'cat "$1" > out; echo more >> "$1"')
    place.write("in", "one\n")
    line = f"{MEMO} -d cache -o out ./make.sh in"
    ended = place.sh(line)
    assert ended.code == 0
    assert (
        "in changed while the command ran; if the command writes it, name it with -o" in ended.err
    )
    place.write("in", "one\n")
    place.sh(line)
    assert place.runs == 2


AS_NOBODY = """
import hashlib, json, logging, os, signal, subprocess, sys, tempfile, threading
import neurotools.console.memo as memo
import neurotools.memo.commands.running, neurotools.memo.commands.view
import neurotools.memo.turns.turn, neurotools.memo.turns.flight, neurotools.memo.locking.standstill
os.setgroups([]), os.setgid(65534), os.setuid(65534)
sys.exit(memo.main())
"""


@pytest.fixture
def open_place():
    """Return a place that everybody can go to, unlike the folders that pytest makes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield Place(folder)


def test_what_may_not_be_read(open_place):
    place = open_place
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    place.write("as_nobody.py", AS_NOBODY)
    program = place.write("private", "#!/bin/sh\n")
    program.chmod(0o700)
    (place.folder / "closed").mkdir(mode=0o755)
    (place.folder / "cache").mkdir()
    (place.folder / "cache").chmod(0o777)
    memo = f"{sys.executable} as_nobody.py"
    told = {
        "-d cache ./private": (
            126,
            "./private: permission denied; make it executable with chmod +x",
        ),
        "-d cache -c private echo 1": (126, "private: permission denied"),
        "-d closed echo 1": (0, f"nothing can be remembered in {place.folder}/closed: "),
        "-d cache -o private echo 1": (
            0,
            f"not remembered: the command ended well, but {place.folder}/private cannot be read "
            "(Permission denied)",
        ),
        "-d cache cat private": (
            1,
            f"not remembered: {place.folder}/private cannot be read (Permission denied)",
        ),
    }
    for line, (code, err) in told.items():
        ended = place.sh(f"{memo} {line}")
        assert (ended.code, err in ended.err) == (code, True), ended
        assert len(ended.err.splitlines()) == (2 if "cat" in line else 1)


def test_a_cache_inside_of_an_input_is_no_input(place):
    place.script("make.sh", "echo made > data/out")
    place.write("data/in", "1")
    line = f"{MEMO} -d data/cache -i data -o data/out ./make.sh"
    place.sh(f"{line}; {line}")
    assert place.runs == 1
    place.sh(f"echo new > data/other; {line}")
    assert place.runs == 2


def test_closed_streams_and_a_folder_that_is_gone(place):
    assert place.sh(f"{MEMO} -d cache echo 1 >&-").code == place.sh("/bin/echo 1 >&-").code
    assert place.sh(f"{MEMO} --verbose -d cache echo 1 2>&-") == (0, "1\n", "")
    line = f'mkdir gone; cd gone; rmdir "$PWD"; {MEMO} -d {place.folder}/cache echo 2'
    assert place.sh(line).out == "2\n"


def test_damaged_print_is_not_replayed(place):
    line = f"{MEMO} --replay -d cache echo 12345"
    place.sh(line)
    (printed,) = (place.folder / "cache/commands").glob("*.out")
    printed.write_bytes(printed.read_bytes().replace(b"12345", b"12x45"))
    assert place.sh(line).out == "12345\n"
    printed = next((place.folder / "cache/commands").glob("*.out"))
    printed.unlink()
    assert place.sh(line).out == "12345\n"
