import itertools
import os
import signal
import stat
import time
from pathlib import Path

import numpy as np
import pytest

from neurotools.memo import seal
from neurotools.memo.digest import files
from neurotools.memo.entry import Blob, Key
from neurotools.memo.errors import CorruptEntry, UntrustedEntry, UnusableLocation
from neurotools.memo.tiers import directory
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.tiers.files import removed
from neurotools.memo.tiers.folders import PRIVATE
from tests.memo.tiers.promises import KEY, TierPromises, entry, value_in

PICKLED = Key("pkg/f", "code", "hash.key", "pickle")
posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files or modes")


@pytest.fixture
def tier(tmp_path):
    return DirectoryTier(str(tmp_path / "cache"))


class TestDirectoryTier(TierPromises):
    pass


class TestMappedDirectoryTier(TierPromises):
    @pytest.fixture
    def tier(self, tmp_path):
        return DirectoryTier(str(tmp_path / "cache"), mmap_mode="c")


def unfinished(tier):
    """Return all files that are no entries, and nothing that is kept beside them."""
    private = Path(tier.root, PRIVATE)
    files = (path for path in Path(tier.root).rglob("*") if path.is_file())
    return [path for path in files if private not in path.parents and path.suffix != ".npy"]


def test_an_array_opens_with_numpy_alone(tier):
    tier.put(KEY, entry(np.arange(12.0).reshape(3, 4)))
    for mode in (None, "r"):
        assert (np.load(tier.location(KEY), mmap_mode=mode) == np.arange(12.0).reshape(3, 4)).all()


def test_a_read_only_map_gives_read_only_arrays(tmp_path):
    tier = DirectoryTier(str(tmp_path), mmap_mode="r")
    tier.put(KEY, entry(np.arange(3)))
    assert not value_in(tier).flags.writeable


@pytest.fixture
def checksums(monkeypatch):
    """How many checksums were computed of whole mappings."""
    computed = []
    plain = seal.xxhash.xxh3_128_digest

    def counted(content, *seed):
        computed.extend([1] if isinstance(content, memoryview) else [])  # not what is stored
        return plain(content, *seed)

    monkeypatch.setattr(seal.xxhash, "xxh3_128_digest", counted)
    return computed


@pytest.mark.parametrize("mode", ["r", "c"])
def test_a_mapped_file_is_verified_once_as_long_as_it_stays_as_it_is(tmp_path, mode, checksums):
    tier = DirectoryTier(str(tmp_path), mmap_mode=mode)
    tier.put(KEY, entry(np.arange(1000)))
    time.sleep(0.1)
    for _ in range(3):
        assert (value_in(tier) == np.arange(1000)).all()
    assert len(checksums) == 1
    tier.put(KEY, entry(np.arange(2000)))
    time.sleep(0.1)
    for _ in range(3):
        assert (value_in(tier) == np.arange(2000)).all()
    assert len(checksums) == 2


def test_a_mapped_file_that_was_damaged_since_it_was_verified_is_set_aside(tmp_path):
    tier = DirectoryTier(str(tmp_path), mmap_mode="r")
    tier.put(KEY, entry(np.arange(1000)))
    time.sleep(0.1)
    assert value_in(tier) is not None
    with open(tier.location(KEY), "r+b") as file:
        file.seek(200)
        file.write(b"\xff")
    with pytest.raises(CorruptEntry, match="checksum"):
        tier.get(KEY)
    assert tier.get(KEY) is None


def test_a_mapped_file_of_this_very_moment_is_verified_each_time(tmp_path, checksums, monkeypatch):
    monkeypatch.setattr(files, "_SETTLED_FINE", 10**12)
    tier = DirectoryTier(str(tmp_path), mmap_mode="r")
    tier.put(KEY, entry(np.arange(1000)))
    value_in(tier), value_in(tier)
    assert len(checksums) == 2


def test_a_mapped_file_is_not_verified_where_that_is_not_wanted(tmp_path, checksums):
    tier = DirectoryTier(str(tmp_path), mmap_mode="r", verify=False)
    tier.put(KEY, entry(np.arange(1000)))
    value_in(tier)
    assert checksums == []


@posix
def test_folders_and_files_are_private(tier):
    tier.put(KEY, entry(1))
    for place in (tier.root, os.path.dirname(tier.location(KEY))):
        assert stat.S_IMODE(os.stat(place).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(tier.location(KEY)).st_mode) == 0o600


class Failing:
    def __init__(self, error):
        self.error = error

    def __iter__(self):
        raise self.error


@pytest.mark.parametrize("error", [OSError(28, "No space left"), KeyboardInterrupt()])
def test_a_write_that_fails_leaves_nothing(tier, error):
    tier.put(KEY, entry(1))
    with pytest.raises(type(error)):
        tier.put(KEY, Blob(Failing(error), 10))
    assert value_in(tier) == 1
    assert unfinished(tier) == []


def test_a_full_disk_leaves_the_old_entry(tier):
    resource = pytest.importorskip("resource")
    tier.put(KEY, entry(1))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            tier.put(KEY, entry(np.zeros(10**5)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert value_in(tier) == 1
    assert unfinished(tier) == []


def test_folders_removed_under_us_are_made_again(tier):
    import shutil

    tier.put(KEY, entry(1))
    shutil.rmtree(tier.root)
    tier.put(KEY, entry(2))
    assert value_in(tier) == 2


def damaged(tier):
    return os.listdir(os.path.join(tier.root, PRIVATE, "damaged"))


def spoil(how, path):
    content = Path(path).read_bytes()
    os.unlink(path)
    if how == "folder":
        os.mkdir(path)
    elif how == "link":
        os.symlink("/etc/hostname", path)
    elif how == "link to nowhere":
        os.symlink("/nowhere/at/all", path)
    elif how == "fifo":
        os.mkfifo(path)
    else:
        changed = {
            "empty": b"",
            "half": content[: len(content) // 2],
            "zeros": bytes(len(content)),
            "longer": content + b"x",
            "foreign": b"hello\n" * 100,
        }[how]
        Path(path).write_bytes(changed)


@posix
@pytest.mark.parametrize(
    "how",
    ["empty", "half", "zeros", "longer", "foreign", "folder", "link", "link to nowhere", "fifo"],
)
@pytest.mark.parametrize("key", [KEY, PICKLED], ids=["npy", "pickle"])
def test_what_is_no_entry_is_set_aside(tier, how, key):
    tier.put(key, entry(np.arange(100), key))
    spoil(how, tier.location(key))
    with pytest.raises(CorruptEntry, match="counts as a miss"):
        tier.get(key)
    assert tier.get(key) is None
    assert len(damaged(tier)) == 1
    tier.put(key, entry(3, key))
    assert value_in(tier, key) == 3


def test_a_file_renamed_to_another_key_is_not_served(tier):
    other = Key("pkg/f", "code", "hash.other", "npy")
    tier.put(KEY, entry(1))
    os.rename(tier.location(KEY), tier.location(other))
    with pytest.raises(CorruptEntry, match="content and name"):
        tier.get(other)


@posix
@pytest.mark.parametrize("place", ["file", "code", "function", "root"])
def test_pickles_that_others_could_have_written_are_not_opened(tier, place):
    tier.put(PICKLED, entry(1, PICKLED))
    path = tier.location(PICKLED)
    folder = os.path.dirname(path)
    places = {"file": path, "code": folder, "function": os.path.dirname(folder), "root": tier.root}
    os.chmod(places[place], 0o777)
    with pytest.raises(UntrustedEntry, match="other users may write"):
        DirectoryTier(tier.root).get(PICKLED)


@posix
def test_arrays_that_others_could_have_written_are_opened(tier):
    tier.put(KEY, entry(1))
    os.chmod(tier.location(KEY), 0o666)
    assert value_in(tier) == 1


@posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to chown")
def test_pickles_of_another_user_are_not_opened(tier):
    tier.put(PICKLED, entry(1, PICKLED))
    os.chown(tier.location(PICKLED), 12345, -1)
    with pytest.raises(UntrustedEntry, match="user 12345 owns it"):
        tier.get(PICKLED)


def test_manifests_are_kept_once(tier):
    tier.put(KEY, entry(1))
    tier.put_manifest(KEY, b"first")
    tier.put_manifest(KEY, b"second")
    assert tier.get_manifest("pkg/f", "code") == b"first"
    assert tier.get_manifest("pkg/f", "none") is None
    assert list(tier.keys()) == [KEY]


def test_a_location_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnusableLocation, match="it is a file, not a folder"):
        DirectoryTier(str(tmp_path / "file"))
    with pytest.raises(UnusableLocation, match="Choose another folder"):
        DirectoryTier(str(tmp_path / "file" / "below"))
    with pytest.raises(UnusableLocation, match="null"):
        DirectoryTier("a\0b")


def test_a_relative_root_stays_where_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tier = DirectoryTier("cache")
    tier.put(KEY, entry(1))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert value_in(tier) == 1


def test_what_cannot_be_removed_keeps_nothing_else(tmp_path):
    names = [f"{number:03d}.npy" for number in range(300)]
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "000.npy").unlink()
    (tmp_path / "150.npy").unlink()
    (tmp_path / "150.npy").mkdir()
    (tmp_path / "299.npy").unlink()
    gone = list(itertools.chain.from_iterable(removed(str(tmp_path), names)))
    assert gone == [name for name in names if name not in {"000.npy", "150.npy", "299.npy"}]
    assert os.listdir(tmp_path) == ["150.npy"]


def test_a_folder_that_had_many_entries_is_made_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(directory, "_MANY", 3)
    tier = DirectoryTier(str(tmp_path))
    keys = [KEY._replace(call=f"hash.{number}") for number in range(4)]

    def filled():
        for key in keys:
            tier.put(key, entry(1.0, key))
        tier.put_manifest(KEY, b"{}")
        return Path(tier.location(KEY)).parent

    folder = filled()
    before = folder.stat().st_ctime_ns
    assert len(tier.clear(KEY.function, KEY.code)) == 4
    assert os.listdir(folder) == ["manifest.json"]
    assert tier.get_manifest(KEY.function, KEY.code) == b"{}"
    assert folder.stat().st_ctime_ns != before
    (filled() / "notes.txt").write_text("mine")
    assert len(tier.clear(KEY.function, KEY.code)) == 4
    assert sorted(os.listdir(folder)) == ["manifest.json", "notes.txt"]
    filled()
    assert sorted(tier.keys()) == keys


def test_what_was_cleared_is_told_also_where_nothing_can_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(directory, "_MANY", 1)
    tier = DirectoryTier(str(tmp_path))
    tier.put(KEY, entry(1.0))
    tier.put_manifest(KEY, b"{}")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tier._committer, "write", full)
    assert tier.clear(KEY.function, KEY.code) == {f"{KEY.call}.{KEY.method}"}
