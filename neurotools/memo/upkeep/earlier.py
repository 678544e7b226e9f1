"""Results of a function's earlier code, and what is asked of them when they are taken over.

Not here: those of an earlier neurotools (`legacy`), and what is done with them (`combining`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from neurotools.memo.entry import Key
from neurotools.memo.errors import CacheError, CorruptEntry, UntrustedEntry
from neurotools.memo.fingerprint.manifest import Manifest
from neurotools.memo.formats.registry import decoder
from neurotools.memo.key import KeyMaker
from neurotools.memo.log import Log
from neurotools.memo.seal import Sealed, reseal
from neurotools.memo.signing import Signer
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.upkeep.recomputing import Arguments, rebuilt, signature_of

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
