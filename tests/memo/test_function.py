import asyncio
import functools
import inspect
import logging
import os
import pickle
import subprocess
import sys
import threading
import time
from pathlib import Path

import cloudpickle
import numpy as np
import pytest

from neurotools.jobs.cache import File, disk_cacher, hierarchical_cacher
from neurotools.memo.errors import (
    UndigestableValue,
    UnknownChoice,
    UnsafeBinding,
    UnsupportedFunction,
)
from neurotools.memo.formats.registry import FORMATS

METHODS = list(FORMATS)
TIERS = {
    "folder": lambda place: (place / "one",),
    "ram": lambda place: ("ram://",),
    "ram and two folders": lambda place: ("ram://", place / "fast", place / "slow"),
}


class Counter:
    """Counts calls where no fingerprint looks: in a file."""

    def __init__(self, path):
        self.path = str(path)

    def __call__(self):
        with open(self.path, "a") as file:
            file.write("x")

    @property
    def count(self):
        return os.path.getsize(self.path) if os.path.exists(self.path) else 0

    def __neurotools_digest__(self):
        return None


@pytest.fixture
def counter(tmp_path):
    return Counter(tmp_path / "calls")


@pytest.fixture(params=TIERS)
def tiers(request, tmp_path):
    return TIERS[request.param](tmp_path)


@pytest.fixture(params=METHODS)
def cacher(request, tiers):
    return hierarchical_cacher(tiers, method=request.param)


@pytest.mark.parametrize(
    "result", [None, 0, False, "text", (1, 2.5, [None]), {"a": 1}], ids=lambda r: type(r).__name__
)
def test_a_result_is_computed_once_and_comes_back_as_it_was(cacher, counter, result):
    @cacher
    def f(x):
        counter()
        return result

    assert f(1) == result
    again = f(1)
    assert again == result
    assert type(again) is type(result)
    assert counter.count == 1
    assert f.cache_info()[:3] == (1, 1, 0)


def test_arrays_come_back_equal_and_safe_from_their_caller(cacher, counter):
    @cacher
    def f(n):
        counter()
        return np.arange(n, dtype=float)

    f(5)[:] = -1
    f(5)[:] = -1
    assert (f(5) == np.arange(5.0)).all()
    assert counter.count == 1


def test_a_result_changed_by_its_first_caller_is_kept_as_it_was(cacher):
    @cacher
    def f():
        return {"list": [1, 2]}

    f()["list"].append(3)
    assert f() == {"list": [1, 2]}


@pytest.mark.parametrize("method", METHODS)
def test_different_arguments_are_different_calls(tmp_path, counter, method):
    @disk_cacher(tmp_path / "cache", method)
    def f(x):
        counter()
        return str(type(x))

    arguments = [1, 1.0, True, "1", b"1", [1], (1,), {1}, np.int64(1), np.float32(1), 0.0, -0.0]
    arguments += [
        np.zeros(2),
        np.zeros(2, "f4"),
        np.zeros(2, ">f8"),
        np.zeros((1, 2)),
        np.array([0.0, -0.0]),
    ]
    for _ in range(2):
        assert [f(x) for x in arguments] == [str(type(x)) for x in arguments]
    assert counter.count == len(arguments)


def test_equal_calls_are_one_call_however_spelled(tmp_path, counter):
    @disk_cacher(tmp_path / "cache")
    def f(a, b=2, *, c=3):
        counter()
        return a

    f(1), f(1, 2), f(a=1), f(b=2, a=1), f(1, c=3)
    assert counter.count == 1


def test_closures_over_different_values_are_different(tmp_path):
    def make(n):
        @disk_cacher(tmp_path / "cache")
        def add(x):
            return x + n

        return add

    assert [make(n)(1) for n in (1, 2, 1.5)] == [2, 3, 2.5]


def test_two_lambdas_on_a_line_are_two_functions(tmp_path):
    cached = disk_cacher(tmp_path / "cache")
    one, other = cached(lambda x: x + 1), cached(lambda x: x + 2)
    assert (one(1), other(1), one(1), other(1)) == (2, 3, 2, 3)
    assert one.cache_info().hits == 1


def test_methods_class_methods_and_static_methods(tmp_path, counter):
    cached = disk_cacher(tmp_path / "cache")

    class Scaler:
        factor = 10

        def __init__(self, gain):
            self.gain = gain

        @cached
        def scale(self, x):
            counter()
            return self.gain * x

        @classmethod
        @cached
        def by_class(cls, x):
            counter()
            return cls.factor * x

        @cached
        @classmethod
        def by_class_too(cls, x):
            counter()
            return cls.factor * x

        @staticmethod
        @cached
        def plain(x):
            counter()
            return x

    def run():
        one, other = Scaler(2), Scaler(3)
        return one.scale(4), other.scale(4), Scaler.by_class(4), one.by_class_too(4), one.plain(4)

    assert run() == run() == (8, 12, 40, 40, 4)
    assert counter.count == 5
    one = Scaler(2)
    assert one.scale.check_call_in_cache(4)
    assert os.path.exists(one.scale.locate(4))
    assert one.scale.purge(4) == 1
    assert not one.scale.check_call_in_cache(4)
    assert one.scale.__wrapped__ is not None
    assert one.scale.cache_info().misses == 2


def test_coroutines(tmp_path, counter):
    @disk_cacher(tmp_path / "cache")
    async def f(x):
        counter()
        await asyncio.sleep(0.01)
        return [x]

    async def main():
        return await asyncio.gather(*(f(1) for _ in range(5)), f(2))

    assert asyncio.run(main()) == [[1]] * 5 + [[2]]
    assert counter.count == 2
    if sys.version_info >= (3, 12):
        assert inspect.iscoroutinefunction(f)


def generator():
    yield 1


async def async_generator():
    yield 1


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (generator, "generator; return a list"),
        (async_generator, "generator; return a list"),
        (Counter, "it is a class"),
        (3, "no function but of type int"),
        (max, "parameters are not known"),
    ],
)
def test_what_cannot_be_memoized_is_refused_at_once(tmp_path, function, reason):
    with pytest.raises(UnsupportedFunction, match=reason):
        disk_cacher(tmp_path)(function)


def test_it_looks_like_the_function(tmp_path):
    @disk_cacher(tmp_path)
    def f(a: int, b=2) -> float:
        """Say what it does."""

    assert f.__name__ == "f"
    assert f.__doc__ == "Say what it does."
    assert str(inspect.signature(f)) == "(a: int, b=2) -> float"
    assert f.__wrapped__(1) is None
    assert "f in" in repr(f)


def test_wrong_arguments_raise_the_functions_own_error(tmp_path):
    @disk_cacher(tmp_path)
    def f(a):
        pass

    with pytest.raises(TypeError, match=r"f\(\) missing 1 required positional argument: 'a'"):
        f()


class Awkward:
    def __reduce_ex__(self, protocol):
        raise RuntimeError("not now")


def test_arguments_that_fail_in_their_own_way_run_uncached(tmp_path, caplog):
    f = disk_cacher(tmp_path)(lambda x: 1)
    assert (f(Awkward()), f(Awkward())) == (1, 1)
    (warning,) = warnings_in(caplog)
    assert "not now" in warning


def test_partials_are_functions(tmp_path, counter):
    def f(a, b):
        counter()
        return a + b

    one = disk_cacher(tmp_path / "cache")(functools.partial(f, 1))
    other = disk_cacher(tmp_path / "cache")(functools.partial(f, 2))
    assert (one(1), other(1), one(1), other(1)) == (2, 3, 2, 3)
    assert counter.count == 2
    assert "test_partials_are_functions" in one.locate(1)


def test_what_cannot_be_followed_is_refused_by_name_unless_allowed(tmp_path):
    (tmp_path / "table").write_text("1")
    with (tmp_path / "table").open() as file:

        def f(x):
            return x if file.readable() else None

        with pytest.raises(UnsafeBinding, match="file"):
            disk_cacher(tmp_path)(f)(1)
        assert disk_cacher(tmp_path, allow_mutable_bindings=True)(f)(1) == 1


def test_failures_pass_through_and_are_not_remembered(tmp_path, counter):
    @disk_cacher(tmp_path / "cache")
    def f(x):
        counter()
        if counter.count < 3:
            raise ZeroDivisionError("on purpose")
        return x

    for _ in range(2):
        with pytest.raises(ZeroDivisionError, match="on purpose"):
            f(1)
    assert f(1) == f(1) == 1
    assert counter.count == 3


def test_arguments_changed_by_the_function_do_not_change_the_key(tmp_path, counter):
    @disk_cacher(tmp_path / "cache")
    def f(items):
        counter()
        items.append(0)
        return len(items)

    assert f([1]) == f([1]) == 2
    assert counter.count == 1


def test_ignored_arguments_do_not_count(tmp_path, counter):
    @disk_cacher(tmp_path / "cache", ignore=("n_jobs", "verbose"))
    def f(x, n_jobs=1, verbose=False):
        counter()
        return x

    f(1), f(1, n_jobs=8), f(1, verbose=True)
    assert counter.count == 1


def test_ignoring_an_unknown_argument_is_an_error_at_decoration(tmp_path):
    with pytest.raises(ValueError, match="the parameters are: x"):
        disk_cacher(tmp_path, ignore="njobs")(lambda x: x)


def test_file_arguments_count_by_content(tmp_path, counter):
    @disk_cacher(tmp_path / "cache")
    def length(path):
        counter()
        return len(Path(path).read_text())

    file = tmp_path / "data.txt"
    file.write_text("one")
    assert length(File(file)) == length(File(file)) == 3
    assert counter.count == 1
    file.write_text("three")
    assert length(File(file)) == 5


def warnings_in(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_arguments_without_a_digest_run_uncached_with_one_warning(tmp_path, counter, caplog):
    @disk_cacher(tmp_path / "cache")
    def f(lock):
        counter()
        return 1

    for _ in range(3):
        assert f(threading.Lock()) == 1
    assert counter.count == 3
    assert f.cache_info().uncached == 3
    (warning,) = warnings_in(caplog)
    assert "argument 'lock'" in warning
    with pytest.raises(UndigestableValue, match="argument 'lock'"):
        f.locate(threading.Lock())
    assert "argument 'lock'" in str(f.explain(threading.Lock()))


@pytest.mark.parametrize("method", ["npy", "mat", "hdf5"])
def test_results_a_method_cannot_hold_are_returned_with_one_warning(
    tmp_path, counter, caplog, method
):
    @disk_cacher(tmp_path / "cache", method)
    def f(x):
        counter()
        return Counter("x")

    assert isinstance(f(1), Counter)
    assert isinstance(f(1), Counter)
    assert counter.count == 2
    (warning,) = warnings_in(caplog)
    assert "f was not kept" in warning
    assert "Counter" in warning
    assert "method='pickle' can" in warning


def test_what_nothing_can_hold_is_returned(tmp_path, caplog):
    @disk_cacher(tmp_path / "cache", "pickle")
    def f():
        return threading.Lock()

    assert f().acquire()
    assert "not kept" in caplog.text


def test_damage_is_a_miss_with_a_warning(cacher, counter, caplog):
    if cacher.cache_root is None:
        pytest.skip("memory is not damaged")

    @cacher
    def f(x):
        counter()
        return np.arange(x)

    f(10)
    cacher.tiers[0].discard(next(iter(cacher.tiers[0].keys())))
    for path in Path(cacher.cache_root).parent.parent.rglob(f"*.{cacher.options.form.method}"):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    assert (f(10) == np.arange(10)).all()
    assert counter.count == 2
    assert (f(10) == np.arange(10)).all()
    assert counter.count == 2


def test_without_write_back_results_are_read_but_not_kept(tmp_path, counter):
    def make(write_back):
        @disk_cacher(tmp_path / "cache", write_back=write_back)
        def f(x):
            counter()
            return x

        return f

    reader, writer = make(False), make(True)
    reader(1), reader(1)
    assert counter.count == 2
    writer(1)
    reader(1)
    assert counter.count == 3


def test_slow_loads_are_skipped_where_asked(tmp_path, monkeypatch):
    seconds_of, passed = {"slow": 1.0, "quick": 0.1}, [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: passed[0])

    def work(name):
        @disk_cacher(tmp_path / name, skip_fast=True, allow_mutable_bindings=True)
        def f(x):
            passed[0] += seconds_of[name]
            return x

        def loaded(key, get=f._hierarchy.get):
            passed[0] += 0.5
            return get(key)

        monkeypatch.setattr(f._hierarchy, "get", loaded)
        for _ in range(4):
            assert f(1) == 1
        return f.cache_info()

    assert work("slow").hits == 3
    quick = work("quick")
    assert quick.hits < 3
    assert quick.uncached > 0


def test_locate_lscache_and_purge(tmp_path):
    @hierarchical_cacher(("ram://", tmp_path / "fast", tmp_path / "slow"))
    def f(x):
        return x

    folder, names = f.lscache()
    assert names == []
    assert folder.startswith(f.cache_root)
    f(1), f(2), f(3)
    assert os.path.dirname(f.locate(1)) == folder
    assert os.path.basename(f.locate(1)) in f.lscache()[1]
    assert len(f.lscache()[1]) == 3
    assert f.purge(1) == 1
    assert not f.check_call_in_cache(1)
    assert f.check_call_in_cache(2)
    assert f.purge() == 2
    assert list(Path(tmp_path).rglob("*.npy")) == []


def test_purging_one_function_leaves_the_others(tmp_path):
    cached = hierarchical_cacher((tmp_path / "fast", tmp_path / "slow"))

    @cached
    def f(x):
        return x

    @cached
    def g(x):
        return x

    f(1), g(1)
    f.cache_clear()
    assert not f.check_call_in_cache(1)
    assert g.check_call_in_cache(1)
    assert f.cache_info()[:3] == (0, 0, 0)


@pytest.mark.parametrize("method", METHODS)
def test_renaming_the_fields_of_a_result_renames_no_other(tiers, method):
    @hierarchical_cacher(tiers, method=method)
    def f():
        return np.zeros(3, [("a", "f8"), ("b", "i4")])

    for _ in range(4):
        result = f()
        assert result.dtype.names == ("a", "b")
        result.dtype.names = ("c", "d")


def test_counts_are_kept_by_tier(tmp_path):
    @hierarchical_cacher(("ram://", tmp_path / "slow"))
    def f(x):
        return x

    f(1), f(1)
    f._hierarchy.tiers[0].discard(next(f._hierarchy.keys()))
    f(1)
    ram, slow = f.cache_info().tiers
    assert (ram.hits, slow.hits) == (1, 1)
    assert slow.name == str(tmp_path / "slow" / "neurotools_cache")


def test_purging_a_closure_or_lambda_leaves_its_siblings(tmp_path):
    cached = disk_cacher(tmp_path)

    def make(n):
        return cached(lambda x: x * n)

    one, other, third = make(1), make(2), cached(lambda x: -x)
    one(1), other(1), third(1)
    assert one.purge() == 1
    assert other.check_call_in_cache(1)
    third.cache_clear()
    assert other.check_call_in_cache(1)


def test_parameters_may_have_any_name(tmp_path):
    @disk_cacher(tmp_path)
    def f(**options):
        return sorted(options)

    assert f(self=1, args=2, function=3, key=4) == ["args", "function", "key", "self"]
    assert f.check_call_in_cache(self=1, args=2, function=3, key=4)
    assert f.purge(self=1, args=2, function=3, key=4) == 1


class Private:
    def __init__(self, k):
        self.k = k

    @hierarchical_cacher("ram://")
    def __hidden(self, x):
        return self.k * x

    @hierarchical_cacher("ram://")
    def shown(self, x):
        return self.k * x


def test_bound_methods_travel():
    for method in (Private(3).shown, Private(3)._Private__hidden):
        assert pickle.loads(pickle.dumps(method))(2) == 6


def test_methods_purge_all_or_one(tmp_path):
    cached = disk_cacher(tmp_path)

    class Scaler:
        @cached
        def scale(self, x):
            return x

    one = Scaler()
    one.scale(1), one.scale(2)
    assert one.scale.purge(1) == 1
    assert one.scale.purge() == 1


def test_class_methods_offer_what_functions_do(tmp_path):
    cached = disk_cacher(tmp_path)

    class Scaler:
        @cached
        @classmethod
        def scale(cls, x):
            return x

    Scaler.scale(1)
    assert Scaler.scale.check_call_in_cache(1)
    assert Scaler().scale.locate(1) == Scaler.scale.locate(1)


def test_coroutines_run_without_asyncio(tmp_path):
    @disk_cacher(tmp_path)
    async def f(x):
        return x

    for _ in range(2):
        with pytest.raises(StopIteration) as stopped:
            f(1).send(None)
        assert stopped.value.value == 1
    assert f.cache_info().hits == 1


def test_ignored_extra_arguments_do_not_count(tmp_path):
    f = disk_cacher(tmp_path, ignore=("args", "options"))(lambda x, *args, **options: x)
    f(1, 2, z=3)
    assert f.check_call_in_cache(1)


def test_suggestions_were_tried(tmp_path, caplog):
    f = disk_cacher(tmp_path)(lambda: [lambda: 1])
    f()
    (warning,) = warnings_in(caplog)
    assert "pickle" not in warning


def test_verbose_says_what_happens(tmp_path, capsys):
    @disk_cacher(tmp_path, verbose=True)
    def f(x):
        return x

    f(1)
    first = capsys.readouterr().out
    assert all(
        phrase in first for phrase in ["Recomputing cache at", "Took", "Writing cache at", "boost"]
    )
    f(1)
    assert "Retrieved cache at" in capsys.readouterr().out


def test_silent_unless_asked(tmp_path, capfd):
    @disk_cacher(tmp_path)
    def f(x):
        return x

    f(1), f(1)
    assert capfd.readouterr() == ("", "")


def test_eight_threads_compute_once(tmp_path, counter):
    @disk_cacher(tmp_path / "cache")
    def f(x):
        counter()
        time.sleep(0.2)
        return x

    results = []
    threads = [threading.Thread(target=lambda: results.append(f(1))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [1] * 8
    assert counter.count == 1


def test_recursion_goes_through_the_cache(tmp_path, counter):
    @disk_cacher(tmp_path / "cache")
    def fibonacci(n):
        counter()
        return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

    assert fibonacci(12) == 144
    assert counter.count == 13


SCRIPT = """
import os, sys, time
from neurotools.jobs.cache import disk_cacher

@disk_cacher(sys.argv[1])
def work(x):
    with open(sys.argv[2], "a") as file:
        file.write("x")
    time.sleep(0.5)
    return x

work({"a": [1, 2.0], "b": {3, "x"}})
print(os.path.basename(work.locate({"b": {"x", 3}, "a": [1, 2.0]})))
"""


def test_processes_compute_once_whatever_their_hash_seed(tmp_path, counter):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    workers = [
        subprocess.Popen(
            [sys.executable, script, tmp_path / "cache", counter.path],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in range(4)
    ]
    names = {worker.communicate(timeout=60)[0].split()[-1] for worker in workers}
    assert [worker.returncode for worker in workers] == [0] * 4
    assert len(names) == 1
    assert counter.count == 1


@pytest.mark.parametrize("option", [{"method": "nyp"}, {"compress": "gzip"}, {"mmap_mode": "r+"}])
def test_unknown_options_are_refused_before_anything_is_made(tmp_path, option):
    with pytest.raises((UnknownChoice, ValueError), match=r"choose|compress"):
        disk_cacher(tmp_path / "cache", **option)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("method", ["npy", "pickle"])
def test_compressed_and_plain_entries_are_read_by_either(tmp_path, counter, method):
    def make(compress):
        @disk_cacher(tmp_path / "cache", method, compress=compress)
        def f(x):
            counter()
            return np.zeros(10**5)

        return f

    plain, compressed = make(None), make("zstd")
    compressed(1)
    assert os.path.getsize(compressed.locate(1)) < 10**4
    assert (plain(1) == compressed(1)).all()
    assert counter.count == 1


def test_mapped_results(tmp_path):
    @disk_cacher(tmp_path / "cache", mmap_mode="r")
    def f():
        return np.arange(1000)

    f()
    assert not f().flags.writeable
    assert (f() == np.arange(1000)).all()


@hierarchical_cacher("ram://")
def importable(x):
    return x


def test_it_travels_by_name():
    assert pickle.loads(pickle.dumps(importable)) is importable
    assert cloudpickle.loads(cloudpickle.dumps(importable)) is importable


def test_a_local_one_travels_by_value(tmp_path):
    @hierarchical_cacher(("ram://", tmp_path / "cache"))
    def f(x):
        return np.full(3, x)

    f(2)
    there = cloudpickle.loads(cloudpickle.dumps(f))
    assert (there(2) == 2).all()
    assert there.cache_info().hits == 1


def test_memoized_functions_count_by_their_code_wherever_they_are_held(tmp_path):
    cached = disk_cacher(tmp_path)

    def make(step):
        helper = cached(lambda x: x + step)
        table = {"helper": helper}

        @cached
        def by_table(x):
            return table["helper"](x)

        return helper, by_table

    @cached
    def apply(function, x):
        return function(x)

    (one, by_one), (other, by_other) = make(1), make(2)
    assert (by_one(1), by_other(1)) == (2, 3)
    assert (apply(one, 1), apply(other, 1)) == (2, 3)


def test_functions_as_arguments_count_by_their_code(tmp_path, counter):
    @disk_cacher(tmp_path / "cache")
    def apply(function, x):
        counter()
        return function(x)

    assert apply(lambda x: x + 1, 1) == 2
    assert apply(lambda x: x + 2, 1) == 3
    assert apply(np.sin, 0.0) == 0.0
    assert apply(len, "abc") == 3
    assert counter.count == 4


def looks_at(remembering, monkeypatch):
    """Return a list that gets each look at the tiers from now on."""
    looks, hierarchy = [], remembering._hierarchy
    for name in ("get", "has"):

        def noted(key, name=name, look=getattr(hierarchy, name)):  # noqa: B008
            looks.append(name)
            return look(key)

        monkeypatch.setattr(hierarchy, name, noted)
    return looks


def test_after_some_misses_calls_look_once(tmp_path, monkeypatch):
    double = disk_cacher(tmp_path)(lambda x: 2 * x)
    double(0)
    looks = looks_at(double, monkeypatch)
    seen = []
    for x in (1, 2, 3, 0, 4, 0):
        assert double(x) == 2 * x
        seen.append(" ".join(looks))
        looks.clear()
    assert seen == ["get has", "get", "get", "get", "get has", "get"]
    assert double.cache_info()[:2] == (2, 5)


def test_after_some_misses_nobody_is_busy_with_what_is_there(tmp_path):
    double = disk_cacher(tmp_path, on_busy="raise")(lambda x: 2 * x)
    for x in range(4):
        double(x)
    key = double._key((0,), {})
    with double._flight.alone(key):
        other = threading.Thread(target=lambda: found.append(double(0)))
        found = []
        other.start()
        other.join(60)
    assert found == [0]


def test_two_threads_that_look_once_compute_once(tmp_path, counter):
    started, go_on = threading.Event(), threading.Event()

    @disk_cacher(tmp_path)
    def double(x):
        if x == 10:
            counter()
            started.set()
            go_on.wait(60)
        return 2 * x

    for x in range(4):
        double(x)
    found = []
    threads = [threading.Thread(target=lambda: found.append(double(10))) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert started.wait(60)
    go_on.set()
    for thread in threads:
        thread.join(60)
    assert found == [20] * 4
    assert counter.count == 1
