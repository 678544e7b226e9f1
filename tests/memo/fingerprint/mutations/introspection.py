"""Edits that only show where a program looks at itself, and other rare roads to a result."""
# ruff: noqa: E501 - a program on one line shows its edit better than one on many

from __future__ import annotations

from tests.memo.fingerprint.mutations.case import Case, edited, neutral

#: A library, installed as far as anybody can tell.
LIB = """
== site-packages/lib/__init__.py
from functools import singledispatch
from lib import core
OPTIONS = {'n': 1}
NAMES = ['a', 'b']
UNIT = 'mm'
REG = {}
class Model:
    n_iter = 5
    def fit(self, x): return x * self.n_iter
model = Model()
def api(y): return core.helper(y)
def use_options(y): return y * OPTIONS['n']
def register(name, fn): REG[name] = fn
def run(name, y): return REG[name](y)
@singledispatch
def process(y): return y
def from_dict(cls, d): return cls(**{k: t(d[k]) for k, t in cls.__annotations__.items()})
def build(fn): return str(fn.__annotations__)
class Task:
    def __init__(self, fn, n=1): self.fn = fn; self.n = n
    def __call__(self, y): return self.fn(y) * self.n
def task(n=1):
    def deco(fn): return Task(fn, n)
    return deco
class Delayed:
    def __init__(self, fn): self._fn = fn; self.calls = 0
    def __call__(self, y): self.calls += 1; return self._fn(y)
class Settings:
    rate = 1
settings = Settings()
== site-packages/lib/core.py
def helper(y): return y + 1
== site-packages/lib-1.2.3.dist-info/RECORD
lib/__init__.py,sha256=aaa,60
lib/core.py,sha256=aaa,60
"""

CASES: list[Case] = [
    neutral(
        "choice taken from random",
        "from random import choice\ndef f(x): return choice([x])",
        "[x]",
        "[ x ]",
    ),
    neutral(
        "rand taken from numpy",
        "from numpy.random import rand\ndef f(x): return rand(2).shape",
        "(2)",
        "( 2 )",
    ),
    neutral(
        "normal taken from numpy",
        "from numpy.random import normal, seed\ndef f(x):\n    seed(1)\n    return normal()",
        "(1)",
        "( 1 )",
    ),
    edited(
        "df.query with @global",
        "import pandas as pd\nTHRESH = 1\ndef f(x):\n    d = pd.DataFrame({'a': [1, 2, 3]})\n    return d.query('a > @THRESH').shape[0]",
        "THRESH = 1",
        "THRESH = 2",
    ),
    edited(
        "df.eval with @function",
        "import pandas as pd\ndef g(y): return y + 1\ndef f(x):\n    d = pd.DataFrame({'a': [1, 2, 3]})\n    return int(d.eval('@g(a)').sum())",
        "y + 1",
        "y + 2",
    ),
    edited(
        "pd.eval global",
        "import pandas as pd\nK = 1\ndef f(x): return int(pd.eval('K + 1'))",
        "K = 1",
        "K = 2",
    ),
    edited(
        "format with globals", "K = 1\ndef f(x): return '{K}'.format(**globals())", "K = 1", "K = 2"
    ),
    edited(
        "timeit-like string",
        "import timeit\nK = 1\nOUT = []\ndef f(x):\n    OUT.clear()\n    timeit.timeit('OUT.append(K)', globals=globals(), number=1)\n    return list(OUT)",
        "K = 1",
        "K = 2",
        settled=False,
    ),
    edited(
        "definition order by class dict",
        "class P:\n    def step_b(self, y): return y + 1\n    def step_a(self, y): return y * 2\n    def run(self, y):\n        for n, m in type(self).__dict__.items():\n            if n.startswith('step_'): y = m(self, y)\n        return y\ndef f(x): return P().run(x)",
        "    def step_b(self, y): return y + 1\n    def step_a(self, y): return y * 2\n",
        "    def step_a(self, y): return y * 2\n    def step_b(self, y): return y + 1\n",
    ),
    edited(
        "definition order by vars",
        "class P:\n    b = 1\n    a = 2\ndef f(x): return [k for k in vars(P) if k[0] != '_']",
        "    b = 1\n    a = 2\n",
        "    a = 2\n    b = 1\n",
    ),
    edited(
        "definition order of module vars",
        "import helpers\ndef f(x):\n    for n, g in vars(helpers).items():\n        if n.startswith('step_'): x = g(x)\n    return x\n== helpers.py\ndef step_b(y): return y + 1\ndef step_a(y): return y * 2",
        "def step_b(y): return y + 1\ndef step_a(y): return y * 2",
        "def step_a(y): return y * 2\ndef step_b(y): return y + 1",
    ),
    edited(
        "definition order of globals",
        "def step_b(y): return y + 1\ndef step_a(y): return y * 2\ndef f(x):\n    for n, g in list(globals().items()):\n        if n.startswith('step_'): x = g(x)\n    return x",
        "def step_b(y): return y + 1\ndef step_a(y): return y * 2",
        "def step_a(y): return y * 2\ndef step_b(y): return y + 1",
    ),
    edited(
        "definition order of subclasses",
        "class B: pass\nclass Y(B):\n    def r(self): return 1\nclass X(B):\n    def r(self): return 2\ndef f(x): return [c().r() for c in B.__subclasses__()]",
        "class Y(B):\n    def r(self): return 1\nclass X(B):\n    def r(self): return 2",
        "class X(B):\n    def r(self): return 2\nclass Y(B):\n    def r(self): return 1",
    ),
    edited(
        "function attrs via vars",
        "def g(): pass\ng.p = 1\ndef f(x): return vars(g)['p']",
        "g.p = 1",
        "g.p = 2",
    ),
    edited(
        "function attrs via __dict__",
        "def g(): pass\ng.p = 1\ndef f(x): return g.__dict__['p']",
        "g.p = 1",
        "g.p = 2",
    ),
    edited(
        "function attrs via getattr computed",
        "def g(): pass\ng.p = 1\nN = 'p'\ndef f(x): return getattr(g, N)",
        "g.p = 1",
        "g.p = 2",
    ),
    edited(
        "function attr tags computed",
        "def tag(**k):\n    def d(g):\n        for n, v in k.items(): setattr(g, n, v)\n        return g\n    return d\n@tag(weight=2)\ndef g(y): return y\ndef f(x): return sum(getattr(h, 'wei' + 'ght') for h in [g])",
        "weight=2",
        "weight=3",
    ),
    edited(
        "signature under alias, hint",
        "from inspect import signature as sig\ndef g(y: int): pass\ndef f(x): return str(sig(g))",
        "y: int",
        "y: float",
    ),
    edited(
        "get_type_hints alias",
        "from typing import get_type_hints as th\ndef g(y: int): pass\ndef f(x): return th(g)['y'].__name__",
        "y: int",
        "y: float",
    ),
    edited(
        "fields alias, types",
        "from dataclasses import dataclass, fields as flds\n@dataclass\nclass A:\n    n: int = 1\ndef f(x): return [q.type.__name__ for q in flds(A)]",
        "n: int",
        "n: float",
    ),
    edited(
        "fields cast",
        "import dataclasses as dc\n@dc.dataclass\nclass A:\n    n: int = 1\ndef load(cls, d): return cls(**{q.name: q.type(d[q.name]) for q in dc.fields(cls)})\ndef f(x): return load(A, {'n': '3'}).n",
        "n: int",
        "n: float",
    ),
    edited(
        "getdoc alias",
        "from inspect import getdoc as gd\ndef g():\n    'one'\ndef f(x): return gd(g)",
        "'one'",
        "'two'",
    ),
    edited(
        "getsource alias",
        "from inspect import getsource as gs\ndef g(): return 1  # one\ndef f(x): return gs(g)",
        "# one",
        "# two",
    ),
    edited(
        "doc via pydoc",
        "import pydoc\ndef g():\n    'one'\ndef f(x): return pydoc.getdoc(g)",
        "'one'",
        "'two'",
    ),
    edited(
        "doc by wraps",
        "import functools\ndef d(g):\n    @functools.wraps(g)\n    def w(): return w.__doc__\n    return w\n@d\ndef g():\n    'one'\ndef f(x): return g()",
        "'one'",
        "'two'",
    ),
    edited(
        "doctest as test data",
        "import doctest\ndef g():\n    '''\n    >>> 1 + 1\n    2\n    '''\ndef f(x): return doctest.DocTestFinder().find(g, globs={})[0].examples[0].want",
        "    2\n",
        "    3\n",
    ),
    edited(
        "plac style annotations",
        "def g(y: 'help one'): return y\ndef f(x): return [*g.__annotations__.values()]",
        "help one",
        "help two",
    ),
    edited(
        "Literal args",
        "from typing import Literal, get_args\nM = Literal['a', 'b']\ndef f(x): return get_args(M)",
        "'a', 'b'",
        "'b', 'a'",
    ),
    edited(
        "union type", "T = int | str\ndef f(x): return isinstance(x, T)", "int | str", "float | str"
    ),
    edited(
        "annotated const",
        "from typing import Annotated, get_args\nT = Annotated[int, 5]\ndef f(x): return get_args(T)[1]",
        "5]",
        "6]",
    ),
    edited(
        "callable type",
        "from typing import Callable, get_args\nT = Callable[[int], str]\ndef f(x): return get_args(T)[1].__name__",
        "str]",
        "int]",
    ),
    edited(
        "generic alias const",
        "T = list[int]\ndef f(x): return T.__args__[0].__name__",
        "list[int]",
        "list[str]",
    ),
    edited(
        "partial attr",
        "from functools import partial\ndef h(a, y): return y\ng = partial(h, 1)\ng.unit = 'mm'\ndef f(x): return g.unit",
        "'mm'",
        "'cm'",
    ),
    edited(
        "partial subclass",
        "from functools import partial\nclass P(partial):\n    def __call__(self, y): return super().__call__(y) + 1\ndef h(y): return y\ng = P(h)\ndef f(x): return g(x)",
        "+ 1",
        "+ 2",
        settled=False,
    ),
    edited(
        "root partial",
        "from functools import partial\ndef g(a, y): return a + y\nf = partial(g, 1)",
        "(g, 1)",
        "(g, 2)",
    ),
    edited(
        "root bound method",
        "class A:\n    def __init__(self, k): self.k = k\n    def run(self, y): return y * self.k\nf = A(2).run",
        "A(2)",
        "A(3)",
    ),
    edited(
        "root callable instance",
        "class A:\n    def __init__(self, k): self.k = k\n    def __call__(self, y): return y * self.k\nf = A(2)",
        "A(2)",
        "A(3)",
    ),
    edited(
        "root class",
        "class A:\n    def __init__(self, k): self.k = k\n    def __repr__(self): return str(self.k + 1)\nf = A",
        "+ 1",
        "+ 2",
    ),
    edited(
        "root vectorized",
        "import numpy as np\ndef g(y): return y + 1\nf = np.vectorize(g)",
        "y + 1",
        "y + 2",
    ),
    edited("root lambda", "f = lambda x: x + 1", "x + 1", "x + 2"),
    edited(
        "root lru",
        "import functools\n@functools.lru_cache\ndef f(x): return x + 1",
        "x + 1",
        "x + 2",
    ),
    edited(
        "root staticmethod",
        "class A:\n    @staticmethod\n    def run(y): return y + 1\nf = A.run",
        "y + 1",
        "y + 2",
    ),
    edited(
        "root classmethod",
        "class A:\n    k = 1\n    @classmethod\n    def run(cls, y): return y + cls.k\nclass B(A):\n    k = 2\nf = B.run",
        "k = 2",
        "k = 3",
    ),
    edited(
        "root singledispatch",
        "import functools\n@functools.singledispatch\ndef f(x): return 0\n@f.register\ndef _(x: int): return 1",
        "return 1",
        "return 2",
    ),
    edited(
        "root composed",
        "def compose(*gs):\n    def run(y):\n        for g in gs: y = g(y)\n        return y\n    return run\nf = compose(lambda y: y + 1, lambda y: y * 2)",
        "y * 2",
        "y * 3",
    ),
    edited(
        "root with contextmanager decorator",
        "from contextlib import contextmanager\nS = [1]\n@contextmanager\ndef scaled():\n    old = S[0]\n    S[0] = 5\n    yield\n    S[0] = old\n@scaled()\ndef f(x): return x * S[0]",
        "S[0] = 5",
        "S[0] = 6",
    ),
    edited(
        "user logger subclass",
        "import logging\nclass A(logging.LoggerAdapter):\n    def process(self, m, k): return m + '1', k\nL = A(logging.getLogger('q'), {})\ndef f(x): return L.process('a', {})[0]",
        "'1'",
        "'2'",
    ),
    edited(
        "strict getattr object",
        "class S:\n    def __init__(self): self.n = 1\n    def __getattr__(self, k): raise RuntimeError(k)\ns = S()\ndef f(x): return s.n",
        "= 1",
        "= 2",
    ),
    edited(
        "greedy getattr object",
        "class S:\n    def __init__(self): self.n = 1\n    def __getattr__(self, k): return self\ns = S()\ndef f(x): return s.n",
        "= 1",
        "= 2",
    ),
    edited(
        "greedy getattr callable",
        "class S:\n    def __getattr__(self, k): return lambda *a: k + '1'\ns = S()\ndef f(x): return s.anything()",
        "'1'",
        "'2'",
    ),
    edited(
        "lying class proxy",
        "class T:\n    n = 1\nclass S:\n    def __init__(self, t): object.__setattr__(self, '_t', t)\n    @property\n    def __class__(self): return type(self._t)\n    def __getattr__(self, k): return getattr(self._t, k)\ns = S(T())\ndef f(x): return s.n",
        "n = 1",
        "n = 2",
    ),
    edited(
        "lazy object",
        "class Lazy:\n    def __init__(self, fn): self.fn = fn; self.v = None\n    def get(self):\n        if self.v is None: self.v = self.fn()\n        return self.v\ndef load(): return 1\nD = Lazy(load)\ndef f(x): return D.get()",
        "return 1",
        "return 2",
        settled=False,
    ),
    edited(
        "object with raising bool and eq",
        "class S:\n    n = 1\n    def __bool__(self): raise ValueError\n    def __eq__(self, o): raise ValueError\n    __hash__ = None\ns = S()\ndef f(x): return s.n",
        "n = 1",
        "n = 2",
    ),
    edited(
        "object with raising repr",
        "class S:\n    n = 1\n    def __repr__(self): raise ValueError\ns = S()\nT = [s]\ndef f(x): return T[0].n",
        "n = 1",
        "n = 2",
    ),
    edited(
        "slots with unset",
        "class S:\n    __slots__ = ('n', 'm')\ns = S()\ns.n = 1\ndef f(x): return s.n",
        "s.n = 1",
        "s.n = 2",
    ),
    edited(
        "metaclass eq raising",
        "class M(type):\n    def __eq__(c, o): raise RuntimeError\n    __hash__ = type.__hash__\nclass S(metaclass=M):\n    n = 1\ndef f(x): return S.n",
        "n = 1",
        "n = 2",
    ),
    edited(
        "latin1 source",
        "# -*- coding: latin-1 -*-\nK = 1\ndef g(y): return y + 1\ndef f(x): return g(x)",
        "y + 1",
        "y + 2",
    ),
    edited(
        "shared state dict of functions built by comprehension",
        "def mk(k): return lambda y: y * k\nG = {k: mk(k) for k in (1, 2)}\ndef f(x): return G[2](x)",
        "y * k",
        "y + k",
    ),
    edited(
        "class factory with closure",
        "def mk(k):\n    class A:\n        def r(self): return k\n    return A\nA = mk(1)\ndef f(x): return A().r()",
        "mk(1)",
        "mk(2)",
    ),
    edited(
        "two classes of one factory",
        "def mk(k):\n    class A:\n        n = k\n    return A\nA, B = mk(1), mk(2)\ndef f(x): return A.n - B.n",
        "mk(1), mk(2)",
        "mk(2), mk(1)",
    ),
    edited(
        "two wrappers exchanged",
        "def d(g):\n    def w(y): return g(y)\n    return w\ndef a(y): return y\ndef b(y): return -y\np, q = d(a), d(b)\ndef f(x): return p(x) - 2 * q(x)",
        "d(a), d(b)",
        "d(b), d(a)",
    ),
    edited(
        "lambdas with defaults one line exchanged",
        "p, q = (lambda y, k=1: y + k), (lambda y, k=2: y + k)\ndef f(x): return p(x) - 2 * q(x)",
        "k=1: y + k), (lambda y, k=2",
        "k=2: y + k), (lambda y, k=1",
    ),
    edited(
        "same name in two modules exchanged",
        "import a, b\nT = (a.g, b.g)\ndef f(x): return T[0](x)\n== a.py\ndef g(y): return 1\n== b.py\ndef g(y): return 2",
        "(a.g, b.g)",
        "(b.g, a.g)",
    ),
    edited(
        "instances exchanged in tuple",
        "class A:\n    def __init__(s, n): s.n = n\na, b = A(1), A(2)\nT = (a, b)\ndef f(x): return T[0].n",
        "(a, b)",
        "(b, a)",
    ),
    edited(
        "np.errstate decorator",
        "import numpy as np\n@np.errstate(divide='raise')\ndef g(y):\n    try: return float(np.float64(1) / np.float64(0))\n    except FloatingPointError: return 'raised'\ndef f(x): return g(x)",
        "'raise'",
        "'ignore'",
    ),
    edited(
        "np array func override",
        "import numpy as np\nclass A:\n    def __array_function__(self, fn, t, a, k): return 1\ndef f(x): return np.sum(A())",
        "return 1",
        "return 2",
    ),
    edited(
        "array priority ufunc",
        "import numpy as np\nclass A:\n    def __array_ufunc__(self, u, m, *a, **k): return 1\ndef f(x): return np.add(A(), 1)",
        "return 1",
        "return 2",
    ),
    edited(
        "__array__",
        "import numpy as np\nclass A:\n    def __array__(self, dtype=None, copy=None): return np.array([1])\ndef f(x): return int(np.asarray(A()).sum())",
        "[1]",
        "[2]",
    ),
    edited(
        "index dunder",
        "class A:\n    def __index__(self): return 1\ndef f(x): return [1, 2, 3][A()]",
        "return 1",
        "return 2",
    ),
    edited(
        "default_rng unseeded named",
        "import numpy as np\nN = 1\ndef f(x): return N + 0 * np.random.default_rng().random()",
        "N = 1",
        "N = 2",
    ),
    edited(
        "helper via __mro_entries__",
        "class A:\n    n = 1\nclass B:\n    n = 2\nclass E:\n    def __mro_entries__(self, b): return (A,)\nclass C(E()): pass\ndef f(x): return C.n",
        "return (A,)",
        "return (B,)",
    ),
    edited(
        "string subclass enum const in dict",
        "from enum import Enum\nclass M(str, Enum):\n    A = 'a'\nT = {M.A: 1}\ndef f(x): return T['a']",
        ": 1}",
        ": 2}",
    ),
    edited(
        "conditional def",
        "FAST = True\nif FAST:\n    def g(y): return 1\nelse:\n    def g(y): return 2\ndef f(x): return g(x)",
        "FAST = True",
        "FAST = False",
    ),
    edited(
        "operator overloading right",
        "class A:\n    def __radd__(self, o): return o + 1\na = A()\ndef f(x): return x + a",
        "o + 1",
        "o + 2",
    ),
    edited(
        "sum of custom",
        "class A:\n    def __init__(s, n): s.n = n\n    def __add__(s, o): return A(s.n + getattr(o, 'n', o))\n    __radd__ = __add__\ndef f(x): return sum([A(1), A(2)]).n",
        "s.n + getattr",
        "s.n - getattr",
    ),
    edited(
        "heap order by lt",
        "import heapq\nclass A:\n    def __init__(s, n): s.n = n\n    def __lt__(s, o): return s.n < o.n\ndef f(x): return heapq.nsmallest(1, [A(2), A(1)])[0].n",
        "s.n < o.n",
        "s.n > o.n",
    ),
    edited(
        "key function via functools.partial operator",
        "import operator, functools\nK = functools.partial(operator.mul, -1)\ndef f(x): return sorted([1, 3, 2], key=K)",
        "-1)",
        "1)",
    ),
    edited(
        "getitem slice object custom",
        "class A:\n    def __getitem__(self, s): return s.start\na = A()\ndef f(x): return a[1:2]",
        "s.start",
        "s.stop",
    ),
    edited(
        "walrus in comprehension condition",
        "def g(y): return y + 1\ndef f(x): return [z for y in range(x) if (z := g(y)) > 1]",
        "y + 1",
        "y + 2",
    ),
    edited(
        "star expr helper", "def g(): return [1, 2]\ndef f(x): return [*g(), x]", "[1, 2]", "[1, 3]"
    ),
    edited(
        "matmul",
        "class A:\n    def __matmul__(s, o): return 1\ndef f(x): return A() @ A()",
        "return 1",
        "return 2",
    ),
    edited(
        "async for helper",
        "import asyncio\nasync def it():\n    for i in range(2): yield i\nasync def m(): return [i async for i in it()]\ndef f(x): return asyncio.run(m())",
        "range(2)",
        "range(3)",
    ),
    edited(
        "awaitable class",
        "import asyncio\nclass A:\n    def __await__(self):\n        yield from asyncio.sleep(0).__await__()\n        return 1\nasync def m(): return await A()\ndef f(x): return asyncio.run(m())",
        "return 1",
        "return 2",
    ),
    edited(
        "generator send",
        "def g():\n    y = 0\n    while True: y = yield y + 1\ndef f(x):\n    i = g()\n    next(i)\n    return i.send(x)",
        "y + 1",
        "y + 2",
    ),
    edited(
        "except star",
        "def g(e): return 1\ndef f(x):\n    try: raise ExceptionGroup('a', [ValueError()])\n    except* ValueError as e: return_ = g(e)\n    return return_",
        "return 1",
        "return 2",
        needs="tomllib",  # Python 3.11
    ),
    edited(
        "match class pattern attr",
        "class P:\n    __match_args__ = ('a', 'b')\n    def __init__(s): s.a = 1; s.b = 2\ndef f(x):\n    match P():\n        case P(q): return q",
        "('a', 'b')",
        "('b', 'a')",
    ),
    edited(
        "match dotted const",
        "import helpers\ndef f(x):\n    match x:\n        case helpers.K: return 1\n        case _: return 2\n== helpers.py\nK = 3",
        "K = 3",
        "K = 4",
    ),
    edited(
        "global by nonlocal names shadow",
        "n = 1\ndef f(x):\n    def g():\n        global n\n        return n\n    n = 5\n    return g()",
        "n = 1\n",
        "n = 2\n",
    ),
    edited(
        "class scope global lookup",
        "n = 1\ndef f(x):\n    n = 5\n    class A:\n        global n\n        m = n\n    return A.m",
        "n = 1\n",
        "n = 2\n",
    ),
    edited(
        "class scope fallthrough",
        "n = 1\ndef f(x):\n    class A:\n        n = n\n    return A.n",
        "n = 1\n",
        "n = 2\n",
    ),
    edited(
        "comprehension class scope",
        "n = 1\nclass A:\n    n = 5\n    t = [n for _ in range(2)]\ndef f(x): return A.t",
        "n = 1\n",
        "n = 2\n",
    ),
    edited(
        "default in nested lambda",
        "n = 1\ndef f(x): return (lambda y, k=n: y + k)(x)",
        "n = 1\n",
        "n = 2\n",
    ),
    edited(
        "del'd global falls to builtin",
        "def len(y): return 7\ndel len\ndef f(x): return len([x])",
        "\ndel len",
        "",
    ),
    edited(
        "type alias statement-like",
        "import typing\nV = list['A']\nclass A:\n    n = 1\ndef f(x): return V.__args__[0]",
        "list['A']",
        "list['B']",
    ),
    edited(
        "module-level __getattr__",
        "import helpers\ndef f(x): return helpers.anything\n== helpers.py\ndef __getattr__(n): return n + '1'",
        "'1'",
        "'2'",
    ),
    edited(
        "module-level __dir__",
        "import helpers\ndef f(x): return dir(helpers)\n== helpers.py\ndef __dir__(): return ['a']",
        "['a']",
        "['b']",
    ),
    edited(
        "module with __call__ class",
        "import helpers\ndef f(x): return helpers(x)\n== helpers.py\nimport sys, types\nclass M(types.ModuleType):\n    def __call__(self, y): return y + 1\nsys.modules[__name__].__class__ = M",
        "y + 1",
        "y + 2",
    ),
    edited(
        "closure cell emptied class ref",
        "class A:\n    def r(self): return __class__.k\n    k = 1\ndef f(x): return A().r()",
        "k = 1",
        "k = 2",
    ),
    edited(
        "user class as type arg of isinstance tuple",
        "class A: pass\nclass B(A): pass\nT = (A, int)\ndef f(x): return isinstance(B(), T)",
        "class B(A)",
        "class B",
    ),
    edited(
        "inherit from user generic",
        "from typing import Generic, TypeVar\nT = TypeVar('T')\nclass B(Generic[T]):\n    def r(self): return 1\nclass A(B[int]): pass\ndef f(x): return A().r()",
        "return 1",
        "return 2",
    ),
    edited(
        "lib base class with user override",
        "import lib\nclass A(lib.Model):\n    n_iter = 7\ndef f(x): return A().fit(x)" + LIB,
        "n_iter = 7",
        "n_iter = 8",
    ),
    edited(
        "lib register read directly",
        "import lib\ndef g(y): return y + 10\nlib.register('g', g)\ndef f(x): return lib.REG['g'](x)"
        + LIB,
        "y + 10",
        "y + 20",
    ),
]
