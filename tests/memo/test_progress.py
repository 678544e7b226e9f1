"""A bar is shown on a terminal, and nowhere else."""

import contextlib
import io
import os
import struct
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from neurotools.jobs.cache import File, disk_cacher, hierarchical_cacher
from neurotools.memo.entry import Blob, Key
from neurotools.memo.errors import CorruptEntry
from neurotools.memo.progress import Late, Timed, bar, passing
from neurotools.memo.tiers.guarded import Guarded
from neurotools.memo.tiers.remote import RemoteTier


def count_up():
    with bar("sending", 3) as show:
        for done in (1, 2, 3):
            show(done)


@pytest.fixture
def terminal(monkeypatch):
    """Give a function that makes standard error a terminal, which shows what takes no time, too.

    It gives one that reads what is there.
    """
    pytest.importorskip("tqdm")
    if not hasattr(os, "openpty"):
        pytest.skip("needs pseudo terminals")
    import fcntl
    import termios

    monkeypatch.setattr("neurotools.memo.progress._LONG_SECONDS", 0)
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.set_blocking(ours, False)

    def told():
        stream.flush()
        found = b""
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(ours, 100_000):  # it gives some thousand at a time
                found += piece
        return found.decode()

    def begin():
        # Not before the test itself: pytest sets it anew for each of its phases.
        monkeypatch.setattr(sys, "stderr", stream)
        return told

    with open(theirs, "w") as stream:
        yield begin
    os.close(ours)


def block(i):
    return [i] * 100


def length(path: File):
    return os.path.getsize(path)


def test_a_terminal_shows_how_far_it_is(terminal):
    told = terminal()
    count_up()
    text = told()
    assert "sending" in text
    assert "/3" in text


def test_a_bar_appears_also_while_nothing_is_done(terminal):
    told, text, ends = terminal(), "", time.monotonic() + 60
    with contextlib.closing(Timed(desc="waiting", total=3)) as shown:
        while "0/3" not in text:
            assert time.monotonic() < ends
            time.sleep(0.01)
            text += told()
        shown(3)
    assert "waiting" in text


def test_what_was_done_before_counts_for_how_fast_it_goes(terminal, monkeypatch):
    terminal()
    shown = Late(total=10)
    monkeypatch.setattr(shown, "_begun", shown._begun - 100)
    with contextlib.closing(shown):
        shown(5)
        shown(6)
        told = shown._shown.format_dict
        assert told["elapsed"] >= 100
        assert told["n"] - told["initial"] == 6


LARGE = bytes(40 << 20)


@pytest.fixture(params=[5.0, float("inf")])
def far(request, s3, bucket):
    """Give a tier in S3, waited for with patience, or for ever."""
    return RemoteTier(
        f"s3://{bucket}/cache", storage_options=s3.options, verify=False, patience=request.param
    )


def test_a_large_object_shows_how_far_it_is(terminal, far):
    key = Key("pkg/mod/filtered", "code", "call", "npy")
    far = Guarded(far)
    told = terminal()
    far.put(key, Blob((LARGE,), len(LARGE)))
    text = told()
    assert "storing filtered" in text
    assert "/41.9M" in text
    with pytest.raises(CorruptEntry):  # it is none; all of it was read to see that
        far.get(key)
    text = told()
    assert "loading filtered" in text
    assert "/41.9M" in text
    with ThreadPoolExecutor(1) as pool:
        pool.submit(far.put, key, Blob((LARGE,), len(LARGE))).result()
    assert told() == "", "in the background nothing is shown"


def test_purging_many_entries_shows_how_far_it_is(terminal, tmp_path):
    told = terminal()
    remembering = disk_cacher(tmp_path)(block)
    for i in range(30):
        remembering(i)
    assert told() == ""
    assert remembering.purge() == 30
    text = told()
    assert "removing" in text
    assert "/30" in text


def test_purging_a_place_of_a_url_does_so_too(terminal):
    told = terminal()
    pytest.importorskip("fsspec")
    remembering = hierarchical_cacher(["memory://progress"])(block)
    for i in range(3):
        remembering(i)
    assert remembering.purge() == 3
    assert "removing" in told()


def test_reading_a_large_file_shows_how_far_it_is(terminal, tmp_path):
    told = terminal()
    large, small = tmp_path / "large.nii", tmp_path / "small.nii"
    small.write_bytes(b"x" * 1000)
    with large.open("wb") as file:
        file.truncate(20_000_000)
    remembering = disk_cacher(tmp_path / "cache")(length)
    assert remembering(small) == 1000
    assert told() == ""
    assert remembering(large) == 20_000_000
    text = told()
    assert "reading large.nii" in text
    assert "/20.0M" in text


def test_in_other_threads_files_are_read_in_silence(terminal, tmp_path):
    told = terminal()
    with (tmp_path / "large").open("wb") as file:
        file.truncate(20_000_000)
    remembering = disk_cacher(tmp_path / "cache")(length)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(remembering, tmp_path / "large").result() == 20_000_000
    assert told() == ""


class Gone(io.StringIO):
    """A terminal that was closed after something had been shown."""

    def isatty(self):
        return True

    def write(self, text):
        if self.tell():
            raise OSError(5, "there is no terminal any more")
        return super().write(text)


def test_a_terminal_that_is_gone_stops_nothing(monkeypatch):
    pytest.importorskip("tqdm")
    monkeypatch.setattr("neurotools.memo.progress._LONG_SECONDS", 0)
    monkeypatch.setattr(sys, "stderr", Gone())
    assert list(passing(range(100), 100, "sending")) == list(range(100))
    assert sys.stderr.tell() > 0


def test_what_is_soon_over_does_not_load_what_draws_bars(tmp_path):
    code = (
        "import sys\n"
        "from neurotools.memo import progress\n"
        "progress.is_seen = lambda: True\n"
        "assert list(progress.passing(range(9), 9)) == list(range(9))\n"
        "with progress.bar('sending', 2) as show:\n"
        "    show(1)\n"
        "assert not {'tqdm', 'multiprocessing'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


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
