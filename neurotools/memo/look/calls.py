"""Entries as the calls that made them, and as values that can be looked at. Runs nothing."""

from __future__ import annotations

import os
import pickletools
from collections.abc import Callable
from typing import Any

from neurotools.memo import naming
from neurotools.memo.entry import Record, Signature
from neurotools.memo.errors import CorruptEntry, UnreadableName

#: Of a pickle, so many bytes are looked at for the names in it, and so many names are told.
_LOOKED_AT, _NAMES = 1 << 20, 12


def signature_of(call: str, record: Callable[[], Record | None]) -> Signature | None:
    """Return the arguments of an entry's call; None where nothing tells them.

    Parameters
    ----------
    call : str
        The stem of its file's name.
    record : callable
        Returns its record; asked where the name was too short for the arguments.
    """
    try:
        return naming.signature_told(call, record)
    except (UnreadableName, CorruptEntry, OSError):
        return None


def call_text(function: str, signature: Signature | None) -> str:
    """Return a call as one would write it.

    Parameters
    ----------
    function : str
        The function's folder.
    signature : Signature or None
        Its arguments, if they are known.
    """
    name = function.rpartition("/")[2]
    if signature is None:
        return f"{name}(?)"
    named, extra = signature
    words = [*map(repr, extra or ()), *(f"{word}={value!r}" for word, value in named)]
    return f"{name}({', '.join(words)})"


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


def opening(path: str, method: str) -> list[str]:
    """Return how an entry's file is opened: with its field's ordinary tool, and with ours."""
    path = os.path.abspath(path)
    ordinary = {
        "npy": f"np.load({path!r})",
        "mat": f"scipy.io.loadmat({path!r})['varargout']",
        "hdf5": f"h5py.File({path!r})",
        "pickle": "",
    }[method]
    ours = f"read_cache_entry({path!r}, {method!r})"
    return [line for line in (ordinary, ours) if line]
