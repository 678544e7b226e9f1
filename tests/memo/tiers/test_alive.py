import os
import subprocess
import sys

import pytest

from neurotools.memo.tiers import alive

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is nothing of this kind there")

_SHOWS = """
import os, sys
from neurotools.memo.tiers import alive
alive.show(sys.argv[1], "other")
print("shown", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "alive")


@pytest.fixture
def other(path):
    command = [sys.executable, "-c", _SHOWS, path]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:
        process.stdout.readline()
        yield process
        process.kill()


def test_a_process_lives_until_it_is_killed(path, other):
    assert alive.lives(path, "other") is True
    assert alive.lives(path, "one more") is False
    other.kill()
    other.wait()
    assert alive.lives(path, "other") is False


def test_who_looks_does_not_seem_to_live_in_its_stead(path, other):
    other.kill()
    other.wait()
    assert [alive.lives(path, "other") for _ in range(3)] == [False] * 3


def test_a_file_that_was_removed_is_made_again(path, other):
    alive.show(path, "own")
    os.unlink(path)
    alive.show(path, "own")
    assert os.path.exists(path)


def test_a_descriptor_that_somebody_closed_is_opened_again(path):
    alive.show(path, "own")
    os.close(alive._FILES[path].descriptor)
    alive.show(path, "own")
    assert os.fstat(alive._FILES[path].descriptor).st_nlink == 1


def test_descriptors_of_removed_files_are_closed(tmp_path):
    for number in range(20):
        alive.show(str(tmp_path / str(number)), "own")
        os.unlink(tmp_path / str(number))
    assert len([path for path in alive._FILES if path.startswith(str(tmp_path))]) == 1


@pytest.mark.parametrize("make", [os.mkdir, lambda path: os.symlink("/", path)])
def test_where_there_is_no_file_nothing_can_be_told(path, make):
    make(path)
    alive.show(path, "own")
    assert alive.lives(path, "other") is None


def test_a_forked_child_is_not_its_parent(path):
    alive.show(path, "parent")
    child = os.fork()
    if child == 0:
        os._exit(0 if alive.lives(path, "parent") else 1)
    assert os.waitpid(child, 0)[1] == 0
