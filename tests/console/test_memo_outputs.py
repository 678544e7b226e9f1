"""Outputs that neurotools-memo keeps and puts back; large ones."""

import os
import sys

import pytest

from tests.shells import needs_posix

pytestmark = needs_posix
MEMO = "neurotools-memo"


def test_outputs_can_be_put_back(place):
    place.script("make.sh", "mkdir -p out; echo one > out/a; : > out/empty; cp make.sh out/b")
    line = f"{MEMO} --restore --verbose -d cache -o out ./make.sh"
    place.sh(line)
    before = place.sh("ls -lR out | sed 's/ [A-Z][a-z][a-z] .*:.. / /'; cat out/*").out
    for damage in ("rm -r out", "rm out/b", "echo changed > out/a"):
        ended = place.sh(f"{damage}; {line}")
        assert "restored" in ended.err
        assert place.sh("ls -lR out | sed 's/ [A-Z][a-z][a-z] .*:.. / /'; cat out/*").out == before
    assert place.runs == 1


def test_an_empty_folder_is_put_back(place):
    place.script("make.sh", "mkdir -p out/empty; echo one > out/a")
    line = f"{MEMO} --restore -d cache -o out ./make.sh"
    place.sh(f"{line}; rm -r out; {line}")
    assert (place.runs, place.read("out/a")) == (1, "one\n")
    assert place.exists("out/empty")


@pytest.mark.parametrize("damage", ["rm big/out", "echo other > out"])
def test_what_is_behind_a_link_is_put_back_there(place, damage):
    place.script("make.sh", "echo one > out")
    line = f"{MEMO} --restore -d cache -o out ./make.sh"
    place.sh(f"mkdir big; ln -s big/out out; {line}; {damage}; {line}")
    assert (place.runs, place.read("big/out")) == (1, "one\n")
    assert (place.folder / "out").is_symlink()


def test_what_is_too_much_in_a_folder_cannot_be_put_back(place):
    place.script("make.sh", "rm -rf out; mkdir out; echo one > out/a")
    line = f"{MEMO} --restore -d cache -o out ./make.sh"
    place.sh(f"{line}; echo more > out/b; {line}")
    assert (place.runs, place.exists("out/b")) == (2, False)


def test_outputs_that_were_not_kept_are_made_again(place):
    place.script("make.sh", "echo one > out")
    line = f"{MEMO} --restore -d cache -o out ./make.sh"
    place.sh(f"{line}; rm -r cache/kept out; {line}")
    assert (place.runs, place.read("out")) == (2, "one\n")


def test_a_place_where_nothing_can_be_kept_is_told_once(place):
    place.script("make.sh", "echo one > out")
    ended = place.sh(f"{MEMO} --restore --tier nonsense://x -d cache -o out ./make.sh")
    assert (ended.code, place.read("out")) == (0, "one\n")
    assert ended.err.count("unknown kind of tier") == 1


def test_a_damaged_copy_is_not_put_back(place):
    place.script("make.sh", "echo one > out")
    line = f"{MEMO} --restore -d cache -o out ./make.sh"
    place.sh(line)
    (kept,) = (place.folder / "cache/kept").glob("commands/outputs/*/*.npy")
    content = bytearray(kept.read_bytes())
    content[content.index(b"one")] ^= 1
    kept.write_bytes(content)
    place.sh(f"rm out; {line}")
    assert (place.runs, place.read("out")) == (2, "one\n")


def test_another_folder_gives_what_one_computer_has_made(place):
    place.script("make.sh", "echo one > out")
    line = f"{MEMO} --restore --tier shared -o out"
    place.sh(f"{line} -d here ./make.sh; rm -r out here; {line} -d there ./make.sh")
    assert (place.runs, place.read("out")) == (1, "one\n")


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs Linux")
@pytest.mark.parametrize(("size", "flags"), [(2 << 30, ""), (400 << 20, "--restore")])
def test_a_large_output_does_not_sit_in_memory(place, size, flags):
    place.script("make.sh", f"truncate -s {size} out")
    measure = (
        "import sys; from neurotools.console.memo import main; code = main()\n"
        # What getrusage tells begins with the size of the process that started this one.
        "own = next(line for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
        "print(own.split()[1], file=open('memory', 'w')); sys.exit(code)"
    )
    line = f'{sys.executable} -c "{measure}" {flags} -d cache -o out ./make.sh'
    assert place.sh(line).code == 0
    assert int(place.read("memory")) < 250_000  # kilobytes
    place.sh(line)
    place.sh(line)
    assert place.runs == 1
