"""Cases found by people who knew the code, and looked for what it does not see."""
# ruff: noqa: E501 - a program on one line shows its edit better than one on many

from __future__ import annotations

from tests.memo.fingerprint.mutations.case import Case, edited, neutral

HELPER = "\n== helpers.py\ndef g(y): return y + 1\n"
ONE = ("y + 1", "y + 2")

#: A class whose instances keep something from pickle.
KEPT = "    def __init__(self, n): self.n = n\n    {}\nc = C(1)\ndef h(q): return q.n\ndef f(x): return h(c)"
TEN = ("{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}")

CASES: list[Case] = [
    # What code can see of a constant
    edited("order of a dictionary listed", "D = {'a': 1, 'b': 2}\ndef f(x): return list(D)", *TEN),
    edited(
        "order of functions applied in turn",
        "def a(y): return y + 1\ndef b(y): return y * 2\nD = {'a': a, 'b': b}\n"
        "def f(x):\n    for g in D.values(): x = g(x)\n    return x",
        "{'a': a, 'b': b}",
        "{'b': b, 'a': a}",
    ),
    edited(
        "order of a dictionary that is a default",
        "def g(y, d={'a': 1, 'b': 2}): return list(d)\ndef f(x): return g(x)",
        *TEN,
    ),
    edited(
        "one marker in the place of another",
        "MISSING = object(); NONE = object()\ndef g(v=MISSING): return v is MISSING\ndef f(x): return g()",
        "v=MISSING",
        "v=NONE",
    ),
    neutral(
        "markers in another order",
        "A = object(); B = object()\ndef g(v=A): return v is A\ndef f(x): return g()",
        "A = object(); B = object()",
        "B = object(); A = object()",
    ),
    edited(
        "bound method of a compiled expression",
        "import re\nis_a = re.compile('a+').match\ndef f(x): return bool(is_a('b'))",
        "'a+'",
        "'b+'",
    ),
    edited(
        "builtin class method of a class",
        "class D(dict): n = 1\nmake = D.fromkeys\ndef f(x): return make('a').n",
        "n = 1",
        "n = 2",
    ),
    edited(
        "state that getstate leaves out",
        "class C:\n" + KEPT.format("def __getstate__(self): return {}"),
        "C(1)",
        "C(2)",
    ),
    edited(
        "state that reduce leaves out",
        "class C:\n" + KEPT.format("def __reduce__(self): return C, (0,)"),
        "C(1)",
        "C(2)",
    ),
    edited(
        "slot that reduce leaves out",
        "class C:\n    __slots__ = ('n',)\n" + KEPT.format("def __reduce__(self): return C, (0,)"),
        "C(1)",
        "C(2)",
    ),
    # What was put into libraries
    edited(
        "partial in a library",
        "import functools, math\ndef g(a, y): return y + 1\nmath.sqrt = functools.partial(g, 0)\n"
        "def f(x): return math.sqrt(x)",
        *ONE,
    ),
    edited(
        "instance in a library",
        "import math\nclass C:\n    def __call__(self, y): return y + 1\nmath.sqrt = C()\n"
        "def f(x): return math.sqrt(x)",
        *ONE,
    ),
    edited(
        "number in a library",
        "import math\nmath.pi = 3\ndef f(x): return math.pi",
        "math.pi = 3",
        "math.pi = 4",
    ),
    edited(
        "number in a distribution",
        "import numpy as np\nnp.rate = 3\ndef f(x): return np.rate",
        "np.rate = 3",
        "np.rate = 4",
    ),
    edited(
        "number among the builtins",
        "import builtins\nbuiltins.RATE = 1\ndef f(x): return RATE",
        "RATE = 1",
        "RATE = 2",
    ),
    edited(
        "method put into the class of an instance",
        "from fractions import Fraction\ndef part(self): return 1\nFraction.part = part\n"
        "K = Fraction(1, 3)\ndef f(x): return K.part()",
        "return 1",
        "return 2",
    ),
    edited(
        "accessor of frames",
        "import pandas as pd\n@pd.api.extensions.register_dataframe_accessor('geo')\nclass Geo:\n"
        "    def __init__(self, frame): pass\n    def r(self): return 1\n"
        "def f(x): return pd.DataFrame({'a': [1]}).geo.r()",
        "return 1",
        "return 2",
        needs="pandas",
    ),
    # Classes
    edited(
        "method of a class of loggers",
        "import logging\nclass Log(logging.Logger):\n    def scale(self, y): return y + 1\n"
        "log = Log('log')\ndef f(x): return log.scale(x)",
        *ONE,
    ),
    edited(
        "attribute of a class of loggers",
        "import logging\nclass Log(logging.Logger):\n    def __init__(self, name):\n"
        "        super().__init__(name)\n        self.k = 2\n    def scale(self, y): return y * self.k\n"
        "log = Log('log')\ndef f(x): return log.scale(x)",
        "self.k = 2",
        "self.k = 3",
    ),
    edited(
        "method made abstract",
        "import abc\nclass A(abc.ABC):\n    def r(self): return 1\nclass B(A): pass\ndef f(x):\n"
        "    try: return B().r()\n    except TypeError: return 'abstract'",
        "    def r",
        "    @abc.abstractmethod\n    def r",
    ),
    edited(
        "function of the library that makes classes",
        "import dataclasses\n@dataclasses.dataclass\nclass A:\n    n: int = 1\n"
        "class T:\n    conv = staticmethod(dataclasses.asdict)\ndef f(x): return T.conv(A())",
        "dataclasses.asdict",
        "dataclasses.astuple",
    ),
    # Wrappers in C, and of libraries
    *(
        edited(
            f"ufunc made of {name}",
            "import functools, numpy as np\ndef g(k, y): return y + 1\nclass C:\n"
            "    def r(self, y): return g(0, y)\n    __call__ = r\n"
            f"u = np.frompyfunc({made}, 1, 1)\ndef f(x): return u(x)",
            *ONE,
        )
        for name, made in (
            ("a partial", "functools.partial(g, 0)"),
            ("a bound method", "C().r"),
            ("an instance", "C()"),
        )
    ),
    edited(
        "types that a vectorized function gives",
        "import numpy as np\ndef g(y): return y + 1\nu = np.vectorize(g, otypes=[float])\n"
        "def f(x): return u(x).dtype.kind",
        "float",
        "int",
    ),
    # Hints that code reads
    edited(
        "type below a new type",
        "from typing import NewType\nK = NewType('K', int)\ndef f(x): return K.__supertype__(x)",
        "int",
        "str",
    ),
    edited(
        "notes of a hint",
        "from typing import Annotated\nclass M:\n    def __init__(self, n): self.n = n\n"
        "K = Annotated[int, M(1)]\ndef f(x): return K.__metadata__[0].n",
        "M(1)",
        "M(2)",
    ),
    neutral(
        "notes of a hint that show their address",
        "from typing import Annotated\nclass M: pass\nK = Annotated[int, M()]\ndef f(x): return K is None",
        "def f",
        "# constant\ndef f",
    ),
    # Imports
    edited(
        "import in a class in a function",
        "def f(x):\n    class A:\n        from helpers import g\n    return A.g(x)" + HELPER,
        *ONE,
    ),
    edited(
        "import of a module in a class in a function",
        "def f(x):\n    class A:\n        import helpers\n    return A.helpers.g(x)" + HELPER,
        *ONE,
    ),
    edited(
        "import in code in a string",
        "def f(x):\n    names = {}\n    exec('import helpers; r = helpers.g(3)', names)\n    return names['r']"
        + HELPER,
        *ONE,
    ),
    edited(
        "module by its name among those loaded",
        "import helpers, sys\ndef f(x): return sys.modules['helpers'].g(x)" + HELPER,
        *ONE,
    ),
    edited(
        "module of a function asked for",
        "import inspect\ndef g(y): return y + 1\ndef f(x): return inspect.getmodule(f).g(x)",
        *ONE,
    ),
]
