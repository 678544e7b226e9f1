"""A call of an interface, top to bottom. Start reading here.

The inputs, the interface and its program become the name of a folder (`identity`). If a whole
result lies there, verified, it is given (`node`); otherwise the interface runs in it, one run at a
time (`alone`). What was used is noted (`uses`), so that clearing knows what to leave.
"""

from __future__ import annotations

import inspect
import re
import weakref
from collections.abc import Mapping
from typing import Any

from neurotools.memo.careful import is_meant_to_end
from neurotools.memo.fingerprint.reach import Tracker
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.naming import safe_part
from neurotools.memo.nodes.alone import alone
from neurotools.memo.nodes.guard import Circumstances, Guard, shortcut
from neurotools.memo.nodes.holders import Holders
from neurotools.memo.nodes.identity import Identifier, Identity, holds
from neurotools.memo.nodes.node import Node, workflow
from neurotools.memo.nodes.noted import Noted
from neurotools.memo.nodes.packed import Packed
from neurotools.memo.nodes.result import Result, brought
from neurotools.memo.nodes.running import Run
from neurotools.memo.nodes.shape import Shape
from neurotools.memo.nodes.uses import Uses
from neurotools.memo.runs import Runs
from neurotools.memo.tiers.directory import DirectoryTier

#: The record of a result, and what is kept beside it.
Found = tuple[dict[str, Any], list[Any]]

#: Calls that are known without naming them anew, for each interface.
_REMEMBERED = 4096
#: One tracker for each class: it knows what running the class has changed.
_TRACKERS: weakref.WeakKeyDictionary[type, Tracker] = weakref.WeakKeyDictionary()


class Nodes:
    """The nodes of one folder.

    Parameters
    ----------
    base : str
        The folder, which is there.
    uses : Uses, optional
        Where it is noted which were used.
    holders : Holders, optional
        Where it is noted which this process was given.
    packed : Packed, optional
        Where results are kept besides.
    """

    def __init__(
        self,
        base: str,
        uses: Uses | None = None,
        packed: Packed | None = None,
        holders: Holders | None = None,
    ) -> None:
        self.base, self.uses, self.packed, self.holders = base, uses, packed, holders
        self.tier = DirectoryTier(base)
        self.noted = Noted(self.tier)
        self._calls: weakref.WeakKeyDictionary[type, Calls] = weakref.WeakKeyDictionary()

    def calls(self, shape: Shape, *, strict: bool) -> Calls:
        """Return the calls of a class; the same ones for the same class, which know each other."""
        if shape.args or shape.kwargs or not strict:
            return Calls(shape, self, strict=strict)
        found = self._calls.get(shape.interface)
        if found is None:
            found = self._calls[shape.interface] = Calls(shape, self, strict=strict)
        return found

    def __reduce__(self) -> Any:
        return type(self), (self.base, self.uses, self.packed, self.holders)

    def note(self, node: str) -> None:
        """Note that a node is used."""
        if self.holders is not None:
            self.holders.hold(node)
        if self.uses is not None:
            self.uses.note(node)


class Calls:
    """The calls of one interface class.

    Parameters
    ----------
    shape : Shape
        The class.
    nodes : Nodes
        Where it runs.
    strict : bool
        Whether to refuse a class that depends on something that cannot be followed.
    """

    def __init__(self, shape: Shape, nodes: Nodes, *, strict: bool = True) -> None:
        self.shape, self.nodes, self._strict = shape, nodes, strict
        self.folder = folder_of(shape.interface)
        tracker = _TRACKERS.get(shape.interface)
        if tracker is None:
            tracker = _TRACKERS[shape.interface] = Tracker(
                shape.interface, shelf=Hierarchy([nodes.tier])
            )
        self._tracker = tracker
        self._runs = Runs(self._tracker, shape.name, trace=False)
        self._identifier = Identifier(shape, self._code, nodes.noted)
        self._known: dict[Any, _Known] = {}
        self._accepted: Any = None
        try:
            self.signature = inspect.Signature(list(shape.parameters()))
            self.help = shape.help()
        except Exception as error:
            name = shape.interface.__name__
            raise ValueError(
                f"{shape.name} cannot be made: {error}. What its constructor takes is given after "
                f"the class, as in cache({name}, ...)"
            ) from error

    def _code(self) -> str:
        self.shape.settle()
        fingerprint = self._tracker.current()
        if fingerprint is not self._accepted:
            if self._strict and (refusals := self._tracker.refusals):
                raise refusals[0].with_traceback(None)
            self._accepted = fingerprint
        return fingerprint.code

    def __call__(self, kwargs: Mapping[str, Any]) -> tuple[Result, str]:
        """Return a result, and the name of its node in the folder of the class."""
        brief = shortcut(kwargs)
        known = None if brief is None else self._known.get(brief)
        if known is not None and (result := known.result()) is not None:
            return result, known.node.name.rpartition("/")[2]
        circumstances = Circumstances(self.shape.interface)
        code = self._code()
        made = self.shape.make(kwargs)
        self.shape.check(made)
        named = self._identifier.of(made)
        place = f"{self.folder}/{named.name}"
        node = Node(self.nodes.tier, place, self.nodes.noted, named.paths)
        search = self.shape.program(made)
        workflow.info("Executing node %s in dir: %s", named.name, node.folder)
        record, kept = self._collected(node) or self._ran(node, made, named)
        inputs = brought(made, record)
        # What running has changed does not count: that of another change would be seen here.
        is_kept = named.is_lasting and "kept" in record
        if brief is not None and is_kept and self._code() == code:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            guard = Guard(circumstances, self._tracker.watcher(_is_table_of_traits), named, search)
            self._known[brief] = _Known(self, guard, node, record, inputs)
        result = Result(self.shape.interface, node.folder, record, named.paths, kept, inputs)
        return result, named.name

    def _collected(self, node: Node) -> Found | None:
        """Return what is there already."""
        # Before it is looked for: nobody is to clear it meanwhile.
        self.nodes.note(node.name)
        found = node.found()
        if found is not None:
            workflow.info("Collecting precomputed outputs")
        return found

    def _ran(self, node: Node, made: Any, named: Identity) -> Found:
        """Return what comes out of running, here or, while we waited, by somebody else."""
        nodes = self.nodes
        packed = nodes.packed if named.is_lasting else None
        with alone(nodes.base, node.name):
            if (found := node.found()) is not None:
                workflow.info("Collecting precomputed outputs")
                return found
            if node.trouble:
                workflow.warning("Running again: %s", node.trouble)
            if packed is not None and (found := packed.restored(node)) is not None:
                workflow.info("Collecting precomputed outputs")
            else:
                with self._runs.watched():
                    found = Run(node, self.shape, made, named)()
                if packed is not None and "kept" in found[0]:
                    packed.keep(node, *found)
            nodes.note(node.name)
            return found


class _Known:
    """A call that was made before, and what it came to."""

    __slots__ = ("_brought", "_calls", "_contents", "_guard", "_record", "node")

    def __init__(
        self,
        calls: Calls,
        guard: Guard,
        node: Node,
        record: dict[str, Any],
        brought: dict[str, Any],
    ) -> None:
        self._calls, self._guard, self.node, self._record = calls, guard, node, record
        self._brought = brought
        self._contents = node.contents(record)

    def result(self) -> Result | None:
        """Return its result, or None where anything is not what it was."""
        guard, node, record = self._guard, self.node, self._record
        if not guard.holds():
            return None
        self._calls.nodes.note(node.name)
        if not holds(self._contents):
            return None
        try:
            kept = node.kept(record)
        except Exception as error:  # it is looked at again, on the longer way
            if is_meant_to_end(error):
                raise
            return None
        workflow.info("Executing node %s in dir: %s", guard.named.name, node.folder)
        workflow.info("Collecting precomputed outputs")
        interface, paths = self._calls.shape.interface, guard.named.paths
        return Result(interface, node.folder, record, paths, kept, self._brought)


def folder_of(interface: type) -> str:
    """Return the name of the folder of an interface class, as nipype names it."""
    name = f"{interface.__module__}.{interface.__qualname__}".replace("<locals>", "locals")
    plain = re.sub(r"[^\w-]", "-", name)
    return plain if len(plain.encode()) <= _LONGEST else safe_part(plain)


#: Bytes of a name, to which others are added; file systems take 255.
_LONGEST = 200


def _is_table_of_traits(value: Any) -> bool:
    """Tell whether something declares inputs or outputs, and is not changed once it is there.

    Their digest takes milliseconds. That they are other ones is seen without it.
    """
    return type(value) is dict and _is_traits(value)


def _is_traits(value: Any) -> bool:
    if type(value) is dict:
        return bool(value) and all(map(_is_traits, value.values()))
    if type(value) is list:  # names of such
        return all(type(item) is str for item in value)
    return type(value).__module__.partition(".")[0] == "traits"
