import ctypes
import mmap
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from neurotools.memo.digest import arrays, watched
from neurotools.memo.digest.values import digest

can_watch = pytest.mark.skipif(
    watched._kernel() is None, reason="this kernel does not watch memory, or not for us"
)

COUNT = 1 << 20


def read_only(content=None):
    array = np.random.default_rng(5).random(COUNT) if content is None else content
    array.flags.writeable = False
    return array


@pytest.fixture
def reads(monkeypatch):
    """The arrays that were read."""
    counted = []
    plain = arrays.content
    monkeypatch.setattr(arrays, "content", lambda array: counted.append(1) or plain(array))
    return counted


def plain_digest(array):
    return digest(np.array(array))  # writable, and so read as a whole


def change(array, place, value=-1.0):
    array.flags.writeable = True
    array[place] = value
    array.flags.writeable = False


@can_watch
def test_an_array_that_nobody_writes_to_is_read_once(reads):
    array = read_only()
    assert digest(array) == digest(array) == digest(array)
    assert len(reads) == 1
    assert digest(array) == plain_digest(array)


@pytest.mark.parametrize("place", [0, 1, 511, 512, COUNT // 2, COUNT - 513, COUNT - 2, COUNT - 1])
def test_an_array_whose_mark_was_taken_off_and_put_on_again_is_another(place):
    array = read_only()
    seen = {digest(array)}
    for value in range(-1, -4, -1):
        change(array, place, value)
        assert digest(array) == digest(array) == plain_digest(array)
        seen.add(digest(array))
    assert len(seen) == 4


def test_every_page_is_watched():
    array = read_only()
    content = array.view(np.uint8)
    for place in range(0, array.nbytes, mmap.PAGESIZE - 1):
        before = digest(array)
        array.flags.writeable = True
        content = array.view(np.uint8)
        content[place] ^= 1
        array.flags.writeable = False
        assert digest(array) != before, place


@pytest.mark.parametrize("how", ["read into it", "through a pointer", "an earlier view"])
def test_who_writes_in_another_way_is_seen(how, tmp_path):
    (tmp_path / "other").write_bytes(bytes(4096))
    array = np.random.default_rng(5).random(COUNT)
    view = array[100:]
    read_only(array)
    before = digest(array)
    if how == "read into it":
        array.flags.writeable = True
        with open(tmp_path / "other", "rb", buffering=0) as file:
            file.readinto(memoryview(array)[1000:1512])
        array.flags.writeable = False
    elif how == "through a pointer":
        ctypes.memset(array.ctypes.data + 80_000, 1, 8)
    else:
        view[77_000] = -1
    assert digest(array) == plain_digest(array) != before


@can_watch
def test_parts_are_remembered_each_for_itself(reads):
    array = read_only()
    parts = [array, array[: COUNT // 2], array[COUNT // 2 :], array[::2], array[::-1]]
    parts += [array.view("u8"), array.reshape(1024, -1), array.reshape(1024, -1).T]
    found = [digest(part) for part in parts]
    assert [digest(part) for part in parts] == found
    assert len(reads) == len(parts)
    assert found == [plain_digest(part) for part in parts]
    change(array, 3)
    assert [digest(part) for part in parts] == [plain_digest(part) for part in parts]


@pytest.mark.parametrize(
    "make",
    [
        lambda: np.random.default_rng(5).random(COUNT),
        lambda: read_only(np.random.default_rng(5).random(COUNT)[:]),
        lambda: read_only(np.random.default_rng(5).random(100)),
        lambda: np.frombuffer(mmap.mmap(-1, 8 * COUNT), float),
    ],
    ids=["writable", "view of a writable one", "small", "memory that others may share"],
)
def test_others_are_read_each_time(make, reads):
    array = make()
    digest(array), digest(array)
    assert len(reads) == 2


def test_memory_that_was_given_back_is_not_taken_for_what_was_there():
    for seed in range(30):
        array = read_only(np.random.default_rng(seed).random(COUNT))
        assert digest(array) == digest(array) == plain_digest(array)
        del array


def test_an_array_that_was_watched_may_be_resized_by_its_owner():
    array = read_only()
    digest(array)
    array.flags.writeable = True
    array.resize(4 * COUNT, refcheck=False)
    array.flags.writeable = False
    assert digest(array) == plain_digest(array)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
def test_a_forked_child_watches_its_own_memory():
    array = read_only()
    before = digest(array)
    child = os.fork()
    if child == 0:
        # What the child does to its copy must not be taken for its parent's, nor the other way.
        same = digest(array) == before
        change(array, 5)
        found = digest(array)
        change(array, 6)
        os._exit(0 if same and found != before and digest(array) not in {found, before} else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert digest(array) == before
    change(array, 5)
    assert digest(array) == plain_digest(array) != before


def test_threads_that_read_and_write_agree_in_the_end():
    array = read_only()
    seen = set()

    def read():
        for _ in range(50):
            seen.add(digest(array))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for value in range(50):
        change(array, 1000 * value, -value)
    for thread in threads:
        thread.join()
    assert digest(array) == plain_digest(array)
    assert seen


@can_watch
def test_what_is_written_while_it_is_read_is_not_remembered(monkeypatch):
    array = read_only()

    def meddling(part):
        found = plain(part)
        change(array, COUNT // 2)
        return found

    plain = arrays.content
    monkeypatch.setattr(arrays, "content", meddling)
    before = digest(array)
    monkeypatch.setattr(arrays, "content", plain)
    assert digest(array) == plain_digest(array) != before


def test_where_memory_cannot_be_watched_all_is_read(monkeypatch, reads):
    monkeypatch.setattr(watched, "_SYSTEM_CALL", {})
    watched._kernel.cache_clear()
    try:
        array = read_only()
        before = digest(array)
        change(array, 5)
        assert digest(array) != before
        assert len(reads) == 2
    finally:
        watched._kernel.cache_clear()


@can_watch
def test_the_oldest_gives_way_where_too_many_are_watched(monkeypatch, reads):
    monkeypatch.setattr(watched, "_MOST", 2)
    watched._watches.clear()
    one, other, third = read_only(), read_only(), read_only()
    for array in (one, other, third, third, other, one):
        digest(array)
    assert len(reads) == 4
    assert len(watched._watches) == 2


def test_watching_ends_with_the_process_in_silence():
    code = (
        "import numpy as np; from neurotools.memo.digest.values import digest\n"
        f"array = np.zeros({COUNT}); array.flags.writeable = False; digest(array), digest(array)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert done.stderr == ""
