"""Remembered functions on a real Dask cluster, in joblib and in pools: computed once over all."""

import functools
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent import futures

import numpy as np
import pytest

from neurotools.jobs.cache import disk_cacher, hierarchical_cacher
from neurotools.memo.errors import WorkersLost
from neurotools.memo.executors import workers

distributed = pytest.importorskip("distributed")
dask = pytest.importorskip("dask")
pytest.importorskip("cloudpickle")

#: Forty calls with ten keys.
XS = [x % 10 for x in range(40)]


@pytest.fixture(scope="module")
def client():
    """Three worker processes, with two threads each."""
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    options = {"n_workers": 3, "threads_per_worker": 2, "dashboard_address": ":0"}
    with (
        distributed.LocalCluster(silence_logs=logging.CRITICAL, **options) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def runs(tmp_path):
    """A folder in which each run leaves a file."""
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder


def note(runs, x):
    """Leave a file for a run."""
    with open(os.path.join(runs, f"{x}-{os.getpid()}-{time.monotonic_ns()}"), "x"):
        time.sleep(0.01)


def made(cache_dir):
    """Return a function that is remembered in a folder; it goes to workers by value."""

    @hierarchical_cacher(("ram://", cache_dir))
    def doubled(x, runs):
        note(runs, np.max(x))
        return np.asarray(x) * 2

    return doubled


def count(runs):
    return len(os.listdir(runs))


def by_delayed(client, function, runs):
    return dask.compute(*[dask.delayed(function)(x, runs) for x in XS])


def by_map(client, function, runs):
    return client.gather(client.map(function, XS, runs=runs, pure=False))


def by_pure_map(client, function, runs):
    return client.gather(client.map(function, XS, runs=runs))


def by_submit(client, function, runs):
    return client.gather([client.submit(function, x, runs, pure=False) for x in XS])


def by_bag(client, function, runs):
    bag = pytest.importorskip("dask.bag")
    return bag.from_sequence(XS, npartitions=8).map(function, runs=runs).compute()


def by_our_map(client, function, runs):
    return function.map(XS, runs=runs, executor=client)


def by_executor(client, function, runs):
    return function.map(XS, runs=runs, executor=client.get_executor())


def by_joblib_on_dask(client, function, runs):
    joblib = pytest.importorskip("joblib")
    with joblib.parallel_config("dask", client=client, wait_for_workers_timeout=30):
        return joblib.Parallel()(joblib.delayed(function)(x, runs) for x in XS)


def by_joblib(client, function, runs):
    joblib = pytest.importorskip("joblib")
    return joblib.Parallel(2)(joblib.delayed(function)(x, runs) for x in XS)


def by_threads(client, function, runs):
    with futures.ThreadPoolExecutor(4) as pool:
        return list(pool.map(function, XS, [runs] * len(XS)))


DOORS = (
    *(by_delayed, by_map, by_pure_map, by_submit, by_bag, by_our_map, by_executor),
    *(by_joblib_on_dask, by_joblib, by_threads),
)


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_each_result_is_computed_once_over_all_workers(client, door, cache_dir, runs):
    function = made(cache_dir)
    assert list(door(client, function, str(runs))) == [2 * x for x in XS]
    assert count(runs) == 10
    assert [function(x, str(runs)) for x in range(10)] == [2 * x for x in range(10)]
    assert count(runs) == 10  # the caller finds what workers have kept


def test_blocks_of_a_dask_array(client, cache_dir, runs):
    da = pytest.importorskip("dask.array")
    function = made(cache_dir)
    array = da.from_array(np.arange(8.0), chunks=2)
    for _ in range(2):
        blocks = array.map_blocks(function, str(runs), dtype=float, meta=np.zeros(0))
        assert blocks.compute().tolist() == [0, 2, 4, 6, 8, 10, 12, 14]
        assert count(runs) == 4


class Model:
    """A class whose methods are remembered."""

    def __init__(self, gain, folder):
        self.gain, self.folder = gain, folder

    def remembered(self, x):
        """Return the method's result, remembered in a folder of the instance."""
        return disk_cacher(self.folder)(_scaled)(self.gain, x)


def _scaled(gain, x):
    return gain * x


def test_methods_on_the_cluster(client, cache_dir):
    for gain in (3, 4):
        model = Model(gain, str(cache_dir))
        assert client.gather(client.map(model.remembered, [1, 2])) == [gain, 2 * gain]


def test_a_pool_of_processes_started_afresh(cache_dir, runs):
    context = multiprocessing.get_context("spawn")
    with futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        assert made(cache_dir).map(XS, runs=str(runs), executor=pool) == [2 * x for x in XS]
    assert count(runs) == 10


FORKED = """
    import os, sys, multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from neurotools.jobs.cache import disk_cacher

    @disk_cacher(sys.argv[1])
    def squared(x):
        print(x, file=sys.stderr, flush=True)
        return x * x

    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
        print(list(pool.map(squared, [1, 2, 1, 2])), squared.map([1, 2, 3], executor=pool))
"""


@pytest.mark.skipif(os.name == "nt", reason="nothing forks here")
def test_a_pool_of_forked_processes(tmp_path):
    # In a process of its own: this one has threads.
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(FORKED))
    command = [sys.executable, str(script), str(tmp_path / "cache")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[1, 4, 1, 4] [1, 4, 9]\n"
    assert sorted(done.stderr.split()) == ["1", "2", "3"]


# ---------------------------------------------------------------- accidents


def _slow(x, runs):
    note(runs, x)
    if x == 3 and count(runs) <= 4:
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    return 2 * x


@pytest.fixture
def fragile():
    """A cluster of two workers, to be broken."""
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with (
        distributed.LocalCluster(silence_logs=logging.CRITICAL, **options) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def test_a_worker_that_is_killed_delays_the_others_for_a_bounded_time(fragile, cache_dir, runs):
    """It is killed while it computes, and while others wait for the same results."""
    function = disk_cacher(cache_dir)(_slow)
    started = [fragile.submit(function, x, str(runs), pure=False) for x in (0, 1, 2, 3, 3, 3, 4)]
    assert fragile.gather(started, errors="raise") == [0, 2, 4, 6, 6, 6, 8]
    assert count(runs) <= 9
    assert function.map(range(5), runs=str(runs), executor=fragile) == [0, 2, 4, 6, 8]


def close_when_it_computes(client, runs):
    ends = time.monotonic() + 60
    while count(runs) < 3 and time.monotonic() < ends:
        time.sleep(0.01)
    client.close()


def test_a_cluster_that_is_gone_is_named(cache_dir, tmp_path, runs):
    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": ":0"}
    cluster = distributed.LocalCluster(silence_logs=logging.CRITICAL, **options)
    client = distributed.Client(cluster)
    over = str(tmp_path / "over")

    @disk_cacher(cache_dir)
    def slow(x, runs, over):
        note(runs, x)
        while x > 5 and not os.path.exists(over):
            time.sleep(0.01)
        return x

    slow.map([0], runs=str(runs), over=over, executor=client)
    ends = threading.Thread(target=close_when_it_computes, args=(client, runs))
    ends.start()
    try:
        with pytest.raises(WorkersLost, match=r"calls\[\d\] of 20"):
            slow.map(range(1, 21), runs=str(runs), over=over, executor=client)
        with pytest.raises(WorkersLost, match="the Dask client is closed"):
            slow.map([30], runs=str(runs), over=over, executor=client)
        another = distributed.Client(cluster)
        with workers(another) as crew:
            task = crew.submit(abs, -1)
            another.close()
            assert list(crew.as_completed([task])) == [task]
            assert isinstance(task.exception(), WorkersLost)
    finally:
        open(over, "x").close()
        ends.join()
        cluster.close()


# ---------------------------------------------------------------- names of tasks


def test_dask_names_tasks_by_code_and_arguments(cache_dir):
    tokenize = pytest.importorskip("dask.base").tokenize
    cached = disk_cacher(cache_dir)

    def make(step):
        @cached
        def added(x):
            return x + step

        return added

    assert tokenize(make(1)) == tokenize(make(1))
    assert tokenize(make(1)) != tokenize(make(2))
    assert tokenize(functools.partial(make(1), 2)) == tokenize(functools.partial(make(1), 2))


def test_dask_tells_methods_of_different_instances_apart(cache_dir):
    tokenize = pytest.importorskip("dask.base").tokenize

    class Gain:
        def __init__(self, gain):
            self.gain = gain

        @disk_cacher(cache_dir)
        def run(self, x):
            return self.gain * x

    assert tokenize(Gain(1).run) != tokenize(Gain(2).run)


# ---------------------------------------------------------------- scripts and notebooks


SCRIPT = """
    import linecache, os, sys
    import numpy as np
    from neurotools.jobs.cache import disk_cacher

    folder = sys.argv[1]
    cached = disk_cacher(os.path.join(folder, "cache"))
    GAIN = np.arange(3.0)

    def helper(x):
        return x * GAIN.sum()

    class Config:
        def __init__(self, k):
            self.k = k

        def value(self):
            return helper(self.k)

        @cached
        def method(self, x):
            run()
            return self.value() + x

    def run():
        run_folder = os.path.join(folder, "runs")
        os.makedirs(run_folder, exist_ok=True)
        open(os.path.join(run_folder, f"{os.getpid()}-{np.random.bytes(8).hex()}"), "x").close()

    @cached
    def plain(x):
        run()
        return helper(x)

    @cached
    def configured(config, x):
        run()
        return Config(x).value() + config.value()

    lambdas = cached(lambda x: run() or helper(x))

    cell = "K = 4\\n@cached\\ndef in_cell(x):\\n    run()  # see\\n    return helper(x) + K\\n"
    name = "<ipython-input-3-0123456789ab>"
    linecache.cache[name] = (len(cell), None, cell.splitlines(True), name)
    exec(compile(cell, name, "exec"), globals())

    def check(executor):
        import shutil
        shutil.rmtree(folder, ignore_errors=True)
        args = [1, 2, 1]
        made = [
            plain.map(args, executor=executor),
            lambdas.map(args, executor=executor),
            in_cell.map(args, executor=executor),
            configured.map([Config(1)] * 3, args, executor=executor),
            Config(3).method.map(args, executor=executor),
        ]
        assert made == [[3, 6, 3], [3, 6, 3], [7, 10, 7], [6, 9, 6], [10, 11, 10]], made
        computed = len(os.listdir(os.path.join(folder, "runs")))
        # The script itself finds what the workers have kept.
        assert (plain(1), lambdas(2), in_cell(1), configured(Config(1), 2)) == (3, 6, 7, 9)
        assert Config(3).method(2) == 11
        again = len(os.listdir(os.path.join(folder, "runs"))) - computed
        print(sys.argv[2], computed, again)

    if __name__ == "__main__":
        if sys.argv[2] == "dask":
            from distributed import Client, LocalCluster
            options = {"n_workers": 2, "threads_per_worker": 2, "dashboard_address": ":0"}
            with LocalCluster(**options) as cluster, Client(cluster) as client:
                check(client)
        else:
            import loky
            check(loky.get_reusable_executor(2))
"""


@pytest.mark.parametrize("kind", ["loky", "dask"])
def test_functions_of_scripts_and_cells_have_the_same_keys_in_workers(tmp_path, kind):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))
    command = [sys.executable, str(script), str(tmp_path / "here"), kind]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout == f"{kind} 10 0\n", done.stderr


EDITED = """
    import sys
    from neurotools.jobs.cache import disk_cacher

    @disk_cacher(sys.argv[1])
    def half(x):
        return x / 2

    with open(__file__, "a") as file:
        file.write("# edited while it runs\\n")
    half.keys.fingerprint
    with open(__file__, "w") as file:
        file.write("# all is gone\\n")
    print(half.map([2, 4], executor=1), half.check_call_in_cache(2))
"""


def test_a_script_may_be_edited_while_it_runs(tmp_path):
    pytest.importorskip("loky")
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(EDITED))
    command = [sys.executable, str(script), str(tmp_path / "cache")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "[1.0, 2.0] True\n", done.stderr
