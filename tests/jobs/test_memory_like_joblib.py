"""What scripts do with joblib's ``Memory``, done with joblib's and with ours.

Only the import differs. At the end stands where ours does something else, and says so.
"""

import asyncio
import datetime as dt
import functools
import os
import pickle
import time
import warnings

import numpy as np
import pytest

from neurotools.jobs import memory as ours

joblib = pytest.importorskip("joblib")

BOTH = pytest.mark.parametrize("Memory", [joblib.Memory, ours.Memory], ids=["joblib", "ours"])
pytestmark = pytest.mark.filterwarnings("ignore::joblib.memory.JobLibCollisionWarning")

NOTES = []


def double(x, jobs=1, *more, **others):
    NOTES.append(x)
    return 2 * x


def noisy(n):
    NOTES.append(n)
    return np.arange(float(n)) / 7


async def later(x):
    NOTES.append(x)
    return 2 * x


# What is noted is no part of what they do.
CODE = {"allow_mutable_bindings": True}


@pytest.fixture(autouse=True)
def nothing_noted():
    NOTES.clear()


@pytest.fixture
def make(Memory, tmp_path):
    """Return what makes a memory; ours is told that the notes do not matter."""
    more = CODE if Memory is ours.Memory else {}
    return lambda *args, **kwargs: Memory(*args, **kwargs, **more)


@BOTH
class TestMaking:
    def test_the_place_is_a_location(self, make, tmp_path):
        memory = make(location=str(tmp_path / "cache"), verbose=0)
        assert memory.cache(double)(2) == memory.cache(double)(2) == 4
        assert (len(NOTES), os.path.isdir(tmp_path / "cache")) == (1, True)
        assert os.path.samefile(memory.location, tmp_path / "cache")

    def test_or_comes_first(self, make, tmp_path):
        assert make(tmp_path, verbose=0).cache(double)(2) == 4

    def test_all_can_be_given_in_their_order(self, make, tmp_path):
        memory = make(str(tmp_path), "local", None, True, 0, None)
        assert memory.cache(noisy)(3).tolist() == memory.cache(noisy)(3).tolist()
        assert (memory.backend, memory.mmap_mode, len(NOTES)) == ("local", None, 1)

    @pytest.mark.parametrize("given", [(), (None,)])
    def test_without_a_place_nothing_is_kept(self, make, given):
        memory = make(*given, verbose=0)
        f = memory.cache(double, ignore=["jobs"], verbose=3)
        assert (f(2), f(2), len(NOTES)) == (4, 4, 2)
        assert f.call(2) == (4, {})
        assert f.call_and_shelve(2).get() == 4
        assert not f.check_call_in_cache(2)
        assert memory.eval(double, 3) == 6
        f.clear()
        memory.clear(warn=False)
        memory.reduce_size(bytes_limit=1)
        assert (memory.location, f.func) == (None, double)

    def test_a_result_that_is_not_kept_can_be_let_go_of(self, make):
        held = make(None).cache(double).call_and_shelve(2)
        held.clear()
        with pytest.raises(KeyError):
            held.get()

    def test_it_can_be_pickled(self, make, tmp_path):
        memory = pickle.loads(pickle.dumps(make(str(tmp_path), verbose=0)))
        memory.cache(double)(2), memory.cache(double)(2)
        assert len(NOTES) == 1
        assert pickle.loads(pickle.dumps(make(None))).location is None

    @pytest.mark.parametrize("compress", [True, False, 0, 3, 9, "zlib", ("zlib", 3), ("gzip", 9)])
    def test_compression_gives_the_same(self, make, tmp_path, compress):
        f = make(str(tmp_path), compress=compress, verbose=0).cache(zeros)
        np.testing.assert_array_equal(f(10_000), f(10_000))
        size = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
        assert (size < 20_000) == bool(compress)

    def test_compressed_results_cannot_be_mapped(self, make, tmp_path):
        with pytest.warns(UserWarning, match="ompressed"):
            make(str(tmp_path), compress=True, mmap_mode="r")

    def test_there_is_no_such_backend(self, make, tmp_path):
        with pytest.raises((TypeError, ValueError), match="backend"):
            make(str(tmp_path), backend="s3")


def zeros(n):
    return np.zeros(n)


@BOTH
class TestMapping:
    def test_read_only_at_the_first_call_and_later(self, make, tmp_path):
        f = make(str(tmp_path), mmap_mode="r", verbose=0).cache(noisy)
        for _ in range(2):
            found = f(20_000)
            assert not found.flags.writeable
            assert not found.flags.owndata
            assert isinstance(found, np.memmap)
            np.testing.assert_array_equal(found, np.arange(20_000.0) / 7)
        assert len(NOTES) == 1

    def test_copy_on_write_changes_nothing_that_is_kept(self, make, tmp_path):
        f = make(str(tmp_path), mmap_mode="c", verbose=0).cache(noisy)
        for _ in range(3):
            found = f(20_000)
            assert found[0] == 0
            found[0] = 5


@BOTH
class TestCalling:
    @pytest.fixture
    def memory(self, make, tmp_path):
        return make(str(tmp_path), verbose=0)

    def test_as_a_decorator_with_and_without_arguments(self, memory):
        @memory.cache
        def one(x):
            return x

        @memory.cache(ignore=["jobs"])
        def two(x, jobs=1):
            return x, jobs

        assert (one(1), one(x=1)) == (1, 1)
        assert two(1, jobs=1) == two(1, jobs=2) == (1, 1)

    def test_options_by_place(self, memory):
        f = memory.cache(double, ["jobs"], 0, None)
        f(2, jobs=1), f(2, jobs=2)
        assert (NOTES, f.ignore) == ([2], ["jobs"])

    def test_a_name_to_ignore_that_is_none(self, memory):
        with pytest.raises(ValueError, match="nothing_of_that_name"):
            memory.cache(noisy, ignore=["nothing_of_that_name"])(2)

    def test_spelling_does_not_matter_and_types_of_containers_do(self, memory):
        f = memory.cache(double)
        f(2), f(x=2), f(2, jobs=1), f(2, 1)
        assert NOTES == [2]
        f([1, 2]), f((1, 2))
        assert len(NOTES) == 3

    def test_eval(self, memory):
        assert memory.eval(double, 2) == memory.eval(double, x=2) == 4
        assert NOTES == [2]

    def test_looking_without_calling(self, memory):
        f = memory.cache(double)
        assert not f.check_call_in_cache(2)
        f(2)
        assert f.check_call_in_cache(2)
        assert NOTES == [2]

    def test_call_computes_anew_and_tells_what_is_known(self, memory):
        f = memory.cache(double)
        started = time.time()
        f(2)
        output, metadata = f.call(2, jobs=3)
        assert (output, f.call(2, jobs=3)[0], len(NOTES)) == (4, 4, 3)
        assert {"duration", "time", "input_args"} <= set(metadata)
        assert metadata["input_args"]["jobs"] == "3"
        assert started - 1 < metadata["time"] < time.time() + 1
        assert f(2, jobs=3) == 4
        assert len(NOTES) == 3

    def test_shelving(self, memory):
        f = memory.cache(noisy)
        shelved = f.call_and_shelve(5)
        again = pickle.loads(pickle.dumps(f.call_and_shelve(5)))
        np.testing.assert_array_equal(shelved.get(), again.get())
        assert NOTES == [5]
        shelved.clear()
        with pytest.raises(KeyError):
            again.get()
        assert not f.check_call_in_cache(5)

    def test_what_is_asked_of_memories_functions_and_results(self, memory):
        f = memory.cache(double)
        f(2)
        assert os.path.isdir(memory.store_backend.location)
        assert os.path.isdir(os.path.join(memory.store_backend.location, f.func_id))
        assert f.call_and_shelve(2).duration >= 0
        assert f.call_and_shelve(2).metadata["input_args"]["x"] == "2"
        assert type(memory)(None).store_backend is None

    def test_methods_count_with_their_instance(self, memory):
        times = [memory.cache(Times(k).times) for k in (3, 4, 3)]
        assert [f(2) for f in times] == [6, 8, 6]
        assert len(NOTES) == 2

    def test_functions_of_others_and_callable_objects(self, memory):
        assert memory.cache(np.linalg.svd)(np.eye(2))[1].tolist() == [1, 1]
        assert memory.cache(len)([1, 2]) == 2
        assert memory.cache(np.linalg.det)(np.eye(2)) == 1
        assert memory.cache(Times(3))(2) == 6

    @pytest.mark.skipif(
        not hasattr(np.sin, "__signature__"), reason="this numpy does not say what it takes"
    )
    def test_universal_functions(self, memory):
        assert memory.cache(np.sin)(0.0) == 0

    def test_clearing_a_function_leaves_others(self, memory):
        f, g = memory.cache(double), memory.cache(noisy)
        f(2), g(2)
        f.clear(warn=False)
        assert (f.check_call_in_cache(2), g.check_call_in_cache(2)) == (False, True)
        f(2)
        assert f.check_call_in_cache(2)

    def test_clearing_all(self, memory):
        f, g = memory.cache(double), memory.cache(noisy)
        f(2), g(2)
        memory.clear(warn=False)
        assert (f.check_call_in_cache(2), g.check_call_in_cache(2)) == (False, False)
        assert (f(2), f(2)) == (4, 4)

    def test_caching_twice_is_caching_once(self, memory):
        f = memory.cache(memory.cache(double))
        f(2), f(2)
        assert (NOTES, f.func) == ([2], double)

    def test_errors_are_raised_and_not_kept(self, memory):
        f = memory.cache(fails)
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                f(1)
        assert NOTES == [1, 1]

    def test_a_result_that_is_changed_is_as_it_was_kept(self, memory):
        f = memory.cache(noisy)
        f(3)
        f(3)[:] = 9
        assert f(3)[0] == 0

    def test_none_is_a_result(self, memory):
        f = memory.cache(nothing)
        assert (f(1), f(1), NOTES) == (None, None, [1])

    def test_names_and_documentation_stay(self, memory):
        f = memory.cache(documented)
        assert f.__name__ == "documented"
        assert "What it says." in f.__doc__

    def test_arrays_count_by_content(self, memory):
        f = memory.cache(double)
        f(np.arange(5.0)), f(np.arange(5.0)), f(np.arange(5))
        assert len(NOTES) == 2

    def test_a_function_and_its_results_travel(self, memory):
        f = pickle.loads(pickle.dumps(memory.cache(double)))
        assert (f(2), f(2), NOTES) == (4, 4, [2])

    def test_workers_share_it(self, memory):
        f = memory.cache(slow_square)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = joblib.Parallel(n_jobs=2, backend="threading")(
                joblib.delayed(f)(x) for x in (1, 2, 3)
            )
        assert found == [1, 4, 9]
        assert all(f.check_call_in_cache(x) for x in (1, 2, 3))

    def test_coroutines(self, memory):
        f = memory.cache(later)

        async def run():
            first, second = await f(2), await f(2)
            shelved = await f.call_and_shelve(2)
            output, metadata = await f.call(2)
            return first, second, shelved.get(), output, "duration" in metadata

        assert asyncio.run(run()) == (4, 4, 4, 4, True)
        assert (NOTES, f.check_call_in_cache(2)) == ([2, 2], True)


class Times:
    def __init__(self, k):
        self.k = k

    def times(self, x):
        NOTES.append(x)
        return x * self.k

    def __call__(self, x):
        return x * self.k


def fails(x):
    NOTES.append(x)
    return 1 / 0


def nothing(x):
    NOTES.append(x)


def documented(x):
    """What it says."""
    return x


def slow_square(x):
    return x * x


@BOTH
class TestValidation:
    @pytest.fixture
    def memory(self, make, tmp_path):
        return make(str(tmp_path), verbose=0)

    def test_the_callback_is_told_and_decides(self, memory):
        told, answer = [], [True]

        def validate(metadata):
            told.append(metadata)
            return answer[0]

        f = memory.cache(double, cache_validation_callback=validate)
        f(2)
        assert told == []
        f(2)
        assert (NOTES, told[0]["input_args"]["x"]) == ([2], "2")
        assert told[0]["duration"] >= 0
        answer[0] = False
        assert (f(2), NOTES) == (4, [2, 2])
        assert not f.check_call_in_cache(2)
        answer[0] = True
        f(2)
        assert len(NOTES) == 3  # what is not valid was removed when it was looked at

    def test_results_expire(self, memory, Memory):
        expires_after = ours.expires_after if Memory is ours.Memory else joblib.expires_after
        f = memory.cache(double, cache_validation_callback=expires_after(hours=1))
        f(2), f(2)
        assert NOTES == [2]
        f = memory.cache(double, cache_validation_callback=expires_after(microseconds=1))
        time.sleep(0.002)
        f(2)
        assert NOTES == [2, 2]

    def test_joblibs_own_callbacks_do(self, memory):
        f = memory.cache(double, cache_validation_callback=joblib.expires_after(days=1))
        f(2), f(2)
        assert NOTES == [2]

    def test_in_a_decorator(self, memory):
        @memory.cache(cache_validation_callback=lambda metadata: False)
        def f(x):
            NOTES.append(x)
            return x

        f(1), f(1)
        assert NOTES == [1, 1]

    def test_what_cannot_be_called_is_refused(self, memory):
        with pytest.raises(ValueError, match="cache_validation_callback"):
            memory.cache(double, cache_validation_callback=5)


@BOTH
class TestReducing:
    @pytest.fixture
    def filled(self, make, tmp_path):
        memory = make(str(tmp_path), verbose=0)
        f = memory.cache(zeros)
        for n in range(1000, 1005):
            f(n)
        return memory, lambda: sum(f.check_call_in_cache(n) for n in range(1000, 1005))

    def test_without_limits_all_stays(self, filled):
        memory, kept = filled
        memory.reduce_size()
        assert kept() == 5

    def test_to_a_number(self, filled):
        memory, kept = filled
        memory.reduce_size(items_limit=2)
        assert kept() == 2

    @pytest.mark.parametrize("limit", [20_000, "20K"])
    def test_to_a_size(self, filled, limit):
        memory, kept = filled
        memory.reduce_size(limit)
        assert kept() == 2

    def test_to_an_age(self, filled):
        memory, kept = filled
        memory.reduce_size(age_limit=dt.timedelta(days=1))
        assert kept() == 5
        time.sleep(0.002)
        memory.reduce_size(age_limit=dt.timedelta(0))
        assert kept() == 0

    def test_a_negative_age_is_refused(self, filled):
        with pytest.raises(ValueError, match=r"negative|positive"):
            filled[0].reduce_size(age_limit=dt.timedelta(days=-1))


@BOTH
@pytest.mark.parametrize(
    ("verbose", "computing", "loading"),
    [(0, False, False), (1, True, False), (2, True, True), (11, True, True)],
)
def test_levels_of_telling(make, tmp_path, capsys, verbose, computing, loading):
    f = make(str(tmp_path), verbose=verbose).cache(double)
    f(2)
    assert bool(capsys.readouterr().out) is computing
    f(2)
    assert bool(capsys.readouterr().out) is loading


@BOTH
def test_a_function_can_tell_more_than_its_memory(make, tmp_path, capsys):
    make(str(tmp_path), verbose=0).cache(double, verbose=1)(2)
    assert capsys.readouterr().out
    make(str(tmp_path / "b"), verbose=1).cache(double, verbose=0)(2)
    assert not capsys.readouterr().out


@BOTH
def test_partials_are_functions(make, tmp_path):
    f = make(str(tmp_path), verbose=0).cache(functools.partial(double, 2))
    assert (f(jobs=2), f(jobs=2), NOTES) == (4, 4, [2])
    g = make(None).cache(functools.partial(double, 2))
    assert (g(jobs=2), NOTES) == (4, [2, 2])


# ---------------------------------------------------------------- where ours differs


@pytest.mark.parametrize("compress", [10, -1, ("zlib", 10), ("zlib", None)])
def test_levels_that_there_are_not_are_refused_at_once(tmp_path, compress):
    with pytest.raises(ValueError, match="levels go from 0 to 9"):
        ours.Memory(tmp_path, compress=compress)


def test_a_function_can_have_another_mode_than_its_memory(tmp_path):
    memory = ours.Memory(tmp_path, mmap_mode="r", **CODE)  # joblib takes no notice
    for mode, is_writeable in ((None, True), ("c", True), (False, False), ("r", False)):
        f = memory.cache(noisy, mmap_mode=mode)
        f(20_000)
        assert f(20_000).flags.writeable is is_writeable


def pair(n):
    return np.arange(n), [np.zeros(n)], "text"


@BOTH
@pytest.mark.parametrize("mode", ["r", "c"])
def test_small_and_grouped_arrays_are_mapped_as_large_ones_are(make, tmp_path, mode):
    f = make(str(tmp_path), mmap_mode=mode, verbose=0).cache(noisy)
    g = make(str(tmp_path), mmap_mode=mode, verbose=0).cache(pair)
    for _ in range(2):
        for found in (f(10), f.call_and_shelve(10).get(), g(10)[0], g(20_000)[0]):
            assert isinstance(found, np.memmap)
            assert found.mode == mode
            assert found.flags.writeable is (mode == "c")
        assert g(10)[2] == "text"
    if mode == "c":
        f(10)[:] = 5
        assert f(10)[1] == 1 / 7


@pytest.mark.parametrize("mode", ["r+", "w+"])
def test_modes_that_let_callers_change_what_is_kept_are_refused(tmp_path, mode):
    with pytest.raises(ValueError, match="change what is kept"):
        ours.Memory(tmp_path, mmap_mode=mode)
    with pytest.raises(ValueError, match="change what is kept"):
        ours.Memory(tmp_path).cache(double, mmap_mode=mode)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"mmap_mode": "x"}, "unknown mmap_mode"),
        ({"backend": "dask"}, "unknown backend"),
        ({"backend_options": {"a": 1}}, "backend_options"),
        ({"compress": "rar"}, "unknown compress"),
    ],
)
def test_what_there_is_not_is_told_before_a_folder_is_made(tmp_path, given, told):
    with pytest.raises(ValueError, match=told):
        ours.Memory(tmp_path / "new", **given)
    assert not (tmp_path / "new").exists()


def test_a_folder_has_one_name(tmp_path):
    with pytest.raises(TypeError, match="two names for one"):
        ours.Memory(tmp_path, location=tmp_path)


def test_interfaces_need_a_folder():
    class Interface:
        inputs = None

        def run(self, cwd=None): ...

    with pytest.raises(ValueError, match="interfaces run in folders"):
        ours.Memory(None).cache(Interface)


def test_options_that_are_given_twice_or_are_too_many(tmp_path):
    memory = ours.Memory(tmp_path)
    with pytest.raises(TypeError, match=r"\['ignore'\] twice"):
        memory.cache(double, ["jobs"], ignore=["jobs"])
    with pytest.raises(TypeError, match="too many"):
        memory.cache(double, None, 0, None, None, 5)
