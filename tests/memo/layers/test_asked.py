"""Many values at once, warming, why a value is kept or not, pictures, and items for loaders."""

import multiprocessing
import os
import shutil
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

from neurotools.jobs.layers import CacheToDisk, CacheToRam, Items, Source, Transform, meta
from neurotools.memo.errors import UnknownField, WrongLayer

COLOUR = 3


def brighter(image):
    return image + COLOUR


class Slices(Source):
    _count: int = 4

    @meta
    def ids(_count):
        return tuple(range(_count))

    def image(i):
        return np.full((2, 2), i)

    def mask(i):
        return i % 2 == 0

    def made_by(i):
        return os.getpid()


class Brighter(Transform):
    __inherit__ = True
    _by: int = 1

    def image(image, _by):
        return brighter(image) * _by


def inverse(id):  # noqa: A002 - it is the name of the field
    return 1 / id


def cached(root, by=1, **options):
    return Slices() >> Brighter(by) >> CacheToDisk(("image", "made_by"), root, **options)


# ---------------------------------------------------------------- many values


@pytest.fixture(params=["here", "threads", "pool", "processes"])
def executor(request):
    """Give each kind of those who compute."""
    if request.param == "here":
        yield None
    elif request.param == "threads":
        with ThreadPoolExecutor(2) as pool:
            yield pool
    elif request.param == "pool":
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
            yield pool
    else:
        pytest.importorskip("loky", reason="local processes need the extra parallel")
        yield 2


def test_map_computes_in_any_place_and_keeps(tmp_path, executor):
    chain = cached(tmp_path)
    images = chain.image.map(chain.ids, executor=executor, progress=False)
    assert [image[0, 0] for image in images] == [3, 4, 5, 6]
    again = cached(tmp_path)
    again.image.map(again.ids, progress=False)
    assert again.image.memory.cache_info()[:2] == (4, 0)


@pytest.mark.parametrize("executor", ["here", "processes"], indirect=True)
def test_map_of_what_no_cache_keeps_computes_each(executor):
    images = (Slices() >> Brighter()).image.map([1, 3], executor=executor, progress=False)
    assert [image[0, 0] for image in images] == [4, 6]


def test_map_gives_errors_in_the_places_of_values(tmp_path):
    chain = Slices() >> Transform(image=inverse) >> CacheToDisk("image", tmp_path)
    first, second = chain.image.map([0, 2], on_error="collect", progress=False)
    assert isinstance(first, ZeroDivisionError)
    assert second == 0.5


def test_dask_computes_and_keeps(tmp_path):
    distributed = pytest.importorskip("distributed", reason="it is what Dask computes with")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        chain = cached(tmp_path)
        assert chain.warm("image", executor=client) == 4
    assert all(cached(tmp_path).image.is_there(key) for key in range(4))


@pytest.mark.parametrize("executor", ["here", "pool"], indirect=True)
def test_warm_computes_what_is_missing_and_says_for_how_many(tmp_path, executor):
    chain = cached(tmp_path)
    chain.image(1)
    assert chain.warm("image", executor=executor) == 3
    assert chain.warm("image", executor=executor) == 0
    assert cached(tmp_path).image.explain(3).hit


def test_warm_works_in_other_processes(tmp_path):
    pytest.importorskip("loky", reason="local processes need the extra parallel")
    chain = cached(tmp_path)
    assert chain.warm("made_by", executor=2) == 4
    assert os.getpid() not in chain.made_by.map(chain.ids, progress=False)


def test_warm_takes_all_kept_fields_and_given_ids(tmp_path):
    chain = cached(tmp_path)
    assert chain.warm(ids=[2]) == 1
    assert [name for name in ("image", "made_by") if getattr(chain, name).is_there(2)] == [
        "image",
        "made_by",
    ]
    assert not chain.image.is_there(1)


def test_warm_fills_memory_from_disk(tmp_path):
    cached(tmp_path).warm("image")
    both = cached(tmp_path) >> CacheToRam()
    assert both.warm("image") == 4
    disk = both.image._nodes[0].inputs[0].memory
    assert (disk.cache_info()[:2], both.warm("image")) == ((4, 0), 0)


def test_warm_shows_how_far_it_is(tmp_path, capsys):
    cached(tmp_path).warm("image", progress=True)
    cached(tmp_path).warm("image", progress=False)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda p: (Slices() >> CacheToRam()).warm("image", executor=2), "memory of this one"),
        (lambda p: Slices().warm("image"), "no cache at the end of the chain keeps 'image'"),
        (lambda p: Slices().warm(), "no cache at the end of the chain keeps a field"),
        (lambda p: cached(p).warm("mask"), "no cache at the end of the chain keeps 'mask'"),
    ],
)
def test_what_cannot_be_warmed_is_told(tmp_path, make, told):
    with pytest.raises(WrongLayer, match=told):
        make(tmp_path)


def test_what_has_no_ids_cannot_be_warmed():
    class Bare(Source):
        def image(i):
            return i

    with pytest.raises(UnknownField, match="warm needs 'ids', but Bare has no field 'ids'"):
        (Bare() >> CacheToRam()).warm()


# ---------------------------------------------------------------- why


def test_explain_says_what_is_kept_and_where(tmp_path):
    chain = cached(tmp_path)
    chain.image(1)
    told = chain.explain("image", 1)
    assert told.hit
    assert told.location == chain.image.locate(1)
    assert str(chain.explain("image", 2)).splitlines()[0].startswith("miss: no call with these arg")


def test_explain_names_the_parameter_that_has_changed(tmp_path):
    cached(tmp_path).image(1)
    told = cached(tmp_path, by=5).explain("image", 1)
    assert told.reason == "Brighter.by has changed since this value was kept"
    assert [part.lines for part in told.code if part.name == "Brighter.by"] == [("-1", "+5")]
    assert "arguments are new" in cached(tmp_path, by=5).explain("image", 2).reason


def test_explain_names_the_step_whose_helper_has_changed(tmp_path, monkeypatch):
    cached(tmp_path).image(1)
    monkeypatch.setattr(sys.modules[__name__], "COLOUR", 9)
    told = cached(tmp_path).explain("image", 1)
    assert told.reason == "Brighter.image has changed since this value was kept"
    assert any("COLOUR" in part.name and "+9" in part.lines for part in told.code)


def test_explain_names_a_step_that_is_new(tmp_path):
    cached(tmp_path).image(1)
    twice = Slices() >> Brighter() >> Brighter(2) >> CacheToDisk("image", tmp_path)
    assert "Brighter.image#2" in twice.explain("image", 1).reason


def test_explain_of_several_caches_tells_of_the_first_that_has_it(tmp_path):
    cached(tmp_path).image(1)
    both = cached(tmp_path) >> CacheToRam()
    assert str(tmp_path) in both.explain("image", 1).location
    both.image(1)
    assert both.explain("image", 1).location.startswith("ram://")


def test_explain_without_a_cache_says_so():
    assert str(Slices().explain("image", 1)) == (
        "miss: no cache keeps 'image' at the end of the chain"
    )


def test_explain_behind_a_cache_tells_what_is_found_before_it(tmp_path, monkeypatch):
    chain = cached(tmp_path) >> CacheToRam() >> Transform(image=lambda image: image + 1)
    chain.image(1)
    none = "no cache keeps 'image' at the end of the chain; before it, 'image' is"
    told = (cached(tmp_path) >> Transform(image=lambda image: image)).explain("image", 1)
    assert (told.hit, told.reason) == (False, f"{none} found in {tmp_path}/__neurotools_cache__")
    monkeypatch.setitem(globals(), "COLOUR", 9)
    told = chain.explain("image", 1)
    assert told.reason == f"{none} not: Brighter.image has changed since this value was kept"
    assert any("COLOUR" in part.name for part in told.code)


def read(id):  # noqa: A002 - it is the name of the field
    with open(id) as file:
        return file.read()


def test_explain_names_the_file_that_has_changed(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("a")
    chain = Slices() >> Transform(text=read) >> CacheToDisk("text", tmp_path / "cache")
    assert chain.text(str(path)) == "a"
    assert chain.explain("text", str(path)).doubts == ()
    path.write_text("b")
    told = chain.explain("text", str(path))
    assert told.reason == f"{path}, which the computation used, has changed"
    untraced = CacheToDisk("text", tmp_path / "cache", trace=False)
    told = (Slices() >> Transform(text=read) >> untraced).explain("text", str(path))
    assert "what a file holds does not count" in told.doubts[0]


# ---------------------------------------------------------------- pictures


def test_a_picture_as_text(tmp_path):
    chain = cached(tmp_path)
    text = str(chain.picture("image"))
    assert text == "\n".join(
        [
            repr(chain),
            "",
            "image",
            f"  kept in {tmp_path / '__neurotools_cache__'}",
            "    Brighter.image",
            "      Slices.image",
            "        id (given)",
            "      Brighter.by = 1",
        ]
    )
    assert "made_by" in str(chain.picture())
    with pytest.raises(UnknownField, match="no field 'imge'"):
        chain.picture("imge")


def test_a_picture_for_graphviz(tmp_path):
    picture = cached(tmp_path).picture("image", "mask")
    assert picture.dot.startswith("digraph fields {")
    assert picture.dot.count("Slices.image") == picture.dot.count("Brighter.by") == 1
    svg = picture.svg()
    if shutil.which("dot") is None:
        assert svg is None
    else:
        assert "<svg" in svg
        assert "Brighter.image" in svg


def test_a_chain_is_drawn_in_notebooks_where_that_can_be(tmp_path):
    chain = cached(tmp_path)
    drawn = chain._repr_svg_()
    assert drawn is None or "<svg" in drawn
    assert repr(chain).startswith("Slices(count=4)")


# ---------------------------------------------------------------- items


def as_pair(image, mask):
    return image.sum(), mask


def test_items_by_number(tmp_path):
    items = Items(cached(tmp_path), "image", "mask")
    assert len(items) == 4
    assert items[1][0][0, 0] == items[np.int64(1)][0][0, 0] == 4
    assert items[-1][1] is False
    with pytest.raises(IndexError):
        items[4]
    assert [pair[1] for pair in items] == [True, False, True, False]


def test_items_of_one_field_given_ids_and_a_transform():
    items = Items(Slices(), "mask", ids=[3, 2], transform=int)
    assert list(items) == [0, 1]
    assert list(Items(Slices(), "image", "mask", transform=as_pair)) == [
        (0, True),
        (4, False),
        (8, True),
        (12, False),
    ]


@pytest.mark.parametrize(("fields", "told"), [((), "Items needs ''"), (("imge",), "'imge'")])
def test_items_of_no_field_are_told(fields, told):
    with pytest.raises(UnknownField, match=told):
        Items(Slices(), *fields)


def batch(items, numbers):
    """Return what a worker of a loader makes: it was given the items once, and gets numbers."""
    return [items[number][0].sum() for number in numbers], os.getpid()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("way", sorted({"spawn", multiprocessing.get_all_start_methods()[0]}))
def test_items_in_processes_as_a_loader_uses_them(tmp_path, way):
    """A stand-in for torch's DataLoader: processes, pickled items, batches of numbers."""
    items = Items(cached(tmp_path) >> CacheToRam(), "image", "mask")
    items[0]
    with multiprocessing.get_context(way).Pool(2) as pool:
        made = pool.starmap(batch, [(items, [0, 1]), (items, [2, 3])])
    assert [one for sums, _ in made for one in sums] == [12, 16, 20, 24]
    assert all(process != os.getpid() for _, process in made)
    assert all(cached(tmp_path).image.is_there(key) for key in range(4))


@pytest.mark.parametrize("workers", [0, 2])
def test_items_in_a_loader_of_torch(tmp_path, workers):
    data = pytest.importorskip("torch.utils.data", reason="torch is large, and optional")
    items = Items(cached(tmp_path), "image", "mask")
    batches = list(data.DataLoader(items, batch_size=2, num_workers=workers))
    assert [tuple(images.shape) for images, _ in batches] == [(2, 2, 2), (2, 2, 2)]
