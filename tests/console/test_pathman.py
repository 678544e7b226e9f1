"""neurotools-pathman: the commands of the reference, in a real shell."""

import os

import pytest

from tests.shells import needs_posix

pytestmark = needs_posix
PATHMAN = "neurotools-pathman"
FILE = "/my/path/to/a/file.ext.ext2"


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ("get_prefix", "file"),
        ("get_path_and_prefix", "/my/path/to/a/file"),
        ("repath /new/path", "/new/path/file.ext.ext2"),
        ("append_suffix _new", "/my/path/to/a/file_new.ext.ext2"),
        ("append_suffix _new replace_suffix _other", "/my/path/to/a/file_other.ext.ext2"),
        ("append_suffix _new delete_suffix", FILE),
        ("repath /new append_suffix _test get_path_and_prefix", "/new/file_test"),
        ("append_suffix -x", "/my/path/to/a/file-x.ext.ext2"),
    ],
)
def test_commands_are_chained_left_to_right(place, words, path):
    """pathman allows for the convenient management of file path manipulations."""
    assert place.sh(f"{PATHMAN} {FILE} {words}") == (0, f"{path}\n", "")


def test_help_shows_all_commands(place):
    """pathman -h: to view the full help."""
    helped = place.sh(f"{PATHMAN} -h")
    assert helped.code == 0
    words = "get_prefix get_path_and_prefix append_suffix replace_suffix delete_suffix repath"
    assert all(word in helped.out for word in words.split())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("", "there is no path"),
        (FILE, "there is no command"),
        (f"{FILE} upper", "unknown command 'upper'"),
        (f"{FILE} repath", "repath needs a DIR"),
        (f"{FILE} append_suffix a/b", "would lead into another folder"),
        ("/ append_suffix _x", "has no file name"),
    ],
)
def test_wrong_words_are_one_line_and_exit_code_two(place, words, told):
    ended = place.sh(f"{PATHMAN} {words}")
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a disk that is always full")
@pytest.mark.parametrize("line", [f"{PATHMAN} {FILE} get_prefix", "neurotools-memo -h"])
def test_what_cannot_be_printed_is_told_in_one_line(place, line):
    full = place.sh(f"{line} > /dev/full")
    assert (full.code, full.err.splitlines()[1:]) == (1, [])
    assert "cannot print: No space left on device" in full.err
    closed = place.sh(f"{line} >&-")
    assert (closed.code, closed.err.splitlines()[1:]) == (1, [])
    assert place.sh(f"{line} | true; echo ${{PIPESTATUS[0]}}") == (0, "0\n", "")


def test_names_that_are_no_text_pass_through(place):
    ended = place.sh(f"{PATHMAN} $'/a/caf\\xe9 ü_x.nii.gz' delete_suffix | od -An -tx1")
    assert ended.out.split() == [f"{byte:02x}" for byte in b"/a/caf\xe9 \xc3\xbc.nii.gz\n"]
