"""Entries as the calls that made them, and as values that can be looked at. Runs nothing."""

from __future__ import annotations

import os
import pickletools
from typing import Any

from neurotools.memo import naming
from neurotools.memo.entry import Key, Record, Signature
from neurotools.memo.errors import CorruptEntry, UnreadableName
from neurotools.memo.tiers.files import read_record
from neurotools.memo.upkeep.inventory import Located

#: Of a pickle, so many bytes are looked at for the names in it, and so many names are told.
_LOOKED_AT, _NAMES = 1 << 20, 12


def arguments_of(entry: Located, record: Record | None = None) -> Signature | None:
    """Return the arguments of an entry's call; None where nothing tells them."""
    try:
        return naming.signature_of(entry.found.name.rpartition(".")[0])
    except UnreadableName:
        pass  # it was too long for a name, and stands in the record
    try:
        return naming.recorded(record or read_record(entry.path))
    except (UnreadableName, CorruptEntry, OSError):
        return None


def call_of(entry: Located) -> str:
    """Return the call that made an entry, as one would write it."""
    name = entry.shelf.function.rpartition("/")[2]
    signature = arguments_of(entry)
    if signature is None:
        return f"{name}(?)"
    named, extra = signature
    words = [*map(repr, extra or ()), *(f"{word}={value!r}" for word, value in named)]
    return f"{name}({', '.join(words)})"


def key_of(entry: Located) -> Key:
    """Return an entry's key."""
    return entry.shelf.key(entry.found)


def pickled_names(payload: memoryview) -> list[str]:
    """Return what a pickle would import when it is opened, without opening it."""
    names: list[str] = []
    texts: list[str] = []
    try:
        for opcode, argument, _ in pickletools.genops(bytes(payload[:_LOOKED_AT])):
            if opcode.name == "GLOBAL":
                names.append(str(argument).replace(" ", "."))
            elif opcode.name == "STACK_GLOBAL" and len(texts) > 1:
                names.append(".".join(texts[-2:]))
            elif isinstance(argument, str):
                texts.append(argument)
    except Exception:  # anybody may have written it: what was found so far counts
        pass
    return list(dict.fromkeys(names))[:_NAMES]


def preview(value: Any, most: int = 600) -> str:
    """Return what a value is, on a few lines."""
    import numpy as np

    if isinstance(value, np.ndarray):
        with np.printoptions(threshold=20, edgeitems=3, linewidth=76, precision=5):
            return f"array of {value.dtype}, shape {value.shape}\n{value}"[:most]
    from reprlib import Repr

    short = Repr()
    short.maxlevel, short.maxstring, short.maxother, short.maxlist = 3, 200, 200, 8
    return f"{type(value).__module__}.{type(value).__qualname__}\n{short.repr(value)}".removeprefix(
        "builtins."
    )[:most]


def opening(entry: Located) -> list[str]:
    """Return how an entry is opened: with its field's ordinary tool, and with this package."""
    path = os.path.abspath(entry.path)
    ordinary = {
        "npy": f"np.load({path!r})",
        "mat": f"scipy.io.loadmat({path!r})['varargout']",
        "hdf5": f"h5py.File({path!r})",
        "pickle": "",
    }[entry.found.method]
    ours = f"read_cache_entry({path!r}, {entry.found.method!r})"
    return [line for line in (ordinary, ours) if line]
