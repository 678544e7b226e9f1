"""What is known of one run: a file of JSON in the node's folder, for people and for the next call.

The file is written under another name and renamed. Its state says what became of the run:
``running``, ``failed`` or ``done``; only the last one makes a hit, so that a run that was killed
leaves nothing that looks like a result.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import time
from typing import Any

import xxhash

from neurotools import __version__
from neurotools.memo.errors import CorruptEntry

#: Name of the file.
RECORD = "_node.json"
_FORMAT = 1
RUNNING, FAILED, DONE = "running", "failed", "done"


def begun(interface: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """Return the record of a run that starts now."""
    return {
        "state": RUNNING,
        "interface": interface,
        "hash": name,
        "inputs": inputs,
        "started": _now(),
        "host": platform.node(),
        "process": os.getpid(),
        "neurotools": __version__,
    }


def ended(record: dict[str, Any], state: str, **found: Any) -> dict[str, Any]:
    """Return the record of a run that has ended now."""
    return {**record, "state": state, "ended": _now(), **found}


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")


def write(folder: str, record: dict[str, Any]) -> None:
    """Put a record in its place, whole or not at all."""
    text = _text(record)
    whole = {"format": _FORMAT, "checksum": _checksum(text), "node": record}
    place = os.path.join(folder, RECORD)
    temporary = f"{place}.{os.getpid()}"
    try:
        with open(temporary, "w", encoding="ascii") as file:
            json.dump(whole, file, indent=1, default=str)
        os.replace(temporary, place)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def load(folder: str) -> dict[str, Any] | None:
    """Return a folder's record, or None where there is none.

    Raises
    ------
    CorruptEntry
        If there is one that cannot be read.
    """
    place = os.path.join(folder, RECORD)
    try:
        with open(place, encoding="ascii") as file:
            whole = json.load(file)
        record: dict[str, Any] = whole["node"]
        if whole["format"] != _FORMAT:
            raise CorruptEntry(place, f"it is of format {whole['format']!r}")
        if whole["checksum"] != _checksum(_text(record)):
            raise CorruptEntry(place, "its checksum does not fit its content")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, CorruptEntry):
            raise
        raise CorruptEntry(place, f"it is no record: {error}") from None
    return record


def is_node(folder: str) -> bool:
    """Tell whether a folder was made here for a node: it has a record, or nothing yet."""
    try:
        names = os.listdir(folder)
    except OSError:
        return False
    return not names or any(name.startswith(RECORD) for name in names)


def _text(record: dict[str, Any]) -> str:
    return json.dumps(record, sort_keys=True, separators=(",", ":"), default=str)


def _checksum(text: str) -> str:
    return xxhash.xxh3_128_hexdigest(text.encode("ascii"))
