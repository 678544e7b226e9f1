"""Edits of what programs share with libraries, and of what they keep in their objects."""
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
    edited(
        "maxlen deque",
        "from collections import deque\nD = deque(maxlen=2)\ndef f(x):\n    D.clear()\n    D.extend(range(x))\n    return list(D)",
        "maxlen=2",
        "maxlen=1",
    ),
    edited(
        "defaultdict factory scratch",
        "from collections import defaultdict\nT = defaultdict(int)\ndef f(x):\n    T['a'] = x\n    return T['zz']",
        "(int)",
        "(list)",
    ),
    edited(
        "defaultdict lambda scratch",
        "from collections import defaultdict\nT = defaultdict(lambda: 1)\ndef f(x):\n    T['a'] += x\n    return T['a']",
        "lambda: 1",
        "lambda: 2",
    ),
    edited(
        "scratch list to set",
        "T = []\ndef f(x):\n    T.clear()\n    for i in (3, 3, 1): (T.append if isinstance(T, list) else T.add)(i)\n    return sorted(T)",
        "T = []",
        "T = set()",
    ),
    edited(
        "pool size",
        "from concurrent.futures import ThreadPoolExecutor\nP = ThreadPoolExecutor(2)\ndef f(x): return P._max_workers",
        "(2)",
        "(3)",
    ),
    edited(
        "logger adapter extra",
        "import logging\nL = logging.LoggerAdapter(logging.getLogger('a'), {'k': 1})\ndef f(x): return L.extra['k']",
        "'k': 1",
        "'k': 2",
    ),
    edited(
        "TypedDict total",
        "from typing import TypedDict\nclass D(TypedDict, total=True):\n    a: int\ndef f(x): return D.__total__",
        "total=True",
        "total=False",
    ),
    edited(
        "TypedDict required keys",
        "from typing import TypedDict\nclass D(TypedDict, total=True):\n    a: int\ndef f(x): return sorted(D.__required_keys__)",
        "total=True",
        "total=False",
    ),
    edited(
        "TypedDict keys required by validator",
        "from typing import TypedDict\nclass D(TypedDict):\n    a: int\ndef check(d, t): return sorted(t.__required_keys__ - d.keys())\ndef f(x): return check({'a': 1}, D)",
        "a: int",
        "b: int",
    ),
    edited(
        "runtime protocol data member",
        "from typing import Protocol, runtime_checkable\n@runtime_checkable\nclass P(Protocol):\n    name: str\nclass A:\n    name = 'a'\ndef f(x): return isinstance(A(), P)",
        "    name: str",
        "    title: str",
    ),
    edited(
        "runtime protocol method member",
        "from typing import Protocol, runtime_checkable\n@runtime_checkable\nclass P(Protocol):\n    def run(self): ...\nclass A:\n    def run(self): return 1\ndef f(x): return isinstance(A(), P)",
        "    def run(self): ...",
        "    def go(self): ...",
    ),
    edited(
        "runtime_checkable removed",
        "from typing import Protocol, runtime_checkable\n@runtime_checkable\nclass P(Protocol):\n    def run(self): ...\nclass A:\n    def run(self): return 1\ndef f(x):\n    try: return isinstance(A(), P)\n    except TypeError: return 'no'",
        "@runtime_checkable\n",
        "",
    ),
    edited(
        "orig_bases argument",
        "from typing import Generic, TypeVar, get_args\nT = TypeVar('T')\nclass Repo(Generic[T]):\n    def kind(self): return get_args(type(self).__orig_bases__[0])[0].__name__\nclass B(Repo[int]): pass\ndef f(x): return B().kind()",
        "Repo[int]",
        "Repo[float]",
    ),
    edited(
        "orig_bases user class",
        "from typing import Generic, TypeVar, get_args\nT = TypeVar('T')\nclass I:\n    n = 1\nclass J:\n    n = 2\nclass Repo(Generic[T]):\n    @classmethod\n    def make(cls): return get_args(cls.__orig_bases__[0])[0].n\nclass B(Repo[I]): pass\ndef f(x): return B.make()",
        "Repo[I]",
        "Repo[J]",
    ),
    edited(
        "enum member attribute set later",
        "from enum import Enum\nclass C(Enum):\n    A = 1\nC.A.weight = 2\ndef f(x): return C.A.weight * x",
        "weight = 2",
        "weight = 5",
    ),
    edited(
        "enum member attr set later by loop",
        "from enum import Enum\nclass C(Enum):\n    A = 1\n    B = 2\nfor c, w in zip(C, (3, 4)): c.weight = w\ndef f(x): return sum(c.weight for c in C)",
        "(3, 4)",
        "(3, 5)",
    ),
    edited(
        "enum const attr set later",
        "from enum import Enum\nclass C(Enum):\n    A = 1\nM = C.A\nM.weight = 2\ndef f(x): return M.weight * x",
        "weight = 2",
        "weight = 5",
    ),
    edited(
        "flag boundary",
        "from enum import Flag, STRICT, KEEP\nclass F(Flag, boundary=STRICT):\n    A = 1\ndef f(x):\n    try: return F(8).value\n    except ValueError: return 'no'",
        "boundary=STRICT",
        "boundary=KEEP",
        needs="tomllib",  # Python 3.11
    ),
    edited(
        "lib options dict changed at import",
        "import lib\nlib.OPTIONS['n'] = 2\ndef f(x): return lib.OPTIONS['n'] * x" + LIB,
        "['n'] = 2",
        "['n'] = 3",
    ),
    edited(
        "lib list replaced",
        "import lib\nlib.NAMES = ['x', 'y']\ndef f(x): return lib.NAMES[0]" + LIB,
        "['x', 'y']",
        "['z', 'y']",
    ),
    edited(
        "lib string replaced",
        "import lib\nlib.UNIT = 'cm'\ndef f(x): return str(x) + lib.UNIT" + LIB,
        "'cm'",
        "'km'",
    ),
    edited(
        "lib settings instance attribute",
        "import lib\nlib.settings.rate = 7\ndef f(x): return lib.settings.rate * x" + LIB,
        "rate = 7",
        "rate = 8",
    ),
    edited(
        "lib instance with a user's method",
        "import lib\nlib.model.fit = lambda y: y + 1\ndef f(x): return lib.model.fit(x)" + LIB,
        "lambda y: y + 1",
        "lambda y: y + 2",
    ),
    edited(
        "lib singledispatch with user implementation",
        "import lib\nclass A: pass\n@lib.process.register(A)\ndef _(y): return 10\ndef f(x): return lib.process(A())"
        + LIB,
        "return 10",
        "return 20",
    ),
    edited(
        "lib task wrapper",
        "import lib\n@lib.task(n=2)\ndef g(y): return y + 10\ndef f(x): return g(x)" + LIB,
        "y + 10",
        "y + 20",
    ),
    edited(
        "lib task option",
        "import lib\n@lib.task(n=2)\ndef g(y): return y + 10\ndef f(x): return g(x)" + LIB,
        "n=2",
        "n=3",
    ),
    edited(
        "lib delayed",
        "import lib\n@lib.Delayed\ndef g(y): return y + 10\ndef f(x): return g(x)" + LIB,
        "y + 10",
        "y + 20",
        settled=False,
    ),
    edited(
        "abc number registered",
        "import numbers\nclass A: pass\nnumbers.Integral.register(A)\ndef f(x): return isinstance(A(), numbers.Integral)",
        "Integral.register",
        "Real.register",
    ),
    edited(
        "abc sequence registered",
        "from collections.abc import Sequence, Set\nclass A: pass\nSequence.register(A)\ndef f(x): return isinstance(A(), Sequence)",
        "Sequence.register",
        "Set.register",
    ),
    edited(
        "struct", "import struct\nS = struct.Struct('<i')\ndef f(x): return S.pack(x)", "<i", ">i"
    ),
    edited(
        "decimal context",
        "import decimal\nC = decimal.Context(prec=3)\ndef f(x): return str(C.divide(1, x))",
        "prec=3",
        "prec=4",
    ),
    edited(
        "timezone",
        "import datetime as dt\nZ = dt.timezone(dt.timedelta(hours=1))\ndef f(x): return dt.datetime(2020, 1, 1, tzinfo=Z).isoformat()",
        "hours=1",
        "hours=2",
    ),
    edited(
        "zoneinfo",
        "import datetime as dt, zoneinfo\nZ = zoneinfo.ZoneInfo('Europe/Berlin')\ndef f(x): return dt.datetime(2020, 1, 1, tzinfo=Z).isoformat()",
        "Europe/Berlin",
        "Asia/Tokyo",
    ),
    edited(
        "chainmap",
        "from collections import ChainMap\nC = ChainMap({'a': 1}, {'a': 2, 'b': 3})\ndef f(x): return C['b']",
        "'b': 3",
        "'b': 4",
    ),
    edited(
        "json encoder",
        "import json\nE = json.JSONEncoder(indent=1)\ndef f(x): return E.encode([x])",
        "indent=1",
        "indent=2",
    ),
    edited(
        "text wrapper",
        "import textwrap\nW = textwrap.TextWrapper(width=10)\ndef f(x): return W.fill('aaa bbb ccc ddd eee')",
        "width=10",
        "width=5",
    ),
    edited(
        "array module",
        "from array import array\nA = array('d', [1, 2])\ndef f(x): return A[1]",
        "[1, 2]",
        "[1, 3]",
    ),
    edited(
        "argument parser",
        "import argparse\nP = argparse.ArgumentParser()\nP.add_argument('--n', type=int, default=1)\ndef f(x): return P.parse_args([]).n",
        "default=1",
        "default=2",
    ),
    edited(
        "argument parser type function",
        "import argparse\ndef conv(s): return int(s) + 1\nP = argparse.ArgumentParser(prog='a')\nP.add_argument('--n', type=conv, default='1')\ndef f(x): return P.parse_args([]).n",
        "+ 1",
        "+ 2",
    ),
    edited(
        "frozen distribution",
        "from scipy import stats\nD = stats.norm(0, 1)\ndef f(x): return float(D.cdf(1))",
        "(0, 1)",
        "(0, 2)",
    ),
    edited(
        "interp1d",
        "from scipy.interpolate import interp1d\nI = interp1d([0, 1], [0, 1])\ndef f(x): return float(I(0.5))",
        "[0, 1])",
        "[0, 2])",
    ),
    edited(
        "cubic spline",
        "from scipy.interpolate import CubicSpline\nI = CubicSpline([0, 1, 2], [0, 1, 3])\ndef f(x): return float(I(0.5))",
        "[0, 1, 3]",
        "[0, 1, 4]",
    ),
    edited(
        "kdtree",
        "from scipy.spatial import cKDTree\nI = cKDTree([[0, 1], [2, 3]])\ndef f(x): return I.query([0, 0])[0]",
        "[2, 3]",
        "[0, 0]",
    ),
    edited(
        "linear operator",
        "import numpy as np\nfrom scipy.sparse.linalg import LinearOperator\ndef mv(v): return v * 2\nA = LinearOperator((2, 2), matvec=mv)\ndef f(x): return A.matvec(np.ones(2))",
        "v * 2",
        "v * 3",
    ),
    edited(
        "bounds",
        "from scipy.optimize import Bounds\nB = Bounds([0], [1])\ndef f(x): return B.ub[0]",
        "[1])",
        "[2])",
    ),
    edited(
        "randomstate",
        "import numpy as np\nR = np.random.RandomState(0)\ndef f(x): return R.rand()",
        "(0)",
        "(1)",
        settled=False,
    ),
    edited("slice const", "S = slice(0, 2)\ndef f(x): return [1, 2, 3][S]", "(0, 2)", "(0, 1)"),
    edited(
        "np.s_",
        "import numpy as np\nS = np.s_[0:2, ...]\ndef f(x): return np.eye(3)[S]",
        "0:2",
        "0:1",
    ),
    edited(
        "poly",
        "import numpy as np\nP = np.poly1d([1, 2])\ndef f(x): return P(x)",
        "[1, 2]",
        "[1, 3]",
    ),
    edited(
        "pandas categorical dtype",
        "import pandas as pd\nT = pd.CategoricalDtype(['a', 'b'])\ndef f(x): return list(pd.Series(['a', 'c'], dtype=T).isna())",
        "['a', 'b']",
        "['a', 'c']",
    ),
    edited(
        "pandas offset",
        "import pandas as pd\nO = pd.offsets.MonthEnd(1)\ndef f(x): return str(pd.Timestamp('2020-01-05') + O)",
        "(1)",
        "(2)",
    ),
    edited(
        "pandas multiindex",
        "import pandas as pd\nI = pd.MultiIndex.from_product([[1, 2], ['a']], names=['x', 'y'])\ndef f(x): return list(I.names)",
        "['x', 'y']",
        "['x', 'z']",
    ),
    edited(
        "pandas attrs",
        "import pandas as pd\nD = pd.DataFrame({'a': [1]})\nD.attrs['u'] = 1\ndef f(x): return D.attrs['u']",
        "['u'] = 1",
        "['u'] = 2",
    ),
    edited(
        "pandas freq index",
        "import pandas as pd\nI = pd.date_range('2020', periods=2, freq='D')\ndef f(x): return I.freqstr",
        "freq='D'",
        "freq='B'",
    ),
    edited(
        "object array of functions",
        "import numpy as np\ndef g(y): return y + 1\nA = np.array([g], dtype=object)\ndef f(x): return A[0](x)",
        "y + 1",
        "y + 2",
    ),
    edited(
        "frame of functions",
        "import pandas as pd\ndef g(y): return y + 1\nA = pd.Series([g])\ndef f(x): return A[0](x)",
        "y + 1",
        "y + 2",
    ),
    neutral(
        "weak key cache",
        "import weakref\nW = weakref.WeakKeyDictionary()\nclass K: pass\ndef f(x):\n    k = K()\n    W[k] = x\n    return W[k]",
        "def f(x):",
        "# c\ndef f(x):",
    ),
    neutral(
        "path from file",
        "from pathlib import Path\nROOT = Path(__file__).parent\nOUT = ROOT / 'out'\ndef f(x): return (OUT / 'a').name",
        "def f(x):",
        "# c\ndef f(x):",
    ),
    neutral(
        "__file__ read",
        "import os\ndef f(x): return os.path.basename(__file__)",
        "def f(x):",
        "# c\ndef f(x):",
    ),
    edited(
        "setter on plain instance",
        "OUT = [0]\nclass Cfg:\n    @property\n    def n(self): return 0\n    @n.setter\n    def n(self, v): OUT[0] = v * 2\ncfg = Cfg()\ndef f(x):\n    cfg.n = x\n    return OUT[0]",
        "v * 2",
        "v * 3",
        settled=False,
    ),
    edited(
        "setattr on plain instance",
        "OUT = [0]\nclass Cfg:\n    def __setattr__(self, k, v): OUT[0] = v * 2\ncfg = Cfg()\ndef f(x):\n    cfg.n = x\n    return OUT[0]",
        "v * 2",
        "v * 3",
        settled=False,
    ),
    edited(
        "metaclass setattr",
        "OUT = [0]\nclass M(type):\n    def __setattr__(cls, k, v): OUT[0] = v * 2\nclass Cfg(metaclass=M): pass\ndef f(x):\n    Cfg.n = x\n    return OUT[0]",
        "v * 2",
        "v * 3",
        settled=False,
    ),
    edited(
        "iadd on global",
        "OUT = [0]\nclass Acc:\n    def __iadd__(self, o):\n        OUT[0] = o * 2\n        return self\nA = Acc()\ndef f(x):\n    global A\n    A += x\n    return OUT[0]",
        "o * 2",
        "o * 3",
        settled=False,
    ),
    edited(
        "mangled global in class",
        "_A__k = 1\nclass A:\n    def run(self): return __k\ndef f(x): return A().run()",
        "_A__k = 1",
        "_A__k = 2",
    ),
    edited(
        "mangled helper in module attr",
        "import helpers\nclass A:\n    def run(self): return helpers.__k\ndef f(x): return A().run()\n== helpers.py\n_A__k = 1",
        "_A__k = 1",
        "_A__k = 2",
    ),
    edited(
        "runpy at import",
        "import runpy, os\ng = runpy.run_path(os.path.join(os.path.dirname(__file__), 'other.py'))['g']\ndef f(x): return g(x)\n== other.py\nK = 1\ndef h(y): return y + 1\ndef g(y): return h(y) * K",
        "y + 1",
        "y + 2",
    ),
    edited(
        "spec from file at import",
        "import importlib.util as u, os\ns = u.spec_from_file_location('other', os.path.join(os.path.dirname(__file__), 'sub', 'other.py'))\nm = u.module_from_spec(s)\ns.loader.exec_module(m)\ndef f(x): return m.g(x)\n== sub/other.py\nK = 1\ndef h(y): return y + 1\ndef g(y): return h(y) * K",
        "y + 1",
        "y + 2",
    ),
    edited(
        "exec file at import",
        "import os\nexec(open(os.path.join(os.path.dirname(__file__), 'other.py')).read())\ndef f(x): return g(x)\n== other.py\nK = 1\ndef h(y): return y + 1\ndef g(y): return h(y) * K",
        "y + 1",
        "y + 2",
    ),
    edited(
        "attrs converter",
        "import attr\ndef conv(v): return v + 1\n@attr.s\nclass A:\n    n = attr.ib(converter=conv)\ndef f(x): return A(x).n",
        "v + 1",
        "v + 2",
        needs="attr",
    ),
    edited(
        "attrs validator",
        "import attr\ndef check(i, a, v):\n    if v > 2: raise ValueError\n@attr.define\nclass A:\n    n: int = attr.field(validator=check)\ndef f(x):\n    try: return A(x).n\n    except ValueError: return 'bad'",
        "v > 2",
        "v > 3",
        needs="attr",
    ),
    edited(
        "attrs default",
        "import attr\n@attr.define\nclass A:\n    n: int = 3\ndef f(x): return A().n",
        "= 3",
        "= 4",
        needs="attr",
    ),
    edited(
        "attrs order",
        "import attr\n@attr.define(order=True)\nclass A:\n    n: int = 3\n    m: int = 4\ndef f(x): return A(1, 2) < A(1, 3)",
        "    n: int = 3\n    m: int = 4\n",
        "    n: int = 3\n    m: int = attr.field(default=4, order=False)\n",
        needs="attr",
    ),
    edited(
        "attrs field removed from eq",
        "import attr\n@attr.define\nclass A:\n    n: int = attr.field(default=1, eq=True)\ndef f(x): return A(1) == A(2)",
        "eq=True",
        "eq=False",
        needs="attr",
    ),
    neutral(
        "attrs comment",
        "import attr\n@attr.define\nclass A:\n    n: int = 3\ndef f(x): return A().n",
        "@attr.define",
        "# c\n\n@attr.define",
        needs="attr",
    ),
    edited(
        "pydantic type",
        "import pydantic\nclass A(pydantic.BaseModel):\n    n: int = 1\ndef f(x): return A(n=True).model_dump_json()",
        "n: int",
        "n: float",
        needs="pydantic",
    ),
    edited(
        "pydantic validator",
        "import pydantic\nclass A(pydantic.BaseModel):\n    n: int = 1\n    @pydantic.field_validator('n')\n    @classmethod\n    def v(cls, y): return y + 1\ndef f(x): return A(n=x).n",
        "y + 1",
        "y + 2",
        needs="pydantic",
    ),
    edited(
        "pydantic constraint",
        "import pydantic\nclass A(pydantic.BaseModel):\n    n: int = pydantic.Field(1, gt=2)\ndef f(x):\n    try: return A(n=x).n\n    except ValueError: return 'bad'",
        "gt=2",
        "gt=3",
        needs="pydantic",
    ),
    edited(
        "pydantic annotated validator",
        "import pydantic\nfrom typing import Annotated\ndef c(v): return v + 1\nN = Annotated[int, pydantic.AfterValidator(c)]\nclass A(pydantic.BaseModel):\n    n: N\ndef f(x): return A(n=x).n",
        "v + 1",
        "v + 2",
        needs="pydantic",
    ),
    edited(
        "pydantic config",
        "import pydantic\nclass A(pydantic.BaseModel):\n    model_config = pydantic.ConfigDict(extra='ignore')\n    n: int = 1\ndef f(x):\n    try: return A(m=x).n\n    except ValueError: return 'bad'",
        "'ignore'",
        "'forbid'",
        needs="pydantic",
    ),
    edited(
        "pydantic instance",
        "import pydantic\nclass A(pydantic.BaseModel):\n    n: int = 1\na = A(n=2)\ndef f(x): return a.n",
        "n=2",
        "n=3",
        needs="pydantic",
    ),
    edited(
        "pydantic dataclass",
        "from pydantic.dataclasses import dataclass\n@dataclass\nclass A:\n    n: int = 1\ndef f(x): return A(n='4').n",
        "n: int",
        "n: float",
        needs="pydantic",
    ),
    edited(
        "pydantic typeadapter",
        "import pydantic\nT = pydantic.TypeAdapter(list[int])\ndef f(x): return T.validate_python(['3'])",
        "list[int]",
        "list[float]",
        needs="pydantic",
    ),
    neutral(
        "pydantic comment",
        "import pydantic\nclass A(pydantic.BaseModel):\n    n: int = 1\ndef f(x): return A(n=True).model_dump_json()",
        "def f(x)",
        "# c\ndef f(x)",
        needs="pydantic",
    ),
]
