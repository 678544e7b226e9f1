"""What is called: helpers, closures, defaults, decorators, wrapped functions, functions as data."""
# ruff: noqa: E501 - a program on one line shows its edit better than one on many

from __future__ import annotations

from tests.memo.fingerprint.mutations.case import Case, edited

CASES: list[Case] = [
    edited("own body", "def f(x): return x + 1", "x + 1", "x + 2"),
    edited(
        "helper",
        "def helper(x): return x + 1\ndef f(x): return helper(x)",
        "x + 1",
        "x + 2",
    ),
    edited(
        "helper of a helper of a helper",
        """
def c(x): return x + 1
def b(x): return c(x)
def a(x): return b(x)
def f(x): return a(x)
""",
        "x + 1",
        "x + 2",
    ),
    edited(
        "helper defined after its caller",
        "def f(x): return helper(x)\ndef helper(x): return x + 1",
        "x + 1",
        "x + 2",
    ),
    edited(
        "self recursion",
        "def f(x): return 1 if x < 1 else f(x - 1) * 2",
        "* 2",
        "* 3",
    ),
    edited(
        "mutual recursion",
        """
def even(n): return True if n == 0 else odd(n - 1)
def odd(n): return False if n == 0 else even(n - 1)
def f(x): return even(x)
""",
        "False if n == 0",
        "None if n == 0",
    ),
    edited(
        "nested function",
        "def f(x):\n    def inner(y): return y + 1\n    return inner(x)",
        "y + 1",
        "y + 2",
    ),
    edited(
        "helper called by a nested function",
        """
def helper(y): return y + 1
def f(x):
    def inner(y):
        def innermost(z): return helper(z)
        return innermost(y)
    return inner(x)
""",
        "y + 1",
        "y + 2",
    ),
    edited(
        "helper called in a comprehension",
        "def helper(y): return y + 1\ndef f(x): return [helper(i) for i in range(x)]",
        "y + 1",
        "y + 2",
    ),
    edited(
        "helper in the condition of a comprehension",
        "def keep(y): return y > 1\ndef f(x): return {i for i in range(x) if keep(i)}",
        "y > 1",
        "y > 0",
    ),
    edited(
        "helper iterated over by a comprehension",
        "def items(n): return range(n)\ndef f(x): return {i: 1 for i in items(x)}",
        "range(n)",
        "range(n + 1)",
    ),
    edited(
        "helper in a generator expression",
        "def helper(y): return y + 1\ndef f(x): return sum(helper(i) for i in range(x))",
        "y + 1",
        "y + 2",
    ),
    edited(
        "generator function",
        "def items(n):\n    for i in range(n):\n        yield i\ndef f(x): return list(items(x))",
        "yield i",
        "yield -i",
    ),
    edited(
        "generator delegating to another",
        """
def inner(n): yield n
def outer(n): yield from inner(n)
def f(x): return list(outer(x))
""",
        "yield n",
        "yield n + 1",
    ),
    edited(
        "coroutine",
        """
import asyncio
async def helper(y): return y + 1
async def run(y): return await helper(y)
def f(x): return asyncio.run(run(x))
""",
        "y + 1",
        "y + 2",
    ),
    edited(
        "asynchronous generator",
        """
import asyncio
async def items(n):
    for i in range(n):
        yield i
async def run(n): return [i async for i in items(n)]
def f(x): return asyncio.run(run(x))
""",
        "yield i",
        "yield -i",
    ),
    edited(
        "lambda",
        "helper = lambda y: y + 1\ndef f(x): return helper(x)",
        "y + 1",
        "y + 2",
    ),
    edited(
        "first of two lambdas on one line",
        "a, b = lambda y: y + 1, lambda y: y * 2\ndef f(x): return a(x)",
        "y + 1",
        "y + 2",
    ),
    edited(
        "second of two lambdas on one line",
        "a, b = lambda y: y + 1, lambda y: y * 2\ndef f(x): return b(x)",
        "y * 2",
        "y * 3",
    ),
    edited(
        "lambda inside a lambda",
        "a = lambda y: (lambda z: z + 1)(y)\ndef f(x): return a(x)",
        "z + 1",
        "z + 2",
    ),
    edited(
        "lambda over several lines",
        "a = (\n    lambda y:\n        y\n        + 1\n)\ndef f(x): return a(x)",
        "+ 1",
        "+ 2",
    ),
    edited(
        "default of a lambda",
        "a = lambda y, z=1: y + z\ndef f(x): return a(x)",
        "z=1",
        "z=2",
    ),
    edited(
        "key function",
        "def key(y): return -y\ndef f(x): return sorted(range(x), key=key)",
        "return -y",
        "return y",
    ),
    edited(
        "helper passed to map",
        "def helper(y): return y + 1\ndef f(x): return list(map(helper, range(x)))",
        "y + 1",
        "y + 2",
    ),
    edited(
        "helper under a local name",
        "def helper(y): return y + 1\ndef f(x):\n    g = helper\n    return g(x)",
        "y + 1",
        "y + 2",
    ),
    edited(
        "helper under another global name",
        "def helper(y): return y + 1\nother = helper\ndef f(x): return other(x)",
        "y + 1",
        "y + 2",
    ),
    edited(
        "name bound to another helper",
        """
def one(y): return y + 1
def two(y): return y + 2
used = one
def f(x): return used(x)
""",
        "used = one",
        "used = two",
    ),
    edited(
        "helper in an f-string",
        "def helper(y): return y + 1\ndef f(x): return f'{helper(x)!r:>5}'",
        "y + 1",
        "y + 2",
    ),
    edited(
        "width in the format of an f-string",
        "W = 5\ndef f(x): return f'{x:{W}}'",
        "W = 5",
        "W = 6",
    ),
    edited(
        "helper in a default expression of a nested function",
        "def helper(): return 1\ndef f(x):\n    def g(y=helper()): return x + y\n    return g()",
        "return 1",
        "return 2",
    ),
    edited(
        "helper decorating a nested function",
        """
def deco(g): return lambda y: g(y) + 1
def f(x):
    @deco
    def inner(y): return y
    return inner(x)
""",
        "g(y) + 1",
        "g(y) + 2",
    ),
    edited(
        "helper used as a context manager",
        """
from contextlib import contextmanager
@contextmanager
def context(y):
    yield y + 1
def f(x):
    with context(x) as y:
        return y
""",
        "y + 1",
        "y + 2",
    ),
    edited(
        "helper in an except clause",
        """
class Oops(Exception): pass
class Other(Exception): pass
caught = Oops
def f(x):
    try:
        raise Oops(x)
    except caught:
        return 1
    except Exception:
        return 2
""",
        "caught = Oops",
        "caught = Other",
    ),
    edited(
        "helper called in a finally clause",
        """
def helper(y): return y + 1
def f(x):
    try:
        pass
    finally:
        x = helper(x)
    return x
""",
        "y + 1",
        "y + 2",
    ),
    edited(
        "helper called in a match statement",
        """
class P:
    __match_args__ = ("a",)
    def __init__(self, a): self.a = a
def f(x):
    match P(x):
        case P(a):
            return a
""",
        "self.a = a",
        "self.a = a + 1",
    ),
    edited(
        "constant compared in a match statement",
        """
class Codes:
    OK = 3
def f(x):
    match x:
        case Codes.OK:
            return 'ok'
        case _:
            return 'no'
""",
        "OK = 3",
        "OK = 4",
    ),
    edited(
        "walrus in a comprehension",
        "def g(y): return y + 1\ndef f(x): return [z for i in range(x) if (z := g(i)) > 1]",
        "y + 1",
        "y + 2",
    ),
    edited(
        "star arguments made by a helper",
        "def args(y): return [y, 1]\ndef f(x): return max(*args(x))",
        "[y, 1]",
        "[y, 9]",
    ),
    # Closures
    edited(
        "value in a closure",
        "def make(n):\n    def inner(x): return x + n\n    return inner\nf = make(1)",
        "make(1)",
        "make(2)",
    ),
    edited(
        "function in a closure",
        """
def helper(x): return x + 1
def make(g):
    def inner(x): return g(x)
    return inner
f = make(helper)
""",
        "x + 1",
        "x + 2",
    ),
    edited(
        "lambda in a closure",
        "def make(g):\n    return lambda x: g(x)\nf = make(lambda y: y + 1)",
        "y + 1",
        "y + 2",
    ),
    edited(
        "module in a closure",
        """
import helpers
def make(m):
    def inner(x): return m.g(x)
    return inner
f = make(helpers)
== helpers.py
def g(x): return x + 1
""",
        "x + 1",
        "x + 2",
    ),
    edited(
        "array in a closure",
        """
import numpy as np
def make(a):
    def inner(x): return float(a.sum()) + x
    return inner
f = make(np.arange(3))
""",
        "arange(3)",
        "arange(4)",
    ),
    edited(
        "closure two levels up",
        """
def make(n):
    def middle():
        def inner(x): return x + n
        return inner
    return middle()
f = make(1)
""",
        "make(1)",
        "make(2)",
    ),
    edited(
        "closures that differ in their values only",
        """
def make(n):
    def inner(x): return x + n
    return inner
a, b = make(1), make(2)
def f(x): return a(x) * 10 + b(x)
""",
        "a, b = make(1), make(2)",
        "a, b = make(2), make(1)",
    ),
    edited(
        "closure variable changed later",
        """
def make():
    n = 1
    def inner(x): return x + n
    def change(value):
        nonlocal n
        n = value
    return inner, change
f, change = make()
change(5)
""",
        "change(5)",
        "change(6)",
    ),
    # Defaults
    edited(
        "default",
        "def helper(y, z=1): return y + z\ndef f(x): return helper(x)",
        "z=1",
        "z=2",
    ),
    edited(
        "default of the function itself",
        "def f(x, z=1): return x + z",
        "z=1",
        "z=2",
    ),
    edited(
        "keyword-only default",
        "def helper(y, *, z=1): return y + z\ndef f(x): return helper(x)",
        "z=1",
        "z=2",
    ),
    edited(
        "default computed elsewhere",
        "N = 1\ndef helper(y, z=N): return y + z\ndef f(x): return helper(x)",
        "N = 1",
        "N = 2",
    ),
    edited(
        "function as a default",
        "def g(y): return y + 1\ndef helper(y, h=g): return h(y)\ndef f(x): return helper(x)",
        "y + 1",
        "y + 2",
    ),
    edited(
        "list as a default",
        "def helper(y, z=[1, 2]): return y + z[1]\ndef f(x): return helper(x)",
        "[1, 2]",
        "[1, 3]",
    ),
    edited(
        "order of parameters",
        "def helper(a, b): return a - b\ndef f(x): return helper(x, 1)",
        "helper(a, b)",
        "helper(b, a)",
    ),
    edited(
        "defaults swapped between parameters",
        "def helper(y, a=1, b=2): return y + a * 10 + b\ndef f(x): return helper(x)",
        "a=1, b=2",
        "a=2, b=1",
    ),
    # Decorators
    edited(
        "body of a decorator's wrapper",
        """
import functools
def deco(g):
    @functools.wraps(g)
    def wrapper(*args): return g(*args) + 1
    return wrapper
@deco
def helper(y): return y
def f(x): return helper(x)
""",
        "g(*args) + 1",
        "g(*args) + 2",
    ),
    edited(
        "body of a decorated helper",
        """
import functools
def deco(g):
    @functools.wraps(g)
    def wrapper(*args): return g(*args) + 1
    return wrapper
@deco
def helper(y): return y * 5
def f(x): return helper(x)
""",
        "y * 5",
        "y * 6",
    ),
    edited(
        "body of a helper decorated without wraps",
        """
def deco(g):
    def wrapper(*args): return g(*args) + 1
    return wrapper
@deco
def helper(y): return y * 5
def f(x): return helper(x)
""",
        "y * 5",
        "y * 6",
    ),
    edited(
        "argument of a decorator",
        """
import functools
def deco(n):
    def outer(g):
        @functools.wraps(g)
        def wrapper(*args): return g(*args) + n
        return wrapper
    return outer
@deco(1)
def helper(y): return y
def f(x): return helper(x)
""",
        "deco(1)",
        "deco(2)",
    ),
    edited(
        "decorator taken away",
        """
def deco(g): return lambda *args: g(*args) + 1
@deco
def helper(y): return y
def f(x): return helper(x)
""",
        "@deco\n",
        "",
    ),
    edited(
        "decorators exchanged",
        """
def one(g): return lambda *args: g(*args) + 1
def two(g): return lambda *args: g(*args) * 2
@one
@two
def helper(y): return y
def f(x): return helper(x)
""",
        "@one\n@two",
        "@two\n@one",
    ),
    edited(
        "decorator of the function itself",
        """
import functools
def deco(g):
    @functools.wraps(g)
    def wrapper(x): return g(x) + 1
    return wrapper
@deco
def f(x): return x
""",
        "g(x) + 1",
        "g(x) + 2",
    ),
    edited(
        "decorator that is a class",
        """
class Deco:
    def __init__(self, g): self.g = g
    def __call__(self, y): return self.g(y) + 1
@Deco
def helper(y): return y * 5
def f(x): return helper(x)
""",
        "self.g(y) + 1",
        "self.g(y) + 2",
    ),
    edited(
        "function inside a decorator that is a class",
        """
class Deco:
    def __init__(self, g): self.g = g
    def __call__(self, y): return self.g(y) + 1
@Deco
def helper(y): return y * 5
def f(x): return helper(x)
""",
        "y * 5",
        "y * 6",
    ),
    edited(
        "decorator that registers",
        """
HANDLERS = {}
def register(g):
    HANDLERS[g.__name__] = g
    return g
@register
def double(y): return y * 2
def f(x): return HANDLERS['double'](x)
""",
        "y * 2",
        "y * 3",
    ),
    edited(
        "attribute set by a decorator",
        """
def scaled(n):
    def deco(g):
        g.scale = n
        return g
    return deco
@scaled(2)
def helper(y): return y * helper.scale
def f(x): return helper(x)
""",
        "scaled(2)",
        "scaled(3)",
    ),
    edited(
        "attribute of a function read through another name",
        """
def helper(y): return y
helper.scale = 2
TABLE = [helper]
def f(x): return sum(g(x) * g.scale for g in TABLE)
""",
        "scale = 2",
        "scale = 3",
    ),
    # Wrapped functions
    edited(
        "function in a partial",
        """
from functools import partial
def helper(a, b): return a + b
part = partial(helper, 1)
def f(x): return part(x)
""",
        "a + b",
        "a - b",
    ),
    edited(
        "argument in a partial",
        """
from functools import partial
def helper(a, b): return a + b
part = partial(helper, 1)
def f(x): return part(x)
""",
        "partial(helper, 1)",
        "partial(helper, 2)",
    ),
    edited(
        "keyword in a partial",
        """
from functools import partial
def helper(a, b): return a + b
part = partial(helper, b=1)
def f(x): return part(x)
""",
        "b=1",
        "b=2",
    ),
    edited(
        "partial of a partial",
        """
from functools import partial
def helper(a, b, c): return a + b + c
part = partial(partial(helper, 1), 2)
def f(x): return part(x)
""",
        "a + b + c",
        "a + b - c",
    ),
    edited(
        "partial made inside the body",
        """
from functools import partial
def helper(a, b): return a + b
def f(x): return partial(helper, 1)(x)
""",
        "a + b",
        "a - b",
    ),
    edited(
        "function behind lru_cache",
        """
from functools import lru_cache
@lru_cache(maxsize=None)
def helper(y): return y + 1
def f(x): return helper(x)
""",
        "y + 1",
        "y + 2",
    ),
    edited(
        "helper of a function behind lru_cache",
        """
from functools import cache
def inner(y): return y + 1
@cache
def helper(y): return inner(y)
def f(x): return helper(x)
""",
        "y + 1",
        "y + 2",
    ),
    edited(
        "registered implementation of a singledispatch",
        """
from functools import singledispatch
@singledispatch
def helper(y): return 0
@helper.register
def _(y: int): return y + 1
def f(x): return helper(x)
""",
        "y + 1",
        "y + 2",
    ),
    edited(
        "implementation added to a singledispatch",
        """
from functools import singledispatch
@singledispatch
def helper(y): return 0
def integer(y): return y + 1
helper.register(float, integer)
def f(x): return helper(x)
""",
        "register(float",
        "register(int",
    ),
    edited(
        "fallback of a singledispatch",
        """
from functools import singledispatch
@singledispatch
def helper(y): return 1
@helper.register(str)
def _(y): return 5
def f(x): return helper(x)
""",
        "return 1",
        "return 2",
    ),
    edited(
        "operator taken from the operator module",
        "import operator\nop = operator.add\ndef f(x): return op(x, 2)",
        "operator.add",
        "operator.mul",
    ),
    edited(
        "builtin under a name of one's own",
        "agg = max\ndef f(x): return agg(x, 1)",
        "agg = max",
        "agg = min",
    ),
    edited(
        "item taken by an operator",
        "from operator import itemgetter\nget = itemgetter(0)\ndef f(x): return get([x, 7])",
        "itemgetter(0)",
        "itemgetter(1)",
    ),
    edited(
        "method called by an operator",
        """
from operator import methodcaller
call = methodcaller('upper')
def f(x): return call('aB')
""",
        "'upper'",
        "'lower'",
    ),
    edited(
        "method called by an operator on a class of one's own",
        """
from operator import methodcaller
class A:
    def run(self): return 1
call = methodcaller('run')
def f(x): return call(A())
""",
        "return 1",
        "return 2",
    ),
    edited(
        "bound method as a helper",
        """
class A:
    def __init__(self, n): self.n = n
    def run(self, y): return y + self.n
helper = A(1).run
def f(x): return helper(x)
""",
        "A(1)",
        "A(2)",
    ),
    edited(
        "body of a bound method as a helper",
        """
class A:
    def run(self, y): return y + 1
helper = A().run
def f(x): return helper(x)
""",
        "y + 1",
        "y + 2",
    ),
    edited(
        "function made vectorized by numpy",
        """
import numpy as np
@np.vectorize
def helper(y): return y + 1
def f(x): return helper(np.arange(x))
""",
        "y + 1",
        "y + 2",
    ),
    edited(
        "function made a ufunc by numpy",
        """
import numpy as np
def helper(y): return y + 1
ufunc = np.frompyfunc(helper, 1, 1)
def f(x): return ufunc(x)
""",
        "y + 1",
        "y + 2",
    ),
    # Functions as data
    edited(
        "function in a dictionary",
        "def a(y): return y + 1\nTABLE = {'a': a}\ndef f(x): return TABLE['a'](x)",
        "y + 1",
        "y + 2",
    ),
    edited(
        "lambda in a dictionary",
        "TABLE = {'a': lambda y: y + 1, 'b': lambda y: y}\ndef f(x): return TABLE['a'](x)",
        "y + 1",
        "y + 2",
    ),
    edited(
        "functions in a list",
        "def a(y): return y + 1\nSTEPS = [a, abs]\ndef f(x):\n    for s in STEPS: x = s(x)\n    return x",
        "y + 1",
        "y + 2",
    ),
    edited(
        "order of functions in a list",
        """
def a(y): return y + 1
def b(y): return y * 2
STEPS = [a, b]
def f(x):
    for s in STEPS: x = s(x)
    return x
""",
        "[a, b]",
        "[b, a]",
    ),
    edited(
        "functions in nested containers",
        "def a(y): return y + 1\nT = {'k': [(1, a)]}\ndef f(x): return T['k'][0][1](x)",
        "y + 1",
        "y + 2",
    ),
    edited(
        "functions in a set",
        "def a(y): return y + 1\nS = {a}\ndef f(x): return [s(x) for s in S]",
        "y + 1",
        "y + 2",
    ),
    edited(
        "function in an instance",
        """
class Holder: pass
def helper(y): return y + 1
h = Holder()
h.g = helper
def f(x): return h.g(x)
""",
        "y + 1",
        "y + 2",
    ),
    edited(
        "function in a namespace",
        """
from types import SimpleNamespace
def helper(y): return y + 1
ns = SimpleNamespace(g=helper)
def f(x): return ns.g(x)
""",
        "y + 1",
        "y + 2",
    ),
    edited(
        "function in a named tuple",
        """
from collections import namedtuple
Step = namedtuple('Step', 'g n')
def helper(y): return y + 1
step = Step(helper, 1)
def f(x): return step.g(x)
""",
        "y + 1",
        "y + 2",
    ),
    edited(
        "function returned by a helper",
        "def a(y): return y + 1\ndef pick(): return a\ndef f(x): return pick()(x)",
        "y + 1",
        "y + 2",
    ),
    edited(
        "composed functions",
        """
from functools import reduce
def a(y): return y + 1
def b(y): return y * 2
def compose(*gs): return lambda x: reduce(lambda v, g: g(v), gs, x)
f = compose(a, b)
""",
        "y + 1",
        "y + 2",
    ),
]
