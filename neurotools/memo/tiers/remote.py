"""Entries on any file system that fsspec knows, by URL: ``s3://bucket/prefix``, ``sftp://host/dir``.

An object is the same bytes as an entry's file in a folder, under the same path. Damaged ones stay
where they are, since others share the place, until the result is stored anew. Not here: how bytes
move (`objects`, `s3`, `stores`), and how long anybody waits for them (`guarded`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from neurotools.memo.entry import Blob, Key, Record
from neurotools.memo.errors import CorruptEntry, UntrustedEntry
from neurotools.memo.formats.registry import RUNS_CODE
from neurotools.memo.seal import SIZE, Sealed, record_of
from neurotools.memo.signing import Signer
from neurotools.memo.tiers.files import MANIFEST, is_entry
from neurotools.memo.tiers.filesystems import FileSystems, hidden, own_options
from neurotools.memo.tiers.folders import PRIVATE
from neurotools.memo.tiers.marks import MARKS, checked_name
from neurotools.memo.tiers.objects import FIRST, Objects
from neurotools.memo.tiers.refusals import CutShort
from neurotools.memo.tiers.s3 import S3Objects
from neurotools.memo.tiers.stores import Files, Store
from neurotools.memo.watch.health import Health

#: A record is read from the last bytes; a second look is taken where it is longer.
_TAIL, _TAIL_LIMIT = 4096, 1 << 20
#: So many entries are removed at once: what S3 takes.
_AT_ONCE = 1000
#: A mark is a few lines.
_MARK_LIMIT = 1 << 20
#: Object stores, in which what is written appears whole by itself; elsewhere, it is renamed.
_WHOLE = frozenset(["gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "oss"])


class RemoteTier:
    """Entries below a URL.

    Parameters
    ----------
    url : str
        The folder, ``'s3://bucket/prefix/identifier'``; made when something is stored.
    storage_options : mapping, optional
        What its driver is told, as pandas and dask take it: options; or, by scheme, those of each.
        What is not given is taken from where the driver looks by itself, such as ``~/.aws``.
    verify : bool
        Whether checksums are verified on every read.
    signer : Signer, optional
        Tells which entries may be opened although that could run code; without it, none.
    patience : float, optional
        Seconds to wait for answers, see `neurotools.memo.watch.health.Health`.

    Raises
    ------
    UnknownChoice
        If there is no such scheme.
    MissingDriver
        If what reads and writes there is not installed.
    UnusableLocation
        If the URL names no place.
    TypeError, ValueError
        If the options are none.

    Notes
    -----
    Nothing is asked of the place before it is first used. Methods raise `OSError`, whatever the
    driver raises. Drivers are used from threads of their own; each process has its connections.
    """

    def __init__(
        self,
        url: str,
        *,
        storage_options: Mapping[str, Any] | None = None,
        verify: bool = True,
        signer: Signer | None = None,
        patience: float | None = None,
    ) -> None:
        scheme, _, rest = url.partition("://")
        self._url = f"{scheme.lower()}://{rest.rstrip('/')}"
        options = own_options(scheme.lower(), storage_options)
        self._given = {
            "storage_options": None if storage_options is None else dict(storage_options),
            "verify": verify,
            "signer": signer,
            "patience": patience,
        }
        self.url = self.name = hidden(self._url)
        self.verify, self._signer = verify, signer
        self.health = _health(self._url, options, patience)
        self._store = _store(FileSystems(self._url, options, self.health.patience))

    def location(self, key: Key) -> str:
        return f"{self.url}/{key.path}"

    # ------------------------------------------------------------ reading

    def get(self, key: Key) -> Sealed | None:
        if key.method in RUNS_CODE and self._signer is None:
            raise UntrustedEntry(self.url, "whoever can write there could have made its pickles")
        try:
            return self._read(key)
        except (CorruptEntry, CutShort):
            return self._read(key)  # on the way here, perhaps

    def _read(self, key: Key) -> Sealed | None:
        buffer = self._store.read(key.path)
        if buffer is None:
            return None
        is_code = key.method in RUNS_CODE
        entry = Sealed(buffer, key, self.location(key), verify=self.verify or is_code)
        if is_code and not entry.is_signed(self._signer or Signer(b""), key):
            # Told once for all: there may be many.
            raise UntrustedEntry(self.url, f"{key.path} is not signed with your key")
        return entry

    def require_trust(self, key: Key) -> None:
        """Raise `UntrustedEntry` if somebody else could have written an entry that could run code.

        Its signature is looked at, if it needs one; that reads it.
        """
        if key.method in RUNS_CODE:
            self.get(key)

    def record(self, key: Key) -> Record | None:
        location = self.location(key)
        for wanted in (_TAIL, _TAIL_LIMIT):
            tail = self._store.end(key.path, wanted)
            if tail is None:
                return None
            try:
                record = record_of(tail, location)
                break
            except CorruptEntry:
                if wanted == _TAIL_LIMIT or len(tail) < wanted:
                    raise
        if record.details.get("key") != key.path:
            raise CorruptEntry(location, "it is another entry")
        return record

    def size(self, key: Key) -> int:
        return self._store.size(key.path) or 0

    def has(self, key: Key) -> bool:
        return self.size(key) >= SIZE

    # ------------------------------------------------------------ writing

    def put(self, key: Key, blob: Blob) -> None:
        self._store.write(key.path, blob)

    def put_manifest(self, key: Key, content: bytes) -> None:
        path = f"{key.function}/{key.code}/{MANIFEST}"
        # Mostly it is there. Two who both find none write the same.
        if not self._store.size(path):
            self._store.write(path, Blob((content,), len(content)))

    def get_manifest(self, function: str, code: str) -> bytes | None:
        found = self._store.read(f"{function}/{code}/{MANIFEST}", FIRST)
        return None if found is None else bytes(found)

    @property
    def marks(self) -> RemoteMarks:
        """What those who share the place tell each other."""
        return RemoteMarks(self._store)

    # ------------------------------------------------------------ listing

    def discard(self, key: Key) -> bool:
        if self._store.size(key.path) is None:
            return False
        self._store.remove([key.path])
        return True

    def clear(self, function: str, code: str) -> set[str]:
        folder = f"{function}/{code}"
        names = {path[len(folder) + 1 :] for path, _ in self._store.listed(folder)}
        entries = {name for name in names if "/" not in name and is_entry(name)}
        from neurotools.memo.progress import passing  # not loaded for hits

        paths = [f"{folder}/{name}" for name in sorted(entries)]
        pieces = [paths[start : start + _AT_ONCE] for start in range(0, len(paths), _AT_ONCE)]
        for piece in passing(pieces, len(pieces), "removing"):
            self._store.remove(piece)
        return entries

    def keys(self, function: str = "") -> Iterator[Key]:
        return (key for key, _ in self._listed(function))

    def sizes(self, function: str = "") -> dict[Key, int]:
        """Return the entries and how many bytes each takes, asked for in one go."""
        return dict(self._listed(function))

    def _listed(self, function: str) -> Iterator[tuple[Key, int]]:
        for path, size in self._store.listed(function):
            *parts, name = path.split("/")
            call, _, method = name.rpartition(".")
            is_of_it = not function or "/".join(parts[:-1]) == function
            if parts[:1] != [PRIVATE] and len(parts) > 1 and is_of_it and is_entry(name):
                yield Key("/".join(parts[:-1]), parts[-1], call, method), size

    # ------------------------------------------------------------ travel

    def __getstate__(self) -> dict[str, Any]:
        return {"url": self._url, **self._given}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def __repr__(self) -> str:
        return f"<remote tier at {self.name}>"


class RemoteMarks:
    """Marks as small objects, see `neurotools.memo.tiers.marks.Marks`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def is_exclusive(self) -> bool:
        """Whether, as far as is known, one alone succeeds of all who create a mark at once."""
        return self._store.is_exclusive

    def create(self, name: str, content: bytes) -> bool:
        store, place = self._store, _place_of(name)
        if not store.create(place, content):
            return False
        if not store.is_proven:
            store.is_exclusive, store.is_proven = not store.create(place, content), True
        return True

    def keep(self, name: str, content: bytes) -> None:
        self._store.write(_place_of(name), Blob((content,), len(content)))

    def read(self, name: str) -> bytes | None:
        found = self._store.read(_place_of(name), _MARK_LIMIT)
        return None if found is None else bytes(found)

    def drop(self, name: str) -> bool:
        self._store.remove([_place_of(name)])
        return True  # to find out would be another request

    def names(self, above: str) -> list[str]:
        found = []
        for path, _ in self._store.listed(_place_of(above)):
            try:
                found.append(checked_name(path[len(MARKS) + 1 :]))
            except ValueError:
                continue  # none of ours
        return found


def _place_of(name: str) -> str:
    return f"{MARKS}/{checked_name(name)}"


#: What is known of places, by URL and options: other credentials may do where some were refused.
_PLACES: dict[str, Health] = {}


def _health(url: str, options: Mapping[str, Any], patience: float | None) -> Health:
    """Return what all know of a place who use it in the same way."""
    place = f"{url} {sorted(options.items())!r}"
    health = _PLACES.get(place)
    if health is None:
        return _PLACES.setdefault(place, Health(hidden(url), patience, may_hang=True))
    if patience is not None:
        health.be_patient(patience)
    return health


def _store(systems: FileSystems) -> Store:
    if systems.is_async and systems.scheme in {"s3", "s3a"}:
        return S3Objects(systems)
    return Objects(systems) if systems.is_async and systems.scheme in _WHOLE else Files(systems)
