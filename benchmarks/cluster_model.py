"""What would 1,000 workers that share a cache ask of Lustre, of an NFS filer and of S3?

What a hit, a miss and a wait take is counted in the code as it is (system calls, where ``strace``
is installed, and requests to a store). A simulation then lets workers call a function, each asking
the store as the code does, and a store answers as soon as it can, by published figures. With
``--check`` the simulation is compared with real processes, at a small scale.

    python -m benchmarks.cluster_model            # two minutes
    python -m benchmarks.cluster_model --check    # one more
    python -m benchmarks.cluster_model --keep     # writes what the documentation shows
"""

from __future__ import annotations

import argparse
import datetime as dt
from pathlib import Path

from benchmarks.cluster import check, demand, picture
from benchmarks.cluster.counted import counted
from benchmarks.cluster.stores import STORES
from benchmarks.tables import ROOT, grid, keep


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare with real processes")
    parser.add_argument("--keep", action="store_true", help="write what the documentation shows")
    parser.add_argument("--workers", type=int, default=1000)
    chosen = parser.parse_args()
    steps = counted()
    texts = [
        grid(*demand.of_each_step(steps)),
        grid(*demand.of_workers(steps, list(STORES.values()), chosen.workers)),
    ]
    full = (
        f"{one.name} {demand.filled_at(steps, one, chosen.workers):.2g} s"
        for one in STORES.values()
    )
    texts[1] += (
        f"\n{chosen.workers:,} workers fill a store where results take: {', '.join(full)}.\n"
    )
    for text in texts:
        print(text)
    checked = grid(*check.compared(steps)) if chosen.check or chosen.keep else ""
    print(checked)
    if chosen.keep:
        told = f"From ``python -m benchmarks.cluster_model --keep``, {dt.date.today():%d %B %Y}.\n"
        keep("cluster-steps.inc", f"{texts[0]}\n{told}")
        keep("cluster-model.inc", f"{texts[1]}\n{told}")
        keep("cluster-check.inc", f"{checked}\n{told}")
        picture.draw(steps, Path(ROOT) / "docs" / "pictures" / "cluster-model.svg")


if __name__ == "__main__":
    main()
