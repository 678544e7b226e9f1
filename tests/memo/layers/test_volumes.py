"""Layers over brain scans that ship in nibabel, read by nibabel itself."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from neurotools.jobs.layers import CacheToDisk, CacheToRam, Source, Transform, meta

nibabel = pytest.importorskip("nibabel", reason="the scans are those of nibabel")

NAMES = ("anatomical.nii", "example4d.nii.gz")


class Scans(Source):
    _root: str

    @meta
    def ids(_root):
        return tuple(name for name in NAMES if (Path(_root) / name).exists())

    def _scan(i, _root):
        return nibabel.load(Path(_root) / i)

    def image(_scan):
        return np.asarray(_scan.dataobj)

    def spacing(_scan):
        return tuple(map(float, _scan.header.get_zooms()[:3]))


class Normalized(Transform):
    __inherit__ = "spacing"
    _percent: float = 99.0

    def _top(image, _percent):
        return np.percentile(image, _percent)

    def image(image, _top):
        return np.clip(image / _top, 0, 1).astype(np.float32)

    def volume_ml(image, spacing):
        return float((image > 0).sum() * np.prod(spacing) / 1000)


@pytest.fixture
def root(tmp_path):
    """Return a folder with copies of two scans."""
    for name in NAMES:
        shutil.copy(Path(nibabel.__file__).parent / "tests" / "data" / name, tmp_path)
    return tmp_path


def chain(root, **options):
    disk = CacheToDisk(("image", "volume_ml"), root / "cache", compress="zstd", **options)
    return Scans(root=str(root)) >> Normalized() >> disk >> CacheToRam()


def test_scans_are_kept_and_come_back_as_they_were(root):
    cached = chain(root)
    plain = Scans(root=str(root)) >> Normalized()
    for key in cached.ids:
        for _ in range(2):
            np.testing.assert_array_equal(cached.image(key), plain.image(key))
            assert cached.volume_ml(key) == plain.volume_ml(key)
            assert cached.spacing(key) == plain.spacing(key)
        assert cached.image(key).dtype == np.float32
    assert chain(root).image.explain(NAMES[1]).hit


@pytest.mark.parametrize("name", NAMES, ids=["plain", "gzip"])
def test_a_scan_that_was_replaced_is_read_again(root, name):
    cached = chain(root)
    before = cached.image(name)
    scan = nibabel.load(root / name)
    data = np.asarray(scan.dataobj)[::-1].copy()
    nibabel.save(nibabel.Nifti1Image(data, scan.affine, scan.header), root / name)
    np.testing.assert_array_equal(cached.image(name), before[::-1])
    np.testing.assert_array_equal(chain(root).image(name), before[::-1])
