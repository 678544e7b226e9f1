"""A bar is shown on a terminal, and nowhere else."""

import io
import os
import struct
import sys

import pytest

from neurotools.memo.progress import bar


def count_up():
    with bar("sending", 3) as show:
        for done in (1, 2, 3):
            show(done)


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs pseudo terminals")
def test_a_terminal_shows_how_far_it_is(monkeypatch):
    pytest.importorskip("tqdm")
    import fcntl
    import termios

    monkeypatch.setattr("neurotools.memo.progress._DELAY_SECONDS", 0)
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    with open(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        count_up()
        terminal.flush()
        told = os.read(ours, 10_000).decode()
    os.close(ours)
    assert "sending" in told
    assert "/3" in told


def test_a_pipe_shows_nothing(capsys):
    count_up()
    assert capsys.readouterr().err == ""


def test_there_may_be_nothing_to_show_it_on(monkeypatch):
    closed = io.StringIO()
    closed.close()
    for stream in (None, closed):
        monkeypatch.setattr(sys, "stderr", stream)
        count_up()


def test_without_the_extra_nothing_is_shown(monkeypatch):
    monkeypatch.setattr("neurotools.memo.progress.is_seen", lambda: True)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    count_up()
