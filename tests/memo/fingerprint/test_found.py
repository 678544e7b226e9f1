"""What people found who knew the code, and looked for what it does not see."""

from __future__ import annotations

from unittest import mock

import pytest

from neurotools.memo.fingerprint import limits
from neurotools.memo.fingerprint.manifest import Manifest
from neurotools.memo.fingerprint.reach import Tracker
from tests.memo.fingerprint.sessions import Session


@pytest.fixture
def session():
    session = Session()
    yield session
    session.close()


@pytest.mark.parametrize("kind", [mock.Mock, mock.MagicMock, mock.AsyncMock])
def test_a_mock_is_refused(session, kind):
    session.run("g = None\ndef f(x): return g(x)")
    vars(session.module)["g"] = kind(return_value=5)
    assert [refusal.reason for refusal in Tracker(session["f"]).refusals if "mock" in str(refusal)]


def test_a_mock_in_the_standard_library_is_seen(session):
    session.run("import os\ndef f(x): return os.path.exists(x)")
    tracker = Tracker(session["f"])
    before = tracker.current().code
    with mock.patch("os.path.exists", return_value=True):
        assert tracker.current().code != before
    assert tracker.current().code == before


DATACLASS = """
from dataclasses import dataclass
@dataclass
class A:
    n: int = 1
    def {name}(self, *others): return {value}
def f(x): return A(x)
"""


@pytest.mark.parametrize("name", ["__repr__", "__eq__", "__init__", "__lt__"])
def test_a_method_of_a_dataclass_without_a_file(session, name):
    codes = set()
    for value in (1, 2):
        session.run(DATACLASS.format(name=name, value=value))
        codes.add(Tracker(session["f"]).current().code)
    assert len(codes) == 2


@pytest.mark.parametrize("name", ["__repr__", "__init__"])
def test_what_a_dataclass_generates_may_be_replaced(session, name):
    session.run("from dataclasses import dataclass\n@dataclass\nclass A:\n    n: int = 1\n")
    session.run("def f(x): return A()")
    tracker = Tracker(session["f"])
    before = tracker.current().code
    session.run(f"A.{name} = lambda self: None")
    assert tracker.current().code != before


@pytest.mark.parametrize("edit", ["c.__class__ = D", "C.__bases__ = (E,)"])
def test_what_an_attribute_is_looked_up_in_may_change(session, edit):
    session.run("class B: m = 1\nclass E: m = 2\nclass C(B): pass\nclass D:\n    n = property(id)")
    session.run("c = C()\nc.n = 1\ndef f(x): return c.n, C.m")
    tracker = Tracker(session["f"])
    before = tracker.current().code
    session.run(edit)
    assert tracker.current().code != before


def doubts(session, program):
    session.run(program)
    found: Manifest = Tracker(session["f"]).current().manifest
    return found.doubts


DOUBTFUL = {
    "the time": "import time\ndef f(x): return time.time()",
    "the time by name": "from time import perf_counter\ndef f(x): return perf_counter()",
    "the date": "import datetime\ndef f(x): return datetime.datetime.now()",
    "the date by name": "from datetime import datetime\ndef f(x): return datetime.now()",
    "chance": "import random\ndef f(x): return random.random()",
    "chance of numpy": "import numpy as np\ndef f(x): return np.random.rand(x)",
    "names made up": "import uuid\ndef f(x): return uuid.uuid4()",
    "a folder": "import os\ndef f(x): return os.listdir(x)",
    "a file of a path": "def f(path): return path.read_text()",
}


@pytest.mark.parametrize("program", DOUBTFUL.values(), ids=DOUBTFUL.keys())
def test_what_does_not_count_is_told(session, program):
    assert any("does not count" in doubt for doubt in doubts(session, program))


CERTAIN = {
    "seeded": "import numpy as np\ndef f(x): return np.random.default_rng(x)",
    "given date": "from datetime import datetime\ndef f(x): return datetime(2000, 1, 1)",
}


@pytest.mark.parametrize("program", CERTAIN.values(), ids=CERTAIN.keys())
def test_what_is_given_is_no_doubt(session, program):
    assert not doubts(session, program)


LOADERS = {
    "resolve_name": "import pkgutil\ndef f(x): return pkgutil.resolve_name(x)",
    "locate": "import pydoc\ndef f(x): return pydoc.locate(x)",
    "module_from_spec": "import importlib.util as u\ndef f(x): return u.module_from_spec(x)",
    "SourceFileLoader": "from importlib.machinery import SourceFileLoader as S\n"
    "def f(x): return S(x, x)",
}


@pytest.mark.parametrize("program", LOADERS.values(), ids=LOADERS.keys())
def test_what_loads_code_by_name_is_refused(session, program):
    session.run(program)
    assert any("named at run time" in str(refusal) for refusal in Tracker(session["f"]).refusals)


def test_looking_for_a_mock_makes_no_further_mocks():
    from neurotools.memo.digest.objects import refused

    value = mock.MagicMock()
    before = set(vars(value))
    assert "mock" in (refused(type(value)) or "")
    assert set(vars(value)) == before


def test_every_doubt_is_of_a_name_in_a_module():
    """A forgotten comma makes a name for each letter of one."""
    assert [name for name in limits.DOUBTFUL if "." not in name.strip(".")] == []
