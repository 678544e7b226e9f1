"""Runs a function in a process that is, as far as it can tell, on a computer of its own.

    python -m tests.memo.computers FOLDER NAME SECONDS CALL...

Each call is ``x`` or ``x:seconds``; the process says when it begins to compute one, and the result
in the end. ``wait`` makes it wait for a line before it goes on.
"""

import sys
import time

from neurotools.jobs.cache import hierarchical_cacher
from neurotools.memo import holders
from tests.memo.far import FarTier


def main(folder, name, seconds, *calls):
    holders._machine = lambda: name

    @hierarchical_cacher(
        (FarTier(folder),), lease_seconds=float(seconds), ignore="wait", allow_mutable_bindings=True
    )
    def double(x, wait=0.0):
        print(f"computing {x}", flush=True)
        if wait < 0:
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
