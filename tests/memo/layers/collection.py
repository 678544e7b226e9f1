"""A real image collection for the tests: what ships in scikit-image, with its masks."""

import os
from pathlib import Path

import numpy as np
import scipy.ndimage

from neurotools.jobs.layers import Chain, Source, Transform, meta

NAMES = ("camera.png", "cell.png", "coins.png")


def folder():
    import skimage

    return os.path.join(os.path.dirname(skimage.__file__), "data")


def read(path):
    from skimage.io import imread

    return imread(path)


class Images(Source):
    """Grey images, and where they are bright."""

    _root: str
    _threshold: int = 100

    @meta
    def ids(_root):
        return tuple(name for name in NAMES if (Path(_root) / name).exists())

    def _path(i, _root):
        return Path(_root) / i

    def image(_path):
        return read(_path).astype("float32")

    def mask(_path, _threshold):
        return read(_path) > _threshold

    def shape(_path):
        return read(_path).shape


class Binarize(Transform):
    __inherit__ = "image"

    def mask(mask):
        return mask > 0


def zoomed(x, factor):
    return scipy.ndimage.zoom(x, factor, order=1)


class Zoom(Transform):
    _factor: float

    def image(image, _factor):
        return zoomed(image, _factor)

    def mask(mask, _factor):
        return zoomed(mask.astype("float32"), _factor) > 0.5


class Crop(Transform):
    def _box(mask):
        bright = np.argwhere(mask)
        return bright.min(0), bright.max(0) + 1

    def image(image, _box):
        (top, left), (bottom, right) = _box
        return image[top:bottom, left:right]

    def mask(mask, _box):
        (top, left), (bottom, right) = _box
        return mask[top:bottom, left:right]


def chain(root, factor=0.25):
    return Chain(Images(root=root), Binarize(), Zoom(factor=factor), Crop())
