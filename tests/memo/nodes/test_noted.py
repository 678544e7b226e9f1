"""Digests of large files are remembered for other processes, where that is safe."""

import json
import os
import time

import pytest

from neurotools.memo.digest import files
from neurotools.memo.nodes.noted import Noted
from neurotools.memo.tiers.directory import DirectoryTier

SIZE = 2 << 20


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "image.nii"
    path.write_bytes(bytes(SIZE))
    if not files._tells_changes(os.stat(path)):
        pytest.skip("this file system tells no time of change")
    settle(path)
    return str(path)


def settle(path):
    """Wait until the times of a file can be relied on."""
    time.sleep(files.seconds_to_settle(os.stat(path)) + 0.05)


@pytest.fixture
def tier(tmp_path):
    return DirectoryTier(str(tmp_path / "cache"))


@pytest.fixture
def reads(monkeypatch):
    """Paths of the files that were read."""
    found, real = [], files._read
    monkeypatch.setattr(files, "_read", lambda path: found.append(path) or real(path))
    return found


def as_another_process():
    files._digests.clear()
    files._first_read.clear()


def test_another_process_need_not_read_it(image, tier, reads):
    found = Noted(tier).content(image)
    as_another_process()
    assert Noted(tier).content(image) == found
    assert reads == [image]


def test_a_large_file_that_was_just_written_is_read_once(tmp_path, tier, reads):
    path = tmp_path / "new.nii"
    path.write_bytes(bytes(20 << 20))
    if files.seconds_to_settle(os.stat(path)) > 1:
        pytest.skip("this file system keeps time in long steps")
    for _ in range(2):
        Noted(tier).content(str(path))
    assert reads == [str(path)]


def test_files_of_a_folder_are_noted_as_well(image, tier, reads):
    folder = os.path.dirname(image)
    os.mkdir(os.path.join(folder, "inner"))
    os.rename(image, moved := os.path.join(folder, "inner", "image.nii"))
    settle(moved)
    found = Noted(tier).content(os.path.dirname(moved))
    as_another_process()
    assert Noted(tier).content(os.path.dirname(moved)) == found
    assert reads == [moved]


def test_changed_content_is_read_again(image, tier, reads):
    noted, before = Noted(tier), os.stat(image)
    found = noted.content(image)
    with open(image, "r+b") as file:
        file.write(b"x")
    os.utime(image, ns=(before.st_atime_ns, before.st_mtime_ns))
    as_another_process()
    assert Noted(tier).content(image) != found
    assert len(reads) == 2


@pytest.mark.parametrize("damage", ["cut", "other host", "nonsense"])
def test_a_note_that_is_not_right_is_passed_over(image, tier, reads, damage):
    found = Noted(tier).content(image)
    (name,) = os.listdir(os.path.join(tier.root, ".neurotools", "notes"))
    raw = tier.note(name)
    facts = json.loads(raw)
    facts["of"][0] = "another"
    bad = {"cut": raw[:-9], "other host": json.dumps(facts).encode(), "nonsense": b"[1]"}
    tier.keep_note(name, bad[damage])
    as_another_process()
    assert Noted(tier).content(image) == found
    assert len(reads) == 2
