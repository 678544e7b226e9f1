"""The flags of neurotools-memo: one table, from which all else is made."""

import shutil
import subprocess
from pathlib import Path

import pytest

from neurotools.console import pages
from neurotools.console.flags import FLAGS, WrongFlags, groups, read

ROOT = Path(__file__).resolve().parents[2]


def test_flags_end_at_the_first_word():
    options, words = read(["-kd", "cache", "-oout", "run", "-d", "x", "--", "-k"])
    assert (options.kill, options.hash_output, options.outputs) == (True, "cache", ["out"])
    assert words == ["run", "-d", "x", "--", "-k"]


def test_short_flags_may_have_an_equals_sign():
    options, words = read(["-d=cache", "-o==odd", "run"])
    assert (options.hash_output, options.outputs, words) == ("cache", ["=odd"], ["run"])


def test_long_flags_may_have_dashes_and_an_equals_sign():
    options, words = read(["--hash-output=a=b", "--log-file", "log", "--", "-c"])
    assert (options.hash_output, options.log_file, words) == ("a=b", "log", ["-c"])


@pytest.mark.parametrize(
    "typed",
    [
        ["-d", "s3://bucket/x", "run"],
        ["--kill=1", "x"],
        ["-k1", "x"],
        ["-d", ""],
        ["-o", "a", "b", "-d", "c", "x"],
        ["--no"],
    ],
    ids=" ".join,
)
def test_nonsense_is_refused(typed):
    with pytest.raises(WrongFlags, match=r"takes|empty|would be run|unknown"):
        read(typed)


def test_groups_of_arguments():
    words = ["run", "fixed", "--arg1", "b", "-x", "--arg0", "a", "--arg_output1=out", "more"]
    assert groups(words) == (["run", "fixed"], {0: ["a"], 1: ["b", "-x"]}, {1: ["out", "more"]})


def test_outputs_of_a_run_that_is_not_there_are_refused():
    with pytest.raises(WrongFlags, match="--arg_output2 has no --arg2"):
        groups(["run", "--arg0", "a", "--arg_output2", "b"])


def test_the_help_shows_every_flag():
    page = pages.page()
    assert all(name in page and flag.value in page for flag in FLAGS for name in flag.names)


def test_the_table_in_the_documentation_is_that_of_the_parser():
    assert (ROOT / "docs/memo-flags.inc").read_text() == pages.table()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_completes_is_good_syntax(shell):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([shell, "-n"], input=pages.completion(shell), text=True, check=True)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["neurotools-memo", "--hash"], {"--hash_output"}),
        (["neurotools-memo", "-d", "cac"], {"cache"}),
        (["neurotools-memo", "-d", "cache", "ech"], {"echo"}),
        (["neurotools-memo", "-d", "cache", "cat", "some"], {"some-file"}),
    ],
    ids=" ".join,
)
def test_bash_completes_flags_folders_commands_and_files(tmp_path, typed, expected):
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed")
    (tmp_path / "cache").mkdir()
    (tmp_path / "some-file").touch()
    words = " ".join(f"'{word}'" for word in typed)
    script = (
        f"{pages.completion('bash')}\nCOMP_WORDS=({words}); COMP_CWORD={len(typed) - 1}\n"
        '_neurotools_memo; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert expected <= set(done.stdout.split())
