"""What is measured, against what, and what it should come to. Read this first.

Many entries, compression and memory are in `bulk`.
"""

from __future__ import annotations

from benchmarks.speed.bulk import COMPRESSED, ENTRIES, MEMORY
from benchmarks.speed.contestants import IN_MEMORY, OURS, PEERS, RAW
from benchmarks.speed.row import KB, MB, WAITING, Entrant, Row, each

_SMALL = {"smallest": {"count": KB}}
_LARGE = {"smallest": {"count": KB}, "quick": {"count": 100 * MB}}
_SMALLER_IF_QUICK = {
    "smallest": {"count": KB},
    "quick": {"count": 32 * MB},
    "full": {"count": 100 * MB},
}
_ONE_TIER = "neurotools, one tier"

HITS = (
    Row("hit", "hit, 1 kB array", "hit", _SMALL, 0.4, limit="np.load"),
    Row(
        "hit-pickle",
        "hit, 1 kB array, ``pickle``",
        "hit",
        {"smallest": {"count": KB, "method": "pickle"}},
        0.5,
        limit="np.load",
    ),
    Row(
        "hit-ram",
        "hit in ``ram://``, 1 kB array",
        "hit",
        {"smallest": {"count": KB, "ram": True}},
        5e-6,
        against="",
        entrants=each(RAW, OURS, *PEERS, *IN_MEMORY),
    ),
    Row(
        "hit-ram-100MB",
        "hit in ``ram://``, 100 MB array",
        "hit",
        {"smallest": {"count": KB, "ram": True}, "quick": {"count": 100 * MB}},
        5e-6,
        against="",
        entrants=each(RAW, OURS, *PEERS, *IN_MEMORY),
    ),
    Row(
        "hits-together",
        "two processes hitting at once: hits per second, of one's",
        "hits_together",
        {
            "smallest": {"count": KB, "processes": 2, "seconds": 0.02},
            "quick": {"seconds": 0.05},
            "full": {"seconds": 0.2},
        },
        1.9,
        against="",
        unit="times",
        at_least=True,
        full_only=WAITING,
    ),
    Row(
        "hit-fast-tier",
        "hit in the fast one of two tiers, 1 kB array",
        "hit",
        {"smallest": {"count": KB, "tiers": 2}},
        1.1,
        against=_ONE_TIER,
        limit="one tier",
        entrants=(*each(OURS), Entrant(_ONE_TIER, OURS, {"tiers": 1})),
    ),
    Row(
        "promote",
        "hit in the slow tier, copied up, 100 MB array",
        "promote",
        _LARGE,
        1.3,
        limit="np.load + np.save + rename",
        unit="ms",
        entrants=each(RAW, OURS),
    ),
    Row(
        "hit-8MB",
        "hit, 8 MB array",
        "hit",
        {"smallest": {"count": KB}, "quick": {"count": 8 * MB}},
        1.05,
        limit="np.load",
        unit="ms",
    ),
    Row("hit-100MB", "hit, 100 MB array", "hit", _LARGE, 1.05, limit="np.load", unit="ms"),
    Row(
        "hit-mapped",
        "hit, 1 GB array, ``mmap_mode='r'`` (quick: 256 MB)",
        "hit",
        {
            "smallest": {"count": KB, "mmap": True},
            "quick": {"count": 256 * MB},
            "full": {"count": 1024 * MB},
        },
        0.5e-3,
        against="",
    ),
    Row(
        "hit-dict",
        "hit, dictionary of 20 arrays of 1 MB and scalars",
        "hit_bundle",
        {"smallest": {"arrays": 3, "count": KB}, "quick": {"arrays": 20, "count": MB}},
        1.3,
        limit="reading its bytes once",
        unit="ms",
    ),
    Row(
        "hit-dict-pickle",
        "the same, ``pickle``",
        "hit_bundle",
        {
            "smallest": {"arrays": 3, "count": KB, "method": "pickle"},
            "quick": {"arrays": 20, "count": MB},
        },
        1.3,
        limit="reading its bytes once",
        unit="ms",
    ),
)

ARGUMENTS = (
    Row(
        "argument-array",
        "hit, argument of 100 MB (quick: 32 MB)",
        "array_argument",
        _SMALLER_IF_QUICK,
        1.15,
        limit="xxh3_128 of its bytes",
        unit="ms",
    ),
    Row(
        "argument-again",
        "hit, the same read-only array of 100 MB again (quick: 32 MB)",
        "same_array_again",
        _SMALLER_IF_QUICK,
        50e-6,
        against="",
        entrants=each(OURS, *PEERS),
        full_only=("cachier", "diskcache", "klepto"),
    ),
    Row(
        "argument-map-again",
        "hit, the same memory map of 100 MB again (quick: 32 MB)",
        "same_map_again",
        _SMALLER_IF_QUICK,
        50e-6,
        against="",
        entrants=each(OURS, *PEERS),
        full_only=("cachier", "diskcache", "klepto"),
    ),
    Row(
        "argument-frame",
        "hit, argument a pandas frame of 32 MB",
        "frame_argument",
        {"smallest": {"count": 8 * KB}, "quick": {"count": 32 * MB}},
        1.5,
        limit="xxh3_128 of its bytes",
        unit="ms",
    ),
)

MISSES = (
    Row("miss", "miss, 1 kB array", "miss", _SMALL, 2.0, limit="np.save"),
    Row("miss-100MB", "miss, 100 MB array", "miss_large", _LARGE, 1.25, limit="np.save", unit="ms"),
    Row(
        "store-together",
        "two processes storing 100,000 entries of 1 kB (quick: 1,000), each entry",
        "store_together",
        {
            "smallest": {"processes": 2, "entries": 20, "count": KB},
            "quick": {"entries": 500},
            "full": {"entries": 50_000},
        },
        1.3,
        limit="np.save + os.replace",
        entrants=(*each(RAW, OURS), *each(*PEERS, entries=200)),
        full_only=WAITING,
        once=True,
    ),
    Row(
        "one-computation",
        "eight processes, one function of 1 s",
        "one_computation",
        {
            "smallest": {"processes": 2, "seconds": 0.05},
            "quick": {"processes": 8, "seconds": 1.0},
        },
        1.1,
        against="",
        unit="s",
        full_only=WAITING,
    ),
)

STARTS = (
    Row(
        "cold-start",
        "new process: import, remember a function with 50 helpers in 5 modules, hit",
        "cold_start",
        {"smallest": {"helpers": 50, "modules": 5}},
        1.35,
        limit="import numpy + np.load",
        unit="ms",
    ),
    Row(
        "import",
        "new process: import ``neurotools.jobs.cache``",
        "import_time",
        {"smallest": {}},
        20e-3,
        limit="import numpy",
        beyond=True,
        unit="ms",
        entrants=each(RAW, OURS),
    ),
)

ROWS = (*HITS, *ARGUMENTS, *MISSES, *STARTS, *ENTRIES, *COMPRESSED, *MEMORY)
