"""How much of a store 1,000 workers use, by how long a result takes to compute."""

from __future__ import annotations

from pathlib import Path

from benchmarks.cluster.counted import Steps
from benchmarks.cluster.demand import simulated, sum_of_shares, wanted
from benchmarks.cluster.stores import STORES

_WORKERS = 1000
_LENGTHS = [0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0]


def draw(steps: Steps, path: Path) -> None:
    """Draw it into a file."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "cluster", "svg.fonttype": "none", "font.size": 9})
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.5, 3.6), layout="constrained")
    axes.axhspan(1, 100, color="0.93")
    stores = [store for store in STORES.values() if not store.is_behind]  # nearly the same
    for store, colour in zip(stores, ("#1b6ca8", "#c8553d", "#4f7942"), strict=True):
        axes.plot(
            _LENGTHS,
            [wanted(steps, store, _WORKERS, seconds) for seconds in _LENGTHS],
            color=colour,
            label=store.name,
        )
        used = []
        for seconds in _LENGTHS:
            outcome = simulated(steps, store, _WORKERS, seconds)
            asked = {kind: outcome.asked[kind] / outcome.seconds for kind in store.rates}
            used.append(sum_of_shares(store, asked))
        axes.plot(_LENGTHS, used, "o", color=colour, markersize=4)
    axes.set(
        xscale="log",
        yscale="log",
        ylim=(1e-5, 100),
        xlabel="seconds to compute a result",
        ylabel="share of what the store sustains",
    )
    axes.legend(fontsize=7, frameon=False)
    figure.savefig(path, metadata={"Date": None})
