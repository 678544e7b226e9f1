"""The simulation beside real processes, at a small scale.

The real ones share a folder that answers as a store far away does: each request takes a while.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.cluster.counted import Steps
from benchmarks.cluster.demand import Table
from benchmarks.cluster.simulation import Simulation
from benchmarks.cluster.stores import Store
from benchmarks.tables import ROOT

#: Seconds that a request takes, and a result to compute; keys, and calls of each worker.
REQUEST, COMPUTE, KEYS, CALLS = 0.02, 0.4, 30, 30
_COUNTED = {
    "get": ["read"],
    "has": ["read"],
    "put": ["write"],
    "marks.create": ["write"],
    "marks.keep": ["write"],
    "marks.read": ["read"],
    "marks.drop": ["write"],
}


def compared(steps: Steps) -> Table:
    """Return the table: what was simulated, and what real processes did."""
    header = ["workers", "", "seconds", "computed", "reads", "writes"]
    rows = []
    for workers in (2, 4, 8):
        calls = [_calls(number) for number in range(workers)]
        for told, found in (("simulated", _simulated(steps, calls)), ("real", _real(calls))):
            facts = [f"{found['seconds']:.1f}"]
            facts += [f"{found[name]:,.0f}" for name in ("computed", "read", "write")]
            rows.append([str(workers), told, *facts])
    return header, rows


def _calls(worker: int) -> list[int]:
    return random.Random(worker).choices(range(KEYS), k=CALLS)


def _simulated(steps: Steps, calls: list[list[int]]) -> Counter[str]:
    asks = {"get": ("read",), "head": ("read",), "put": ("write",), "delete": ("write",)}
    store = Store("check", "requests", {"read": 1e9, "write": 1e9}, asks, REQUEST, "")
    outcome = Simulation(store, steps, lambda _: COMPUTE).run(calls)
    found = Counter(outcome.asked)
    found["computed"] = outcome.done["computed"]
    found["seconds"] = outcome.seconds  # type: ignore[assignment]
    return found


def _real(calls: list[list[int]]) -> Counter[str]:
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "benchmarks.cluster.check", scratch]
        workers = [
            subprocess.Popen(
                [*command, json.dumps(keys)],
                cwd=ROOT,
                text=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            for keys in calls
        ]
        for worker in workers:
            assert worker.stdout is not None
            worker.stdout.readline()
        found: Counter[str] = Counter()
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("\n")
            worker.stdin.flush()
        for worker in workers:
            told = json.loads(worker.communicate()[0])
            found["computed"] += told["computed"]
            found["seconds"] = max(found["seconds"], told["seconds"])
            for name, count in told["asked"].items():
                for kind in _COUNTED[name]:
                    found[kind] += count
    return found


class _Far:
    """A folder whose answers take a while; counts what it is asked."""

    def __init__(self, root: str, counts: Counter[str]) -> None:
        from neurotools.memo.tiers.directory import DirectoryTier

        inner = DirectoryTier(root)
        self.name = f"far:{root}"
        for name in ("get", "put", "has"):
            setattr(self, name, _slow(getattr(inner, name), name, counts))
        for name in ("discard", "keys", "location", "put_manifest", "get_manifest"):
            setattr(self, name, getattr(inner, name))
        self.marks = _FarMarks(inner.marks, counts)


class _FarMarks:
    is_exclusive = True

    def __init__(self, inner: Any, counts: Counter[str]) -> None:
        for name in ("create", "keep", "read", "drop"):
            setattr(self, name, _slow(getattr(inner, name), f"marks.{name}", counts))


def _slow(method: Any, name: str, counts: Counter[str]) -> Any:
    def ask(*arguments: Any) -> Any:
        counts[name] += 1
        time.sleep(REQUEST * len(_COUNTED[name]))
        return method(*arguments)

    return ask


def _work(root: str, keys: list[int]) -> None:
    """Be one of the real workers."""
    from neurotools.jobs.cache import hierarchical_cacher
    from neurotools.memo.turns import holders

    # Each is a computer of its own.
    holders._machine = lambda: ""
    counts: Counter[str] = Counter()
    computed = []

    @hierarchical_cacher((_Far(root, counts),), allow_mutable_bindings=True)  # type: ignore[arg-type]
    def slow(key: int) -> int:
        computed.append(key)
        time.sleep(COMPUTE)
        return 2 * key

    slow.keys.fingerprint  # noqa: B018 - read the code before the clock starts
    print("ready", flush=True)
    sys.stdin.readline()
    started = time.perf_counter()
    for key in keys:
        slow(key)
    seconds = time.perf_counter() - started
    print(json.dumps({"computed": len(computed), "seconds": seconds, "asked": counts}))


if __name__ == "__main__":
    _work(str(Path(sys.argv[1]) / "cache"), json.loads(sys.argv[2]))
