"""Nodes in slower tiers: an entry for each file, and then one for the record.

So another computer has the results of this one, and a node whose folder is gone comes back without
being run. The record goes last: while it is not there, nothing is. Files are entries of ``npy``,
which runs no code when opened; values that need a pickle stay pickles, and are opened only as those
are (`neurotools.memo.tiers.trust`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from neurotools.memo.careful import is_meant_to_end
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.log import Log
from neurotools.memo.nodes import record as records
from neurotools.memo.nodes.node import KEPT, Node, sealed
from neurotools.memo.tiers.base import Tier

log = Log(__name__)

#: Call of the entry that holds a record.
_RECORD = "record"


class Packed:
    """Slower tiers.

    Parameters
    ----------
    tiers : sequence of Tier
        Fastest first.
    """

    def __init__(self, tiers: Sequence[Tier]) -> None:
        self._tiers = tuple(tiers)
        self._hierarchy = Hierarchy(self._tiers)

    def __reduce__(self) -> Any:
        return type(self), (self._tiers,)

    def keep(self, node: Node, record: dict[str, Any], kept: list[Any]) -> None:
        """Write a node's result to the tiers; whatever fails, it is here already."""
        if record["elsewhere"]:
            log.info("%s is not kept in slower tiers: it made files elsewhere", node.folder)
            return
        try:
            self._keep(node, record, kept)
        except Exception as error:  # what was made may be gone, or too large for the memory
            if is_meant_to_end(error):
                raise
            log.warning("%s was not written to slower tiers: %r", node.folder, error)

    def _keep(self, node: Node, record: dict[str, Any], kept: list[Any]) -> None:
        for number, (name, facts) in enumerate(record["files"].items()):
            if facts["kind"] == "f":
                content = _mapped(os.path.join(node.folder, *name.split("/")))
                self._put(node, _file(number), "npy", content)
        if kept:
            self._put(node, KEPT, record["kept"], kept)
        self._put(node, _RECORD, "npy", record)

    def _put(self, node: Node, what: str, method: str, value: Any) -> None:
        key = node.key(what, method)
        self._hierarchy.put(key, sealed(key, value))

    def restored(self, node: Node) -> tuple[dict[str, Any], list[Any]] | None:
        """Bring a node's folder back; return what `Node.found` does."""
        try:
            record = self._value(node, _RECORD, "npy")
            if record is None or not self._bring(node, record):
                return None
        except Exception as error:  # damage, in any way there is: it is run instead
            if is_meant_to_end(error):
                raise
            log.warning("%s was not restored from slower tiers: %r", node.folder, error)
            return None
        return node.found()

    def _bring(self, node: Node, record: dict[str, Any]) -> bool:
        node.clean()
        # Killed from here on, it leaves what is known to be unfinished, and ours.
        records.write(node.folder, {**record, "state": records.RUNNING})
        for number, (name, facts) in enumerate(record["files"].items()):
            path = os.path.join(node.folder, *_safe(name))
            if facts["kind"] == "d":
                os.makedirs(path, exist_ok=True)
                continue
            content = self._value(node, _file(number), "npy")
            if content is None:
                return False
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "xb") as file:
                file.write(memoryview(content))
        if record["kept"] is not None:
            values = self._value(node, KEPT, record["kept"])
            if values is None or node.keep(list(values)) != record["kept"]:
                return False
        records.write(node.folder, record)
        return True

    def _value(self, node: Node, what: str, method: str) -> Any:
        entry = self._hierarchy.get(node.key(what, method))
        return None if entry is None else entry.value()


def _file(number: int) -> str:
    return f"file{number}"


def _mapped(path: str) -> Any:
    """Return a file's bytes, which are not read before they are written."""
    if os.path.getsize(path) == 0:
        return np.empty(0, np.uint8)
    return np.asarray(np.memmap(path, np.uint8, "r"))


def _safe(name: str) -> list[str]:
    """Return the parts of a file's name below its node.

    Raises
    ------
    ValueError
        If it would lead out of the folder.
    """
    parts = name.split("/")
    if (
        os.path.isabs(name)
        or not all(parts)
        or {".", ".."} & set(parts)
        or os.sep in name.replace("/", "")
    ):
        raise ValueError(f"{name!r} leads out of its folder")
    return parts
