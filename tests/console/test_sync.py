"""``neurotools sync`` as it is typed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from neurotools.console.main import main
from neurotools.jobs.cache import hierarchical_cacher
from tests.faults.away import entries_in, until
from tests.faults.places import needs_mounts, small_disk

ROOT = Path(__file__).resolve().parents[2]


def fill(place, numbers, **options):
    f = hierarchical_cacher(place, **options)(lambda x: [x])
    for x in numbers:
        f(x)


@pytest.fixture
def places(tmp_path):
    fast, slow = tmp_path / "fast", tmp_path / "slow"
    fill(fast, range(5))
    fill(slow, range(3, 9))
    return str(fast), str(slow)


def test_both_places_get_all(places, capsys):
    assert main(["sync", *places]) == 0
    assert len(entries_in(places[0])) == len(entries_in(places[1])) == 9
    printed = capsys.readouterr().out
    assert "3 results copied to" in printed
    assert "4 results copied to" in printed
    assert "2 results were in both places" in printed
    assert main(["sync", *places]) == 0
    assert "9 results were in both places" in capsys.readouterr().out


@pytest.mark.parametrize(("way", "numbers"), [("--to", (5, 9)), ("--from", (9, 6))])
def test_one_direction_alone(places, way, numbers):
    assert main(["sync", way, *places]) == 0
    assert tuple(len(entries_in(place)) for place in places) == numbers


def test_a_dry_run_says_what_would_be_and_copies_nothing(places, capsys):
    assert main(["sync", "--dry-run", *places]) == 0
    printed = capsys.readouterr().out
    assert "3 results would be copied to" in printed
    assert "test_sync" in printed
    assert tuple(len(entries_in(place)) for place in places) == (5, 6)


def test_a_bad_entry_is_named_and_the_exit_code_tells(places, capsys):
    bad = next(str(path) for path in Path(places[0]).rglob("*.npy"))
    Path(bad).write_bytes(b"damage" * 100)
    main(["sync", "--from", *places])
    assert main(["sync", "--verify", "--threads", "3", *places]) == 1
    said = capsys.readouterr()
    assert said.err.count("not copied: ") == 1
    assert bad in said.err
    assert "2 results copied to" in said.out


def test_programs_read_json(places, capsys):
    def said(*flags):
        main(["sync", *flags, "--json", *places])
        return json.loads(capsys.readouterr().out)

    there, back = said("--dry-run")["ways"]
    assert (there["missing"], back["missing"]) == (3, 4)
    assert sum(there["functions"].values()) == 3
    bad = next(path for path in Path(places[0]).rglob("*.npy"))
    bad.write_bytes(b"damage" * 100)
    done = said("--to", "--verify")
    (way,) = done["ways"]
    assert way["copied"] + len(way["problems"]) == way["missing"] == 3
    assert (way["bytes"] > 0, done["in_both"]) == (True, 2)
    assert {one["entry"] for one in way["problems"]} <= {str(bad)}


def test_a_cache_of_another_name(tmp_path, capsys):
    fast, slow = str(tmp_path / "fast"), str(tmp_path / "slow")
    fill(fast, range(3), cache_identifier="mine")
    fill(fast, range(3), cache_identifier="yours")
    assert main(["sync", "--to", fast, slow]) == 1
    assert "--cache-identifier mine or --cache-identifier yours" in capsys.readouterr().err
    assert main(["sync", "--to", "--cache-identifier", "mine", fast, slow]) == 0
    assert len(entries_in(slow)) == 3


def test_a_place_that_is_not_there(places, tmp_path, capsys):
    new = str(tmp_path / "new")
    assert main(["sync", places[0], new]) == 1
    assert "say --to to have one made there" in capsys.readouterr().err
    assert main(["sync", new, places[0]]) == 1
    assert "say --from to have one made there" in capsys.readouterr().err
    assert main(["sync", "--from", places[0], new]) == 1
    assert not os.path.exists(new)
    assert main(["sync", "--from", new, places[0]]) == 0
    assert entries_in(new) == entries_in(places[0])


@pytest.mark.parametrize(
    ("second", "told"),
    [
        ("ram://", "memory of one program"),
        ("nothing://x", "unknown"),
        ("{fast}", "the same place"),
        ("{fast}/.", "the same place"),
        ("{fast}/neurotools_cache", "give the folder above it"),
        ("{fast}-link", "the same place"),
    ],
)
def test_nonsense_is_refused_in_one_line(places, capsys, second, told):
    os.symlink(places[0], f"{places[0]}-link")
    assert main(["sync", places[0], second.format(fast=places[0])]) == 1
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1


def test_a_place_within_another_one_is_refused(places, capsys):
    inner = f"{places[0]}/neurotools_cache"
    assert main(["sync", "--to", places[0], inner]) == 1
    assert "one in another" in capsys.readouterr().err
    assert not os.path.exists(f"{inner}/neurotools_cache")


@needs_mounts
def test_a_full_disk_is_told_at_once(tmp_path, capsys):
    fill(tmp_path / "fast", range(300))
    with small_disk(tmp_path / "disk", size="256k") as disk:
        assert main(["sync", "--to", str(tmp_path / "fast"), disk]) == 1
        said = capsys.readouterr()
        assert "No space left on device" in said.err
        assert "run the same again" in said.err
        assert said.err.count("\n") == 1
        copied = len(entries_in(disk))
        assert f"{copied} results copied to" in said.out
        assert f"{copied} results were copied before" in said.err


@pytest.mark.parametrize(
    "arguments",
    [["a"], ["--threads", "0", "a", "b"], ["--threads", "x", "a", "b"], ["--to", "--from", "a"]],
)
def test_wrong_arguments_are_a_usage_error(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["sync", *arguments])
    assert stop.value.code == 2
    assert "usage: neurotools sync" in capsys.readouterr().err


def test_options_that_cannot_be_met(places, capsys):
    assert main(["sync", "--trusted-owner", "no-such-user", *places]) == 1
    assert main(["sync", "--key-file", places[0], *places]) == 1
    assert main(["sync", "--cache-identifier", "..", "--to", *places]) == 1
    assert capsys.readouterr().err.count("\n") == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_stopped_in_the_middle_it_goes_on_the_next_time(tmp_path, number):
    fast, slow = str(tmp_path / "fast"), str(tmp_path / "slow")
    fill(fast, range(1500))
    command = [sys.executable, "-m", "neurotools.console.main", "sync", "--to", fast, slow]
    command[1:3] = ["-c", "import sys; from neurotools.console.main import main; sys.exit(main())"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as sync:
        until(lambda: len(entries_in(slow)) > 50 or sync.poll() is not None)
        sync.send_signal(number)
        _, err = sync.communicate(timeout=60)
    assert "Traceback" not in err
    copied = len(entries_in(slow))
    assert copied > 50
    if sync.returncode:  # it was not over before
        assert copied < 1500
    assert main(["sync", "--to", "--verify", fast, slow]) == 0
    assert entries_in(fast) == entries_in(slow)
    f = hierarchical_cacher(slow)(lambda x: [x])
    assert f(1) == [1]


def test_a_program_that_computes_meanwhile_is_no_matter(places):
    with subprocess.Popen(
        [sys.executable, "-c", _WRITES, places[0]], cwd=ROOT, stdout=subprocess.PIPE
    ) as program:
        program.stdout.readline()
        started = time.monotonic()
        while program.poll() is None and time.monotonic() - started < 20:
            assert main(["sync", *places]) == 0
    assert main(["sync", *places]) == 0
    assert entries_in(places[0]) == entries_in(places[1])


_WRITES = """
import sys
from neurotools.jobs.cache import hierarchical_cacher
def g(x):
    return [x]
g = hierarchical_cacher(sys.argv[1])(g)
print("begun", flush=True)
for x in range(500):
    g(x)
"""
