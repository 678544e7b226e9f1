"""One node's folder: what lies there, verified; and an empty one, for a run.

Not here: which folder, and what a call does (`calls`); the run itself (`running`).
"""

from __future__ import annotations

import logging
import os
import shutil
import time
import uuid
from collections.abc import Sequence
from typing import Any

from neurotools.memo.entry import Blob, Key, Record
from neurotools.memo.errors import CorruptEntry, UndigestableValue, UntrustedEntry
from neurotools.memo.formats.registry import FORMATS, holds
from neurotools.memo.nodes import record as records
from neurotools.memo.nodes.identity import Content
from neurotools.memo.nodes.noted import Noted
from neurotools.memo.seal import seal
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.tiers.folders import PRIVATE

#: As nipype's documentation shows it.
workflow = logging.getLogger("workflow")

#: Name of what JSON cannot hold, beside the record.
KEPT = "_values"


class Node:
    """One node.

    Parameters
    ----------
    tier : DirectoryTier
        The folder of all nodes.
    name : str
        ``<class>/<hash>``.
    noted : Noted
        Knows large files.
    paths : sequence of str
        Paths of the files among the inputs.
    """

    def __init__(
        self, tier: DirectoryTier, name: str, noted: Noted, paths: Sequence[str] = ()
    ) -> None:
        self.tier, self.name, self._noted, self._paths = tier, name, noted, list(paths)
        self.folder = os.path.join(tier.root, *name.split("/"))
        self.trouble = ""

    # ------------------------------------------------------------ finding

    def found(self) -> tuple[dict[str, Any], list[Any]] | None:
        """Return the record of a whole result, verified, and what is kept beside it, or None.

        What speaks against one that is there, `trouble` says.
        """
        self.trouble = ""
        try:
            record = records.load(self.folder)
            if record is None or record["state"] != records.DONE:
                return None
            if record.get("beside", self._paths) != self._paths:
                self.trouble = "its outputs were written beside equal inputs at another place"
                return None
            if changed := self.changed(record):
                self.trouble = f"{changed} is not what it was when it was made"
                return None
            return record, self.kept(record)
        except (CorruptEntry, UntrustedEntry) as error:
            self.trouble = str(error)
        except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
            self.trouble = f"{self.folder} cannot be read: {error!r}"
        return None

    def changed(self, record: dict[str, Any]) -> str:
        """Return the path of a file that is not what it was when the run ended, or nothing."""
        for path, was in self.contents(record).items():
            try:
                if self._noted.content(path) != was:
                    return path
            except UndigestableValue:
                return path
        return ""

    def contents(self, record: dict[str, Any]) -> dict[str, Content]:
        """Return the content that each file of a result has to have."""
        below = {
            os.path.join(self.folder, *name.split("/")): facts
            for name, facts in record["files"].items()
        }
        files = {**below, **record["elsewhere"]}
        return {path: (f["kind"].encode(), bytes.fromhex(f["digest"])) for path, f in files.items()}

    def kept(self, record: dict[str, Any]) -> list[Any]:
        """Return what is kept beside a record, made anew."""
        method = record["kept"]
        if method is None:
            return []
        entry = self.tier.get(self.key(KEPT, method))
        if entry is None:
            raise ValueError(f"{KEPT}.{method} is missing")
        return list(entry.value())

    def key(self, what: str, method: str) -> Key:
        """Return the key of something that belongs to the node."""
        folder, _, name = self.name.partition("/")
        return Key(folder, name, what, method)

    # ------------------------------------------------------------ making

    def keep(self, values: list[Any]) -> str:
        """Keep values beside the record; return the method."""
        method = "npy" if holds(FORMATS["npy"], values) else "pickle"
        key = self.key(KEPT, method)
        self.tier.put(key, sealed(key, values))
        return method

    def clean(self) -> None:
        """Have an empty folder; what a person has changed there is set aside, all else removed."""
        if os.path.lexists(self.folder):
            if not records.is_node(self.folder):
                raise FileExistsError(
                    17, "there is something that the cache did not make; move it away", self.folder
                )
            self._clear()
        os.makedirs(self.folder, mode=0o700)

    def _clear(self) -> None:
        root = self.tier.root
        try:
            record = records.load(self.folder)
        except CorruptEntry:
            record = None
        if record is None or record["state"] != records.DONE or not _has_all(self.folder, record):
            shutil.rmtree(aside(root, self.folder), ignore_errors=True)
            return
        # Whole, but not as it was: somebody may have worked on it, and may want it back.
        kept = os.path.join(root, PRIVATE, "changed")
        os.makedirs(kept, mode=0o700, exist_ok=True)
        place = os.path.join(kept, f"{time.time_ns():x}-{os.path.basename(self.folder)}")
        os.rename(self.folder, place)
        workflow.warning("What was in %s has been moved to %s", self.folder, place)
        for old in sorted(os.listdir(kept))[:-_MOST_CHANGED]:
            shutil.rmtree(os.path.join(kept, old), ignore_errors=True)


#: Folders that were changed by others and set aside: so many stay, the newest.
_MOST_CHANGED = 16


def sealed(key: Key, value: Any) -> Blob:
    """Return a value as an entry of a tier."""
    form = FORMATS[key.method]
    payload = form.encode(value)
    return seal(payload, Record(time.time(), 0.0, payload.layout, {}), key, form)


def aside(root: str, folder: str) -> str:
    """Move a folder out of the way, in one step, to where it can be removed; return where."""
    trash = os.path.join(root, PRIVATE, "removed")
    os.makedirs(trash, mode=0o700, exist_ok=True)
    moved = os.path.join(trash, uuid.uuid4().hex)
    os.rename(folder, moved)
    return moved


def _has_all(folder: str, record: dict[str, Any]) -> bool:
    """Tell whether a folder has all the files of its record, whatever is in them."""
    return all(os.path.exists(os.path.join(folder, *n.split("/"))) for n in record.get("files", ()))
