"""What is in a cache: its entries, and what is in one. Executes nothing that a listing finds."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import Any

from neurotools.memo import naming
from neurotools.memo.entry import Key, Signature
from neurotools.memo.errors import CorruptEntry, UnreadableName
from neurotools.memo.formats.registry import FORMATS
from neurotools.memo.log import Log
from neurotools.memo.signing import signer_with
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
    return naming.signature_told(name, lambda: read_record(path), **decoding)


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
