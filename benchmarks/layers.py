"""How long do layers take to hand out what they keep, beside connectome?

Replays the page of connectome's tutorial on caching, on a photograph of scikit-image: the
same classes, once with our layers and once with the original, taking turns in one process. Each row
names the statement of the page that it times.

    python -m benchmarks.layers            # a minute
    python -m benchmarks.layers --keep     # writes what the documentation shows

The first time it makes a virtual environment of its own, ``.venv-layers``, from PyPI.
"""

from __future__ import annotations

import argparse
import importlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.speed.environment import go_there
from benchmarks.tables import ROOT, circumstances, grid, keep

ENVIRONMENT, PEERS = ROOT / ".venv-layers", ROOT / "benchmarks" / "layers_peers.txt"
KEY = "camera.png"
#: Seconds that the calls of one turn take together, at least.
_TURN = 0.02

_BELOW = """
``x, y = dataset.image(key), dataset.mask(key)`` unless something else is said, in milliseconds:
medians of {rounds} rounds, in which the two take turns in one process; the ratio is one of a round.
{circumstances}
"""


class Row(NamedTuple):
    """One statement.

    Attributes
    ----------
    statement : str
        Of the page, or of what is wanted beyond.
    make : callable
        Takes the names of a library and a folder; returns a call to be timed, made anew for each
        round.
    goal : str
        What is wanted, or nothing.
    is_first : bool
        Whether only the first call counts.
    """

    statement: str
    make: Callable[[Any, Path], Callable[[], Any]]
    goal: str = ""
    is_first: bool = False


def collection() -> str:
    import skimage

    return os.path.join(os.path.dirname(skimage.__file__), "data")


def classes(api: Any) -> tuple[Any, ...]:
    """Return the classes of the tutorial, written with one of the two libraries."""
    import numpy as np
    from scipy import ndimage
    from skimage.io import imread

    class Photographs(api.Source):
        _root: str

        @api.meta
        def ids(_root):  # type: ignore[no-untyped-def]
            return tuple(sorted(os.listdir(_root)))

        def image(i, _root):  # type: ignore[no-untyped-def]
            return imread(os.path.join(_root, i)).astype("float64")

        def mask(i, _root):  # type: ignore[no-untyped-def]
            return imread(os.path.join(_root, i)) > 100

    class Binarize(api.Transform):
        __inherit__ = "image"

        def mask(mask):  # type: ignore[no-untyped-def]
            return mask > 0

    class Zoom(api.Transform):
        _factor: float

        def image(image, _factor):  # type: ignore[no-untyped-def]
            return ndimage.zoom(image, _factor, order=1)

        def mask(mask, _factor):  # type: ignore[no-untyped-def]
            return ndimage.zoom(mask.astype("float64"), _factor, order=1) > 0.5

    class Crop(api.Transform):
        def _box(mask):  # type: ignore[no-untyped-def]
            bright = np.argwhere(mask)
            return bright.min(0), bright.max(0) + 1

        def image(image, _box):  # type: ignore[no-untyped-def]
            (top, left), (bottom, right) = _box
            return image[top:bottom, left:right]

        def mask(mask, _box):  # type: ignore[no-untyped-def]
            (top, left), (bottom, right) = _box
            return mask[top:bottom, left:right]

    return Photographs, Binarize, Zoom, Crop


def dataset(api: Any, factor: float = 0.25) -> Any:
    source, binarize, zoom, crop = api.tutorial
    return api.Chain(source(root=collection()), binarize(), zoom(factor=factor), crop())


def both(chain: Any) -> Callable[[], Any]:
    return lambda: (chain.image(KEY), chain.mask(KEY))


def filled(chain: Any) -> Callable[[], Any]:
    call = both(chain)
    call()
    return call


def disk(api: Any, folder: Path) -> Any:
    return api.CacheToDisk.simple("image", "mask", root=folder / "cache")


def plain(api: Any, folder: Path) -> Callable[[], Any]:
    del folder
    return both(dataset(api))


def ram_first(api: Any, folder: Path) -> Callable[[], Any]:
    del folder
    return both(dataset(api) >> api.CacheToRam())


def ram_next(api: Any, folder: Path, factor: float = 0.25) -> Callable[[], Any]:
    del folder
    return filled(dataset(api, factor) >> api.CacheToRam())


def ram_large(api: Any, folder: Path) -> Callable[[], Any]:
    return ram_next(api, folder, 0.5)


def ram_again(api: Any, folder: Path) -> Callable[[], Any]:
    ram_next(api, folder)
    return ram_first(api, folder)


def disk_first(api: Any, folder: Path) -> Callable[[], Any]:
    return both(dataset(api) >> disk(api, folder))


def disk_next(api: Any, folder: Path, factor: float = 0.25) -> Callable[[], Any]:
    return filled(dataset(api, factor) >> disk(api, folder))


def disk_large(api: Any, folder: Path) -> Callable[[], Any]:
    return disk_next(api, folder, 0.5)


def disk_again(api: Any, folder: Path) -> Callable[[], Any]:
    disk_next(api, folder)
    return disk_first(api, folder)


def over_first(api: Any, folder: Path) -> Callable[[], Any]:
    disk_next(api, folder)
    return both(api.Chain(dataset(api), disk(api, folder), api.CacheToRam()))


def over_next(api: Any, folder: Path) -> Callable[[], Any]:
    return filled(api.Chain(dataset(api), disk(api, folder), api.CacheToRam()))


def invalidated(api: Any, folder: Path) -> Callable[[], Any]:
    """Return a call that loads from two data sets in one folder."""
    cache = disk(api, folder)
    small, big = dataset(api, 0.25) >> cache, dataset(api, 0.5) >> cache
    shapes = small.image(KEY).shape, big.image(KEY).shape
    assert shapes == ((128, 128), (256, 256)), shapes
    return lambda: (small.image(KEY).shape, big.image(KEY).shape)


def building(api: Any, folder: Path) -> Callable[[], Any]:
    del folder
    source, binarize, zoom, crop = api.tutorial

    def build() -> Any:
        zooms = [zoom(factor=1.0) for _ in range(6)]
        return api.Chain(source(root="."), binarize(), *zooms, crop(), api.CacheToRam())

    return build


ROWS = (
    Row("the data set itself: 49.6 ms", plain),
    Row("``CacheToRam``: the first call will take around the same time", ram_first, is_first=True),
    Row("subsequent calls will be much faster: 1.55 ms, ~30 times", ram_next, "1/10"),
    Row("the same of 512 kB", ram_large, "1/10"),
    Row("create the dataset again: first call - slow again!", ram_again, is_first=True),
    Row("``CacheToDisk``: the first run is slow as always", disk_first, is_first=True),
    Row("and next calls are faster: 15.4 ms", disk_next, "1/3"),
    Row("the same of 512 kB", disk_large, "1/3"),
    Row(
        "create the dataset again: now even the first call is fast",
        disk_again,
        "1/3",
        is_first=True,
    ),
    Row("memory over disk: the first call, 16 ms", over_first, is_first=True),
    Row("memory over disk: next calls, 7.29 ms", over_next, "1/10"),
    Row("small and big in one folder, loaded (two images)", invalidated, "1/3"),
    Row("to build a chain of ten layers", building, "1 ms"),
)

NAMES = ("Source", "Transform", "Chain", "CacheToRam", "CacheToDisk", "meta")


class Library:
    """The names of one of the two libraries, and the classes of the tutorial written with them."""

    def __init__(self, module: str) -> None:
        found = importlib.import_module(module)
        for name in NAMES:
            setattr(self, name, getattr(found, name))
        self.tutorial = classes(self)


def seconds(row: Row, call: Callable[[], Any]) -> float:
    """Return how long one call takes: the first one, or the mean of some."""
    many, taken = 1, 0.0
    while True:
        started = time.perf_counter()
        for _ in range(many):
            call()
        taken = time.perf_counter() - started
        if row.is_first or taken >= _TURN:
            return taken / many
        many = max(many + 1, int(many * 1.5 * _TURN / max(taken, 1e-6)))


def turns(row: Row, libraries: list[Any], rounds: int, scratch: Path) -> Iterator[list[float]]:
    """Yield how long each library takes, round by round; who begins changes."""
    for number in range(rounds):
        order = libraries[::-1] if number % 2 else libraries
        found = {}
        for library in order:
            with tempfile.TemporaryDirectory(dir=scratch) as folder:
                found[id(library)] = seconds(row, row.make(library, Path(folder)))
        yield [found[id(library)] for library in libraries]


def line(row: Row, found: list[list[float]]) -> tuple[str, ...]:
    """Return what is shown of a row."""
    ours, theirs = [statistics.median(column) * 1e3 for column in zip(*found, strict=True)]
    ratio = statistics.median(one / other for one, other in found)
    told = f"1/{1 / ratio:.0f}" if ratio < 0.5 else f"{ratio:.2f}"
    return row.statement, f"{ours:.3g}", f"{theirs:.3g}", told, row.goal


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--rows", default="", help="words of statements, with commas between")
    parser.add_argument("--keep", action="store_true", help="write what the documentation shows")
    chosen = parser.parse_args()
    go_there("benchmarks.layers", ENVIRONMENT, PEERS)
    libraries = [Library("neurotools.jobs.layers"), Library("connectome")]
    words = [word for word in chosen.rows.split(",") if word]
    rows = [row for row in ROWS if not words or any(word in row.statement for word in words)]
    lines = []
    with tempfile.TemporaryDirectory(prefix="layers-") as scratch:
        for row in rows:
            lines.append(line(row, list(turns(row, libraries, chosen.rounds, Path(scratch)))))
            print(*lines[-1], sep="  ", flush=True)
    text = grid(("statement", "neurotools", "connectome", "ratio", "goal"), lines)
    text += _BELOW.format(rounds=chosen.rounds, circumstances=circumstances("layers.py"))
    text = text.replace("python benchmarks/layers.py", "python -m benchmarks.layers")
    print(f"\n{text}")
    if chosen.keep:
        keep("layers.inc", text)


if __name__ == "__main__":
    main()
