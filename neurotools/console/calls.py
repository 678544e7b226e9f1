"""Entries that commands have found, as the calls that made them. Runs nothing."""

from __future__ import annotations

from neurotools.memo.entry import Key, Record, Signature
from neurotools.memo.look import calls
from neurotools.memo.look.calls import pickled_names, preview
from neurotools.memo.tiers.files import read_record
from neurotools.memo.upkeep.inventory import Located

__all__ = ["arguments_of", "call_of", "key_of", "opening", "pickled_names", "preview"]


def arguments_of(entry: Located, record: Record | None = None) -> Signature | None:
    """Return the arguments of an entry's call; None where nothing tells them."""
    call = entry.found.name.rpartition(".")[0]
    return calls.signature_of(call, lambda: record or read_record(entry.path))


def call_of(entry: Located) -> str:
    """Return the call that made an entry, as one would write it."""
    return calls.call_text(entry.shelf.function, arguments_of(entry))


def key_of(entry: Located) -> Key:
    """Return an entry's key."""
    return entry.shelf.key(entry.found)


def opening(entry: Located) -> list[str]:
    """Return how an entry is opened: with its field's ordinary tool, and with this package."""
    return calls.opening(entry.path, entry.found.method)
