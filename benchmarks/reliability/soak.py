"""Does anything go wrong, in minutes or days, when everything happens at once?

Processes with several threads use one cache in all formats, with the same and with different keys,
through one folder and through several tiers. They purge, clear, list, combine and are killed or
stopped at any time, while another process damages entries. Results of one function, ``pattern``,
are left alone: none that was stored may ever be computed again. Those of another, ``worn``, suffer.

    python -m benchmarks.reliability.soak --minutes 10
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import logging
import os
import random
import select
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from benchmarks.reliability import values
from benchmarks.reliability.kills import Call, Ground, become_server, looked_at
from benchmarks.reliability.values import FORMS, chosen_count, is_right, pattern, worn
from neurotools.jobs.cache import combine_caches, disk_cacher, hierarchical_cacher, scan_cachedir

_THREADS = 3
_LARGEST = 4 << 20
#: Keys of `worn` that everybody asks for; kept results that a process looks at, of so many in all.
_HOT, _KNOWN = 30, 500

#: What is told, even where there was none.
TOLD = (
    *("calls", "hits", "recomputed", "wrong", "lost", "left over", "exceptions", "warnings"),
    *("kept", "damages", "kills", "stops", "purges", "clears", "listings", "combines"),
)


class Worker:
    """One process that uses the cache.

    Parameters
    ----------
    root : Path
        Folder of all tiers.
    kept : list of (str, Call)
        Results that are in the cache, by form.
    say : callable
        Takes lines.
    """

    def __init__(self, root: Path, kept: list[tuple[int, Call]], say: Callable[..., None]) -> None:
        self.kept, self.say = kept, say
        self.places = [root / "tier0", root / "tier1"]
        self.chance = random.Random(os.getpid() * time.perf_counter_ns())
        values.VERSION = self.chance.randrange(3)
        self.shared = [self.remembered(worn, form) for form in FORMS]

    def remembered(self, function: Any, form: tuple[str, str | None]) -> Any:
        method, compress = form
        layout = self.chance.randrange(4)
        if layout == 0:
            mapped = function is pattern and compress is None and method == "npy"
            mode = self.chance.choice((None, "r", "c")) if mapped else None
            cacher = disk_cacher(
                self.places[1],
                method,
                cache_identifier="cache",
                compress=compress,
                mmap_mode=mode,
            )
        else:
            tiers = ["ram://?max_bytes=3e7"] * (layout == 3) + self.places
            durability = "power" if self.chance.random() < 0.02 else "process"
            cacher = hierarchical_cacher(
                tiers, method, cache_identifier="cache", compress=compress, durability=durability
            )
        return cacher(function)

    def work(self) -> NoReturn:
        for _ in range(_THREADS):
            threading.Thread(target=self.thread, daemon=True).start()
        while True:
            time.sleep(60)

    def thread(self) -> None:
        own = [self.remembered(pattern, form) for form in FORMS]
        while True:
            try:
                self.step(own, self.chance.random())
            except Exception:
                self.say("exceptions", traceback.format_exc())

    def step(self, own: list[Any], what: float) -> None:
        number = self.chance.randrange(len(FORMS))
        hot = self.chance.randrange(_HOT)
        call = (hot, 200 + hot * hot * 40)
        remembered = self.shared[number]
        if what < 0.5:
            self.ask(remembered, call)
        elif what < 0.6:
            self.ask(remembered, (self.chance.getrandbits(40), chosen_count(self.chance, _LARGEST)))
        elif what < 0.68:
            self.keep(own[number], number)
        elif what < 0.92 and self.kept:
            self.look(own, *self.chance.choice(self.kept))
        elif what < 0.96:
            remembered.purge(*call)
            self.say("purges")
        elif what < 0.964:
            remembered.cache_clear()
            self.say("clears")
        elif what < 0.97:
            self.list(remembered)
        elif what < 0.973:
            combine_caches(remembered.cache_root, remembered)
            self.say("combines")

    def ask(self, remembered: Any, call: Call) -> None:
        before = remembered.cache_info().misses
        if not is_right(remembered(*call), *call):
            self.say("wrong", f"{remembered} {call}")
        # Other threads count, too: a little is told of neither.
        self.say("calls", "recomputed" if remembered.cache_info().misses > before else "hits")

    def keep(self, remembered: Any, number: int) -> None:
        call = self.chance.getrandbits(40), chosen_count(self.chance, _LARGEST // 16)
        if not is_right(remembered(*call), *call):
            self.say("wrong", f"{remembered} {call}")
        self.say("kept", f"{number} {call[0]} {call[1]}")
        self.kept.append((number, call))

    def look(self, own: list[Any], number: int, call: Call) -> None:
        remembered = own[number]
        before = remembered.cache_info().misses
        if not is_right(remembered(*call), *call):
            self.say("wrong", f"{remembered} {call}")
        if remembered.cache_info().misses > before:
            self.say("lost", f"{remembered} {call}")
        self.say("calls", "hits")

    def list(self, remembered: Any) -> None:
        collections.deque(scan_cachedir(remembered.cache_root), maxlen=0)
        remembered.lscache(), remembered.versions(), remembered.explain(1, 1)
        self.say("listings")


class _Saying(logging.Handler):
    def __init__(self, say: Callable[..., None]) -> None:
        super().__init__(logging.WARNING)
        self.said = say

    def emit(self, record: logging.LogRecord) -> None:
        self.said("warnings", record.getMessage())


def damage(root: Path, say: Callable[..., None]) -> NoReturn:
    """Damage entries of `worn` for ever."""
    chance = random.Random()
    while True:
        paths = list(root.glob("tier*/cache/benchmarks/reliability/values/worn/*/*.*"))
        chance.shuffle(paths)
        time.sleep(0.2)
        for path in paths[:20]:
            # It may be gone, or no file any more.
            with contextlib.suppress(OSError):
                if _damaged(path, chance):
                    say("damages")


def _damaged(path: Path, chance: random.Random) -> bool:
    if path.name == "manifest.json" or path.name.startswith(".") or not path.is_file():
        return False
    content = bytearray(path.read_bytes())
    if not content:
        return False
    place = chance.randrange(len(content))
    kind = chance.randrange(5)
    if kind == 0:
        content[place] ^= 1 << chance.randrange(8)
    elif kind == 1:
        del content[place:]
    elif kind == 2:
        content[place:] = bytes(len(content) - place)
    elif kind == 3:
        content += b"more"
    if kind < 4 and chance.random() < 0.5:
        with open(path, "r+b") as file:
            file.write(content)
            file.truncate()
        return True
    other = path.with_name("damaging")
    if kind == 4:
        os.mkfifo(other)
    else:
        other.write_bytes(content)
    os.replace(other, path)
    return True


class Soak:
    """All processes, and what they say."""

    def __init__(self, root: Path, workers: int) -> None:
        self.root, self.workers = root, workers
        self.counts: Counter[str] = Counter()
        self.kept: list[tuple[int, Call]] = []
        self.examples: Counter[str] = Counter()
        self.reader, self.writer = os.pipe()
        self.rest = b""
        self.running: list[int] = []

    def begin(self, work: Callable[[Callable[..., None]], NoReturn]) -> int:
        child = os.fork()
        if child:
            return child
        try:
            os.close(self.reader)
            logging.getLogger("neurotools").addHandler(_Saying(self.say))
            logging.getLogger("neurotools").propagate = False
            work(self.say)
        finally:
            traceback.print_exc()
            os._exit(1)

    def begin_worker(self) -> int:
        known = random.sample(self.kept, min(_KNOWN, len(self.kept)))
        return self.begin(lambda say: Worker(self.root, known, say).work())

    def say(self, what: str, *more: str) -> None:
        text = "\t".join((what, *(one.replace("\n", "\r").replace("\t", " ") for one in more)))
        os.write(self.writer, text.encode()[-4000:] + b"\n")

    def hear(self, seconds: float) -> None:
        """Take in what is said in the next seconds."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 or select.select([self.reader], [], [], 0)[0]:
            if select.select([self.reader], [], [], max(left, 0))[0]:
                *lines, self.rest = (self.rest + os.read(self.reader, 1 << 16)).split(b"\n")
                for line in lines:
                    self.heard(*line.decode("utf-8", "replace").split("\t"))
            if left < -5:
                break

    def heard(self, what: str, *more: str) -> None:
        self.counts[what] += 1
        if what == "kept":
            number, seed, count = map(int, more[0].split())
            self.kept.append((number, (seed, count)))
        elif what == "calls":
            self.counts[more[0]] += 1
        elif what in {"wrong", "lost", "exceptions", "warnings"}:
            kind = what if what == "warnings" else f"{what}: {more[0]}"
            self.examples[kind] += 1
            if what != "warnings" and self.examples[kind] <= 3:
                print(what, more[0].replace("\r", "\n"), file=sys.stderr, flush=True)

    def run(self, seconds: float) -> Counter[str]:
        become_server(self.root / "loading")
        shutil.rmtree(self.root / "loading")
        until = time.monotonic() + seconds
        damager = self.begin(lambda say: damage(self.root, say))
        self.running = [self.begin_worker() for _ in range(self.workers)]
        try:
            # On a busy machine little is done in a short time, and nobody may have been killed.
            while time.monotonic() < until or not self.counts["kills"]:
                self.hear(random.random())
                self.strike(random.randrange(self.workers))
        finally:
            for child in [*self.running, damager]:
                os.kill(child, signal.SIGKILL)
                ended = os.waitpid(child, 0)[1]
        self.hear(0.1)
        if os.waitstatus_to_exitcode(ended) != -signal.SIGKILL:
            raise RuntimeError("the process that damages entries ended by itself")
        self.look_at_all()
        return self.counts

    def strike(self, place: int) -> None:
        """Stop a process for a while, or kill it and begin another."""
        child = self.running[place]
        if os.waitpid(child, os.WNOHANG)[0]:
            self.counts["exceptions"] += 1  # nobody but us ends it
            self.running[place] = self.begin_worker()
        elif random.random() < 0.2:
            self.counts["stops"] += 1
            os.kill(child, signal.SIGSTOP)
            self.hear(random.random())
            os.kill(child, signal.SIGCONT)
        else:
            self.counts["kills"] += 1
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            self.running[place] = self.begin_worker()

    def look_at_all(self) -> None:
        """Have fresh processes look at all that was kept, and at what is left over."""
        for number, form in enumerate(FORMS):
            ground = _Ground(self.root, form, 2, "process")
            calls = [call for which, call in self.kept if which == number]
            found = looked_at(ground, calls)
            self.counts.update({name: found[name] for name in ("wrong", "lost", "exceptions")})
            self.counts["looked at in the end"] += found["looked at"]
        self.counts["left over"] = found["left over"]


class _Ground(Ground):
    """The soak's cache, as `looked_at` wants it: what is left over of `worn` is looked for, too."""

    def remembered(self) -> Any:
        method, compress = self.form
        for _ in range(2):
            hierarchical_cacher(self.places(), method, cache_identifier="cache")(worn)(0, 16)
        return hierarchical_cacher(
            self.places(), method, cache_identifier="cache", compress=compress
        )(pattern)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--workers", type=int, default=4, help="processes at a time")
    parser.add_argument("--folder", help="where the cache is made")
    parser.add_argument("--json", action="store_true", help="print counts as JSON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(
        dir=given.folder, prefix="soak-", ignore_cleanup_errors=True
    ) as folder:
        soak = Soak(Path(folder), given.workers)
        counts = soak.run(given.minutes * 60)
    if given.json:
        print(json.dumps(counts))
        return
    for name in [*TOLD, *sorted(set(counts) - set(TOLD))]:
        print(f"{name:24} {counts[name]}")


if __name__ == "__main__":
    main()
