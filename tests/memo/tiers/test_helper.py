import threading

from neurotools.memo.tiers import helper


def test_what_is_asked_for_is_done_in_another_thread():
    done, who = threading.Event(), []
    worker = helper._Helper()
    worker.ask(lambda: (who.append(threading.get_ident()), done.set()))
    assert helper._processors() == 1 or done.wait(30)
    assert threading.get_ident() not in who


def test_work_that_fails_does_not_end_the_helper():
    worker, done = helper._Helper(), threading.Event()
    worker.ask(lambda: 1 / 0)
    worker.ask(done.set)
    assert helper._processors() == 1 or done.wait(30)


def test_a_helper_that_was_late_is_left_alone_for_longer_and_longer():
    worker, asked = helper._Helper(), []
    worker.rest(late=True)
    worker.rest(late=True)
    assert worker._resting == 2 * helper._REST
    worker.ask(lambda: asked.append(1))
    assert worker._resting == 2 * helper._REST - 1
    assert asked == []
    assert worker._asked is None
    worker.rest(late=False)
    worker.rest(late=True)
    assert worker._resting == helper._REST
