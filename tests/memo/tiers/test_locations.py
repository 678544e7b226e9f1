from pathlib import Path

import pytest

from neurotools.memo.errors import UnknownChoice, UnusableLocation
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.tiers.limits import folder
from neurotools.memo.tiers.locations import _folder_of, checked_identifier, tier_at
from neurotools.memo.tiers.ram import DEFAULT_MAX_BYTES, RamTier
from tests.memo.tiers.promises import KEY, entry, value_in


def test_a_folder_is_a_directory_tier_below_its_identifier(tmp_path):
    tier = tier_at(tmp_path, "cache")
    assert isinstance(tier, DirectoryTier)
    assert tier.root == str(tmp_path / "cache")


def test_ram_is_a_ram_tier_of_the_size_asked_for():
    assert tier_at("ram://", "x").max_bytes == DEFAULT_MAX_BYTES
    assert tier_at("ram://?max_bytes=2e9", "x").max_bytes == 2_000_000_000
    assert tier_at("ram://?max_bytes=2GB", "x").max_bytes == 2_000_000_000
    assert tier_at("ram://?max_bytes=0", "x").max_bytes == 0
    assert tier_at("ram://?max_entries=7", "x").max_entries == 7
    both = tier_at(folder("ram://", max_bytes="3MB", max_entries=9), "x")
    assert (both.max_bytes, both.max_entries) == (3_000_000, 9)


@pytest.mark.parametrize("limit", [{"min_free": "1GB"}, {"max_bytes": 9, "evict": "oldest"}])
def test_limits_that_memory_does_not_keep_are_refused(limit):
    with pytest.raises(ValueError, match="memory"):
        tier_at(folder("ram://", **limit), "x")


def test_a_budget_of_a_url_is_refused_not_ignored():
    with pytest.raises(ValueError, match="lifecycle rule"):
        tier_at(folder("memory://shelf", max_bytes="1GB"), "x")
    assert tier_at(folder("memory://shelf"), "x").name.startswith("memory://shelf")


def test_a_tier_is_itself():
    tier = RamTier()
    assert tier_at(tier, "x") is tier


def test_home_is_expanded(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert tier_at("~/here", "x").root == str(tmp_path / "here" / "x")


@pytest.mark.parametrize("place", [Path("s3://bucket/folder"), "ram:", "S3:/bucket", "file:/tmp"])
def test_a_url_that_has_lost_a_slash_is_refused(place):
    with pytest.raises(UnusableLocation, match="a URL has two slashes"):
        tier_at(place, "cache")


@pytest.mark.parametrize("location", [None, 3, b"bytes", ["list"]])
def test_what_is_no_location_is_refused(location):
    with pytest.raises(TypeError, match="a tier is a folder"):
        tier_at(location, "x")


def test_an_empty_location_is_refused():
    with pytest.raises(ValueError, match="working directory"):
        tier_at("", "x")


def test_unknown_options_of_ram_are_refused():
    for url in ("ram://?size=3", "ram://2e9"):
        with pytest.raises(UnknownChoice, match="max_bytes"):
            tier_at(url, "x")


def test_a_url_of_a_folder_of_this_computer_is_a_folder(tmp_path):
    for scheme in ("file", "local"):
        tier = tier_at(f"{scheme}://{tmp_path.as_posix()}", "cache", shared=None)
        assert isinstance(tier, DirectoryTier)
        assert tier.root == str(tmp_path / "cache")


@pytest.mark.parametrize(
    ("url", "folder"), [("file:///C:/results", "C:/results"), ("file:///x/y", "/x/y")]
)
def test_a_drive_in_a_url_comes_after_a_slash(url, folder):
    assert _folder_of(url) == folder


def test_another_url_is_a_remote_tier():
    pytest.importorskip("fsspec")
    tier = tier_at("MEMORY://here/", "cache", patience=7, mmap_mode="r", shared="group")
    assert tier.url == "memory://here/cache"
    assert tier.health.patience == 7
    tier_at("memory://", "cache").put(KEY, entry(1))
    assert value_in(tier_at("memory:///", "cache")) == 1


@pytest.mark.parametrize("url", ["nonsense://bucket/cache", "s4://x"])
def test_unknown_schemes_are_refused(url):
    with pytest.raises(UnknownChoice, match=r"kind of tier.*choose a folder.*s3://"):
        tier_at(url, "x")


@pytest.mark.parametrize("url", ["s3://", "s3:///", "sftp://"])
def test_a_url_without_a_place_is_refused(url):
    with pytest.raises(UnusableLocation, match="names no place"):
        tier_at(url, "x")


@pytest.mark.parametrize("url", ["simplecache::s3://bucket/x", "zip://a.zip::file:///tmp/x"])
def test_chains_of_urls_are_refused(url):
    with pytest.raises(UnusableLocation, match="a chain of URLs"):
        tier_at(url, "x")


@pytest.mark.parametrize("size", ["abc", "nan", "inf"])
def test_sizes_of_ram_are_numbers(size):
    with pytest.raises(ValueError, match="no number of bytes"):
        tier_at(f"ram://?max_bytes={size}", "x")
    with pytest.raises(ValueError, match="max_entries"):
        tier_at(f"ram://?max_entries={size}", "x")


@pytest.mark.parametrize("identifier", ["", "..", ".", "a/b", "a\\b", "/etc", "a\0b", None, "C:"])
def test_identifiers_do_not_lead_elsewhere(identifier):
    with pytest.raises(ValueError, match="cache_identifier"):
        checked_identifier(identifier)
