"""Whatever becomes of an entry's file: the right value, one warning, and a hit the next time."""

import os

import numpy as np
import pytest

from neurotools.jobs import cache
from neurotools.memo.entry import Record
from neurotools.memo.errors import CacheError, CorruptEntry
from neurotools.memo.formats.registry import format_named
from neurotools.memo.seal import seal
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.tiers.folders import DAMAGED_LIMIT, MOST_DAMAGED, PRIVATE
from tests.faults.damages import DAMAGES, ODD, clear, content, flip, write
from tests.faults.watch import said, within
from tests.memo.tiers.promises import KEY

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")

FORMS = {
    **{method: {"method": method} for method in ("npy", "pickle", "mat", "hdf5")},
    **{f"{method}+zstd": {"method": method, "compress": "zstd"} for method in ("npy", "pickle")},
}
#: For each kind of cache: its folders, which of them is damaged, and how files are read.
KINDS = {
    "folder": (("one",), 0, None),
    "mapped r": (("one",), 0, "r"),
    "mapped c": (("one",), 0, "c"),
    "fast of two": (("fast", "slow"), 0, None),
    "slow of two": (("fast", "slow"), 1, None),
}


class Cached:
    """A function in a cache, and the folder in which damage is laid."""

    def __init__(self, place, kind, form):
        names, number, mode = KINDS[kind]
        folders = [place / name for name in names]
        self.computed = []

        @cache.hierarchical_cacher(folders, mmap_mode=mode, allow_mutable_bindings=True, **form)
        def f(x):
            self.computed.append(x)
            return value_of(x)

        self.f = f
        self.tiers = f._hierarchy.tiers
        self.tier, self.others = self.tiers[number], self.tiers[:number]
        self.is_healed = kind == "fast of two"

    def path(self, x):
        return self.tier.location(self.f._key((x,), {}))

    def damaged(self):
        try:
            return os.listdir(os.path.join(self.tier.root, PRIVATE, "damaged"))
        except FileNotFoundError:
            return []


def value_of(x):
    return {"numbers": np.arange(5.0) + x, "text": f"it is {x}", "list": [x, None, 2.5]}


def is_right(value, x):
    want = value_of(x)
    return (
        (value["numbers"] == want["numbers"]).all()
        and value["text"] == want["text"]
        and value["list"] == want["list"]
    )


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module", params=FORMS)
def cached(request, kind, tmp_path_factory):
    return Cached(tmp_path_factory.mktemp("caches"), kind, FORMS[request.param])


NUMBERS = {how: number for number, how in enumerate(DAMAGES)}


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_entry_is_set_aside_and_made_good(cached, how):
    x, other = NUMBERS[how], 1000 + NUMBERS[how]
    cached.f(x), cached.f(other)
    for tier in cached.others:
        clear(tier.location(cached.f._key((x,), {})))
    DAMAGES[how](cached.path(x), cached.path(other))
    before, count = set(cached.damaged()), len(cached.computed)
    with within(60), said() as warnings:
        assert is_right(cached.f(x), x)
    assert len(warnings) == 1, warnings
    assert "cannot read cache entry" in warnings[0]
    assert len(cached.computed) == count + (not cached.is_healed)
    assert len(set(cached.damaged()) - before) == 1
    with within(60), said() as warnings:
        assert is_right(cached.f(x), x)
        assert is_right(cached.f(other), other)
    assert warnings == []
    assert len(cached.computed) == count + (not cached.is_healed)


def test_a_damaged_entry_is_never_copied_into_a_faster_tier(tmp_path):
    cached = Cached(tmp_path, "slow of two", FORMS["npy"])
    cached.f(1)
    fast = cached.tiers[0].location(cached.f._key((1,), {}))
    clear(fast)
    write(cached.path(1), flip(content(cached.path(1)), 1000))
    assert cached.f._hierarchy.get(cached.f._key((1,), {})) is None
    assert not os.path.lexists(fast)


def small_entry(form):
    key = KEY._replace(method=form.method)
    payload = form.encode(3.0)
    return key, seal(payload, Record(1.0, 1.0, payload.layout, {}), key, form)


@pytest.mark.parametrize("mode", [None, "r", "c"])
@pytest.mark.parametrize("name", FORMS)
def test_each_single_bit_counts(tmp_path, name, mode):
    """Every bit of a file; of large ones, and where it is mapped, each bit of some bytes."""
    tier = DirectoryTier(str(tmp_path), mmap_mode=mode)
    key, blob = small_entry(format_named(**FORMS[name]))
    tier.put(key, blob)
    path, good = tier.location(key), content(tier.location(key))
    step = 1 if mode is None and len(good) < 1000 else 1 + len(good) // 50
    for byte in range(0, len(good), step):
        for bit in range(8 * byte, 8 * byte + 8):
            write(path, flip(good, bit))
            with pytest.raises(CorruptEntry):
                tier.read(key)
    write(path, good)
    assert tier.read(key).value() == 3.0


@pytest.mark.parametrize("mode", [None, "r"])
@pytest.mark.parametrize("name", FORMS)
def test_each_length_counts(tmp_path, name, mode):
    tier = DirectoryTier(str(tmp_path), mmap_mode=mode)
    key, blob = small_entry(format_named(**FORMS[name]))
    tier.put(key, blob)
    path, good = tier.location(key), content(tier.location(key))
    for length in range(0, len(good), 1 + len(good) // 1000):
        write(path, good[:length])
        with pytest.raises(CorruptEntry):
            tier.read(key)


def test_an_entry_of_another_function_version_or_method_is_not_served(tmp_path):
    tier = DirectoryTier(str(tmp_path))
    form = format_named("npy")
    _, blob = small_entry(form)
    tier.put(KEY, blob)
    for other in (
        KEY._replace(function="pkg/g"),
        KEY._replace(code="other"),
        KEY._replace(call="hash.other"),
        KEY._replace(method="pickle"),
        KEY._replace(method="mat"),
        KEY._replace(method="hdf5"),
    ):
        tier.put(other, blob)
        with pytest.raises(CorruptEntry, match="content and name"):
            tier.get(other)


def test_a_file_that_shrinks_while_it_is_read_is_a_miss(tmp_path, monkeypatch):
    tier = DirectoryTier(str(tmp_path))
    payload = format_named("npy").encode(np.arange(2e6))
    tier.put(KEY, seal(payload, Record(1.0, 1.0), KEY, format_named("npy")))
    real = os.fstat

    def later(descriptor):
        facts = real(descriptor)
        os.truncate(tier.location(KEY), 5000)
        return facts

    monkeypatch.setattr(os, "fstat", later)
    with within(60), pytest.raises(CorruptEntry):
        tier.read(KEY)


def test_a_file_that_grows_while_it_is_read_is_whole_or_a_miss(tmp_path, monkeypatch):
    tier = DirectoryTier(str(tmp_path))
    tier.put(KEY, small_entry(format_named("npy"))[1])
    real = os.fstat

    def later(descriptor):
        facts = real(descriptor)
        with open(tier.location(KEY), "ab") as file:
            file.write(b"more")
        return facts

    monkeypatch.setattr(os, "fstat", later)
    assert tier.read(KEY).value() == 3.0
    with pytest.raises(CorruptEntry):
        tier.read(KEY)


# ---------------------------------------------------------------- what lies beside the entries

PLACES = {
    "what is private": PRIVATE,
    "notes": f"{PRIVATE}/notes",
    "lists": f"{PRIVATE}/writing",
    "locks": f"{PRIVATE}/locks",
    "damaged": f"{PRIVATE}/damaged",
    "module": "tests",
    "function": None,
    "version": "",
    "manifest": "manifest.json",
}


def made(place):
    """Return a function in a cache, and how often it has run."""
    computed = []

    @cache.disk_cacher(place, allow_mutable_bindings=True)
    def f(x):
        computed.append(x)
        return value_of(x)

    return f, computed


def place_in(f, name):
    version = cache.get_cache_path(f.cache_root, f).rstrip("/")
    inside = PLACES[name]
    if inside is None:
        return os.path.dirname(version)
    if name in {"version", "manifest"}:
        return os.path.join(version, inside).rstrip("/")
    return os.path.join(f.cache_root, *inside.split("/"))


@pytest.mark.parametrize("is_used", [False, True], ids=["new", "used"])
@pytest.mark.parametrize("how", [*ODD, "no permission"])
@pytest.mark.parametrize("name", PLACES)
def test_what_is_in_the_way_of_the_cache_is_moved(tmp_path, name, how, is_used):
    f, computed = made(tmp_path)
    if is_used:
        f(0)
    path = place_in(f, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    other = tmp_path / "other"
    other.write_bytes(b"x" * 500)
    if how == "no permission":
        clear(path)
        os.mkdir(path, 0)
    else:
        if not os.path.lexists(path) or os.path.isdir(path):
            write(path, b"")
        ODD[how](path, other)
    with within(60), said() as warnings:
        again, computed_again = made(tmp_path)
        for memoized in (f, again):
            assert is_right(memoized(1), 1)
            assert is_right(memoized(1), 1)
    assert computed.count(1) + computed_again.count(1) <= 2
    assert len(warnings) <= 2, warnings
    assert is_right(f(1), 1)
    assert computed.count(1) + computed_again.count(1) <= 2


@pytest.mark.parametrize("how", ODD)
def test_nothing_raises_or_hangs_because_of_one_odd_file(tmp_path, how):
    f, computed = made(tmp_path)
    for x in range(3):
        f(x)
    ODD[how](f.locate(0), f.locate(1))
    with within(60):
        listed = cache.scan_cachedir(f.cache_root)
        assert {call["x"] for call, _ in listed.values()} >= {1, 2}
        assert not cache.exists(f.cache_root, f, "npy", 0)
        assert cache.exists(f.cache_root, f, "npy", 1)
        assert cache.locate_cached(f.cache_root, f, "npy", 0)[-1] == f.locate(0)
        assert not f.check_call_in_cache(0)
        assert not f.explain(0).hit
        assert f.explain(1).hit
        assert str(f.explain(7))
        assert f.versions()[0].entries >= 2
        assert len(f.lscache()[1]) >= 2
        with pytest.raises((CacheError, OSError)):
            cache.read_cache_entry(f.locate(0), "npy")
        assert str(cache.combine_caches(f.cache_root, f))
        f.purge()
    assert not f.check_call_in_cache(1)
    assert is_right(f(1), 1)
    assert computed.count(1) == 2


@pytest.mark.parametrize("how", ODD)
def test_combining_leaves_out_what_is_odd(tmp_path, how):
    f, _ = made(tmp_path)
    f(0), f(1), f(2)
    ODD[how](f.locate(0), f.locate(1))
    old = os.path.dirname(f.locate(1))
    os.rename(old, os.path.join(os.path.dirname(old), "earlier-code--"))
    with within(60), said():
        done = cache.combine_caches(f.cache_root, f)
    # They lie where their names do not fit any more: nothing of them is served.
    assert done.merged == ()
    assert {os.path.basename(path) for path in done.unreadable} >= {
        os.path.basename(f.locate(x)) for x in (1, 2)
    }


def test_what_is_set_aside_stays_bounded(tmp_path):
    tier = DirectoryTier(str(tmp_path))
    key, blob = small_entry(format_named("npy"))
    for _ in range(3 * MOST_DAMAGED):
        tier.put(key, blob)
        write(tier.location(key), b"damage")
        with pytest.raises(CorruptEntry):
            tier.get(key)
    assert len(os.listdir(os.path.join(tier.root, PRIVATE, "damaged"))) == MOST_DAMAGED


def test_what_is_set_aside_is_bounded_in_bytes(tmp_path, monkeypatch):
    assert DAMAGED_LIMIT == 1 << 30
    monkeypatch.setattr("neurotools.memo.tiers.folders.DAMAGED_LIMIT", 100_000)
    tier = DirectoryTier(str(tmp_path))
    key, blob = small_entry(format_named("npy"))
    for _ in range(5):
        tier.put(key, blob)
        write(tier.location(key), b"x" * 40_000)
        with pytest.raises(CorruptEntry):
            tier.get(key)
    assert len(os.listdir(os.path.join(tier.root, PRIVATE, "damaged"))) == 2


HOSTILE_LISTS = {
    "fifo": lambda path: os.mkfifo(path),
    "link": lambda path: os.symlink("/dev/zero", path),
    "folder": os.mkdir,
    "long": lambda path: write(path, b"x" * 100),
}


@pytest.mark.parametrize("how", HOSTILE_LISTS)
@pytest.mark.parametrize("name", ["{host}-1999999-1", "{host}-" + "9" * 30 + "-1", "x", "a-b-c"])
def test_lists_of_unfinished_files_may_be_anything(tmp_path, how, name):
    import socket

    f, computed = made(tmp_path)
    lists = os.path.join(f.cache_root, PRIVATE, "writing")
    os.makedirs(lists)
    path = os.path.join(lists, name.format(host=socket.gethostname()[:40]))
    HOSTILE_LISTS[how](path)
    os.utime(path, (1, 1), follow_symlinks=False)
    with within(60), said() as warnings:
        f(1), f(1)
    assert (computed, warnings) == ([1], [])


def test_a_list_removes_nothing_outside_and_nothing_that_is_no_leftover(tmp_path):
    import socket

    f, _ = made(tmp_path)
    lists = os.path.join(f.cache_root, PRIVATE, "writing")
    process = f"{socket.gethostname()[:40]}-1999999-1"
    os.makedirs(lists)
    inside, outside = os.path.join(f.cache_root, "kept.npy"), tmp_path / f".{process}-1"
    write(inside, b"x"), write(outside, b"x")
    named = ["kept.npy", f"../.{process}-1", str(outside), f"a/../../.{process}-1", "\0", ""]
    write(os.path.join(lists, process), "\n".join(named).encode())
    f(1)
    assert os.path.exists(inside)
    assert outside.exists()
