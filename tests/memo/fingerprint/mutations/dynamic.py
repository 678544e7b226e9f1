"""What cannot be seen by reading names: computed attributes, eval, monkeypatches, generated code."""
# ruff: noqa: E501 - a program on one line shows its edit better than one on many

from __future__ import annotations

from tests.memo.fingerprint.mutations.case import Case, edited

HELPER = "\n== helpers.py\ndef g(y): return y + 1\n"
ONE = ("y + 1", "y + 2")

CASES: list[Case] = [
    edited(
        "getattr with a constant name",
        "import helpers\ndef f(x): return getattr(helpers, 'g')(x)" + HELPER,
        *ONE,
    ),
    edited(
        "getattr with a computed name",
        "import helpers\ndef f(x): return getattr(helpers, 'ghi'[:1])(x)" + HELPER,
        *ONE,
    ),
    edited(
        "getattr with a computed name on an instance",
        "class A:\n    def run_a(self): return 1\na = A()\ndef f(x): return getattr(a, 'run_' + 'a')()",
        "return 1",
        "return 2",
    ),
    edited(
        "getattr with a computed name on a class",
        "class A:\n    n1 = 1\ndef f(x): return getattr(A, f'n{1}')",
        "n1 = 1",
        "n1 = 2",
    ),
    edited(
        "getattr with a computed name on self",
        """
class A:
    def run(self, name): return getattr(self, 'do_' + name)()
    def do_a(self): return 1
def f(x): return A().run('a')
""",
        "return 1",
        "return 2",
    ),
    edited(
        "getattr with a default",
        "import helpers\ndef other(y): return y + 5\n"
        "def f(x): return getattr(helpers, 'h', other)(x)" + HELPER,
        "y + 5",
        "y + 6",
    ),
    edited(
        "function found in globals by a constant",
        "def g(y): return y + 1\ndef f(x): return globals()['g'](x)",
        *ONE,
    ),
    edited(
        "function found in globals by a computed name",
        "def step_a(y): return y + 1\ndef f(x): return globals()['step_' + 'a'](x)",
        *ONE,
    ),
    edited(
        "function found by get in globals",
        "def g(y): return y + 1\ndef f(x): return globals().get('g')(x)",
        *ONE,
    ),
    edited(
        "constant found in globals by a computed name",
        "RATE_A = 1\ndef f(x): return globals()['RATE_' + 'a'.upper()]",
        "RATE_A = 1",
        "RATE_A = 2",
    ),
    edited(
        "vars of a module",
        "import helpers\ndef f(x): return vars(helpers)['g'](x)" + HELPER,
        *ONE,
    ),
    edited(
        "dictionary of a module",
        "import helpers\ndef f(x): return helpers.__dict__['g'](x)" + HELPER,
        *ONE,
    ),
    edited(
        "module found in sys.modules",
        "import sys\ndef g(y): return y + 1\n"
        "def f(x): return getattr(sys.modules[__name__], 'g')(x)",
        *ONE,
    ),
    edited(
        "constant expression evaluated",
        "def g(y): return y + 1\ndef f(x): return eval('g(3)')",
        *ONE,
    ),
    edited(
        "computed expression evaluated",
        "def g(y): return y + 1\ndef f(x): return eval('g' + '(3)')",
        *ONE,
    ),
    edited(
        "expression in a constant evaluated",
        "EXPR = 'x + 1'\ndef f(x): return eval(EXPR)",
        "'x + 1'",
        "'x + 2'",
    ),
    edited(
        "constant code executed",
        "def g(y): return y + 1\ndef f(x):\n    names = {}\n"
        "    exec('r = g(3)', globals(), names)\n    return names['r']",
        *ONE,
    ),
    edited(
        "module imported by a constant name",
        "import importlib\ndef f(x): return importlib.import_module('helpers').g(x)" + HELPER,
        *ONE,
    ),
    edited(
        "module imported by a constant name, kept in a variable",
        "import importlib\ndef f(x):\n    m = importlib.import_module('helpers')\n    return m.g(x)"
        + HELPER,
        *ONE,
    ),
    edited(
        "module imported by __import__",
        "def f(x): return __import__('helpers').g(x)" + HELPER,
        *ONE,
    ),
    edited(
        "function replaced in its module",
        "import helpers\ndef new(y): return y + 10\nhelpers.g = new\n"
        "def f(x): return helpers.g(x)" + HELPER,
        "y + 10",
        "y + 20",
    ),
    edited(
        "method replaced in its class",
        "class A:\n    def run(self): return 0\ndef run(self): return 1\nA.run = run\n"
        "def f(x): return A().run()",
        "return 1",
        "return 2",
    ),
    edited(
        "function of the standard library replaced",
        "import math\ndef new(y): return y + 1\nmath.sqrt = new\ndef f(x): return math.sqrt(x)",
        *ONE,
    ),
    edited(
        "function of numpy replaced",
        "import numpy as np\ndef new(y): return y + 1\nnp.mean = new\ndef f(x): return np.mean(x)",
        *ONE,
    ),
    edited(
        "builtin replaced",
        "import builtins\ndef new(y): return y + 1\nbuiltins.abs = new\ndef f(x): return abs(x)",
        *ONE,
    ),
    edited(
        "code of a function replaced",
        "def a(y): return 0\ndef b(y): return y + 1\na.__code__ = b.__code__\ndef f(x): return a(x)",
        *ONE,
    ),
    edited(
        "defaults of a function replaced",
        "def g(y, n=0): return y + n\ng.__defaults__ = (1,)\ndef f(x): return g(x)",
        "(1,)",
        "(2,)",
    ),
    edited(
        "function made by exec",
        "exec('def g(y): return y + 1')\ndef f(x): return g(x)",
        *ONE,
    ),
    edited(
        "helper of a function made by exec",
        "def h(y): return y + 1\nexec('def g(y): return h(y)')\ndef f(x): return g(x)",
        *ONE,
    ),
    edited(
        "value closed over by a function made by exec",
        "exec('def make(n):\\n def g(y): return y + n\\n return g')\ng = make(1)\n"
        "def f(x): return g(x)",
        "make(1)",
        "make(2)",
    ),
    edited(
        "attribute read by a computed name from a configuration",
        "class Config: pass\nc = Config()\nc.n1 = 1\ndef f(x): return getattr(c, 'n' + '1')",
        "n1 = 1",
        "n1 = 2",
    ),
    edited(
        "docstring that is read",
        "def g(y):\n    'one'\ndef f(x): return g.__doc__",
        "'one'",
        "'two'",
    ),
    edited(
        "docstring of a module that is read",
        "'one'\ndef f(x): return __doc__",
        "'one'",
        "'two'",
    ),
    edited(
        "hint that is read",
        "import typing\ndef g(y: int): pass\ndef f(x): return str(typing.get_type_hints(g)['y'])",
        "y: int",
        "y: float",
    ),
    edited(
        "hint that a decorator reads",
        """
import functools
def casting(g):
    kind = list(g.__annotations__.values())[0]
    @functools.wraps(g)
    def wrapper(y): return g(kind(y))
    return wrapper
@casting
def g(y: int): return y
def f(x): return g(x)
""",
        "y: int",
        "y: float",
    ),
    edited(
        "hint of a class that is read",
        "class A:\n    n: int = 1\ndef f(x): return A.__annotations__['n'](x)",
        "n: int",
        "n: float",
    ),
    edited(
        "parameters that are read",
        "import inspect\ndef g(y, z): pass\ndef f(x): return str(inspect.signature(g))",
        "y, z",
        "z, y",
    ),
    edited(
        "name of a function that is read",
        "def one(): pass\ng = one\ndef f(x): return g.__name__",
        "def one(): pass\ng = one",
        "def two(): pass\ng = two",
    ),
    edited(
        "global set by a helper",
        "V = 1\ndef change():\n    global V\n    V = 5\ndef f(x):\n    change()\n    return V",
        "V = 5",
        "V = 6",
        settled=False,
    ),
    edited(
        "name that is not defined yet",
        "def f(x):\n    try:\n        return later(x)\n    except NameError:\n        return None\n"
        "def other(y): return y + 1",
        "def other(y)",
        "def later(y)",
    ),
    edited(
        "frame looked into",
        "import sys\nN_A = 1\ndef f(x): return sys._getframe().f_globals['N_' + 'A']",
        "N_A = 1",
        "N_A = 2",
    ),
]
