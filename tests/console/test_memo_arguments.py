"""What counts for neurotools-memo: arguments, files, folders, variables, the standard input."""

import json
import os
import subprocess
import sys
import time

import pytest

from tests.shells import needs_posix

pytestmark = needs_posix
MEMO = "neurotools-memo"


def test_options_of_the_command_need_no_quoting(place):
    place.script("say.sh", 'echo "$@"')
    line = f"{MEMO} -d cache ./say.sh -d x --verbose -k -o out -- -h"
    assert place.sh(line) == (0, "-d x --verbose -k -o out -- -h\n", "")


def test_two_dashes_may_stand_before_the_command(place):
    assert place.sh(f"{MEMO} -d cache -- echo -n 1").out == "1"


def test_an_argument_that_is_a_file_counts_by_content(place):
    place.script("make.sh", 'cat "$1" > out')
    place.write("in", "one\n")
    line = f"{MEMO} -d cache -o out ./make.sh in"
    place.sh(f"{line}; touch in; {line}")
    assert place.runs == 1
    place.write("in", "two\n")
    assert (place.sh(line).code, place.read("out"), place.runs) == (0, "two\n", 2)
    place.write("in", "one\n")
    assert (place.sh(line).code, place.read("out"), place.runs) == (0, "one\n", 3)


def test_with_outputs_a_copy_of_an_input_is_the_same_input(place):
    place.script("make.sh", 'cat "$1" > out')
    place.write("in", "one\n")
    place.sh(f"cp in copy; for f in in copy; do {MEMO} -d cache -o out ./make.sh $f; done")
    assert place.runs == 1


def test_without_outputs_the_name_of_an_input_counts(place):
    place.sh("echo hello | tee a b")
    place.sh(f"{MEMO} -d cache gzip a; {MEMO} -d cache gzip b")
    assert place.exists("b.gz")


def test_a_file_behind_an_equals_sign_counts(place):
    place.script("make.sh", "")
    place.write("in", "one\n")
    line = f"{MEMO} -d cache ./make.sh --mask=in"
    place.sh(f"{line}; {line}; echo two > in; {line}")
    assert place.runs == 2


def test_what_the_command_makes_among_its_arguments_is_an_output(place):
    place.write("in", "one\n")
    line = f"{MEMO} --verbose -d cache cp in out"
    place.sh(line)
    assert "skipped: unchanged" in place.sh(line).err
    place.sh("rm out")
    assert "does not exist" in place.sh(line).err
    assert place.read("out") == "one\n"
    place.write("out", "changed\n")
    assert "has changed" in place.sh(line).err
    assert place.read("out") == "one\n"


def test_another_working_directory_is_another_call(place):
    place.script("make.sh", "echo made > out")
    for folder in ("one", "two"):
        place.sh(f"mkdir {folder}; cd {folder}; {MEMO} -d ../cache ../make.sh")
    assert place.exists("two/out")


def test_several_calls_are_remembered(place):
    place.script("say.sh", 'cat "$1" > out')
    for text in ("one", "two", "one", "two"):
        place.sh(f"echo {text} > in; {MEMO} -d cache ./say.sh in")
    assert place.runs == 2


def test_a_folder_counts_where_it_is_named_as_an_input(place):
    place.script("make.sh", "")
    place.write("folder/a", "one\n")
    line = f"{MEMO} -d cache -i folder ./make.sh folder"
    place.sh(f"{line}; touch folder/a; {line}")
    assert place.runs == 1
    place.sh(f"mkdir folder/deep; echo new > folder/deep/b; {line}; {line}")
    assert place.runs == 2


def test_a_folder_can_be_an_output(place):
    place.script("make.sh", "mkdir -p out/deep; echo one > out/deep/a")
    line = f"{MEMO} -d cache -o out ./make.sh out"
    place.sh(f"{line}; {line}")
    assert place.runs == 1
    place.sh(f"rm out/deep/a; {line}")
    assert (place.runs, place.read("out/deep/a")) == (2, "one\n")


def test_variables_count_where_they_are_named(place):
    place.script("say.sh", 'echo "$TASK"')
    line = f"{MEMO} -d cache -e TASK ./say.sh"
    outs = [
        place.sh(f"{task} {line}").out for task in ("TASK=1", "TASK=1", "TASK=2", "unset TASK;")
    ]
    assert outs == ["1\n", "", "2\n", "\n"]


def test_the_standard_input_can_count(place):
    line = f"{MEMO} -d cache --stdin cat"
    outs = [place.sh(f"echo {text} | {line}").out for text in ("one", "one", "two")]
    assert outs == ["one\n", "", "two\n"]


def test_the_standard_input_is_otherwise_left_to_the_command(place):
    loop = f"while read x; do {MEMO} -d cache echo $x; done"
    assert place.sh(f"printf '1\\n2\\n1\\n' | {loop}").out == "1\n2\n"


def test_names_with_spaces_unicode_and_quotes(place):
    names = ["my script.sh", "naïve-größe.sh", "3dcalc.sh", "it's.sh"]
    place.write("in put ü", "text\n")
    for name in names:
        place.script(name, 'cat "$1" > "$2"')
        line = f"""{MEMO} -d "ca che" -o "out 'ö'" "./{name}" "in put ü" "out 'ö'" """
        assert [place.sh(line) for _ in range(2)] == [(0, "", "")] * 2
    assert (place.runs, place.read("out 'ö'")) == (4, "text\n")


def test_a_name_that_is_no_text(place):
    name = os.fsencode(place.folder) + b"/caf\xe9"
    with open(name, "wb") as file:
        file.write(b"1")
    line = [place.environment["PATH"].split(os.pathsep)[0] + f"/{MEMO}", "-d", "cache", "cat", name]
    outs = [
        subprocess.run(
            line, cwd=place.folder, env=place.environment, capture_output=True, check=True
        )
        for _ in range(2)
    ]
    assert [done.stdout for done in outs] == [b"1", b""]


def test_symbolic_links_are_followed(place):
    place.script("make.sh", 'cat "$1" > real-out')
    place.write("real-in", "one\n")
    place.sh("ln -s real-in in; ln -s real-out out; ln -s make.sh linked.sh; ln -s nowhere broken")
    line = f"{MEMO} -d cache -o out ./linked.sh in broken"
    place.sh(f"{line}; {line}")
    assert place.runs == 1
    place.sh(f"echo two > real-in; {line}")
    assert (place.runs, place.read("out")) == (2, "two\n")


def test_a_pipe_among_the_arguments_is_not_remembered(place):
    line = f"{MEMO} -d cache cat <(echo 1)"
    for _ in range(2):
        ended = place.sh(line)
        assert ended.out == "1\n"
        assert "is a pipe, and can be read only once" in ended.err


def test_devices_are_words(place):
    line = f"{MEMO} -d cache wc -c /dev/null"
    assert [place.sh(line).out for _ in range(2)] == ["0 /dev/null\n", ""]


def test_a_skip_loads_neither_numpy_nor_what_runs_processes(place):
    place.sh(f"{MEMO} -d cache echo 1")
    show = "from neurotools.console.memo import main; main(); import sys; print(*sys.modules)"
    loaded = place.sh(f"{sys.executable} -c '{show}' -d cache echo 1").out.split()
    assert "neurotools.memo.commands.remember" in loaded
    heavy = {"numpy", "subprocess", "argparse", "logging", "h5py", "scipy", "tempfile", "inspect"}
    assert not heavy & set(loaded)


def test_an_unchanged_input_is_not_read_again(place):
    place.write("in", "x" * 100_000)
    time.sleep(0.1)  # so old that a change could not look the same
    place.sh(f"{MEMO} -d cache -o out cp in out; sleep 0.1; {MEMO} -d cache -o out cp in out")
    (record,) = (place.folder / "cache/commands").glob("*.json")
    (run,) = json.loads(record.read_text())["runs"]
    if not run["reads"]["argument 1"]["settled"]:
        pytest.skip("this file system has no times by which a change can be told")
    read = place.sh(f"strace -f -e trace=openat {MEMO} -d cache -o out cp in out")
    if read.code == 127:
        pytest.skip("strace is not installed")
    assert f'"{place.folder}/in"' not in read.err
    assert '"in"' not in read.err


def test_what_was_made_is_made_again_for_another_input_and_remembered(place):
    place.script("make.sh", 'cat "$1" > "$2"')
    line = f"{MEMO} -d cache ./make.sh in out"
    for text in ("one", "two"):
        assert place.sh(f"echo {text} > in; {line}; {line}") == (0, "", "")
        assert place.read("out") == f"{text}\n"
    assert place.runs == 2


def test_an_output_is_known_by_whatever_way_leads_there(place):
    place.script("make.sh", 'cat "$1" > "$2"')
    place.sh("mkdir real; ln -s real link; echo one > in")
    line = f"{MEMO} -d cache -o link/out ./make.sh in ./real/../real/out"
    assert place.sh(f"{line}; echo two > in; {line}; {line}") == (0, "", "")
    assert (place.runs, place.read("real/out")) == (2, "two\n")
