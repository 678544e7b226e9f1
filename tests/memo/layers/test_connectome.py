"""What connectome's own tests say of caching, and what its users rely on, here and there.

Each test runs on our layers, and on connectome itself where that is installed. Through a thin
adapter, these of its tests (version 0.10) apply:

- ``test_cache/test_cache.py``, but for ``test_columns_cache_sharding``: there is no
  ``CacheColumns`` here. Locks need no redis: processes see one another through the folder.
- ``test_cache/test_hash.py``: that caches do not change what identifies a value.
- ``test_cache/test_layer.py``.
- ``test_cache/test_disk_cache.py``: that an entry that is gone is made again. Not that damage is an
  error, here it is a miss; nor versions of its pickler, there is none.
- Of what chains and classes with caches need, ``test_interface/test_chain.py`` without
  ``LazyChain``; ``test_metaclasses.py``; and ``test_persistent``, ``test_instance``,
  ``test_constructor``, ``test_callable_argument``, ``test_input_spec`` and
  ``test_wrong_arg_type`` of ``test_interface.py``. Not inverse functions, ``Merge``, ``Filter``,
  ``GroupBy``, ``Join`` and ``Split``: there are none here.
"""

import glob
import importlib
import multiprocessing
import os
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

#: What is imported from either.
NAMES = (
    *("Source", "Transform", "Chain", "CacheToRam", "CacheToDisk", "meta", "impure", "optional"),
    *("positional", "Output"),
)
MODULES = {"ours": "neurotools.jobs.layers", "connectome": "connectome"}


def adapted(which):
    module = importlib.import_module(MODULES[which])
    return SimpleNamespace(**{name: getattr(module, name) for name in NAMES}, which=which)


@pytest.fixture(params=MODULES)
def api(request):
    """Return the names of one of the two."""
    if request.param != "ours":
        pytest.importorskip(MODULES[request.param], reason="the original is not installed")
    return adapted(request.param)


def apply(api, **functions):
    """Return a transform that changes fields one by one: connectome's ``Apply``."""
    made = {name: api.positional(function) for name, function in functions.items()}
    return api.Transform(__inherit__=True, **made)


def dataset(api, constant=2, ids=3):
    """Return a data set of texts, with a parameter that is computed from others."""

    class Letters(api.Source):
        _constant: int
        _ids: int = 3

        @api.meta
        def ids(_ids):
            return tuple(map(str, range(_ids)))

        def image(i, _constant):
            return f"image {_constant}: {i}"

        def spacing(i):
            return f"spacing: {i}"

    return Letters(constant=constant, ids=ids)


def crop(api):
    class Crop(api.Transform):
        def _size(image):
            return len(image)

        def image(image, _size):
            return f"{image} cropped {_size}"

        def spacing(spacing, _size):
            return f"{spacing} cropped {_size}"

    return Crop()


def slow(x):
    time.sleep(0.02)
    return x


def caches(api, root):
    return [api.CacheToRam(), api.CacheToDisk.simple("image", root=root)]


def visit(plain, cached):
    for key in plain.ids:
        assert plain.image(key) == cached.image(key)
        assert plain.image(key) == cached.image(key)


def in_two_threads(function, *args):
    errors = []

    def run():
        try:
            function(*args)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    run()
    thread.join()
    return errors


# ---------------------------------------------------------------- test_cache/test_cache.py


@pytest.mark.parametrize("kind", [0, 1])
def test_locking_in_threads(api, tmp_path, kind):
    plain = dataset(api)
    cached = plain >> apply(api, image=slow) >> caches(api, tmp_path / "cache")[kind]
    assert in_two_threads(visit, plain, cached) == []


class Local(Exception):
    pass


@pytest.mark.parametrize("kind", [0, 1])
def test_errors_leave_nothing_behind(api, tmp_path, kind):
    def throw(x):
        raise Local

    failing = dataset(api) >> apply(api, image=slow) >> apply(api, image=throw)
    cached = failing >> caches(api, tmp_path / "cache")[kind]
    with pytest.raises(Local):
        cached.image("0")
    assert [type(error) for error in in_two_threads(cached.image, "0")] == [Local, Local]
    with pytest.raises(Local):
        cached.image("0")


def in_a_process(which, root):
    api = adapted(which)
    plain = dataset(api)
    visit(plain, plain >> apply(api, image=slow) >> api.CacheToDisk.simple("image", root=root))


def test_locking_in_processes(api, tmp_path):
    root = str(tmp_path / "cache")
    in_a_process(api.which, root)
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=in_a_process, args=(api.which, root)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]


def test_a_disk_cache_twice_is_a_disk_cache(api, tmp_path):
    plain, cache = dataset(api), api.CacheToDisk.simple("image", root=tmp_path / "cache")
    visit(plain, plain >> cache >> cache)


def test_simple(api, tmp_path):
    plain = dataset(api)
    visit(plain, plain >> api.CacheToDisk.simple("image", root=tmp_path / "cache"))


def test_a_relative_root(api, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plain = dataset(api)
    visit(plain, plain >> api.CacheToDisk.simple("image", root="cache"))
    assert os.path.isdir(tmp_path / "cache")


# ---------------------------------------------------------------- test_cache, others


def test_caches_do_not_change_what_is_computed_behind_them(api, tmp_path):
    plain = dataset(api) >> crop(api)
    ram = plain >> api.CacheToRam()
    disk = plain >> api.CacheToDisk.simple("image", root=tmp_path / "a")
    inner = dataset(api) >> api.CacheToRam() >> crop(api)
    for key in plain.ids:
        assert plain.image(key) == ram.image(key) == disk.image(key) == inner.image(key)


def test_caches_do_not_change_what_identifies_a_value(tmp_path):
    ours = adapted("ours")
    plain, end = dataset(ours), crop(ours)
    disk = ours.CacheToDisk.simple("image", root=tmp_path)
    chains = [plain >> end >> disk, plain >> ours.CacheToRam() >> end >> disk, plain >> disk >> end]
    chains = [chain >> ours.CacheToRam() for chain in chains]
    assert len({chain.image.memory.keys.fingerprint.code for chain in chains}) == 1


def test_fields_are_virtual_through_nested_chains(api):
    a = api.Transform(a=lambda x: x, b=lambda x: x, c=lambda x: x)
    b = api.Transform(__inherit__=True, d=lambda a: a)
    c = api.CacheToRam(["d"])
    assert set(dir(a >> b >> c)) - {"x"} == set("abcd")


def test_an_entry_that_is_gone_is_made_again(api, tmp_path):
    chain = api.Transform(x=lambda x: 1) >> api.CacheToDisk.simple("x", root=tmp_path / "cache")
    assert chain.x(1) == 1
    for path in glob.glob(f"{tmp_path}/cache/**/*", recursive=True):
        name = os.path.basename(path)
        if name == "hash.bin" or name.endswith(".npy"):
            os.remove(path)
    assert chain.x(1) == 1
    assert chain.x(1) == 1


def test_memory_goes_with_the_least_recently_used(api):
    seen = []
    counted = api.Transform(x=lambda x: seen.append(x) or x) if api.which != "ours" else None
    if counted is None:
        from tests.memo.layers.test_kept import Counted

        count = Counted(lambda x: seen.append(x) or x)
        counted = api.Transform(x=lambda x: count(x))
    cached = counted >> api.CacheToRam(size=2)
    for key in (1, 2, 1, 3, 1, 2):
        assert cached.x(key) == key
    assert seen in ([1, 2, 3, 2], [1, 2, 1, 3, 1, 2])  # the original counts `seen` as changed code


def test_an_impure_field_is_refused_with_its_name_unless_that_is_wanted(api):
    class Noisy(api.Source):
        @api.impure
        def noise(i):
            return time.perf_counter_ns()

    with pytest.raises(ValueError, match="noise"):
        Noisy() >> api.CacheToRam()
    cached = Noisy() >> api.CacheToRam(impure=True)
    assert cached.noise("a") != cached.noise("a")


# ---------------------------------------------------------------- test_interface


def test_nested_chains(api):
    one, two, cache = dataset(api), crop(api), api.CacheToRam()
    chains = [
        api.Chain(one, two, cache),
        api.Chain(api.Chain(one, two), cache),
        api.Chain(one, api.Chain(two, cache)),
        api.Chain(api.Chain(one), api.Chain(two), cache),
        api.Chain(api.Chain(one, two, cache)),
    ]
    for key in one.ids:
        assert len({chain.image(key) for chain in chains}) == 1


def test_caches_are_dropped(api):
    one, two = dataset(api), crop(api)
    simple, cached = one >> two, api.Chain(one, two, api.CacheToRam())._drop_cache()
    assert all(simple.image(key) == cached.image(key) for key in one.ids)
    assert type(cached[-1]) is type(two)


def test_ids_pass_through_everything(api):
    one = dataset(api)
    for layer in (crop(api), api.CacheToRam(), api.Transform(image=lambda image: image)):
        assert tuple((one >> layer).ids) == tuple(one.ids)
    assert "ids" in dir(one >> api.CacheToRam() >> crop(api))
    assert "ids" in dir(one >> crop(api) >> crop(api))


@pytest.mark.parametrize(
    ("first", "second", "names"),
    [(True, "g", {"g", "h"}), ("g", "g", {"g", "h"}), ("g", True, {"f", "g", "h"})],
)
def test_what_transforms_alone_inherit(api, first, second, names):
    head = api.Transform(__inherit__=first, f=lambda: "A.f")
    chain = head >> api.Transform(__inherit__=second, h=lambda f, g: (f, g))
    assert set(dir(chain)) == names
    assert chain.h(g="input") == ("A.f", "input")
    assert chain.g("hello") == "hello"
    if "f" not in names:
        with pytest.raises(AttributeError):
            chain.f()


def test_a_missing_dependency_is_an_error(api):
    first = api.Transform(__inherit__=True, f=lambda: 1)
    second = api.Transform(__inherit__="g", h=lambda f, g: (f, g))
    third = api.Transform(__inherit__=True, p=lambda h, g, f: (h, g, f))
    with pytest.raises(Exception, match="f"):
        dir(first >> second >> third)


def test_end_to_end_inheritance(api):
    every, one = api.Transform(__inherit__=True), api.Transform(__inherit__="x")
    assert (every >> every >> every).x(1) == 1
    chain = one >> one >> one
    assert chain.x(1) == 1
    with pytest.raises(AttributeError):
        _ = chain.y
    with pytest.raises(Exception, match="y"):
        chain._compile(["y", "z"])


def test_names_are_listed_once(api):
    chain = api.Transform(image=lambda x: x) >> api.Transform(
        __inherit__=True, image=lambda image: image
    )
    assert len(dir(chain)) == len(set(dir(chain)))


def test_optional_fields_vanish_with_what_they_need(api):
    nothing = api.Transform()
    maybe = api.Transform(x=api.optional(lambda x: x))
    inherits = api.Transform(__inherit__="x")
    for chain in (
        nothing >> maybe,
        nothing >> maybe >> maybe,
        nothing >> (maybe >> maybe),
        nothing >> (maybe >> inherits),
        nothing >> (inherits >> maybe),
        nothing >> maybe >> inherits,
        nothing >> inherits >> maybe,
    ):
        assert dir(chain) == []
    assert maybe.x(1) == 1


def test_entries(api):
    chain = dataset(api) >> crop(api)
    for key in chain.ids:
        entry = chain(key)
        assert entry.id == entry["id"] == chain.id(key) == key
        assert entry.image == entry["image"] == chain.image(key)
        assert chain._compile(["id", "spacing"])(key) == entry["id", "spacing"]


def test_fields_of_the_same_layer(api):
    class Twice(api.Transform):
        def shape(image):
            return len(image)

        def image(image, shape: api.Output):
            return f"{image} shape: {shape}"

    chain = dataset(api) >> Twice()
    assert chain.image("0") == f"image 2: 0 shape: {chain.shape('0')}"


def test_constructors(api):
    class A(api.Transform):
        _a: int
        _b: int = 1

    class B(api.Transform):
        _a: int

    for make in (lambda: A(a=1, c=2), A, lambda: A(1)):
        with pytest.raises(TypeError):
            make()
    B(1)


def test_functions_as_parameters(api):
    class A(api.Transform):
        _a: Any = list

        def x(_a):
            return _a()

    assert A().x() == []
    assert A(a=int).x() == 0


def test_arguments_that_fields_cannot_have(api):
    for wrong in (lambda *, a: a, lambda *a: a, lambda **a: a):
        with pytest.raises(TypeError, match='The parameter "a" must be "positional or keyword"'):
            api.Transform(x=wrong)
    with pytest.raises(ValueError, match="default"):
        api.Transform(x=lambda x, y=1: x)


def test_bases(api):
    class A(api.Source):
        pass

    class B(api.Transform):
        pass

    assert isinstance(A(), api.Source)
    assert isinstance(B(), api.Transform)
    assert str(B()) == "B()"
    with pytest.raises(TypeError):
        type(api.Source)("C", (api.Source, api.Transform), {})
