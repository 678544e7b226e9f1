"""What a stage remembers: results by code and inputs, in the formats and tiers of all doors."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from neurotools.memo.careful import is_meant_to_end, spelled
from neurotools.memo.commands.contents import File
from neurotools.memo.details import Details
from neurotools.memo.entry import Record, Signature
from neurotools.memo.errors import UnstorableValue
from neurotools.memo.formats.registry import FORMATS
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.key import KeyMaker
from neurotools.memo.log import Log
from neurotools.memo.readable import show, shown_file
from neurotools.memo.seal import seal
from neurotools.memo.signing import signer_with
from neurotools.memo.stages.binding import Bound
from neurotools.memo.stages.files import (
    Content,
    KnownFiles,
    folders_in,
    is_as_it_was,
    paths_in,
    replaced,
    speaks_of,
)
from neurotools.memo.tiers.folders import PRIVATE
from neurotools.memo.tiers.locations import tier_at
from neurotools.memo.turns.flight import Flight

log = Log(__name__)

#: Name of the cache below the folder that was given.
IDENTIFIER = "stages"
#: Tried in this order: arrays and plain values open in other programs; a pickle holds the rest.
_METHODS = ("npy", "pickle")


class Asked(NamedTuple):
    """One call of a stage, by name."""

    signature: Signature
    named_signature: Signature
    """The same, in which the names of files count, too."""
    bound: Bound
    text: bytes
    plain: Signature
    """The same, in which paths are mere texts."""
    files: Mapping[str, str]
    """Paths in it of files that were there when it was asked for, and the SHA-256 of each."""
    folders: frozenset[str]
    """Paths of folders that were there."""

    @property
    def signatures(self) -> tuple[Signature, ...]:
        """Those by which it may be remembered."""
        return (self.signature, self.named_signature) if self.files else (self.signature,)


class Found(NamedTuple):
    """What a function returned, alone in a tuple; or None, and why if that is known already."""

    value: tuple[Any] | None
    reason: str


class StageMemory:
    """Remembers the results of one stage.

    Parameters
    ----------
    function : callable
        The stage's function; all code that it reaches counts.
    places : sequence of str, path or Tier
        Where results are kept, fast to slow; the first that is a folder has the files for people.
    name : str
        The stage's.

    Raises
    ------
    CacheError, ValueError
        If nothing can be kept at one of the places.
    """

    def __init__(self, function: Callable[..., Any], places: Sequence[Any], name: str) -> None:
        signer = signer_with()
        tiers = [tier_at(place, IDENTIFIER, signer=signer) for place in places]
        self._hierarchy, self._signer = Hierarchy(tiers), signer
        self._keys = KeyMaker(function, strict=True, packages="minor", shelf=self._hierarchy)
        roots = [str(root) for tier in tiers if (root := getattr(tier, "root", None))]
        self.folder = os.path.dirname(roots[0]) if roots else None
        self._flight = Flight(os.path.join(roots[-1], PRIVATE) if roots else None)
        self._known = KnownFiles(os.path.join(roots[0] if roots else "", PRIVATE, "files"))
        self._details = Details(function, f"{function.__module__}.{name}")
        self._name = name

    def asked(self, bound: Bound) -> Asked:
        """Return a call by name.

        Raises
        ------
        CacheError
            If it has no name: something in it has no reliable digest, or the code cannot be
            followed.
        """
        _ = self._keys.fingerprint
        files = {path: self._known.of(path).hash for path in paths_in(bound)}
        signature = named = plain = self._signature(bound, files, named=False)
        if files:
            named = self._signature(bound, files, named=True)
            plain = self._signature(bound, (), named=False)
        from neurotools.memo import literals

        text, folders = literals.encode(signature), frozenset(folders_in(bound))
        return Asked(signature, named, bound, text, plain, files, folders)

    def _signature(self, bound: Bound, files: Collection[str], *, named: bool) -> Signature:
        def content(value: Any, path: str) -> Any:
            if path not in files:
                return value
            return Content(type(value).__name__, self._known.of(path).hash, path * named)

        args, kwargs = replaced(bound, content)
        return self._keys.signature(args, kwargs)

    @contextlib.contextmanager
    def alone(self, asked: Asked) -> Iterator[bool]:
        """Hold a call while it is computed; give whether somebody else had it meanwhile."""
        turn = self._flight.alone(self._keys.key(asked.signature, _METHODS[0]))
        try:
            with turn as waited:
                yield waited
        finally:
            turn.free()

    # ------------------------------------------------------------ finding

    def find(self, asked: Asked, *, checked: bool = True) -> Found:
        """Return what a call returned, if that is remembered.

        Parameters
        ----------
        asked : Asked
            The call.
        checked : bool
            Whether files among the results must be there, as they were.
        """
        reason = ""
        for signature in asked.signatures:
            for method in _METHODS:
                entry = self._hierarchy.get(self._keys.key(signature, method))
                if entry is None:
                    continue
                changed = self._changed(entry.record) if checked else ""
                if not changed and (value := self._value(entry)) is not None:
                    self._known.save()
                    return Found(value, f"at {entry.location}")
                reason = changed or f"{entry.location} cannot be read"
        return Found(None, reason)

    def _changed(self, record: Record) -> str:
        """Return which file among the results is not what it was."""
        folders = record.details.get("folders", [])
        if gone := next((path for path in folders if not os.path.isdir(path)), ""):
            return f"{gone} does not exist"
        files = map(File.from_json, record.details.get("makes", []))
        return next(filter(None, (is_as_it_was(file, self._known) for file in files)), "")

    def _value(self, entry: Any) -> tuple[Any] | None:
        try:
            value = entry.value()
        except BaseException as error:  # user classes may fail to unpickle in any way there is
            if is_meant_to_end(error):
                raise
            log.warning("cannot decode %s, running again: %s", entry.location, spelled(error))
            return None
        return (value,)

    def explained(self, asked: Asked) -> str:
        """Return why a call is not remembered, in words."""
        from neurotools.memo.explain import explain  # loads the parser, for those who ask

        key = self._keys.key(asked.signature, _METHODS[0])
        told = explain(self._hierarchy, key, asked.signature, self._keys.fingerprint.manifest)
        return str(told).removeprefix("miss: ")

    # ------------------------------------------------------------ keeping

    def keep(self, asked: Asked, value: Any, seconds: float) -> None:
        """Remember what a call returned; whatever fails, the caller has it already."""
        try:
            self._keep(asked, value, seconds)
        except BaseException as error:  # pickling runs the user's own code
            if is_meant_to_end(error):
                raise
            self._tell_not_kept(spelled(error))

    def _tell_not_kept(self, reason: str) -> None:
        log.warning("the results of stage %s were not kept: %s", self._name, reason)

    def _keep(self, asked: Asked, value: Any, seconds: float) -> None:
        now = {path: self._known.of(path).hash for path in paths_in(asked.bound)}
        # A file that an input names is a result if it was not there before, or is returned.
        written = {path for path, digest in now.items() if asked.files.get(path) != digest}
        returned = set(paths_in(value))
        if others := (written & asked.files.keys()) - returned:
            self._tell_not_kept(f"{min(others)} changed while it ran")
            return
        details = self._details.of(asked.text)
        details["makes"] = [self._known.of(path).as_json() for path in sorted(returned | written)]
        new = set(folders_in(asked.bound)) - asked.folders
        details["folders"] = sorted(new.union(folders_in(value)))
        is_named = bool(asked.files) and speaks_of(value, asked.files)
        signature = asked.named_signature if is_named else asked.signature
        self._put(signature, value, seconds, details)
        # With what is there now it is called the next time; unless that has changed in memory, too.
        if written and self._signature(asked.bound, (), named=False) == asked.plain:
            self._put(self._signature(asked.bound, now, named=True), value, seconds, details)
        self._known.save()

    def _put(
        self, signature: Signature, value: Any, seconds: float, details: dict[str, Any]
    ) -> None:
        for method in _METHODS:
            form, key = FORMATS[method], self._keys.key(signature, method)
            try:
                payload = form.encode(value)
            except UnstorableValue:
                if method == _METHODS[-1]:
                    raise
                # What another run may have left there is not asked for any more.
                self._hierarchy.discard(key)
                continue
            record = Record(time.time(), seconds, payload.layout, details)
            self._hierarchy.put(key, seal(payload, record, key, form, self._signer))
            text = self._keys.fingerprint.manifest.to_json()
            self._hierarchy.put_manifest(key, text.encode("utf-8", "surrogatepass"))
            return

    def show(self, asked: Asked, results: Mapping[str, Any]) -> None:
        """Write the three files for people; that may fail."""
        if self.folder is None:
            return
        try:
            self._show(self.folder, asked, results)
        except BaseException as error:  # values of the user's own classes are looked into
            if is_meant_to_end(error):
                raise
            log.warning("the files of stage %s were not written: %s", self._name, spelled(error))

    def _show(self, folder: str, asked: Asked, results: Mapping[str, Any]) -> None:
        args, kwargs = asked.bound
        named, _ = self._keys.binder.bind(args, kwargs)
        extra = {"*args": list(args)} if not named and args else {}
        stage = {
            "function": self._keys.folder,
            "fingerprint": self._keys.fingerprint.code,
            "parts": sorted(part.name for part in self._keys.fingerprint.manifest.parts),
        }
        inputs = self._shown({**dict(named), **extra})
        show(folder, self._name, inputs, stage, self._shown(dict(results)))

    def _shown(self, values: dict[str, Any]) -> Any:
        def shown(_: Any, path: str) -> dict[str, str]:
            return shown_file(path, self._known.of(path).hash)

        # A set cannot hold what stands for a file.
        lists = {k: list(v) if type(v) in (set, frozenset) else v for k, v in values.items()}
        return replaced(lists, shown)
