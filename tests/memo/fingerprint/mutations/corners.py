"""Cases found by trying to get a stale result out of it, or a needless computation."""
# ruff: noqa: E501 - a program on one line shows its edit better than one on many

from __future__ import annotations

from tests.memo.fingerprint.mutations.case import HIT, Case, edited, neutral

HELPER = "\n== helpers.py\ndef g(y): return y + 1\n"
ONE = ("y + 1", "y + 2")

CASES: list[Case] = [
    edited(
        "bound method of a constant",
        "get = {'a': 1}.get\ndef f(x): return get('a')",
        "'a': 1",
        "'a': 2",
    ),
    edited(
        "bound method of a constant in a table",
        "T = {'get': {'a': 1}.get}\ndef f(x): return T['get']('a')",
        "'a': 1",
        "'a': 2",
    ),
    edited(
        "special method of a constant",
        "add = (5).__add__\ndef f(x): return add(x)",
        "(5)",
        "(6)",
    ),
    edited(
        "class method of a builtin class",
        "make = dict.fromkeys\ndef f(x): return make([x], 1)",
        "make([x], 1)",
        "make([x], 2)",
    ),
    edited(
        "comparison made a key",
        "from functools import cmp_to_key\ndef compare(a, b): return a - b\n"
        "key = cmp_to_key(compare)\ndef f(x): return sorted(range(x), key=key)",
        "a - b",
        "b - a",
    ),
    edited(
        "several lambdas of one line in a comprehension",
        "gs = [lambda y, i=i: y + i for i in (1, 2)]\ndef f(x): return [g(x) for g in gs]",
        "(1, 2)",
        "(1, 3)",
    ),
    edited(
        "closures of one lambda",
        "gs = [(lambda i: lambda y: y + i)(i) for i in (1, 2)]\ndef f(x): return [g(x) for g in gs]",
        "(1, 2)",
        "(1, 3)",
    ),
    edited(
        "closure that refers to itself",
        "def make(n):\n    def g(y): return n if y < 1 else g(y - 1)\n    return g\n"
        "g = make(1)\ndef f(x): return g(x)",
        "make(1)",
        "make(2)",
    ),
    edited(
        "registry read by one function and filled by another that can be reached",
        """
HANDLERS = {}
class Handler:
    def __init__(self, name, n):
        self.n = n
        HANDLERS[name] = self
Handler('a', 1)
def f(x):
    Handler('b', x)
    return HANDLERS['a'].n
""",
        "Handler('a', 1)",
        "Handler('a', 2)",
        settled=False,
    ),
    edited(
        "table of results with a first entry",
        """
TABLE = {3: 1}
def f(x):
    if x not in TABLE:
        TABLE[x] = x
    return TABLE[x]
""",
        "{3: 1}",
        "{3: 2}",
    ),
    edited(
        "table of results filled when loaded",
        """
TABLE = {}
def g(y):
    if y not in TABLE:
        TABLE[y] = y
    return TABLE[y]
TABLE[3] = 1
def f(x): return g(x)
""",
        "TABLE[3] = 1",
        "TABLE[3] = 2",
    ),
    edited(
        "default table of results",
        """
def slow(y): return y + 1
def g(y, table={}):
    if y not in table:
        table[y] = slow(y)
    return table[y]
def f(x): return g(x)
""",
        *ONE,
        settled=False,
    ),
    edited(
        "property of a module",
        "import conf\ndef f(x): return conf.rate\n== conf.py\nimport sys, types\n"
        "class Conf(types.ModuleType):\n    @property\n    def rate(self): return 1\n"
        "sys.modules[__name__].__class__ = Conf",
        "return 1",
        "return 2",
    ),
    edited(
        "instance put in the place of a module",
        "import conf\ndef f(x): return conf.rate()\n== conf.py\nimport sys\n"
        "class Conf:\n    def rate(self): return 1\nsys.modules[__name__] = Conf()",
        "return 1",
        "return 2",
    ),
    edited(
        "module loaded late",
        "import importlib.util, sys\nspec = importlib.util.find_spec('helpers')\n"
        "loader = importlib.util.LazyLoader(spec.loader)\nspec.loader = loader\n"
        "helpers = importlib.util.module_from_spec(spec)\nsys.modules['helpers'] = helpers\n"
        "loader.exec_module(helpers)\ndef f(x): return helpers.g(x)" + HELPER,
        *ONE,
    ),
    edited(
        "globals of another function",
        "import helpers\ndef f(x): return helpers.g.__globals__['n' + '']\n"
        "== helpers.py\nn = 1\ndef g(y): return y",
        "n = 1",
        "n = 2",
    ),
    edited(
        "source that is read",
        "import inspect\ndef g(y):\n    return y  # one\ndef f(x): return inspect.getsource(g)",
        "# one",
        "# two",
    ),
    edited(
        "class registered with an abstract one",
        "from abc import ABC\nclass B(ABC): pass\nclass C: pass\nclass D: pass\nB.register(C)\n"
        "def f(x): return isinstance(C(), B)",
        "register(C)",
        "register(D)",
    ),
    edited(
        "module in an attribute of an instance",
        "import helpers\nclass C:\n    def __init__(self): self.m = helpers\n"
        "c = C()\ndef f(x): return c.m.g(x)" + HELPER,
        *ONE,
    ),
    edited(
        "helper held by a default of a method",
        "def g(y): return y + 1\nclass C:\n    def run(self, y, h=g): return h(y)\n"
        "def f(x): return C().run(x)",
        *ONE,
    ),
    edited(
        "class in a closure",
        "def make(C):\n    def inner(x): return C().run()\n    return inner\n"
        "class A:\n    def run(self): return 1\nf = make(A)",
        "return 1",
        "return 2",
    ),
    edited(
        "instance in a closure",
        "def make(c):\n    def inner(x): return c.n\n    return inner\nclass A: pass\n"
        "a = A()\na.n = 1\nf = make(a)",
        "a.n = 1",
        "a.n = 2",
    ),
    edited(
        "instance as a default",
        "class A:\n    def __init__(self, n): self.n = n\ndef f(x, a=A(1)): return a.n",
        "A(1)",
        "A(2)",
    ),
    edited(
        "method of a class that is an attribute of a class",
        "class In:\n    def run(self): return 1\nclass Out:\n    inner = In()\n"
        "def f(x): return Out.inner.run()",
        "return 1",
        "return 2",
    ),
    edited(
        "attribute of a subclass's instance that the base computes",
        "class B:\n    def __init__(self): self.n = self.make()\n    def make(self): return 1\n"
        "class C(B):\n    def make(self): return 2\ndef f(x): return C().n",
        "return 2",
        "return 3",
    ),
    edited(
        "import as, with the package of the same name",
        "import pkg.low as pkg\ndef f(x): return pkg.g(x)\n== pkg/__init__.py\n"
        "def g(y): return 0\n== pkg/low.py\ndef g(y): return y + 1",
        *ONE,
    ),
    edited(
        "attribute of a package with the name of its module",
        "import pkg\ndef f(x): return pkg.low(x)\n== pkg/__init__.py\nfrom .low import low\n"
        "== pkg/low.py\ndef low(y): return y + 1",
        *ONE,
    ),
    edited(
        "submodule loaded by another module",
        "import pkg, other\ndef f(x): return pkg.low.g(x)\n== other.py\nimport pkg.low\n"
        "== pkg/__init__.py\n== pkg/low.py\ndef g(y): return y + 1",
        *ONE,
    ),
    edited(
        "submodule loaded by the function's own call",
        "import pkg\ndef load():\n    import pkg.low\ndef f(x):\n    load()\n"
        "    return pkg.low.g(x)\n== pkg/__init__.py\n== pkg/low.py\ndef g(y): return y + 1",
        *ONE,
    ),
    edited(
        "name bound by a for loop at the top",
        "def a(y): return y + 1\nfor g in (abs, a): pass\ndef f(x): return g(x)",
        *ONE,
    ),
    edited(
        "name bound by a with statement at the top",
        "import contextlib\nwith contextlib.nullcontext(1) as N: pass\ndef f(x): return N",
        "nullcontext(1)",
        "nullcontext(2)",
    ),
    edited(
        "name bound by := at the top",
        "print(N := 1)\ndef f(x): return N",
        "N := 1",
        "N := 2",
    ),
    edited(
        "name bound by an except clause of the function",
        "class E(Exception):\n    n = 1\ndef raises(): raise E\ndef f(x):\n    try:\n"
        "        raises()\n    except Exception as e:\n        return e.n",
        "n = 1",
        "n = 2",
    ),
    edited(
        "exception class raised by a helper in another module",
        "from helpers import g\ndef f(x):\n    try: g()\n    except Exception as e: return str(e)\n"
        "== helpers.py\nfrom errors import E\ndef g(): raise E\n"
        "== errors.py\nclass E(Exception):\n    def __str__(self): return 'one'",
        "'one'",
        "'two'",
    ),
    edited(
        "assertion",
        "N = 5\ndef f(x):\n    try:\n        assert x < N\n        return 1\n"
        "    except AssertionError:\n        return 2",
        "N = 5",
        "N = 2",
    ),
    edited(
        "conditional expression in a default of a lambda in a dictionary",
        "FAST = True\nT = {'g': lambda y, n=1 if FAST else 2: y + n}\ndef f(x): return T['g'](x)",
        "FAST = True",
        "FAST = False",
    ),
    edited(
        "deleted element",
        "T = [1, 2]\ndel T[0]\ndef f(x): return T",
        "del T[0]",
        "del T[1]",
    ),
    edited(
        "generator expression held in a list",
        "V = list(i * 2 for i in range(3))\ndef f(x): return V",
        "i * 2",
        "i * 3",
    ),
    edited(
        "class attribute computed from another",
        "class C:\n    a = 1\n    b = a * 10\ndef f(x): return C.b",
        "a = 1",
        "a = 2",
    ),
    edited(
        "type of a class attribute",
        "class C:\n    n = 1\ndef f(x): return C.n",
        "n = 1",
        "n = True",
    ),
    edited(
        "base of a named tuple's class",
        "from collections import namedtuple\nclass P(namedtuple('P', 'a b')):\n"
        "    def run(self): return self.a\ndef f(x): return P(1, 2).run()",
        "self.a",
        "self.b",
    ),
    edited(
        "enumeration of functions",
        "import enum\ndef g(y): return y + 1\n"
        "class C(enum.Enum):\n    G = (g,)\ndef f(x): return C.G.value[0](x)",
        *ONE,
    ),
    edited(
        "value made in __new__ of an enumeration",
        "import enum\nclass C(enum.Enum):\n    def __new__(cls, n):\n        self = object.__new__(cls)\n"
        "        self._value_ = n\n        self.extra = n * 10\n        return self\n    A = 1\n"
        "def f(x): return C.A.extra",
        "n * 10",
        "n * 20",
    ),
    edited(
        "missing value of an enumeration",
        "import enum\nclass C(enum.Enum):\n    A = 1\n    @classmethod\n    def _missing_(cls, v): return cls.A\n"
        "    B = 2\ndef f(x): return C(7).name",
        "return cls.A",
        "return cls.B",
    ),
    edited(
        "frozen dataclass in a constant",
        "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass C:\n    n: int\n"
        "c = C(1)\ndef f(x): return c.n",
        "C(1)",
        "C(2)",
    ),
    edited(
        "dataclass with slots",
        "from dataclasses import dataclass\n@dataclass(slots=True)\nclass C:\n    n: int = 1\n"
        "    def run(self): return self.n + 1\ndef f(x): return C().run()",
        "self.n + 1",
        "self.n + 2",
    ),
    edited(
        "lambda as a default factory",
        "from dataclasses import dataclass, field\n@dataclass\nclass C:\n"
        "    n: list = field(default_factory=lambda: [1])\ndef f(x): return C().n",
        "[1]",
        "[2]",
    ),
    edited(
        "keyword-only field",
        "from dataclasses import dataclass, field\n@dataclass\nclass C:\n    a: int = 1\n"
        "    b: int = field(default=2, kw_only=False)\ndef f(x):\n    try:\n"
        "        return C(3, 4).b\n    except TypeError:\n        return None",
        "kw_only=False",
        "kw_only=True",
    ),
    edited(
        "typed dictionary",
        "from typing import TypedDict\nclass D(TypedDict):\n    a: int\n"
        "def f(x): return sorted(D.__annotations__)",
        "a: int",
        "b: int",
    ),
    edited(
        "string formatting of an instance",
        "class C:\n    def __format__(self, spec): return 'one'\nc = C()\ndef f(x): return f'{c}'",
        "'one'",
        "'two'",
    ),
    edited(
        "comparison operators of instances in a sorted list",
        "class C:\n    def __init__(self, n): self.n = n\n    def __lt__(self, o): return self.n < o.n\n"
        "cs = [C(1), C(2)]\ndef f(x): return [c.n for c in sorted(cs)]",
        "self.n < o.n",
        "self.n > o.n",
    ),
    edited(
        "asynchronous context manager",
        "import asyncio\nclass C:\n    async def __aenter__(self): return 1\n"
        "    async def __aexit__(self, *a): pass\nasync def run():\n    async with C() as c: return c\n"
        "def f(x): return asyncio.run(run())",
        "return 1",
        "return 2",
    ),
    edited(
        "computed name of a submodule's attribute",
        "import pkg.low\ndef f(x): return getattr(pkg.low, 'G'.lower())(x)\n== pkg/__init__.py\n"
        "== pkg/low.py\nfrom pkg.deep import g\n== pkg/deep.py\ndef g(y): return y + 1",
        *ONE,
    ),
    edited(
        "evaluated lambda",
        "def g(y): return y + 1\nh = eval('lambda y: g(y)')\ndef f(x): return h(x)",
        *ONE,
    ),
    edited(
        "constant expression evaluated by a helper",
        "N = 1\ndef run(code): return eval(code)\ndef f(x): return run('N')",
        "N = 1",
        "N = 2",
    ),
    edited(
        "attributes taken by an operator",
        "from operator import attrgetter\nclass C:\n    class D:\n        n = 1\n"
        "get = attrgetter('D.n')\ndef f(x): return get(C)",
        "n = 1",
        "n = 2",
    ),
    edited(
        "global read through a nested class's method",
        "N = 1\ndef f(x):\n    class C:\n        def run(self): return N\n    return C().run()",
        "N = 1",
        "N = 2",
    ),
    edited(
        "global of the same name as an attribute of a nested class",
        "N = 1\ndef f(x):\n    class C:\n        N = 5\n        def run(self): return N\n"
        "    return C().run()",
        "N = 1\n",
        "N = 2\n",
    ),
    edited(
        "nonlocal name changed by a nested function",
        "def step(n): return n + 1\ndef f(x):\n    n = 0\n    def bump():\n        nonlocal n\n"
        "        n = step(n)\n    bump()\n    return n",
        "n + 1",
        "n + 2",
    ),
    edited(
        "helper behind two decorators of the standard library",
        "from functools import lru_cache, wraps\ndef h(y): return 0\n@lru_cache(maxsize=None)\n"
        "@wraps(h)\ndef g(y): return y + 1\ndef f(x): return g(x)",
        *ONE,
    ),
    edited(
        "lru_cache of a partial of a method",
        "from functools import lru_cache, partial\nclass C:\n    def run(self, y): return y + 1\n"
        "g = lru_cache(partial(C().run))\ndef f(x): return g(x)",
        *ONE,
    ),
    edited(
        "typed lru_cache",
        "from functools import lru_cache\n@lru_cache(typed=False)\ndef g(y, z): return type(y).__name__\n"
        "def f(x): return g(1, 2), g(1.0, 2)",
        "typed=False",
        "typed=True",
    ),
    edited(
        "wrapped by contextlib with a class",
        "from contextlib import ContextDecorator\nclass T(ContextDecorator):\n"
        "    def __enter__(self): LOG.append(1)\n    def __exit__(self, *a): pass\nLOG = []\n"
        "@T()\ndef g(y): return y + 1\ndef f(x): return g(x)",
        *ONE,
    ),
    edited(
        "exit stack with a callback",
        "from contextlib import ExitStack\ndef done(out): out.append(1)\ndef f(x):\n    out = []\n"
        "    with ExitStack() as s: s.callback(done, out)\n    return out",
        "out.append(1)",
        "out.append(2)",
    ),
    edited(
        "chained map and filter",
        "def keep(y): return y > 1\nSTEPS = (('filter', keep),)\n"
        "def f(x): return list(filter(STEPS[0][1], range(x)))",
        "y > 1",
        "y > 0",
    ),
    edited(
        "accumulating function",
        "from itertools import accumulate\ndef add(a, b): return a + b\n"
        "def f(x): return list(accumulate(range(x), add))",
        "a + b",
        "a - b",
    ),
    edited(
        "function found by its name in a class",
        "class Ops:\n    @staticmethod\n    def plus(y): return y + 1\n"
        "def f(x): return vars(Ops)['plus'].__func__(x)",
        *ONE,
    ),
    edited(
        "constant imported inside a class body",
        "class C:\n    from helpers import g\n    g = staticmethod(g)\ndef f(x): return C.g(x)"
        + HELPER,
        *ONE,
    ),
    edited(
        "import inside a nested function",
        "def f(x):\n    def inner():\n        import helpers\n        return helpers.g(x)\n"
        "    return inner()" + HELPER,
        *ONE,
    ),
    edited(
        "import inside a class in the body",
        "def f(x):\n    class C:\n        import helpers\n        n = helpers.g(3)\n    return C.n"
        + HELPER,
        *ONE,
    ),
    edited(
        "global import in the body",
        "def load():\n    global helpers\n    import helpers\ndef f(x):\n    load()\n"
        "    return helpers.g(x)" + HELPER,
        *ONE,
        settled=False,
    ),
    edited(
        "module under several names in one statement",
        "import helpers as a, helpers as b\ndef f(x): return b.g(x)" + HELPER,
        *ONE,
    ),
    edited(
        "sorted with a lambda over a constant",
        "ORDER = {'a': 1, 'b': 2}\ndef f(x): return sorted('ab', key=lambda k: ORDER[k])",
        "'a': 1",
        "'a': 3",
    ),
    edited(
        "string joined from constants of a class",
        "class N:\n    A = 'a'\n    B = 'b'\n    ALL = (A, B)\ndef f(x): return '-'.join(N.ALL)",
        "A = 'a'",
        "A = 'z'",
    ),
    neutral(
        "table of results under another name",
        "TABLE = {}\ndef f(x):\n    if x not in TABLE:\n        TABLE[x] = x\n    return TABLE[x]",
        "TABLE = {}",
        "TABLE = {}  # so",
    ),
    neutral(
        "comment beside an import in the body",
        "def f(x):\n    import helpers\n    return helpers.g(x)" + HELPER,
        "return y + 1",
        "return y + 1  # so",
    ),
    neutral(
        "hint of a method's parameter",
        "class A:\n    def run(self, y): return y\ndef f(x): return A().run(x)",
        "self, y",
        "self, y: 'A'",
    ),
    neutral(
        "hint in a lambda's function",
        "def make(n):\n    k = n\n    return lambda y: y + k\nf = make(1)",
        "k = n",
        "k: int = n",
    ),
    neutral(
        "comment in a decorated function",
        "import functools\ndef deco(g):\n    @functools.wraps(g)\n    def wrapper(*a):\n"
        "        return g(*a)\n    return wrapper\n@deco\ndef f(x): return x",
        "return g(*a)\n",
        "# so\n        return g(*a)\n",
    ),
    neutral(
        "overloads for type checkers",
        "from typing import overload\ndef f(x): return x",
        "def f(x)",
        "@overload\ndef f(x: int) -> int: ...\n@overload\ndef f(x: str) -> str: ...\ndef f(x)",
    ),
    neutral(
        "module docstring where a function reads its own name",
        "'one'\ndef f(x): return __name__",
        "'one'",
        "'two'",
    ),
    neutral("final newline", "def f(x): return x", "return x", "return x\n\n\n"),
    neutral("coding line", "def f(x): return 'é'", "def f", "# -*- coding: utf-8 -*-\ndef f"),
    neutral("form feed", "def f(x): return x", "def f", "\f\ndef f"),
    neutral(
        "backslash at the end of a line", "def f(x): return x + 1", "x + 1", "x + \\\n        1"
    ),
    neutral("trailing comma", "def f(x): return [x, 1]", "[x, 1]", "[x, 1,]"),
    neutral(
        "unicode name written otherwise", "def f(x):\n    ﬁ = x\n    return fi", "ﬁ = x", "fi = x"
    ),
    neutral(
        "type variable used in hints only",
        "from typing import TypeVar\nT = TypeVar('T')\ndef f(x: T) -> T: return x",
        "TypeVar('T')",
        "TypeVar('T', bound=int)",
    ),
    neutral(
        "cast",
        "from typing import cast\ndef f(x): return cast('int', x)",
        "from typing import cast",
        "from typing import Any, cast",
    ),
    neutral(
        "names exported",
        "from helpers import g\ndef f(x): return g(x)\n== helpers.py\n__all__ = ['g']\ndef g(y): return y\ndef h(y): return y",
        "['g']",
        "['g', 'h']",
    ),
    neutral(
        "version of the project",
        "import pkg\ndef f(x): return pkg.g(x)\n== pkg/__init__.py\n__version__ = '1'\ndef g(y): return y",
        "'1'",
        "'2'",
    ),
    neutral(
        "helper that is no longer called by unrelated code",
        "def g(y): return y\ndef other(): return g(1)\ndef f(x): return g(x)",
        "return g(1)",
        "return 1",
    ),
    neutral(
        "print in unrelated code at import",
        "N = [1]\ndef f(x): return N",
        "def f",
        "print('loaded')\ndef f",
    ),
    neutral(
        "attribute of the function that nothing reads",
        "def f(x): return x",
        "return x",
        "return x\nf.version = 2",
    ),
    neutral(
        "guard against running",
        "def f(x): return x",
        "return x",
        "return x\n\ndef main(): return f(1)\n\nif __name__ == '__main__':\n    main()",
    ),
    edited(
        "method put into a class of the standard library",
        "from fractions import Fraction\ndef total(self): return 1\nFraction.total = total\n"
        "def f(x): return Fraction().total()",
        "return 1",
        "return 2",
    ),
    edited(
        "method put into a library's class in another module",
        "import patches\nfrom fractions import Fraction\ndef f(x): return Fraction(x).half()\n"
        "== patches.py\nimport fractions\nfractions.Fraction.half = lambda self: self / 2",
        "self / 2",
        "self / 4",
    ),
    edited(
        "method put into the class of a constant",
        "from argparse import Namespace\nn = Namespace(a=1)\nNamespace.run = lambda self: 1\n"
        "def f(x): return n.run()",
        "self: 1",
        "self: 2",
    ),
    edited(
        "property put into a class of the standard library",
        "from argparse import Namespace\nNamespace.total = property(lambda self: 1)\n"
        "def f(x): return Namespace().total",
        "self: 1",
        "self: 2",
    ),
    edited(
        "name of a module and of an instance in its package",
        "import pkg\nfrom pkg.c import g\ndef f(x): return pkg.c.n, g()\n"
        "== pkg/__init__.py\nfrom pkg import c as _c\nclass C: pass\nc = C()\nc.n = 1\n"
        "== pkg/c.py\nn = 5\ndef g(): return n",
        "n = 5",
        "n = 6",
    ),
    edited(
        "instance of the same name as a module of its package",
        "import pkg\nfrom pkg.c import g\ndef f(x): return pkg.c.n, g()\n"
        "== pkg/__init__.py\nfrom pkg import c as _c\nclass C: pass\nc = C()\nc.n = 1\n"
        "== pkg/c.py\nn = 5\ndef g(): return n",
        "c.n = 1",
        "c.n = 2",
    ),
    edited(
        "data frame",
        "import pandas as pd\nV = pd.DataFrame({'a': [1, 2]})\ndef f(x): return V.a.tolist()",
        "[1, 2]",
        "[1, 3]",
        needs="pandas",
    ),
    edited(
        "index of a series",
        "import pandas as pd\nV = pd.Series([1, 2], index=['a', 'b'])\ndef f(x): return list(V.index)",
        "['a', 'b']",
        "['a', 'c']",
        needs="pandas",
    ),
    edited(
        "name of a data frame's column",
        "import pandas as pd\nV = pd.DataFrame({'a': [1, 2]})\ndef f(x): return list(V)",
        "'a'",
        "'b'",
        needs="pandas",
    ),
    edited(
        "sparse matrix",
        "from scipy.sparse import csr_matrix\nV = csr_matrix([[0, 1]])\ndef f(x): return V.sum()",
        "[0, 1]",
        "[0, 2]",
        needs="scipy",
    ),
    edited(
        "helper passed to a function of a library",
        "from scipy.optimize import brentq\ndef g(y): return y - 1\n"
        "def f(x): return round(brentq(g, -9, 9), 6)",
        "y - 1",
        "y - 2",
        needs="scipy",
    ),
    edited(
        "masked array",
        "import numpy as np\nV = np.ma.array([1, 2], mask=[0, 1])\ndef f(x): return V.sum()",
        "[0, 1]",
        "[1, 0]",
    ),
    edited(
        "array made read-only",
        "import numpy as np\nV = np.arange(3)\nV.flags.writeable = False\ndef f(x): return V[0:2]",
        "arange(3)",
        "arange(3)[::-1]",
    ),
    edited(
        "array in a named tuple in a list",
        "import numpy as np\nfrom collections import namedtuple\nP = namedtuple('P', 'w')\n"
        "V = [P(np.ones(2))]\ndef f(x): return V[0].w",
        "np.ones",
        "np.zeros",
    ),
    edited(
        "function chosen by a dictionary of classes",
        "class A:\n    def run(self): return 1\nclass B:\n    def run(self): return 2\n"
        "KINDS = {'a': A, 'b': B}\ndef f(x): return KINDS['a']().run()",
        "return 1",
        "return 3",
    ),
    edited(
        "strategy held by a class, given by a keyword",
        "def s(y): return y + 1\nclass A:\n    def __init__(self, *, s): self.s = s\n"
        "    def run(self, y): return self.s(y)\na = A(s=s)\ndef f(x): return a.run(x)",
        *ONE,
    ),
    edited(
        "pipeline of instances",
        "class Step:\n    def __init__(self, n): self.n = n\n    def __call__(self, y): return y + self.n\n"
        "PIPE = [Step(1), Step(2)]\ndef f(x):\n    for s in PIPE: x = s(x)\n    return x",
        "Step(2)",
        "Step(3)",
    ),
    edited(
        "visitor by the name of a class",
        "class V:\n    def visit(self, o): return getattr(self, 'visit_' + type(o).__name__)(o)\n"
        "    def visit_int(self, o): return o + 1\ndef f(x): return V().visit(x)",
        "o + 1",
        "o + 2",
    ),
    edited(
        "configuration read from text at import",
        "import json\nTEXT = '{\"rate\": 1}'\nCONFIG = json.loads(TEXT)\ndef f(x): return CONFIG['rate']",
        ": 1}",
        ": 2}",
    ),
    edited(
        "configuration read from a file at import",
        "import json, os\nwith open(os.path.join(os.path.dirname(__file__), 'c.json')) as file:\n"
        "    CONFIG = json.load(file)\ndef f(x): return CONFIG['rate']\n== c.json\n{\"rate\": 1}",
        ": 1}",
        ": 2}",
    ),
    edited(
        "configuration of a parser",
        "from configparser import ConfigParser\nC = ConfigParser()\nC.read_string('[a]\\nn = 1')\n"
        "def f(x): return C['a']['n']",
        "n = 1",
        "n = 2",
    ),
    edited(
        "environment variable read at import",
        "import os\nos.environ['FP_RATE'] = '1'\nRATE = os.environ['FP_RATE']\ndef f(x): return RATE",
        "= '1'",
        "= '2'",
    ),
    edited(
        "template",
        "from string import Template\nT = Template('$a 1')\ndef f(x): return T.substitute(a=x)",
        "'$a 1'",
        "'$a 2'",
    ),
    edited(
        "function made by a class decorator with arguments",
        "def fields(**defaults):\n    def deco(cls):\n        for k, v in defaults.items(): setattr(cls, k, v)\n"
        "        return cls\n    return deco\n@fields(n=1)\nclass A: pass\ndef f(x): return A.n",
        "fields(n=1)",
        "fields(n=2)",
    ),
    edited(
        "helper taken from a list by its place",
        "def a(y): return y + 1\ndef b(y): return y * 2\n(g, *_) = [a, b]\ndef f(x): return g(x)",
        "[a, b]",
        "[b, a]",
    ),
    edited(
        "conditional function",
        "FAST = True\nif FAST:\n    def g(y): return 1\nelse:\n    def g(y): return 2\n"
        "def f(x): return g(x)",
        "FAST = True",
        "FAST = False",
    ),
    edited(
        "branch not taken of a conditional function",
        "FAST = True\nif FAST:\n    def g(y): return 1\nelse:\n    def g(y): return 2\n"
        "def f(x): return g(x)",
        "return 2",
        "return 3",
        verdict=HIT,
    ),
    edited(
        "function tried in several ways",
        "try:\n    import missing_for_sure\n    def g(y): return 1\nexcept ImportError:\n"
        "    def g(y): return 2\ndef f(x): return g(x)",
        "return 2",
        "return 3",
    ),
    edited(
        "warning filter's category",
        "class W(UserWarning):\n    code = 1\ndef f(x): return W.code",
        "code = 1",
        "code = 2",
    ),
    edited(
        "iterator class",
        "class It:\n    def __init__(self, n): self.n = n\n    def __iter__(self): return self\n"
        "    def __next__(self):\n        if self.n < 1: raise StopIteration\n        self.n -= 1\n        return self.n\n"
        "def f(x): return list(It(x))",
        "self.n -= 1",
        "self.n -= 2",
    ),
    edited(
        "default argument shared by two functions",
        "S = {'n': 1}\ndef g(y, s=S): return s['n']\ndef f(x): return g(x)",
        "'n': 1",
        "'n': 2",
    ),
    edited(
        "numpy function under a name of one's own",
        "import numpy as np\nagg = np.mean\ndef f(x): return float(agg([1, 2, 6]))",
        "np.mean",
        "np.median",
    ),
    edited(
        "ufunc in a dictionary",
        "import numpy as np\nOPS = {'a': np.add}\ndef f(x): return int(OPS['a'](x, 2))",
        "np.add",
        "np.multiply",
    ),
    edited(
        "reduction of a ufunc",
        "import numpy as np\nred = np.add.reduce\ndef f(x): return int(red([1, 2, 4]))",
        "np.add.reduce",
        "np.multiply.reduce",
    ),
    edited(
        "subclass of an array",
        "import numpy as np\nclass A(np.ndarray):\n    def total(self): return float(self.sum()) + 1\n"
        "a = np.ones(2).view(A)\ndef f(x): return a.total()",
        "+ 1",
        "+ 2",
    ),
    edited(
        "polynomial",
        "import numpy as np\nP = np.polynomial.Polynomial([1, 2])\ndef f(x): return float(P(x))",
        "[1, 2]",
        "[1, 3]",
    ),
    neutral(
        "first lambda of a list that is not reached",
        "U = [lambda y: 1]\nT = [lambda y: 2]\ndef f(x): return T[0](x)",
        "y: 1",
        "y: 3",
    ),
    neutral(
        "name of a cell's variable elsewhere",
        "def make(n):\n    def inner(x): return x + n\n    return inner\nn = 5\nf = make(1)",
        "n = 5",
        "n = 6",
    ),
    neutral(
        "helper that a class not reached uses",
        "def g(y): return y\nclass A:\n    def run(self): return g(1)\ndef f(x): return x",
        "return y",
        "return -y",
    ),
    neutral(
        "constant that only a hint reads",
        "N = 1\ndef f(x: 'N') -> 'N': return x",
        "N = 1",
        "N = 2",
    ),
    neutral(
        "module-level cache cleared",
        "from functools import lru_cache\n@lru_cache(maxsize=8)\ndef g(y): return y\ndef f(x): return g(x)",
        "maxsize=8",
        "maxsize=9",
    ),
    neutral(
        "test module beside",
        "def f(x): return x\n== test_main.py\nfrom main import f\ndef test(): assert f(1) == 1",
        "f(1) == 1",
        "f(2) == 2",
    ),
    neutral(
        "data frame written otherwise",
        "import pandas as pd\nV = pd.DataFrame({'a': [1, 2]})\ndef f(x): return V.a.tolist()",
        "{'a': [1, 2]}",
        "{'a': list(range(1, 3))}",
        needs="pandas",
    ),
    neutral(
        "import inside a try for speed",
        "def f(x): return sum(range(x))",
        "def f",
        "try:\n    import ujson as json\nexcept ImportError:\n    import json\ndef f",
    ),
    neutral(
        "private helper renamed in unrelated code",
        "def _a(y): return y\ndef other(): return _a(1)\ndef f(x): return x",
        "def _a(y): return y\ndef other(): return _a(1)",
        "def _b(y): return y\ndef other(): return _b(1)",
    ),
]
