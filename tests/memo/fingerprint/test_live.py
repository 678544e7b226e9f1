"""What a running session sees: redefinitions, monkeypatches, values changed in place, reloads."""

from __future__ import annotations

import importlib
import sys
import textwrap
import threading

import pytest

from neurotools.memo.fingerprint import guards
from neurotools.memo.fingerprint.reach import Tracker
from tests.memo.fingerprint.sessions import Session


@pytest.fixture(autouse=True, params=["looked at", "compiled"])
def checks(request, monkeypatch):
    """Whether what is checked at each call was checked often enough to be compiled."""
    if request.param == "compiled":
        monkeypatch.setattr(guards, "_OFTEN", 1)


@pytest.fixture
def session():
    session = Session()
    yield session
    session.close()


# What is defined first, and what is run between two calls. The function is `f`.
SEEN = {
    "helper redefined": (
        "def g(x): return x + 1\ndef f(x): return g(x)",
        "def g(x): return x + 2",
    ),
    "helper of a helper redefined": (
        "def h(x): return x\ndef g(x): return h(x)\ndef f(x): return g(x)",
        "def h(x): return -x",
    ),
    "constant changed": ("N = 1\ndef f(x): return N", "N = 2"),
    "type of a constant changed": ("N = 1\ndef f(x): return N", "N = True"),
    "element of a list": ("N = [1, 2]\ndef f(x): return N", "N[0] = 5"),
    "list appended to": ("N = [1, 2]\ndef f(x): return N", "N.append(3)"),
    "element of a dictionary": ("N = {'a': 1}\ndef f(x): return N", "N['a'] = 2"),
    "key added to a dictionary": ("N = {'a': 1}\ndef f(x): return N", "N['b'] = 2"),
    "key renamed in a dictionary": ("N = {'a': 1}\ndef f(x): return N", "N['b'] = N.pop('a')"),
    "element deep inside": ("N = {'a': [{'b': [1]}]}\ndef f(x): return N", "N['a'][0]['b'][0] = 2"),
    "member of a set": ("N = {1, 2}\ndef f(x): return N", "N.remove(1); N.add(3)"),
    "elements exchanged": ("N = [1, 2]\ndef f(x): return N", "N.reverse()"),
    "type of an element": ("N = [1]\ndef f(x): return N", "N[0] = 1.0"),
    "element of an array": (
        "import numpy as np\nN = np.zeros(3)\ndef f(x): return N",
        "N[1] = 1",
    ),
    "element of an array in a dictionary": (
        "import numpy as np\nN = {'w': np.zeros(3)}\ndef f(x): return N",
        "N['w'][1] = 1",
    ),
    "bytes in place": ("N = bytearray(b'ab')\ndef f(x): return N", "N[0] = 0"),
    "function in a dictionary": (
        "T = {'a': lambda x: x}\ndef f(x): return T['a'](x)",
        "T['a'] = lambda x: -x",
    ),
    "function in a list": ("T = [abs]\ndef f(x): return T[0](x)", "T[0] = float"),
    "attribute of an instance": (
        "class C: pass\nc = C()\nc.n = 1\ndef f(x): return c.n",
        "c.n = 2",
    ),
    "attribute of an instance used whole": (
        "class C: pass\nc = C()\nc.n = 1\ndef f(x): return vars(c)",
        "c.n = 2",
    ),
    "attribute added to an instance": (
        "class C: pass\nc = C()\ndef f(x): return vars(c)",
        "c.n = 2",
    ),
    "dictionary of an instance exchanged": (
        "class C: pass\nc = C()\nc.n = 1\ndef f(x): return c.n",
        "c.__dict__ = {'n': 2}",
    ),
    "class of an instance exchanged": (
        "class C:\n    n = 1\nclass D:\n    n = 2\nc = C()\ndef f(x): return c.n",
        "c.__class__ = D",
    ),
    "slot of an instance": (
        "class C:\n    __slots__ = ('n',)\nc = C()\nc.n = 1\ndef f(x): return c.n",
        "c.n = 2",
    ),
    "method patched": (
        "class C:\n    def g(self): return 1\ndef f(x): return C().g()",
        "C.g = lambda self: 2",
    ),
    "method added": (
        "class C: pass\ndef f(x): return C()",
        "C.__repr__ = lambda self: 'C'",
    ),
    "inherited method shadowed": (
        "class B:\n    def g(self): return 1\nclass C(B): pass\ndef f(x): return C().g()",
        "C.g = lambda self: 2",
    ),
    "method of a base patched": (
        "class B:\n    def g(self): return 1\nclass C(B): pass\ndef f(x): return C().g()",
        "B.g = lambda self: 2",
    ),
    "bases exchanged": (
        "class A: pass\nclass B(A): pass\nclass D(A): pass\nclass C(B): pass\n"
        "def f(x): return C.__mro__, C()",
        "C.__bases__ = (D,)",
    ),
    "class attribute": ("class C:\n    n = 1\ndef f(x): return C.n", "C.n = 2"),
    "class attribute shadowed": (
        "class B:\n    n = 1\nclass C(B): pass\ndef f(x): return C.n",
        "C.n = 2",
    ),
    "list on a class": ("class C:\n    n = [1]\ndef f(x): return C().n", "C.n.append(2)"),
    "class attribute of an instance": (
        "class C:\n    n = 1\nc = C()\ndef f(x): return c.n",
        "c.n = 5",
    ),
    "subclass defined": (
        "class B: pass\ndef f(x): return B.__subclasses__()",
        "class C(B): pass",
    ),
    "method of a metaclass patched": (
        "class M(type):\n    def g(cls): return 1\nclass C(metaclass=M): pass\n"
        "def f(x): return C.g()",
        "M.g = lambda cls: 2",
    ),
    "default exchanged": ("def g(n=1): return n\ndef f(x): return g()", "g.__defaults__ = (2,)"),
    "keyword default exchanged": (
        "def g(*, n=1): return n\ndef f(x): return g()",
        "g.__kwdefaults__ = {'n': 2}",
    ),
    "keyword default in place": (
        "def g(*, n=1): return n\ndef f(x): return g()",
        "g.__kwdefaults__['n'] = 2",
    ),
    "default in place": (
        "def g(n=[1]): return n\ndef f(x): return g()",
        "g.__defaults__[0][0] = 2",
    ),
    "code exchanged": (
        "def g(): return 1\ndef f(x): return g()",
        "g.__code__ = (lambda: 2).__code__",
    ),
    "cell of a closure": (
        "def make():\n    n = 1\n    def g(): return n\n    def put(v):\n        nonlocal n\n"
        "        n = v\n    return g, put\ng, put = make()\ndef f(x): return g()",
        "put(2)",
    ),
    "cell of a closure emptied": (
        "def make():\n    n = 1\n    def g(): return n\n    def drop():\n        nonlocal n\n"
        "        del n\n    return g, drop\ng, drop = make()\ndef f(x): return g()",
        "drop()",
    ),
    "attribute of a function": ("def g(): pass\ng.n = 1\ndef f(x): return g.n", "g.n = 2"),
    "name deleted": ("N = 1\ndef f(x): return N", "del N"),
    "name that was missing": ("def f(x): return later", "later = 1"),
    "builtin shadowed": ("def f(x): return len(x)", "def len(x): return 1"),
    "shadow of a builtin taken away": ("len = str\ndef f(x): return len(x)", "del len"),
    "implementation registered": (
        "from functools import singledispatch\n@singledispatch\ndef g(x): return 1\n"
        "def f(x): return g(x)",
        "g.register(int, lambda x: 2)",
    ),
    "partial exchanged": (
        "from functools import partial\np = partial(int, 1)\ndef f(x): return p()",
        "p = partial(int, 2)",
    ),
    "keywords of a partial in place": (
        "from functools import partial\np = partial(int, base=2)\ndef f(x): return p(x)",
        "p.keywords['base'] = 3",
    ),
    "namespace": (
        "from types import SimpleNamespace\nn = SimpleNamespace(a=1)\ndef f(x): return n.a",
        "n.a = 2",
    ),
    "namespace used whole": (
        "from types import SimpleNamespace\nn = SimpleNamespace(a=1)\ndef f(x): return vars(n)",
        "n.b = 2",
    ),
    "function found by a computed name": (
        "def ga(x): return 1\ndef f(x): return globals()['g' + 'a'](x)",
        "def ga(x): return 2",
    ),
    "name added where globals are searched": (
        "def f(x): return sorted(n for n in globals() if n.startswith('g_'))",
        "def g_1(): pass",
    ),
    "lambda redefined": ("g = lambda x: x\ndef f(x): return g(x)", "g = lambda x: -x"),
    "closure made again with another value": (
        "def make(n):\n    def g(x): return x + n\n    return g\ng = make(1)\n"
        "def f(x): return g(x)",
        "g = make(2)",
    ),
    "table of results rebound": (
        "T = {}\ndef f(x):\n    if x not in T: T[x] = 1\n    return T[x]",
        "T = {1: 99}",
    ),
    "standard library patched": (
        "import math\nsaved = math.sqrt\ndef f(x): return math.sqrt(x)",
        "math.sqrt = lambda x: 1",
        "math.sqrt = saved",
    ),
    "library's class patched": (
        "from fractions import Fraction\ndef f(x): return Fraction(x).half()",
        "Fraction.half = lambda self: self / 2",
        "del Fraction.half",
    ),
    "patch of a library's class patched": (
        "from fractions import Fraction\nFraction.half = lambda self: self / 2\n"
        "def f(x): return Fraction(x).half()",
        "Fraction.half = lambda self: self / 4",
        "del Fraction.half",
    ),
    "builtin patched": (
        "import builtins\nsaved = abs\ndef f(x): return abs(x)",
        "builtins.abs = lambda x: 1",
        "builtins.abs = saved",
    ),
    "docstring that is read": ("def g(): 'one'\ndef f(x): return g.__doc__", "g.__doc__ = 'two'"),
    "class registered": (
        "from abc import ABC\nclass B(ABC): pass\ndef f(x): return isinstance(x, B)",
        "B.register(int)",
    ),
    "bound method's instance": (
        "class A:\n    n = 1\n    def g(self): return self.n\na = A()\ng = a.g\n"
        "def f(x): return g()",
        "a.n = 2",
    ),
    "table of results that others read as well": (
        "T = {}\ndef g(x):\n    if x not in T: T[x] = 1\n    return T[x]\n"
        "def f(x): return g(x), len(T)",
        "T[1] = 5",
    ),
    "function reloaded in place": (
        "def g(x): return x + 1\ndef f(x): return g(x)",
        "def new(x, y=1): return x + y\ng.__code__, g.__defaults__ = new.__code__, (1,)",
    ),
    "element of a named tuple's list": (
        "from collections import namedtuple\nP = namedtuple('P', 'a')\np = P([1])\n"
        "def f(x): return p.a",
        "p.a[0] = 2",
    ),
    "frozen dataclass forced": (
        "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass C:\n    n: int\n"
        "c = C(1)\ndef f(x): return c.n",
        "object.__setattr__(c, 'n', 2)",
    ),
    "item of a deque": (
        "from collections import deque\nd = deque([1, 2])\ndef f(x): return d",
        "d.rotate()",
    ),
    "order of an ordered dictionary": (
        "from collections import OrderedDict\nd = OrderedDict(a=1, b=2)\ndef f(x): return d",
        "d.move_to_end('a')",
    ),
    "factory of a default dictionary": (
        "from collections import defaultdict\nd = defaultdict(int)\ndef f(x): return d",
        "d.default_factory = list",
    ),
}


@pytest.fixture(params=SEEN.values(), ids=SEEN)
def change(request, session):
    """Define a function; return what changes something it depends on."""
    first, then, *undo = request.param
    session.run(first)
    yield lambda: session.run(then)
    for cell in undo:
        session.run(cell)


def test_a_change_is_seen_at_the_next_call(session, change):
    tracker = Tracker(session["f"])
    before = tracker.current()
    assert tracker.current() is before, "nothing has changed yet"
    change()
    assert tracker.current().code != before.code


def test_a_new_look_agrees_with_an_old_one(session, change):
    tracker = Tracker(session["f"])
    tracker.current()
    change()
    assert tracker.current().code == Tracker(session["f"]).current().code


UNSEEN = {
    "helper defined again as it was": (
        "def g(x):\n    return x + 1\ndef f(x): return g(x)",
        "# again\ndef g(x):\n    return x + 1  # so",
    ),
    "constant set to an equal value": ("N = 1000\ndef f(x): return N", "N = 500 + 500"),
    "equal list": ("N = [1, 2]\ndef f(x): return N", "N = [1, 2]"),
    "unrelated function": ("def f(x): return x", "def g(x): return x"),
    "unrelated constant": ("N = 1\ndef f(x): return N", "M = 2"),
    "unrelated attribute of an instance": (
        "class C: pass\nc = C()\nc.n = 1\ndef f(x): return c.n",
        "c.m = 2",
    ),
    "list that is only appended to": ("N = []\ndef f(x): N.append(x)", "f(1)"),
    "table filled by the function itself": (
        "T = {}\ndef f(x):\n    if x not in T: T[x] = x\n    return T[x]",
        "f(1)",
    ),
    "cached property filled": (
        "from functools import cached_property\nclass C:\n    @cached_property\n"
        "    def p(self): return 1\nc = C()\ndef f(x): return c.p",
        "f(1)",
    ),
    "cache of lru_cache filled": (
        "from functools import lru_cache\n@lru_cache\ndef g(x): return x\ndef f(x): return g(x)",
        "f(1)",
    ),
    "module imported by the body": ("def f(x):\n    import colorsys\n    return colorsys", "f(1)"),
    "value put back": ("N = [1]\ndef f(x): return N", "N[0] = 2; N[0] = 1"),
}


@pytest.mark.parametrize(("first", "then"), UNSEEN.values(), ids=UNSEEN)
def test_what_cannot_matter_does_not_change_the_code(session, first, then):
    session.run(first)
    tracker = Tracker(session["f"])
    before = tracker.current()
    session.run(then)
    assert tracker.current().code == before.code


def test_going_back_gives_the_first_code_again(session):
    session.run("def g(x): return x + 1\ndef f(x): return g(x)")
    tracker = Tracker(session["f"])
    first = tracker.current().code
    session.run("def g(x): return x + 2")
    assert tracker.current().code != first
    session.run("def g(x): return x + 1")
    assert tracker.current().code == first


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Return a function that writes and loads a module, and one that writes it only."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    file = tmp_path / "edited_module.py"

    def write(text):
        file.write_text(textwrap.dedent(text))
        return file

    def load(text):
        write(text)
        sys.modules.pop("edited_module", None)
        importlib.invalidate_caches()
        return importlib.import_module("edited_module")

    load.write = write
    yield load
    sys.modules.pop("edited_module", None)


def test_a_reload_is_seen(module):
    loaded = module("def g(x): return x + 1\ndef f(x): return g(x)\n")
    tracker = Tracker(loaded.f)
    before = tracker.current().code
    module.write("def g(x): return x + 222\ndef f(x): return g(x)\n")
    importlib.reload(loaded)
    assert tracker.current().code != before


def test_a_file_that_was_edited_but_not_loaded_does_not_count(module):
    loaded = module("def g(x): return x + 1\ndef f(x): return g(x)\n")
    tracker = Tracker(loaded.f)
    before = tracker.current().code
    module.write("def g(x): return x + 222\ndef f(x): return g(x)\n")
    assert tracker.current().code == before


def test_code_that_is_no_longer_in_its_file_is_not_taken_for_what_is(module):
    """The old code runs; a fingerprint of the new file would poison the cache."""
    loaded = module("def g(x): return x + 1\ndef f(x): return g(x)\n")
    module.write("def g(x): return x + 222\ndef f(x): return g(x)\n")
    stale = Tracker(loaded.f).current()
    assert any("no source" in doubt for doubt in stale.manifest.doubts)
    fresh = module("def g(x): return x + 222\ndef f(x): return g(x)\n")
    assert Tracker(fresh.f).current().code != stale.code


def test_code_that_only_moved_in_its_file_is_found(module):
    loaded = module("def g(x):\n    return x + 1\ndef f(x): return g(x)\n")
    expected = Tracker(loaded.f).current().code
    loaded = module("def g(x):\n    return x + 1\ndef f(x): return g(x)\n")
    module.write(
        "# one\n\n# two\nimport os\ndef f(x): return g(x)\n\ndef g(x):\n    return x + 1\n"
    )
    assert Tracker(loaded.f).current().code == expected


def test_code_whose_file_is_gone_is_tracked_by_what_runs(module):
    loaded = module("def f(x): return x + 1\n")
    module.write("").unlink()
    first = Tracker(loaded.f).current()
    loaded.f.__code__ = loaded.f.__code__.replace(co_consts=(None, 2))
    assert Tracker(loaded.f).current().code != first.code


def test_a_file_being_written_is_no_reason_to_fail(module):
    loaded = module("def f(x): return x + 1\n")
    module.write("def f(x: return")
    assert len(Tracker(loaded.f).current().code) == 14


def test_a_constant_of_a_reloaded_module_is_seen(module):
    loaded = module("N = 1\ndef f(x): return N\n")
    tracker = Tracker(loaded.f)
    before = tracker.current().code
    module.write("N = 22\ndef f(x): return N\n")
    importlib.reload(loaded)
    assert tracker.current().code != before


def test_threads_agree(session):
    session.run("N = [1]\ndef g(x): return N\ndef f(x): return g(x)")
    tracker = Tracker(session["f"])
    codes = []
    threads = [
        threading.Thread(target=lambda: codes.append(tracker.current().code)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(codes) == 8
    assert len(set(codes)) == 1
