import errno
import os

import numpy as np
import pytest

from neurotools.memo.entry import Blob
from neurotools.memo.tiers import writing
from neurotools.memo.tiers.writing import write_whole

pytestmark = pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="cannot reserve room")
LARGE = np.arange(3 << 20).view(np.uint8).data


def written(path, *parts):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    write_whole(descriptor, Blob(parts, sum(map(len, parts))))
    os.close(descriptor)
    return path.read_bytes()


@pytest.fixture(autouse=True)
def reserved(monkeypatch):
    """Sizes for which room was reserved."""
    asked = []
    plain = os.posix_fallocate
    monkeypatch.setattr(writing, "_slow", writing.Counter())
    monkeypatch.setattr(
        os, "posix_fallocate", lambda *args: asked.append(args[2]) or plain(*args), raising=False
    )
    return asked


def test_parts_are_written_in_their_order(tmp_path, reserved):
    assert written(tmp_path / "file", b"a", b"", b"bc", memoryview(b"d")) == b"abcd"
    many = [str(number).encode() for number in range(5000)]
    assert written(tmp_path / "many", *many) == b"".join(many)
    assert reserved == []


def test_room_for_large_files_is_reserved(tmp_path, reserved):
    assert written(tmp_path / "file", b"a", LARGE) == b"a" + bytes(LARGE)
    assert reserved == [len(LARGE) + 1]


def test_a_file_system_that_cannot_reserve_room_is_written_to_all_the_same(tmp_path, monkeypatch):
    def refuse(*args):
        raise OSError(errno.EOPNOTSUPP, "not here")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    assert written(tmp_path / "file", LARGE) == bytes(LARGE)


def test_a_file_system_that_is_slow_to_reserve_room_is_no_longer_asked(
    tmp_path, reserved, monkeypatch
):
    monkeypatch.setattr(writing, "_SLOWEST", 1e99)
    for number in range(5):
        assert written(tmp_path / str(number), LARGE) == bytes(LARGE)
    assert len(reserved) == writing._PATIENCE
