"""Whoever makes calls: the same promises for this process, threads, processes and a cluster."""

import functools
import logging
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent import futures

import numpy as np
import pytest

from neurotools.memo.errors import (
    CannotTravel,
    FailedElsewhere,
    MissingExtra,
    UndigestableValue,
    UnknownExecutor,
    WorkersLost,
)
from neurotools.memo.executors import Each, workers

cloudpickle = pytest.importorskip("cloudpickle")
pytest.importorskip("loky")
distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def client():
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with (
        distributed.LocalCluster(**options) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture(params=["here", "threads", "spawned", "processes", "dask"])
def executor(request):
    """Each kind of executor that `workers` takes."""
    kind = request.param
    if kind == "here":
        yield None
    elif kind == "processes":
        yield 2
    elif kind == "dask":
        yield request.getfixturevalue("client")
    else:
        spawn = multiprocessing.get_context("spawn")
        made = (
            futures.ThreadPoolExecutor(2)
            if kind == "threads"
            else futures.ProcessPoolExecutor(2, mp_context=spawn)
        )
        with made as pool:
            yield pool


class Odd(Exception):
    """An error that cannot be pickled as it is."""

    def __init__(self, code, reason):
        super().__init__(f"{reason}: {code}")
        self.code = code


def act(x):
    """Do what `x` says."""
    if x == "odd":
        raise Odd(3, "because")
    if x == "undigestable":
        raise UndigestableValue("lock", "it is a lock", "argument 'x'")
    if x == "exit":
        sys.exit(4)
    return x, os.getpid()


def test_calls_are_made_and_their_numbers_told(executor):
    with workers(executor) as crew:
        assert crew.count >= 1
        calls = ((act, (x,)) for x in range(10))
        found = {number: task.result()[0] for number, task in Each(crew, calls)}
    assert found == {number: number for number in range(10)}


def test_an_error_comes_back_as_what_it_was(executor):
    with workers(executor) as crew:
        task = crew.submit(act, "odd")
        assert list(crew.as_completed([task])) == [task]
        with pytest.raises(Exception, match="because: 3") as raised:
            task.result()
        assert (type(raised.value).__name__, raised.value.code) == ("Odd", 3)
        assert type(crew.submit(act, "undigestable").exception()) is UndigestableValue
        assert crew.submit(act, 1).result()[0] == 1


def test_lambdas_and_closures_travel(executor):
    step = 5
    with workers(executor) as crew:
        assert crew.submit(lambda x: x + step, 2).result() == 7
        assert crew.submit(lambda: lambda x: x + step).result()(3) == 8


def test_no_more_are_taken_than_are_needed():
    taken = []

    def calls():
        for x in range(1000):
            taken.append(x)
            yield act, (x,)

    with futures.ThreadPoolExecutor(2) as pool, workers(pool) as crew:
        next(iter(Each(crew, calls())))
        assert len(taken) <= crew.room


def _wait(seconds):
    time.sleep(seconds)
    return seconds


def test_what_has_not_begun_can_be_dropped(executor):
    with workers(executor) as crew:
        each = Each(crew, ((_wait, (0.2,)) for _ in range(100)))
        next(each)
        running = each.stop()
        left = [task.result() for _, task in each]
    assert len(left) == running
    assert running < crew.room or crew.room == 1


def test_what_cannot_travel_is_named():
    with workers(1) as crew:
        with pytest.raises(CannotTravel, match=r"a call of act cannot travel.*lock"):
            crew.submit(act, threading.Lock())
        made = crew.submit(eval, "__import__('threading').Lock()")
        with pytest.raises(CannotTravel, match="the result of eval cannot travel"):
            made.result()


class Unopenable:
    """It can be pickled, and not be made again."""

    def __reduce__(self):
        return _fail, ()


def _fail():
    raise RuntimeError("not again")


def test_what_cannot_be_opened_is_named():
    with workers(1) as crew:
        error = crew.submit(act, Unopenable()).exception()
        assert "a worker cannot open it" in str(error)
        assert "it cannot be opened here" in str(crew.submit(Unopenable).exception())


class Stubborn(Exception):
    """An error that cannot be sent in any way."""

    def __init__(self):
        super().__init__("stubborn")
        self.lock = threading.Lock()


def _be_stubborn():
    raise Stubborn


def test_an_error_that_cannot_travel_is_told():
    with workers(1) as crew:
        error = crew.submit(_be_stubborn).exception()
    assert type(error) is FailedElsewhere
    assert str(error) == "Stubborn: stubborn"
    assert "_be_stubborn" in str(error.__cause__)


def test_a_call_that_ends_the_program_does_not_end_a_worker():
    with workers(1) as crew:
        assert isinstance(crew.submit(act, "exit").exception(), SystemExit)
        assert crew.submit(act, 1).result()[0] == 1
    with workers() as crew, pytest.raises(SystemExit):
        crew.submit(act, "exit")


def _killed_once(path, x):
    """End the process, the first time that it is asked for."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return x
    os.kill(os.getpid(), signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
    return None


def _killed(x):
    os.kill(os.getpid(), signal.SIGTERM if os.name == "nt" else signal.SIGKILL)


def test_a_call_whose_process_was_killed_is_made_again(tmp_path):
    with workers(2) as crew:
        assert crew.submit(_killed_once, str(tmp_path / "was"), 3).result() == 3


def test_a_call_that_kills_its_process_takes_no_other_with_it():
    calls = [(_killed if x == 3 else act, (x,)) for x in range(8)]
    with workers(2) as crew:
        found = {number: task.exception() for number, task in Each(crew, calls)}
    assert isinstance(found.pop(3), WorkersLost)
    assert set(found.values()) == {None}


def test_a_pool_that_broke_is_said_to_be_gone():
    with futures.ProcessPoolExecutor(1) as pool, workers(pool) as crew:
        assert isinstance(crew.submit(_killed, 1).exception(), WorkersLost)
        with pytest.raises(WorkersLost, match="terminated"):
            crew.submit(act, 1)


def test_processes_have_ended_after_the_block():
    with workers(2) as crew:
        process = crew.submit(act, 1).result()[1]
        # One that has nothing to do may be killed, too.
        os.kill(process, signal.SIGTERM)
        assert crew.submit(act, 2).result()[0] == 2
        process = crew.submit(act, 1).result()[1]
    with pytest.raises(OSError):  # noqa: PT011 - its number is not there any more
        os.kill(process, 0)


def test_an_error_in_the_block_cancels_what_has_not_begun(tmp_path):
    def begin():
        with workers(1) as crew:
            tasks.extend(crew.submit(time.sleep, 600) for _ in range(4))
            raise RuntimeError("enough")

    tasks = []
    with pytest.raises(RuntimeError, match="enough"):
        begin()
    assert all(task.exception() is not None for task in tasks)


def test_a_number_of_numpy_is_a_number_of_processes():
    with workers(np.int64(2)) as crew:
        assert crew.count == 2


@pytest.mark.parametrize(
    "given", [True, 0, -1, "four", multiprocessing.Pool, 2.0, futures.Executor]
)
def test_others_are_refused(given):
    with pytest.raises(UnknownExecutor, match="give None, a number of processes"), workers(given):
        pass


def test_processes_need_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "loky", None)
    with pytest.raises(MissingExtra, match=r"neurotools\[parallel\]"), workers(2):
        pass


def test_a_script_needs_no_guard(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
        from neurotools.memo.executors import workers
        class Box:
            def __init__(self, x): self.x = x
        def work(box): return Box(box.x + 1)
        with workers(2) as crew:
            made = crew.submit(work, Box(1)).result()
            print(made.x, type(made) is Box)
        """)
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "2 True\n"


ORPHANS = """
    import os, sys, time
    from neurotools.memo.executors import workers

    def is_there(process):
        try:
            os.kill(process, 0)
        except OSError:
            return False
        return True

    def work(folder, name, starter=0):
        open(os.path.join(folder, name + " is begun"), "x").close()
        while starter and is_there(starter):
            time.sleep(0.01)
        time.sleep(0.1)
        open(os.path.join(folder, name), "x").close()
        return os.getpid()

    with workers(1) as crew:
        print(crew.submit(work, sys.argv[1], "first").result(), flush=True)
        crew.submit(work, sys.argv[1], "second", os.getpid())
        crew.submit(work, sys.argv[1], "third")
        while not os.path.exists(os.path.join(sys.argv[1], "second is begun")):
            time.sleep(0.01)
        print("begun", flush=True)
        time.sleep(600)
"""


@pytest.mark.skipif(os.name == "nt", reason="processes do not know there who has started them")
def test_processes_end_with_the_one_that_has_started_them(tmp_path):
    """They finish what they compute first."""
    command = [sys.executable, "-c", textwrap.dedent(ORPHANS), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        worker = int(process.stdout.readline())
        process.stdout.readline()
        process.kill()
    for _ in range(600):
        try:
            os.kill(worker, 0)
        except OSError:
            break
        time.sleep(0.1)
    else:
        pytest.fail("it is still there after a minute")
    assert {"first", "second"} == set(os.listdir(tmp_path)) - {"first is begun", "second is begun"}


def test_our_errors_are_pickled_whole():
    error = UndigestableValue("lock", "it is one").at("argument 'x'")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.kind, again.where) == (str(error), "lock", "argument 'x'")


def test_a_partial_has_the_name_of_its_function():
    with workers(1) as crew, pytest.raises(CannotTravel, match="a call of act"):
        crew.submit(functools.partial(act, threading.Lock()))
