"""Edits of programs that draw numbers, keep state, and look at where they are."""
# ruff: noqa: E501 - a program on one line shows its edit better than one on many

from __future__ import annotations

from tests.memo.fingerprint.mutations.case import Case, edited, neutral

#: A library, installed as far as anybody can tell.
LIB = """
== site-packages/lib/__init__.py
import functools, weakref
class Lazy:
    __slots__ = ('_f', '_v')
    def __init__(self, f): self._f = f; self._v = None
    def __call__(self, y): return self._f(y)
class Pipeline:
    def __init__(self, steps): self.steps = steps
    def run(self, y):
        for n, s in self.steps: y = s(y)
        return y
class App:
    def __init__(self): self.tasks = {}
    def task(self, f):
        self.tasks[f.__name__] = f
        return f
    def call(self, n, y): return self.tasks[n](y)
class Signal:
    def __init__(self): self.h = []
    def connect(self, f): self.h.append(weakref.ref(f)); return f
    def send(self, y): return [r()(y) for r in self.h]
def compose(*fs):
    def run(y):
        for f in fs: y = f(y)
        return y
    return run
def curry(f):
    @functools.wraps(f)
    def w(*a): return f(*a)
    return w
def retry(n=1, on=Exception):
    def deco(f):
        @functools.wraps(f)
        def w(*a):
            for i in range(n):
                try: return f(*a)
                except on: pass
            return 'gave up'
        return w
    return deco
def plain(f):
    def w(*a): return f(*a)
    return w
class Deco:
    def __init__(self, f): functools.update_wrapper(self, f); self.f = f
    def __get__(self, i, o): return functools.partial(self.f, i)
    def __call__(self, *a): return self.f(*a)
class Field:
    def __init__(self, default=None, check=None): self.default = default; self.check = check
    def __set_name__(self, o, n): self.n = n
    def __get__(self, i, o): return self.check(self.default) if self.check else self.default
class ModelMeta(type):
    def __new__(m, n, b, d):
        c = super().__new__(m, n, b, d)
        c._f = {k: v for k, v in d.items() if isinstance(v, Field)}
        return c
class Model(metaclass=ModelMeta):
    def dump(self): return {k: v.default for k, v in self._f.items()}
def g(y, k=1): return y + k
class Base:
    def template(self, y): return self.hook(y) * 2
    def hook(self, y): return y
cache_store = {}
def memo(f):
    def w(y):
        if y not in cache_store: cache_store[y] = f(y)
        return cache_store[y]
    return w
class Graph:
    def __init__(self): self.nodes = []
    def node(self, *deps):
        def d(f):
            self.nodes.append((f, deps))
            return f
        return d
    def run(self, y): return [f(y) for f, _ in self.nodes]
== site-packages/lib-1.2.3.dist-info/RECORD
lib/__init__.py,sha256=aaa,60
"""

CASES: list[Case] = [
    neutral(
        "norm taken from scipy",
        "from scipy.stats import norm\ndef f(x): return norm.cdf(x)",
        "(x): return",
        "( x ): return",
    ),
    neutral(
        "distributions in a list",
        "from scipy import stats\nD = [stats.norm, stats.expon(2)]\ndef f(x): return D[1].cdf(x)",
        "def f(x)",
        "def f( x )",
    ),
    neutral(
        "sampler in a table",
        "import numpy as np, random\nT = {'u': np.random.uniform, 'c': random.choice}\ndef f(x): return T['u'](0, 0) * T['c']([1])",
        "f(x)",
        "f( x )",
    ),
    neutral(
        "sampler as default",
        "import numpy as np\ndef g(y, draw=np.random.uniform): return draw(0, 0) * y\ndef f(x): return g(x)",
        "f(x)",
        "f( x )",
    ),
    neutral(
        "sampler in a partial",
        "import numpy as np\nfrom functools import partial\nP = partial(np.random.uniform, 0, 0)\ndef f(x): return P()",
        "f(x)",
        "f( x )",
    ),
    neutral(
        "shared generator",
        "import numpy as np\nR = np.random.mtrand._rand\ndef f(x): return R.uniform(0, 0)",
        "f(x)",
        "f( x )",
    ),
    edited(
        "seed of a Random",
        "import random\nR = random.Random(1)\ndef f(x): return R.random()",
        "(1)",
        "(2)",
        settled=False,
    ),
    neutral(
        "config with defaults other field",
        "from dataclasses import dataclass\n@dataclass\nclass C:\n    a: int = 1\n    b: int = 2\nc = C(b=5)\ndef f(x): return c.a",
        "b=5",
        "b=6",
    ),
    edited(
        "lib lazy slots",
        "import lib\n@lib.Lazy\ndef g(y): return y + 10\ndef f(x): return g(x)" + LIB,
        "y + 10",
        "y + 20",
    ),
    edited(
        "lib lazy slots helper",
        "import lib\ndef h(y): return y + 10\n@lib.Lazy\ndef g(y): return h(y)\ndef f(x): return g(x)"
        + LIB,
        "y + 10",
        "y + 20",
    ),
    edited(
        "lib pipeline",
        "import lib\ndef a(y): return y + 10\nP = lib.Pipeline([('a', a)])\ndef f(x): return P.run(x)"
        + LIB,
        "y + 10",
        "y + 20",
    ),
    edited(
        "lib pipeline helper",
        "import lib\ndef h(y): return y + 10\ndef a(y): return h(y)\nP = lib.Pipeline([('a', a)])\ndef f(x): return P.run(x)"
        + LIB,
        "y + 10",
        "y + 20",
    ),
    edited(
        "lib pipeline lambda",
        "import lib\nP = lib.Pipeline([('a', lambda y: y + 10)])\ndef f(x): return P.run(x)" + LIB,
        "y + 10",
        "y + 20",
    ),
    edited(
        "lib pipeline instance",
        "import lib\nclass A:\n    def __init__(s, k): s.k = k\n    def __call__(s, y): return y + s.k\nP = lib.Pipeline([('a', A(1))])\ndef f(x): return P.run(x)"
        + LIB,
        "A(1)",
        "A(2)",
    ),
    edited(
        "lib pipeline bound method",
        "import lib\nclass A:\n    def r(s, y): return y + 10\nP = lib.Pipeline([('a', A().r)])\ndef f(x): return P.run(x)"
        + LIB,
        "y + 10",
        "y + 20",
    ),
    edited(
        "lib pipeline partial",
        "import lib, functools\ndef h(k, y): return y + k\nP = lib.Pipeline([('a', functools.partial(h, 1))])\ndef f(x): return P.run(x)"
        + LIB,
        "partial(h, 1)",
        "partial(h, 2)",
    ),
    edited(
        "lib pipeline made in function",
        "import lib\ndef a(y): return y + 10\ndef mk(): return lib.Pipeline([('a', a)])\ndef f(x): return mk().run(x)"
        + LIB,
        "y + 10",
        "y + 20",
    ),
    edited(
        "lib app task",
        "import lib\napp = lib.App()\n@app.task\ndef g(y): return y + 10\ndef f(x): return app.call('g', x)"
        + LIB,
        "y + 10",
        "y + 20",
    ),
    edited(
        "lib app task in other module",
        "import lib, tasks\nfrom own import app\ndef f(x): return app.call('g', x)\n== own.py\nimport lib\napp = lib.App()\n== tasks.py\nfrom own import app\n@app.task\ndef g(y): return y + 10"
        + LIB,
        "y + 10",
        "y + 20",
    ),
    edited(
        "lib compose",
        "import lib\ndef a(y): return y + 10\nC = lib.compose(a, abs)\ndef f(x): return C(x)" + LIB,
        "y + 10",
        "y + 20",
    ),
    edited(
        "lib compose order",
        "import lib\ndef a(y): return y + 10\ndef b(y): return y * 2\nC = lib.compose(a, b)\ndef f(x): return C(x)"
        + LIB,
        "compose(a, b)",
        "compose(b, a)",
    ),
    edited(
        "lib curry",
        "import lib\n@lib.curry\ndef g(y): return y + 10\ndef f(x): return g(x)" + LIB,
        "y + 10",
        "y + 20",
    ),
    edited(
        "lib retry option",
        "import lib\nC = [0]\n@lib.retry(n=2)\ndef g(y):\n    C[0] += 1\n    if C[0] % 3: raise ValueError\n    return y\ndef f(x):\n    C[0] = 0\n    return g(x)"
        + LIB,
        "n=2",
        "n=3",
        settled=False,
    ),
    edited(
        "lib retry exception class",
        "import lib\n@lib.retry(on=ValueError)\ndef g(y): raise KeyError\ndef f(x):\n    try: return g(x)\n    except KeyError: return 'key'"
        + LIB,
        "on=ValueError",
        "on=KeyError",
    ),
    edited(
        "lib retry user exception hierarchy",
        "import lib\nclass A(Exception): pass\nclass B(A): pass\n@lib.retry(on=A)\ndef g(y): raise B\ndef f(x):\n    try: return g(x)\n    except B: return 'b'"
        + LIB,
        "class B(A)",
        "class B(Exception)",
    ),
    edited(
        "lib plain decorator on method",
        "import lib\nclass A:\n    @lib.plain\n    def r(s, y): return y + 10\ndef f(x): return A().r(x)"
        + LIB,
        "y + 10",
        "y + 20",
    ),
    edited(
        "lib class decorator on method",
        "import lib\nclass A:\n    @lib.Deco\n    def r(s, y): return y + 10\ndef f(x): return A().r(x)"
        + LIB,
        "y + 10",
        "y + 20",
    ),
    edited(
        "lib field default",
        "import lib\nclass A:\n    n = lib.Field(1)\ndef f(x): return A().n" + LIB,
        "Field(1)",
        "Field(2)",
    ),
    edited(
        "lib field check",
        "import lib\ndef check(v): return v + 10\nclass A:\n    n = lib.Field(1, check)\ndef f(x): return A().n"
        + LIB,
        "v + 10",
        "v + 20",
    ),
    edited(
        "lib metaclass model",
        "import lib\nclass A(lib.Model):\n    n = lib.Field(1)\ndef f(x): return A().dump()" + LIB,
        "Field(1)",
        "Field(2)",
    ),
    edited(
        "lib metaclass model order",
        "import lib\nclass A(lib.Model):\n    n = lib.Field(1)\n    m = lib.Field(2)\ndef f(x): return list(A().dump())"
        + LIB,
        "    n = lib.Field(1)\n    m = lib.Field(2)\n",
        "    m = lib.Field(2)\n    n = lib.Field(1)\n",
    ),
    edited(
        "lib template method",
        "import lib\nclass A(lib.Base):\n    def hook(s, y): return y + 10\ndef f(x): return A().template(x)"
        + LIB,
        "y + 10",
        "y + 20",
    ),
    edited(
        "lib template method instance const",
        "import lib\nclass A(lib.Base):\n    def hook(s, y): return y + 10\na = A()\ndef f(x): return a.template(x)"
        + LIB,
        "y + 10",
        "y + 20",
    ),
    edited(
        "lib class subclass hook",
        "import lib\nclass Mine(lib.Pipeline):\n    def run(s, y): return super().run(y) + 10\nP = Mine([])\ndef f(x): return P.run(x)"
        + LIB,
        "super().run(y) + 10",
        "super().run(y) + 20",
    ),
    edited(
        "lib memo",
        "import lib\n@lib.memo\ndef g(y): return y + 10\ndef f(x): return g(x)" + LIB,
        "y + 10",
        "y + 20",
    ),
    edited(
        "lib graph nodes",
        "import lib\nG = lib.Graph()\n@G.node('a')\ndef g(y): return y + 10\ndef f(x): return G.run(x)"
        + LIB,
        "y + 10",
        "y + 20",
    ),
    edited(
        "lib graph helper",
        "import lib\nG = lib.Graph()\ndef h(y): return y + 10\n@G.node('a')\ndef g(y): return h(y)\ndef f(x): return G.run(x)"
        + LIB,
        "y + 10",
        "y + 20",
    ),
    edited(
        "lib instance attr dict of functions",
        "import lib\napp = lib.App()\napp.tasks['a'] = {'x': [lambda y: y + 10]}\ndef f(x): return app.tasks['a']['x'][0](x)"
        + LIB,
        "y + 10",
        "y + 20",
    ),
    edited(
        "lib partial in lib object",
        "import lib, functools\ndef h(k, y): return y + k\nL = lib.Lazy(functools.partial(h, 1))\ndef f(x): return L(x)"
        + LIB,
        "partial(h, 1)",
        "partial(h, 2)",
    ),
    edited(
        "class passed to library base, super hook",
        "import lib\nclass M:\n    def hook(s, y): return y + 10\nclass A(M, lib.Base): pass\ndef f(x): return A().template(x)"
        + LIB,
        "y + 10",
        "y + 20",
    ),
    edited(
        "prepopulated cached_property",
        "import functools\nclass A:\n    @functools.cached_property\n    def z(s): return 1\na = A()\na.z = 5\ndef f(x): return a.z",
        "a.z = 5",
        "a.z = 6",
    ),
    edited(
        "prepopulated via __dict__",
        "import functools\nclass A:\n    @functools.cached_property\n    def z(s): return 1\na = A()\na.__dict__['z'] = 5\ndef f(x): return a.z",
        "= 5",
        "= 6",
    ),
    edited(
        "cached_property computed at import from counter",
        "import functools\nN = [0]\nclass A:\n    @functools.cached_property\n    def z(s): return N[0]\nN[0] = 5\na = A()\na.z\nN[0] = 0\ndef f(x): return a.z",
        "N[0] = 5",
        "N[0] = 6",
    ),
    edited(
        "function replaced after use",
        "def g(y): return y + 1\nh = g\ndef g(y): return y + 10\ndef f(x): return h(x) + g(x)",
        "y + 1\nh",
        "y + 2\nh",
    ),
    edited(
        "property getter delegating to global dict of classes",
        "class A:\n    n = 1\nT = {'a': A}\nclass H:\n    @property\n    def k(s): return T['a'].n\ndef f(x): return H().k",
        "n = 1",
        "n = 2",
    ),
    edited(
        "chain through function result",
        "class A:\n    n = 1\ndef get(): return A\ndef f(x): return get().n",
        "n = 1",
        "n = 2",
    ),
    edited(
        "chain through call with module result",
        "import helpers\ndef get(): return helpers\ndef f(x): return get().g(x)\n== helpers.py\ndef g(y): return y + 10",
        "y + 10",
        "y + 20",
    ),
    edited(
        "helper chosen by type of argument",
        "T = {int: lambda y: y + 10, str: len}\ndef f(x): return T[type(x)](x)",
        "y + 10",
        "y + 20",
    ),
    edited(
        "descriptor in lib metaclass etc.",
        "class V:\n    def __init__(s, fn): s.fn = fn\n    def __get__(s, i, o): return s.fn(i)\nclass A:\n    n = V(lambda s: 1 + 10)\ndef f(x): return A().n",
        "1 + 10",
        "1 + 20",
    ),
    edited(
        "nested function in default",
        "def f(x, g=lambda y: (lambda z: z + 10)(y)): return g(x)",
        "z + 10",
        "z + 20",
    ),
    edited(
        "dict comprehension of lambdas with default",
        "T = {k: (lambda y, k=k: y + k) for k in (1, 2)}\ndef f(x): return T[1](x)",
        "y + k)",
        "y - k)",
    ),
    edited(
        "recursion through dict",
        "T = {}\ndef g(y): return 1 if y < 1 else T['g'](y - 1) + 10\nT['g'] = g\ndef f(x): return g(x)",
        "+ 10",
        "+ 20",
    ),
    edited(
        "class cycle",
        "class A:\n    def r(s, y): return B().q(y)\nclass B:\n    def q(s, y): return y if y < 1 else A().r(y - 1) + 10\ndef f(x): return A().r(x)",
        "+ 10",
        "+ 20",
    ),
    edited(
        "instances in a cycle",
        "class A:\n    n = 0\na, b = A(), A()\na.o, b.o = b, a\nb.n = 5\ndef f(x): return a.o.n",
        "b.n = 5",
        "b.n = 6",
    ),
    edited(
        "global declared in helper at import",
        "def setup():\n    global K\n    K = 5\nsetup()\ndef f(x): return K",
        "K = 5",
        "K = 6",
    ),
    edited(
        "loop at import building partials",
        "import functools\nT = []\nfor k in range(3): T.append(functools.partial(lambda k, y: y + k, k))\ndef f(x): return [t(x) for t in T]",
        "range(3)",
        "range(4)",
    ),
    edited("while at import", "n = 1\nwhile n < 50: n *= 2\ndef f(x): return n", "< 50", "< 100"),
    edited(
        "try at import",
        "try: K = int('5')\nexcept ValueError: K = 0\ndef f(x): return K",
        "'5'",
        "'a'",
    ),
    edited(
        "class body loop",
        "class A:\n    for k in range(3): locals()['n%d' % k] = k\ndef f(x): return A.n2",
        "= k\ndef",
        "= k * 2\ndef",
    ),
    edited(
        "metaclass __prepare__ multi dispatch",
        "class MD(dict):\n    def __setitem__(s, k, v):\n        if callable(v) and k in s: k += '_2'\n        super().__setitem__(k, v)\nclass M(type):\n    @classmethod\n    def __prepare__(m, n, b): return MD()\n    def __new__(m, n, b, d): return super().__new__(m, n, b, dict(d))\nclass A(metaclass=M):\n    def r(s): return 1\n    def r(s): return 2\ndef f(x): return A().r_2()",
        "return 2",
        "return 3",
    ),
    edited(
        "default of overwritten parameter by decorator kwargs",
        "def fixed(**d):\n    def deco(g):\n        def w(*a, **k): return g(*a, **{**d, **k})\n        return w\n    return deco\n@fixed(k=1)\ndef g(y, k): return y + k\ndef f(x): return g(x)",
        "k=1",
        "k=2",
    ),
    edited(
        "validator list from decorators order",
        "V = []\ndef check(g):\n    V.append(g)\n    return g\n@check\ndef a(y): return y + 1\n@check\ndef b(y): return y * 2\ndef f(x):\n    for v in V: x = v(x)\n    return x",
        "@check\ndef a(y): return y + 1\n@check\ndef b(y): return y * 2\n",
        "@check\ndef b(y): return y * 2\n@check\ndef a(y): return y + 1\n",
    ),
    edited(
        "import order that matters",
        "import p, q\nfrom reg import R\ndef f(x): return [r(x) for r in R]\n== reg.py\nR = []\n== p.py\nfrom reg import R\nR.append(lambda y: y + 1)\n== q.py\nfrom reg import R\nR.append(lambda y: y * 2)",
        "import p, q",
        "import q, p",
    ),
    edited(
        "last import wins",
        "import p, q\nfrom reg import R\ndef f(x): return R['a'](x)\n== reg.py\nR = {}\n== p.py\nfrom reg import R\nR['a'] = lambda y: y + 1\n== q.py\nfrom reg import R\nR['a'] = lambda y: y * 2",
        "import p, q",
        "import q, p",
    ),
    edited(
        "plugin import removed",
        "import p, q\nfrom reg import R\ndef f(x): return len(R)\n== reg.py\nR = {}\n== p.py\nfrom reg import R\nR['a'] = lambda y: y + 1\n== q.py\nfrom reg import R\nR['b'] = lambda y: y * 2",
        "import p, q",
        "import p",
    ),
    edited(
        "env config by class attr override in settings module",
        "import settings\ndef f(x): return settings.Current.rate\n== settings.py\nclass Base: rate = 1\nclass Dev(Base): rate = 2\nCurrent = Dev",
        "Current = Dev",
        "Current = Base",
    ),
    edited(
        "toml text",
        "import tomllib\nC = tomllib.loads('a = 1')\ndef f(x): return C['a']",
        "a = 1'",
        "a = 2'",
        needs="tomllib",  # Python 3.11
    ),
    edited(
        "csv at import",
        "import csv, io\nT = list(csv.DictReader(io.StringIO('a,b\\n1,2')))\ndef f(x): return T[0]['b']",
        "1,2'",
        "1,3'",
    ),
    edited(
        "np.load at import",
        "import numpy as np, io\nb = io.BytesIO()\nnp.save(b, np.arange(3) + 1)\nb.seek(0)\nA = np.load(b)\ndef f(x): return A",
        "+ 1)",
        "+ 2)",
    ),
    edited(
        "closure over file content read at import",
        "import os\nwith open(os.path.join(os.path.dirname(__file__), 'd.txt')) as h: T = h.read()\ndef f(x): return T\n== d.txt\none",
        "one",
        "two",
    ),
    neutral(
        "pipeline comment",
        "import lib\ndef a(y):\n    return y + 10\nP = lib.Pipeline([('a', a)])\ndef f(x): return P.run(x)"
        + LIB,
        "    return y + 10",
        "    # c\n    return y + 10",
    ),
    neutral(
        "app comment",
        "import lib\napp = lib.App()\n@app.task\ndef g(y):\n    return y + 10\ndef f(x): return app.call('g', x)"
        + LIB,
        "    return y + 10",
        "    # c\n    return y + 10",
    ),
    neutral(
        "deco docstring",
        "import lib\nclass A:\n    @lib.Deco\n    def r(s, y):\n        return y\ndef f(x): return A().r(x)"
        + LIB,
        "        return y\ndef",
        "        'doc'\n        return y\ndef",
    ),
    neutral(
        "curry docstring",
        "import lib\n@lib.curry\ndef g(y):\n    return y\ndef f(x): return g(x)" + LIB,
        "    return y\ndef f",
        "    'doc'\n    return y\ndef f",
    ),
    neutral("plain3", "def f(x): return x", "return x", "return x  "),
    neutral(
        "package made of module",
        "import helpers\ndef f(x): return helpers.g(x)\n== helpers.py\ndef g(y): return y + 1",
        "helpers.py",
        "helpers/__init__.py",
    ),
    neutral(
        "import style from to attribute in helper init",
        "import pkg\ndef f(x): return pkg.g(x)\n== pkg/__init__.py\nfrom .a import g\n== pkg/a.py\ndef g(y): return y + 1",
        "from .a import g",
        "from pkg.a import g",
    ),
    neutral(
        "local alias of import",
        "import helpers as h\ndef f(x): return h.g(x)\n== helpers.py\ndef g(y): return y + 1",
        "import helpers as h",
        "import helpers\nh = helpers",
    ),
    neutral(
        "constant imported instead of defined",
        "K = 1\ndef f(x): return x + K\n== config.py\nK = 1",
        "K = 1\ndef",
        "from config import K\ndef",
    ),
    neutral("helper defined by lambda instead", "def f(x): return x", "return x", "return x "),
    neutral(
        "star import to explicit",
        "from helpers import *\ndef f(x): return g(x)\n== helpers.py\ndef g(y): return y + 1",
        "import *",
        "import g",
    ),
    neutral(
        "relative to absolute in package",
        "from pkg.a import h\ndef f(x): return h(x)\n== pkg/__init__.py\n\n== pkg/a.py\nfrom .b import g\ndef h(y): return g(y)\n== pkg/b.py\ndef g(y): return y + 1",
        "from .b import",
        "from pkg.b import",
    ),
    neutral(
        "class gets unrelated base hint only",
        "from typing import Generic, TypeVar\nclass A:\n    n = 1\ndef f(x): return A.n",
        "class A:",
        "class A():  # plain",
    ),
    neutral(
        "unused parameter hint of method",
        "class A:\n    def r(self, y): return y\ndef f(x): return A().r(x)",
        "def r(self, y)",
        "def r(self, y: 'int') -> 'int'",
    ),
    neutral(
        "unrelated key by constant subscript of module dict",
        "C = {'a': 1, 'b': 2}\nA = C['a']\ndef f(x): return A",
        "'b': 2",
        "'b': 3",
    ),
    neutral(
        "unrelated item of a dataclass config read by chain",
        "from dataclasses import dataclass\n@dataclass\nclass C:\n    a: int = 1\n    b: int = 2\nc = C(b=5)\ndef f(x): return c.a",
        "b=5",
        "b=6",
    ),
    neutral(
        "unrelated attribute in argparse namespace",
        "import argparse\nc = argparse.Namespace(a=1, b=2)\ndef f(x): return c.a",
        "b=2",
        "b=3",
    ),
    neutral(
        "unrelated function in registry of same module",
        "R = {}\ndef reg(g):\n    R[g.__name__] = g\n    return g\n@reg\ndef a(y): return y + 1\n@reg\ndef b(y): return y + 2\ndef f(x): return a(x)",
        "y + 2",
        "y + 3",
    ),
    neutral(
        "unrelated subclass in the family",
        "class B:\n    def r(s): return 1\nclass C(B):\n    def r(s): return 2\ndef f(x): return B().r()",
        "return 2",
        "return 3",
    ),
    neutral(
        "unrelated singledispatch elsewhere",
        "import functools\n@functools.singledispatch\ndef g(y): return 0\n@g.register\ndef _(y: str): return 1\ndef f(x): return x",
        "return 1",
        "return 2",
    ),
    neutral(
        "unrelated property in another class",
        "class A:\n    @property\n    def p(s): return 1\nclass B:\n    n = 1\ndef f(x): return B.n",
        "return 1",
        "return 2",
    ),
    neutral(
        "unrelated lib import removed",
        "import json, os\ndef f(x): return x",
        "import json, os",
        "import os",
    ),
    neutral("debug constant unrelated", "DEBUG = True\ndef f(x): return x", "True", "False"),
    neutral(
        "author and version header",
        "__author__ = 'a'\n__version__ = '1'\ndef f(x): return x",
        "'1'",
        "'2'",
    ),
    neutral(
        "timestamped constant unrelated",
        "import time\nSTART = time.time()\ndef f(x): return x",
        "def f",
        "# c\ndef f",
    ),
    neutral(
        "uuid run id unrelated",
        "import uuid\nRUN = uuid.uuid4()\ndef f(x): return x",
        "def f",
        "# c\ndef f",
    ),
    neutral(
        "device count",
        "import os\nN_JOBS = os.cpu_count()\ndef f(x):\n    return [i for i in range(x)][:N_JOBS and 3]",
        "def f",
        "# c\ndef f",
    ),
    neutral(
        "class with hash cached",
        "class A:\n    def __init__(s, n): s.n = n; s._h = hash(n)\n    def __hash__(s): return s._h\na = A('q')\ndef f(x): return a.n",
        "def f",
        "# c\ndef f",
    ),
    neutral(
        "frozen dataclass in a set",
        "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass A:\n    n: str\nS = {A('a'), A('b'), A('c')}\ndef f(x): return sorted(a.n for a in S)",
        "def f",
        "# c\ndef f",
    ),
    neutral(
        "instances with identity hash in a set",
        "class A:\n    def __init__(s, n): s.n = n\nS = {A(i) for i in range(9)}\ndef f(x): return sorted(a.n for a in S)",
        "def f",
        "# c\ndef f",
    ),
    neutral(
        "functions in a set again",
        "def a(y): return 1\ndef b(y): return 2\nS = {a, b}\ndef f(x): return sorted(g(x) for g in S)",
        "def f",
        "# c\ndef f",
    ),
    neutral(
        "lambdas in a set",
        "S = {lambda y: 1, lambda y: 2, lambda y: 3}\ndef f(x): return sorted(g(x) for g in S)",
        "def f",
        "# c\ndef f",
    ),
    neutral(
        "closures in a set",
        "def mk(i): return lambda y: i\nS = {mk(i) for i in range(9)}\ndef f(x): return sorted(g(x) for g in S)",
        "def f",
        "# c\ndef f",
    ),
    neutral(
        "instances in dict keys by identity",
        "class A:\n    def __init__(s, n): s.n = n\nD = {A(i): i for i in range(5)}\ndef f(x): return sorted(D.values())",
        "def f",
        "# c\ndef f",
    ),
    neutral(
        "enum members in a set",
        "from enum import Enum\nclass E(Enum):\n    A = 1\n    B = 2\n    C = 3\nS = {E.A, E.B, E.C}\ndef f(x): return sorted(e.value for e in S)",
        "def f",
        "# c\ndef f",
    ),
    neutral(
        "classes in a set",
        "class A: n = 1\nclass B: n = 2\nclass C: n = 3\nS = frozenset([A, B, C])\ndef f(x): return sorted(e.n for e in S)",
        "def f",
        "# c\ndef f",
    ),
    neutral(
        "types in singledispatch order",
        "import functools\n@functools.singledispatch\ndef g(y): return 0\n@g.register(int)\ndef gi(y): return 1\n@g.register(str)\ndef gs(y): return 2\ndef f(x): return g(x)",
        "@g.register(int)\ndef gi(y): return 1\n@g.register(str)\ndef gs(y): return 2\n",
        "@g.register(str)\ndef gs(y): return 2\n@g.register(int)\ndef gi(y): return 1\n",
    ),
    neutral(
        "np object array of sets",
        "import numpy as np\nA = np.array([{'a', 'b', 'c'}], dtype=object)\ndef f(x): return sorted(A[0])",
        "def f",
        "# c\ndef f",
    ),
    neutral(
        "frame with set cells",
        "import pandas as pd\nA = pd.DataFrame({'a': [{'a', 'b', 'c'}]})\ndef f(x): return sorted(A.a[0])",
        "def f",
        "# c\ndef f",
    ),
    neutral(
        "frame with instances",
        "import pandas as pd\nclass Q:\n    def __init__(s): s.n = 1\nA = pd.DataFrame({'a': [Q()]})\ndef f(x): return A.a[0].n",
        "def f",
        "# c\ndef f",
    ),
    neutral(
        "frame groupby const",
        "import pandas as pd\nA = pd.DataFrame({'a': [1, 1], 'b': [1, 2]}).groupby('a')\ndef f(x): return A.b.sum().tolist()",
        "def f",
        "# c\ndef f",
        settled=False,
    ),
    neutral(
        "scipy interp const",
        "from scipy.interpolate import RegularGridInterpolator as I\nimport numpy as np\nA = I((np.arange(3.),), np.arange(3.))\ndef f(x): return float(A([0.5])[0])",
        "def f",
        "# c\ndef f",
    ),
    neutral(
        "scipy distributions",
        "from scipy import stats\nD = {'a': stats.norm(0, 1), 'b': stats.gamma(2)}\ndef f(x): return float(D['a'].cdf(0))",
        "def f",
        "# c\ndef f",
    ),
    neutral(
        "scipy rv class instance",
        "from scipy import stats\nD = stats.norm\ndef f(x): return float(D.cdf(0))",
        "def f",
        "# c\ndef f",
    ),
    neutral(
        "own rv_continuous",
        "from scipy import stats\nclass R_(stats.rv_continuous):\n    def _pdf(s, x): return 1.0 * (x >= 0) * (x <= 1)\nD = R_(a=0, b=1, name='r')\ndef f(x): return float(D.pdf(0.5))",
        "def f",
        "# c\ndef f",
    ),
    neutral(
        "mpl colormap",
        "import matplotlib\nC = matplotlib.colormaps['viridis']\ndef f(x): return C(0.5)[0]",
        "def f",
        "# c\ndef f",
        settled=False,
        needs="matplotlib",
    ),
    neutral(
        "jinja template",
        "import jinja2\nT = jinja2.Template('{{ a }}')\ndef f(x): return T.render(a=x)",
        "def f",
        "# c\ndef f",
        needs="jinja2",
    ),
    neutral(
        "requests session",
        "import requests\nS = requests.Session()\ndef f(x): return S.headers['Accept']",
        "def f",
        "# c\ndef f",
        needs="requests",
    ),
    neutral(
        "nibabel image",
        "import nibabel as nib, numpy as np\nI = nib.Nifti1Image(np.zeros((2, 2, 2)), np.eye(4))\ndef f(x): return float(I.get_fdata().sum())",
        "def f",
        "# c\ndef f",
        needs="nibabel",
    ),
    neutral(
        "sortedcontainers",
        "from sortedcontainers import SortedDict\nS = SortedDict(a=1, b=2)\ndef f(x): return list(S)",
        "def f",
        "# c\ndef f",
        needs="sortedcontainers",
    ),
    neutral(
        "datetime tz now",
        "import datetime\nTZ = datetime.datetime.now().astimezone().tzinfo\ndef f(x): return x if TZ else 0",
        "def f",
        "# c\ndef f",
    ),
    neutral(
        "h5py special dtype",
        "import h5py\nD = h5py.string_dtype()\ndef f(x): return str(D)",
        "def f",
        "# c\ndef f",
        needs="h5py",
    ),
    neutral(
        "rich console",
        "from rich.console import Console\nC = Console()\ndef f(x):\n    C.print('', end='')\n    return x",
        "def f",
        "# c\ndef f",
        needs="rich",
    ),
    neutral(
        "thread pool",
        "from concurrent.futures import ThreadPoolExecutor\nP = ThreadPoolExecutor(2)\ndef f(x): return list(P.map(abs, [x]))",
        "def f",
        "# c\ndef f",
    ),
    neutral(
        "atexit and signal",
        "import atexit, signal\natexit.register(print, end='')\ndef f(x): return x",
        "def f",
        "# c\ndef f",
    ),
    neutral(
        "object with default repr in typing",
        "from typing import Annotated, get_args\nclass M: pass\nT = Annotated[int, M()]\ndef f(x): return len(get_args(T))",
        "def f",
        "# c\ndef f",
    ),
    neutral(
        "partial of method of instance",
        "import functools\nclass A:\n    def __init__(s): s.k = {'b', 'a', 'c'}\n    def r(s, a, y): return y + len(s.k)\ng = functools.partial(A().r, 1)\ndef f(x): return g(x)",
        "def f",
        "# c\ndef f",
    ),
]
