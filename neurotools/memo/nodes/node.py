"""One node's folder: found and verified, or run anew and committed.

A run works in the folder that its results stay in, since tools write their own paths into files. It
starts in an empty folder, and is committed by the rename of its record. Not here: which folder, and
what a call does (`calls`).
"""

from __future__ import annotations

import logging
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from neurotools.memo.careful import is_meant_to_end, spelled
from neurotools.memo.digest.files import content
from neurotools.memo.entry import Blob, Key, Record
from neurotools.memo.errors import (
    CorruptEntry,
    InterfaceFailed,
    UndigestableValue,
    UnstorableValue,
    UntrustedEntry,
)
from neurotools.memo.formats.registry import FORMATS, holds
from neurotools.memo.nodes import record as records
from neurotools.memo.nodes.alone import in_directory
from neurotools.memo.nodes.identity import Content
from neurotools.memo.nodes.noted import Noted
from neurotools.memo.nodes.shape import Shape
from neurotools.memo.nodes.spelled import Speller
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
    """

    def __init__(self, tier: DirectoryTier, name: str, noted: Noted) -> None:
        self.tier, self.name, self._noted = tier, name, noted
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

    # ------------------------------------------------------------ running

    def run(
        self, shape: Shape, made: Any, inputs: Sequence[str]
    ) -> tuple[dict[str, Any], list[Any]]:
        """Run an interface in the folder; return the record of what came out, and what is kept.

        Raises
        ------
        InterfaceFailed
            If its command failed.
        Exception
            What the interface raised.
        """
        self.clean()
        asked = {each.name: each.value for each in shape.inputs(made)}
        speller = Speller(self.folder, inputs)
        told = {name: speller.spell(value) for name, value in asked.items()}
        if speller.kept:  # of these, a word is enough
            told = {
                name: str(value) if _is_kept(told[name]) else told[name]
                for name, value in asked.items()
            }
        record = records.begun(shape.name, self.name.partition("/")[2], told)
        records.write(self.folder, record)
        watch: dict[str, Any] = {}
        started = time.perf_counter()
        try:
            outputs, undefined = self._outputs(shape, made, watch)
            done, kept = self._done(record, outputs, undefined, watch, inputs)
        except BaseException as error:
            if not is_meant_to_end(error):
                self._failed(record, watch, error, time.perf_counter() - started)
            raise
        try:
            done["kept"] = self.keep(kept) if kept else None
            records.write(self.folder, done)
        except (UnstorableValue, OSError) as error:  # the caller has the result already
            workflow.warning("The result in %s was not kept: %s", self.folder, error)
        return done, kept

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

    def _outputs(
        self, shape: Shape, made: Any, watch: dict[str, Any]
    ) -> tuple[dict[str, Any], list[str]]:
        if not shape.changes_directory:
            workflow.info("Running: %s", shape.command_line(made))
            result = shape.run(made, self.folder, watch)
        else:
            with in_directory(self.folder):
                shape.bring_inputs(made, self.folder)
                workflow.info("Running: %s", shape.command_line(made))
                result = shape.run(made, self.folder, watch)
        if watch.get("traceback"):
            raise self._failure(shape.name, watch)
        return shape.outputs(result)

    def _failure(self, name: str, watch: dict[str, Any]) -> InterfaceFailed:
        return InterfaceFailed(
            name,
            str(watch.get("cmdline") or name),
            watch.get("returncode"),
            str(watch.get("stderr") or watch.get("stdout") or watch.get("traceback") or ""),
            self.folder,
        )

    def _failed(
        self, record: dict[str, Any], watch: dict[str, Any], error: BaseException, seconds: float
    ) -> None:
        """Mark the folder as that of a run that failed; raise the error of its command, if any."""
        told = {"error": spelled(error), "runtime": _plain(watch), "seconds": seconds}
        try:
            records.write(self.folder, records.ended(record, records.FAILED, **told))
        except OSError as trouble:
            workflow.info("the failure of %s was not noted: %s", self.name, trouble)
        workflow.warning("Failed; the folder stays for inspection: %s", self.folder)
        if watch.get("returncode") not in (0, None) and not isinstance(error, InterfaceFailed):
            raise self._failure(record["interface"], watch) from error

    def _done(
        self,
        record: dict[str, Any],
        outputs: dict[str, Any],
        undefined: list[str],
        watch: dict[str, Any],
        inputs: Sequence[str],
    ) -> tuple[dict[str, Any], list[Any]]:
        speller = Speller(self.folder, inputs)
        told = {name: speller.spell(_untraited(value)) for name, value in outputs.items()}
        named = [path for path in dict.fromkeys(speller.files) if path.startswith(self.folder)]
        elsewhere = [path for path in dict.fromkeys(speller.files) if path not in named]
        missing = [path for path in named if not os.path.lexists(path)]
        if missing:
            raise FileNotFoundError(2, "an output was not made", missing[0])
        # Links to inputs are no outputs, unless they are named as such.
        links = (path for path in self._made() if not os.path.islink(path) or path in named)
        files = dict.fromkeys([*named, *links])
        done = records.ended(
            record,
            records.DONE,
            outputs=told,
            undefined=undefined,
            named=[self._relative(path) for path in named],
            files={self._relative(path): self._facts(path) for path in files},
            elsewhere={path: self._facts(path) for path in elsewhere},
            runtime=_plain(watch),
        )
        return done, speller.kept

    def _facts(self, path: str) -> dict[str, Any]:
        kind, digest = content(path)
        facts = {"kind": kind.decode(), "digest": digest.hex()}
        return {**facts, "bytes": os.path.getsize(path)} if kind == b"f" else facts

    def _relative(self, path: str) -> str:
        return os.path.relpath(path, self.folder).replace(os.sep, "/")

    def _made(self) -> Iterator[str]:
        for folder, _, names in os.walk(self.folder):
            for name in sorted(names):
                path = os.path.join(folder, name)
                is_ours = folder == self.folder and name.startswith((records.RECORD, KEPT))
                if not is_ours and os.path.isfile(path):
                    yield path

    def keep(self, values: list[Any]) -> str:
        """Keep values beside the record; return the method."""
        method = "npy" if holds(FORMATS["npy"], values) else "pickle"
        key = self.key(KEPT, method)
        self.tier.put(key, sealed(key, values))
        return method


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


def _is_kept(tree: Any) -> bool:
    if isinstance(tree, dict):
        return "kept" in tree or any(map(_is_kept, tree.values()))
    return isinstance(tree, list) and any(map(_is_kept, tree))


def _plain(watch: dict[str, Any]) -> dict[str, Any]:
    """Return what is known of a run as plain JSON."""
    return {name: value for name, value in watch.items() if type(value) in _JSON}


_JSON = frozenset([str, int, float, bool, type(None)])


def _untraited(value: Any) -> Any:
    """Return a value with plain containers in place of those that watch what is put into them."""
    if isinstance(value, list) and type(value).__module__.startswith("traits."):
        return [_untraited(item) for item in value]
    if isinstance(value, dict) and type(value).__module__.startswith("traits."):
        return {key: _untraited(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(_untraited, value))
    return value
