"""What is kept of a field is found again while all that leads to it is the same, and only then."""

import collections
import dataclasses
import random
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from neurotools.jobs.cache import register_digest
from neurotools.jobs.layers import (
    CacheToDisk,
    CacheToRam,
    Chain,
    Source,
    Transform,
    impure,
    meta,
)
from neurotools.memo.errors import ImpureField, UndigestableValue, UnsafeBinding


class Numbers(Source):
    _offset: int = 0

    @meta
    def ids():
        return ("1", "2", "3")

    def image(i, _offset):
        return np.full((2, 3), float(i)) + _offset

    def mask(i):
        return int(i) > 1

    def note(i, _offset):
        return {"id": i, "offset": (_offset, None)}


class Counted:
    """A function that counts its calls where no cache can see it."""

    def __init__(self, function):
        self.function, self.calls = function, 0

    def __call__(self, value):
        self.calls += 1
        return self.function(value)

    def __neurotools_digest__(self):
        return self.function


def counted(function):
    made = Counted(function)

    def image(image):
        return made(image)

    return made, Transform(__inherit__=True, image=image)


@pytest.fixture(params=["ram", "disk", "both"])
def cache(request, tmp_path):
    """Return what makes caches of a kind; all of them share their place."""
    disk = CacheToDisk.simple("image", root=tmp_path / "cache")
    made = {
        "ram": Chain(Transform(__inherit__=True), CacheToRam()),
        "disk": Chain(Transform(__inherit__=True), disk),
        "both": Chain(Transform(__inherit__=True), disk, CacheToRam()),
    }
    return made[request.param]


def test_a_value_is_computed_once(cache):
    count, transform = counted(lambda image: image + 1)
    cached = Numbers() >> transform >> cache
    first, second = cached.image("1"), cached.image("1")
    np.testing.assert_array_equal(first, second)
    assert (count.calls, first.dtype) == (1, second.dtype)


def test_ids_do_not_share_values(cache):
    cached = Numbers() >> cache
    assert [cached.image(key)[0, 0] for key in ("1", "2", "1", "2")] == [1, 2, 1, 2]


def test_what_is_handed_out_can_be_changed(cache):
    cached = Numbers() >> cache
    cached.image("1")[:] = 7
    cached.image("1")[:] = 8
    assert cached.image("1")[0, 0] == 1


def test_errors_are_not_kept(cache):
    class Failing(Counted):
        def __call__(self, value):
            self.calls += 1
            if self.calls < 3:
                raise ValueError("not yet")
            return 5

    failing = Failing(None)
    cached = Numbers() >> Transform(image=lambda image: failing(image)) >> cache
    for _ in range(2):
        with pytest.raises(ValueError, match="not yet"):
            cached.image("1")
    assert cached.image("1") == cached.image("1") == 5
    assert failing.calls == 3


def test_one_computation_for_all_threads_that_ask_at_once(cache):
    def slow(image):
        time.sleep(0.05)
        return image

    count, transform = counted(slow)
    cached = Numbers() >> transform >> cache
    threads = [threading.Thread(target=cached.image, args=("1",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count.calls == 1


# ---------------------------------------------------------------- what makes a value new


def value_and_calls(chain, name="image", key="2"):
    """Return a field's value, and how many of its caches had it."""
    value = getattr(chain, name)(key)
    memory = getattr(chain, name).memory
    return value, memory.cache_info().hits


def disk(root, *names, **options):
    return CacheToDisk(names or ("image",), root, **options)


def is_hit(chain, name="image", key="2"):
    return value_and_calls(chain, name, key)[1] == 1


def test_a_changed_parameter_of_the_source_computes_anew(tmp_path):
    assert value_and_calls(Numbers() >> disk(tmp_path))[0][0, 0] == 2
    assert value_and_calls(Numbers(offset=1) >> disk(tmp_path))[0][0, 0] == 3
    assert is_hit(Numbers() >> disk(tmp_path))
    assert is_hit(Numbers(1) >> disk(tmp_path))


def test_a_parameter_that_the_field_does_not_use_changes_nothing(tmp_path):
    assert not is_hit(Numbers() >> disk(tmp_path, "mask"), "mask")
    assert is_hit(Numbers(offset=5) >> disk(tmp_path, "mask"), "mask")


@pytest.mark.parametrize("other", [1.0, True, "1", np.float64(1), np.int64(1), (1,), [1]])
def test_parameters_that_are_equal_but_of_another_type_differ(tmp_path, other):
    class Tagged(Transform):
        _tag: object

        def image(image, _tag):
            return repr(_tag)

    assert not is_hit(Numbers() >> Tagged(1) >> disk(tmp_path))
    assert not is_hit(Numbers() >> Tagged(other) >> disk(tmp_path))
    assert is_hit(Numbers() >> Tagged(1) >> disk(tmp_path))


def test_a_parameter_that_is_changed_in_place_computes_anew(tmp_path):
    class Shifted(Transform):
        _by: list

        def image(image, _by):
            return image + sum(_by)

    by = [1]
    cached = Numbers() >> Shifted(by) >> disk(tmp_path) >> CacheToRam()
    assert cached.image("1")[0, 0] == 2
    by.append(10)
    assert cached.image("1")[0, 0] == 12
    by.pop()
    assert cached.image("1")[0, 0] == 2


def test_a_changed_body_of_a_transform_computes_anew(tmp_path):
    def made(function):
        return Numbers() >> Transform(__inherit__=True, image=function) >> disk(tmp_path)

    assert value_and_calls(made(lambda image: image + 1))[0][0, 0] == 3
    assert value_and_calls(made(lambda image: image + 2))[0][0, 0] == 4


def test_a_changed_transform_of_another_field_changes_nothing(tmp_path):
    def made(mask):
        return Numbers() >> Transform(__inherit__="image", mask=mask) >> disk(tmp_path)

    assert not is_hit(made(lambda mask: mask))
    assert is_hit(made(lambda mask: not mask))


def test_layers_behind_a_cache_change_nothing(tmp_path):
    assert not is_hit(Numbers() >> disk(tmp_path))
    chain = Numbers() >> disk(tmp_path) >> Transform(image=lambda image: image * 2)
    assert chain.image("2")[0, 0] == 4
    assert chain.image._nodes[0].inputs[0].memory.cache_info().hits == 1


def test_a_layer_that_only_passes_a_field_on_changes_nothing(tmp_path):
    assert not is_hit(Numbers() >> disk(tmp_path))
    assert is_hit(
        Numbers() >> Transform(__inherit__=True, more=lambda mask: mask) >> disk(tmp_path)
    )


factor = 2


def helper(image):
    return image * factor


def test_a_changed_helper_and_a_changed_constant_compute_anew(tmp_path, monkeypatch):
    here = sys.modules[__name__]
    cached = Numbers() >> Transform(image=lambda image: helper(image)) >> disk(tmp_path)
    both = cached >> CacheToRam()
    assert both.image("1")[0, 0] == 2
    monkeypatch.setattr(here, "factor", 3)
    assert both.image("1")[0, 0] == 3
    monkeypatch.setattr(here, "helper", lambda image: image - 1)
    assert both.image("1")[0, 0] == 0
    monkeypatch.undo()
    assert both.image("1")[0, 0] == 2


def test_a_change_that_is_taken_back_finds_the_old_value(tmp_path):
    chains = [Numbers(offset=offset) >> disk(tmp_path) for offset in (0, 1, 0)]
    assert [is_hit(chain) for chain in chains] == [False, False, True]


calls = []


def test_a_list_that_a_function_fills_makes_no_new_value(tmp_path):
    def image(image):
        calls.append(1)
        return image

    calls.clear()
    cached = Numbers() >> Transform(image=image) >> disk(tmp_path) >> CacheToRam()
    for _ in range(3):
        cached.image("1")
    assert len(calls) == 1


def test_a_module_that_was_edited_computes_anew(tmp_path):
    (tmp_path / "parts.py").write_text(
        textwrap.dedent(
            """
            from neurotools.jobs.layers import Source, Transform
            def helper(image):
                return image + 1  # a comment
            class Ones(Source):
                def image(i):
                    return 1
            class Plus(Transform):
                def image(image):
                    '''Add.'''
                    return helper(image)
            """
        )
    )
    script = (
        "import parts; from neurotools.jobs.layers import CacheToDisk\n"
        "cached = parts.Ones() >> parts.Plus() >> CacheToDisk.simple('image', root='cache')\n"
        "print(cached.image('a'), cached.image.memory.cache_info().hits)"
    )

    def told():
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert [told(), told()] == ["2 0", "2 1"]
    text = (tmp_path / "parts.py").read_text()
    (tmp_path / "parts.py").write_text(text.replace("# a comment", "# another one"))
    assert told() == "2 1"
    (tmp_path / "parts.py").write_text(text.replace("image + 1", "image + 10"))
    assert told() == "11 0"


globally = Numbers() >> Transform(image=lambda image: helper(image))


def test_a_remembered_function_that_uses_a_chain_follows_its_layers(tmp_path, monkeypatch):
    from neurotools.jobs.cache import disk_cacher

    @disk_cacher(tmp_path)
    def first_pixel(key):
        return globally.image(key)[0, 0]

    assert [first_pixel("1"), first_pixel("1")] == [2, 2]
    monkeypatch.setattr(sys.modules[__name__], "factor", 5)
    assert first_pixel("1") == 5
    other = Numbers(offset=1) >> Transform(image=lambda image: helper(image))
    monkeypatch.setattr(sys.modules[__name__], "globally", other)
    assert first_pixel("1") == 10
    assert first_pixel.cache_info()[:2] == (1, 3)


def test_a_layer_that_uses_another_chain_follows_it(monkeypatch):
    cached = Numbers() >> Transform(image=lambda id: globally.image(id) + 1) >> CacheToRam()  # noqa: A006
    assert cached.image("1")[0, 0] == cached.image("1")[0, 0] == 3
    monkeypatch.setattr(sys.modules[__name__], "factor", 5)
    assert cached.image("1")[0, 0] == 6


# ---------------------------------------------------------------- how much is computed


class Watched(Source):
    _seen: object

    @meta
    def ids():
        return ("1", "2")

    def _raw(i, _seen):
        _seen.append("raw")
        return int(i)

    def image(_raw, _seen):
        _seen.append("image")
        return _raw * 10

    def mask(_raw, _seen):
        _seen.append("mask")
        return _raw > 1


class Seen(list):
    """A list whose content does not count."""


register_digest(Seen, lambda value: None)


def test_asking_for_one_field_does_not_compute_another():
    seen = Seen()
    (Watched(seen) >> CacheToRam()).mask("1")
    assert seen == ["raw", "mask"]


def test_a_shared_ancestor_is_computed_once_in_one_call():
    seen = Seen()
    chain = Watched(seen) >> Transform(both=lambda image, mask: (image, mask))
    assert chain.both("2") == (20, True)
    assert sorted(seen) == ["image", "mask", "raw"]


@pytest.mark.parametrize("depth", [1, 2])
def test_a_shared_ancestor_is_computed_once_below_several_caches(tmp_path, depth):
    seen = Seen()
    caches = [disk(tmp_path, "image", "mask"), CacheToRam()][:depth]
    both = Transform(both=lambda image, mask: (image, mask))
    chain = Chain(Watched(seen), *caches, both, CacheToRam())
    assert chain.both("2") == (20, True)
    assert sorted(seen) == ["image", "mask", "raw"]
    assert chain._compile(["both"])("1") == ((10, False),)
    assert sorted(seen) == ["image", "image", "mask", "mask", "raw", "raw"]


def spoiled(image):
    image[:] = -1
    return image


class Spoiling(Source):
    def _raw(i):
        return np.full(3, float(i))

    def image(_raw):
        return spoiled(_raw)

    def mask(_raw):
        return _raw > 0

    def box(_raw):
        return [_raw]


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("order", [("image", "mask"), ("mask", "image")])
def test_a_function_that_changes_what_it_gets_changes_it_for_nobody_else(tmp_path, depth, order):
    caches = [disk(tmp_path, "image", "mask"), CacheToRam()][:depth]
    both = Transform(__inherit__=True, both=lambda image, mask: (image.sum(), mask.all()))
    chain = Chain(Spoiling(), *caches, both)
    assert chain.both("2") == (-3, True)
    loaded = dict(zip(order, chain._compile(order)("3"), strict=True))
    assert (loaded["image"].sum(), loaded["mask"].all()) == (-3, True)
    assert [chain.mask(key).all() for key in "23"] == [True, True]


@dataclasses.dataclass
class Box:
    items: list


@pytest.mark.parametrize("name", ["../image", "a/b", "aux", "größe", "x" * 300])
def test_a_field_of_any_name_is_kept_in_a_folder_of_its_own(tmp_path, name):
    chain = Numbers() >> Transform(**{name: lambda image: image.sum()}) >> disk(tmp_path, name)
    field = getattr(chain, name)
    assert (field("1"), field.cache_info().tiers[0].failures) == (6, 0)
    place = Path(field.locate("1"))
    assert place.exists()
    assert place.parents[2].name == "layers"
    assert place.parents[1].name != "aux"  # Windows takes it for a device


#: Something that can be changed, and where it is.
CHANGEABLE = {
    "table": (lambda: pytest.importorskip("pandas").DataFrame({0: [1]}), lambda v: v.iloc[0]),
    "masked": (lambda: np.ma.array([1]), lambda v: v),
    "ordered": (lambda: collections.OrderedDict({0: 1}), lambda v: v),
    "queue": (lambda: collections.deque([1]), lambda v: v),
    "record": (lambda: Box([1]), lambda v: v.items),
}


@pytest.mark.parametrize("kind", CHANGEABLE)
def test_tables_and_containers_of_any_kind_are_not_changed_for_others(kind):
    make, items = CHANGEABLE[kind]

    class Given(Source):
        def value(i):
            return make()

    def spoil(value):
        if kind == "table":
            value.loc[0, 0] = 5
        else:
            items(value)[0] = 5
        return value

    chain = Given() >> Transform(spoiled=lambda value: spoil(value), value=lambda value: value)
    spoiled, value = chain._compile(["spoiled", "value"])("1")
    assert (items(spoiled)[0], items(value)[0]) == (5, 1)


def test_a_function_changes_nothing_that_is_handed_out_beside_it(tmp_path):
    spoil = Transform(__inherit__=True, first=lambda image: spoiled(image).sum())
    for caches in ([], [disk(tmp_path)], [CacheToRam()], [disk(tmp_path), CacheToRam()]):
        chain = Chain(Numbers(), *caches, spoil)
        assert chain._compile(["image", "first"])("1")[0].sum() == 6
        assert chain._compile(["first", "image"])("2")[1].sum() == 12


def test_a_hit_at_the_end_computes_nothing_before_it(tmp_path):
    seen = Seen()
    made = [Watched(seen), disk(tmp_path), Transform(image=lambda image: image + 1), disk(tmp_path)]
    Chain(*made).image("1")
    seen.clear()
    chain = Chain(*made)
    assert chain.image("1") == 11
    first = chain.image._nodes[0].inputs[0].inputs[0].memory
    assert (seen, first.cache_info()[:2]) == ([], (0, 0))


def test_a_function_that_asks_the_same_field_for_another_id_gets_that():
    held = {}

    class Chained(Source):
        _numbers: object

        def image(i, _numbers):
            return 0 if i == 0 else held["chain"].image(i - 1) + i

    held["chain"] = Chained(None) >> CacheToRam(allow_mutable_bindings=True)
    assert held["chain"].image(4) == 10


# ---------------------------------------------------------------- what cannot be kept


class Noisy(Source):
    @impure
    def noise(i):
        return random.random()

    def image(i):
        return int(i)


def test_a_cache_refuses_a_field_that_depends_on_something_impure(tmp_path):
    chain = Noisy() >> Transform(__inherit__=True, blurred=lambda image, noise: image + noise)
    for cache in (CacheToRam(), CacheToRam("blurred"), disk(tmp_path, "blurred")):
        with pytest.raises(ImpureField, match=r"'(noise|blurred)': it depends on Noisy.noise"):
            chain >> cache
    assert (chain >> CacheToRam("image")).image("3") == 3


class OneByOne(list):
    """A list that is used up, and whose content does not count."""


register_digest(OneByOne, lambda value: None)


def test_with_impure_values_are_kept_for_each_value_of_what_is_impure():
    values = OneByOne([1, 2, 1, 2])

    class Turning(Source):
        _values: object

        @impure
        def turn(i, _values):
            return _values.pop(0)

    count, transform = counted(lambda image: image * 100)
    rename = Transform(image=lambda turn: turn)
    cached = Turning(values) >> rename >> transform >> CacheToRam(impure=True)
    assert [cached.image("a") for _ in range(4)] == [100, 200, 100, 200]
    assert count.calls == 2


def test_a_parameter_without_a_digest_is_named_and_the_field_computed(caplog):
    class Locked(Transform):
        _lock: object

        def image(image, _lock):
            return image

    cached = Numbers() >> Locked(threading.Lock()) >> CacheToRam()
    assert cached.image("1")[0, 0] == cached.image("1")[0, 0] == 1
    told = [record.message for record in caplog.records]
    assert len(told) == 1
    assert "parameter 'lock' of Locked" in told[0]
    with pytest.raises(UndigestableValue, match="parameter 'lock' of Locked"):
        cached.image.memory.locate("1")


generator = (x for x in range(3))


def test_a_function_that_cannot_be_followed_is_refused_unless_that_is_allowed():
    chain = Numbers() >> Transform(image=lambda image: (image, list(generator)))
    with pytest.raises(UnsafeBinding, match="generator"):
        (chain >> CacheToRam()).image("1")
    assert (chain >> CacheToRam(allow_mutable_bindings=True)).image("1")[1] == [0, 1, 2]


# ---------------------------------------------------------------- exactly what was computed


@pytest.mark.parametrize(
    "value",
    [(1, 2), {1: "a"}, np.float32(2), None, {"x": (1, None)}, np.array([(1, 2)], "i4,f8"), 1 + 2j],
    ids=repr,
)
def test_types_come_back_from_disk_as_they_were(tmp_path, value):
    cached = Numbers() >> Transform(image=lambda image: value) >> disk(tmp_path)
    first, second = cached.image("1"), cached.image("1")
    assert cached.image.memory.cache_info().hits == 1
    assert type(first) is type(second)
    assert repr(first) == repr(second)


class Point:
    def __init__(self, x):
        self.x = x


def test_what_npy_cannot_hold_is_pickled(tmp_path):
    cached = Numbers() >> Transform(image=lambda image: Point(3)) >> disk(tmp_path)
    assert (cached.image("1").x, cached.image("1").x) == (3, 3)
    memory = cached.image.memory
    assert memory.cache_info()[:2] == (1, 1)
    assert cached.image.locate("1").endswith(".pickle")
    assert cached.explain("image", "1").hit
    assert memory.check_call_in_cache("1")
    assert memory.purge("1") == 1
    assert not memory.check_call_in_cache("1")


def test_values_are_counted_and_removed(tmp_path):
    made = Numbers() >> disk(tmp_path) >> CacheToRam()
    made.image("1"), made.image("2"), made.image("2")
    assert made.image.cache_info()[:2] == (1, 2)
    assert made.image.purge("1") == 2
    assert (made.image.is_there("1"), made.image.is_there("2")) == (False, True)
    assert made.image.purge() == 2
    assert made.image.purge() == 0


def test_a_damaged_file_is_computed_again(tmp_path):
    made = Numbers() >> disk(tmp_path)
    made.image("1")
    place = made.image.locate("1")
    with open(place, "r+b") as file:
        file.seek(130)
        file.write(b"\xff\xff")
    assert made.image("1")[0, 0] == 1
    assert (Numbers() >> disk(tmp_path)).image("1")[0, 0] == 1


# ---------------------------------------------------------------- files


class Texts(Source):
    _root: str

    def text(i, _root):
        with open(f"{_root}/{i}.txt") as file:
            return file.read()


@pytest.fixture
def texts(tmp_path):
    """Return a folder with two texts, old enough to be known by their times."""
    for name in "ab":
        (tmp_path / f"{name}.txt").write_text(name)
    return tmp_path


def cached_texts(folder, *, ram=False, **options):
    chain = Texts(str(folder)) >> CacheToDisk("text", folder / "cache", **options)
    return chain >> CacheToRam() if ram else chain


@pytest.mark.parametrize("ram", [False, True])
def test_a_file_that_has_changed_computes_anew(texts, ram):
    cached = cached_texts(texts, ram=ram)
    assert [cached.text("a"), cached.text("b")] == ["a", "b"]
    (texts / "a.txt").write_text("changed")
    assert [cached.text("a"), cached.text("b")] == ["changed", "b"]
    assert cached_texts(texts, ram=ram).text("a") == "changed"


def test_memory_over_disk_knows_the_files_behind_the_disk(texts):
    cached_texts(texts).text("a")
    cached = cached_texts(texts, ram=True)
    assert cached.text("a") == "a"  # from disk, and kept in memory
    (texts / "a.txt").write_text("changed")
    assert cached.text("a") == "changed"


def test_a_file_that_was_only_touched_is_a_hit(texts):
    cached = cached_texts(texts)
    cached.text("a")
    (texts / "a.txt").touch()
    cached.text("a")
    assert cached.text.memory.cache_info().hits == 1


def test_a_file_that_was_made_on_the_way_and_is_gone_does_not_count(texts):
    def through_a_file(text):
        place = texts / "intermediate.txt"
        subprocess.run([sys.executable, "-c", f"open({str(place)!r}, 'w').write('x')"], check=True)
        with open(place) as file:
            text += file.read()
        place.unlink()
        return text

    cached = Texts(str(texts)) >> Transform(text=through_a_file) >> CacheToRam()
    assert cached.text("a") == cached.text("a") == "ax"
    assert cached.text.cache_info()[:2] == (1, 1)


def test_a_file_that_was_there_before_and_is_used_up_counts(texts):
    def taken(text):
        place = texts / "parcel.txt"
        with open(place) as file:
            text += file.read()
        place.unlink()
        return text

    cached = Texts(str(texts)) >> Transform(text=taken) >> CacheToRam()
    for content in "xy":
        (texts / "parcel.txt").write_text(content)
        time.sleep(0.02)
        assert cached.text("a") == f"a{content}"


def test_files_do_not_count_where_that_is_not_wanted(texts):
    cached = cached_texts(texts, trace=False)
    cached.text("a")
    (texts / "a.txt").write_text("changed")
    assert cached.text("a") == "a"


def test_a_transform_reads_a_file_and_a_later_cache_knows_it(texts):
    def more(text):
        with open(texts / "b.txt") as file:
            return text + file.read()

    cached = Texts(str(texts)) >> CacheToRam() >> Transform(text=more) >> CacheToRam()
    assert cached.text("a") == "ab"
    (texts / "b.txt").write_text("x")
    assert cached.text("a") == "ax"
    (texts / "a.txt").write_text("y")
    assert cached.text("a") == "yx"


# ---------------------------------------------------------------- inside remembered functions


class Plus(Transform):
    _by: int

    def image(image, _by):
        return helper(image) + _by


def test_a_remembered_function_that_makes_a_chain_follows_its_classes(tmp_path, monkeypatch):
    from neurotools.jobs.cache import disk_cacher

    @disk_cacher(tmp_path)
    def pixel(by):
        chain = Numbers() >> Plus(by) >> CacheToRam()
        return chain.image("1")[0, 0]

    for _ in range(2):
        assert [pixel(1), pixel(2)] == [3, 4]
    assert pixel.cache_info()[:2] == (2, 2)
    (Numbers() >> Plus(7) >> CacheToRam(packages="exact")).image("1")
    pixel(1)
    assert pixel.cache_info()[:2] == (3, 2)
    monkeypatch.setattr(sys.modules[__name__], "factor", 5)
    assert pixel(1) == 6
