import os
import subprocess
import sys
import threading

import pytest

from neurotools.memo.watch import deadline
from neurotools.memo.watch.deadline import GivenUp, NoAnswer, Task, Workers

PATIENCE = 0.1


@pytest.fixture
def workers():
    return Workers()


@pytest.fixture
def gate():
    gate = threading.Event()
    yield gate
    gate.set()


def begun(workers, work, *arguments, late=None):
    task = Task(work, arguments, late)
    workers.start(task)
    return task


def test_work_gives_its_result(workers):
    task = begun(workers, divmod, 7, 3)
    assert task.wait(60)
    assert task.result() == (2, 1)


def test_what_work_raises_is_raised_where_it_is_waited_for(workers):
    task = begun(workers, int, "no number")
    assert task.wait(60)
    with pytest.raises(ValueError, match="no number"):
        task.result()


def test_what_hangs_is_not_waited_for(workers, gate):
    task = begun(workers, gate.wait)
    assert not task.wait(PATIENCE)
    assert task.give_up()


def test_what_moves_is_waited_for(workers, monkeypatch):
    looks, moves = threading.Semaphore(0), threading.Semaphore(0)

    def slow():
        for _ in range(15):
            looks.acquire(timeout=60)
            deadline.moved()
            moves.release()
        looks.acquire(timeout=60)
        return "done"

    task = begun(workers, slow)
    waits, wait = [], task._ended.wait

    def in_turns(patience):
        """End in vain after each move but the last, as if it took that long."""
        waits.append(patience)
        looks.release()
        return wait(60) if len(waits) > 15 else not moves.acquire(timeout=60)

    monkeypatch.setattr(task._ended, "wait", in_turns)
    assert task.wait(1.2)
    assert waits == [1.2] * 16
    assert task.result() == "done"


def test_what_was_given_up_ends_at_its_next_step(workers, gate):
    heard, ended = [], threading.Event()

    def work():
        gate.wait()
        deadline.moved()
        heard.append("went on")

    task = begun(workers, work, late=lambda result: (heard.append(result), ended.set()))
    task.give_up()
    gate.set()
    assert ended.wait(60)
    assert [type(one) for one in heard] == [GivenUp]


def test_what_was_given_up_cannot_commit(workers, gate):
    ended, came = threading.Event(), []

    def work():
        gate.wait()
        deadline.commit()

    task = begun(workers, work, late=lambda result: (came.append(result), ended.set()))
    task.give_up()
    gate.set()
    assert ended.wait(60)
    assert isinstance(came[0], GivenUp)


def test_what_has_committed_goes_on(workers, gate):
    committed, ended, came = threading.Event(), threading.Event(), []

    def work():
        deadline.commit()
        committed.set()
        gate.wait()
        deadline.moved()
        return "renamed"

    task = begun(workers, work, late=lambda result: (came.append(result), ended.set()))
    committed.wait(60)
    task.give_up()
    gate.set()
    assert ended.wait(60)
    assert came == ["renamed"]


def test_without_a_task_nothing_is_limited():
    assert not deadline.is_limited()
    deadline.moved()
    deadline.commit()


def test_the_work_of_a_task_is_limited(workers):
    task = begun(workers, deadline.is_limited)
    assert task.wait(60)
    assert task.result()


def test_threads_are_used_again(workers):
    seen = set()
    for _ in range(50):
        task = begun(workers, threading.get_ident)
        assert task.wait(60)
        seen.add(task.result())
    assert len(seen) < 10


def test_a_place_has_so_many_threads_and_no_more(workers, gate, monkeypatch):
    monkeypatch.setattr(deadline, "MOST_THREADS", 3)
    for _ in range(3):
        begun(workers, gate.wait)
    with pytest.raises(NoAnswer, match="3 earlier attempts"):
        begun(workers, gate.wait)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_starts_its_own_threads(workers):
    assert begun(workers, int).wait(60)
    child = os.fork()
    if not child:
        task = begun(workers, int)
        os._exit(0 if task.wait(60) else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_thread_that_hangs_does_not_hold_up_the_exit():
    code = (
        "import threading\n"
        "from neurotools.memo.watch.deadline import Task, Workers\n"
        "Workers().start(Task(threading.Event().wait, ()))\n"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=30, check=False).returncode == 0
