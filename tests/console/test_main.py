"""The command itself: its words, its exit codes, what it says when something is wrong."""

import pytest

import neurotools
from neurotools.console import demo
from neurotools.console.main import main
from neurotools.memo.errors import CacheError


def test_the_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"neurotools {neurotools.__version__}\n"


def test_help_lists_the_commands_with_what_they_do(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    assert demo.SUMMARY in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("arguments", [[], ["no-such-command"]], ids=["nothing", "unknown"])
def test_a_missing_or_unknown_command_is_a_usage_error(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "usage: neurotools" in capsys.readouterr().err


def test_an_error_of_ours_is_one_line_without_a_traceback(capsys, monkeypatch):
    def fail(options):
        raise CacheError("no room")

    monkeypatch.setattr(demo, "run", fail)
    assert main(["demo"]) == 1
    assert capsys.readouterr().err == "neurotools demo: no room\n"


def test_being_stopped_is_no_traceback(capsys, monkeypatch):
    def stop(options):
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "run", stop)
    assert main(["demo"]) == 130
    assert capsys.readouterr().err == "neurotools demo: stopped\n"


@pytest.mark.parametrize("name", ["ls", "verify"])
def test_a_url_is_told_to_be_none_of_this_computers_folders(name, capsys):
    assert main([name, "s3://bucket/cache"]) == 1
    assert "at s3://bucket/cache: only folders are looked at" in capsys.readouterr().err
