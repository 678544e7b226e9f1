import asyncio
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from neurotools.memo.entry import Key
from neurotools.memo.locking import lockfiles
from neurotools.memo.locking.locks import FileLock
from neurotools.memo.turns import turn
from neurotools.memo.turns.flight import Flight

KEY = Key("f", "code", "hash.key", "npy")
OTHER = Key("f", "code", "hash.other", "npy")


@pytest.fixture(params=["process", "folder"])
def folder(request, tmp_path):
    return None if request.param == "process" else str(tmp_path)


def run_threads(*functions):
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


def test_threads_take_turns(folder):
    inside, most = [], []

    def work():
        with Flight(folder).alone(KEY):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.01)
            inside.pop()

    run_threads(*[work] * 8)
    assert most == [1] * 8


def test_a_waiter_is_told_that_it_waited(folder):
    held, told = threading.Event(), []

    def holder():
        with Flight(folder).alone(KEY):
            held.set()
            ends = time.monotonic() + 60
            while not turn._HELD._waits:
                assert time.monotonic() < ends, "nobody waits"
                time.sleep(0.01)

    def waiter():
        held.wait(60)
        with Flight(folder).alone(KEY) as waited:
            told.append(waited)

    run_threads(holder, waiter)
    assert told == [True]


def test_different_keys_do_not_wait_for_each_other(folder):
    barrier = threading.Barrier(2, timeout=60)

    def work(key):
        with Flight(folder).alone(key):
            barrier.wait()

    run_threads(lambda: work(KEY), lambda: work(OTHER))
    assert not barrier.broken


def test_a_failure_frees_the_key(folder):
    with pytest.raises(ValueError, match="boom"), Flight(folder).alone(KEY):
        raise ValueError("boom")
    with Flight(folder).alone(KEY) as waited:
        assert not waited


def test_a_call_within_itself_goes_on(folder):
    with Flight(folder).alone(KEY), Flight(folder).alone(KEY):
        pass


def test_threads_that_wait_for_each_other_go_on(folder):
    barrier = threading.Barrier(2, timeout=60)

    def work(one, other):
        with Flight(folder).alone(one):
            barrier.wait()
            with Flight(folder).alone(other):
                pass

    run_threads(lambda: work(KEY, OTHER), lambda: work(OTHER, KEY))


WORK = """
import sys, time
from neurotools.memo.entry import Key
from neurotools.memo.turns.flight import Flight
keys = [Key("f", "code", name, "npy") for name in sys.argv[2:]]
def hold(rest):
    if not rest:
        print("in", flush=True)
        sys.stdin.readline()
        return
    with Flight(sys.argv[1]).alone(rest[0]) as waited:
        print("waited" if waited else "first", flush=True)
        sys.stdin.readline()
        hold(rest[1:])
hold(keys)
"""


def process(folder, *calls):
    return subprocess.Popen(
        [sys.executable, "-c", WORK, str(folder), *calls],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )


def tell(worker):
    worker.stdin.write("\n")
    worker.stdin.flush()


def test_processes_take_turns(tmp_path):
    with process(tmp_path, KEY.call) as one:
        assert one.stdout.readline() == "first\n"
        with process(tmp_path, KEY.call) as other:
            told = []
            reader = threading.Thread(target=lambda: told.append(other.stdout.readline()))
            reader.start()
            time.sleep(1)
            assert told == []
            tell(one)
            tell(one)
            reader.join(30)
            # On a busy machine it may have come to the lock only when that was free.
            assert told[0] in {"waited\n", "first\n"}
            other.communicate("\n\n")


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_a_killed_process_holds_nothing(tmp_path):
    with process(tmp_path, KEY.call) as one:
        assert one.stdout.readline() == "first\n"
        with process(tmp_path, KEY.call) as other:
            one.send_signal(signal.SIGKILL)
            assert other.stdout.readline() in {"waited\n", "first\n"}
            other.communicate("\n\n")


@pytest.mark.skipif(os.name == "nt", reason="POSIX record locks notice circles")
def test_processes_that_wait_for_each_other_go_on(tmp_path):
    with process(tmp_path, "a", "b") as one, process(tmp_path, "b", "a") as other:
        assert one.stdout.readline() == other.stdout.readline() == "first\n"
        for worker in (one, other):
            worker.stdin.write("\n\n\n")
            worker.stdin.flush()
        outputs = [worker.communicate(timeout=60)[0] for worker in (one, other)]
        assert all(output.endswith("in\n") for output in outputs)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_holds_nothing_of_its_parent(tmp_path):
    with Flight(str(tmp_path)).alone(OTHER):
        child = os.fork()
        if child == 0:
            with Flight(str(tmp_path)).alone(KEY):
                os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        # The child's end has not freed the parent's lock.
        assert FileLock(str(tmp_path), OTHER).try_take()
        with process(tmp_path, OTHER.call) as other:
            time.sleep(0.3)
            assert other.poll() is None
            other.kill()


def test_keys_leave_no_files_behind(tmp_path):
    for number in range(100):
        with Flight(str(tmp_path)).alone(Key("f", "code", str(number), "npy")):
            pass
    assert os.listdir(tmp_path) == ["locks"]


def test_without_a_place_for_locks_it_goes_on(tmp_path):
    (tmp_path / "file").write_text("")
    with Flight(str(tmp_path / "file" / "below")).alone(KEY) as waited:
        assert not waited


def test_removed_lock_files_are_made_anew_and_closed(tmp_path):
    import shutil

    with Flight(str(tmp_path / "x")).alone(KEY):
        pass
    shutil.rmtree(tmp_path / "x")
    with Flight(str(tmp_path / "x")).alone(KEY):
        assert os.path.exists(tmp_path / "x" / "locks")


@pytest.mark.skipif(os.name == "nt", reason="open files cannot be removed there")
def test_a_lock_file_that_somebody_closed_is_opened_again_and_nobody_elses_is_closed(tmp_path):
    folder = str(tmp_path / "x")
    with Flight(folder).alone(KEY):
        pass
    descriptor = lockfiles._FILES[folder].descriptor
    path = tmp_path / "mine"
    mine = os.open(path, os.O_RDWR | os.O_CREAT)
    os.dup2(mine, descriptor)
    path.unlink()
    with Flight(folder).alone(KEY):
        assert lockfiles._FILES[folder].descriptor != descriptor
    assert os.fstat(descriptor).st_ino == os.fstat(mine).st_ino
    os.close(descriptor)
    os.close(mine)


def test_coroutines_take_turns(folder):
    inside, most = [], []

    async def work():
        async with Flight(folder).alone_async(KEY):
            inside.append(1)
            most.append(len(inside))
            await asyncio.sleep(0.01)
            inside.pop()

    async def main():
        await asyncio.gather(*(work() for _ in range(5)))

    asyncio.run(main())
    assert max(most) == 1
    assert len(most) == 5


def test_a_cancelled_wait_leaves_nothing(folder):
    async def main():
        held = asyncio.Event()
        waiter = asyncio.ensure_future(wait(held))
        async with Flight(folder).alone_async(KEY):
            held.set()
            await asyncio.sleep(0.05)
            waiter.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiter
        async with Flight(folder).alone_async(KEY) as waited:
            assert not waited

    async def wait(held):
        await held.wait()
        async with Flight(folder).alone_async(KEY):
            pass

    asyncio.run(main())
    assert not turn._HELD._waits
    assert not turn._HELD._owner


@pytest.mark.skipif(os.name != "posix", reason="there is no limit of open files")
def test_a_first_computation_runs_where_no_file_can_be_opened(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        f"""
import os, resource, warnings
from neurotools.jobs.cache import disk_cacher
@disk_cacher({str(tmp_path)!r})
def double(x):
    return 2 * x
warnings.simplefilter("ignore")
double.keys.fingerprint
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
opened = []
while len(opened) < 64:
    try:
        opened.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        break
print(double(2), double(3))
for one in opened:
    os.close(one)
print(double(4), double(4), double.cache_info().hits)
"""
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.splitlines() == ["4 6", "8 8 1"], done.stderr
