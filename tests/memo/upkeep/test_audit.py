"""A sample of what is kept, computed again: how much of it is stale."""

import itertools
import math
import sys

import numpy as np
import pytest

from neurotools.jobs.cache import audit, disk_cacher, hierarchical_cacher
from neurotools.jobs.memory import Memory
from neurotools.memo.upkeep.agreement import Difference
from neurotools.memo.upkeep.audit import sample_of
from neurotools.memo.upkeep.measured import Audit
from neurotools.memo.upkeep.outdated import Finding


@pytest.fixture
def reads(tmp_path):
    """Return a function that depends on a file which no cache sees, and 20 results of it."""

    @disk_cacher(tmp_path / "cache", allow_mutable_bindings=True)
    def reads(x):
        return x + int((tmp_path / "facts").read_text()) * (x < 5)

    (tmp_path / "facts").write_text("0")
    for x in range(20):
        reads(x)
    return reads


def test_nothing_is_stale_where_nothing_has_changed(reads):
    done = audit(reads, "all")
    assert (done.entries, done.compared, done.stale, done.rate) == (20, 20, [], 0)
    assert done.interval == (0, 0)


def test_the_rate_of_stale_results_is_measured(reads, tmp_path):
    (tmp_path / "facts").write_text("7")
    done = audit(reads, "all")
    assert (done.rate, done.interval) == (0.25, (0.25, 0.25))
    assert sorted(one.arguments for one in done.stale) == [f"x={x}" for x in range(5)]
    assert all(one.difference.absolute == 7 for one in done.stale)
    assert "stale: 5 of 20, 25.00%, all of them" in str(done)


def test_a_sample_gives_an_interval_around_the_rate(reads, tmp_path):
    scipy = pytest.importorskip("scipy.stats")
    (tmp_path / "facts").write_text("7")
    done = audit(reads, 10, seed=3)
    expected = scipy.binomtest(len(done.stale), 10).proportion_ci(0.95)
    assert done.compared == 10
    assert done.interval == (expected.low, expected.high)
    assert "95% interval" in str(done)


def test_without_scipy_the_rate_has_no_interval(reads, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    done = audit(reads, 10)
    assert (done.rate, done.interval) == (0, None)
    assert "pip install 'neurotools[audit]'" in str(done)


def test_methods_and_functions_of_a_memory_are_audited(tmp_path):
    class Model:
        @disk_cacher(tmp_path / "c")
        def method(self, x):
            return x

        @staticmethod
        @disk_cacher(tmp_path / "c")
        def static(x):
            return x

    model = Model()
    model.method(1), Model.static(1)
    done = audit([model.method, Model.static], "all")
    assert (done.same, list(done.unmade.values())) == (1, [1])
    f = Memory(tmp_path / "m").cache(_double)
    f(2)
    assert audit(f, "all").same == 1


def _double(x):
    return 2 * x


def test_the_sample_is_the_same_for_a_seed(reads, tmp_path):
    (tmp_path / "facts").write_text("7")
    found = [{one.path for one in audit(reads, 10, seed=seed).stale} for seed in (1, 1, 2, 3)]
    assert found[0] == found[1]
    assert len({frozenset(one) for one in found}) > 1


def test_auditing_changes_nothing_in_the_cache(reads, tmp_path):
    def state():
        return {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.npy")}

    (tmp_path / "facts").write_text("7")
    before = state()
    audit(reads, "all")
    assert state() == before
    assert reads(1) == 1  # stale still, as it was found


def test_a_memoized_helper_is_computed_again_too(tmp_path):
    cached = disk_cacher(tmp_path, allow_mutable_bindings=True)
    fact = tmp_path / "fact"
    fact.write_text("1")

    @cached
    def helper(x):
        return x + len(fact.read_text())

    @cached
    def f(x):
        return helper(x)

    f(1)
    fact.write_text("12")
    assert [one.arguments for one in audit(f, "all").stale] == ["x=1"]


def test_what_differs_each_time_is_not_called_stale(tmp_path):
    count = itertools.count()

    @disk_cacher(tmp_path, allow_mutable_bindings=True)
    def f(x):
        return next(count)

    f(1), f(2)
    done = audit(f, "all")
    assert (len(done.unsteady), done.stale, done.compared) == (2, [], 0)
    assert math.isnan(done.rate)
    assert "give something else each time" in str(done)


def test_errors_and_lost_arguments_are_counted_with_their_reasons(tmp_path):
    flag = tmp_path / "flag"

    @disk_cacher(tmp_path, allow_mutable_bindings=True)
    def f(x):
        if flag.exists():
            raise RuntimeError("not today")
        return 1

    f(np.arange(5)), f(2)
    flag.touch()
    done = audit(f, "all")
    assert list(done.failed.values()) == [1]
    assert "not today" in next(iter(done.failed))
    assert dict(done.unmade) == {"only a digest is kept of argument 'x' (numpy.ndarray)": 1}
    assert "nothing could be compared" in str(done)


def test_damage_is_counted_and_stays_where_it_is(reads):
    with open(reads.locate(3), "r+b") as file:
        file.write(b"damage")
    done = audit(reads, "all")
    assert (done.compared, sum(done.unmade.values())) == (19, 1)
    assert reads.check_call_in_cache(3)


def test_results_within_a_tolerance_are_not_stale(tmp_path):
    fact = tmp_path / "fact"
    fact.write_text("1.0")

    @disk_cacher(tmp_path, allow_mutable_bindings=True)
    def f(x):
        return x * float(fact.read_text())

    f(3.0)
    fact.write_text("1.000000001")
    assert audit(f, "all").stale
    assert not audit(f, "all", rtol=1e-6).stale


def test_when_the_time_is_up_it_ends(reads):
    done = audit(reads, "all", max_seconds=1e-9)
    assert (done.compared, done.is_complete) == (1, False)
    assert "the time was up" in str(done)


def test_several_functions_are_audited_together(reads, tmp_path):
    other = disk_cacher(tmp_path / "cache")(abs)
    other(-1)
    assert audit([reads, other], "all").entries == 21


def test_what_a_changed_file_makes_a_miss_is_no_hit(tmp_path):
    (tmp_path / "fact").write_text("1")

    @disk_cacher(tmp_path / "cache", trace=True)
    def f(path):
        with open(path) as file:
            return file.read()

    f(str(tmp_path / "fact"))
    assert audit(f, "all").compared == 1
    (tmp_path / "fact").write_text("23")
    assert audit(f, "all").entries == 0


def test_a_function_without_a_folder_is_refused():
    f = hierarchical_cacher("ram://")(abs)
    with pytest.raises(ValueError, match="cache_root="):
        audit(f)


def test_a_cache_that_is_not_there_is_refused(reads, tmp_path):
    with pytest.raises(FileNotFoundError, match="no cache folder"):
        audit(reads, cache_root=tmp_path / "nowhere")


@pytest.mark.parametrize("wrong", ["0%", "101%", "x", 0, -1, True, None, "1.5"])
def test_what_is_no_sample_is_refused(wrong):
    with pytest.raises(ValueError, match="sample="):
        sample_of(wrong)


def test_samples():
    assert [sample_of(s)(1000) for s in ("1%", "0.05%", "200", 5000, "all")] == [
        10,
        1,
        200,
        1000,
        1000,
    ]
    assert sample_of("1%")(0) == 0


def test_as_data_there_is_no_nan():
    done = Audit(
        entries=3, same=2, stale=[Finding("f", "x=1", "/p", Difference("", "a", 1, math.inf))]
    )
    data = done.as_dict()
    assert (data["rate"], data["findings"][0]["relative"]) == (1 / 3, None)
    assert Audit().as_dict()["rate"] is None
