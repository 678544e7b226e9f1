"""Caches: what they keep, how much of it, where, and what they cannot be."""

import os
import pickle

import numpy as np
import pytest

from neurotools.jobs.layers import CacheToDisk, CacheToRam, Chain, Source, Transform, meta
from neurotools.memo.errors import UnknownChoice, UnknownField, WrongLayer
from neurotools.memo.tiers.ram import RamTier


class Numbers(Source):
    @meta
    def ids():
        return tuple(range(10))

    def image(i):
        return np.full(1000, float(i))

    def mask(i):
        return i > 4


def hits(chain, name="image", caches=1):
    """Return how often each of the last caches of a field had a value."""
    node, found = getattr(chain, name)._nodes[0], []
    for _ in range(caches):
        found.append(node.memory.cache_info().hits)
        node = node.inputs[0]
    return found


def ask_twice(chain, name="image", key=1):
    for _ in range(2):
        getattr(chain, name)(key)


@pytest.mark.parametrize("names", [None, "image", ["image"], {"image", "mask"}])
def test_memory_keeps_all_fields_or_those_named(names):
    chain = Numbers() >> CacheToRam(names)
    ask_twice(chain)
    assert hits(chain) == [1]
    assert chain.mask.memory is None or names in (None, {"image", "mask"})


def test_what_needs_no_id_is_kept_only_where_it_is_named():
    listed = ["a"]

    class Folder(Source):
        _listed: list

        @meta
        def ids(_listed):
            return tuple(_listed)

    chain = Folder(listed) >> CacheToRam()
    assert chain.ids == ("a",)
    listed.append("b")
    assert chain.ids == ("a", "b")
    assert (Folder(listed) >> CacheToRam("ids")).ids == ("a", "b")


def test_size_bounds_the_number_of_values_of_each_field():
    chain = Numbers() >> CacheToRam(size=2)
    for key in (1, 2, 1, 3, 1, 2):  # 2 goes when 3 comes
        chain.image(key)
        chain.mask(key)
    assert hits(chain) == hits(chain, "mask") == [2]


def test_fields_may_be_named_by_place_or_in_a_list():
    for cache in (CacheToRam("image", "mask"), CacheToRam(["image", "mask"])):
        assert repr(cache) == "CacheToRam('image', 'mask')"
    for wrong in ((3,), (None, "image"), (["image", b"mask"],)):
        with pytest.raises(WrongLayer, match="fields are named by text, not by"):
            CacheToRam(*wrong)


def test_what_is_printed_of_a_cache_on_disk_makes_it_again(tmp_path):
    for names in (["image"], ["image", "mask"]):
        cache = CacheToDisk(names, tmp_path)
        assert repr(eval(repr(cache))) == repr(cache)


def test_size_may_be_a_number_of_numpy():
    assert repr(CacheToRam(size=np.int64(2))) == "CacheToRam(size=2)"


def test_size_in_bytes_bounds_all_fields_together():
    chain = Numbers() >> CacheToRam(size="20 kB")
    for key in range(10):
        chain.image(key)
        chain.mask(key)
    tier = chain.image.memory.hierarchy.tiers[0]
    assert tier is chain.mask.memory.hierarchy.tiers[0]
    assert sum(map(tier.size, tier.keys())) <= 20_000
    assert 1 <= len(list(tier.keys())) < 20


@pytest.mark.parametrize(
    ("size", "size_bytes"), [("100", 100), ("2 GB", 2e9), ("1.5MiB", 1.5 * 2**20), ("2e6", 2e6)]
)
def test_sizes_in_bytes_are_text(size, size_bytes):
    chain = Numbers() >> CacheToRam(size=size)
    assert chain.image.memory.hierarchy.tiers[0].max_bytes == size_bytes


@pytest.mark.parametrize("size", [0, -1, True, 1.5, "", "much", "-2 GB", "2 apples"])
def test_a_size_that_is_none_is_told(size):
    with pytest.raises(ValueError, match="neither a number of entries nor bytes"):
        CacheToRam(size=size)


def test_memory_without_size_keeps_everything():
    chain = Numbers() >> CacheToRam()
    assert chain.image.memory.hierarchy.tiers[0].max_bytes > 2**60
    for _ in range(2):
        for key in chain.ids:
            chain.image(key)
    assert hits(chain) == [10]


@pytest.mark.parametrize("method", ["npy", "pickle", "mat", "hdf5"])
@pytest.mark.parametrize("compress", [None, "zstd"])
def test_disk_takes_formats_and_compression(tmp_path, method, compress):
    if compress and method in ("mat", "hdf5"):
        with pytest.raises(ValueError, match="cannot be compressed"):
            CacheToDisk("image", tmp_path, method=method, compress=compress)
        return
    chain = Numbers() >> CacheToDisk("image", tmp_path, method=method, compress=compress)
    ask_twice(chain)
    assert hits(chain) == [1]
    assert chain.image.locate(1).endswith(f".{method}")
    assert (os.path.getsize(chain.image.locate(1)) < 4000) is bool(compress)
    np.testing.assert_array_equal(chain.image(1), Numbers().image(1))


def test_disk_takes_several_places_from_fast_to_slow(tmp_path):
    places = ("ram://?max_bytes=1e6", tmp_path / "fast", tmp_path / "slow")
    chain = Numbers() >> CacheToDisk("image", places)
    ask_twice(chain)
    assert [tier.hits for tier in chain.image.memory.cache_info().tiers] == [1, 0, 0]
    again = Numbers() >> CacheToDisk("image", tmp_path / "slow")
    again.image(1)
    assert hits(again) == [1]


def test_disk_takes_tiers_and_does_not_write_back_where_that_is_not_wanted(tmp_path):
    tier = RamTier()
    cache = CacheToDisk("image", [tier, tmp_path / "slow"], write_back=False)
    (Numbers() >> cache).image(1)
    assert len(list(tier.keys())) == 1
    assert not hits_on_disk(tmp_path / "slow")


def hits_on_disk(folder):
    chain = Numbers() >> CacheToDisk("image", folder)
    chain.image(1)
    return hits(chain) == [1]


def test_several_caches_in_one_chain(tmp_path):
    plus = Transform(__inherit__=True, image=lambda image: image + 1)
    chain = Chain(
        Numbers(),
        CacheToDisk.simple("image", root=tmp_path / "a"),
        plus,
        CacheToDisk.simple("image", "mask", root=tmp_path / "b"),
        CacheToRam(),
        plus,
        CacheToRam("image"),
    )
    ask_twice(chain)
    assert chain.image(1)[0] == 3
    first = Numbers() >> CacheToDisk.simple("image", root=tmp_path / "a")
    first.image(1)
    assert hits(first) == [1]


def test_a_cache_twice_is_a_cache(tmp_path):
    cache = CacheToDisk.simple("image", root=tmp_path)
    chain = Numbers() >> cache >> cache
    ask_twice(chain)
    np.testing.assert_array_equal(chain.image(1), Numbers().image(1))


def test_chains_that_share_a_beginning_share_its_memory():
    cached = Numbers() >> CacheToRam()
    cached.image(1)
    more = cached >> Transform(image=lambda image: image * 2)
    more.image(1)
    assert hits(cached) == [1]


def test_caches_work_on_transforms_alone():
    cached = Transform(image=lambda image, by: image + by) >> CacheToRam()
    first, second = np.zeros(3), np.ones(3)
    assert cached.image(by=1, image=first)[0] == cached.image(by=0, image=second)[0] == 1
    assert cached.image(by=1, image=np.zeros(3))[0] == 1
    assert hits(cached) == [1]
    assert set(dir(cached)) == {"image", "by"} - {"by"}


def test_caches_travel_by_pickle_with_their_options(tmp_path):
    cache = CacheToDisk("image", ("ram://", tmp_path), compress="zstd:3", impure=True)
    assert repr(pickle.loads(pickle.dumps(cache))) == repr(cache)
    chain = pickle.loads(pickle.dumps(Numbers() >> cache >> CacheToRam(size=3)))
    ask_twice(chain)
    assert hits(chain) == [1]
    assert chain[2]._size == 3


def test_caches_can_be_dropped(tmp_path):
    chain = Numbers() >> CacheToRam() >> CacheToDisk.simple("image", root=tmp_path)
    assert repr(chain._drop_cache()) == "Numbers()"


def test_what_is_kept_in_a_folder_is_listed_by_field_and_id(tmp_path):
    from neurotools.jobs.cache import scan_cachedir

    chain = Numbers() >> CacheToDisk.simple("image", root=tmp_path)
    chain.image(1), chain.image(2)
    listing = scan_cachedir(tmp_path / "__neurotools_cache__" / "layers" / "image")
    assert sorted(arguments["id"] for arguments, _ in listing.values()) == [1, 2]


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("make", "error", "told"),
    [
        (lambda p: CacheToDisk.simple(root=p), WrongLayer, "names no field to keep"),
        (lambda p: CacheToDisk((), p), WrongLayer, "names no field to keep"),
        (lambda p: CacheToDisk([3], p), WrongLayer, "named by text, not by 3"),
        (lambda p: CacheToDisk("image", p, method="nyp"), UnknownChoice, "method 'nyp'"),
        (lambda p: CacheToDisk("image", p, method=()), ValueError, "method is empty"),
        (lambda p: CacheToDisk("image", p, compress="zip"), UnknownChoice, "compress 'zip'"),
        (lambda p: CacheToDisk("image", p, packages="all"), UnknownChoice, "packages 'all'"),
        (lambda p: CacheToDisk("image", p, durability="1"), UnknownChoice, "durability '1'"),
        (lambda p: CacheToDisk("image", p, mmap_mode="w"), UnknownChoice, "mmap_mode 'w'"),
        (lambda p: CacheToDisk("image", p, trace="all"), UnknownChoice, "trace 'all'"),
        (lambda p: CacheToDisk("image", ()), ValueError, "root is empty"),
        (lambda p: CacheToDisk("image", p, cache_identifier="a/b"), ValueError, "no folder name"),
        (lambda p: CacheToRam(packages="all"), UnknownChoice, "packages 'all'"),
        (
            lambda p: Numbers() >> CacheToRam("imge"),
            UnknownField,
            "CacheToRam needs 'imge', but Nu",
        ),
        (lambda p: Chain(CacheToRam()), WrongLayer, "it begins with a Source or a Transform"),
    ],
)
def test_what_a_cache_cannot_be_is_told(tmp_path, make, error, told):
    with pytest.raises(error, match=told):
        make(tmp_path / "new")
    assert not (tmp_path / "new").exists()
