"""
A grid that grows
=================

How well a classifier does on handwritten digits, over a grid of two parameters. The first grid is
coarse. The finer one computes only the points that are new.
"""

# %%
# The digits ship with scikit-learn: 1,797 images of 8 by 8. We take every sixth.

import tempfile
from concurrent.futures import ThreadPoolExecutor

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score
from sklearn.svm import SVC

from neurotools.jobs.cache import disk_cacher

images, labels = load_digits(return_X_y=True)
images, labels = images[::6], labels[::6]

# %%
# One point of the grid is one call. Data and parameters are its arguments, and count by what they
# hold.


@disk_cacher(tempfile.mkdtemp())
def accuracy(c, gamma, images, labels):
    """Return the share of digits that are recognised, by cross-validation."""
    return float(cross_val_score(SVC(C=c, gamma=gamma), images, labels, cv=4).mean())


def grid(steps):
    """Return the accuracy at all points of a grid, and how many of them were computed."""
    cs, gammas = np.logspace(-1, 2, steps).tolist(), np.logspace(-5, -1, steps).tolist()
    before = accuracy.cache_info().misses
    points = [(c, gamma) for c in cs for gamma in gammas]
    with ThreadPoolExecutor(2) as executor:
        scores = accuracy.map(
            *zip(*points), images=images, labels=labels, executor=executor, progress=False
        )
    return points, np.array(scores), accuracy.cache_info().misses - before


coarse = grid(4)
fine = grid(7)
for points, _, computed in (coarse, fine):
    print(f"{len(points)} points, {computed} computed")

# %%
# Seven points from end to end hit all of the four: 16 of the 49 were there already. They are ringed
# in black.

fig, axes = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained", sharey=True)
known = set()
for axis, (points, scores, _) in zip(axes, (coarse, fine)):
    c, gamma = np.transpose(points)
    found = np.array([point in known for point in points])
    edges = np.where(found, "black", "white")
    shown = axis.scatter(gamma, c, c=scores, s=200, vmin=0.1, vmax=1, edgecolors=edges)
    axis.set(xscale="log", yscale="log", xlabel="gamma", title=f"{len(points)} points")
    known |= set(points)
axes[0].set_ylabel("C")
fig.colorbar(shown, label="accuracy")
