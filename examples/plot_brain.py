"""
A brain scan, step by step
==========================

A scan of a head, of which every step from the file to a map is remembered. Then one helper is
edited, and only what depends on it is computed again.
"""

# %%
# The data is an echo-planar scan that ships with nibabel: two volumes of 24 slices.

import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import nibabel
import numpy as np
from scipy import ndimage

from neurotools.jobs.cache import File, disk_cacher

SCAN = File(Path(nibabel.__file__).parent / "tests" / "data" / "example4d.nii.gz")

# %%
# A folder of your own would stay; here it is a new one each time, so that the first run has
# something to do. Each step takes what the step before gives.

remember = disk_cacher(tempfile.mkdtemp())


@remember
def loaded(path):
    """Return the volumes of a scan."""
    return np.asarray(nibabel.load(path).dataobj, dtype=np.float32)


@remember
def denoised(scan, size=5):
    """Return each volume without its speckles."""
    return ndimage.median_filter(scan, size=(size, size, 3, 1))


def bright(image):
    """Tell where there is a head."""
    return image > 0.15 * np.percentile(image, 99)


@remember
def head(scan):
    """Return the largest bright body."""
    labels, _ = ndimage.label(bright(scan.mean(axis=-1)))
    sizes = np.bincount(labels.ravel())
    return labels == 1 + sizes[1:].argmax()


STEPS = ("loaded", "denoised", "head")


def run():
    """Return the results of all steps, and the seconds that each took."""
    seconds, results = [], [SCAN]
    for step in (loaded, denoised, head):
        start = time.perf_counter()
        results.append(step(results[-1]))
        seconds.append(time.perf_counter() - start)
    return results[1:], seconds


(scan, clean, mask), first = run()
_, second = run()

# %%
# What came out, in one slice:

fig, axes = plt.subplots(1, 3, figsize=(9, 2.9), layout="constrained")
for axis, image, title in zip(axes, (scan, clean, clean), ("scan", "denoised", "head")):
    axis.imshow(image[:, :, 12, 0].T, cmap="gray", origin="lower")
    axis.set_title(title)
    axis.set_axis_off()
axes[2].contour(mask[:, :, 12].T, levels=[0.5], colors="tab:orange", linewidths=2)

# %%
# Now the threshold of ``bright`` is another. Nobody told ``head`` about it, but it calls it, so
# it is computed again. The steps before are found.


def bright(image):
    """Tell where there is a head."""
    return image > 0.3 * np.percentile(image, 99)


print(head.explain(clean))
(_, _, smaller), third = run()
print(f"{mask.sum()} voxels before, {smaller.sum()} now")

# %%
# What the three runs took:

fig, axis = plt.subplots(figsize=(8, 3), layout="constrained")
for number, (name, seconds) in enumerate(
    {"first run": first, "second run": second, "after the edit": third}.items()
):
    axis.barh(np.arange(3) + 0.27 * number, seconds, height=0.25, label=name)
axis.set_yticks(np.arange(3) + 0.27, STEPS)
axis.invert_yaxis()
axis.set_xscale("log")
axis.set_xlabel("seconds")
axis.legend(frameon=False)
