import gc
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from neurotools.memo.digest import files, mapped
from neurotools.memo.digest.values import digest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="leases are Linux's")

CONTENT = np.arange(100_000)


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setattr(mapped, "_known", {})
    monkeypatch.setattr(files, "_SETTLED_FINE", 20_000_000)
    path = tmp_path / "recording.npy"
    np.save(path, CONTENT)
    time.sleep(0.05)
    return path


@pytest.fixture
def reads(monkeypatch):
    """How many arrays were read."""
    counted = []
    plain = mapped.content

    def content(array, road):
        return plain(array, lambda array: counted.append(1) or road(array))

    monkeypatch.setattr(mapped, "content", content)
    return counted


def mapping(path):
    return np.load(path, mmap_mode="r")


def test_what_is_remembered_is_the_digest(path, reads):
    array = mapping(path)
    assert digest(array) == digest(array) == digest(CONTENT)
    assert len(reads) == 2  # the array, and what it was compared with


def test_parts_of_a_mapping_are_remembered_each_for_itself(path, reads):
    array = mapping(path)
    parts = [
        lambda: array[:50_000],
        lambda: array[50_000:],
        lambda: array[::2],
        lambda: array[::-1],
    ]
    parts += [lambda: array.view("u8"), lambda: array.reshape(100, -1)]
    digests = [digest(part()) for part in parts]
    assert [digest(part()) for part in parts] == digests
    assert len(reads) == len(parts)
    assert digests == [digest(np.array(part())) for part in parts]


@pytest.mark.parametrize("flush", [True, False])
@pytest.mark.parametrize("close", [True, False])
def test_what_another_mapping_writes_is_seen(path, flush, close):
    array = mapping(path)
    before = digest(array)
    writer = np.load(path, mmap_mode="r+")
    for value in range(-1, -5, -1):
        writer[5] = value
        if flush:
            writer.flush()
        time.sleep(0.03)
        assert digest(array) == digest(np.array(array)) != before
    if close:
        del writer
        gc.collect()
    assert digest(array) == digest(np.array(array)) != before


def test_nothing_is_remembered_while_somebody_has_the_file_open_for_writing(path, reads):
    array = mapping(path)
    with open(path, "r+b"):
        digest(array), digest(array)
    assert len(reads) == 2


def test_what_another_process_writes_is_seen(path):
    array = mapping(path)
    before = digest(array)
    code = f"import numpy as np; np.load({str(path)!r}, mmap_mode='r+')[3] = -1"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert digest(array) == digest(np.array(array)) != before


def test_a_file_put_in_its_place_says_nothing_about_the_mapping(path, tmp_path, reads):
    array, first = mapping(path), os.open(path, os.O_RDWR)
    np.save(tmp_path / "other.npy", CONTENT)
    os.replace(tmp_path / "other.npy", path)
    time.sleep(0.05)
    before = digest(array)
    os.pwrite(first, b"\xff", 1000)
    os.close(first)
    assert digest(array) == digest(np.array(array)) != before


@pytest.mark.parametrize(
    "read_only",
    [
        lambda path: mapping(path)[:1000],
        lambda path: np.load(path, mmap_mode="c"),
        lambda path: np.load(path, mmap_mode="r+"),
        lambda path: np.broadcast_to(np.arange(1000), (1000, 1000)),
    ],
    ids=["small", "copy on write", "writable", "view of an array"],
)
def test_others_are_read_each_time(path, reads, read_only):
    array = read_only(path)
    digest(array), digest(array)
    assert len(reads) == 2


def test_an_array_whose_mark_was_taken_off_and_put_on_again_is_another(path):
    array = CONTENT.copy()
    array.flags.writeable = False
    before = digest(array)
    array.flags.writeable = True
    array[0] = -1
    array.flags.writeable = False
    assert digest(array) != before


def test_a_file_of_this_very_moment_is_not_remembered(path, reads, monkeypatch):
    monkeypatch.setattr(files, "_SETTLED_FINE", 10**12)
    array = mapping(path)
    digest(array), digest(array)
    assert len(reads) == 2


def test_a_writer_that_comes_meanwhile_waits_and_ends_nobody(path):
    code = (
        "import sys, numpy as np; from neurotools.memo.digest.mapped import _quiet\n"
        f"[_quiet({str(path)!r}) for _ in range(3000)]; print('alive')"
    )
    asking = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    while asking.poll() is None:
        os.close(os.open(path, os.O_RDWR))
    assert asking.communicate()[0] == "alive\n"
