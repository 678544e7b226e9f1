"""One run of an interface: in the folder that its results stay in, and committed by its record.

Tools write their own paths into files, so nothing is moved afterwards. The run starts in an empty
folder, with a record that says so; the rename of the last record makes it a result. Whatever was
there before is dealt with in `node`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

from neurotools.memo.careful import is_meant_to_end, spelled
from neurotools.memo.digest.files import content
from neurotools.memo.errors import InterfaceFailed, UnstorableValue
from neurotools.memo.fingerprint.shown import shown
from neurotools.memo.nodes import record as records
from neurotools.memo.nodes.alone import in_directory
from neurotools.memo.nodes.identity import Identity, holds
from neurotools.memo.nodes.node import KEPT, Node, workflow
from neurotools.memo.nodes.shape import Shape
from neurotools.memo.nodes.spelled import Speller


class Run:
    """One run.

    Parameters
    ----------
    node : Node
        Whose folder it is.
    shape : Shape
        The interface class.
    made : object
        The instance that runs.
    named : Identity
        What the node's name was made of.
    """

    def __init__(self, node: Node, shape: Shape, made: Any, named: Identity) -> None:
        self._node, self._shape, self._made_one, self._named = node, shape, made, named
        self._folder = node.folder
        #: What is known of it, also where it fails.
        self._watch: dict[str, Any] = {}

    def __call__(self) -> tuple[dict[str, Any], list[Any]]:
        """Return the record of what came out, and what is kept beside it.

        A record that was not kept, for want of room or of a format, has no ``kept``.

        Raises
        ------
        InterfaceFailed
            If its command failed.
        Exception
            What the interface raised.
        """
        self._node.clean()
        record = records.begun(self._shape.name, os.path.basename(self._folder), self._inputs())
        records.write(self._folder, record)
        started = time.perf_counter()
        try:
            done, kept = self._done(record, *self._outputs())
        except BaseException as error:
            if not is_meant_to_end(error):
                self._failed(record, error, time.perf_counter() - started)
            raise
        self._commit(done, kept)
        return done, kept

    def _commit(self, done: dict[str, Any], kept: list[Any]) -> None:
        """Keep what came out; whatever fails, the caller has it already."""
        if not holds(self._named.files):
            told = "The result in %s was not kept: an input has changed while it was made"
            workflow.warning(told, self._folder)
            return
        try:
            method = self._node.keep(kept) if kept else None
            records.write(self._folder, {**done, "kept": method})
            done["kept"] = method
        except (UnstorableValue, OSError) as error:
            workflow.warning("The result in %s was not kept: %s", self._folder, error)

    def _inputs(self) -> dict[str, Any]:
        speller = Speller(self._folder, self._named.paths)
        found = {}
        for name, value, _ in self._shape.inputs(self._made_one):
            tree = speller.spell(value)
            found[name] = {"shown": shown(value)} if _is_kept(tree) else tree
        return found

    def _outputs(self) -> tuple[dict[str, Any], list[str]]:
        shape, made, watch = self._shape, self._made_one, self._watch
        if not shape.changes_directory:
            workflow.info("Running: %s", shape.command_line(made))
            result = shape.run(made, self._folder, watch)
        else:
            with in_directory(self._folder):
                shape.bring_inputs(made, self._folder)
                workflow.info("Running: %s", shape.command_line(made))
                result = shape.run(made, self._folder, watch)
        if watch.get("traceback"):
            raise self._failure()
        return shape.outputs(result)

    def _failure(self) -> InterfaceFailed:
        name, watch = self._shape.name, self._watch
        return InterfaceFailed(
            name,
            str(watch.get("cmdline") or name),
            watch.get("returncode"),
            str(watch.get("stderr") or watch.get("stdout") or watch.get("traceback") or ""),
            self._folder,
        )

    def _failed(self, record: dict[str, Any], error: BaseException, seconds: float) -> None:
        """Mark the folder as that of a run that failed; raise the error of its command, if any."""
        told = {"error": spelled(error), "runtime": _plain(self._watch), "seconds": seconds}
        try:
            records.write(self._folder, records.ended(record, records.FAILED, **told))
        except OSError as trouble:
            workflow.info("the failure of %s was not noted: %s", self._node.name, trouble)
        workflow.warning("Failed; the folder stays for inspection: %s", self._folder)
        exit_code = self._watch.get("returncode")
        if exit_code not in (0, None) and not isinstance(error, InterfaceFailed):
            raise self._failure() from error

    def _done(
        self, record: dict[str, Any], outputs: dict[str, Any], undefined: list[str]
    ) -> tuple[dict[str, Any], list[Any]]:
        speller = Speller(self._folder, self._named.paths)
        told = {name: speller.spell(_untraited(value)) for name, value in outputs.items()}
        below = os.path.join(self._folder, "")
        named = [path for path in dict.fromkeys(speller.files) if path.startswith(below)]
        outside = [path for path in dict.fromkeys(speller.files) if path not in named]
        # Grabbers find whole data sets, which are not to be read for results that nobody looks for.
        elsewhere = outside if self._named.is_lasting else []
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
            runtime=_plain(self._watch),
        )
        if set(elsewhere).difference(_texts(record["inputs"])):
            # No input says where: so it may depend on where the inputs lie.
            done["beside"] = list(self._named.paths)
        return done, speller.kept

    def _facts(self, path: str) -> dict[str, Any]:
        kind, digest = content(path)
        facts = {"kind": kind.decode(), "digest": digest.hex()}
        return {**facts, "bytes": os.path.getsize(path)} if kind == b"f" else facts

    def _relative(self, path: str) -> str:
        return os.path.relpath(path, self._folder).replace(os.sep, "/")

    def _made(self) -> Iterator[str]:
        for folder, _, names in os.walk(self._folder):
            for name in sorted(names):
                path = os.path.join(folder, name)
                is_ours = folder == self._folder and name.startswith((records.RECORD, KEPT))
                if not is_ours and os.path.isfile(path):
                    yield path


def _is_kept(tree: Any) -> bool:
    if isinstance(tree, dict):
        return "kept" in tree or any(map(_is_kept, tree.values()))
    return isinstance(tree, list) and any(map(_is_kept, tree))


def _texts(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, (dict, list)):
        for inner in tree.values() if isinstance(tree, dict) else tree:
            yield from _texts(inner)


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
