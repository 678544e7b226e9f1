"""neurotools-memo: each statement of the reference, by real commands in a real shell.

The docstring of a test is the statement of the reference that it shows.
"""

import json
import shutil

import pytest

from tests.shells import needs_posix

pytestmark = needs_posix
MEMO = "neurotools-memo"


def test_a_command_is_wrapped(place):
    """Simply add memori before the command you want to call. This will call the echo command."""
    line = f'{MEMO} echo "this echo command has been wrapped in memori"'
    assert place.sh(line) == (0, "this echo command has been wrapped in memori\n", "")


def test_help_stands_before_any_command(place):
    """memori -h [any command/script here]: will let you view the help of the memori script."""
    helped = place.sh(f"{MEMO} -h echo 1")
    assert helped.code == 0
    assert "--hash_output" in helped.out
    assert helped.out == place.sh(f"{MEMO} --help").out


def test_the_second_call_prints_nothing(place):
    """The first call will print 1; running this a second time will not print anything."""
    assert place.sh(f"{MEMO} -d cache echo 1") == (0, "1\n", "")
    assert place.sh(f"{MEMO} -d cache echo 1") == (0, "", "")


def test_without_a_folder_it_runs_each_time(place):
    """To cache the running of the command, you need to specify the -d/--hash_output flag."""
    assert [place.sh(f"{MEMO} echo 1").out for _ in range(2)] == ["1\n", "1\n"]


@pytest.mark.parametrize("flag", ["-d cache", "--hash_output cache", "--hash_output=cache"])
def test_the_folder_has_two_names(place, flag):
    """You need to specify the -d/--hash_output flag."""
    place.sh(f"{MEMO} {flag} echo 1")
    assert place.sh(f"{MEMO} -d cache echo 1").out == ""


def test_other_arguments_run(place):
    """Check against the stored cache that input arguments are all the same."""
    place.script("say.sh", 'echo "$@"')
    outs = [place.sh(f"{MEMO} -d cache ./say.sh {words}").out for words in ("1", "2", "1", "1 2")]
    assert outs == ["1\n", "2\n", "", "1 2\n"]


def test_an_edited_script_runs(place):
    """Check that the sha256 hash of the calling script (and dependents) are the same."""
    place.script("say.sh", "echo one")
    assert place.sh(f"{MEMO} -d cache ./say.sh").out == "one\n"
    place.script("say.sh", "echo two")
    assert place.sh(f"{MEMO} -d cache ./say.sh").out == "two\n"


def test_a_touched_script_does_not_run(place):
    """Check that the sha256 hash of the calling script (and dependents) are the same."""
    place.script("say.sh", "echo one")
    place.sh(f"{MEMO} -d cache ./say.sh; touch say.sh; {MEMO} -d cache ./say.sh")
    assert place.runs == 1


def test_a_changed_or_missing_output_runs(place):
    """Check that the desired outputs match the hashes stored in the cache."""
    place.script("make.sh", "echo made > out")
    line = f"{MEMO} -o out -d cache ./make.sh"
    assert (place.sh(line).code, place.sh(line).code, place.runs) == (0, 0, 1)
    place.write("out", "changed\n")
    assert (place.sh(line).code, place.runs, place.read("out")) == (0, 2, "made\n")
    place.sh("rm out")
    assert (place.sh(line).code, place.runs, place.read("out")) == (0, 3, "made\n")


def test_a_dependent_counts(place):
    """Script execution of script1.sh is now sensitive to changes in script2.sh."""
    place.script("script1.sh", './script2.sh "$@"')
    place.script("script2.sh", 'echo "two: $*"')
    line = f"{MEMO} -c script2.sh -d cache ./script1.sh arg0 arg1"
    assert [place.sh(line).out for _ in range(2)] == ["two: arg0 arg1\n", ""]
    place.script("script2.sh", 'echo "new: $*"')
    assert place.sh(line).out == "new: arg0 arg1\n"


def test_without_dependents_a_called_script_does_not_count(place):
    """It may be that calling script 1 calls script 2: accomplished through -c/--dependents."""
    place.script("script1.sh", "./script2.sh")
    place.script("script2.sh", "echo two")
    line = f"{MEMO} -d cache ./script1.sh"
    place.sh(line)
    place.script("script2.sh", "echo new")
    assert place.sh(line).out == ""


@pytest.mark.parametrize("flag", ["-c", "--dependents"])
def test_several_dependents(place, flag):
    """Check that the sha256 hash of the calling script (and dependents) are the same."""
    for name in ("a.sh", "b.sh"):
        place.script(name, "")
    line = f"{MEMO} {flag} a.sh {flag} b.sh -d cache echo 1"
    place.sh(line)
    assert place.sh(line).out == ""
    place.script("b.sh", "# changed")
    assert place.sh(line).out == "1\n"


def test_an_output_that_was_never_written_is_not_there(place):
    """memori will re-run the calling script if the files are missing/modified."""
    place.script("make.sh", "")
    line = f"{MEMO} -o never -d cache ./make.sh"
    first = place.sh(line)
    assert first.code == 0
    assert first.err == (
        f"{MEMO}: not remembered: the command ended well, but {place.folder}/never does not exist\n"
    )
    place.sh(line)
    assert place.runs == 2


def test_several_outputs(place):
    """If we are expecting certain files to be written, we can inform memori: -o/--outputs."""
    place.script("make.sh", 'for name in "$@"; do echo "$name" > "$name.out"; done')
    line = f"{MEMO} -o a.out --outputs b.out -d cache ./make.sh a b"
    place.sh(line)
    place.sh(f"rm b.out; {line}; {line}")
    assert (place.runs, place.read("b.out")) == (2, "b\n")


def test_kill_ends_the_parent_when_the_command_failed(place):
    """The -k/--kill flag can be used to kill the parent process, on an error code."""
    ended = place.sh(f"{MEMO} -k -d cache sh -c 'exit 3'; echo still here")
    assert (ended.code, ended.out) == (-15, "")


def test_kill_does_nothing_when_the_command_ended_well(place):
    """If the calling script returns an error code. This can halt a parent if execution failed."""
    line = f"{MEMO} --kill -d cache echo 1; echo still here"
    assert place.sh(line).out == "1\nstill here\n"
    assert place.sh(line).out == "still here\n"


def test_verbose_says_what_happens_and_why(place):
    """Use the --verbose flag for under the hood logging info!"""
    line = f"{MEMO} --verbose -d cache echo 1"
    assert place.sh(line).err == f"{MEMO}: not skipped: it has not run before\n"
    again = place.sh(line)
    assert again.out == ""
    assert again.err.startswith(f"{MEMO}: skipped: unchanged since ")


def test_the_log_file_has_the_same_lines(place):
    """--log_file: log file (a further flag of the original)."""
    for _ in range(2):
        place.sh(f"{MEMO} --log_file log -d cache echo 1")
    lines = place.read("log").splitlines()
    assert ["not skipped" in lines[0], "skipped: unchanged" in lines[1]] == [True, True]


def test_the_files_for_people_show_the_last_call(place):
    """Files NAME.inputs, NAME.outputs and NAME.stage, as for a Stage; files as file and hash."""
    place.script("make.sh", 'cat "$1" > out')
    place.write("in.txt", "hello\n")
    place.sh(f"{MEMO} -d cache -o out ./make.sh in.txt 3")
    digest = place.sh("sha256sum in.txt").out.split()[0]
    file = {"file": "in.txt", "hash": digest}
    assert json.loads(place.read("cache/make.inputs")) == {"arg0": file, "arg1": "3"}
    outputs = json.loads(place.read("cache/make.outputs"))
    assert outputs == {"output": 0, "output0": {"file": str(place.folder / "out"), "hash": digest}}
    script = place.sh("sha256sum make.sh").out.split()[0]
    assert json.loads(place.read("cache/make.stage"))["script"]["hash"] == script


def test_the_files_for_people_have_another_name(place):
    """-n/--name: other name for the hash files (a further flag of the original)."""
    place.sh(f"{MEMO} -d cache -n other echo 1")
    assert place.exists("cache/other.inputs")
    assert not place.exists("cache/echo.inputs")


def test_parallel_runs_with_arguments_of_their_own(place):
    """-p/--parallel N: with --argX and --arg_outputX; files go to parallelX/."""
    place.script("make.sh", 'echo "$1" > "$2"')
    line = (
        f"{MEMO} -p 2 -d cache ./make.sh --arg0 one a.out --arg1 two b.out "
        "--arg_output0 a.out --arg_output1 b.out"
    )
    assert place.sh(line) == (0, "", "")
    assert (place.read("a.out"), place.read("b.out"), place.runs) == ("one\n", "two\n", 2)
    place.sh(f"{line}; rm b.out; {line}")
    assert (place.read("b.out"), place.runs) == ("two\n", 3)
    assert place.exists("cache/parallel0/make.inputs")
    assert place.exists("cache/parallel1/make.inputs")


def test_a_parallel_failure_is_the_exit_code(place):
    """-p/--parallel, whatever the exit code (the original returned 0 for all but 1)."""
    assert place.sh(f"{MEMO} -p 2 -d cache --arg0 0 --arg1 7 -- ./leave.sh").code == 127
    place.script("leave.sh", "exit $1")
    line = f"{MEMO} -p 2 -d cache --arg0 0 --arg1 7 -- ./leave.sh"
    assert (place.sh(line).code, place.sh(line).code, place.runs) == (7, 7, 3)


def test_the_walk_through_of_the_reference(place):
    """All commands of the reference, one after the other."""
    place.script("script.sh", "echo out > output; echo script")
    place.script("script1.sh", "./script2.sh")
    place.script("script2.sh", "echo script2")
    assert place.sh(f"{MEMO} -d cache echo 1").out == "1\n"
    assert place.sh(f"{MEMO} -d cache echo 1").out == ""
    # Scripts of the working directory are found, as in the reference, though a shell would not.
    lines = [
        f"{MEMO} -c script2.sh -d cache script1.sh arg0 arg1",
        f"{MEMO} -o output -d cache script.sh arg0 arg1",
    ]
    assert [place.sh(line).out for line in lines] == ["script2\n", "script\n"]
    assert [place.sh(line).out for line in lines] == ["", ""]


@pytest.mark.parametrize("shell", ["sh", "bash", "dash", "zsh"])
def test_it_works_in_every_shell(place, shell):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    line = f"{MEMO} -d cache echo 1 && {MEMO} -d cache echo 1 && echo done"
    assert place.sh(line, shell=shell).out == "1\ndone\n"


def test_it_works_from_make(place):
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    place.script("make.sh", 'cat "$1" > "$2"')
    place.write("in", "hello\n")
    place.write(
        "Makefile",
        f"out: in FORCE\n\t@{MEMO} -k -d cache -o $@ ./make.sh $< $@\nFORCE:\n"
        f"bad: FORCE\n\t@{MEMO} -d cache false\n",
    )
    assert [place.sh("make -s out").code for _ in range(2)] == [0, 0]
    assert (place.read("out"), place.runs) == ("hello\n", 1)
    place.write("in", "new\n")
    assert (place.sh("make -s out").code, place.read("out")) == (0, "new\n")
    assert place.sh("make -s bad").code == 2
