"""Many at once: one computation per result, right results while a cache is emptied and listed."""

import os
import random
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from benchmarks.reliability.herd import crowd, takeover
from neurotools.jobs.cache import combine_caches, hierarchical_cacher, scan_cachedir

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals")


@pytest.mark.parametrize(
    ("processes", "threads", "tasks", "keys"), [(1, 16, 0, 2), (4, 4, 0, 3), (2, 2, 4, 1)]
)
def test_callers_at_the_same_moment_compute_a_result_once(
    processes, threads, tasks, keys, tmp_path
):
    many = 4
    results, _, runs, wrong = crowd(str(tmp_path), processes, threads, tasks, keys, many)
    assert (results, runs, wrong) == (many * keys, many * keys, 0)


@pytest.mark.parametrize("how", ["kill", "exit", "crash"])
def test_a_waiter_takes_over_from_a_process_that_ends(how):
    assert takeover(how) > 0


def test_a_waiter_waits_for_a_process_that_was_stopped(tmp_path):
    """A stopped process may go on at any time: whoever does not want to wait, ends it."""
    begun, over = tmp_path / "begun", tmp_path / "over"
    code = (
        "import pathlib, sys, time\n"
        "from neurotools.jobs.cache import disk_cacher\n"
        "begun, over = map(pathlib.Path, sys.argv[2:])\n"
        "def compute(n):\n"
        "    with open(begun, 'a') as file:\n"
        "        file.write('x')\n"
        "    while not over.exists():\n"
        "        time.sleep(0.01)\n"
        "    return n\n"
        "print(disk_cacher(sys.argv[1], allow_mutable_bindings=True)(compute)(3))\n"
    )
    command = [sys.executable, "-c", code, *map(str, (tmp_path / "cache", begun, over))]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as one:
        while not begun.exists():
            time.sleep(0.01)
        one.send_signal(signal.SIGSTOP)
        with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
            time.sleep(1)
            assert other.poll() is None
            one.send_signal(signal.SIGCONT)
            over.write_text("")
            assert one.communicate(timeout=60)[0] == other.communicate(timeout=60)[0] == b"3\n"
    assert begun.read_text() == "x"


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_results_are_right_while_a_cache_is_emptied_listed_and_merged(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    over, wrong = threading.Event(), []

    @hierarchical_cacher(("ram://", here), allow_mutable_bindings=True)
    def filled(n):
        return np.full(1000 * (n + 1), n)

    @hierarchical_cacher((there,), allow_mutable_bindings=True)
    def copied(n):
        return np.full(1000 * (n + 1), n)

    def call(seed):
        chance = random.Random(seed)
        while not over.is_set():
            n = chance.randrange(8)
            right = np.full(1000 * (n + 1), n)
            wrong.extend(n for one in (filled, copied) if not np.array_equal(one(n), right))

    def disturb(*actions):
        while not over.is_set():
            for action in actions:
                action()

    threads = [threading.Thread(target=guarded, args=(wrong, call, seed)) for seed in range(4)]
    disturbances = (
        (lambda: filled.purge(3), filled.cache_clear),
        (lambda: scan_cachedir(here), lambda: scan_cachedir(there)),
        (lambda: combine_caches(copied.cache_root, copied), lambda: copied.purge(5)),
    )
    threads += [
        threading.Thread(target=guarded, args=(wrong, disturb, *actions))
        for actions in disturbances
    ]
    for thread in threads:
        thread.start()
    time.sleep(1)
    over.set()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert wrong == []


def guarded(wrong, work, *arguments):
    try:
        work(*arguments)
    except BaseException as error:
        wrong.append(error)
