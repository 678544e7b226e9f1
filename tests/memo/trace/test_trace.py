"""Results depend on what was read and run while they were computed, where that is asked for."""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
import threading

import numpy as np
import pytest

from neurotools.jobs.cache import disk_cacher
from neurotools.memo.fingerprint.reach import Tracker
from neurotools.memo.trace.evidence import Witness
from neurotools.memo.trace.recording import recorded
from tests.memo.test_function import Counter


@pytest.fixture
def counter(tmp_path):
    return Counter(tmp_path / "calls")


@pytest.fixture
def plugins(tmp_path, monkeypatch):
    """Return a function that writes a module of plugins, which is loaded by a computed name."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(text):
        (tmp_path / "plugins_here.py").write_text(text)
        sys.modules.pop("plugins_here", None)
        importlib.invalidate_caches()

    yield write
    sys.modules.pop("plugins_here", None)


def traced(tmp_path, **more):
    return disk_cacher(tmp_path / "cache", trace=True, allow_mutable_bindings=True, **more)


def test_a_file_that_was_read_counts(tmp_path, counter):
    data = tmp_path / "data.txt"

    @traced(tmp_path)
    def f(path):
        counter()
        with open(path) as file:
            return file.read()

    data.write_text("one")
    assert (f(str(data)), f(str(data)), counter.count) == ("one", "one", 1)
    data.write_text("two")
    assert not f.check_call_in_cache(str(data))
    assert "data.txt, which the computation used, has changed" in f.explain(str(data)).reason
    assert (f(str(data)), f(str(data)), counter.count) == ("two", "two", 2)
    assert f.explain(str(data)).hit


def test_without_tracing_it_does_not(tmp_path, counter):
    data = tmp_path / "data.txt"

    @disk_cacher(tmp_path / "cache")
    def f(path):
        counter()
        return data.read_text()

    data.write_text("one")
    f(1)
    data.write_text("two")
    assert (f(1), counter.count) == ("one", 1)


def read_by_numpy(path):
    return np.load(path).tolist()


def read_by_descriptor(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, 1000)
    finally:
        os.close(descriptor)


def read_in_a_thread(path):
    found = []
    thread = threading.Thread(target=lambda: found.append(path.read_bytes()))
    thread.start()
    thread.join()
    return found


@pytest.mark.parametrize("read", [read_by_numpy, read_by_descriptor, read_in_a_thread])
def test_however_it_is_opened(tmp_path, counter, read):
    path = tmp_path / "data.npy"

    @traced(tmp_path)
    def f(x):
        counter()
        return read(path)

    np.save(path, [1])
    before = f(1)
    np.save(path, [2])
    assert f(1) != before
    assert f(1) == read(path)
    assert counter.count == 2


def test_a_file_that_was_looked_for_counts_when_it_appears(tmp_path, counter):
    path = tmp_path / "settings"

    @traced(tmp_path)
    def f(x):
        counter()
        try:
            return path.read_text()
        except FileNotFoundError:
            return "default"

    assert (f(1), f(1), counter.count) == ("default", "default", 1)
    path.write_text("set")
    assert (f(1), counter.count) == ("set", 2)
    path.unlink()
    assert f(1) == "default"


def test_what_a_computation_writes_itself_is_no_input(tmp_path, counter):
    @traced(tmp_path)
    def f(x):
        counter()
        scratch = tmp_path / "scratch"
        scratch.write_text(str(counter.count))
        return len(scratch.read_text())

    f(1)
    (tmp_path / "scratch").write_text("else")
    assert (f(1), counter.count) == (1, 1)


def test_entries_of_memoized_functions_called_meanwhile_are_no_inputs(tmp_path, counter):
    inner = disk_cacher(tmp_path / "inner")(lambda x: np.full(3, x))

    @traced(tmp_path)
    def f(x):
        counter()
        return inner(x).sum()

    inner(2)
    assert f(2) == f(2) == 6
    assert inner.purge() == 1
    assert f(2) == 6
    assert counter.count == 1


COMPUTED = "plugins_" + "here"


def run_plugin(x):
    return importlib.import_module("".join(COMPUTED)).g(x)


def test_code_that_only_running_shows_counts(tmp_path, counter, plugins):
    @traced(tmp_path)
    def f(x):
        counter()
        return run_plugin(x)

    plugins("RATE = 2\ndef g(x):\n    return h(x) * RATE\ndef h(x):\n    return x + 1\n")
    assert (f(1), f(1), counter.count) == (4, 4, 1)
    plugins("RATE = 2\ndef g(x):\n    return h(x) * RATE\ndef h(x):\n    return x + 2\n")
    assert (f(1), f(1), counter.count) == (6, 6, 2)
    plugins("RATE = 3\ndef g(x):\n    return h(x) * RATE\ndef h(x):\n    return x + 2\n")
    assert (f(1), f(1), counter.count) == (9, 9, 3)


def test_what_can_be_followed_is_not_noted(tmp_path):
    @traced(tmp_path)
    def f(x):
        return [(lambda y: y + x)(z) for z in range(3)]

    f(1)
    (key,) = f._hierarchy.keys()
    assert f._hierarchy.record(key).details["traced"] == []


def test_coroutines_are_traced(tmp_path, counter):
    path = tmp_path / "data.txt"

    @traced(tmp_path)
    async def f(x):
        counter()
        await asyncio.sleep(0)
        return path.read_text()

    path.write_text("one")
    assert asyncio.run(f(1)) == asyncio.run(f(1)) == "one"
    path.write_text("two")
    assert asyncio.run(f(1)) == "two"
    assert counter.count == 2


def test_failures_leave_no_recording_behind(tmp_path):
    @traced(tmp_path)
    def f(x):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        f(1)
    with recorded() as recording:
        pass
    (tmp_path / "later").write_text("")
    (tmp_path / "later").read_text()
    assert str(tmp_path / "later") not in recording.files
    assert sys.getprofile() is None


def test_recordings_may_overlap(tmp_path):
    path = tmp_path / "data"
    path.write_text("")

    def step():
        return path.read_text()

    with recorded() as outer:
        with recorded() as inner:
            step()
        len(step())
    for recording in (outer, inner):
        assert str(path) in recording.files
        assert step.__code__ in recording.codes


def test_files_can_be_noted_without_a_look_at_code(tmp_path):
    path = tmp_path / "data"
    path.write_text("")

    def step():
        return path.read_text()

    with recorded(codes=False) as recording:
        step()
        assert sys.getprofile() is None
    assert str(path) in recording.files
    assert recording.codes == {}


def test_what_a_result_used_that_is_found_counts_for_who_uses_it(tmp_path, counter):
    path = tmp_path / "data"
    path.write_text("a")

    @traced(tmp_path / "inner")
    def inner(x):
        return path.read_text()

    @traced(tmp_path / "outer")
    def outer(x):
        counter()
        return inner(x)

    assert inner(1) == "a"
    assert outer(1) == outer(1) == "a"
    path.write_text("b")
    assert outer(1) == "b"
    assert counter.count == 2


@pytest.mark.skipif(sys.version_info < (3, 12), reason="profilers and tracing share one place")
def test_profilers_go_on(tmp_path):
    import cProfile

    def step():
        return 1

    profile = cProfile.Profile()
    with recorded() as recording:
        profile.runcall(step)
    assert step.__code__ in recording.codes
    assert any("step" in str(entry.code) for entry in profile.getstats())


def test_a_profiler_that_is_at_work_is_left_alone():
    calls = []
    sys.setprofile(lambda *event: calls.append(event))
    try:
        mine = sys.getprofile()
        with recorded():
            assert sys.getprofile() is mine
    finally:
        sys.setprofile(None)
    assert calls


def test_threads_that_are_started_later_are_left_alone():
    with recorded(), recorded():
        pass
    assert (sys.getprofile(), threading.getprofile()) == (None, None)


def test_a_recording_that_ends_in_another_thread_leaves_new_ones_alone():
    recording = recorded()
    recording.__enter__()
    thread = threading.Thread(target=recording.__exit__, args=(None, None, None))
    thread.start()
    thread.join()
    len(str(recording))
    (lambda: None)()
    assert (sys.getprofile(), threading.getprofile()) == (None, None)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="threads are not watched one by one")
def test_a_thread_that_outlives_the_recording_is_left_alone():
    may_go_on, found = threading.Event(), []

    def later():
        may_go_on.wait()
        (lambda: None)()
        found.append(sys.getprofile())

    with recorded():
        thread = threading.Thread(target=later)
        thread.start()
    may_go_on.set()
    thread.join()
    assert found == [None]


@pytest.mark.parametrize("facts", [7, "text", {"file": 1}, [7], [["file", "x"]], [[1, 2, 3, 4]]])
def test_what_cannot_be_read_of_a_record_counts_as_changed(facts):
    assert Witness(Tracker(read_by_numpy)).changed(facts, lambda: True)
