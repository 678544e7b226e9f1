"""
Counting coins, with layers
===========================

A data set described as layers: a source of images and two transforms, with a cache on disk behind
them. A parameter that only one field uses does not touch the others.
"""

# %%
# The photographs ship with scikit-image.

import os
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import skimage
from scipy import ndimage
from skimage import filters, io, segmentation

from neurotools.jobs.layers import CacheToDisk, Source, Transform, meta


class Photographs(Source):
    _root: str

    @meta
    def ids():
        return ("coins.png", "camera.png")

    def image(i, _root):
        return io.imread(os.path.join(_root, i)).astype("float32")


class Smoothed(Transform):
    _width: float

    def image(image, _width):
        return ndimage.gaussian_filter(image, _width)


class Found(Transform):
    __inherit__ = "image"
    _smallest: int

    def _coins(image):
        seeds = 1 * (image < 30) + 2 * (image > 150)
        return ndimage.binary_fill_holes(segmentation.watershed(filters.sobel(image), seeds) == 2)

    def mask(_coins):
        return _coins

    def bodies(_coins, _smallest):
        labels, count = ndimage.label(_coins)
        sizes = ndimage.sum_labels(_coins, labels, range(count + 1))
        return np.where(sizes[labels] >= _smallest, labels, 0)


root = os.path.join(os.path.dirname(skimage.__file__), "data")
cache = CacheToDisk.simple("image", "mask", "bodies", root=tempfile.mkdtemp())


def dataset(smallest):
    """Return the data set, with bodies of at least so many pixels."""
    found = Photographs(root=root) >> Smoothed(width=1.0) >> Found(smallest=smallest)
    return found >> cache


# %%
# Warm the cache for all images, and look at one.

data = dataset(smallest=20)
for field in ("image", "mask", "bodies"):
    print(field, data.warm(field))

fig, axes = plt.subplots(1, 3, figsize=(9, 2.6), layout="constrained")
axes[0].imshow(data.image("coins.png"), cmap="gray")
axes[1].imshow(data.mask("coins.png"), cmap="gray")
axes[2].imshow(data.bodies("coins.png"), cmap="nipy_spectral")
for axis, title in zip(axes, ("image", "mask", "bodies")):
    axis.set_title(title)
    axis.set_axis_off()

# %%
# With another smallest size, the bodies are new. Image and mask do not depend on it, and are found.

other = dataset(smallest=1800)
for field in ("image", "mask", "bodies"):
    print(f"{field:7}", other.explain(field, "coins.png").reason)

# %%
fig, axes = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
for axis, chain in zip(axes, (data, other)):
    bodies = chain.bodies("coins.png")
    axis.imshow(bodies, cmap="nipy_spectral", vmax=24)
    axis.set_title(f"{len(set(bodies.flat)) - 1} bodies")
    axis.set_axis_off()
