"""Is anything wrong, lost or left over after a process was killed while it used a cache?

A process stores, loads, promotes, purges and lists, and says over a pipe which results it has
stored. It is killed with SIGKILL: half of the time when a random time has passed, half of the time
before, in the middle of, or after a random operation on a file of the cache (where there is a C
compiler). Then a fresh process looks: is what was stored there, is everything right, what is left?

    python -m benchmarks.reliability.kills                 # ten thousand kills
    python -m benchmarks.reliability.kills --many 200 --largest 100000
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from benchmarks.reliability.values import FORMS, LARGEST, chosen_count, is_right, pattern
from neurotools.jobs.cache import disk_cacher, hierarchical_cacher, scan_cachedir
from tests.faults import watched

#: Kills in one cache before everything in it is looked at, and it is removed.
_IN_ONE = 40
#: A process is killed after so many seconds, or operations on files, at most.
_MOST_SECONDS, _MOST_OPERATIONS = 0.03, 400
#: Older results that are looked at after each kill, besides those of the process that was killed.
_OLDER = 6

Call = tuple[int, int]


@dataclass
class Ground:
    """A cache whose users are killed, and what is to be in it."""

    root: Path
    form: tuple[str, str | None]
    tiers: int
    durability: str
    stored: set[Call] = field(default_factory=set)
    begun: Call | None = None

    def places(self) -> list[Path]:
        return [self.root / f"tier{number}" for number in range(self.tiers)]

    def remembered(self) -> Any:
        """Return the function with its memory here."""
        method, compress = self.form
        options: dict[str, Any] = {"compress": compress, "durability": self.durability}
        if self.tiers == 1:
            return disk_cacher(self.places()[0], method, **options)(pattern)
        return hierarchical_cacher(self.places(), method, **options)(pattern)


# ---------------------------------------------------------------- who is killed


def use(
    ground: Ground,
    chance: random.Random,
    largest: int,
    say: Callable[[str], None],
    at: tuple[int, int] | None,
) -> NoReturn:
    """Use a cache until killed, saying what has been stored, and what is about to be removed."""
    remembered = ground.remembered()
    stored = sorted(ground.stored)
    if at is None:
        remembered.check_call_in_cache(0, 0)  # what is done once in a process
        say("!")
    else:
        watched.watch(str(ground.root))
        watched.kill_at(*at)
    while True:
        step = chance.random()
        if step < 0.5 or not stored:
            call = chance.getrandbits(40), chosen_count(chance, largest)
            say(f"~ {call[0]} {call[1]}")
            remembered(*call)
            say(f"+ {call[0]} {call[1]}")
            stored.append(call)
        elif step < 0.9:
            _look(remembered, chance.choice(stored), chance)
        elif step < 0.95:
            call = stored.pop(chance.randrange(len(stored)))
            say(f"- {call[0]} {call[1]}")
            remembered.purge(*call)
        elif step < 0.97:
            list(scan_cachedir(remembered.cache_root))
            remembered.lscache()
        elif step < 0.975:
            say("*")
            remembered.cache_clear()
            stored.clear()


def _look(remembered: Any, call: Call, chance: random.Random) -> None:
    tiers = remembered._hierarchy.tiers
    if len(tiers) > 1 and chance.random() < 0.7:
        # It is found in the slow tier only, and promoted.
        tiers[0].discard(remembered._key(call, {}))
    remembered(*call)


def killed(ground: Ground, chance: random.Random, largest: int) -> str:
    """Let a process use the cache and kill it; take note of what it stored. Return how."""
    reader, writer = os.pipe()
    by_operation = watched.is_watched() and chance.random() < 0.5
    number, when = chance.randrange(_MOST_OPERATIONS), chance.choice((0, 0, 1, 2))
    seconds = chance.random() * _MOST_SECONDS
    seed = chance.getrandbits(60)
    child = os.fork()
    if child == 0:
        _become_victim(ground, seed, largest, writer, (number, when) if by_operation else None)
    os.close(writer)
    if not by_operation:
        _wait_for_begin(reader)
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    with open(reader, "rb") as said:
        lines = said.read().decode().splitlines()
    _, status = os.waitpid(child, 0)
    ground_after(ground, lines)
    if not os.WIFSIGNALED(status):
        return "ended by itself: " + " ".join(lines[-1:])
    return f"operation, {('before', 'in the middle', 'after')[when]}" if by_operation else "time"


def _wait_for_begin(reader: int) -> None:
    """Wait until a process has begun with its work."""
    os.read(reader, 2)  # b"!\n"


def _become_victim(
    ground: Ground, seed: int, largest: int, writer: int, at: tuple[int, int] | None
) -> NoReturn:
    try:
        logging.getLogger("neurotools").addHandler(logging.NullHandler())
        use(ground, random.Random(seed), largest, lambda line: _say(writer, line), at)
    except BaseException as error:
        _say(writer, f"? {error!r}")
    finally:
        os._exit(3)


def _say(writer: int, line: str) -> None:
    os.write(writer, f"{line}\n".encode())


def ground_after(ground: Ground, lines: list[str]) -> None:
    """Take note of what a process has said before it was killed."""
    for what, *call in map(str.split, filter(None, lines)):
        if what == "~":
            ground.begun = int(call[0]), int(call[1])
        elif what == "+":
            ground.stored.add((int(call[0]), int(call[1])))
        elif what == "-":
            ground.stored.discard((int(call[0]), int(call[1])))
        elif what == "*":
            ground.stored.clear()


# ---------------------------------------------------------------- who looks afterwards


def looked_at(ground: Ground, calls: list[Call], *, quiet: bool = False) -> Counter[str]:
    """Return what a fresh process finds; the calls are to be hits."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            _say(writer, json.dumps(_found(ground, calls, quiet=quiet)))
        except BaseException as error:
            print(f"while looking: {error!r}", file=sys.stderr, flush=True)
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return Counter(json.loads(text) if text else {"exceptions": 1})


def _found(ground: Ground, calls: list[Call], *, quiet: bool) -> dict[str, int]:
    found: Counter[str] = Counter()
    warnings = _Counting(quiet=quiet)
    logging.getLogger("neurotools").addHandler(warnings)
    remembered = ground.remembered()
    if ground.begun is not None and ground.begun not in ground.stored:
        # Stored or not: what is found under its name is whole.
        found["broken off"] += 1
        found["wrong"] += not is_right(remembered(*ground.begun), *ground.begun)
    for call in calls:
        before = remembered.cache_info().misses
        value = remembered(*call)
        found["looked at"] += 1
        found["wrong"] += not is_right(value, *call)
        found["lost"] += remembered.cache_info().misses - before
    # One write, as every process that computes does it: it clears up.
    remembered(random.getrandbits(60), 16)
    found["warnings"] = warnings.count
    if quiet:
        remembered.cache_clear()  # removes what no list tells of
    found["left over"] = sum(1 for _ in leftovers(ground))
    return found


class _Counting(logging.Handler):
    def __init__(self, *, quiet: bool) -> None:
        super().__init__(logging.WARNING)
        self.count, self.quiet = 0, quiet

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1
        if not self.quiet:
            print(record.getMessage(), file=sys.stderr, flush=True)


def leftovers(ground: Ground) -> Iterator[str]:
    """Find unfinished files, and lists of processes that no longer live."""
    for place in ground.places():
        for folder, _, names in os.walk(place):
            own = f"-{os.getpid()}-"
            if folder.endswith(os.path.join(".neurotools", "writing")):
                yield from (name for name in names if own not in name)
            elif ".neurotools" not in folder:
                yield from (name for name in names if name.startswith(".") and own not in name)


# ---------------------------------------------------------------- all of it


def grounds(folder: Path, chance: random.Random) -> Iterator[Ground]:
    """Make one cache after the other, of all kinds."""
    number = 0
    while True:
        kinds = [(form, tiers) for form in FORMS for tiers in (1, 2)]
        chance.shuffle(kinds)
        for form, tiers in kinds:
            durability = "power" if number % 8 == 7 else "process"
            yield Ground(folder / str(number), form, tiers, durability)
            number += 1


def run(many: int, largest: int, seed: int, folder: Path) -> Counter[str]:
    chance = random.Random(seed)
    counts: Counter[str] = Counter()
    every = grounds(folder, chance)
    become_server(folder / "loading")
    while counts["kills"] < many:
        ground = next(every)
        ground.root.mkdir(parents=True)
        for _ in range(min(_IN_ONE, many - counts["kills"])):
            before = set(ground.stored)
            how = killed(ground, chance, largest)
            counts["kills"] += 1
            counts[f"killed by {how}"] += 1
            still = sorted(before & ground.stored)
            older = chance.sample(still, min(_OLDER, len(still)))
            fresh = sorted(ground.stored - before)
            counts["stored"] += len(fresh)
            counts += looked_at(ground, fresh[-20:] + older)
        counts += looked_at(ground, sorted(ground.stored))
        counts["caches"] += 1
        shutil.rmtree(ground.root)
        if sys.stderr.isatty() or counts["caches"] % 25 == 0:
            print(f"{counts['kills']} kills", file=sys.stderr, flush=True)
    return counts


def become_server(folder: Path) -> None:
    """Become a fork server: load what is needed, and learn the function's source."""
    for number, form in enumerate(FORMS):
        remembered = Ground(folder / str(number), form, 1, "power").remembered()
        remembered(0, 16)
        list(scan_cachedir(remembered.cache_root))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--many", type=int, default=10_000, help="kills")
    parser.add_argument("--largest", type=int, default=LARGEST, help="bytes of a result")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--folder", help="where the caches are made")
    parser.add_argument("--json", action="store_true", help="print counts as JSON")
    given = parser.parse_args()
    if not watched.is_watched() and not watched.reason_against():
        command = [sys.executable, "-m", "benchmarks.reliability.kills", *sys.argv[1:]]
        os.execve(sys.executable, command, watched.environment("watch"))
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=given.folder, prefix="kills-") as folder:
        counts = run(given.many, given.largest, given.seed, Path(folder))
    if given.json:
        print(json.dumps(counts))
        return
    print(f"seed {given.seed}, {time.perf_counter() - started:.0f} s")
    for name in [*_TOLD, *sorted(set(counts) - set(_TOLD))]:
        print(f"{name:34} {counts[name]}")


#: What is told even where there was none.
_TOLD = ("kills", "stored", "looked at", "wrong", "lost", "left over", "warnings", "exceptions")


if __name__ == "__main__":
    main()
