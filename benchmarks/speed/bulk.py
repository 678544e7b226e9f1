"""Rows about many entries, compression and memory. The others are in `rows`."""

from __future__ import annotations

from benchmarks.speed.contestants import OURS, PEERS, RAW
from benchmarks.speed.row import MB, WAITING, Entrant, Row, each

_AMONG_FEW = "among 100"

ENTRIES = (
    *(
        Row(
            f"hit-among-{name}",
            f"hit among {entries:,} entries of a function{told}",
            "hit_among",
            {
                "smallest": {"entries": 10},
                "quick": {"entries": quick},
                "full": {"entries": entries},
            },
            1.1,
            against=_AMONG_FEW,
            limit="a hit among 100",
            entrants=(*each(OURS), Entrant(_AMONG_FEW, OURS, {"entries": 100})),
            once=True,
        )
        for name, entries, quick, told in (
            ("100k", 100_000, 10_000, " (quick: 10,000)"),
            ("1M", 1_000_000, 30_000, " (quick: 30,000)"),
        )
    ),
    Row(
        "scan",
        "``scan_cachedir``, entries per second (100,000; quick: 10,000)",
        "scan",
        {
            "smallest": {"entries": 20},
            "quick": {"entries": 10_000},
            "full": {"entries": 100_000},
        },
        50_000,
        against="",
        unit="/s",
        at_least=True,
        entrants=each(OURS),
        once=True,
    ),
    Row(
        "clear",
        "clearing 100,000 entries of 1 kB (quick: 2,000), each entry",
        "clear",
        {
            "smallest": {"entries": 20},
            "quick": {"entries": 2_000},
            "full": {"entries": 100_000},
        },
        1.3,
        limit="rm -r",
        entrants=(*each(RAW, OURS), *each(*PEERS, entries=50)),
        full_only=WAITING,
        once=True,
    ),
)

_RECORDING = {
    "smallest": {"samples": 2000},
    "quick": {"samples": 62_500},
    "full": {"samples": 1_000_000},
}
_COMPRESSED = each(OURS, "blosc2", "joblib")

COMPRESSED = (
    Row(
        "compressed-size",
        "float32 recording of 128 MB (quick: 8 MB), ``compress='zstd'``: size",
        "compressed_size",
        _RECORDING,
        1.0,
        limit="gzip -6",
        unit="MB",
        entrants=(*each(RAW), *_COMPRESSED),
    ),
    *(
        Row(
            f"compressed-{name}",
            f"the same, {told}",
            f"compressed_{name}",
            _RECORDING,
            goal,
            against="",
            unit="MB/s",
            at_least=True,
            entrants=_COMPRESSED,
        )
        for name, told, goal in (("write", "written", 400e6), ("read", "read", 800e6))
    ),
)

_COSTS = {"smallest": {"count": 48 * MB}, "full": {"count": 100 * MB}}

MEMORY = tuple(
    Row(
        f"memory-{name}",
        f"peak memory beyond the result, {told} 100 MB (quick: 48 MB)",
        f"{work}_memory",
        {**_COSTS, "smallest": {**_COSTS["smallest"], **options}},
        16e6,
        against="",
        unit="MB",
        entrants=each(RAW, OURS, *(() if options or work == "promote" else PEERS)),
    )
    for name, work, told, options in (
        ("load", "load", "loading", {}),
        ("store", "store", "storing", {}),
        ("promote", "promote", "copying up", {}),
        ("ram", "load", "loading from ``ram://``", {"ram": True}),
    )
)
