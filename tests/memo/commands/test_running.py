"""Processes: exit codes, and what is written down of what they print."""

import os
import sys

import pytest

from neurotools.memo.commands.running import Printed, Processes, exit_code, replay


def test_exit_codes_of_signals_are_those_of_shells():
    assert [exit_code(ended) for ended in (0, 3, -9, -15)] == [0, 3, 137, 143]


def test_pieces_come_back_in_their_order(tmp_path, capfd):
    path = tmp_path / "printed"
    with path.open("wb") as file:
        printed = Printed(file.fileno())
        for stream, piece in ((1, b"one"), (2, b"two"), (1, b"\0\xff"), (2, b"x" * 200_000)):
            printed.add(stream, piece)
    seen = capfd.readouterr()
    replay(str(path))
    assert (printed.is_whole, capfd.readouterr()) == (True, seen)


def test_a_full_disk_does_not_keep_back_what_is_printed(capfd):
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no full device here")
    descriptor = os.open("/dev/full", os.O_WRONLY)
    try:
        printed = Printed(descriptor)
        printed.add(1, b"one\n")
        printed.add(1, b"two\n")
    finally:
        os.close(descriptor)
    assert (printed.is_whole, capfd.readouterr().out) == (False, "one\ntwo\n")


@pytest.mark.skipif(os.name == "nt", reason="scripts have no interpreters of their own there")
def test_a_script_without_an_interpreter_is_run_by_the_shell(tmp_path, capfd):
    script = tmp_path / "plain.sh"
    script.write_text('echo "$1"\n')
    script.chmod(0o755)
    with Processes() as processes:
        assert processes.run([str(script), "argument"], str(script)) == 0
    assert capfd.readouterr().out == "argument\n"


def test_a_program_has_the_name_that_was_typed(capfd):
    with Processes() as processes:
        words = [sys.executable, "-c", "print('here')"]
        assert processes.run(words, sys.executable) == 0
    assert capfd.readouterr().out == "here\n"
