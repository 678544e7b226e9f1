"""What files hold: digests that ``sha256sum`` prints, and when a file is read again."""

import hashlib
import os
import time

import pytest

from neurotools.memo.commands import contents
from neurotools.memo.commands.contents import Contents, File
from neurotools.memo.errors import UnreadableFile


@pytest.fixture
def reads(monkeypatch):
    """Return the paths that are read."""
    paths, read = [], contents._read
    monkeypatch.setattr(contents, "_read", lambda path: (paths.append(path), read(path))[1])
    return paths


@pytest.fixture
def file(tmp_path):
    """Return a file that is old enough for a change to be seen by its times."""
    path = tmp_path / "file"
    path.write_bytes(b"content")
    time.sleep(0.1)
    if path.stat().st_ctime_ns % 10_000_000 == 0:
        pytest.skip("this file system has no times by which a change can be told")
    return path


def test_a_digest_is_that_of_sha256sum(file):
    assert Contents().of(str(file)).hash == hashlib.sha256(b"content").hexdigest()


def test_what_was_read_before_is_known_elsewhere(file, reads):
    first = Contents().of(str(file))
    known = Contents([File.from_json(first.as_json())])
    assert (known.of(str(file)).hash, known.has_learnt) == (first.hash, False)
    assert reads == [str(file)]


def test_a_change_that_keeps_size_and_time_is_seen(file):
    first = Contents().of(str(file))
    before = file.stat()
    file.write_bytes(b"CONTENT")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert Contents([first]).of(str(file)).hash != first.hash


def test_what_was_written_just_now_is_read_again(tmp_path, reads):
    path = tmp_path / "young"
    path.write_bytes(b"1")
    found = Contents().of(str(path))
    if found.is_settled:
        pytest.skip("it took too long to look")
    Contents([found]).of(str(path))
    assert len(reads) == 2


def test_a_folder_is_its_names_and_contents(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_bytes(b"1")
    (tmp_path / "link").symlink_to("nowhere")
    seen = {Contents().of(str(tmp_path)).hash}
    (tmp_path / "a" / "x").rename(tmp_path / "a" / "y")
    seen.add(Contents().of(str(tmp_path)).hash)
    (tmp_path / "b").mkdir()
    seen.add(Contents().of(str(tmp_path)).hash)
    (tmp_path / "b").rmdir()
    (tmp_path / "b").write_bytes(b"")
    seen.add(Contents().of(str(tmp_path)).hash)
    assert len(seen) == 4


def test_a_folder_within_itself_is_refused(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path)
    with pytest.raises(UnreadableFile, match="links back into itself"):
        Contents().of(str(tmp_path))


@pytest.mark.parametrize("name", ["missing", "pipe"])
def test_what_is_no_file_is_refused(tmp_path, name):
    if name == "pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("there are no such pipes here")
        os.mkfifo(tmp_path / name)
    with pytest.raises(UnreadableFile, match=r"does not exist|is neither a file nor a folder"):
        Contents().of(str(tmp_path / name))
