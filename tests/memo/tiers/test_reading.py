import os
import threading
import weakref

import numpy as np
import pytest
import xxhash

from neurotools.memo.errors import CorruptEntry
from neurotools.memo.tiers import helper
from neurotools.memo.tiers.reading import read_whole

SIZES = [0, 1, 1000, (1 << 20) - 1, 6 << 20, (9 << 20) + 17]


class Idle(helper._Helper):
    """A helper that never comes."""

    def ask(self, work):
        self.work = work


class Eager(helper._Helper):
    """A helper that has done everything before the caller begins."""

    def ask(self, work):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()


@pytest.fixture(params=["thread", "idle", "eager"])
def kind(request, monkeypatch):
    if request.param != "thread":
        monkeypatch.setattr(helper, "_helper", {"idle": Idle, "eager": Eager}[request.param]())
    return request.param


def written(path, size):
    content = np.random.default_rng(size).integers(0, 256, size, np.uint8).tobytes()
    path.write_bytes(content)
    return content, os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("tail", [0, 1])
def test_all_bytes_are_read_and_all_but_the_tail_are_checksummed(tmp_path, kind, size, tail):
    content, descriptor = written(tmp_path / "file", size)
    hasher = xxhash.xxh3_128(seed=5)
    read = read_whole(descriptor, size, "file", hasher, min(tail, size))
    os.close(descriptor)
    assert read == content
    assert hasher.digest() == xxhash.xxh3_128_digest(content[: size - min(tail, size)], 5)


@pytest.mark.parametrize("size", [1000, 9 << 20])
def test_a_file_that_ends_early_is_corrupt(tmp_path, kind, size):
    _, descriptor = written(tmp_path / "file", size)
    with pytest.raises(CorruptEntry, match="it ends at byte"):
        read_whole(descriptor, size + (3 << 20), "file")
    os.close(descriptor)


def test_many_threads_share_one_helper(tmp_path):
    files = [written(tmp_path / str(number), (7 << 20) + number) for number in range(4)]
    right = [False] * 4

    def work(number):
        content, descriptor = files[number]
        right[number] = read_whole(descriptor, len(content), "file") == content
        os.close(descriptor)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert right == [True] * 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_forked_child_has_a_helper_of_its_own(tmp_path):
    content, descriptor = written(tmp_path / "file", 9 << 20)
    read_whole(descriptor, len(content), "file")
    child = os.fork()
    if not child:
        os._exit(0 if read_whole(descriptor, len(content), "file") == content else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    os.close(descriptor)


def test_without_a_thread_to_be_had_the_caller_reads_alone(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(helper, "_helper", helper._Helper())
    monkeypatch.setattr(threading.Thread, "start", refuse)
    content, descriptor = written(tmp_path / "file", 9 << 20)
    assert read_whole(descriptor, len(content), "file") == content
    os.close(descriptor)


def test_a_helper_that_comes_too_late_holds_no_memory(tmp_path, monkeypatch):
    idle = Idle()
    monkeypatch.setattr(helper, "_helper", idle)
    content, descriptor = written(tmp_path / "file", 9 << 20)
    read = read_whole(descriptor, len(content), "file")
    os.close(descriptor)
    held = weakref.ref(read.obj)
    del read
    assert held() is None
    idle.work()
