"""Ctrl-C at any moment: no lock stays held, nothing half is left, the next call is right."""

import contextlib
import ctypes
import os
import random
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from neurotools.jobs.cache import hierarchical_cacher
from neurotools.memo.locking import lockfiles
from neurotools.memo.turns import turn

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="setitimer")

#: Calls that may be interrupted.
MANY = int(os.environ.get("INTERRUPTS", "600"))


class Stop(BaseException):
    """An interrupt that nothing takes for an error."""


@pytest.fixture
def remembered(tmp_path):
    made = {}
    for method in ("npy", "pickle", "hdf5", "mat"):
        for name, tiers in (("ram", ("ram://", "a")), ("folder", ("b",))):
            places = [tier if "://" in tier else tmp_path / tier for tier in tiers]
            cacher = hierarchical_cacher(places, method=method, allow_mutable_bindings=True)
            made[method, name] = function = cacher(compute)
            # All is imported: what an import has locked stays locked, when it is interrupted.
            for size in (10, 50000):
                assert is_right(function(-1, size), -1, size)
                assert is_right(function(-1, size), -1, size)
    return list(made.values())


def compute(n, size):
    return [np.full(size, n), {"n": n}]


def is_right(value, n, size):
    return value[1] == {"n": n} and np.array_equal(value[0], np.full(size, n))


def is_free(folder):
    """Tell whether another process could have every lock of a folder."""
    code = (
        "import fcntl, sys\n"
        "with open(sys.argv[1], 'r+b') as file:\n"
        "    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
    )
    command = [sys.executable, "-c", code, os.path.join(folder, "locks")]
    return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0


def check_whole(remembered, tmp_path):
    assert not turn._HELD._owner
    assert not turn._HELD._waits
    for folder in lockfiles._FILES:
        if folder.startswith(str(tmp_path)):
            assert is_free(folder)
    for number, function in enumerate(remembered):
        assert is_right(function(number, 100), number, 100)


def _calls(remembered, chance):
    size = chance.choice([10, 1000, 50000])
    return chance.choice(remembered), chance.randrange(MANY), size


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_interrupts_leave_everything_whole(remembered, tmp_path, monkeypatch):
    # Those that come while an object goes are told and forgotten, by Python.
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
    chance, interrupted = random.Random(4), 0

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for _ in range(MANY):
            function, n, size = _calls(remembered, chance)
            try:
                try:
                    signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-5, 2e-3))
                    value = function(n, size)
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)
                assert is_right(value, n, size)
            except KeyboardInterrupt:
                interrupted += 1
    finally:
        signal.signal(signal.SIGALRM, before)
    print(f"{interrupted} interrupts")
    assert interrupted > MANY / 20
    check_whole(remembered, tmp_path)
    names = [name for _, _, names in os.walk(tmp_path) for name in names]
    assert [name for name in names if name.startswith(".")] == []


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_interrupted_threads_leave_the_others_whole(remembered, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
    over, wrong = threading.Event(), []

    def work(seed):
        chance = random.Random(seed)
        while not over.is_set():
            function, n, size = _calls(remembered, chance)
            with contextlib.suppress(Stop):
                if not is_right(function(n % 40, size), n % 40, size):
                    wrong.append(n)

    def run(seed):
        while not over.is_set():
            with contextlib.suppress(Stop):
                work(seed)

    threads = [threading.Thread(target=run, args=(seed,), daemon=True) for seed in range(6)]
    for thread in threads:
        thread.start()
    for _ in range(MANY):
        thread = random.choice(threads)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(Stop)
        )
        time.sleep(2e-3)
    over.set()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    assert wrong == []
    check_whole(remembered, tmp_path)


def test_an_interrupt_while_waiting_for_a_thread_or_a_process(tmp_path):
    begun, go_on = tmp_path / "begun", tmp_path / "go-on"

    @hierarchical_cacher((tmp_path / "cache",), allow_mutable_bindings=True)
    def slow(n):
        begun.write_text("")
        while not go_on.exists():
            time.sleep(0.01)
        return n

    def interrupt(*_):
        raise KeyboardInterrupt

    child = os.fork() if hasattr(os, "fork") else 0
    if child == 0:
        os._exit(slow(5))
    while not begun.exists():
        time.sleep(0.01)
    thread = threading.Thread(target=slow, args=(6,))
    thread.start()
    time.sleep(0.2)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for n in (5, 6):
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(KeyboardInterrupt):
                slow(n)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert list(turn._HELD._owner) == [name for name in turn._HELD._owner if name]
    go_on.write_text("")
    thread.join(20)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5
    assert (slow(5), slow(6)) == (5, 6)
    assert not turn._HELD._owner
