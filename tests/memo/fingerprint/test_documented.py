"""The documented functions on source and hashes of one function."""

from __future__ import annotations

import functools

import pytest

from neurotools.memo.errors import UnsupportedFunction
from neurotools.memo.fingerprint.documented import deep_hash, get_source, own_hash
from tests.memo.fingerprint.sessions import Session


@pytest.fixture
def session():
    session = Session()
    yield session
    session.close()


def hashes(session, *cells, how=own_hash):
    found = []
    for cell in cells:
        session.run(cell)
        found.append(how(session["f"]))
    return found


CHANGES = {
    "source": ("def f(x): return x", "def f(x): return -x"),
    "docstring": ("def f(x):\n    'one'", "def f(x):\n    'two'"),
    "name": ("def f(x): return x", "def g(x): return x\nf = g"),
    "default": ("def f(x=1): return x", "def f(x=2): return x"),
    "parameter": ("def f(x, y): return 1", "def f(x, z): return 1"),
    "kind of a parameter": ("def f(x, y): return 1", "def f(x, *, y): return 1"),
}


@pytest.mark.parametrize("how", [own_hash, deep_hash])
@pytest.mark.parametrize("cells", CHANGES.values(), ids=CHANGES)
def test_hashes_depend_on(session, cells, how):
    first, second = hashes(session, *cells, how=how)
    assert first != second


LEFT_OUT = {
    "comments": ("def f(x): return x", "def f(x): return x  # so"),
    "layout": ("def f(x): return x+1", "def f(x):\n    return x + 1"),
    "hints": ("def f(x): return x", "def f(x: int) -> int: return x"),
}


@pytest.mark.parametrize("how", [own_hash, deep_hash])
@pytest.mark.parametrize("cells", LEFT_OUT.values(), ids=LEFT_OUT)
def test_hashes_do_not_depend_on(session, cells, how):
    first, second = hashes(session, *cells, how=how)
    assert first == second


SUBROUTINE = "def g(x): return x\ndef f(x): return g(x)", "def g(x): return -x"


def test_the_own_hash_does_not_depend_on_subroutines(session):
    first, second = hashes(session, *SUBROUTINE)
    assert first == second


def test_the_deep_hash_depends_on_subroutines(session):
    first, second = hashes(session, *SUBROUTINE, how=deep_hash)
    assert first != second


def test_the_deep_hash_depends_on_docstrings_of_subroutines(session):
    cells = "def g(x): 'one'\ndef f(x): return g(x)", "def g(x): 'two'"
    first, second = hashes(session, *cells, how=deep_hash)
    assert first != second


def test_modules_are_told_apart(session):
    other = Session()
    found = []
    for place in (session, other):
        place.run("def f(x): return x")
        found.append(own_hash(place["f"]))
    other.close()
    assert found[0] != found[1]


@pytest.mark.parametrize("how", [own_hash, deep_hash])
def test_a_hash_is_short_text(session, how):
    session.run("def f(x): return x")
    assert isinstance(how(session["f"]), str)
    assert len(how(session["f"])) == 14


def test_defaults_without_a_digest_are_no_reason_to_fail(session):
    session.run("def f(x=object(), y=iter([])): return x")
    assert own_hash(session["f"])


def test_source_is_without_decorators(session):
    session.run(
        "import functools\ndef deco(g): return functools.wraps(g)(lambda x: g(x))\n"
        "class A:\n    @deco\n    @deco\n"
        "    def f(self):\n        '''Doc.'''\n        return 1  # so\n"
    )
    expected = "def f(self):\n    '''Doc.'''\n    return 1  # so\n"
    assert get_source(session["A"].f) == expected
    assert get_source(session["A"]().f) == expected


def test_source_of_a_lambda(session):
    session.run("f, g = lambda x: x + 1, lambda x: x * 2")
    assert get_source(session["g"]) == "lambda x: x * 2"


@pytest.mark.parametrize("value", [len, int, functools.partial(int), "text"])
@pytest.mark.parametrize("how", [get_source, own_hash])
def test_what_is_no_function_of_python_is_unsupported(value, how):
    with pytest.raises(UnsupportedFunction, match="no function written in Python"):
        how(value)


def test_missing_source_is_an_os_error():
    names = {}
    exec("def f(x): return x", names)
    with pytest.raises(OSError, match="there is no source"):
        get_source(names["f"])


def test_a_function_without_source_has_hashes():
    names = {"__name__": "made"}
    exec("def f(x): return x", names)
    first = own_hash(names["f"]), deep_hash(names["f"])
    exec("def f(x): return -x", names)
    assert first[0] != own_hash(names["f"])
    assert first[1] != deep_hash(names["f"])
