"""What a function changes by running does not count; what others change does."""
# ruff: noqa: E501 - programs on few lines

from __future__ import annotations

import pytest

from neurotools.memo.fingerprint.reach import Tracker
from tests.memo.fingerprint.sessions import Session

#: Programs whose function ``f`` changes something that it depends on.
STATEFUL = {
    "counter in a class": "class M:\n    n = 0\n    def __init__(self): M.n += 1\ndef f(x): return M() and x",
    "table in a class": "class A:\n    t = {}\n    def g(self, y):\n        self.t[y] = y\n        return self.t[y]\n"
    "def f(x): return A().g(x)",
    "table that is not empty": "T = {0: 0}\ndef f(x):\n    if x not in T: T[x] = x\n    return T[x]",
    "table that is a default": "def f(x, t={}):\n    if x not in t: t[x] = x\n    return t[x]",
    "table on a wrapper": "def memo(g):\n    def w(y):\n        if y not in w.t: w.t[y] = g(y)\n        return w.t[y]\n"
    "    w.t = {}\n    return w\n@memo\ndef g(y): return y\ndef f(x): return g(x)",
    "timer": "class T:\n    def __init__(self): self.n = 0\n    def __enter__(self): self.n += 1\n"
    "    def __exit__(self, *a): pass\nt = T()\ndef f(x):\n    with t: return x",
    "array written into": "import numpy as np\nB = np.zeros(3)\ndef f(x):\n    B[:] = x\n    return B.sum()",
    "global": "LAST = 0\ndef f(x):\n    global LAST\n    LAST = x\n    return LAST",
    "generator": "import numpy as np\nR = np.random.default_rng(0)\ndef f(x): return R.random()",
    "estimator": "class E:\n    c = 0\n    def fit(self, x):\n        self.c = x\n        return self\ne = E()\n"
    "def f(x): return e.fit(x).c",
}


@pytest.fixture
def session():
    session = Session()
    yield session
    session.close()


@pytest.fixture(params=STATEFUL.values(), ids=STATEFUL)
def tracker(request, session):
    session.run(request.param)
    return Tracker(session["f"])


def run(tracker, function, argument):
    """Run a function as it is run when its result is missing."""
    tracker.current()
    tracker.starts()
    function(argument)
    tracker.ran()


def test_what_a_run_changes_does_not_count(tracker, session):
    before = tracker.current().code
    for argument in (1, 2, 3):
        run(tracker, session["f"], argument)
        assert tracker.current().code == before


def test_another_function_that_shares_the_state_sees_it_as_it_was(session):
    session.run(
        "S = {'n': 0}\ndef f(x):\n    S['n'] += 1\n    return S['n']\ndef g(x): return S['n'] + x"
    )
    f, g = Tracker(session["f"]), Tracker(session["g"])
    before = g.current().code
    run(f, session["f"], 1)
    assert g.current().code == before


CHANGED = {
    "in place": "S['scale'] = 3",
    "another object": "S = {'n': 0, 'scale': 3}",
    "back to the start": "S['n'] = 7",
}


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED)
def test_what_others_change_counts(session, change):
    session.run("S = {'n': 0, 'scale': 1}\ndef f(x):\n    S['n'] += 1\n    return x * S['scale']")
    tracker = Tracker(session["f"])
    before = tracker.current().code
    run(tracker, session["f"], 1)
    session.run(change)
    assert tracker.current().code != before
    run(tracker, session["f"], 1)
    assert tracker.current().code != before


def test_names_bound_by_others_meanwhile_count(session):
    """Only what the code itself can have changed is taken as its doing."""
    session.run("RATE = 1\ndef f(x): return x * RATE")
    tracker = Tracker(session["f"])
    before = tracker.current().code
    tracker.starts()
    session.run("RATE = 2")  # as another thread might do while it runs
    tracker.ran()
    assert tracker.current().code != before


def test_code_defined_meanwhile_counts(session):
    session.run("def g(x): return x\ndef f(x): return g(x)")
    tracker = Tracker(session["f"])
    before = tracker.current().code
    tracker.starts()
    session.run("def g(x): return x + 1")
    tracker.ran()
    assert tracker.current().code != before


def test_state_is_named_as_a_doubt(session):
    session.run("S = {'n': 0}\ndef f(x):\n    S['n'] += 1\n    return S['n']")
    tracker = Tracker(session["f"])
    run(tracker, session["f"], 1)
    assert any("changed by the code as it runs" in d for d in tracker.current().manifest.doubts)


def test_a_function_that_calls_itself_keeps_its_version(session):
    session.run("S = {'n': 0}\ndef f(x, call):\n    S['n'] += 1\n    return x and call(x - 1)")
    tracker, codes = Tracker(session["f"]), []

    def call(x):
        codes.append(tracker.current().code)
        tracker.starts()
        session["f"](x, call)
        tracker.ran()

    call(3)
    call(1)
    assert len(codes) == 6
    assert len(set(codes)) == 1
