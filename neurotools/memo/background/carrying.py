"""An entry of one tier, to be copied to another as it is, unless that would make it trusted.

What is copied is written by us, into folders of ours perhaps: nothing may go there that we would
not open where it lies. Pickles are looked at by the tiers themselves. A record may name code, which
is loaded where the record is trusted; so such entries are looked at here.
"""

from __future__ import annotations

from typing import Any

from neurotools.memo.entry import Key
from neurotools.memo.errors import UntrustedEntry
from neurotools.memo.tiers.base import Entry
from neurotools.memo.tiers.guarded import Guarded


def carried(tier: Guarded, key: Key) -> Entry | None:
    """Return an entry that may be copied elsewhere, checked, or None where there is none.

    Raises
    ------
    CorruptEntry
        If it cannot be read back.
    UntrustedEntry
        If it could run code that somebody else wrote.
    OSError
        If the tier fails.
    """
    entry = tier.looked_at(key)
    if entry is not None and (reason := against(tier, key, entry)):
        raise UntrustedEntry(entry.location, reason)
    return entry


def against(tier: Guarded, key: Key, entry: Entry) -> str:
    """Return what speaks against copying an entry that a tier has given, or nothing."""
    doubt = _doubt(tier, key)
    if not doubt or not _names_code(entry):
        return ""
    return f"it names code that would be loaded, and {doubt}"


def _doubt(tier: Guarded, key: Key) -> str:
    if getattr(type(tier.tier), "answers_at_once", False):
        return ""  # this process's memory
    look = getattr(tier.tier, "doubt", None)
    if look is None:
        return "who has written it cannot be seen there"
    found = look(key)
    return found.reason if found else ""


def _names_code(entry: Entry) -> bool:
    facts: Any = entry.record.details.get("traced", [])
    if not isinstance(facts, list):
        return True
    return any(not isinstance(fact, list) or fact[:1] != ["file"] for fact in facts)
