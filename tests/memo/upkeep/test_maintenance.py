import os
import pickle
import shutil

import numpy as np
import pytest

from neurotools.jobs.cache import disk_cacher
from neurotools.memo.errors import CorruptEntry
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.tiers.files import read_record
from neurotools.memo.upkeep.combining import combined
from neurotools.memo.upkeep.earlier import earlier
from neurotools.memo.upkeep.maintenance import read_value, scan


@pytest.fixture
def f(tmp_path):
    @disk_cacher(tmp_path)
    def f(x):
        return np.full(3, x)

    return f


def test_a_record_says_how_an_entry_was_made(f):
    f(1)
    record = read_record(f.locate(1))
    assert record.details["function"].endswith("f")
    assert record.details["process"] == os.getpid()
    assert {"host", "python", "numpy", "neurotools", "signature", "key"} <= set(record.details)
    assert 0 <= record.seconds < 10


def test_a_long_record_is_read_whole(f):
    words = [os.urandom(60).hex() for _ in range(60)]
    f._function = lambda x: None
    f(words)
    assert len(read_record(f.locate(words)).details["signature"]) > 5000


def test_a_value_is_read_from_a_moved_cache(f, tmp_path):
    f(1)
    name = os.path.relpath(f.locate(1), tmp_path)
    shutil.copytree(tmp_path / "__neurotools_cache__", tmp_path / "moved" / "__neurotools_cache__")
    assert (read_value(str(tmp_path / "moved" / name)) == 1).all()


def test_an_entry_out_of_its_folder_is_not_read(f, tmp_path):
    f(1)
    shutil.copy(f.locate(1), tmp_path / "copy.npy")
    with pytest.raises(CorruptEntry, match="cannot read"):
        read_value(str(tmp_path / "copy.npy"))


class Bomb:
    def __reduce__(self):
        return (exec, ("raise SystemExit('executed')",))


def test_scanning_executes_nothing(tmp_path):
    with open(tmp_path / "hash.key.pickle", "wb") as file:
        pickle.dump(Bomb(), file)
    np.save(tmp_path / "hash.key.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
    for method in ("pickle", "npy"):
        assert list(scan(str(tmp_path), method)) == [(f"hash.key.{method}", None)]


def test_combining_skips_what_is_damaged(f, tmp_path):
    f(1), f(2)
    folder = os.path.dirname(f.locate(1))
    with open(f.locate(1), "r+b") as file:
        file.write(b"damage")
    present = f.keys.fingerprint.manifest
    later = present._replace(code="another-code-")
    tier = DirectoryTier(f.cache_root)
    done = combined(later.code, earlier(tier, f.keys.folder, later, ""))
    assert (len(done.merged), len(done.unreadable)) == (1, 1)
    assert len(os.listdir(os.path.join(os.path.dirname(folder), "another-code-"))) == 1
    assert os.path.exists(f.locate(1))
