"""Values that code depends on: constants of modules, of every type, however they are read."""

from __future__ import annotations

from tests.memo.fingerprint.mutations.case import RECOMPUTE, Case, edited


def constant(name: str, before: str, after: str, use: str = "V", head: str = "") -> Case:
    """Return a case in which a constant of a module has another value."""
    tree = f"{head}\nV = {before}\ndef f(x): return {use}"
    return Case(name, tree, ((f"V = {before}", f"V = {after}"),), RECOMPUTE)


CASES: list[Case] = [
    constant("integer", "1", "2"),
    constant("float", "0.5", "0.25"),
    constant("last bit of a float", "0.1", "0.10000000000000002"),
    constant("text", "'a'", "'b'"),
    constant("bytes", "b'a'", "b'b'"),
    constant("integer made a float", "1", "1.0"),
    constant("integer made a boolean", "1", "True"),
    constant("sign of zero", "0.0", "-0.0"),
    constant("text made bytes", "'a'", "b'a'"),
    constant("list made a tuple", "[1]", "(1,)"),
    constant("complex", "1j", "2j"),
    constant("none", "None", "0"),
    constant("tuple", "(1, 2)", "(1, 3)"),
    constant("list", "[1, 2]", "[1, 3]"),
    constant("set", "{1, 2}", "{1, 3}", "sorted(V)"),
    constant("frozenset", "frozenset({1})", "frozenset({2})", "sorted(V)"),
    constant("dictionary", "{'a': 1}", "{'a': 2}"),
    constant("key of a dictionary", "{'a': 1}", "{'b': 1}"),
    constant("type of an element", "[1, 2]", "[1, 2.0]"),
    constant("type of a key", "{1: 'a'}", "{1.0: 'a'}"),
    constant("nested container", "{'a': [1, {'b': (2,)}]}", "{'a': [1, {'b': (3,)}]}"),
    constant("slice", "slice(1, 2)", "slice(1, 3)", "[0, 1, 2, 3][V]"),
    constant("range", "range(3)", "range(4)", "list(V)"),
    constant("bytearray", "bytearray(b'a')", "bytearray(b'b')"),
    constant("array", "np.arange(3)", "np.arange(4)", head="import numpy as np"),
    constant(
        "one element of an array",
        "np.array([1., 2.])",
        "np.array([1., 2.5])",
        head="import numpy as np",
    ),
    constant(
        "type of an array",
        "np.zeros(2, 'f4')",
        "np.zeros(2, 'f8')",
        "V.dtype.str",
        "import numpy as np",
    ),
    constant("numpy scalar", "np.float32(1)", "np.float64(1)", "type(V)", "import numpy as np"),
    constant("dtype", "np.dtype('f4')", "np.dtype('f8')", "V.itemsize", "import numpy as np"),
    constant(
        "structured array",
        "np.array([(1, 2)], [('a', 'i4'), ('b', 'i4')])",
        "np.array([(1, 3)], [('a', 'i4'), ('b', 'i4')])",
        head="import numpy as np",
    ),
    constant(
        "array in a dictionary",
        "{'w': np.ones(2)}",
        "{'w': np.zeros(2)}",
        "V['w']",
        "import numpy as np",
    ),
    constant("path", "Path('a')", "Path('b')", "str(V)", "from pathlib import Path"),
    constant(
        "regular expression",
        "re.compile('3')",
        "re.compile('4')",
        "bool(V.match(str(x)))",
        "import re",
    ),
    constant(
        "flags of a regular expression",
        "re.compile('a')",
        "re.compile('a', re.I)",
        "bool(V.match('A'))",
        "import re",
    ),
    constant("date", "date(2020, 1, 1)", "date(2020, 1, 2)", "str(V)", "from datetime import date"),
    constant(
        "duration", "timedelta(1)", "timedelta(2)", "V.days", "from datetime import timedelta"
    ),
    constant("decimal", "Decimal('1')", "Decimal('1.0')", "str(V)", "from decimal import Decimal"),
    constant(
        "fraction", "Fraction(1, 2)", "Fraction(1, 3)", "str(V)", "from fractions import Fraction"
    ),
    constant("type", "int", "float", "V(x)"),
    constant("generic alias", "list[int]", "list[str]", "str(V)"),
    constant("deque", "deque([1])", "deque([2])", "list(V)", "from collections import deque"),
    constant(
        "factory of a default dictionary",
        "defaultdict(int)",
        "defaultdict(list)",
        "V.default_factory()",
        "from collections import defaultdict",
    ),
    constant(
        "counter", "Counter('aab')", "Counter('abb')", "V['a']", "from collections import Counter"
    ),
    constant(
        "order of an ordered dictionary",
        "OrderedDict(a=1, b=2)",
        "OrderedDict(b=2, a=1)",
        "list(V)",
        "from collections import OrderedDict",
    ),
    constant("namespace", "NS(n=1)", "NS(n=2)", "V.n", "from types import SimpleNamespace as NS"),
    constant(
        "read-only mapping",
        "MappingProxyType({'a': 1})",
        "MappingProxyType({'a': 2})",
        "V['a']",
        "from types import MappingProxyType",
    ),
    constant(
        "state of a random generator",
        "np.random.default_rng(1)",
        "np.random.default_rng(2)",
        "V.bit_generator.state['state']['state']",
        "import numpy as np",
    ),
    constant("union of types", "int | str", "int | bytes", "isinstance('a', V)"),
    constant(
        "optional type", "Optional[int]", "Optional[str]", "str(V)", "from typing import Optional"
    ),
    edited(
        "constant computed from another",
        "A = 1\nB = A * 10\ndef f(x): return B",
        "A = 1",
        "A = 2",
    ),
    edited(
        "constant computed at import by a helper",
        "def compute(): return 1\nV = compute()\ndef f(x): return V",
        "return 1",
        "return 2",
    ),
    edited(
        "constant computed in a loop",
        "V = []\nfor i in range(3): V.append(i)\ndef f(x): return V",
        "range(3)",
        "range(4)",
    ),
    edited(
        "constant assigned twice",
        "V = 1\nV = 2\ndef f(x): return V",
        "V = 2",
        "V = 3",
    ),
    edited(
        "constant changed after the function",
        "V = 1\ndef f(x): return V\nV = 2",
        "V = 2",
        "V = 3",
    ),
    edited(
        "constant under a condition",
        "FAST = True\nif FAST:\n    V = 1\nelse:\n    V = 2\ndef f(x): return V",
        "FAST = True",
        "FAST = False",
    ),
    edited(
        "constant unpacked from a tuple",
        "A, *B = 1, 2, 3\ndef f(x): return B",
        "1, 2, 3",
        "1, 2, 4",
    ),
    edited(
        "constant read by a nested function only",
        "V = 1\ndef f(x):\n    def g(): return V\n    return g()",
        "V = 1",
        "V = 2",
    ),
    edited(
        "constant read by a lambda only",
        "V = 1\ndef f(x): return (lambda: V)()",
        "V = 1",
        "V = 2",
    ),
    edited(
        "constant read in a class body of the function",
        "V = 1\ndef f(x):\n    class A:\n        n = V\n    return A.n",
        "V = 1",
        "V = 2",
    ),
    edited(
        "constant of the same name as one in a class body",
        "V = 1\ndef f(x):\n    class A:\n        V = V + 1\n    return A.V",
        "V = 1\n",
        "V = 5\n",
    ),
    edited(
        "constant declared global",
        "V = 1\ndef f(x):\n    global V\n    return V",
        "V = 1",
        "V = 2",
    ),
    edited(
        "constant deleted",
        """
V = 1
def f(x):
    try:
        return V
    except NameError:
        return 0
""",
        "V = 1\n",
        "",
    ),
    edited(
        "constant that shadows a builtin",
        "def f(x): return len([x])",
        "def f(x)",
        "def len(y): return 7\ndef f(x)",
    ),
    edited(
        "helper that shadows a builtin",
        "def sum(y): return 1\ndef f(x): return sum([x])",
        "return 1",
        "return 2",
    ),
    edited(
        "constant in a default of the function",
        "V = [1]\ndef f(x, y=V): return y",
        "[1]",
        "[2]",
    ),
    edited(
        "element of a constant set later",
        "V = {'a': 1}\nV['a'] = 2\ndef f(x): return V['a']",
        "V['a'] = 2",
        "V['a'] = 3",
    ),
    edited(
        "counter that the result shows",
        """
COUNT = 1
def helper():
    global COUNT
    COUNT += 1
    return COUNT
def f(x): return x + COUNT
""",
        "COUNT = 1",
        "COUNT = 2",
    ),
    edited(
        "table of results filled by the function, its helper edited",
        """
TABLE = {}
def slow(y): return y + 1
def f(x):
    if x not in TABLE:
        TABLE[x] = slow(x)
    return TABLE[x]
""",
        "y + 1",
        "y + 2",
    ),
    edited(
        "constant used only as a condition",
        "DEBUG = False\ndef f(x): return -x if DEBUG else x",
        "DEBUG = False",
        "DEBUG = True",
    ),
    edited(
        "constant in a subscript",
        "I = 0\ndef f(x): return [x, 7][I]",
        "I = 0",
        "I = 1",
    ),
    edited(
        "constants exchanged",
        "A = 1\nB = 2\ndef f(x): return A - B",
        "A = 1\nB = 2",
        "A = 2\nB = 1",
    ),
]
