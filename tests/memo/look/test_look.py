"""What functions, caches and entries look like in a notebook: whole, escaped, bounded, harmless."""

import os
import re
from pathlib import Path

import numpy as np
import pytest

from neurotools.jobs.cache import disk_cacher, hierarchical_cacher, open_cache
from neurotools.memo.errors import NoCache, NoEntry, UntrustedEntry
from neurotools.memo.look import glance as glances
from neurotools.memo.look.glance import by_function, glance


def area(n, scale=1):
    return np.full(10, n * scale)


class Bomb:
    folder = ""

    def __reduce__(self):
        return os.mkdir, (Bomb.folder,)


@pytest.fixture
def remembered(cache_dir):
    return disk_cacher(cache_dir)(area)


def plain(fragment):
    """Return the text of a fragment, a space between its parts."""
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]*>", " ", fragment))


def test_a_function_shows_what_is_kept_of_it(remembered):
    assert "nothing is kept of it yet" in plain(remembered._repr_html_())
    remembered(1)
    remembered(2)
    remembered(2)
    text = plain(remembered._repr_html_())
    assert f"{__name__}.area" in text
    assert "1 loaded, 2 computed" in text
    assert f"{remembered.keys.fingerprint.code} present 2 " in text
    assert "1 version, 2 entries" in text


def test_a_decorator_and_a_cache_show_the_functions_in_them(cache_dir):
    remember = disk_cacher(cache_dir, max_bytes="1GB")
    for number in range(20):

        def named(x):
            return x

        named.__qualname__ = f"f{number}"
        remember(named)(number)
    for shown in (remember, open_cache(cache_dir)):
        text = plain(shown._repr_html_())
        assert "20 functions, 20 entries" in text
        assert "the 15 largest are shown" in text
    assert "1.0 GB at most" in plain(remember._repr_html_())


def test_an_entry_shows_its_call_and_its_value(remembered):
    remembered(3, scale=2)
    entry = remembered.entry(3, 2)
    assert entry.call == "area(n=3, scale=2)"
    assert entry.arguments == {"n": 3, "scale": 2}
    assert entry.location == remembered.locate(3, 2)
    assert entry.size_bytes == os.path.getsize(entry.location)
    assert np.array_equal(entry.value(), area(3, 2))
    assert "[6 6 6" in plain(entry._repr_html_())
    assert repr(entry).startswith("<area(n=3, scale=2): ")
    with pytest.raises(NoEntry, match="explain"):
        remembered.entry(4)


def test_a_method_has_entries_of_its_instance(cache_dir):
    class Scan:
        @disk_cacher(cache_dir)
        def mean(self, n):
            return n

    scan = Scan()
    scan.mean(3)
    assert "n=3" in scan.mean.entry(3).call
    assert "1 entry" in plain(scan.mean._repr_html_())


def test_an_entry_in_memory_can_be_looked_at(cache_dir):
    remembered = hierarchical_cacher(("ram://", cache_dir))(area)
    remembered(1)
    assert remembered.entry(1).location.startswith("ram://")
    assert np.array_equal(remembered.entry(1).value(), area(1))
    assert "[1 1 1" in plain(remembered.entry(1)._repr_html_())
    assert "1 entry" in plain(remembered._repr_html_())


def test_nothing_in_a_cache_gets_into_the_page(cache_dir):
    odd = "<script>alert(1)</script>"

    def echo(text):
        return text

    echo.__qualname__ = "<b>echo</b>"
    remember = disk_cacher(cache_dir)
    remembered = remember(echo)
    remembered(odd)
    for shown in (remembered, remember, remembered.entry(odd), open_cache(cache_dir)):
        fragment = shown._repr_html_()
        assert "<script>" not in fragment
        assert "<b>" not in fragment
        assert len(fragment) < 20_000


def test_to_look_at_a_pickle_does_not_open_it(cache_dir, tmp_path):
    Bomb.folder = str(tmp_path / "exploded")

    @disk_cacher(cache_dir, method="pickle")
    def bomb():
        return Bomb()

    bomb()
    (entry,) = open_cache(cache_dir).entries()
    for shown in (bomb, entry, bomb.entry(), open_cache(cache_dir)):
        assert shown._repr_html_()
        assert repr(shown)
    assert not os.path.exists(Bomb.folder)
    if hasattr(os, "geteuid"):
        os.chmod(os.path.dirname(entry.location), 0o777)
        with pytest.raises(UntrustedEntry):
            entry.value()
    assert not os.path.exists(Bomb.folder)


def test_damage_and_loss_are_told(remembered):
    remembered(1)
    entry, late = remembered.entry(1), remembered.entry(1)
    file = Path(entry.location)
    content = bytearray(file.read_bytes())
    content[10] ^= 1
    file.write_bytes(content)
    assert "checksum" in plain(entry._repr_html_())
    file.unlink(missing_ok=True)
    assert "gone" in repr(late)
    assert "gone" in plain(late._repr_html_())
    with pytest.raises(NoEntry, match="gone"):
        late.value()


def test_to_show_something_never_fails(remembered, monkeypatch):
    remembered(1)

    def broken(*_):
        raise RuntimeError("<odd>")

    monkeypatch.setattr("neurotools.memo.look.remembered.glance", broken)
    assert "RuntimeError: &lt;odd&gt;" in remembered._repr_html_()


def test_a_folder_that_cannot_be_looked_at_is_told(remembered, monkeypatch):
    def gone(*_):
        raise OSError(5, "no answer")

    monkeypatch.setattr("neurotools.memo.look.remembered.glance", gone)
    assert "cannot be looked at" in plain(remembered._repr_html_())


def test_a_glance_ends_when_its_time_is_over(cache_dir, monkeypatch):
    remembered = disk_cacher(cache_dir)(area)
    for number in range(20):
        remembered(number)
    monkeypatch.setattr(glances, "_BETWEEN", 5)
    root = remembered.cache_root
    assert glance(root).is_whole
    seen = glance(root, seconds=-1)
    assert not seen.is_whole
    assert 0 < sum(one.entries for one in seen.kept) < 20
    monkeypatch.setattr(glances.glance, "__defaults__", ("", -1))
    assert "at least" in plain(remembered._repr_html_())


def test_the_versions_of_a_function_are_summed_up(cache_dir):
    remember = disk_cacher(cache_dir)
    for factor in (1, 2):
        remember(lambda x, factor=factor: x * factor)(1)
    (one,) = by_function(glance(remember.cache_root).kept)
    assert (one.versions, one.entries) == (2, 2)


def test_a_cache_is_opened_by_its_folder(remembered, cache_dir, tmp_path):
    remembered(1)
    remembered(2)
    cache = open_cache(cache_dir)
    (name,) = cache.functions()
    assert name == f"{__name__}.area"
    assert cache.functions()[name].entries == 2
    assert sorted(entry.call for entry in cache.entries("area")) == [
        "area(n=1, scale=1)",
        "area(n=2, scale=1)",
    ]
    location = remembered.locate(2)
    assert cache.entry(location).call == "area(n=2, scale=1)"
    with pytest.raises(NoEntry, match="more than one"):
        cache.entry("area")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoCache):
        open_cache(tmp_path / "empty")
    with pytest.raises(FileNotFoundError):
        open_cache(tmp_path / "nowhere")
