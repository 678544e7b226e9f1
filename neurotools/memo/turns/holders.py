"""Who computes, as a lease tells it: written by the one, read by others who do not trust it."""

from __future__ import annotations

import functools
import json
import math
import os
import re
import time
from typing import Any

import xxhash

from neurotools.memo.locking.standstill import born

#: Nobody waits longer for a sign of life than this, whatever a lease says, in seconds.
LONGEST = 86_400.0
#: Longer ones are no lease's.
_MOST_BYTES, _MOST_WAITS, _MOST_LETTERS = 1 << 16, 64, 100
_DIGEST = r"[0-9a-f]{32}"
_TEXTS = ("token", "host", "user", "job", "function", "machine", "born")


def digest(content: bytes) -> str:
    """Return 32 letters that stand for some bytes."""
    return xxhash.xxh3_128_hexdigest(content)


def content_of(**facts: Any) -> bytes:
    """Return what a lease of this process says, with some more facts."""
    return json.dumps({**_here(os.getpid()), **facts}).encode()


@functools.lru_cache(maxsize=2)
def _here(process: int) -> dict[str, Any]:
    import socket  # 3 ms to load, where there are leases only

    names = (os.environ.get(name) for name in ("USER", "LOGNAME", "USERNAME"))
    # Not by the user database, which may lie on a server.
    number = f"user {os.getuid()}" if hasattr(os, "getuid") else ""
    return {
        "host": socket.gethostname(),
        "process": process,
        "user": next(filter(None, names), number),
        "job": _job(),
        "machine": _machine(),
        "born": born(process),
    }


def _job() -> str:
    """Return the Slurm job that we are part of, with its task if it is an array."""
    array, task = (os.environ.get(f"SLURM_ARRAY_{name}") for name in ("JOB_ID", "TASK_ID"))
    return f"{array}_{task}" if array and task else os.environ.get("SLURM_JOB_ID", "")


def _machine() -> str:
    """Return what only the processes share that can see each other; nothing if that is unknown."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return f"{file.read().strip()} {os.readlink('/proc/self/ns/pid')}"
    except (OSError, ValueError):
        return ""


def facts_of(content: bytes) -> dict[str, Any]:
    """Return what a lease says, as far as it makes sense; nothing if it does not."""
    if len(content) > _MOST_BYTES:
        return {}
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(told, dict):
        return {}
    facts: dict[str, Any] = {
        name: told[name][: 4 * _MOST_LETTERS] for name in _TEXTS if isinstance(told.get(name), str)
    }
    for name in ("process", "started", "seconds", "beat"):
        if type(told.get(name)) in {int, float} and math.isfinite(told[name]):
            facts[name] = told[name]
    if "seconds" in facts:
        facts["seconds"] = min(max(facts["seconds"], 0.1), LONGEST)
    waits = told.get("waits")
    if isinstance(waits, list):
        digests = (one for one in waits[:_MOST_WAITS] if isinstance(one, str))
        facts["waits"] = [one for one in digests if re.fullmatch(_DIGEST, one)]
    return facts


def has_died(facts: dict[str, Any]) -> bool:
    """Tell whether a process of this computer has ended: no need to wait for a sign of its life."""
    machine, process = facts.get("machine"), facts.get("process")
    if not machine or machine != _here(os.getpid())["machine"]:
        return False
    if not isinstance(process, int) or process < 1:
        return False
    now = born(process)
    if now or os.path.exists(f"/proc/{process}"):
        return now != facts.get("born")
    # Other users' processes may be hidden there.
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


def told(facts: dict[str, Any]) -> str:
    """Return who computes, in words."""
    if "thread" in facts:
        return f"thread {facts['thread']} of this process"
    words = [f"process {facts['process']}" if facts.get("process") else "another process"]
    if facts.get("host"):
        words.append(f"on {_plain(facts['host'])}")
    aside = [_plain(facts["user"])] if facts.get("user") else []
    if facts.get("job"):
        aside.append(f"Slurm job {_plain(facts['job'])}")
    if aside:
        words.append(f"({', '.join(aside)})")
    if "started" in facts:
        words.append(f"since {_time(facts['started'])}")
    return " ".join(words)


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text[:_MOST_LETTERS])


def _time(seconds: float) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    except (OverflowError, ValueError, OSError):
        return "some time"
