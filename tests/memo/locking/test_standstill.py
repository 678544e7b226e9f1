import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from neurotools.memo.locking import standstill
from neurotools.memo.locking.standstill import ThreadWatch


def watched(work, looks=8):
    """Return whether a thread seemed to stand still while it did something."""
    begun, thread = threading.Event(), None

    def run():
        begun.set()
        work()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    begun.wait(10)
    watch = ThreadWatch(thread.ident)
    found = []
    for _ in range(looks):
        time.sleep(0.1)
        found.append(watch.stands() and thread.is_alive())
    return any(found)


def compute(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


@pytest.fixture(autouse=True)
def never_late(monkeypatch):
    monkeypatch.setattr(standstill, "_LATE", 1000.0)


@pytest.mark.parametrize(
    "work",
    [lambda: time.sleep(5), lambda: threading.Event().wait(5), lambda: compute(5)],
    ids=["sleeps", "waits for a while", "computes"],
)
def test_a_thread_that_will_go_on_does_not_stand_still(work):
    assert not watched(work)


def test_a_thread_that_waits_again_and_again_stands_still_in_the_end(monkeypatch):
    monkeypatch.setattr(standstill, "_LATE", 0.3)
    monkeypatch.setattr(standstill, "_IDLE", 1000.0)
    over = threading.Event()

    def poll():
        while not over.is_set():
            over.wait(0.05)

    try:
        assert watched(poll, 20)
    finally:
        over.set()


def test_a_thread_that_has_ended_stands_still():
    thread = threading.Thread(target=len, args=("",))
    thread.start()
    thread.join()
    assert ThreadWatch(thread.ident).stands()


@pytest.mark.skipif(
    not os.path.exists(f"/proc/self/task/{threading.get_native_id()}/children"), reason="/proc"
)
def test_a_thread_that_waits_for_a_pool_at_work_does_not_stand_still(monkeypatch):
    monkeypatch.setattr(standstill, "_LATE", 0.3)
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'while True: pass'])"
    # As pools do, with a process between.
    worker = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    over = threading.Event()

    # Somebody else works in this process, so that not all threads wait.
    def work_on():
        while not over.is_set():
            time.sleep(0.1)

    other = threading.Thread(target=work_on, daemon=True)
    other.start()
    try:
        time.sleep(0.5)
        assert not watched(over.wait, 15)
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        assert watched(over.wait, 15)
    finally:
        over.set()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
