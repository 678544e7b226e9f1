"""Is anything wrong or lost after the power has failed?

A process stores, promotes and purges. All that it does to files is recorded, with the data. Then it
is pretended that the power failed between two of its operations: what had not been brought to the
disk by then is there, or is not, or is there in part, or as zeros, by chance
(`tests.faults.power`). A fresh process is given what is left.

    python -m benchmarks.reliability.power                 # ten thousand failures of the power
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.reliability.kills import Call, Ground, become_server, looked_at
from benchmarks.reliability.values import FORMS, chosen_count
from tests.faults import watched
from tests.faults.power import Disk

#: What one recorded process does, and how often the power fails in it.
_STEPS, _FAILURES = 12, 24
#: Large enough that room is reserved first, and the checksum is made by another thread.
LARGEST = 20 << 20


def recorded(ground: Ground, seed: int, largest: int) -> bytes:
    """Have a process use a cache; return what it did to files."""
    with tempfile.TemporaryFile() as log:
        child = os.fork()
        if child == 0:
            try:
                watched.watch(str(ground.root), log.fileno())
                _use(ground, random.Random(seed), largest)
                os._exit(0)
            finally:
                os._exit(1)
        if os.waitpid(child, 0)[1]:
            raise RuntimeError("the process that was to be recorded failed")
        log.seek(0)
        return log.read()


def _use(ground: Ground, chance: random.Random, largest: int) -> None:
    remembered = ground.remembered()
    stored: list[Call] = []
    for _ in range(_STEPS):
        step = chance.random()
        if step < 0.6 or not stored:
            call = chance.getrandbits(40), chosen_count(chance, largest)
            remembered(*call)
            watched.note(f"+ {call[0]} {call[1]}")
            stored.append(call)
        elif step < 0.85:
            call = chance.choice(stored)
            if ground.tiers == 1:
                watched.note(f"- {call[0]} {call[1]}")
            remembered._hierarchy.tiers[0].discard(remembered._key(call, {}))
            remembered(*call)
            watched.note(f"+ {call[0]} {call[1]}")
        else:
            call = stored.pop(chance.randrange(len(stored)))
            watched.note(f"- {call[0]} {call[1]}")
            remembered.purge(*call)


def failures(log: bytes, ground: Ground, chance: random.Random) -> Iterator[Ground]:
    """Let the power fail at random moments; yield what is left each time, in a place of its own."""
    operations = list(watched.operations(log))
    moments = Counter(chance.randint(1, len(operations)) for _ in range(_FAILURES))
    disk, stored = Disk(str(ground.root)), set[Call]()
    for number, operation in enumerate(operations, 1):
        disk.do(operation)
        if operation.what == "n":
            what, *call = operation.one.decode().split()
            change = stored.add if what == "+" else stored.discard
            change((int(call[0]), int(call[1])))
        for again in range(moments[number]):
            place = ground.root.with_name(f"{ground.root.name}-{number}-{again}")
            # Journals of names are ahead of the data, most of the time.
            disk.fail(place, chance, names=chance.choice(("", "all", "all", "first")))
            yield Ground(place, ground.form, ground.tiers, ground.durability, set(stored))


def run(many: int, largest: int, seed: int, folder: Path) -> dict[str, Counter[str]]:
    """Return counts by durability."""
    become_server(folder / "loading")
    chance = random.Random(seed)
    counts: dict[str, Counter[str]] = {"process": Counter(), "power": Counter()}
    number = 0
    while min(count["failures"] for count in counts.values()) < many / 2:
        durability, form = ("process", "power")[number % 2], FORMS[number // 2 % len(FORMS)]
        ground = Ground(folder / str(number), form, chance.choice((1, 1, 2)), durability)
        number += 1
        ground.root.mkdir()
        log = recorded(ground, chance.getrandbits(60), largest)
        shutil.rmtree(ground.root)
        for left in failures(log, ground, chance):
            counts[durability]["failures"] += 1
            counts[durability]["stored"] += len(left.stored)
            counts[durability] += looked_at(left, sorted(left.stored), quiet=True)
            shutil.rmtree(left.root)
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--many", type=int, default=10_000, help="failures of the power")
    parser.add_argument("--largest", type=int, default=LARGEST, help="bytes of a result")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--folder", help="where the caches are made")
    parser.add_argument("--json", action="store_true", help="print counts as JSON")
    given = parser.parse_args()
    if reason := watched.reason_against():
        raise SystemExit(f"this cannot be done here: {reason}")
    if not watched.is_watched():
        command = [sys.executable, "-m", "benchmarks.reliability.power", *sys.argv[1:]]
        os.execve(sys.executable, command, watched.environment("watch"))
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=given.folder, prefix="power-") as folder:
        counts = run(given.many, given.largest, given.seed, Path(folder))
    if given.json:
        print(json.dumps(counts))
        return
    print(f"seed {given.seed}, {time.perf_counter() - started:.0f} s")
    for name in ("failures", "stored", "wrong", "lost", "left over", "warnings", "exceptions"):
        print(f"{name:12} {counts['process'][name]:>10} {counts['power'][name]:>10}")


if __name__ == "__main__":
    main()
