"""The user's code comes first: its errors, its arguments, its results and its settings."""

import asyncio
import copy
import io
import logging
import os
import signal
import sys
import traceback
import warnings

import numpy as np
import pytest

from neurotools.jobs.cache import hierarchical_cacher
from neurotools.memo.locking import lockfiles
from neurotools.memo.tiers import alive

TIERS = {"ram": ("ram://",), "folder": ("one",), "both": ("ram://", "one")}


@pytest.fixture(params=TIERS)
def cacher(request, tmp_path):
    places = [tier if "://" in tier else tmp_path / tier for tier in TIERS[request.param]]

    def make(**options):
        return hierarchical_cacher(places, allow_mutable_bindings=True, **options)

    return make


class Odd(Exception):
    pass


def raising(kind):
    if kind == "from":
        raise Odd("a") from KeyError("b")
    if kind == "context":
        try:
            raise KeyError("b")
        except KeyError:
            raise Odd("a")  # noqa: B904 - a context is what is wanted
    if kind == "none":
        try:
            raise KeyError("b")
        except KeyError:
            raise Odd("a") from None
    if kind == "notes":
        error = Odd("a")
        error.__notes__ = ["a note"]
        raise error
    if kind == "group":
        raise ExceptionGroup("many", [Odd("a"), ValueError("b")])  # noqa: F821 - Python 3.11
    kinds = {
        **{one.__name__: one for one in (StopIteration, StopAsyncIteration, GeneratorExit)},
        **{one.__name__: one for one in (SystemExit, KeyboardInterrupt, asyncio.CancelledError)},
        **{one.__name__: one for one in (Odd, RecursionError, TimeoutError, MemoryError)},
    }
    raise kinds[kind]("a")


def shown(function, *arguments):
    """Return all of an exception that a user sees but our own frames, and how many these are."""
    try:
        function(*arguments)
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if f"{os.sep}neurotools{os.sep}memo" in frame.filename]
        facts = (
            *(type(error), str(error), repr(error.__cause__), repr(error.__context__)),
            *(error.__suppress_context__, getattr(error, "__notes__", None)),
            [frame.name for frame in frames if frame not in ours],
            len(getattr(error, "exceptions", ())),
        )
        return facts, len(ours)
    raise AssertionError("nothing was raised")


KINDS = (
    *("from", "context", "none", "notes", "Odd", "StopIteration", "GeneratorExit", "SystemExit"),
    *("KeyboardInterrupt", "CancelledError", "RecursionError", "TimeoutError", "MemoryError"),
    *(["group"] if sys.version_info >= (3, 11) else []),
)


@pytest.mark.parametrize("kind", KINDS)
def test_an_exception_passes_as_it_is(cacher, kind):
    remembered = cacher()(raising)
    for _ in range(2):
        facts, ours = shown(remembered, kind)
        assert facts == shown(raising, kind)[0]
        # Python 3.10 puts the frame back that was left out.
        assert ours == (0 if sys.version_info >= (3, 11) else 1)


@pytest.mark.parametrize("kind", [*KINDS, "StopAsyncIteration"])
def test_an_exception_of_a_coroutine_passes_as_it_is(cacher, kind):
    async def coroutine(kind):
        await asyncio.sleep(0)
        raising(kind)

    def drive(function):
        # Without an event loop, which has ideas of its own about some exceptions.
        def run():
            running = function(kind)
            while True:
                running.send(None)

        return run

    assert shown(drive(cacher()(coroutine)))[0] == shown(drive(coroutine))[0]


def test_a_method_and_wrong_arguments_show_no_frame_of_ours(cacher):
    class Thing:
        def plain(self, kind):
            raising(kind)

        remembered = cacher()(plain)

        def __getstate__(self):
            return {}

    expected = [*shown(Thing().plain, "Odd")[0]]
    found, ours = shown(Thing().remembered, "Odd")
    assert [*found] == expected
    assert ours == (0 if sys.version_info >= (3, 11) else 2)
    assert shown(cacher()(raising), 1, 2, 3)[0] == shown(raising, 1, 2, 3)[0]


def test_recursion_needs_few_frames(cacher):
    @cacher()
    def depth(n, frame=None):
        return [n, *([] if n == 0 else depth(n - 1))]

    @cacher()
    def frames(n):
        if n:
            return frames(n - 1)
        frame, count = sys._getframe(), 0
        while frame := frame.f_back:
            count += 1
        return count

    assert frames(20) - frames.__wrapped__(0) <= 2 * 21 + 2
    assert depth(300) == list(range(300, -1, -1))


# ---------------------------------------------------------------- arguments and results


class Box:
    def __init__(self, content):
        self.content = content

    def __eq__(self, other):
        return np.array([self.content])  # comparing with it tells nothing

    def __hash__(self):
        raise RuntimeError("no hash")

    def __repr__(self):
        raise RuntimeError("no text")


def change(value):
    if isinstance(value, list):
        value.append("changed")
    elif isinstance(value, dict):
        value["changed"] = 1
    elif isinstance(value, set):
        value.add("changed")
    elif isinstance(value, np.ndarray):
        value += 1
    elif isinstance(value, bytearray):
        value += b"changed"
    else:
        value.content = "changed"


CHANGING = {
    "list": lambda: [1, 2],
    "long list": lambda: list(range(5000)),
    "dict": lambda: {"a": 1},
    "set": lambda: {1, 2},
    "array": lambda: np.arange(3.0),
    "large array": lambda: np.arange(1e5),
    "bytearray": lambda: bytearray(b"ab"),
    "object": lambda: Box(1),
}


@pytest.mark.parametrize("kind", CHANGING)
@pytest.mark.parametrize("nested", [False, True])
def test_a_function_that_changes_its_argument_is_found_under_what_it_was_given(
    cacher, kind, nested
):
    runs = []

    def spoil(value):
        runs.append(1)
        change(value["inner"][0] if nested else value)
        return len(runs)

    remembered = cacher()(spoil)
    make = CHANGING[kind]

    def given():
        return {"inner": [make()]} if nested else make()

    assert [remembered(given()) for _ in range(3)] == [1, 1, 1]
    spoilt = given()
    change(spoilt["inner"][0] if nested else spoilt)
    assert remembered(spoilt) == 2


RESULTS = {
    "array": lambda: np.arange(10.0),
    "large array": lambda: np.arange(1e6),
    "view": lambda: np.arange(20.0).reshape(4, 5)[1:, ::2],
    "Fortran": lambda: np.asfortranarray(np.arange(20.0).reshape(4, 5)),
    "nested": lambda: {"a": [1, [2, {3}], np.arange(3)], "b": ({"c": []},)},
    "shared": lambda: (lambda part: [part, part, {"again": part}])([np.arange(4.0)]),
    "shared array": lambda: (lambda part: [part, part[1:]])(np.arange(1e5)),
    "bytearray": lambda: [bytearray(b"abc")],
    "records": lambda: np.zeros(3, [("a", "i4"), ("b", "f8")]),
}


def spoil_all(value, met=None):
    met = set() if met is None else met
    if id(value) in met:
        return
    met.add(id(value))
    if isinstance(value, np.ndarray):
        if value.flags.writeable:
            value[...] = np.ones((), value.dtype) if value.dtype.names is None else value[::-1]
            if value.dtype.names:
                value["a"] += 7
    elif isinstance(value, (list, tuple)):
        for item in value:
            spoil_all(item, met)
        if isinstance(value, list):
            value.append("spoilt")
    elif isinstance(value, dict):
        for item in value.values():
            spoil_all(item, met)
        value["spoilt"] = 1
    elif isinstance(value, set):
        value.add("spoilt")
    elif isinstance(value, bytearray):
        value.extend(b"spoilt")


def spelled(value):
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, dict):
        return {key: spelled(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value), [spelled(item) for item in value]
    return copy.copy(value)


@pytest.mark.parametrize("mmap_mode", [None, "r", "c"])
@pytest.mark.parametrize("method", ["npy", "pickle", "hdf5", "mat"])
@pytest.mark.parametrize("kind", RESULTS)
def test_what_a_caller_does_to_a_result_is_his_alone(cacher, kind, method, mmap_mode):
    if (method == "mat" and kind == "records") or (mmap_mode and method in {"hdf5", "mat"}):
        pytest.skip("refused, or mapped as others are")
    make = RESULTS[kind]
    remembered = cacher(method=method, mmap_mode=mmap_mode)(lambda: RESULTS[kind]())
    right = spelled(make())
    for _ in range(4):
        found = remembered()
        assert spelled(found) == right
        spoil_all(found)
    assert remembered.cache_info().misses == 1


def test_frames_and_what_is_an_argument_too_are_the_callers_alone(cacher):
    pd = pytest.importorskip("pandas")

    @cacher(method="pickle")
    def same(frame, array):
        return [frame, array, frame, array[1:]]

    for _ in range(3):
        frame, array = pd.DataFrame({"a": [1.0, 2.0]}), np.arange(1e5)
        found = same(frame, array)
        assert found[0]["a"].tolist() == [1.0, 2.0]
        assert found[1][5] == 5
        found[0].loc[0, "a"] = 77.0
        frame.loc[1, "a"] = 78.0
        found[1][5] = array[6] = -1
    assert same.cache_info().misses == 1


class Failing:
    def __init__(self, how):
        self.how = how

    def __reduce_ex__(self, protocol):
        raise self.how("not this one")


class Final(BaseException):
    pass


def itself():
    value = []
    value.append(value)
    return value


UNSTORABLE = {
    "lambda": lambda: lambda: 1,
    "file": lambda: sys.__stdin__,
    "generator": lambda: (n for n in ()),
    "failing": lambda: Failing(RuntimeError),
    "ending": lambda: Failing(Final),
    "base": lambda: Failing(BaseException),
    "itself": lambda: [itself()],
    "odd": lambda: [Box(1), open],
}


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("method", ["npy", "pickle", "hdf5", "mat"])
@pytest.mark.parametrize("kind", UNSTORABLE)
def test_what_cannot_be_stored_is_returned_with_one_warning(cacher, kind, method, caplog):
    remembered = cacher(method=method)(lambda: UNSTORABLE[kind]())
    expected = type(UNSTORABLE[kind]())
    for _ in range(3):
        assert type(remembered()) is expected
    told = [record for record in caplog.records if record.levelno >= logging.WARNING]
    storable = method == "pickle" and kind in {"itself", "odd"}
    assert len(told) == (0 if storable else 1)


@pytest.mark.parametrize("how", [RuntimeError, Final, BaseException])
def test_an_argument_that_cannot_be_digested_is_passed_with_one_warning(cacher, how, caplog):
    remembered = cacher()(lambda value: type(value).__name__)
    assert [remembered(Failing(how)) for _ in range(3)] == ["Failing"] * 3
    assert len(caplog.records) == 1


# ---------------------------------------------------------------- settings


def test_settings_of_the_process_do_not_matter(cacher, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)

    @cacher()
    def wild(n):
        os.chdir(tmp_path / "elsewhere")
        os.umask(0)
        np.seterr(all="raise")
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        return np.full(n, np.nan)

    before, mask, errors = signal.getsignal(signal.SIGTERM), os.umask(0o22), np.geterr()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert len(wild(3)) == len(wild(3)) == 3
            assert len(wild(5)) == len(wild(5)) == 5
    finally:
        os.umask(mask)
        np.seterr(**errors)
        signal.signal(signal.SIGTERM, before)
    assert wild.cache_info()[:3] == (2, 2, 0)


def test_handlers_that_fail_and_a_closed_output_do_not_matter(cacher, monkeypatch):
    class Broken(logging.Handler):
        def handle(self, record):
            raise RuntimeError("this handler fails")

    handler, logger = Broken(), logging.getLogger("neurotools")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        remembered = cacher(verbose=True)(lambda n: (lambda: n) if n else n)
        closed = io.StringIO()
        closed.close()
        monkeypatch.setattr(sys, "stdout", closed)
        assert [remembered(0), remembered(0), remembered(1)()] == [0, 0, 1]
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="setitimer")
def test_what_a_handler_of_signals_raises_is_no_failure_of_the_cache(cacher):
    class Slow:
        def __getstate__(self):
            while True:
                pass

    def late(*_):
        raise TimeoutError("time is over")

    remembered = cacher(method="pickle")(lambda value: value)
    before = signal.signal(signal.SIGALRM, late)
    try:
        for call in (lambda: remembered(Slow()), cacher(method="pickle")(lambda: Slow())):
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(TimeoutError, match="time is over"):
                call()
    finally:
        signal.signal(signal.SIGALRM, before)


# ---------------------------------------------------------------- nothing piles up


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="/proc")
def test_caches_in_many_folders_leave_few_descriptors_open(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    for number in range(100):
        remembered = hierarchical_cacher((tmp_path / str(number),))(lambda n: n + 1)
        assert remembered(number) == remembered(number) == number + 1
    assert len(os.listdir("/proc/self/fd")) < before + 2 * lockfiles._MOST_IDLE + len(alive._FILES)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="/proc")
def test_many_keys_leave_nothing_but_entries(tmp_path):
    remembered = hierarchical_cacher((tmp_path,))(lambda n: n + 1)
    remembered(-1)
    before = len(os.listdir("/proc/self/fd"))
    for number in range(500):
        assert remembered(number) == number + 1
    assert len(os.listdir("/proc/self/fd")) == before
    names = [name for _, _, names in os.walk(tmp_path) for name in names]
    assert sum(not name.endswith(".npy") for name in names) <= 5
