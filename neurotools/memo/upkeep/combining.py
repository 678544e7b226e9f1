"""Taking over results of a function's earlier code, on trust or after a look whether they hold.

What there is to take over comes as `Kept`: entries of our own (`Earlier`), or those of an earlier
neurotools (`legacy`). Not here: making calls again (`recomputing`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from neurotools.memo.entry import Key
from neurotools.memo.errors import CacheError, CorruptEntry, UntrustedEntry, VersionsDisagree
from neurotools.memo.fingerprint.manifest import Manifest
from neurotools.memo.formats.registry import decoder
from neurotools.memo.key import KeyMaker
from neurotools.memo.log import Log
from neurotools.memo.seal import Sealed, reseal
from neurotools.memo.signing import Signer
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.upkeep.recomputing import Arguments, rebuilt, signature_of
from neurotools.memo.upkeep.verdicts import Verdict

log = Log(__name__)


class LeftOut(CacheError):
    """An entry is not taken over; `kind` is the list of `Combined` that it goes to."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


class Kept(Protocol):
    """A result of earlier code, where it is kept."""

    path: str
    """Of its file, below the function's folder."""

    code: str
    """Its version."""

    method: str
    """Its format."""

    location: str
    """Where its file is."""

    foreign: bool
    """Whether its version may be another function with the same name."""

    def arguments(self, keys: KeyMaker) -> Arguments:
        """Return what the function was called with.

        Raises
        ------
        CannotRebuild
            If that is not known any more.
        """

    def value(self) -> Any:
        """Return the result.

        Raises
        ------
        LeftOut
            If it cannot be had, or may be another function's.
        """

    def adopt(self) -> bool:
        """Give it to the present version; tell whether that had none of its own.

        Raises
        ------
        LeftOut
            As `value` does.
        """


@dataclass(frozen=True, repr=False)
class Combined:
    """What became of the results of a function's earlier code.

    Attributes
    ----------
    code : str
        The version that now has the entries.
    merged : tuple of str
        Paths of the entries that were copied, below the function's folder.
    kept : tuple of str
        Those that were not, since the version had an entry for the call already.
    foreign : tuple of str
        Those that may be results of another function with the same folder.
    unreadable : tuple of str
        Those that could not be read.
    refused : tuple of str
        Those of versions whose results are not what the function gives now; with ``verify=``.
    verdicts : tuple of Verdict
        What came of computing calls again, for each version; with ``verify=``.
    reasons : dict
        Why an entry was left out: path to words. Not of those that were refused.
    """

    code: str
    merged: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return str(self)  # what a notebook shows of it

    def __str__(self) -> str:
        line = (
            f"{len(self.merged)} entries merged into {self.code}, {len(self.kept)} there already, "
            f"{len(self.foreign)} of other functions left out, {len(self.unreadable)} unreadable"
        )
        if not self.verdicts:
            return line
        told = "\n".join(map(str, self.verdicts))
        return f"{line}, {len(self.refused)} refused\n{told}"


#: Looks whether the results of a version hold, given all that is kept of it.
Check = Callable[[str, list[Kept]], Verdict]


def combined(
    code: str, found: Iterable[Kept], check: Check | None = None, *, strict: bool = False
) -> Combined:
    """Take over what is kept, version by version; a version of which one call fails stays out.

    All versions are looked at before the first entry is taken over.

    Raises
    ------
    VersionsDisagree
        If one is refused, and `strict`.
    """
    versions: dict[str, list[Kept]] = {}
    for one in found:
        versions.setdefault(one.code, []).append(one)
    verdicts = []
    for name, kept in versions.items():
        own = [one for one in kept if not one.foreign]
        if check is not None and own:
            verdicts.append(check(name, own))
    out = {verdict.code for verdict in verdicts if verdict.is_refused}
    if out and strict:
        refused = tuple(one.path for name in out for one in versions[name])
        done = Combined(code, refused=refused, verdicts=tuple(verdicts))
        told = "\n".join(str(verdict) for verdict in verdicts if verdict.is_refused)
        raise VersionsDisagree(f"nothing was taken over:\n{told}", done)
    lists: dict[str, list[str]] = {}
    reasons: dict[str, str] = {}
    for name, kept in versions.items():
        for one in kept:
            is_refused = name in out and not one.foreign
            kind, reason = ("refused", "") if is_refused else _adopted(one)
            lists.setdefault(kind, []).append(one.path)
            if reason:
                reasons[one.path] = reason
    paths = {kind: tuple(names) for kind, names in lists.items()}
    return Combined(code, verdicts=tuple(verdicts), reasons=reasons, **paths)


def _adopted(one: Kept) -> tuple[str, str]:
    try:
        return ("merged" if one.adopt() else "kept"), ""
    except LeftOut as reason:
        return reason.kind, str(reason)


# ---------------------------------------------------------------- entries of our own


class Earlier:
    """An entry of another version of a function.

    Parameters
    ----------
    tier : DirectoryTier
        Where it is.
    key : Key
        Its own.
    target : Key
        The one that it gets in the present version.
    foreign : bool
        Whether its version may be another function with the same folder.
    script : str
        The file that defines the function.
    signer : Signer or None
        Signs what is copied.
    """

    def __init__(
        self,
        tier: DirectoryTier,
        key: Key,
        target: Key,
        *,
        foreign: bool,
        script: str,
        signer: Signer | None,
    ) -> None:
        self._tier, self._key, self._target = tier, key, target
        self.foreign, self._script, self._signer = foreign, script, signer
        self.location = tier.location(key)
        self.path = key.path[len(key.function) + 1 :]
        self.code, self.method = key.code, key.method

    def arguments(self, keys: KeyMaker) -> Arguments:
        """Return what the function was called with, from the entry's name or record."""
        return rebuilt(keys, signature_of(self._key, lambda: self._tier.record(self._key)))

    def value(self) -> Any:
        """Return the result."""
        entry = self._read()
        try:
            return entry.value()
        except Exception as error:  # user classes may fail to unpickle in any way there is
            raise LeftOut("unreadable", f"it cannot be decoded: {error!r}") from None

    def adopt(self) -> bool:
        """Copy it, its payload as it is, unless the version has an entry for the call."""
        if self.foreign:
            raise LeftOut("foreign", "it may be the result of another function with this name")
        if self._tier.has(self._target):
            return False
        try:
            entry = self._read()
        except LeftOut as error:
            if error.kind == "unreadable":
                log.warning("%s", error)
            raise
        form = decoder(self._key.method, entry.layout)
        self._tier.put(self._target, reseal(entry, self._target, form, self._signer))
        return True

    def _read(self) -> Sealed:
        if self.foreign:
            raise LeftOut("foreign", "it may be the result of another function with this name")
        try:
            entry = self._tier.read(self._key)
        except (CorruptEntry, UntrustedEntry) as error:
            raise LeftOut("unreadable", str(error)) from None
        except OSError as error:
            self._tier.health.tell_failure("read", error)
            raise LeftOut("unreadable", str(error)) from None
        if entry is None:
            raise LeftOut("unreadable", "it is there no more")
        # Scripts of one name, and all sessions without a file, share a folder.
        is_script = self._key.function.startswith("__main__/")
        if is_script and not (self._script and entry.record.details.get("script") == self._script):
            raise LeftOut("foreign", "another script may have made it")
        return entry


def earlier(
    tier: DirectoryTier,
    function: str,
    manifest: Manifest,
    script: str,
    signer: Signer | None = None,
) -> Iterator[Earlier]:
    """Give the entries of a function's other versions.

    Parameters
    ----------
    tier : DirectoryTier
        The cache.
    function : str
        The function's folder below it.
    manifest : Manifest
        Of the version that gets them.
    script : str
        The file that defines the function.
    signer : Signer, optional
        Signs what is copied.
    """
    siblings: dict[str, bool] = {}
    for key in sorted(tier.keys(function), key=lambda key: key.path):
        if key.code == manifest.code:
            continue
        if key.code not in siblings:
            siblings[key.code] = not _is_earlier(tier, key, manifest)
        target = Key(function, manifest.code, key.call, key.method)
        foreign = siblings[key.code]
        yield Earlier(tier, key, target, foreign=foreign, script=script, signer=signer)


def _is_earlier(tier: DirectoryTier, key: Key, manifest: Manifest) -> bool:
    """Return whether a version is the same function at another time, not one beside it."""
    if "(" not in key.function:
        return True
    # Closures of one factory share a folder and differ by their cells; lambdas by their code.
    content = tier.get_manifest(key.function, key.code)
    try:
        old = Manifest.from_json((content or b"").decode("ascii"))
    except ValueError:
        return False
    own = manifest.function
    counts = (f"{own}^", own) if "(lambda)" in key.function else (f"{own}^",)
    return _cells(old, counts) == _cells(manifest, counts)


def _cells(manifest: Manifest, names: tuple[str, ...]) -> set[tuple[str, str]]:
    return {
        (part.name, part.digest)
        for part in manifest.parts
        if part.name in names or part.name.startswith(names[0])
    }
