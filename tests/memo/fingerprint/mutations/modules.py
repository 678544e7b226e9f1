"""Helpers in other modules and packages, however they are imported."""
# ruff: noqa: E501 - a program on one line shows its edit better than one on many

from __future__ import annotations

from tests.memo.fingerprint.mutations.case import Case, edited

HELPER = "\n== helpers.py\ndef g(y): return y + 1\n"
PACKAGE = """
== pkg/__init__.py
== pkg/low.py
def g(y): return y + 1
"""
ONE = ("y + 1", "y + 2")

CASES: list[Case] = [
    edited("from import", "from helpers import g\ndef f(x): return g(x)" + HELPER, *ONE),
    edited("from import as", "from helpers import g as h\ndef f(x): return h(x)" + HELPER, *ONE),
    edited("import of a module", "import helpers\ndef f(x): return helpers.g(x)" + HELPER, *ONE),
    edited("import as", "import helpers as h\ndef f(x): return h.g(x)" + HELPER, *ONE),
    edited("star import", "from helpers import *\ndef f(x): return g(x)" + HELPER, *ONE),
    edited("attribute chain", "import pkg.low\ndef f(x): return pkg.low.g(x)" + PACKAGE, *ONE),
    edited(
        "import of a submodule as", "import pkg.low as m\ndef f(x): return m.g(x)" + PACKAGE, *ONE
    ),
    edited("from a package", "from pkg import low\ndef f(x): return low.g(x)" + PACKAGE, *ONE),
    edited(
        "re-export",
        "from pkg import g\ndef f(x): return g(x)\n== pkg/__init__.py\nfrom pkg.low import g\n"
        "== pkg/low.py\ndef g(y): return y + 1",
        *ONE,
    ),
    edited(
        "re-export under another name",
        "from pkg import h\ndef f(x): return h(x)\n== pkg/__init__.py\nfrom .low import g as h\n"
        "== pkg/low.py\ndef g(y): return y + 1",
        *ONE,
    ),
    edited(
        "re-export by a star",
        "import pkg\ndef f(x): return pkg.g(x)\n== pkg/__init__.py\nfrom .low import *\n"
        "== pkg/low.py\n__all__ = ['g']\ndef g(y): return y + 1",
        *ONE,
    ),
    edited(
        "re-export turned to another module",
        "from pkg import g\ndef f(x): return g(x)\n== pkg/__init__.py\nfrom .one import g\n"
        "== pkg/one.py\ndef g(y): return 1\n== pkg/two.py\ndef g(y): return 2",
        ".one import",
        ".two import",
    ),
    edited(
        "relative import",
        "from pkg.top import f\n== pkg/__init__.py\n== pkg/top.py\nfrom .low import g\n"
        "def f(x): return g(x)\n== pkg/low.py\ndef g(y): return y + 1",
        *ONE,
    ),
    edited(
        "relative import from the parent",
        "from pkg.sub.top import f\n== pkg/__init__.py\n== pkg/sub/__init__.py\n"
        "== pkg/sub/top.py\nfrom ..low import g\ndef f(x): return g(x)\n"
        "== pkg/low.py\ndef g(y): return y + 1",
        *ONE,
    ),
    edited(
        "relative import of a module",
        "from pkg.top import f\n== pkg/__init__.py\n== pkg/top.py\nfrom . import low\n"
        "def f(x): return low.g(x)\n== pkg/low.py\ndef g(y): return y + 1",
        *ONE,
    ),
    edited(
        "namespace package",
        "import space.low\ndef f(x): return space.low.g(x)\n== space/low.py\ndef g(y): return y + 1",
        *ONE,
    ),
    edited(
        "helper of a helper in a third module",
        "from one import a\ndef f(x): return a(x)\n== one.py\nimport two\ndef a(y): return two.g(y)\n"
        "== two.py\ndef g(y): return y + 1",
        *ONE,
    ),
    edited(
        "modules that import each other",
        "import one\ndef f(x): return one.a(x)\n"
        "== one.py\nimport two\ndef a(y): return two.b(y)\ndef c(y): return y + 1\n"
        "== two.py\nimport one\ndef b(y): return one.c(y)",
        *ONE,
    ),
    edited(
        "constant of a module",
        "import conf\ndef f(x): return conf.RATE\n== conf.py\nRATE = 1",
        "RATE = 1",
        "RATE = 2",
    ),
    edited(
        "constant imported by name",
        "from conf import RATE\ndef f(x): return RATE\n== conf.py\nRATE = 1",
        "RATE = 1",
        "RATE = 2",
    ),
    edited(
        "constant of a module changed by another",
        "import conf, setup\ndef f(x): return conf.RATE\n== conf.py\nRATE = 1\n"
        "== setup.py\nimport conf\nconf.RATE = 2",
        "conf.RATE = 2",
        "conf.RATE = 3",
    ),
    edited(
        "constant read by a helper in its own module",
        "from helpers import g\ndef f(x): return g(x)\n== helpers.py\nN = 1\ndef g(y): return y + N",
        "N = 1",
        "N = 2",
    ),
    edited(
        "names equal in two modules",
        "import one\nN = 5\ndef f(x): return one.g()\n== one.py\nN = 1\ndef g(): return N",
        "N = 1",
        "N = 2",
    ),
    # Imports inside bodies
    edited(
        "import in the body",
        "def f(x):\n    import helpers\n    return helpers.g(x)" + HELPER,
        *ONE,
    ),
    edited(
        "from import in the body",
        "def f(x):\n    from helpers import g\n    return g(x)" + HELPER,
        *ONE,
    ),
    edited(
        "import as in the body",
        "def f(x):\n    import helpers as h\n    return h.g(x)" + HELPER,
        *ONE,
    ),
    edited(
        "import of a submodule in the body",
        "def f(x):\n    import pkg.low\n    return pkg.low.g(x)" + PACKAGE,
        *ONE,
    ),
    edited(
        "import of a submodule as in the body",
        "def f(x):\n    import pkg.low as m\n    return m.g(x)" + PACKAGE,
        *ONE,
    ),
    edited(
        "submodule from a package in the body",
        "def f(x):\n    from pkg import low\n    return low.g(x)" + PACKAGE,
        *ONE,
    ),
    edited(
        "relative import in the body",
        "from pkg.top import f\n== pkg/__init__.py\n== pkg/top.py\ndef f(x):\n"
        "    from .low import g\n    return g(x)\n== pkg/low.py\ndef g(y): return y + 1",
        *ONE,
    ),
    edited(
        "relative import of a module in the body",
        "from pkg.top import f\n== pkg/__init__.py\n== pkg/top.py\ndef f(x):\n"
        "    from . import low\n    return low.g(x)\n== pkg/low.py\ndef g(y): return y + 1",
        *ONE,
    ),
    edited(
        "import in the body of a helper",
        "def h(y):\n    import helpers\n    return helpers.g(y)\ndef f(x): return h(x)" + HELPER,
        *ONE,
    ),
    edited(
        "import in the body, used by a nested function",
        "def f(x):\n    from helpers import g\n    def inner(): return g(x)\n    return inner()"
        + HELPER,
        *ONE,
    ),
    edited(
        "module imported in the body and passed on",
        "def call(m, y): return m.g(y)\ndef f(x):\n    import helpers\n    return call(helpers, x)"
        + HELPER,
        *ONE,
    ),
    edited(
        "import in a method",
        "class A:\n    def run(self, y):\n        from helpers import g\n        return g(y)\n"
        "def f(x): return A().run(x)" + HELPER,
        *ONE,
    ),
    edited(
        "import in the body for its effects",
        "REG = {}\ndef f(x):\n    import plugin\n    return REG.get('a')\n"
        "== plugin.py\nimport main\nmain.REG['a'] = 1",
        "= 1",
        "= 2",
    ),
    edited(
        "conditional import",
        "FAST = True\nif FAST:\n    from one import g\nelse:\n    from two import g\n"
        "def f(x): return g(x)\n== one.py\ndef g(y): return y + 1\n== two.py\ndef g(y): return y * 9",
        *ONE,
    ),
    edited(
        "import with a fallback",
        "try:\n    from missing import g\nexcept ImportError:\n    from helpers import g\n"
        "def f(x): return g(x)" + HELPER,
        *ONE,
    ),
    edited(
        "import with a fallback in the body",
        "def f(x):\n    try:\n        from missing import g\n    except ImportError:\n"
        "        from helpers import g\n    return g(x)" + HELPER,
        *ONE,
    ),
    edited(
        "missing module that appears",
        "def f(x):\n    try:\n        from extra import g\n    except ImportError:\n"
        "        g = abs\n    return g(x)\n== other.py\ndef g(y): return y + 1",
        "other.py",
        "extra.py",
    ),
    edited(
        "conditional import in the body",
        "FAST = True\ndef f(x):\n    if FAST:\n        from one import g\n    else:\n"
        "        from two import g\n    return g(x)\n"
        "== one.py\ndef g(y): return y + 1\n== two.py\ndef g(y): return y * 9",
        *ONE,
    ),
    # Modules as values
    edited(
        "module passed to a helper",
        "import helpers\ndef call(m, y): return m.g(y)\ndef f(x): return call(helpers, x)" + HELPER,
        *ONE,
    ),
    edited(
        "module under another name",
        "import helpers\nimpl = helpers\ndef f(x): return impl.g(x)" + HELPER,
        *ONE,
    ),
    edited(
        "module under a local name",
        "import helpers\ndef f(x):\n    m = helpers\n    return m.g(x)" + HELPER,
        *ONE,
    ),
    edited(
        "modules in a dictionary",
        "import helpers\nIMPL = {'a': helpers}\ndef f(x): return IMPL['a'].g(x)" + HELPER,
        *ONE,
    ),
    edited(
        "module exchanged",
        "import one as impl\ndef f(x): return impl.g(x)\n"
        "== one.py\ndef g(y): return 1\n== two.py\ndef g(y): return 2",
        "import one as",
        "import two as",
    ),
    edited(
        "__getattr__ of a module",
        "import lazy\ndef f(x): return lazy.value\n"
        "== lazy.py\ndef __getattr__(name):\n    if name == 'value': return 1\n"
        "    raise AttributeError(name)",
        "return 1",
        "return 2",
    ),
    edited(
        "module loaded by the __getattr__ of a package",
        "import pkg\ndef f(x): return pkg.low.g(x)\n== pkg/__init__.py\n"
        "def __getattr__(name):\n    import importlib\n"
        "    return importlib.import_module('pkg.' + name)\n"
        "== pkg/low.py\ndef g(y): return y + 1",
        *ONE,
    ),
    edited(
        "name defined in the package itself",
        "import pkg\ndef f(x): return pkg.g(x)\n== pkg/__init__.py\ndef g(y): return y + 1",
        *ONE,
    ),
    edited(
        "class in another module",
        "from shapes import A\ndef f(x): return A().run()\n== shapes.py\nclass A:\n"
        "    def run(self): return 1",
        "return 1",
        "return 2",
    ),
    edited(
        "plugin registered by an import at the top",
        "import registry, plugin\ndef f(x): return registry.TABLE['a'](x)\n"
        "== registry.py\nTABLE = {}\ndef register(g):\n    TABLE['a'] = g\n    return g\n"
        "== plugin.py\nfrom registry import register\n@register\ndef g(y): return y + 1",
        *ONE,
    ),
    edited(
        "decorator in another module",
        "from deco import plus\n@plus\ndef h(y): return y\ndef f(x): return h(x)\n"
        "== deco.py\nimport functools\ndef plus(g):\n    @functools.wraps(g)\n"
        "    def wrapper(*a): return g(*a) + 1\n    return wrapper",
        "g(*a) + 1",
        "g(*a) + 2",
    ),
]
