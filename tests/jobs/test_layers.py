"""The reference page on caching, statement by statement, on images that ship in scikit-image."""

import os
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("skimage", reason="the images are those of scikit-image")
pytest.importorskip("scipy", reason="zooming needs scipy")

from neurotools.jobs.layers import CacheToDisk, CacheToRam, Chain
from tests.memo.layers import collection
from tests.memo.layers.collection import Binarize, Crop, Images, Zoom

KEY = "coins.png"


@pytest.fixture
def root(tmp_path):
    """Return a folder with copies of a few images, which may be changed."""
    folder = tmp_path / "images"
    folder.mkdir()
    for name in collection.NAMES:
        shutil.copy(os.path.join(collection.folder(), name), folder)
    return str(folder)


@pytest.fixture
def reads(monkeypatch):
    """Return a list of the files that the source has read."""
    seen = []
    plain = collection.read

    def read(path):
        seen.append(path.name)
        return plain(path)

    monkeypatch.setattr(collection, "read", read)
    return seen


def test_a_dataset_is_a_source_and_transforms(root):
    dataset = collection.chain(root)
    image, mask = dataset.image(KEY), dataset.mask(KEY)
    assert image.shape == mask.shape
    assert image.dtype == np.float32
    assert mask.dtype == bool
    assert dataset.ids == collection.NAMES


def test_cached_to_ram_the_first_call_computes_and_subsequent_calls_do_not(root, reads):
    dataset = collection.chain(root)
    cached = dataset >> CacheToRam()
    first = cached.image(KEY), cached.mask(KEY)
    assert reads
    reads.clear()
    again = cached.image(KEY), cached.mask(KEY)
    assert not reads
    for one, other, plain in zip(
        first, again, (dataset.image(KEY), dataset.mask(KEY)), strict=True
    ):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(one, plain)


def test_each_time_you_create_the_pipeline_the_ram_is_empty(root, reads):
    dataset = collection.chain(root)
    for _ in range(2):
        reads.clear()
        (dataset >> CacheToRam()).image(KEY)
        assert reads


def test_cached_to_disk_the_first_run_computes_and_next_calls_do_not(root, tmp_path, reads):
    cached = collection.chain(root) >> CacheToDisk.simple("image", "mask", root=tmp_path / "cache")
    cached.image(KEY), cached.mask(KEY)
    reads.clear()
    cached.image(KEY), cached.mask(KEY)
    assert not reads


def test_the_dataset_created_again_finds_what_is_on_disk_at_its_first_call(root, tmp_path, reads):
    for _ in range(2):
        reads.clear()
        place = tmp_path / "cache"
        cached = collection.chain(root) >> CacheToDisk.simple("image", "mask", root=place)
        cached.image(KEY), cached.mask(KEY)
    assert not reads


def test_a_persistent_cache_keeps_living_between_runs(root, tmp_path):
    code = (
        "import sys; from tests.memo.layers import collection\n"
        "from neurotools.jobs.layers import CacheToDisk\n"
        "cached = collection.chain(sys.argv[1]) >> CacheToDisk.simple('image', root=sys.argv[2])\n"
        f"cached.image({KEY!r}); print(cached.image.memory.cache_info()[:2])\n"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", code, root, str(tmp_path / "cache")],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for _ in range(2)
    ]
    assert told == ["(0, 1)", "(1, 0)"]


def test_the_cache_is_stored_in_the_folder_in_the_current_directory(root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cached = collection.chain(root) >> CacheToDisk.simple("image", root="cache")
    cached.image(KEY)
    place = cached.image.locate(KEY)
    assert place.startswith(str(tmp_path / "cache"))
    np.testing.assert_array_equal(np.load(place), cached.image(KEY))
    monkeypatch.chdir("/")
    cached.image("cell.png")
    assert cached.image.locate("cell.png").startswith(str(tmp_path / "cache"))


def test_ram_over_disk_takes_the_best_of_both_worlds(root, tmp_path, reads):
    def made():
        disk = CacheToDisk.simple("image", "mask", root=tmp_path / "cache")
        return Chain(collection.chain(root), disk, CacheToRam())

    made().image(KEY)
    reads.clear()
    cached = made()
    cached.image(KEY)
    disk = cached.image._nodes[0].inputs[0].memory
    assert (disk.cache_info().hits, reads) == (1, [])
    cached.image(KEY)
    assert disk.cache_info().hits == 1  # the second one came from memory


def test_automatic_invalidation_small_and_big_share_a_folder(root, tmp_path, reads):
    source = Images(root=root)

    def made(factor):
        chain = Chain(source, Binarize(), Zoom(factor=factor), Crop())
        return chain >> CacheToDisk.simple("image", "mask", root=tmp_path / "cache")

    small, big = made(0.25), made(0.5)
    filled = small.image(KEY).shape, big.image(KEY).shape
    reads.clear()
    assert (small.image(KEY).shape, big.image(KEY).shape) == filled
    assert not reads
    assert abs(filled[1][0] - 2 * filled[0][0]) <= 2
    assert abs(filled[1][1] - 2 * filled[0][1]) <= 2


def test_a_changed_image_behind_the_same_path_is_noticed_by_all_caches(root, tmp_path):
    disk = CacheToDisk.simple("image", "mask", root=tmp_path / "cache")
    cached = Chain(collection.chain(root), disk, CacheToRam())
    before = cached.image(KEY)
    shutil.copy(os.path.join(root, "camera.png"), os.path.join(root, KEY))
    after = cached.image(KEY)
    assert before.shape != after.shape
    np.testing.assert_array_equal(after, collection.chain(root).image(KEY))


def test_a_chain_travels_by_pickle_and_finds_its_cache(root, tmp_path, reads):
    cached = collection.chain(root) >> CacheToDisk.simple("image", root=tmp_path / "cache")
    image = cached.image(KEY)
    reads.clear()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(cached)).image(KEY), image)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(cached.image))(KEY), image)
    assert not reads
