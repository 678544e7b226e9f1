"""A time limit for what may hang, and a count of what is said."""

import contextlib
import logging
import signal


@contextlib.contextmanager
def within(seconds):
    """Fail instead of hanging; in the main thread, where there are such signals."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def stop(*_):
        raise AssertionError(f"it hangs: not done after {seconds} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def said():
    """Give a list that receives what the package warns of."""
    found = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: found.append(record.getMessage())
    logger = logging.getLogger("neurotools")
    logger.addHandler(handler)
    try:
        yield found
    finally:
        logger.removeHandler(handler)
