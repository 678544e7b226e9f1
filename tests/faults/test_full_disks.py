"""Disks that are full, read-only or gone, and processes without room: the result still comes."""

import logging
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest

from neurotools.jobs.cache import disk_cacher, hierarchical_cacher
from neurotools.memo.errors import UnusableLocation
from neurotools.memo.locking import lockfiles
from neurotools.memo.tiers import alive
from neurotools.memo.watch import health
from tests.faults.places import needs_linux, needs_mounts, run, small_disk, unfinished
from tests.memo.watch.test_breaker import Clock

KIND = {"npy": "full of bytes", "pickle": "pickled"}


@pytest.fixture
def clock(monkeypatch):
    """Return a clock that every cache goes by, so that no pause has to be waited for."""
    clock = Clock()
    monkeypatch.setattr(
        health.Health.__init__, "__kwdefaults__", {"may_hang": False, "clock": clock}
    )
    return clock


@pytest.fixture
def public_path():
    """Return a folder that other users may read."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def zeros(x, n=4000):
    return np.zeros(n) + x


def check(f, numbers, **options):
    for x in numbers:
        assert (f(x, **options) == zeros(x, **options)).all()


def warnings(caplog):
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]


@needs_mounts
@pytest.mark.parametrize("options", [{"size": "128k"}, {"size": "16m", "nr_inodes": 20}])
@pytest.mark.parametrize("method", ["npy", "pickle", "mat", "hdf5"])
def test_a_full_disk(tmp_path, caplog, clock, options, method):
    with small_disk(tmp_path / "disk", **options) as disk:
        f = disk_cacher(os.path.join(disk, "cache"), method)(zeros)
        for _ in range(3):
            check(f, range(12))
            clock.now += 100
        assert len(warnings(caplog)) == 1
        assert "No space left" in caplog.text
        assert unfinished(disk) == []
        kept = f.cache_info().tiers[0].stores
        f.purge()
        check(f, [0, 0])
        assert f.cache_info().tiers[0].stores > kept
        assert f.check_call_in_cache(0)


@needs_mounts
@pytest.mark.parametrize("place", [0, 1])
def test_a_full_tier_and_one_with_room(tmp_path, caplog, clock, place):
    with small_disk(tmp_path / "disk", size="64k") as disk:
        places = [str(tmp_path / "room")]
        places.insert(place, os.path.join(disk, "cache"))
        f = hierarchical_cacher(places)(zeros)
        check(f, range(8))
        assert f.cache_info().tiers[1 - place].stores >= 8
        check(f, range(8))
        assert f.cache_info().misses == 8
        assert len(warnings(caplog)) == 1
        assert unfinished(disk) == []


def close_locks(folder):
    for place in [place for place in lockfiles._FILES if place.startswith(folder)]:
        os.close(lockfiles._FILES.pop(place).descriptor)
    for place in [place for place in alive._FILES if place.startswith(folder)]:
        os.close(alive._FILES.pop(place).descriptor)


@needs_mounts
def test_a_disk_that_becomes_read_only(tmp_path, caplog, clock):
    with small_disk(tmp_path / "disk", size="16m") as disk:
        f = disk_cacher(os.path.join(disk, "cache"))(zeros)
        check(f, [1])
        close_locks(disk)  # a disk with files open for writing stays as it is
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        check(f, [1, 2, 3, 4, 5, 6, 2])
        f.purge(1)
        assert f.cache_info().hits == 1
        assert len(warnings(caplog)) == 1
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        clock.now += 100
        check(f, [7, 7])
        assert f.cache_info().hits == 2


@needs_mounts
def test_a_disk_that_is_unmounted(tmp_path, caplog, clock):
    mount = tmp_path / "disk"
    with small_disk(mount, size="16m") as disk:
        f = disk_cacher(os.path.join(disk, "cache"))(zeros)
        check(f, [1])
        subprocess.run(["umount", "-l", disk], check=True)
        check(f, [1, 2, 3, 1])
        assert os.listdir(mount) == []  # what lies below is another disk, perhaps a small one
        assert len(warnings(caplog)) == 1
        assert "what was mounted there is gone" in caplog.text
    clock.now += 100
    with small_disk(mount, size="16m"):
        check(f, [4, 4])
        assert f.cache_info().hits == 1


def test_a_folder_that_is_deleted(tmp_path, caplog):
    f = disk_cacher(str(tmp_path / "cache"))(zeros)
    for x in range(3):
        check(f, [x, x])
        shutil.rmtree(tmp_path / "cache")
    check(f, [1])
    assert f.cache_info()[:2] == (3, 4)
    assert f.check_call_in_cache(1)
    assert warnings(caplog) == []


@needs_linux
def test_a_working_directory_that_is_deleted(tmp_path):
    code = """
    os.chdir(sys.argv[1])
    @disk_cacher("cache")
    def double(x): return 2 * x
    assert double(1) == double(1) == 2
    os.system(f"rm -r {sys.argv[1]}")
    assert [double(x) for x in (1, 1, 2, 2)] == [2, 2, 4, 4]
    @disk_cacher(sys.argv[1] + "-other")
    def triple(x): return 3 * x
    assert triple(1) == triple(1) == 3
    print(double.cache_info().hits, triple.cache_info().hits, len(TOLD))
    """
    folder = tmp_path / "here"
    folder.mkdir()
    assert run(tmp_path, code, folder) == ["3 1 0"]


@needs_linux
def test_a_relative_folder_where_no_directory_is_left(tmp_path):
    code = """
    os.chdir(sys.argv[1])
    os.rmdir(sys.argv[1])
    try:
        disk_cacher("cache")
    except OSError as error:
        print(type(error).__name__, "the working directory is gone" in str(error))
    """
    folder = tmp_path / "here"
    folder.mkdir()
    assert run(tmp_path, code, folder) == ["UnusableLocation True"]


@needs_linux
@pytest.mark.parametrize("places", ["folder", "memory and folder"])
@pytest.mark.parametrize("begun", [False, True])
def test_a_process_without_descriptors(tmp_path, places, begun):
    code = """
    import resource
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
    place, begun = sys.argv[1], sys.argv[3] == "True"
    remember = hierarchical_cacher(("ram://", place) if "memory" in sys.argv[2] else place)
    @remember
    def large(x): return np.arange(100_000) + x
    @remember
    def small(x): return {"a": [x, np.arange(x)]}
    def check(numbers):
        for x in numbers:
            assert (large(x) == np.arange(100_000) + x).all()
            assert repr(small(x)) == repr({"a": [x, np.arange(x)]})
    if begun:
        check([1, 1])
    taken = []
    while True:
        try:
            taken.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            break
    check([1, 2, 3, 2, 1] * 3)
    if begun:
        small.locate(1), small.cache_info(), small.purge(2)
    during = len(TOLD)
    for one in taken:
        os.close(one)
    import time
    for _ in range(300):
        check([4, 4, 4])
        if large.check_call_in_cache(4) and small.check_call_in_cache(4):
            break
        time.sleep(0.1)  # a short pause may be on
    print(during <= 4, large.check_call_in_cache(4), small.check_call_in_cache(4), *TOLD, sep="\\n")
    """
    printed = run(tmp_path, code, tmp_path / "cache", places, begun)
    assert printed[:3] == ["True", "True", "True"], printed


@needs_linux
def test_a_process_that_may_not_write_large_files(tmp_path):
    code = """
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    @disk_cacher(sys.argv[1])
    def f(n): return np.zeros(n)
    for n in (10, 100_000, 4_000_000, 10, 100_000, 200_000, 20, 20):
        assert (f(n) == np.zeros(n)).all()
    print(f.cache_info()[:2], len(TOLD), f.check_call_in_cache(20))
    """
    assert run(tmp_path, code, tmp_path / "cache") == ["(2, 6) 1 True"]
    assert unfinished(tmp_path / "cache") == []


@needs_linux
def test_a_process_without_memory(tmp_path):
    code = """
    import resource
    @hierarchical_cacher(("ram://", sys.argv[1]))
    def f(n): return np.ones(n)
    f(10), f(9_000_000)
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    limit = used + (100 << 20)
    for key in list(f._hierarchy.keys()):
        f._hierarchy.tiers[0].discard(key)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for n in (10, 9_000_000, 9_000_001, 9_000_000, 10, 20, 20):
        assert f(n)[-1] == 1
    print(f.check_call_in_cache(20), len(TOLD) <= 2, *TOLD, sep="\\n")
    """
    assert run(tmp_path, code, tmp_path / "cache")[:2] == ["True", "True"]


def test_results_that_cannot_be_encoded_are_told_once(tmp_path, caplog):
    class Large:
        def __reduce__(self):
            raise MemoryError

    f = disk_cacher(str(tmp_path), "pickle")(lambda x: [Large(), x])
    for x in range(5):
        assert f(x)[1] == x
    assert len(warnings(caplog)) == 1


@needs_mounts
def test_a_cache_of_somebody_else_that_one_may_only_read(public_path):
    code = """
    @disk_cacher(sys.argv[1])
    def f(x): return np.arange(x)
    if sys.argv[2] == "other":
        str(f.explain(1))  # follows the code, while the packages can be looked at
        become_another_user()
        for x in (3, 4, 5, 6, 7, 8, 3):
            assert list(f(x)) == list(range(x))
        str(f.explain(99)), f.lscache(), f.versions()
        print(f.cache_info()[:2], len(TOLD), "Permission denied" in TOLD[0])
    else:
        f(3), f(4)
    """
    cache = public_path / "cache"
    run(public_path, code, cache, "owner")
    subprocess.run(["chmod", "-R", "go+rX", str(cache)], check=True)
    assert run(public_path, code, cache, "other") == ["(3, 4) 1 True"]


@needs_mounts
@pytest.mark.parametrize("others", ["none", "ram://", "folder"])
def test_a_folder_without_permission_at_first(public_path, others):
    code = """
    import time
    top, others = sys.argv[1:]
    os.mkdir(top + "/closed", 0o700), os.mkdir(top + "/open", 0o777), os.chmod(top + "/open", 0o777)
    is_told, tell = os.pipe()
    child = os.fork()
    if child:
        os.close(tell)
        os.read(is_told, 1)
        os.chmod(top + "/closed", 0o777)
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    become_another_user()
    faster = {"none": (), "ram://": ("ram://",), "folder": (top + "/open",)}[others]
    @hierarchical_cacher((*faster, top + "/closed/cache"))
    def f(x): return 2 * x
    for x in range(5):
        assert f(x) == 2 * x
    told = len(TOLD)
    os.write(tell, b"!")
    for x in range(10, 300):
        assert f(x) == 2 * x
        if f.cache_info().tiers[-1].stores:
            break
        time.sleep(0.1)
    print(told, f.cache_info().tiers[-1].stores > 0)
    """
    assert run(public_path, code, public_path, others) == ["1 True"]


@pytest.mark.parametrize("nonsense", ["file", "file/below", "x" * 300, "a\0b"])
def test_nonsense_is_refused_at_once(tmp_path, nonsense):
    (tmp_path / "file").write_text("")
    for make in (disk_cacher, lambda place: hierarchical_cacher(("ram://", place))):
        with pytest.raises(UnusableLocation, match="Choose another folder"):
            make(f"{tmp_path}/{nonsense}")
