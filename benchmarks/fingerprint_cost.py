"""What does noticing changes of code cost?

Makes packages of many functions that call each other, and measures in fresh processes: how long the
first fingerprint of all these takes, and how long it takes at each later call to see that nothing
has changed. Figures are medians over several processes, of processor time: other programs on the
machine do not count.

    python benchmarks/fingerprint_cost.py            # a minute
    python benchmarks/fingerprint_cost.py --quick    # the smallest package once
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tables import ROOT, circumstances, grid, keep

#: Functions that can be reached, and the modules they lie in.
SIZES = ((10, 1), (50, 5), (100, 5), (1000, 40))
REPEATS = 5

_FUNCTION = '''

SCALE_{number} = {number}.5


def step_{number}(signal, width=3):
    """Smooth a signal, and hand it on."""
    # The edges are left as they are.
    total = []
    for start in range(len(signal) - width):
        window = signal[start : start + width]
        if start % 2:
            total.append(np.mean(window) * SCALE_{number})
        else:
            total.append(math.sqrt(sum(window)))
    return {following}
'''

_BELOW = """
*Each call*: to see that nothing has changed. *First call*: the fingerprint in a new process, with
the modules imported and numpy loaded, where an earlier process has seen the same files with this
cache, and where none has. *Import*: what Python itself takes to import the same modules from
``.pyc`` files. In the same processes, ``np.load`` of a file with 1 kB takes {load:.0f} µs. All are
processor times. {circumstances}
"""


# ---------------------------------------------------------------- what is measured


def generate(folder: Path, functions: int, modules: int) -> None:
    """Write a package in which ``package.part_0.step_0`` reaches every function."""
    package = folder / "package"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    each = functions // modules
    for part in range(modules):
        numbers = range(part * each, (part + 1) * each)
        bodies = [_body(number, numbers, functions) for number in numbers]
        below = f"from package import part_{part + 1}\n" if part + 1 < modules else ""
        head = f"import math\n\nimport numpy as np\n\n{below}"
        (package / f"part_{part}.py").write_text(head + "".join(bodies), encoding="utf-8")


def _body(number: int, numbers: range, functions: int) -> str:
    following = f"step_{number + 1}(total)"
    if number + 1 == functions:
        following = "total"
    elif number + 1 not in numbers:
        following = f"part_{(number + 1) // len(numbers)}.{following}"
    return _FUNCTION.format(number=number, following=following)


def measure(folder: str) -> dict[str, float]:
    """Return seconds, measured in this process, which has loaded nothing of the package yet."""
    sys.path[:0] = [folder, str(ROOT)]
    import numpy as np

    from neurotools.memo.fingerprint.reach import Tracker
    from neurotools.memo.tiers.directory import DirectoryTier

    shelf = DirectoryTier(os.path.join(folder, "cache"))
    started = time.process_time()
    from package import part_0

    imported = time.process_time()
    tracker = Tracker(part_0.step_0, shelf=shelf)
    tracker.current()
    followed = time.process_time()
    small = os.path.join(folder, "small.npy")
    np.save(small, np.zeros(128))
    return {
        "import": imported - started,
        "first": followed - imported,
        "each": per_call(tracker.current),
        "load": per_call(lambda: np.load(small)),
        "reached": len(tracker.reached),
    }


def per_call(call: Callable[[], Any], batches: int = 15, seconds: float = 0.02) -> float:
    """Return the median time of a call over batches that each last about so many seconds."""
    started = time.process_time()
    call()
    count = max(3, int(seconds / (time.process_time() - started)))
    times = []
    for _ in range(batches):
        started = time.process_time()
        for _ in range(count):
            call()
        times.append((time.process_time() - started) / count)
    return statistics.median(times)


# ---------------------------------------------------------------- processes


def in_process(folder: Path, *, known: bool) -> dict[str, float]:
    """Measure in a fresh process, with what an earlier one has learnt or without."""
    if not known:
        shutil.rmtree(folder / "cache", ignore_errors=True)
    return json.loads(_run("-B", __file__, "--measure", str(folder)))


def _run(*arguments: str) -> str:
    return subprocess.run(
        [sys.executable, *arguments], check=True, capture_output=True, text=True
    ).stdout


def medians(folder: Path, repeats: int, *, known: bool) -> dict[str, float]:
    all_of = [in_process(folder, known=known) for _ in range(repeats)]
    return {name: statistics.median(one[name] for one in all_of) for name in all_of[0]}


def row(functions: int, modules: int, repeats: int) -> tuple[list[str], float]:
    """Return a row of the table, and the seconds that ``np.load`` takes."""
    with tempfile.TemporaryDirectory(prefix="cost-") as name:
        folder = Path(name)
        generate(folder, functions, modules)
        for package in (folder / "package", ROOT / "neurotools"):
            _run("-m", "compileall", "-q", str(package))
        new, known = (medians(folder, repeats, known=known) for known in (False, True))
    assert new["reached"] == functions, f"{new['reached']} of {functions} functions were reached"
    cells = [
        f"{functions} in {modules}",
        f"{known['each'] * 1e6:.1f} µs",
        f"{known['each'] / known['load']:.2f}",
        f"{known['first'] * 1e3:.0f} ms, {new['first'] * 1e3:.0f} ms",
        f"{known['import'] * 1e3:.0f} ms",
    ]
    return cells, known["load"]


# ---------------------------------------------------------------- the command


HEADER = [
    "functions in modules",
    "each call",
    "of np.load",
    "first call: known, new",
    "import",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one small package, once")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        print(json.dumps(measure(chosen.measure)))
        return
    sizes, repeats = (SIZES[:1], 1) if chosen.quick else (SIZES, REPEATS)
    rows, loads = zip(*(row(*size, repeats) for size in sizes), strict=True)
    where = circumstances("fingerprint_cost.py")
    load = statistics.median(loads) * 1e6
    text = grid(HEADER, rows) + _BELOW.format(load=load, circumstances=where)
    print(text)
    if not chosen.quick:
        keep("fingerprint-cost.inc", text)


if __name__ == "__main__":
    main()
