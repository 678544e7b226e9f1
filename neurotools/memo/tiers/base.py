"""What every tier promises. Not here: several tiers as one (`neurotools.memo.hierarchy`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from neurotools.memo.entry import Blob, Key, Record


class Entry(Protocol):
    """An entry that a tier has, checked."""

    @property
    def location(self) -> str:
        """Where it was found, for messages."""

    @property
    def seconds(self) -> float:
        """How long it took to compute."""

    def value(self) -> Any:
        """Return the value, independent of what is kept and of what others are given.

        Asked for once: what is given a second time may share memory with the first.

        Raises
        ------
        Exception
            Of any kind, where decoding fails.
        """

    @property
    def record(self) -> Record:
        """All that is known of it."""

    @property
    def checksum(self) -> bytes:
        """The checksum over its bytes."""

    @property
    def blob(self) -> Blob:
        """It as another tier would store it; not to be changed."""


class Tier(Protocol):
    """Somewhere entries are kept, as bytes. Stores; never computes, hashes calls or decides policy.

    Methods may raise `OSError` when the place itself fails (full, read-only, gone); whoever asked
    goes on without the tier. A tier that may hang says so: it has an attribute ``health``, a
    `neurotools.memo.watch.health.Health`, that says how long to wait. Its methods then run in
    threads that may be left behind. Where those who share a tier can leave each other word, it has
    ``marks``, see `neurotools.memo.tiers.marks.Marks`. What takes long calls
    `neurotools.memo.watch.deadline.moved` whenever some bytes or names have moved, and ``commit``
    before it makes an entry visible.
    """

    name: str
    """What people call it: its folder or URL."""

    def get(self, key: Key) -> Entry | None:
        """Return an entry, checked, or None.

        Raises
        ------
        CorruptEntry
            If there is an entry that cannot be read back; it has been set aside.
        UntrustedEntry
            If opening it could run code that somebody else wrote.
        """

    def put(self, key: Key, blob: Blob) -> None:
        """Keep an entry, whole or not at all, in place of what may be there."""

    def discard(self, key: Key) -> bool:
        """Remove an entry; return whether there was one."""

    def clear(self, function: str, code: str) -> set[str]:
        """Remove all entries of a function's version; return their names, of call and method."""

    def record(self, key: Key) -> Record | None:
        """Return an entry's record without reading its payload or verifying it, or None.

        Raises
        ------
        CorruptEntry
            If there is something that is no entry.
        """

    def size(self, key: Key) -> int:
        """Return how many bytes an entry takes, 0 if there is none."""

    def has(self, key: Key) -> bool:
        """Return whether there seems to be an entry, without reading it."""

    def keys(self, function: str = "") -> Iterator[Key]:
        """List the entries, of one function's folder or of all."""

    def location(self, key: Key) -> str:
        """Return where an entry is, or would be."""

    def put_manifest(self, key: Key, content: bytes) -> object:
        """Keep the manifest of a key's code beside its entries, unless it is there."""

    def get_manifest(self, function: str, code: str) -> bytes | None:
        """Return the manifest of a function's version, or None."""
