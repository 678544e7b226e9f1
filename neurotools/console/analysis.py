"""A small analysis of one brain scan, in which every step remembers its results.

``neurotools demo`` copies this file into a folder and runs the copy there. Run it again, edit it,
run it once more: only what your edit can change is computed anew. With ``--why`` it tells the
reason for each result that it computes.
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurotools.jobs.cache import File, disk_cacher

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

remember = disk_cacher(str(Path(__file__).resolve().parent / "cache"))


@remember
def load(path: str) -> Floats:
    """Read a scan as an array of volumes: x, y, z, volume."""
    import nibabel

    return np.asarray(nibabel.load(path).dataobj, dtype=np.float32)


@remember
def denoise(scan: Floats, reach: int = 2, noise: float = 30.0) -> Floats:
    """Average each voxel with the neighbours that look like it (non-local means)."""
    return np.stack([denoised(volume, reach, noise) for volume in np.moveaxis(scan, -1, 0)], -1)


@remember
def decompose(scan: Floats, count: int = 4, side: int = 5) -> Floats:
    """Project the surroundings of each voxel on their first principal components."""
    mask = brain(scan)
    volumes = np.moveaxis(scan, -1, 0)
    rows = np.concatenate([surroundings(volume, mask, side) for volume in volumes])
    left, spread, _ = np.linalg.svd(rows - rows.mean(0), full_matrices=False)
    scores = (left * spread)[:, :count].reshape(len(volumes), -1, count)
    maps = np.zeros((*scan.shape, count), np.float32)
    maps[mask] = np.moveaxis(scores, 0, 1)
    return maps


@remember
def agreement(maps: Floats) -> list[float]:
    """Correlate each component between the first two volumes of the scan."""
    inside = np.any(maps != 0, axis=(-2, -1))
    return [float(np.corrcoef(pair.T)[0, 1]) for pair in np.moveaxis(maps[inside], -1, 0)]


def denoised(volume: Floats, reach: int, noise: float) -> Floats:
    """Denoise one volume, looking `reach` voxels far in each direction."""
    total, weights = np.zeros_like(volume), np.zeros_like(volume)
    for shift in product(range(-reach, reach + 1), repeat=3):
        neighbours = np.roll(volume, shift, axis=(0, 1, 2))
        weight = likeness(volume, neighbours, noise)
        total += weight * neighbours
        weights += weight
    return total / weights


def likeness(one: Floats, other: Floats, noise: float) -> Floats:
    """Return how much two volumes are alike around each voxel, between 0 and 1."""
    from scipy.ndimage import uniform_filter

    return np.exp(-uniform_filter((one - other) ** 2, 3) / np.float32(noise**2))


def brain(scan: Floats) -> Mask:
    """Return which voxels are bright enough to be brain."""
    mean = scan.mean(axis=-1)
    return mean > 0.2 * np.percentile(mean, 99)


def surroundings(volume: Floats, mask: Mask, side: int) -> Floats:
    """Return one row per voxel in the mask: the cube around it, flattened."""
    padded = np.pad(volume, side // 2)
    cubes = np.lib.stride_tricks.sliding_window_view(padded, (side, side, side))
    return cubes[mask].reshape(-1, side**3)


def scan_path() -> str:
    """Return where nibabel keeps its example: one head, echo-planar imaging, two volumes."""
    import nibabel

    return str(Path(nibabel.__file__).parent / "tests" / "data" / "example4d.nii.gz")


def step(function: Any, *arguments: Any) -> Any:
    """Call one step; say where its result came from, and how long that took."""
    reason = function.explain(*arguments) if "--why" in sys.argv else ""
    hits = function.cache_info().hits
    start = perf_counter()
    result = function(*arguments)
    seconds = perf_counter() - start
    origin = "remembered" if function.cache_info().hits > hits else "computed"
    print(f"{function.__name__:<12}{origin:<12}{seconds:10.4f} s")
    if reason and origin == "computed":
        print(*(f"    {line}" for line in str(reason).splitlines()), sep="\n")
    return result


def main() -> None:
    """Run the analysis from the file to the last number."""
    scan = step(load, File(scan_path()))
    maps = step(decompose, step(denoise, scan))
    correlations = step(agreement, maps)
    print("The two volumes agree:", "r =", ", ".join(f"{r:.4f}" for r in correlations))


if __name__ == "__main__":
    main()
