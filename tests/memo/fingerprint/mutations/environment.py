"""Distributions, the standard library, and code of the user's that lies elsewhere."""
# ruff: noqa: E501 - a program on one line shows its edit better than one on many

from __future__ import annotations

from tests.memo.fingerprint.mutations.case import Case, edited, neutral

LIBRARY = """
== site-packages/lib/__init__.py
from lib.inner import g
def h(y): return y * 2
class Base:
    def run(self): return 1
def wraps(function):
    def wrapper(*args): return function(*args)
    return wrapper
== site-packages/lib/inner.py
def g(y): return y + 1
== site-packages/lib-1.2.3.dist-info/RECORD
lib/__init__.py,sha256=aaa,60
lib/inner.py,sha256=bbb,24
"""
USE = "import lib\ndef f(x): return lib.g(x)" + LIBRARY
MINOR = ("lib-1.2.3", "lib-1.3.0", "y + 1", "y + 2")
PATCH = ("lib-1.2.3", "lib-1.2.4")
SCIENTIFIC = USE.replace("lib-1.2.3", "scientific_lib-1.2.3")

CASES: list[Case] = [
    edited("minor version of a library", USE, *MINOR),
    edited("major version of a library", USE, "lib-1.2.3", "lib-2.0.0", "y + 1", "y + 2"),
    edited(
        "name imported from a library", "from lib import g\ndef f(x): return g(x)" + LIBRARY, *MINOR
    ),
    edited(
        "name imported from a module of a library",
        "from lib.inner import g\ndef f(x): return g(x)" + LIBRARY,
        *MINOR,
    ),
    edited(
        "library imported in the body",
        "def f(x):\n    from lib import g\n    return g(x)" + LIBRARY,
        *MINOR,
    ),
    edited(
        "library used by a helper",
        "import lib\ndef g(y): return lib.g(y)\ndef f(x): return g(x)" + LIBRARY,
        *MINOR,
    ),
    edited(
        "base class of a library",
        "import lib\nclass A(lib.Base): pass\ndef f(x): return A().run()" + LIBRARY,
        "lib-1.2.3",
        "lib-1.3.0",
        "return 1",
        "return 2",
    ),
    edited(
        "instance of a library's class",
        "import lib\na = lib.Base()\ndef f(x): return a.run()" + LIBRARY,
        "lib-1.2.3",
        "lib-1.3.0",
        "return 1",
        "return 2",
    ),
    edited(
        "function of a library in a table",
        "import lib\nTABLE = {'g': lib.g}\ndef f(x): return TABLE['g'](x)" + LIBRARY,
        *MINOR,
    ),
    edited(
        "function in a library's decorator",
        "import lib\n@lib.wraps\ndef g(y): return y * 7\ndef f(x): return g(x)" + LIBRARY,
        "y * 7",
        "y * 8",
    ),
    edited(
        "version of a library whose decorator is used",
        "import lib\n@lib.wraps\ndef g(y): return y * 7\ndef f(x): return g(x)" + LIBRARY,
        "lib-1.2.3",
        "lib-1.3.0",
        "return function(*args)",
        "return -function(*args)",
    ),
    edited(
        "function of another module of the same library",
        "from lib import g as used\ndef f(x): return used(x)" + LIBRARY,
        "import g as used",
        "import h as used",
    ),
    edited("library whose name is not that of its module", SCIENTIFIC, *MINOR),
    edited("exact version", USE, *PATCH, "y + 1", "y + 2", options={"packages": "exact"}),
    edited(
        "files of a library", USE, "bbb", "ccc", "y + 1", "y + 2", options={"packages": "record"}
    ),
    edited(
        "development version of a library",
        USE.replace("1.2.3", "1.3.0.dev1"),
        "1.3.0.dev1",
        "1.3.0.dev2",
        "y + 1",
        "y + 2",
    ),
    neutral("bug-fix version of a library", USE, *PATCH),
    neutral(
        "any version, packages off", USE, "lib-1.2.3", "lib-2.0.0", options={"packages": "off"}
    ),
    neutral(
        "files of a library, by version",
        USE,
        "bbb",
        "ccc",
        options={"packages": "exact"},
    ),
    neutral(
        "library that is not used",
        "import lib\ndef f(x): return x" + LIBRARY,
        "lib-1.2.3",
        "lib-2.0.0",
    ),
    neutral(
        "library used by unrelated code",
        "import lib\ndef other(y): return lib.g(y)\ndef f(x): return x" + LIBRARY,
        "lib-1.2.3",
        "lib-2.0.0",
    ),
    edited(
        "module without metadata among installed ones",
        "import stray\ndef f(x): return stray.g(x)\n== site-packages/stray.py\ndef g(y): return y + 1",
        "y + 1",
        "y + 2",
    ),
    edited(
        "project with metadata of an editable installation",
        "import proj\ndef f(x): return proj.g(x)\n== proj/__init__.py\ndef g(y): return y + 1\n"
        "== proj.egg-info/PKG-INFO\nName: proj\nVersion: 1.0\n"
        "== site-packages/proj-1.0.dist-info/RECORD\n__editable___proj.pth,,",
        "y + 1",
        "y + 2",
    ),
    edited(
        "module named like one of the standard library",
        "import statistics\ndef f(x): return statistics.mean(x)\n"
        "== statistics.py\ndef mean(y): return y + 1",
        "y + 1",
        "y + 2",
    ),
    edited(
        "module of the standard library exchanged for one's own",
        "from math import floor as g\ndef f(x): return g(x)\n== mine.py\ndef floor(y): return y + 1",
        "from math",
        "from mine",
    ),
    edited(
        "function of the standard library exchanged",
        "from math import floor as g\ndef f(x): return g(x + 0.5)",
        "floor",
        "ceil",
    ),
    edited(
        "submodule of the standard library exchanged",
        "import posixpath as p\ndef f(x): return p.join('a', 'b')",
        "posixpath as",
        "ntpath as",
    ),
]
