"""What a tracker offers, refuses and doubts."""

from __future__ import annotations

import functools
import importlib
import io
import linecache
import marshal
import shutil
import sys
import types

import numpy as np
import pytest

from neurotools.jobs.cache import disk_cacher
from neurotools.jobs.ndecorator import memoize
from neurotools.memo.errors import UnknownChoice, UnsafeBinding
from neurotools.memo.fingerprint import texts
from neurotools.memo.fingerprint.reach import Tracker
from tests.memo.fingerprint.sessions import Session


@pytest.fixture
def session():
    session = Session()
    yield session
    session.close()


def code(session, cell, name="f", **options):
    session.run(cell)
    return Tracker(session[name], **options).current().code


def test_a_code_has_fourteen_characters_safe_in_file_names(session):
    found = code(session, "def f(x): return x")
    assert len(found) == 14
    assert all(character.isalnum() or character in "-_" for character in found)


def test_nothing_is_computed_before_it_is_asked_for(session):
    session.run("import sys\ndef f(x):\n    import never_loaded_so_far_at_all\n")
    tracker = Tracker(session["f"])
    assert tracker._seen is None


def test_an_unknown_granularity_lists_the_known_ones():
    with pytest.raises(UnknownChoice, match="exact, minor, off or record"):
        Tracker(len, packages="patch")


class Callable:
    def __init__(self, n):
        self.n = n

    def __call__(self, x):
        return x + self.n

    def method(self, x):
        return x * self.n


CALLABLES = {
    "function": (lambda: Callable.method),
    "lambda": (lambda: lambda x: x),
    "class": (lambda: Callable),
    "instance": (lambda: Callable(1)),
    "bound method": (lambda: Callable(1).method),
    "partial": (lambda: functools.partial(Callable.method, 1)),
    "builtin": (lambda: len),
    "builtin class": (lambda: dict),
    "bound builtin": (lambda: [1].index),
    "ufunc": (lambda: np.sin),
    "function of numpy": (lambda: np.mean),
    "cached": (lambda: functools.lru_cache(Callable.method)),
    "method of a builtin": (lambda: str.upper),
    "coroutine function": (lambda: _coroutine),
    "function of the standard library": (lambda: functools.wraps),
}


async def _coroutine():
    return 1


@pytest.mark.parametrize("make", CALLABLES.values(), ids=CALLABLES)
def test_any_callable_can_be_tracked(make):
    tracker = Tracker(make())
    assert tracker.current() is tracker.current()
    assert tracker.refusals == ()


@pytest.mark.parametrize("name", ["instance", "bound method", "partial", "bound builtin"])
def test_two_callables_with_other_content_differ(name):
    pairs = {
        "instance": (Callable(1), Callable(2)),
        "bound method": (Callable(1).method, Callable(2).method),
        "partial": (functools.partial(max, 1), functools.partial(max, 2)),
        "bound builtin": ([1].index, [2].index),
    }
    first, second = (Tracker(value).current().code for value in pairs[name])
    assert first != second


@pytest.fixture
def closing(session):
    """Close what a test has opened as ``V``."""
    yield
    value = session["V"]
    value = value["out"] if isinstance(value, dict) else getattr(value, "o", value)
    if hasattr(value, "close"):
        value.close()


REFUSED = {
    "an open file": "import tempfile\nV = tempfile.TemporaryFile()\n",
    "a generator": "V = (i for i in range(3))\n",
    "an iterator": "V = iter([1, 2])\n",
    "a socket": "import socket\nV = socket.socket()\n",
    "a database": "import sqlite3\nV = sqlite3.connect(':memory:')\n",
    "a weak reference": "import weakref\nclass C: pass\nc = C()\nV = weakref.ref(c)\n",
    "a thread's own values": "import threading\nV = threading.local()\n",
    "a file in a dictionary": "import tempfile\nV = {'out': tempfile.TemporaryFile()}\n",
    "a file in an instance": (
        "import tempfile\nclass C: pass\nV = C()\nV.o = tempfile.TemporaryFile()\n"
    ),
}


@pytest.mark.parametrize("cell", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize(
    "use",
    ["def f(x): return V", "def g(): return V\ndef f(x): return g()", "def f(x, v=V): return v"],
    ids=["global", "global of a helper", "default"],
)
def test_what_cannot_be_followed_is_refused_by_name(session, closing, cell, use):
    session.run(cell + use)
    refusals = Tracker(session["f"]).refusals
    assert len(refusals) == 1
    assert isinstance(refusals[0], UnsafeBinding)
    assert "V" in refusals[0].binding or "v" in refusals[0].binding


def test_a_module_named_at_run_time_is_refused(session):
    session.run("import importlib\ndef f(x): return importlib.import_module(x)")
    (refusal,) = Tracker(session["f"]).refusals
    assert "importlib.import_module" in str(refusal)


def test_a_refusal_is_a_doubt_as_well(session):
    session.run("import importlib\ndef f(x): return importlib.import_module(x)")
    (doubt,) = Tracker(session["f"]).current().manifest.doubts
    assert "importlib.import_module" in doubt


HARMLESS = {
    "lock": "import threading\nV = threading.Lock()",
    "reentrant lock": "import threading\nV = threading.RLock()",
    "condition": "import threading\nV = threading.Condition()",
    "event": "import threading\nV = threading.Event()",
    "logger": "import logging\nV = logging.getLogger('a')",
    "executor": "from concurrent.futures import ThreadPoolExecutor\nV = ThreadPoolExecutor(1)",
    "bare object": "V = object()",
    "type variable": "from typing import TypeVar\nV = TypeVar('V')",
    "optional type": "from typing import Optional\nV = Optional[int]",
    "callable type": "from typing import Callable\nV = Callable[[int], str]",
    "literal type": "from typing import Literal\nV = Literal['a']",
    "not implemented": "V = NotImplemented",
    "ellipsis": "V = ...",
    "module": "import json as V",
    "standard output": "import sys\nclass V:\n    out = 1",
}


@pytest.mark.parametrize("cell", HARMLESS.values(), ids=HARMLESS)
def test_what_does_no_harm_is_not_refused(session, cell):
    session.run(cell + "\ndef f(x): return V")
    assert Tracker(session["f"]).refusals == ()


@pytest.mark.parametrize("cell", HARMLESS.values(), ids=HARMLESS)
def test_what_does_no_harm_counts_the_same_each_time(session, cell):
    first = code(session, cell + "\ndef f(x): return V")
    assert code(session, cell) == first


DOUBTED = {
    "open": "def f(x): return open(x)",
    "os.environ": "import os\ndef f(x): return os.environ['HOME']",
    "os.getenv": "import os\ndef f(x): return os.getenv('HOME')",
    "os.getenv by name": "from os import getenv\ndef f(x): return getenv('HOME')",
    "subprocess.run": "import subprocess\ndef f(x): return subprocess.run(['ls'])",
    "decimal.getcontext": "import decimal\ndef f(x): return decimal.getcontext()",
    "numpy.load": "import numpy as np\ndef f(x): return np.load(x)",
    "numpy.load by name": "from numpy import load\ndef f(x): return load(x)",
    "pickle.loads": "import pickle\ndef f(x): return pickle.loads(x)",
    "eval": "def f(x): return eval(x)",
    "globals": "def f(x): return globals()[x]",
}


@pytest.mark.parametrize(("name", "cell"), DOUBTED.items(), ids=DOUBTED)
def test_what_is_out_of_reach_is_doubted_in_words(session, name, cell):
    session.run(cell)
    doubts = Tracker(session["f"]).current().manifest.doubts
    assert any(name.partition(" ")[0] in doubt for doubt in doubts)


def test_doubts_do_not_change_the_code(session):
    first = code(session, "import decimal\ndef f(x): return decimal.getcontext")
    manifest = Tracker(session["f"]).current().manifest
    assert manifest.doubts
    assert code(session, "import decimal\ndef f(x): return decimal.getcontext") == first


def test_docstrings_count_when_asked_for(session):
    session.run("def g(x): 'one'\ndef f(x): return g(x)")
    without, counted = (Tracker(session["f"], docstrings=flag).current().code for flag in (0, 1))
    session.run("def g(x): 'two'")
    assert Tracker(session["f"]).current().code == without
    assert Tracker(session["f"], docstrings=True).current().code != counted


class TestOwnWrappers:
    """A memoized helper counts as the function it wraps."""

    def test_its_location_and_options_do_not_count(self, session, tmp_path):
        session.run("def g(x): return x + 1\ndef f(x): return g(x)")
        plain = Tracker(session["f"]).current().code
        for folder, method in (("a", "npy"), ("b", "pickle")):
            session.module.memo = disk_cacher(str(tmp_path / folder), method=method)
            session.run("@memo\ndef g(x): return x + 1")
            assert Tracker(session["f"]).current().code == plain

    def test_its_body_counts(self, session, tmp_path):
        session.module.memo = disk_cacher(str(tmp_path))
        first = code(session, "@memo\ndef g(x): return x + 1\ndef f(x): return g(x)")
        assert code(session, "@memo\ndef g(x): return x + 2") != first

    def test_a_recursive_one_counts_once(self, session, tmp_path):
        session.module.memo = disk_cacher(str(tmp_path))
        session.run("@memo\ndef f(x): return 1 if x < 1 else f(x - 1)")
        tracker = Tracker(session["f"])
        assert tracker.current().manifest.function.endswith(":f")
        assert tracker.reached == (session["f"].__wrapped__,)

    def test_a_method(self, session, tmp_path):
        session.module.memo = disk_cacher(str(tmp_path))
        cell = "class A:\n    {}\n    def g(self): return {}\ndef f(x): return A().g()"
        plain = code(session, cell.format("pass", 1))
        assert code(session, cell.format("@memo", 1)) == plain
        assert code(session, cell.format("@memo", 2)) != plain

    def test_a_class_method(self, session, tmp_path):
        session.module.memo = disk_cacher(str(tmp_path))
        cell = (
            "class A:\n    {}\n    @classmethod\n    def g(cls): return {}\ndef f(x): return A.g()"
        )
        plain = code(session, cell.format("pass", 1))
        assert code(session, cell.format("@memo", 1)) == plain
        assert code(session, cell.format("@memo", 2)) != plain

    def test_a_bound_method(self, session, tmp_path):
        session.module.memo = disk_cacher(str(tmp_path))
        cell = (
            "class A:\n    def __init__(self, n): self.n = n\n    @memo\n"
            "    def g(self): return self.n\ng = A({}).g\ndef f(x): return g()"
        )
        assert code(session, cell.format(1)) != code(session, cell.format(2))

    def test_results_kept_in_memory_do_not_count(self, session):
        session.module.memoize = memoize
        session.run("@memoize\ndef g(x): return x + 1\ndef f(x): return g(x)")
        tracker = Tracker(session["f"])
        first = tracker.current().code
        session["f"](1)
        assert tracker.current().code == first == Tracker(session["f"]).current().code


class TestForeignDecorators:
    """Wrappers of an installed library keep counters and tables beside the function."""

    @pytest.fixture
    def library(self, tmp_path, monkeypatch):
        folder = tmp_path / "site-packages"
        (folder / "lib_of_wrappers-1.0.dist-info").mkdir(parents=True)
        (folder / "lib_of_wrappers.py").write_text(
            "import functools\n"
            "def counted(settings):\n"
            "    def deco(g):\n"
            "        calls, table = [0], {}\n"
            "        @functools.wraps(g)\n"
            "        def wrapper(x):\n"
            "            calls[0] += 1\n"
            "            if x not in table: table[x] = g(x) * settings[0]\n"
            "            return table[x]\n"
            "        return wrapper\n"
            "    return deco\n"
            "class Compiled:\n"
            "    def __init__(self, g):\n"
            "        self.py_func, self.calls = g, 0\n"
            "        self.stamp = object()\n"
            "    def __call__(self, x):\n"
            "        self.calls += 1\n"
            "        return self.py_func(x)\n"
        )
        monkeypatch.syspath_prepend(str(folder))
        yield "from lib_of_wrappers import counted, Compiled\n"
        sys.modules.pop("lib_of_wrappers", None)

    @pytest.mark.parametrize("decorator", ["counted([2])", "Compiled"])
    def test_running_does_not_count(self, session, library, decorator):
        session.run(f"{library}@{decorator}\ndef g(x): return x + 1\ndef f(x): return g(x)")
        tracker = Tracker(session["f"])
        first = tracker.current().code
        session["f"](1)
        session["f"](2)
        assert tracker.current().code == first == Tracker(session["f"]).current().code

    @pytest.mark.parametrize("decorator", ["counted([2])", "Compiled"])
    def test_the_function_inside_counts(self, session, library, decorator):
        cell = f"{library}@{decorator}\ndef g(x): return x + {{}}\ndef f(x): return g(x)"
        assert code(session, cell.format(1)) != code(session, cell.format(2))

    @pytest.mark.parametrize("decorator", ["counted([2])", "Compiled"])
    def test_its_hints_count_since_the_library_may_read_them(self, session, library, decorator):
        cell = f"{library}@{decorator}\ndef g(x: {{}}): return x\ndef f(x): return g(x)"
        assert code(session, cell.format("int")) != code(session, cell.format("float"))

    def test_settings_count(self, session, library):
        cell = f"{library}@counted([{{}}])\ndef g(x): return x\ndef f(x): return g(x)"
        assert code(session, cell.format(2)) != code(session, cell.format(3))

    def test_the_library_counts(self, session, library):
        session.run(f"{library}@Compiled\ndef g(x): return x\ndef f(x): return g(x)")
        parts = Tracker(session["f"]).current().manifest.parts
        assert ("package", "lib-of-wrappers") in {(part.kind, part.name) for part in parts}


def test_what_is_reached_is_listed_with_the_function_first(session):
    session.run("class A: pass\ndef g(x): return A\ndef f(x): return g(x)")
    assert Tracker(session["f"]).reached == (session["f"], session["g"], session["A"])


def test_functions_of_two_modules_with_one_name_are_two(session):
    other = Session()
    other.module.__name__ = session.module.__name__
    other.run("def g(x): return 1")
    session.module.other = other["g"]
    first = code(session, "def g(x): return 0\ndef f(x): return g(x), other(x)")
    other.run("def g(x): return 2")
    session.module.other = other["g"]
    assert Tracker(session["f"]).current().code != first


def test_a_namespace_without_a_name_is_no_reason_to_fail():
    names = {}
    exec("def g(x): return 1\ndef f(x): return g(x)", names)
    first = Tracker(names["f"]).current().code
    exec("def g(x): return 2", names)
    assert Tracker(names["f"]).current().code != first


def test_a_module_made_by_hand(session):
    module = types.ModuleType("made_by_hand")
    module.n = 1
    session.module.made = module
    session.run("def f(x): return made.n")
    tracker = Tracker(session["f"])
    first = tracker.current().code
    module.n = 2
    assert tracker.current().code != first


def test_a_constant_that_cannot_be_told_by_its_content_is_named_with_its_part(session):
    session.module.file = io.StringIO("text")
    session.module.table = {"a": [iter([1])]}
    session.run("def f(x): return file, table")
    (refusal,) = Tracker(session["f"]).refusals
    assert "['a'][0]" in str(refusal)


def test_an_unchanged_graph_is_not_walked_again(session, monkeypatch):
    helpers = "\n".join(f"C{i} = {i}\ndef g{i}(x): return x + C{i}" for i in range(40))
    calls = " + ".join(f"g{i}(x)" for i in range(40))
    session.run(f"{helpers}\ndef f(x): return {calls}")
    tracker = Tracker(session["f"])
    first, looks, look = tracker.current(), [], Tracker._look
    monkeypatch.setattr(Tracker, "_look", lambda self: looks.append(self) or look(self))
    assert all(tracker.current() == first for _ in range(100))
    # The check takes some 10 microseconds on a machine of 2023, a walk milliseconds.
    assert looks == []
    session.run("def g7(x): return x - C7")
    assert tracker.current() != first
    assert looks == [tracker]


def test_tables_of_code_are_checked_without_being_digested(session):
    session.run(
        "T = {str(i): (lambda x, i=i: x + i) for i in range(9)}\ndef f(x): return T['1'](x)"
    )
    tracker = Tracker(session["f"])
    tracker.current()
    assert tracker._seen.changeable == []


def test_what_a_library_compiled_is_checked_without_being_digested():
    pandas = pytest.importorskip("pandas")
    tracker = Tracker(pandas.arrays.StringArray)
    tracker.current()
    assert tracker._seen.changeable == []


class Awkward:
    """Fails when it is asked for anything, as proxies do outside of what they stand for."""

    def __getattribute__(self, name):
        raise RuntimeError(f"no {name} here")


class Unreducible:
    def __reduce_ex__(self, protocol):
        raise OSError("gone")


@pytest.mark.parametrize("cls", [Awkward, Unreducible])
@pytest.mark.parametrize("use", ["V", "V.a.b", "V.method()", "getattr(V, 'a')"])
def test_objects_that_fail_when_looked_at_are_refused(session, cls, use):
    session.module.V = cls()
    session.run(f"def f(x): return {use}")
    assert len(Tracker(session["f"]).refusals) == 1


def test_what_a_wide_look_finds_is_doubted_and_what_is_read_is_refused(session):
    session.module.unread, session.module.read = iter([1]), iter([2])
    session.run("def f(x): return globals()[x], read")
    tracker = Tracker(session["f"])
    assert [refusal.binding.rpartition(".")[2] for refusal in tracker.refusals] == ["read"]
    assert any(".unread cannot be followed" in d for d in tracker.current().manifest.doubts)


def test_a_function_sent_without_its_source_keeps_its_code_when_the_texts_are_sent_too(session):
    session.run("def g(x): return x + 1\ndef f(x): return g(x)")
    tracker = Tracker(session["f"])
    here, sent = tracker.current().code, tracker.texts()
    assert list(sent.values()) == ["def g(x): return x + 1\ndef f(x): return g(x)"]
    for name in sent:
        del linecache.cache[name]
        del texts._TEXTS[name]
    assert arrived(session) != here
    texts.remember(sent)
    assert arrived(session) == here


def arrived(session):
    """Return the code after the functions were made anew from their bytecode."""
    for name in "fg":
        code = marshal.loads(marshal.dumps(session[name].__code__))
        setattr(session.module, name, types.FunctionType(code, vars(session.module)))
    return Tracker(session["f"]).current().code


def test_an_extension_module_without_a_distribution_counts_by_its_file(tmp_path, monkeypatch):
    found = importlib.util.find_spec("xxlimited")
    if found is None or not str(found.origin).endswith((".so", ".pyd")):
        pytest.skip("this Python has no extension module to copy")
    copied = shutil.copy(found.origin, tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "xxlimited", raising=False)
    module = importlib.import_module("xxlimited")
    first = Tracker(module.foo).current()
    assert [part.name for part in first.manifest.parts if part.kind == "binary"] == ["xxlimited"]
    with open(copied, "ab") as file:
        file.write(b"more")
    assert Tracker(module.foo).current().code != first.code
    monkeypatch.delitem(sys.modules, "xxlimited")
