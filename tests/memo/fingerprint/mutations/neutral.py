"""Edits that cannot matter: layout, comments, hints, names elsewhere, unrelated code."""
# ruff: noqa: E501 - a program on one line shows its edit better than one on many

from __future__ import annotations

from tests.memo.fingerprint.mutations.case import Case, neutral

HELPERS = """
== helpers.py
N = 1
M = 5
def g(y): return y + N
def other(y): return y * M
"""

CASES: list[Case] = [
    neutral("comment in the body", "def f(x):\n    return x + 1", "x + 1", "x + 1  # so"),
    neutral("comment before", "def f(x): return x", "def f", "# one\n# two\ndef f"),
    neutral(
        "comment in a helper",
        "def g(y):\n    return y\ndef f(x): return g(x)",
        "return y",
        "# so\n    return y",
    ),
    neutral("blank lines", "def f(x):\n    y = x\n    return y", "y = x\n", "y = x\n\n\n"),
    neutral("blank lines before", "import math\ndef f(x): return x", "def f", "\n\n\ndef f"),
    neutral("spaces", "def f(x): return x+1", "x+1", "x  +  1"),
    neutral(
        "indentation",
        "def f(x):\n    if x:\n        return 1\n    return 2",
        "        return 1",
        "          return 1",
    ),
    neutral("brackets", "def f(x): return x + 1 * 2", "x + 1 * 2", "(x + (1 * 2))"),
    neutral(
        "line broken in brackets",
        "def f(x): return max(x, 1)",
        "max(x, 1)",
        "max(\n    x,\n    1,\n)",
    ),
    neutral("quotes", "def f(x): return 'a'", "'a'", '"a"'),
    neutral("triple quotes", "def f(x): return 'a'", "'a'", '"""a"""'),
    neutral("text put together", "def f(x): return 'ab'", "'ab'", "'a' 'b'"),
    neutral("raw text", "def f(x): return 'ab'", "'ab'", "r'ab'"),
    neutral("base of an integer", "def f(x): return 255", "255", "0xff"),
    neutral("grouped digits", "def f(x): return 1000", "1000", "1_000"),
    neutral("notation of a float", "def f(x): return 1000.0", "1000.0", "1e3"),
    neutral(
        "semicolon", "def f(x):\n    y = x\n    return y", "y = x\n    return y", "y = x; return y"
    ),
    neutral("pass", "def f(x):\n    return x", "return x", "pass\n    return x"),
    neutral(
        "text standing alone",
        "def f(x):\n    y = x\n    return y",
        "return y",
        "'note'\n    return y",
    ),
    neutral("docstring", "def f(x):\n    return x", "return x", "'doc'\n    return x"),
    neutral("docstring changed", "def f(x):\n    'one'\n    return x", "'one'", "'two'"),
    neutral(
        "docstring of a helper",
        "def g(y):\n    'one'\n    return y\ndef f(x): return g(x)",
        "'one'",
        "'two'",
    ),
    neutral("docstring of a module", "'one'\ndef f(x): return x", "'one'", "'two'"),
    neutral(
        "docstring of a class",
        "class A:\n    'one'\n    n = 1\ndef f(x): return A().n",
        "'one'",
        "'two'",
    ),
    neutral(
        "docstring of a method",
        "class A:\n    def g(self):\n        'one'\n        return 1\ndef f(x): return A().g()",
        "'one'",
        "'two'",
    ),
    neutral("hint of a parameter", "def f(x): return x", "f(x)", "f(x: int)"),
    neutral("hint changed", "def f(x: int): return x", "int", "'float'"),
    neutral("hint of the result", "def f(x): return x", "f(x)", "f(x) -> int"),
    neutral("hint of a helper", "def g(y): return y\ndef f(x): return g(x)", "g(y)", "g(y: 'T')"),
    neutral("hint of a variable", "def f(x):\n    y = x\n    return y", "y = x", "y: int = x"),
    neutral("bare hint", "def f(x):\n    y = x\n    return y", "y = x", "y: int\n    y = x"),
    neutral(
        "hint of a nested function",
        "def f(x):\n    def g(y): return y\n    return g(x)",
        "g(y)",
        "g(y: int) -> int",
    ),
    neutral("hint of a constant", "N = 1\ndef f(x): return N", "N = 1", "N: int = 1"),
    neutral(
        "hint of a class attribute",
        "class A:\n    n = 1\ndef f(x): return A().n",
        "n = 1",
        "n: int = 1",
    ),
    neutral(
        "hint of an attribute",
        "class A:\n    def __init__(self): self.n = 1\ndef f(x): return A().n",
        "self.n = 1",
        "self.n: int = 1",
    ),
    neutral(
        "type of a dataclass's field",
        "from dataclasses import dataclass\n@dataclass\nclass A:\n    n: int = 1\ndef f(x): return A().n",
        "n: int",
        "n: float",
    ),
    neutral(
        "type of a named tuple's field",
        "from typing import NamedTuple\nclass A(NamedTuple):\n    n: int = 1\ndef f(x): return A().n",
        "n: int",
        "n: float",
    ),
    neutral(
        "class used in hints only",
        "class T: pass\ndef f(x: T): return 1",
        "class T: pass",
        "class T:\n    n = 1",
    ),
    neutral(
        "alias used in hints only",
        "T = int\ndef f(x):\n    def g(y: T): return y\n    return g(x)",
        "T = int",
        "T = float",
    ),
    neutral(
        "import for hints only",
        "from typing import TYPE_CHECKING\ndef f(x): return x",
        "def f",
        "if TYPE_CHECKING:\n    import missing\ndef f",
    ),
    neutral(
        "comment with a type", "def f(x):\n    y = x\n    return y", "y = x", "y = x  # type: int"
    ),
    neutral(
        "future import of annotations",
        "def f(x: int): return x",
        "def f",
        "from __future__ import annotations\ndef f",
    ),
    neutral(
        "unrelated function", "def other(y): return 1\ndef f(x): return x", "return 1", "return 2"
    ),
    neutral(
        "unrelated function added", "def f(x): return x", "def f", "def other(y): return 1\ndef f"
    ),
    neutral(
        "unrelated function removed",
        "def other(y): return 1\ndef f(x): return x",
        "def other(y): return 1\n",
        "",
    ),
    neutral("unrelated constant", "N = 1\nM = 1\ndef f(x): return N", "M = 1", "M = 2"),
    neutral("unrelated class", "class A:\n    n = 1\ndef f(x): return x", "n = 1", "n = 2"),
    neutral(
        "unrelated lambda on another line",
        "a = lambda y: y + 1\nb = lambda y: y * 2\ndef f(x): return b(x)",
        "y + 1",
        "y + 2",
    ),
    neutral(
        "unrelated lambda on the same line",
        "a, b = lambda y: y + 1, lambda y: y * 2\ndef f(x): return b(x)",
        "y + 1",
        "y + 2",
    ),
    neutral("unrelated import", "def f(x): return x", "def f", "import json\ndef f"),
    neutral("unrelated module", "import helpers\ndef f(x): return x" + HELPERS, "y + N", "y - N"),
    neutral(
        "unrelated function in the module of a helper",
        "from helpers import g\ndef f(x): return g(x)" + HELPERS,
        "y * M",
        "y / M",
    ),
    neutral(
        "unrelated constant in the module of a helper",
        "import helpers\ndef f(x): return helpers.g(x)" + HELPERS,
        "M = 5",
        "M = 6",
    ),
    neutral(
        "unrelated function in a module imported in the body",
        "def f(x):\n    import helpers\n    return helpers.g(x)" + HELPERS,
        "y * M",
        "y / M",
    ),
    neutral(
        "unrelated constant, attribute chain",
        "import pkg.low\ndef f(x): return pkg.low.N\n== pkg/__init__.py\nM = 1\n== pkg/low.py\nN = 1",
        "M = 1",
        "M = 2",
    ),
    neutral(
        "unrelated module of a package",
        "from pkg import low\ndef f(x): return low.g(x)\n== pkg/__init__.py\n== pkg/low.py\ndef g(y): return y\n== pkg/high.py\ndef h(y): return 1",
        "return 1",
        "return 2",
    ),
    neutral(
        "unrelated attribute of a configuration",
        "class Config:\n    N = 1\n    M = 1\ndef f(x): return Config.N",
        "M = 1",
        "M = 2",
    ),
    neutral(
        "unrelated attribute of an instance",
        "class C: pass\nc = C()\nc.n = 1\nc.m = 1\ndef f(x): return c.n",
        "c.m = 1",
        "c.m = 2",
    ),
    neutral(
        "unrelated attribute of a namespace",
        "from types import SimpleNamespace\nc = SimpleNamespace(n=1, m=1)\ndef f(x): return c.n",
        "m=1",
        "m=2",
    ),
    neutral(
        "local variable named like a constant",
        "N = 1\ndef f(x):\n    N = 5\n    return N",
        "N = 1",
        "N = 2",
    ),
    neutral(
        "parameter named like a constant",
        "N = 1\ndef g(N): return N\ndef f(x): return g(x)",
        "N = 1",
        "N = 2",
    ),
    neutral(
        "loop variable named like a constant",
        "N = 1\ndef f(x): return [N for N in range(x)]",
        "N = 1",
        "N = 2",
    ),
    neutral(
        "attribute named like a constant",
        "N = 1\nclass A:\n    N = 7\ndef f(x): return A.N",
        "N = 1",
        "N = 2",
    ),
    neutral("keyword named like a constant", "N = 1\ndef f(x): return dict(N=x)", "N = 1", "N = 2"),
    neutral(
        "order of definitions",
        "def a(y): return y\ndef b(y): return y\ndef f(x): return a(b(x))",
        "def a(y): return y\ndef b(y): return y",
        "def b(y): return y\ndef a(y): return y",
    ),
    neutral(
        "order of constants", "A = 1\nB = 2\ndef f(x): return A + B", "A = 1\nB = 2", "B = 2\nA = 1"
    ),
    neutral(
        "order of methods",
        "class A:\n    def a(self): return 1\n    def b(self): return 2\ndef f(x): return A().a()",
        "    def a(self): return 1\n    def b(self): return 2",
        "    def b(self): return 2\n    def a(self): return 1",
    ),
    neutral(
        "order of imports",
        "import math\nimport json\ndef f(x): return math.floor(x)",
        "import math\nimport json",
        "import json\nimport math",
    ),
    neutral("constant written otherwise", "N = 4\ndef f(x): return N", "N = 4", "N = 2 * 2"),
    neutral(
        "constant computed by another helper",
        "def a(): return 4\nN = a()\ndef f(x): return N",
        "return 4",
        "return 2 + 2",
    ),
    neutral(
        "counter of calls",
        "CALLS = []\ndef f(x):\n    CALLS.append(x)\n    return x",
        "CALLS = []",
        "CALLS = [1, 2]",
    ),
    neutral(
        "count in a dictionary",
        "COUNT = {'n': 0}\ndef f(x):\n    COUNT['n'] += 1\n    return x",
        "'n': 0",
        "'n': 7",
    ),
    neutral(
        "count in a global",
        "COUNT = 0\ndef f(x):\n    global COUNT\n    COUNT += 1\n    return x",
        "COUNT = 0",
        "COUNT = 7",
    ),
    neutral(
        "count in an attribute of the function",
        "def f(x):\n    f.calls += 1\n    return x\nf.calls = 0",
        "f.calls = 0",
        "f.calls = 7",
    ),
    neutral(
        "log written to",
        "import logging\nlog = logging.getLogger('a')\ndef f(x):\n    log.info(x)\n    return x",
        "'a'",
        "'b'",
    ),
    neutral(
        "lock held",
        "import threading\nlock = threading.Lock()\ndef f(x):\n    with lock:\n        return x",
        "threading.Lock()",
        "threading.Lock()  # so",
    ),
    neutral(
        "sentinel",
        "NOTHING = object()\ndef f(x, y=NOTHING): return x if y is NOTHING else y",
        "NOTHING = object()",
        "NOTHING = object()  # so",
    ),
    neutral(
        "test code at the end",
        "def f(x): return x",
        "return x",
        "return x\nif __name__ == '__main__':\n    f(1)",
    ),
    neutral(
        "branch never taken at import",
        "import sys\ndef f(x): return x",
        "def f",
        "if sys.version_info < (3, 0):\n    f = None\ndef f",
    ),
    neutral(
        "import order of plugins",
        "import helpers, other\ndef f(x): return helpers.g(x)\n== other.py" + HELPERS,
        "import helpers, other",
        "import other, helpers",
    ),
    neutral("file of another kind", "def f(x): return x\n== notes.txt\none", "one", "two"),
    neutral(
        "import moved into the body",
        "import helpers\ndef f(x): return x\ndef other(x): return helpers.g(x)" + HELPERS,
        "import helpers\ndef f(x): return x\ndef other(x): return",
        "def f(x): return x\ndef other(x):\n    import helpers\n    return",
    ),
    neutral(
        "comment beside a decorator",
        "def deco(g): return g\n@deco\ndef f(x): return x",
        "@deco",
        "@deco  # so",
    ),
    neutral(
        "comment in a class",
        "class A:\n    n = 1\ndef f(x): return A().n",
        "n = 1",
        "# so\n    n = 1",
    ),
    neutral(
        "comment in a lambda",
        "a = (lambda y:\n    y + 1)\ndef f(x): return a(x)",
        "lambda y:",
        "lambda y:  # so",
    ),
    neutral(
        "comment above a dictionary of lambdas",
        "T = {\n    'a': lambda y: y,\n    'b': lambda y: -y,\n}\ndef f(x): return T['b'](x)",
        "    'b'",
        "    # so\n    'b'",
    ),
    neutral(
        "docstring in a closure",
        "def make(n):\n    def inner(x):\n        return x + n\n    return inner\nf = make(1)",
        "return x + n",
        "'doc'\n        return x + n",
    ),
    neutral(
        "factory around a closure",
        "def make(n):\n    m = 1\n    def inner(x): return x + n\n    return inner\nf = make(1)",
        "m = 1",
        "m = 2",
    ),
    neutral(
        "documentation attribute",
        "def g(y): return y\ng.note = 'one'\ndef f(x): return g(x)",
        "'one'",
        "'two'",
    ),
    neutral(
        "unused attribute of a class's base elsewhere",
        "class Base:\n    n = 1\nclass A: pass\ndef f(x): return A().__class__.__name__",
        "n = 1",
        "n = 2",
    ),
    neutral("escape written out", "def f(x): return 'é'", "'é'", "'\\xe9'"),
    neutral("f-string quotes", "def f(x): return f'{x}a'", "f'{x}a'", 'f"{x}a"'),
    neutral("f-string put together", "def f(x): return f'{x}ab'", "f'{x}ab'", "f'{x}a' 'b'"),
    neutral(
        "elif written as else if",
        "def f(x):\n    if x: return 1\n    elif x is None: return 2\n    return 3",
        "    elif x is None: return 2",
        "    else:\n        if x is None: return 2",
    ),
]
