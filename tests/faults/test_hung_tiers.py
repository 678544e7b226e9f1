"""Places that do not answer: the result comes all the same, soon, and they are used again later.

Nothing here looks at a clock: what hangs does so until the test ends it, so that a call that comes
back at all was not kept waiting.
"""

import os
import subprocess
import sys

import pytest

from neurotools.jobs.cache import disk_cacher, hierarchical_cacher
from neurotools.memo.watch.mounts import is_local_kind, mount_of
from tests.faults.broken import Control, environment, needs_shim
from tests.faults.pauses import until_used_again
from tests.faults.places import needs_fuse, needs_mounts, run, served

#: While a server is well, its answers may take long: the machine may be busy.
PATIENCE, LONG_PATIENCE = 0.6, 60.0

pytestmark = needs_mounts


def double(x):
    return 2 * x


def check(f, numbers):
    assert [f(x) for x in numbers] == [2 * x for x in numbers]


def be_patient(f, seconds):
    f._hierarchy.tiers[-1].health.be_patient(seconds)


@pytest.fixture
def server(tmp_path):
    with served(tmp_path) as server:
        yield server


@needs_fuse
def test_a_served_folder_is_known_as_one(server):
    assert not is_local_kind(mount_of(os.path.join(server.folder, "cache"))[1])


@needs_fuse
@pytest.mark.parametrize("faster", ["none", "ram://", "folder"])
def test_a_server_that_stops(server, tmp_path, caplog, faster):
    others = {"none": (), "ram://": ("ram://",), "folder": (str(tmp_path / "fast"),)}[faster]
    f = hierarchical_cacher((*others, server.folder), patience=LONG_PATIENCE)(double)
    check(f, [1, 1])
    server.stop()
    be_patient(f, PATIENCE)
    check(f, [1, 2, 3, 4, 1, 2])
    assert f(5) == 10
    last = f.cache_info().tiers[-1]
    assert last.failures == 1
    assert "it did not answer for 0.6 seconds" in last.left_alone
    assert "left alone" in str(f.explain(99))
    assert len(caplog.records) == 1
    server.go_on()
    be_patient(f, LONG_PATIENCE)
    until_used_again(f, check)
    assert f.flush(60) == 0  # what was computed meanwhile is sent, too
    stores = f.cache_info().tiers[-1].stores
    check(f, [7, 7])
    assert f.cache_info().tiers[-1].stores == stores + 1
    assert len(caplog.records) == 1


@needs_fuse
def test_a_server_that_does_not_answer_when_functions_are_decorated(server, caplog):
    server.stop()
    f = disk_cacher(server.folder, patience=PATIENCE)(double)
    check(f, [1, 2, 1])
    assert len(caplog.records) == 1
    server.go_on()
    be_patient(f, LONG_PATIENCE)
    until_used_again(f, check)
    check(f, [3, 3])
    assert f.cache_info().hits == 1


@needs_fuse
def test_a_program_ends_while_its_server_does_not_answer(server, tmp_path):
    code = """
    from tests.faults.stopping import stop
    @hierarchical_cacher(sys.argv[1], patience=0.3)
    def f(x): return 2 * x
    f(1)
    stop(int(sys.argv[2]))
    print([f(x) for x in (1, 2, 3)], len(TOLD))
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    else:
        print(f(4))
    """
    printed = run(tmp_path, code, server.folder, server._server.pid)
    assert printed.count("8") == 1
    assert "[2, 4, 6] 1" in printed


@needs_fuse
def test_one_waits_for_a_computation_elsewhere_as_long_as_the_server_answers(server):
    code = (
        "import sys, time\n"
        "from neurotools.jobs.cache import disk_cacher\n"
        f"sys.path.insert(0, {os.getcwd()!r})\n"
        "def slow(x):\n"
        "    print('begun', flush=True)\n"
        "    time.sleep(float(sys.argv[2]))\n"
        "    return 2 * x\n"
        "print(disk_cacher(sys.argv[1], patience=3)(slow)(1), flush=True)\n"
    )
    first, second = (
        subprocess.Popen(
            [sys.executable, "-c", code, server.folder, "4"],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    )
    printed = sorted(one.communicate(timeout=60)[0].split() for one in (first, second))
    assert printed == [["2"], ["begun", "2"]]


@needs_shim
@pytest.mark.parametrize("place", ["first", "second", "only"])
def test_any_call_that_hangs_is_left_behind(tmp_path, place):
    code = """
    from neurotools.memo.tiers.directory import DirectoryTier
    from tests.faults.broken import CALLS, Control
    control = Control(os.environ["BROKEN_CONTROL"])
    bad = []
    for call in (*CALLS, "all"):
        roots = [f"{sys.argv[1]}/{call}/{name}" for name in ("fast", "slow")]
        roots = roots[:1] if sys.argv[2] == "only" else roots
        bad_one = roots[sys.argv[2] == "second"]
        tiers = [DirectoryTier(root, patience=0.3 if root == bad_one else None) for root in roots]
        @hierarchical_cacher(tiers)
        def f(x): return np.arange(50) + x
        f(1), f(2), f(2)
        TOLD.clear()
        control.lay(bad_one, CALLS if call == "all" else [call], seconds=-1.0)
        for x in (1, 3, 4, 5, 1, 2):
            assert (f(x) == np.arange(50) + x).all(), call
        if call in ("open", "all"):
            f.lscache(), str(f.explain(9)), f.purge(1), f.locate(1), f.cache_info()
        if len(TOLD) > 1:
            bad.append((call, list(TOLD)))
        control.end()
    print(bad)
    """
    control = tmp_path / "control"
    Control(control)
    printed = run(
        tmp_path, code, tmp_path / "caches", place, environment=environment(control), timeout=120
    )
    assert printed == ["[]"]


@needs_shim
def test_a_large_transfer_that_moves_is_not_given_up(tmp_path):
    code = """
    from tests.faults.broken import Control
    control = Control(os.environ["BROKEN_CONTROL"])
    @disk_cacher(sys.argv[1], patience=60)
    def f(x): return np.arange(2_500_000) + x
    f(1)
    f._hierarchy.tiers[0].health.be_patient(2)
    control.lay(sys.argv[1], ["write", "writev", "pread", "fsync"], seconds=0.3)
    assert f(1)[-1] == 2_500_000
    assert f(2)[-1] == 2_500_001
    print(f.cache_info()[:2], control.struck() > 10, TOLD)
    """
    control = tmp_path / "control"
    Control(control)
    printed = run(tmp_path, code, tmp_path / "cache", environment=environment(control))
    assert printed == ["(1, 2) True []"]


def test_patience_is_checked_at_once(tmp_path):
    for make in (disk_cacher, hierarchical_cacher):
        with pytest.raises(ValueError, match="give seconds above 0"):
            make(str(tmp_path), patience=0)
