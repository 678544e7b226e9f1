import pytest

from neurotools.jobs.cache import hierarchical_cacher


@pytest.fixture
def make(tmp_path):
    cached = hierarchical_cacher(("ram://", tmp_path / "fast", tmp_path / "slow"))

    def make(step):
        @cached
        def f(x):
            return x + step

        return f

    return make


def test_nothing_is_kept_at_first(make):
    assert make(1).versions() == []


def test_versions_live_side_by_side_and_hit_again(make):
    make(1)(1), make(2)(1), make(2)(2)
    again = make(1)
    assert again(1) == 2
    assert again.cache_info().hits == 1
    assert [(v.is_current, v.entries) for v in again.versions()] == [(True, 1), (False, 2)]


def test_versions_say_what_they_take_and_what_changed(make):
    make(1)(1), make(2)(1)
    present, other = make(2).versions()
    assert present.changes == ()
    assert present.size_bytes > 100
    assert len(other.changes) == 1
    assert "step" in str(other)


def test_a_version_without_a_manifest_is_listed(make, tmp_path):
    make(1)(1), make(2)(1)
    for manifest in tmp_path.rglob("manifest.json"):
        manifest.write_text("damage")
    assert [v.changes for v in make(2).versions()] == [(), None]
