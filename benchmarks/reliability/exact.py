"""Exact keys and exact values, by chance and in numbers.

    python -m benchmarks.reliability.exact [--many 20000] [--seconds 600]

Values of a whole zoo (`tests.memo.zoo`) are digested, and so are their near neighbours, copies in
another memory or order, and copies that another process has got as a pickle. An oracle that knows
nothing of the digest spells out which are the same. Then each value is stored and read back with
every method: it comes back exactly, or is refused.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import pickle
import time
import warnings
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from neurotools.memo.digest.values import digest
from neurotools.memo.errors import UndigestableValue, UnstorableValue
from neurotools.memo.formats.registry import FORMATS
from tests.memo.formats.promises import again
from tests.memo.zoo import Zoo, spell

#: Values that go to another process at once.
BATCH = 500


class Ledger:
    """All digests so far and what the oracle says of their values."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.spelled: dict[str, bytes] = {}
        self.digests: dict[bytes, str] = {}
        self.faults: list[str] = []

    def note(self, value: Any) -> str | None:
        """Digest a value and compare it with all others; return the digest."""
        try:
            found = digest(value)
        except UndigestableValue:
            self.counts["refused as arguments"] += 1
            return None
        spelled = hashlib.blake2b(spell(value).encode("utf-8", "replace"), digest_size=16).digest()
        self.counts["digested"] += 1
        if self.spelled.setdefault(found, spelled) != spelled:
            self.fault("two values with one digest", value)
        if self.digests.setdefault(spelled, found) != found:
            self.fault("one value with two digests", value)
        return found

    def fault(self, kind: str, value: Any) -> None:
        self.counts[kind] += 1
        self.faults.append(f"{kind}: {spell(value)[:300]}")

    def store(self, value: Any) -> None:
        """Store a value and read it back, with every method."""
        spelled = spell(value, exact=True)
        for form in FORMATS.values():
            try:
                found = again(form, value)
            except UnstorableValue:
                self.counts[f"{form.method}: refused"] += 1
                continue
            is_kept = spell(found, exact=True) == spelled
            self.counts[f"{form.method}: came back exactly"] += is_kept
            if not is_kept:
                self.fault(f"{form.method}: came back otherwise", value)


def values(zoo: Zoo, many: int) -> Iterable[Any]:
    """Give values; what pandas refuses to make is left out."""
    made = 0
    while made < many:
        try:
            value = zoo.value()
        except (ValueError, NotImplementedError):
            continue
        made += 1
        yield value


def run(seed: int, many: int, seconds: float = 600) -> Ledger:
    """Go through values of a zoo, as many as there is time for."""
    ends = time.monotonic() + seconds
    warnings.simplefilter("ignore")
    zoo, ledger = Zoo(seed), Ledger()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as elsewhere:
        all_values = iter(values(zoo, many))
        while time.monotonic() < ends and (batch := list(itertools.islice(all_values, BATCH))):
            ledger.counts["values"] += len(batch)
            noted = [(value, found) for value in batch if (found := ledger.note(value))]
            sent = [(value, found, blob) for value, found in noted if (blob := _pickled(value))]
            told = elsewhere.submit(digests, [blob for _, _, blob in sent])
            for value, found in noted:
                if digest(zoo.again(value)) != found:
                    ledger.fault("a copy with another digest", value)
            for value in batch:
                for neighbour in zoo.neighbours(value):
                    ledger.note(neighbour)
                ledger.store(value)
            for (value, found, _), other in zip(sent, told.result(), strict=True):
                ledger.counts["digested in another process"] += 1
                if other != found:
                    ledger.fault("another digest in another process", value)
    return ledger


def _pickled(value: Any) -> bytes | None:
    """Return a pickle that gives the same back; numpy's own do not for some arrays."""
    try:
        blob = pickle.dumps(value)
        return blob if spell(pickle.loads(blob)) == spell(value) else None
    except Exception:  # classes fail in any way they like
        return None


def digests(blobs: list[bytes]) -> list[str]:
    """Return the digests of values that come as pickles."""
    return [digest(pickle.loads(blob)) for blob in blobs]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--many", type=int, default=20000, help="values at most")
    parser.add_argument("--seconds", type=float, default=600, help="time for them")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    started = time.perf_counter()
    ledger = run(given.seed, given.many, given.seconds)
    different = len(ledger.spelled)
    ledger.counts["different values"] = different
    ledger.counts["pairs of different values"] = different * (different - 1) // 2
    for name in (
        *("two values with one digest", "one value with two digests", "a copy with another digest"),
        *("another digest in another process", *(f"{one}: came back otherwise" for one in FORMATS)),
    ):
        ledger.counts.setdefault(name, 0)
    for name, count in sorted(ledger.counts.items()):
        print(f"{name:40} {count:15,}")
    print(f"{time.perf_counter() - started:.0f} seconds")
    for fault in ledger.faults[:20]:
        print(fault)


if __name__ == "__main__":
    main()
