"""A fork does not cut imports of ours in two; a forked child's locks are its own."""

import os
import signal
import sys
import threading

import pytest

import neurotools
from neurotools.memo import forks

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="fork"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]

OURS = os.path.join(os.path.dirname(neurotools.__file__), "memo", "made_up.py")


@pytest.fixture
def slow_module(tmp_path, monkeypatch):
    """A module whose import goes on until it is let go, and the events by which that is said."""
    text = (
        "import threading\nimport slow_events\nslow_events.begun.set()\nslow_events.go.wait(30)\n"
    )
    (tmp_path / "slow_module.py").write_text(text)
    events = type(sys)("slow_events")
    events.begun, events.go = threading.Event(), threading.Event()
    monkeypatch.setitem(sys.modules, "slow_events", events)
    monkeypatch.syspath_prepend(tmp_path)
    yield events
    events.go.set()
    sys.modules.pop("slow_module", None)


def importing(place, events):
    """Begin to import the slow module in a thread, from a file of a name."""
    code = compile("import slow_module", place, "exec")
    thread = threading.Thread(target=exec, args=(code, {}))
    thread.start()
    assert events.begun.wait(10)
    return thread


def child_that_imports():
    child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.alarm(20)
            import slow_module  # noqa: F401

            code = 0
        finally:
            os._exit(code)
    return child


def test_a_fork_waits_for_an_import_of_ours(slow_module):
    thread = importing(OURS, slow_module)
    assert forks._is_importing()
    timer = threading.Timer(0.2, slow_module.go.set)
    timer.start()
    child = child_that_imports()
    assert slow_module.go.is_set()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    thread.join()
    timer.join()


def test_it_waits_for_nobody_elses_import(slow_module, monkeypatch):
    monkeypatch.setattr(forks, "_LONGEST_IMPORT", 1e9)
    thread = importing("/somewhere/else.py", slow_module)
    assert not forks._is_importing()
    child = os.fork()
    if child == 0:
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    slow_module.go.set()
    thread.join()


def test_it_waits_for_what_imports_a_module_of_ours(slow_module, tmp_path, monkeypatch):
    package = tmp_path / "pretended"
    package.mkdir()
    (package / "__init__.py").write_text("import slow_module\n")
    monkeypatch.setattr(forks, "_OURS", str(package) + os.sep)
    thread = threading.Thread(target=exec, args=("import pretended", {}))
    thread.start()
    assert slow_module.begun.wait(10)
    assert forks._is_importing()
    slow_module.go.set()
    thread.join()
    assert not forks._is_importing()
    sys.modules.pop("pretended", None)


def test_it_does_not_wait_for_ever(slow_module, monkeypatch):
    monkeypatch.setattr(forks, "_LONGEST_IMPORT", 0.05)
    thread = importing(OURS, slow_module)
    child = os.fork()
    if child == 0:
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    slow_module.go.set()
    thread.join()


def test_a_fork_within_an_import_of_ones_own_waits_for_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(forks, "_LONGEST_IMPORT", 1e9)
    (tmp_path / "forking_module.py").write_text(
        "import os\nchild = os.fork()\nif child == 0:\n    os._exit(0)\n"
        "ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    names = {}
    exec(compile("import forking_module", OURS, "exec"), names)
    assert names["forking_module"].ended == 0
    sys.modules.pop("forking_module")
