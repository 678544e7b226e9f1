"""Runs a function in a process that is, as far as it can tell, on a computer of its own.

    python -m tests.memo.turns.computers PLACE NAME SECONDS CALL...

The place is a folder, or a URL, with storage options as JSON in ``STORAGE_OPTIONS``. Each call is
``x`` or ``x:seconds``, or ``x:-1`` to compute until there is a line to read. The process says when
it begins to compute, and what each call gives; ``wait`` makes it wait for a line. ``x:-2`` computes
in C and lets no other thread run.
"""

import itertools
import json
import os
import sys
import time

from neurotools.jobs.cache import hierarchical_cacher
from neurotools.memo.turns import holders
from tests.memo.turns.far import FarTier

BUSY = -2.0


def cacher(place, **options):
    if "://" not in place:
        return hierarchical_cacher((FarTier(place),), **options)
    storage_options = json.loads(os.environ["STORAGE_OPTIONS"])
    return hierarchical_cacher((place,), storage_options=storage_options, **options)


def main(place, name, seconds, *calls):
    holders._machine = lambda: name

    @cacher(place, lease_seconds=float(seconds), ignore="wait", allow_mutable_bindings=True)
    def double(x, wait=0.0):
        print(f"computing {x}", flush=True)
        if wait == BUSY:
            sum(itertools.repeat(1, 10**8))  # a second or more, in which no other thread runs
        elif wait < 0:
            sys.stdin.readline()
        time.sleep(max(wait, 0))
        return 2 * x

    print("ready", flush=True)
    for call in calls:
        if call == "wait":
            sys.stdin.readline()
            continue
        x, _, wait = call.partition(":")
        print(f"{x} gives {double(int(x), float(wait or 0))}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
