"""Forks at any moment: the child has no lock of its parent's, and waits for no thread of it."""

import contextlib
import os
import random
import signal
import threading
import time

import numpy as np
import pytest

from neurotools.jobs.cache import File, hierarchical_cacher
from neurotools.memo import forks
from neurotools.memo.locking import lockfiles
from neurotools.memo.locking.locks import FileLock
from neurotools.memo.turns import turn

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="fork"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]

#: Read and written with the help of a second thread.
LARGE = 3 << 20


def forked(work, seconds=60):
    """Return how a child ends that runs a function; it is killed when it takes too long."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.alarm(seconds)
            code = 0 if work() else 2
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def filled(n):
    return np.full(LARGE if n % 5 == 0 else 10, float(n))


@pytest.fixture
def remembered(tmp_path):
    @hierarchical_cacher(("ram://", tmp_path / "cache"), allow_mutable_bindings=True)
    def compute(n, file):
        return filled(n)

    return compute


def is_right(remembered, path, n):
    file = File(path)
    found = remembered(n, file)
    remembered.purge(n, file)
    again = remembered(n, file)
    return np.array_equal(found, filled(n)) and np.array_equal(again, filled(n))


def test_locks_that_a_thread_of_the_parent_holds_are_free_in_the_child(remembered, tmp_path):
    path = tmp_path / "input"
    path.write_bytes(b"content")
    assert is_right(remembered, path, 1)
    all_held, done = threading.Event(), threading.Event()

    def hold():
        with contextlib.ExitStack() as stack:
            for owner in list(forks._OWNERS):
                stack.enter_context(owner._lock)
            for lock in (*lockfiles._FILES_LOCKS.values(), lockfiles._COUNTING):
                stack.enter_context(lock)
            stack.enter_context(turn._HELD._lock)
            all_held.set()
            done.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    all_held.wait(10)
    try:
        assert forked(lambda: is_right(remembered, path, 2)) == 0
    finally:
        done.set()
        thread.join()
    assert is_right(remembered, path, 3)


def test_children_forked_while_threads_read_and_write_go_on(remembered, tmp_path):
    path = tmp_path / "input"
    path.write_bytes(b"content")
    wrong, over = [], threading.Event()

    def use(seed):
        chance = random.Random(seed)
        while not over.is_set():
            if not is_right(remembered, path, chance.randrange(12)):
                wrong.append(seed)

    threads = [threading.Thread(target=use, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    try:
        codes = [forked(lambda n=n: is_right(remembered, path, n)) for n in range(12)]
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert codes == [0] * 12
    assert wrong == []


def test_a_child_takes_and_frees_nothing_of_its_parents(tmp_path):
    key = turn.Key("f", "code", "hash.key", "npy")
    lock = FileLock(str(tmp_path), key)
    assert lock.try_take()

    def try_it():
        own = FileLock(str(tmp_path), key)
        refused = not own.try_take()
        own.free()
        lock.free()
        with open(tmp_path / "locks", "rb"):
            pass
        return refused

    assert forked(try_it) == 0
    # Still held: another child is refused, too, until it is freed here.
    assert forked(lambda: not FileLock(str(tmp_path), key).try_take()) == 0
    lock.free()
    assert forked(lambda: FileLock(str(tmp_path), key).try_take()) == 0


def test_a_child_that_returns_from_the_computation_leaves_the_parents_alone(tmp_path):
    seen = tmp_path / "seen"

    @hierarchical_cacher((tmp_path / "cache",), allow_mutable_bindings=True)
    def compute(n):
        child = os.fork()
        if child:
            time.sleep(0.5)
            seen.write_text(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))
        return n + 1

    parent = os.getpid()
    value = compute(1)
    if os.getpid() != parent:
        os._exit(7 if value == 2 else 1)
    assert value == compute(1) == 2
    assert seen.read_text() == "7"
