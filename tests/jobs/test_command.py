"""Commands remembered from a program."""

import os
import sys

import pytest

from neurotools.jobs.command import run_command
from neurotools.memo.errors import UnusableCommand


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


class Told(list):
    """Notes and warnings."""

    def note(self, text):
        self.append(text)

    warn = note


def writing(name):
    """Return a command that appends a line to a file."""
    return [sys.executable, "-c", f"open({name!r}, 'a').write('x')"]


def size(name):
    return os.path.getsize(name) if os.path.exists(name) else 0


def test_a_command_is_remembered():
    told = Told()
    for _ in range(2):
        assert run_command(writing("calls"), "cache", tell=told) == 0
    assert size("calls") == 1
    assert told[0] == "not skipped: it has not run before"
    assert told[1].startswith("skipped: unchanged since")


def test_exit_codes_are_those_of_a_shell():
    leave = [sys.executable, "-c", "raise SystemExit(7)"]
    assert [run_command(leave, "cache") for _ in range(2)] == [7, 7]
    with pytest.raises(UnusableCommand, match="no-such: command not found") as error:
        run_command(["no-such"], "cache")
    assert error.value.code == 127


@pytest.mark.skipif(os.name == "nt", reason="signals are another thing there")
def test_a_command_that_a_signal_has_ended():
    die = [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"]
    assert run_command(die, "cache") == 137


def test_outputs_are_restored(tmp_path):
    for _ in range(2):
        run_command(writing("out"), "cache", outputs=["out"], restore=True)
        (tmp_path / "out").unlink()
    run_command(writing("out"), "cache", outputs=["out"], restore=True)
    assert (tmp_path / "out").read_text() == "x"


def test_warnings_are_logged(caplog, tmp_path):
    (tmp_path / "file").touch()
    assert run_command(writing("calls"), "file/cache") == 0
    assert "nothing can be remembered in" in caplog.text


@pytest.mark.skipif(os.name == "nt", reason="signals are another thing there")
def test_an_interrupt_goes_on():
    die = "import os, signal, time; os.kill(os.getppid(), signal.SIGINT); time.sleep(0.5)"
    with pytest.raises(KeyboardInterrupt):
        run_command([sys.executable, "-c", die], "cache")
    assert not os.path.exists("cache/commands")


def test_a_command_that_is_a_text_is_refused(tmp_path):
    with pytest.raises(TypeError, match="give a list, as shlex"):
        run_command("echo 1", tmp_path)
    with pytest.raises(ValueError, match="there is no command"):
        run_command([], tmp_path)
    with pytest.raises(ValueError, match="give it in tiers"):
        run_command(["echo"], "memory://x")


def test_one_output_or_variable_may_stand_alone(tmp_path, monkeypatch):
    made = tmp_path / "made"
    line = "import os, sys; open(sys.argv[1], 'a').write(os.environ['SOME_NAME'])"
    for value in ("a", "b", "b"):
        monkeypatch.setenv("SOME_NAME", value)
        words = [sys.executable, "-c", line, made]
        assert run_command(words, tmp_path / "cache", outputs=made, environment="SOME_NAME") == 0
    assert made.read_text() == "ab"
