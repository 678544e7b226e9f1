import sys

import numpy as np

from neurotools.jobs.cache import disk_cacher, hierarchical_cacher


def test_a_hit_says_where(tmp_path):
    @hierarchical_cacher((tmp_path / "fast", tmp_path / "slow"))
    def f(x):
        return x

    f(1)
    why = f.explain(1)
    assert why.hit
    assert why.location == f.locate(1)
    assert str(why).startswith(f"hit: in {tmp_path / 'fast'}")


def test_explaining_runs_and_counts_nothing(tmp_path):
    @disk_cacher(tmp_path)
    def f(x):
        raise AssertionError("was run")

    assert not f.explain(1).hit
    assert f.cache_info()[:3] == (0, 0, 0)


def test_a_first_call_is_said_to_be_one(tmp_path):
    f = disk_cacher(tmp_path)(lambda x: x)
    assert str(f.explain(1)) == "miss: nothing is kept of this function yet"


def test_a_new_argument_is_shown_against_the_nearest_call(tmp_path):
    @disk_cacher(tmp_path)
    def f(x, gain=1.0, data=None):
        return x

    f("far", gain=5.0), f("near", data=np.zeros(3))
    why = f.explain("near", data=np.ones(3))
    assert not why.hit
    assert list(why.arguments) == ["data"]
    assert "argument data:" in str(why)
    assert why.location == f.locate("near", data=np.zeros(3))


def load(folder, source):
    import importlib

    (folder / "explained_module.py").write_text(source)
    sys.modules.pop("explained_module", None)
    importlib.invalidate_caches()
    module = importlib.import_module("explained_module")
    del sys.modules["explained_module"]
    return module.f


def test_changed_code_and_arguments_are_both_said(tmp_path):
    cached = disk_cacher(tmp_path)

    def make(step):
        @cached
        def f(x):
            return x + step

        return f

    make(1)(1)
    why = make(2)(2) and make(3).explain(3)
    assert "the code has changed, and these arguments are new" in str(why)
    assert why.code


def test_doubts_are_told(tmp_path):
    @disk_cacher(tmp_path, allow_mutable_bindings=True)
    def f(x):
        return eval(x)

    assert "doubt:" in str(f.explain("1"))


def test_changed_code_is_shown_with_its_lines(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    source = "def helper(x):\n    return x + 1\n\ndef f(x):\n    return helper(x)\n"
    f = disk_cacher(tmp_path)(load(tmp_path, source))
    f(1)
    g = disk_cacher(tmp_path)(load(tmp_path, source.replace("x + 1", "x + 12345")))
    why = g.explain(1)
    assert not why.hit
    assert "the code has changed" in why.reason
    assert len(why.code) == 1
    assert "helper" in str(why)
    assert "12345" in str(why)
