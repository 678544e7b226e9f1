"""What each step of a call takes, counted: system calls on a folder, requests of a store.

System calls are counted with ``strace``; where that is not installed, as they were counted last.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.tables import ROOT

#: Kind of a place, step -> how often what is done.
Steps = dict[str, dict[str, Counter[str]]]

#: What `counted` found last, for where there is no strace.
_KEPT = Path(__file__).with_name("counted.json")

_FOLDER = """
import os, sys, time
import numpy as np
from neurotools.jobs.cache import disk_cacher
from neurotools.memo.turns import leases
from neurotools.memo.watch.health import health_at
root, reach = sys.argv[1], sys.argv[2] == "locks"
health_at(os.path.join(root, "__neurotools_cache__")).kind = "nfs4"
leases.locks_reach = lambda _: reach
@disk_cacher(root)
def f(x):
    return np.full(128, x, float)
def step(name):
    os.path.lexists("/step/" + name)
f(-1); f(-2); f(-1)
key = f._key((1,), {})
step("miss")
f(1)
step("hit")
f(1)
step("ready")
lease = f._flight.leases.of(f._key((2,), {}), list)
lease.beat()
lease._beaten = (0.0, 0.0)
lease._is_marked = False
step("beat")
lease.beat()
step("poll")
lease._leases.marks.read(lease.name)
step("look")
f._hierarchy.has(f._key((3,), {}))
step("end")
"""

#: System calls -> what is done, by what comes back.
_CALLS = (
    (r"openat\(.*O_CREAT.*\) = \d", "create"),
    (r"openat\(.*\) = \d", "open"),
    (r"openat\(.*ENOENT", "missing"),
    (r"(newfstatat|stat|lstat|statx)\(AT_FDCWD|\b[ls]*stat\(\"", "look"),
    (r"f?chmod(at)?\(", "mode"),
    (r"rename(at2?)?\(", "rename"),
    (r"link(at)?\(", "link"),
    (r"fcntl\(.*F_SETLKW?, .*F_UNLCK", "unlock"),
    (r"fcntl\(.*F_SETLKW?, ", "lock"),
    (r"(readv?|pread64)\(", "read"),
    (r"(p?writev?|pwrite64)\(", "write"),
)


def counted() -> Steps:
    """Return what each step takes, for folders with and without locks and for stores."""
    steps: Steps = {"requests": _requests()}
    kept = json.loads(_KEPT.read_text()) if _KEPT.exists() else {}
    for kind in ("locks", "leases"):
        if shutil.which("strace"):
            kept[kind] = _traced(kind)
        steps[kind] = {name: Counter(counts) for name, counts in kept[kind].items()}
    _KEPT.write_text(
        json.dumps({kind: kept[kind] for kind in ("locks", "leases")}, indent=1) + "\n"
    )
    return steps


def _traced(kind: str) -> dict[str, dict[str, int]]:
    with tempfile.TemporaryDirectory() as scratch:
        log = f"{scratch}/calls"
        script = Path(scratch) / "one.py"
        script.write_text(_FOLDER)
        strace = ["strace", "-f", "-y", "-o", log]
        command = [*strace, sys.executable, str(script), f"{scratch}/c", kind]
        subprocess.run(command, check=True, cwd=ROOT, env=_environment(), capture_output=True)
        return _steps_in(Path(log).read_text(errors="replace"), f"{scratch}/c")


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def _steps_in(log: str, folder: str) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {}
    step = ""
    for line in log.splitlines():
        if marker := re.search(r'"/step/(\w+)"', line):
            step = marker[1]
        elif step and folder in line and "unfinished" not in line:
            for pattern, name in _CALLS:
                if re.search(pattern, line):
                    is_removal = name == "link" and "unlink" in line
                    found.setdefault(step, Counter())["unlink" if is_removal else name] += 1
                    break
    for name in ("ready", "end"):
        found.pop(name, None)
    return {name: dict(sorted(counts.items())) for name, counts in found.items()}


#: What the tier for object stores sends for what it is asked.
_SENT = {
    "get": ("get",),
    "has": ("head",),
    "put": ("put",),
    "marks.create": ("put",),
    "marks.keep": ("put",),
    "marks.read": ("get",),
    "marks.drop": ("delete",),
}


class _Asked:
    """A tier that counts what it is asked, and keeps nothing."""

    name = "counted://"

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.entries: dict[Any, Any] = {}
        self.marks = _AskedMarks(self)

    def get(self, key: Any) -> Any:
        self.counts["get"] += 1
        return self.entries.get(key)

    def put(self, key: Any, blob: Any) -> None:
        from neurotools.memo.seal import Sealed

        self.counts["put"] += 1
        self.entries[key] = Sealed(memoryview(b"".join(blob.parts)), key, "counted")

    def has(self, key: Any) -> bool:
        self.counts["has"] += 1
        return key in self.entries

    def discard(self, _: Any) -> bool:
        return False

    def keys(self, _: str = "") -> Any:
        return iter(())

    def location(self, key: Any) -> str:
        return f"counted://{key.path}"

    def put_manifest(self, *_: Any) -> None:
        """Once for each version of a function: not counted."""

    def get_manifest(self, *_: Any) -> None:
        return None


class _AskedMarks:
    is_exclusive = True

    def __init__(self, tier: _Asked) -> None:
        self._tier = tier

    def _count(self, name: str) -> None:
        self._tier.counts[f"marks.{name}"] += 1

    def create(self, *_: Any) -> bool:
        self._count("create")
        return True

    def keep(self, *_: Any) -> None:
        self._count("keep")

    def read(self, _: str) -> bytes | None:
        self._count("read")
        return None

    def drop(self, _: str) -> bool:
        self._count("drop")
        return True

    def names(self, _: str) -> list[str]:
        return []


def _requests() -> dict[str, Counter[str]]:
    from neurotools.jobs.cache import hierarchical_cacher

    tier = _Asked()
    remember = hierarchical_cacher((tier,))  # type: ignore[arg-type]
    square = remember(_square)
    found = {}
    square(-1)
    for step in ("miss", "hit"):
        tier.counts.clear()
        square(3)
        found[step] = Counter(
            sent for name, count in tier.counts.items() for sent in _SENT[name] * count
        )
    return {
        **found,
        "beat": Counter(_SENT["marks.keep"]),
        "poll": Counter(_SENT["marks.read"]),
        "look": Counter(_SENT["has"]),
    }


def _square(x: int) -> int:
    return x * x
