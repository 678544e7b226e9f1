"""Does a tier that fails ever reach the caller? Every call x every error x each tier x each use.

A shim makes one call after another fail on the folder of a tier, with one error after another, from
the first call on, once, or every second time, while results are looked for, stored, promoted,
purged, listed and explained. Counted is what went wrong: a wrong result, an exception of the cache,
more than one warning, another tier left out, a file left behind, a tier not used again afterwards.

    python -m benchmarks.reliability.broken_tiers               # three minutes on two cores
    python -m benchmarks.reliability.broken_tiers --all         # in every rhythm: ten minutes
    python -m benchmarks.reliability.broken_tiers --many 1000   # so many, spread over all
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from math import gcd
from pathlib import Path
from typing import Any

from tests.faults.broken import Control, environment
from tests.faults.matrix import cases


def start(share: int, of: int, folder: str, rhythms: Sequence[str]) -> subprocess.Popen[str]:
    """Have a process do every so many cases."""
    control = os.path.join(folder, f"control-{share}")
    Control(control)
    command = [sys.executable, "-m", "tests.faults.matrix", str(share), str(of), *rhythms]
    return subprocess.Popen(
        command,
        env=environment(control),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def told(results: Sequence[dict[str, Any]], seconds: float) -> str:
    """Return the counts as a short table, and what failed."""
    failed = [line for result in results for line in result["failed"]]
    kinds = Counter(str(wrong)[:60] for _, wrong in failed)
    return "\n".join(
        [
            f"combinations     {sum(result['done'] for result in results):,}",
            f"with a failure   {sum(result['struck'] for result in results):,}",
            f"gone wrong       {len(failed):,}",
            f"seconds          {seconds:,.0f}",
            *(f"  {case}: {wrong}" for case, wrong in failed[:20]),
            *(f"  {count} times {kind}" for kind, count in kinds.most_common(5)),
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; return how many cases went wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--many", type=int, default=0, help="cases to do; by default, all")
    parser.add_argument("--all", action="store_true", help="each combination in every rhythm")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    everything = len(cases(all_rhythms=options.all))
    rhythms = ["all"] if options.all else []
    step = max(1, everything // options.many) if options.many else 1
    while gcd(step, everything) > 1:  # or some kinds would be left out
        step += 1
    count, started = options.processes, time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        # Shares that differ by the step, so that together they are every step-th case.
        running = [start(number * step, count * step, folder, rhythms) for number in range(count)]
        printed = [process.communicate()[0] for process in running]
    results = [json.loads(lines.splitlines()[-1]) for lines in printed]
    print(told(results, time.perf_counter() - started))
    return min(1, sum(len(result["failed"]) for result in results))


if __name__ == "__main__":
    os.chdir(Path(__file__).resolve().parents[2])
    sys.exit(main())
