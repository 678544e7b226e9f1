import threading
import time

import pytest

from neurotools.memo import standstill
from neurotools.memo.standstill import ThreadWatch


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
        found.append(watch.stands())
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
