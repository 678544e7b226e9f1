"""Looks at small programs, each in a process of its own forked from this one.

Reads one job per line from standard input, as JSON, and answers each on a line.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import traceback

import numpy as np

# Loaded here once, not in each child.
from neurotools.memo.fingerprint import normal, reader, texts, walk  # noqa: F401
from neurotools.memo.fingerprint.reach import Tracker
from neurotools.memo.tiers.directory import DirectoryTier


def look(job: dict) -> dict:
    """Return fingerprint and result of ``main.f`` in a folder."""
    folder = job["folder"]
    os.chdir(job.get("cwd", folder))
    sys.path[:0] = [folder]
    sys.path.append(os.path.join(folder, "site-packages"))
    sys.dont_write_bytecode = True
    importlib.invalidate_caches()
    module = importlib.import_module(job.get("module", "main"))
    function = module.f
    options = job.get("options", {})
    shelf = DirectoryTier(job["shelf"]) if "shelf" in job else None
    tracker = Tracker(function, shelf=shelf, **options)
    found = tracker.current()
    result = function(*job["args"])
    again = Tracker(function, **options).current()
    return {
        "code": found.code,
        "again": again.code,
        "kept": tracker.current().code,
        "result": shown(result),
        "refusals": [str(refusal) for refusal in tracker.refusals],
        "manifest": found.manifest.to_json(),
    }


def shown(result: object) -> str:
    return repr(result.tolist()) if isinstance(result, np.ndarray) else repr(result)


def answer(job: dict) -> dict:
    try:
        return look(job)
    except BaseException:
        return {"error": traceback.format_exc()}


def in_child(job: dict) -> str:
    answers, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(answers)
        sys.stdout = sys.stderr  # what programs print is no answer
        with os.fdopen(writer, "w") as file:
            file.write(json.dumps(answer(job)))
        os._exit(0)
    os.close(writer)
    with os.fdopen(answers) as file:
        text = file.read()
    os.waitpid(child, 0)
    return text


def load_heavy() -> None:
    """Load here, once, what children would be a second over."""
    for name in HEAVY:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


HEAVY = (
    *("matplotlib.pyplot", "pandas", "scipy.integrate", "scipy.interpolate", "scipy.ndimage"),
    *("scipy.optimize", "scipy.signal", "scipy.sparse", "scipy.stats"),
)


if __name__ == "__main__":
    if "--heavy" in sys.argv:
        load_heavy()
    for line in sys.stdin:
        print(in_child(json.loads(line)), flush=True)
