"""What is in a cache: listing and merging. Nothing found in a file is ever executed here."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from neurotools.memo import naming
from neurotools.memo.entry import Key, Signature
from neurotools.memo.errors import CorruptEntry, UnreadableName, UntrustedEntry
from neurotools.memo.fingerprint.manifest import Manifest
from neurotools.memo.formats.registry import FORMATS, decoder
from neurotools.memo.log import Log
from neurotools.memo.seal import Sealed, reseal
from neurotools.memo.signing import Signer, signer_with
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.tiers.files import read_record
from neurotools.memo.tiers.folders import PRIVATE

log = Log(__name__)


def scan(folder: str, method: str, **decoding: Any) -> Iterator[tuple[str, Signature | None]]:
    """List the entries below a folder with their arguments.

    Parameters
    ----------
    folder : str
        Of a function's version, of a function, or a whole cache.
    method : str
        Suffix of the files that count.
    **decoding
        Passed on to `naming.signature_of`.

    Yields
    ------
    name : str
        Path of the entry below the folder.
    signature : Signature or None
        Its arguments, from its name or, where the name was too short for them, from its record;
        None where neither has them: a foreign file, or an earlier neurotools' hashed name.
    """
    top = os.path.join(folder, "")
    for path in _files(folder, f".{method}"):
        name = path[len(top) :]
        try:
            yield name, _signature(path, **decoding)
        except (UnreadableName, CorruptEntry, OSError) as error:
            log.info("left out of the listing: %s", error)
            yield name, None


def _files(folder: str, suffix: str) -> Iterator[str]:
    for place, folders, names in os.walk(folder):
        if PRIVATE in folders:
            folders.remove(PRIVATE)
        folders.sort()
        paths = (os.path.join(place, name) for name in sorted(names) if name.endswith(suffix))
        yield from filter(_is_regular, paths)


def _is_regular(path: str) -> bool:
    """Tell whether there is a file, no link to one, no pipe and no device."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def _signature(path: str, **decoding: Any) -> Signature:
    name = os.path.basename(path).rpartition(".")[0]
    try:
        return naming.signature_of(name, **decoding)
    except UnreadableName:
        return naming.recorded(read_record(path))


def is_entry(path: str) -> bool:
    """Tell whether a file looks like an entry, without reading its payload."""
    try:
        recorded = str(read_record(path).details.get("key", "")).replace("/", os.sep)
    except (CorruptEntry, OSError):
        return False
    return bool(recorded) and path.endswith(os.sep + recorded)


def read_value(path: str, *, method: str | None = None) -> Any:
    """Return the value in an entry's file, verified.

    Parameters
    ----------
    path : str
        The file.
    method : str
        Its format, if the suffix does not say it.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    CorruptEntry
        If the file is no undamaged entry of that name.
    UntrustedEntry
        If opening it could run code that somebody else wrote.
    """
    path = os.path.abspath(path)
    key, root = _key_of(path, method)
    entry = DirectoryTier(root, signer=signer_with()).read(key)
    if entry is None:
        raise FileNotFoundError(2, "there is no cache entry", path)
    return entry.value()


def _key_of(path: str, method: str | None) -> tuple[Key, str]:
    """Return the key that a file's place makes it, and the root of its cache."""
    recorded = str(read_record(path).details.get("key", ""))
    depth = recorded.count("/") + 1
    place = path.split(os.sep)
    root, parts = os.sep.join(place[:-depth]) or os.sep, place[-depth:]
    call, _, suffix = parts[-1].rpartition(".")
    chosen = method or suffix
    if depth < 3 or chosen not in FORMATS or suffix != chosen:
        raise CorruptEntry(path, f"it is no {chosen} entry where it lies")
    return Key("/".join(parts[:-2]), parts[-2], call, chosen), root


@dataclass(frozen=True)
class Combined:
    """What `combine` did.

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
    """

    code: str
    merged: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()

    def __str__(self) -> str:
        return (
            f"{len(self.merged)} entries merged into {self.code}, {len(self.kept)} there already, "
            f"{len(self.foreign)} of other functions left out, {len(self.unreadable)} unreadable"
        )


def combine(root: str, function: str, manifest: Manifest, script: str, **options: Any) -> Combined:
    """Copy the entries of a function's other versions into one version, overwriting nothing.

    Parameters
    ----------
    root : str
        The cache's folder.
    function : str
        The function's folder below it.
    manifest : Manifest
        Of the version that gets them.
    script : str
        The file that defines the function.
    **options
        Of the tier, see `DirectoryTier`. With a ``signer``, what is copied is signed.
    """
    tier = DirectoryTier(root, **options)
    signer = options.get("signer")
    done: dict[str, list[str]] = {"merged": [], "kept": [], "foreign": [], "unreadable": []}
    siblings: dict[str, bool] = {}
    for key in sorted(tier.keys(function), key=lambda key: key.path):
        if key.code == manifest.code:
            continue
        if key.code not in siblings:
            siblings[key.code] = not _is_earlier(tier, key, manifest)
        target = Key(function, manifest.code, key.call, key.method)
        what = "foreign" if siblings[key.code] else _adopt(tier, key, target, script, signer)
        done[what].append(key.path[len(function) + 1 :])
    return Combined(manifest.code, **{name: tuple(paths) for name, paths in done.items()})


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
    return _parts(old, counts) == _parts(manifest, counts)


def _parts(manifest: Manifest, names: tuple[str, ...]) -> set[tuple[str, str]]:
    return {
        (part.name, part.digest)
        for part in manifest.parts
        if part.name in names or part.name.startswith(names[0])
    }


def _adopt(tier: DirectoryTier, key: Key, target: Key, script: str, signer: Signer | None) -> str:
    if tier.has(target):
        return "kept"
    try:
        entry = tier.read(key)
    except (CorruptEntry, UntrustedEntry) as error:
        log.warning("%s", error)
        return "unreadable"
    except OSError as error:
        tier.health.tell_failure("read", error)
        return "unreadable"
    if entry is None:
        return "unreadable"
    if key.function.startswith("__main__/") and not _same_script(entry, script):
        return "foreign"
    tier.put(target, reseal(entry, target, decoder(key.method, entry.layout), signer))
    return "merged"


def _same_script(entry: Sealed, script: str) -> bool:
    # Scripts of one name, and all sessions without a file, share a folder.
    return bool(script) and entry.record.details.get("script") == script
