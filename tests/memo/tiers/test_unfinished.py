import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from neurotools.memo.tiers import unfinished
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.tiers.folders import PRIVATE
from neurotools.memo.tiers.unfinished import LEFTOVER_SECONDS, Unfinished
from neurotools.memo.upkeep import maintenance
from tests.memo.tiers.promises import KEY, entry, value_in

#: Writes an entry and is killed before it is renamed, or forks, or whatever `doing` says.
_WRITER = """
import os, signal, sys
from neurotools.memo.entry import Blob
from neurotools.memo.tiers import directory
from tests.memo.tiers.promises import KEY, entry
tier = directory.DirectoryTier(sys.argv[1])
{doing}
"""
_KILLED = """
directory.os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
tier.put(KEY, Blob((b'x' * 1000,), 1000))
"""


@pytest.fixture
def tier(tmp_path):
    return DirectoryTier(str(tmp_path / "cache"))


def run(tier, doing):
    script = _WRITER.format(doing=doing)
    return subprocess.run([sys.executable, "-c", script, tier.root], check=False)


def hidden(tier):
    return [path for path in Path(tier.root).rglob(".*") if path.name != PRIVATE]


def lists(tier):
    return sorted(os.listdir(os.path.join(tier.root, PRIVATE, "writing")))


def begin_anew(monkeypatch):
    """Let the next write be the first of a process."""
    monkeypatch.setattr(unfinished, "_ALL", {})


def left_by(tier, host, *, age=0.0, name=None):
    """Make what a process of a host left, so many seconds ago."""
    process = f"{host}-1-abc"
    folder = Path(tier.location(KEY)).parent
    folder.mkdir(parents=True, exist_ok=True)
    left = folder / f".{process}-0"
    left.write_text("half")
    listed = Path(tier.root, PRIVATE, "writing", process)
    listed.parent.mkdir(parents=True, exist_ok=True)
    listed.write_text(f"{name or os.path.relpath(left, tier.root)}\n")
    for path in (left, listed):
        os.utime(path, (time.time() - age,) * 2)
    return left


@pytest.mark.skipif(os.name == "nt", reason="whether a process runs is not asked there")
def test_what_a_killed_process_left_is_removed_with_its_list(tier):
    run(tier, _KILLED)
    assert len(hidden(tier)) == len(lists(tier)) == 1
    tier.put(KEY, entry(2))
    assert hidden(tier) == []
    assert len(lists(tier)) == 1  # our own


@pytest.mark.skipif(os.name == "nt", reason="nothing there kills so soon")
def test_what_is_unfinished_is_no_entry(tier):
    run(tier, _KILLED)
    assert list(tier.keys()) == []
    assert list(maintenance.scan(tier.root, "npy")) == []
    assert tier.clear(KEY.function, KEY.code) == set()


def test_a_process_that_ends_leaves_no_list(tier):
    assert run(tier, "tier.put(KEY, entry(1))").returncode == 0
    assert lists(tier) == []
    assert value_in(tier) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_uses_names_of_its_own(tier):
    doing = (
        "tier.put(KEY, entry(1))\nif os.fork() == 0:\n    tier.put(KEY, entry(2))\n    os._exit(0)"
    )
    run(tier, doing + "\nos.wait()\nos._exit(0)")
    assert len({name.split("-")[-2] for name in lists(tier)}) == 2


def test_one_name_serves_for_one_write_after_the_other(tier, tmp_path):
    names = Unfinished(str(tmp_path), str(tmp_path / "lists"))
    first = names.take(tier.root)
    second = names.take(tier.root)
    names.give_back(first)
    assert second != first == names.take(tier.root)


def test_a_name_is_listed_before_it_is_used(tmp_path):
    names = Unfinished(str(tmp_path), str(tmp_path / "lists"))
    name = os.path.basename(names.take(str(tmp_path / "f")))
    (listed,) = (tmp_path / "lists").iterdir()
    assert listed.read_text() == f"{os.path.join('f', name)}\n"


def test_threads_that_write_at_once_have_different_names(tier):
    names = Unfinished(tier.root, os.path.join(tier.root, "lists"))
    taken = []
    threads = [
        threading.Thread(target=lambda: taken.append(names.take(tier.root))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(taken)) == 8


@pytest.mark.parametrize(("age", "stays"), [(0, True), (LEFTOVER_SECONDS + 10, False)])
def test_what_another_computer_is_writing_is_left_until_it_is_old(tier, monkeypatch, age, stays):
    left = left_by(tier, "elsewhere", age=age)
    begin_anew(monkeypatch)
    tier.put(KEY, entry(1))
    assert left.exists() == stays


def test_the_list_of_a_process_that_may_still_run_stays_for_a_month(tier, monkeypatch):
    for age, stays in [(2 * LEFTOVER_SECONDS, True), (31 * LEFTOVER_SECONDS, False)]:
        left_by(tier, "elsewhere", age=age)
        begin_anew(monkeypatch)
        tier.put(KEY, entry(1))
        assert ("elsewhere-1-abc" in lists(tier)) == stays


@pytest.mark.parametrize("name", ["../precious", "pkg/f/code/precious.npy", "/precious"])
def test_a_list_that_names_something_else_removes_nothing(tier, monkeypatch, name):
    paths = [Path(tier.root).parent / "precious", Path(tier.location(KEY)).parent / "precious.npy"]
    left_by(tier, "elsewhere", age=2 * LEFTOVER_SECONDS, name=name)
    for path in paths:
        path.write_text("here")
        os.utime(path, (0, 0))
    begin_anew(monkeypatch)
    tier.put(KEY, entry(1))
    assert all(path.exists() for path in paths)


def test_names_are_listed_again_where_the_list_was_removed(tier):
    import shutil

    tier.put(KEY, entry(1))
    shutil.rmtree(tier.root)
    tier.put(KEY, entry(2))
    assert len(lists(tier)) == 1


@pytest.mark.skipif(os.name == "nt", reason="nothing there kills so soon")
def test_a_process_that_goes_on_removes_what_others_left_meanwhile(tier):
    tier.put(KEY, entry(1))
    run(tier, _KILLED)
    assert len(hidden(tier)) == 1
    for number in range(unfinished._EVERY):
        tier.put(KEY, entry(number))
    assert hidden(tier) == []


def test_lists_are_looked_at_in_turn(tier, monkeypatch):
    monkeypatch.setattr(unfinished, "_EVERY", 2)
    monkeypatch.setattr(unfinished, "_AT_ONCE", 3)
    names = Unfinished(tier.root, os.path.join(tier.root, PRIVATE, "writing"))
    os.makedirs(names._lists)
    host = names._process.rsplit("-", 2)[0]
    for number in range(10):
        Path(names._lists, f"{host}-{number}-abc").write_text("")
    left = []
    for _ in range(8):
        names.give_back(names.take(tier.root))
        left.append(len(os.listdir(names._lists)) - 1)
    assert left[0] == 7
    assert left[-1] == 0


def test_clearing_a_version_removes_what_no_list_tells_of(tier):
    left = left_by(tier, "elsewhere")
    tier.put(KEY, entry(1))
    tier.clear(KEY.function, KEY.code)
    assert left.exists()  # it may be in use
    os.unlink(os.path.join(tier.root, PRIVATE, "writing", "elsewhere-1-abc"))
    tier.clear(KEY.function, KEY.code)
    assert not left.exists()


@pytest.mark.parametrize("days", [2, -2])
def test_a_file_of_another_computer_is_old_however_wrong_its_time_is(tier, monkeypatch, days):
    left = left_by(tier, "elsewhere", age=days * LEFTOVER_SECONDS)
    begin_anew(monkeypatch)
    tier.put(KEY, entry(1))
    assert not left.exists()


def test_what_cannot_be_removed_stays_in_its_list(tier, monkeypatch):
    names = tier._committer.names
    host = names._process.rsplit("-", 2)[0]
    left = left_by(tier, host)
    left.unlink()
    left.mkdir()  # as good as a file that may not be removed
    names.take(tier.root)
    assert f"{host}-1-abc" in lists(tier)


def test_a_list_stays_while_one_of_its_names_is_in_use(tier):
    names = tier._committer.names
    name = names.take(tier.root)
    names.end()
    assert len(lists(tier)) == 1
    names.give_back(name)
    names.end()
    assert lists(tier) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_shows_that_it_lives_and_leaves_its_parent_alone(tier, tmp_path):
    doing = (
        "tier.put(KEY, entry(1))\n"
        "names = tier._committer.names\n"
        "left = names.take(os.path.dirname(tier.location(KEY)))\nopen(left, 'w').close()\n"
        "child = os.fork()\nif child == 0:\n    tier.put(KEY, entry(2))\n    os._exit(0)\n"
        "os.waitpid(child, 0)\nos._exit(0 if os.path.exists(left) else 1)"
    )
    assert run(tier, doing).returncode == 0


def test_two_processes_never_have_one_name(monkeypatch):
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    monkeypatch.setattr(os, "getpid", lambda: 1)
    names = {unfinished.this_process.__wrapped__() for _ in range(10)}
    assert len(names) == 10
