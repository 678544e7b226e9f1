"""Every call x every error x each tier x whatever is done with a cache: run in one process.

    LD_PRELOAD=... BROKEN_CONTROL=... python -m tests.faults.matrix SHARE OF [all]

does every OF-th case from the SHARE-th on, in one rhythm or in all, and prints a count and what
failed, as JSON.
"""

import contextlib
import errno
import itertools
import json
import logging
import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from typing import NamedTuple

import numpy as np

from neurotools.jobs.cache import combine_caches, hierarchical_cacher, scan_cachedir
from neurotools.memo.locking import lockfiles
from neurotools.memo.tiers import alive, unfinished
from neurotools.memo.watch import health
from tests.faults.broken import CALLS, Control

ERRORS = (
    *("ENOSPC", "EDQUOT", "EIO", "EMFILE", "ENFILE", "EROFS", "EACCES", "EPERM", "ESTALE"),
    *("ENOLCK", "EINTR", "ETIMEDOUT", "ENOMEM", "ELOOP", "ENAMETOOLONG"),
)
PLACES = ("first", "second", "only", "only mapped")
DEEDS = ("hit", "miss", "promotion", "purge", "scan", "explain", "lock", "notes", "manifests")
#: Each call; every one of a kind; and all at once, as when a disk is gone.
OUTAGES = (*((call,) for call in CALLS), CALLS)
#: From the first on, once, every second one.
RHYTHMS = ((1, 1), (1, 0), (2, 2))
IDENTIFIER = "cache"


class Case(NamedTuple):
    calls: tuple[str, ...]
    error: str
    place: str
    deed: str
    rhythm: tuple[int, int]
    method: str

    def __str__(self):
        calls = "all" if self.calls == CALLS else self.calls[0]
        first, every = self.rhythm
        how = {0: "once", 1: "always"}.get(every, f"each {every}. from {first}.")
        return f"{calls} {self.error} {how}, {self.place} tier, {self.deed}, {self.method}"


def cases(errors=ERRORS, *, all_rhythms=False):
    """Return all combinations, each in one rhythm, drawn by a fixed lot, or in all of them."""
    lot, turns = random.Random(3), itertools.cycle(("npy", "pickle"))
    return [
        Case(*combination, rhythm, next(turns))
        for combination in itertools.product(OUTAGES, errors, PLACES, DEEDS)
        for rhythm in (RHYTHMS if all_rhythms else [lot.choice(RHYTHMS)])
    ]


#: How many items results have, so that a call comes into use at all.
ITEMS = {"writev": 10_000, "fallocate": 2_200_000, "pread": 800_000}


def squares(x, n):
    """Return what is remembered: an array, so that every bit of it can be wrong."""
    return np.arange(n, dtype=float) ** 2 + x


class Called:
    """What is remembered, always called with the same number of items."""

    def __init__(self, memoized, items):
        self.memoized, self.items = memoized, items

    def __call__(self, x):
        return self.memoized(x, self.items)

    def __getattr__(self, name):
        asked = getattr(self.memoized, name)
        if name in {"locate", "explain", "check_call_in_cache"}:
            return lambda x: asked(x, self.items)
        if name == "purge":
            return lambda *x: asked(*x, *[self.items] * len(x))
        return asked


class Listener(logging.Handler):
    """Keeps the warnings."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.told = []

    def emit(self, record):
        self.told.append(record.getMessage())


class Scene:
    """A cache of one or two folders with three entries, one of which is in the slow one alone."""

    def __init__(self, case, control):
        self.case, self.control = case, control
        self.items = ITEMS.get(case.calls[0], 6) if len(case.calls) == 1 else 6
        self.top = tempfile.mkdtemp(prefix="matrix-")
        self.now = 0.0
        alone = case.place.startswith("only")
        self.roots = [os.path.join(self.top, name) for name in ("fast", "slow")][: 2 - alone]
        self.folders = [os.path.join(root, IDENTIFIER) for root in self.roots]
        for folder in self.folders:
            health._PLACES[folder] = health.Health(folder, clock=lambda: self.now)
        self.broken = self.folders[1 if case.place == "second" else 0]
        self.f = self.memoized()
        for x in (0, 1, 2):
            self.f(x)
        if not alone:
            for folder in self.entries(self.roots[0]):
                if folder == self.f.locate(1):
                    os.unlink(folder)

    def memoized(self):
        mode = "r" if self.case.place == "only mapped" else None
        cacher = hierarchical_cacher(
            self.roots, self.case.method, cache_identifier=IDENTIFIER, mmap_mode=mode
        )
        return Called(cacher(squares), self.items)

    def entries(self, root):
        for folder, _, names in os.walk(root):
            yield from (os.path.join(folder, n) for n in names if n.endswith(self.case.method))

    def outage(self):
        first, every = self.case.rhythm
        if self.case.error == "EINTR" and every == 1:
            every = 2  # Python calls again, for ever
        error = getattr(errno, self.case.error)
        self.control.lay(self.broken, self.case.calls, error=error, first=first, every=every)

    def do(self):
        """Return what went wrong while the deed was done in the outage."""
        self.check("hit", [0, 0])
        getattr(self, f"do_{self.case.deed}")()
        self.check("after", [2, 5])

    def check(self, what, numbers):
        for x in numbers:
            found = self.f(x)
            if not (
                type(found) in {np.ndarray, np.memmap}
                and np.array_equal(found, squares(x, self.items))
            ):
                raise AssertionError(f"{what}: wrong result {found!r} of {x}")

    def do_hit(self):
        self.check("hit", [0, 2, 0])

    def do_miss(self):
        self.check("miss", [10, 11, 12, 13, 10])

    def do_promotion(self):
        self.check("promotion", [1, 1])

    def do_purge(self):
        self.f.purge(2)
        self.f.purge()
        self.check("purge", [2])

    def do_scan(self):
        self.f.lscache()
        self.f.versions()
        with contextlib.suppress(OSError):  # whoever asks for one folder is told why not
            scan_cachedir(self.broken, self.case.method)

    def do_explain(self):
        self.f.locate(0)
        self.f.check_call_in_cache(0)
        str(self.f.explain(0))
        str(self.f.explain(99))
        self.f.cache_info()

    def do_lock(self):
        with self.control.calm():
            self.close_locks()  # as in a new process
        self.check("lock", [20, 21])

    def do_notes(self):
        self.f = self.memoized()  # looks for its notes anew
        self.check("notes", [0, 30])

    def do_manifests(self):
        self.f._manifested.clear()
        with self.control.calm():
            for folder, _, names in os.walk(self.top):
                if "manifest.json" in names:
                    os.unlink(os.path.join(folder, "manifest.json"))
        self.check("manifests", [40])
        with contextlib.suppress(OSError):
            combine_caches(self.broken, self.f.memoized)

    def healthy(self):
        """Say what the tier that did not fail lacks."""
        if len(self.roots) < 2:
            return ""
        other = self.roots[0 if self.case.place == "second" else 1]
        name = os.path.basename(self.f.locate(5))
        kept = {os.path.basename(entry) for entry in self.entries(other)}
        return "" if name in kept else "the other tier did not keep the result"

    def recovered(self):
        """Say what is still wrong when the outage is over."""
        self.control.end()
        self.now += 3600
        self.check("recovered", [0, 1, 2, 50, 51])
        for root, folder in zip(self.roots, self.folders, strict=True):
            kept = {os.path.basename(entry) for entry in self.entries(root)}
            # What was written then is found where it was to be, and read from there.
            if os.path.basename(self.f.locate(51)) not in kept:
                return f"{folder} is not used again"
            if left := leftovers(folder):
                return f"left behind: {left}"
        before = self.f.cache_info().hits
        self.check("hit", [51])
        if self.f.cache_info().hits != before + 1:
            return "no hit after the outage"
        manifests = sum("manifest.json" in names for _, _, names in os.walk(self.top))
        return "" if manifests >= len(self.roots) else "no manifest after the outage"

    def close_locks(self):
        for folder in list(lockfiles._FILES):
            if folder.startswith(self.top):
                os.close(lockfiles._FILES.pop(folder).descriptor)
        for file in list(alive._FILES):
            if file.startswith(self.top):
                os.close(alive._FILES.pop(file).descriptor)

    def close(self):
        self.control.end()
        for folder in self.folders:
            health._PLACES.pop(folder, None)
            unfinished._ALL.pop(folder, None)
        self.close_locks()
        shutil.rmtree(self.top, ignore_errors=True)


def leftovers(folder):
    """Return what is neither entry nor part of a cache."""
    found = []
    for place, _, names in os.walk(folder):
        private = os.path.relpath(place, folder).startswith(".neurotools")
        found += [os.path.join(place, n) for n in names if n.startswith(".") and not private]
    return found


def trial(case, control, listener):
    """Return what went wrong in a case, or an empty text, and how many calls were made to fail."""
    listener.told.clear()
    scene, struck = Scene(case, control), 0
    try:
        scene.outage()
        try:
            scene.do()
        finally:
            struck = control.struck()
            control.end()
        told = Counter(line.split(" at ")[0] + line.split(": ")[-1] for line in listener.told)
        if len(listener.told) > 1:
            return f"{len(listener.told)} warnings: {dict(told)}", struck
        return scene.healthy() or scene.recovered(), struck
    except BaseException as error:  # what reaches the caller is what is looked for
        if isinstance(error, KeyboardInterrupt):
            raise
        return f"{type(error).__name__}: {error}", struck
    finally:
        scene.close()


def main(share, of, *, all_rhythms):
    control, listener = Control(os.environ["BROKEN_CONTROL"]), Listener()
    logging.getLogger("neurotools").addHandler(listener)
    logging.getLogger("neurotools").propagate = False
    failed, done, struck, idle = [], 0, 0, Counter()
    for case in cases(all_rhythms=all_rhythms)[share::of]:
        done += 1
        wrong, times = trial(case, control, listener)
        struck += times > 0
        idle[case.calls[0]] += times == 0
        if wrong:
            failed.append((str(case), wrong))
    print(json.dumps({"done": done, "struck": struck, "failed": failed, "idle": idle}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), all_rhythms="all" in sys.argv[3:])
