"""Many calls of a remembered function: looked up, computed once each, put in order."""

import collections
import itertools
import json
import logging
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent import futures

import numpy as np
import pandas as pd
import pytest

from neurotools.jobs.cache import File, disk_cacher, hierarchical_cacher
from neurotools.jobs.parallel import call
from neurotools.memo.errors import (
    CannotTravel,
    NotCalls,
    OtherCode,
    UnknownChoice,
    UnknownExecutor,
    UnsafeBinding,
    UnsupportedFunction,
    WorkersLost,
    WrongArguments,
)
from neurotools.memo.many import plan
from neurotools.memo.many.work import Common, MemoizedWork

pytest.importorskip("loky")


class Counted:
    """Counts calls by files, which processes share."""

    def __init__(self, folder):
        self.folder = str(folder)
        os.makedirs(self.folder, exist_ok=True)

    def __call__(self, name=""):
        with open(os.path.join(self.folder, f"{name}-{os.getpid()}-{time.monotonic_ns()}"), "x"):
            pass

    def __neurotools_digest__(self):
        return self.folder

    @property
    def count(self):
        return len(os.listdir(self.folder))


@pytest.fixture
def counted(tmp_path):
    return Counted(tmp_path / "counted")


@pytest.fixture
def scaled(cache_dir, counted):
    """A function that takes 1 to 2 arguments, and fails for negative ones."""

    @disk_cacher(cache_dir)
    def scaled(x, factor=10, *, data=None):
        counted()
        if np.any(np.asarray(x) < 0):
            raise ValueError(f"{x} is negative")
        return np.full(3, x * factor + (0 if data is None else data.sum()))

    return scaled


def firsts(results):
    return [result if isinstance(result, Exception) else result[0] for result in results]


# ---------------------------------------------------------------- results


def test_results_come_in_order_and_each_is_computed_once(scaled, counted):
    assert firsts(scaled.map([3, 1, 3, 2, 1])) == [30, 10, 30, 20, 10]
    assert counted.count == 3
    assert firsts(scaled.map(range(5))) == [0, 10, 20, 30, 40]
    assert counted.count == 5
    assert scaled(4)[0] == 40
    assert counted.count == 5


def test_results_of_equal_calls_are_independent(scaled):
    for _ in range(2):  # computed, then found
        first, second = scaled.map([1, 1])
        first[:] = 99
        assert second[0] == 10


def test_equal_results_that_cannot_be_kept_are_independent(cache_dir):
    @disk_cacher(cache_dir)
    def boxed(x):
        return [x, threading.Event]  # no array: npy refuses it

    first, second = boxed.map([1, 1], executor=1)
    first.append(2)
    assert len(second) == 2


@pytest.mark.parametrize("executor", [None, 2], ids=["here", "processes"])
def test_several_iterables_and_common_keywords(scaled, executor):
    data = np.arange(50_000.0)  # larger than what goes along with each call
    expected = [data.sum() + 6, data.sum() + 20]
    assert firsts(scaled.map((2, 5), iter([3, 4]), data=data, executor=executor)) == expected


def test_starmap_takes_tuples_dicts_and_calls(scaled):
    items = [(1,), [2, 3], {"x": 3, "factor": 1}, call(4, factor=2)]
    assert firsts(scaled.starmap(items)) == [10, 6, 3, 8]
    assert firsts(scaled.starmap(items[::2], factor=5)) == [5, 3]
    assert firsts(scaled.starmap([call(4, factor=2)], factor=5)) == [8]


def test_repeat_is_as_long_as_the_others(scaled):
    assert firsts(scaled.map([1, 2], itertools.repeat(3))) == [3, 6]


def test_no_calls_give_no_results(scaled):
    assert scaled.map([]) == scaled.starmap([]) == []


@pytest.mark.parametrize("executor", [None, 2])
def test_methods_have_it_too(executor, cache_dir):
    class Amplifier:
        def __init__(self, gain):
            self.gain = gain

        @disk_cacher(cache_dir)
        def run(self, x, offset=0, kind=1):
            return self.gain * x + offset * kind

        @disk_cacher(cache_dir)
        @classmethod
        def named(cls, x):
            return f"{cls.__name__}{x}"

        @staticmethod
        @disk_cacher(cache_dir)
        def plain(x):
            return x + 1

    assert Amplifier(3).run.map([1, 2], executor=executor) == [3, 6]
    assert Amplifier(4).run.map([1, 2], offset=1, executor=executor) == [5, 9]
    assert Amplifier(4).run.map([1, 2], offset=1, kind=2, executor=executor) == [6, 10]
    assert Amplifier(4).run.starmap([{"x": 1}], executor=executor) == [4]
    assert Amplifier.named.map(["a", "b"], executor=executor)[1] == "Amplifierb"
    assert Amplifier.plain.map([1], executor=executor) == [2]


def test_a_generator_that_gives_one_changed_array_is_taken_as_it_ends(scaled):
    def changed():
        array = np.zeros(1)
        for value in range(3):
            array[0] = value
            yield array

    # Not as Python's map, but a result always belongs to its arguments.
    assert [result[0] for result in scaled.map(changed())] == [20, 20, 20]
    assert scaled(np.array([2.0]))[0] == 20


def test_arguments_that_a_call_changes_do_not_spoil_the_next(cache_dir):
    @disk_cacher(cache_dir)
    def taken(values, n):
        values.append(n)
        return list(values)

    shared = [0]
    taken.map([shared, shared], [1, 2])
    assert taken([0], 1) == [0, 1]
    assert taken([0], 2) == [0, 2]


def test_common_arguments_are_new_for_each_call_in_a_worker(cache_dir):
    @disk_cacher(cache_dir)
    def taken(n, values):
        values.append(n)
        return list(values)

    assert taken.map([1, 2, 3], values=[0], executor=1) == [[0, 1], [0, 2], [0, 3]]


def test_files_count_by_content(tmp_path, cache_dir, counted):
    @disk_cacher(cache_dir)
    def length(path: File):
        counted()
        with open(path) as file:
            return len(file.read())

    paths = [str(tmp_path / name) for name in "abc"]
    for path, text in zip(paths, ("one", "three", "one"), strict=True):
        with open(path, "w") as file:
            file.write(text)
    assert length.map(paths) == [3, 5, 3]
    assert counted.count == 2


# ---------------------------------------------------------------- who computes


def test_large_results_come_through_the_cache(cache_dir):
    @disk_cacher(cache_dir)
    def large(n):
        return np.full(300_000, n)

    work = MemoizedWork(large, Common((), {}), shared=0)
    key = large.key_of((3,), {})
    work.whole()
    answer = work((3,), {}, key, False)
    assert (answer.value, answer.is_left) == (None, True)
    assert work((3,), {}, key, True).value[0] == 3
    assert firsts(large.map([3, 4], executor=2)) == [3, 4]


def test_large_results_that_are_not_seen_here_are_sent(tmp_path):
    """As on a cluster whose computers have a folder of the same name each."""

    @hierarchical_cacher(("ram://", tmp_path / "cache"))
    def large(n):
        return np.full(300_000, n)

    hidden = large.hierarchy.tiers[1]
    moved = tmp_path / "elsewhere"
    made = []

    def away(key):
        made.append(key)

    hidden_get, hidden.get = hidden.get, away
    try:
        assert firsts(large.map([3, 4], executor=1)) == [3, 4]
    finally:
        hidden.get = hidden_get
    assert made
    assert not moved.exists()


def test_results_in_memory_alone_are_kept_by_the_caller(counted):
    @hierarchical_cacher("ram://")
    def double(x):
        counted()
        return 2 * x

    assert double.map([1, 2, 1], executor=2) == [2, 4, 2]
    assert [double(1), double(2)] == [2, 4]
    assert counted.count == 2
    assert double.cache_info().misses == 2


def test_each_key_is_computed_once_by_many_at_once(cache_dir, counted):
    @disk_cacher(cache_dir)
    def slow(x):
        counted()
        time.sleep(0.05)
        return x

    with futures.ThreadPoolExecutor(3) as pool:
        runs = [pool.submit(slow.map, [*range(6)] * 2, executor=1) for _ in range(3)]
        assert [run.result() for run in runs] == [[*range(6)] * 2] * 3
    assert counted.count == 6


def test_a_damaged_entry_is_computed_again(scaled, counted):
    scaled.map([1, 2])
    with open(scaled.locate(2), "r+b") as file:
        file.write(b"damaged")
    assert firsts(scaled.map([1, 2, 2])) == [10, 20, 20]
    assert counted.count == 3


def test_traced_files_are_looked_at_again(tmp_path, cache_dir):
    path = tmp_path / "file"
    path.write_text("one")

    @disk_cacher(cache_dir, trace=True)
    def read(n):
        return path.read_text() * n

    assert read.map([1, 2], executor=1) == ["one", "oneone"]
    path.write_text("two")
    assert read.map([1, 2]) == ["two", "twotwo"]


def test_other_code_is_refused(scaled):
    work = MemoizedWork(scaled, Common((), {}), shared=None).whole()
    key = scaled.key_of((3,), {})
    with pytest.raises(OtherCode, match="scaled is another version there"):
        work((3,), {}, key._replace(code="somethingother"), False)


# ---------------------------------------------------------------- errors


def test_the_first_error_is_raised_and_says_which_call_it_was(scaled):
    with pytest.raises(ValueError, match="-1 is negative") as raised:
        scaled.map([1, 2, -1, 3, -4])
    notes = getattr(raised.value, "__notes__", ["calls[2] of 5, scaled(-1)"])
    assert "calls[2] of 5" in notes[0]
    assert "scaled(-1)" in notes[0]


def test_what_runs_when_a_call_fails_is_kept(cache_dir, counted):
    @disk_cacher(cache_dir)
    def slow(x, path):
        if x == 1:
            raise ValueError("one")
        counted(x)
        return x

    with pytest.raises(ValueError, match="one"):
        slow.map([0, 1, *range(2, 1000)], path="p", executor=2)
    done = counted.count
    assert done < 900  # no others were begun
    assert sum(slow.check_call_in_cache(x, "p") for x in range(1000)) == done


def test_errors_stand_in_the_places_of_results(scaled, counted):
    results = scaled.map([1, -1, 2, -1], executor=2, on_error="collect")
    assert firsts(results[::2]) == [10, 20]
    assert [str(error) for error in results[1::2]] == ["-1 is negative"] * 2
    assert counted.count == 3
    scaled.map([1, -1, 2], on_error="collect")
    assert counted.count == 4  # an error is not kept


def test_wrong_arguments_are_told_before_anything_is_computed(scaled, counted):
    with pytest.raises(WrongArguments, match=r"calls\[1\] of 2, scaled\(2, 3, 4\): .*does not"):
        scaled.starmap([(1,), (2, 3, 4)])
    assert counted.count == 0
    first, second = scaled.starmap([(1,), (2, 3, 4)], on_error="collect")
    assert (first[0], type(second)) == (10, WrongArguments)


def test_what_cannot_be_remembered_is_named_and_computed(cache_dir, caplog):
    @disk_cacher(cache_dir)
    def kind(x):
        return type(x).__name__

    assert kind.map([1, threading.Lock()]) == ["int", "lock"]
    assert "calls[1] of 2, kind(<lock>) cannot be remembered: argument 'x'" in caplog.text


def test_what_cannot_travel_is_named(cache_dir):
    @disk_cacher(cache_dir)
    def kind(x):
        return type(x).__name__

    with pytest.raises(CannotTravel, match=r"calls\[1\] of 3, kind\(<lock>\): a call of"):
        kind.map([1, threading.Lock(), 2], executor=2)
    results = kind.map([1, threading.Lock(), 2], executor=2, on_error="collect")
    assert [results[0], type(results[1]), results[2]] == ["int", CannotTravel, "int"]


@disk_cacher("ram://")
def killing(x):
    if x == 2:
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    return x


def test_a_call_that_kills_its_worker_is_named():
    results = killing.map(range(5), executor=2, on_error="collect")
    assert [results[0], results[1], results[3], results[4]] == [0, 1, 3, 4]
    assert isinstance(results[2], WorkersLost)
    assert str(results[2]).startswith("calls[2] of 5, killing(2): the worker")


def test_an_executor_that_was_shut_down_is_named(scaled):
    with futures.ProcessPoolExecutor(1) as pool:
        pass
    with pytest.raises(WorkersLost, match=r"calls\[0\] of 2.*shutdown"):
        scaled.map([1, 2], executor=pool)


def test_code_that_cannot_be_followed_is_refused_as_by_a_call(tmp_path, cache_dir):
    (tmp_path / "table").write_text("1")
    with (tmp_path / "table").open() as file:
        unsafe = disk_cacher(cache_dir)(lambda x: x if file.readable() else None)
        with pytest.raises(UnsafeBinding, match="file"):
            unsafe.map([1])


@pytest.mark.parametrize(
    "given", [np.arange(3), {0: "a", 1: "b"}, {0: None, 1: None}.keys(), {0, 1}, range(3)]
)
def test_what_can_be_iterated_over_gives_the_calls(scaled, given):
    assert np.array_equal(scaled.map(given), list(map(scaled, given)))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (("abc",), "a single str"),
        ((b"abc",), "a single bytes"),
        ((pd.DataFrame({"a": [1]}),), "a DataFrame; give one of its columns"),
        ((np.array(3),), "a ndarray of no dimension"),
        ((3,), "a single int"),
        (([1], "ab"), "argument 2 of map is a single str"),
        (([1, 2], [1]), "the iterables have 2 and 1 items"),
        ((itertools.repeat(1),), "endlessly many"),
        ((), "give one iterable"),
    ],
)
def test_what_is_no_list_of_arguments_is_refused(scaled, given, reason):
    with pytest.raises(NotCalls, match=reason):
        scaled.map(*given)


@pytest.mark.parametrize("item", [3, "ab", {1: 2}, {1, 2}, np.arange(2)])
def test_what_is_no_call_is_refused(scaled, item):
    with pytest.raises(NotCalls, match=r"call 1 is a \w+; give a tuple, a dict or a call"):
        scaled.starmap([(1,), item])


def test_rows_with_names_are_asked_what_they_mean(scaled):
    row = collections.namedtuple("row", ["factor", "x"])(1, 2)
    with pytest.raises(NotCalls, match=r"row; give tuple\(row\), or row\._asdict\(\)"):
        scaled.starmap([row])
    assert scaled.starmap([row._asdict()])[0][0] == 2


def test_keys_and_items_of_a_dictionary_have_an_order(scaled):
    assert firsts(scaled.map({2: 5, 1: 6}.keys())) == [20, 10]
    assert firsts(scaled.starmap({2: 5, 1: 6}.items())) == [10, 6]


def test_wrong_options_are_refused_at_once(scaled, counted):
    with pytest.raises(UnknownChoice, match="on_error"):
        scaled.map([1], on_error="ignore")
    with pytest.raises(UnknownExecutor, match="'many'"):
        scaled.map([1], executor="many")
    assert counted.count == 0


def test_coroutines_are_told_how_to_do_it(cache_dir):
    @disk_cacher(cache_dir)
    async def waits(x):
        return x

    with pytest.raises(UnsupportedFunction, match=r"cannot make many calls of .*asyncio\.gather"):
        waits.map([1])


# ---------------------------------------------------------------- what is told


def test_what_will_be_done_is_told_before(scaled, caplog):
    caplog.set_level(logging.INFO, "neurotools.memo.many")
    scaled.map([1, 2, 1])
    assert "3 calls: 0 found, 2 to compute (1 more is the same) by this process" in caplog.text
    assert "nobody knows yet how long one takes" in caplog.text
    scaled.map([1, 2, 3])
    assert "3 calls: 2 found, 1 to compute by this process, less than a second" in caplog.text
    caplog.clear()
    scaled.map([4])  # others of the function are looked at
    assert "1 call: 0 found, 1 to compute by this process, less than a second" in caplog.text


def test_the_time_is_that_of_earlier_calls_shared_by_the_workers(cache_dir, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "neurotools.memo.many")
    clock = iter(range(0, 10**9, 60))  # each look is a minute later

    @disk_cacher(cache_dir)
    def slow(x):
        return x

    with monkeypatch.context() as patched:
        patched.setattr(time, "perf_counter", lambda: float(next(clock)))
        slow.map([1, 2])
    slow.map(range(8), executor=2)
    assert re.search(r"2 found, 6 to compute by 2 processes, about (\d) min", caplog.text)[1] == "3"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.1, "less than a second"), (3, "about 3 s"), (90, "about 2 min"), (9000, "about 2.5 h")],
)
def test_times_are_told_as_people_do(seconds, told):
    assert plan.told_seconds(seconds) == told


def test_nothing_is_shown_where_nobody_sees_it(scaled, capfd):
    scaled.map([1, 2])
    assert capfd.readouterr() == ("", "")


def test_a_bar_is_shown_in_a_terminal(scaled, capfd, monkeypatch):
    pytest.importorskip("tqdm")
    monkeypatch.setattr("neurotools.memo.progress.is_seen", lambda: True)
    monkeypatch.setattr("neurotools.memo.progress._LONG_SECONDS", 0)
    scaled.map([1, -2, 3], on_error="collect")
    told = capfd.readouterr().err
    assert "scaled: 3 calls: 0 found, 3 to compute" in told
    assert "3/3" in told
    assert "failed=1" in told
    scaled.map([1], progress=False)
    assert capfd.readouterr().err == ""


def test_what_is_soon_over_shows_no_bar(scaled, capfd, monkeypatch):
    monkeypatch.setattr("neurotools.memo.progress.is_seen", lambda: True)
    monkeypatch.setattr("neurotools.memo.progress._LONG_SECONDS", 1000)
    scaled.map([1, -2, 3], on_error="collect")
    assert capfd.readouterr().err == ""


def test_it_goes_on_without_tqdm(scaled, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr("neurotools.memo.progress.is_seen", lambda: True)
    monkeypatch.setattr("neurotools.memo.progress._LONG_SECONDS", 0)
    assert firsts(scaled.map([1])) == [10]


# ---------------------------------------------------------------- interrupts


SCRIPT = """
    import os, sys, time
    from neurotools.jobs.cache import disk_cacher

    @disk_cacher(sys.argv[1])
    def slow(x, folder):
        time.sleep(0.05)
        while x >= 10 and os.path.exists(folder + "-held"):
            time.sleep(0.01)
        with open(os.path.join(folder, f"{x}-{os.getpid()}-{time.monotonic_ns()}"), "x"):
            return x

    print(slow.map(range(20), folder=sys.argv[2], executor=eval(sys.argv[3])), flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no group to send an interrupt to")
@pytest.mark.parametrize("executor", ["None", "2"])
def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path, counted, executor):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))
    command = [sys.executable, str(script), str(tmp_path / "cache"), counted.folder, executor]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # However late the interrupt comes, it is in the middle of the run.
    held = counted.folder + "-held"
    open(held, "x").close()
    process = subprocess.Popen(command, start_new_session=True, **pipes)
    while counted.count < 5 and process.poll() is None:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    os.unlink(held)
    assert "KeyboardInterrupt" in told
    assert "what was computed is kept" in told
    before = counted.count
    assert 5 <= before < 20
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout) == [*range(20)]
    # Those that ran just then may have been ended before they were kept.
    assert 20 <= counted.count <= 22
