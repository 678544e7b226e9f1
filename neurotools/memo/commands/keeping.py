"""Outputs and records of commands, kept as entries of a cache: in its folder, and in other tiers.

An output is kept under the SHA-256 of its content, as arrays of bytes that `np.load` opens: two
equal outputs are kept once. A large one is taken in pieces, each mapped and let go again: it never
sits in memory. Loads numpy, which a skipped command does without.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

import numpy as np

from neurotools.memo.commands.contents import Contents, File
from neurotools.memo.commands.records import Run, decoded, encoded
from neurotools.memo.entry import Key, Record
from neurotools.memo.errors import CacheError
from neurotools.memo.formats.registry import FORMATS
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.seal import seal
from neurotools.memo.tiers.locations import tier_at
from neurotools.memo.whole import create

#: Name of the cache in each place.
IDENTIFIER = "kept"
_METHOD = "npy"
#: Bytes of a piece; a smaller file is one.
PIECE_BYTES = 1 << 26


class Keeper:
    """Keeps outputs in several places.

    Parameters
    ----------
    places : sequence of str
        Fastest first, as `neurotools.memo.tiers.locations.tier_at` takes them.

    Raises
    ------
    CacheError, ValueError
        If nothing can be kept at one of them.
    """

    def __init__(self, places: Sequence[str]) -> None:
        # Mapped where that can be: an output of many gigabytes is not to sit in memory.
        tiers = [tier_at(place, IDENTIFIER, **_options(place)) for place in places]
        self._tiers = Hierarchy(tiers)

    def keep(self, whole: File) -> bool:
        """Keep a file, or all below a folder; tell whether they are kept now."""
        return all(self._keep(file) for file in whole.files())

    def _keep(self, file: File) -> bool:
        for key, start, size in _pieces(file):
            if not self._tiers.has(key):
                try:
                    self._put(key, _mapped(file.path, start, size))
                except (OSError, ValueError):  # gone, or shorter by now
                    return False
            if not self._tiers.has(key):
                return False
        return True

    def _put(self, key: Key, content: np.ndarray) -> None:
        form = FORMATS[_METHOD]
        self._tiers.put(key, seal(form.encode(content), Record(time.time(), 0.0), key, form))

    def _get(self, key: Key) -> memoryview | None:
        entry = self._tiers.get(key)
        return None if entry is None else np.ascontiguousarray(entry.value()).data.cast("B")

    def restore(self, whole: File, contents: Contents) -> bool:
        """Put a file, or all below a folder, back where it was; tell whether it is there now."""
        if not all(self._restore(file, contents) for file in whole.files()):
            return False
        for folder in whole.folders():
            os.makedirs(folder.path, exist_ok=True)
        # A folder may hold what it did not hold: it may be somebody's, so it is not ours to remove.
        return whole.inner is None or contents.of(whole.path).hash == whole.hash

    def _restore(self, file: File, contents: Contents) -> bool:
        with contextlib.suppress(CacheError):
            if contents.of(file.path).hash == file.hash:
                return True
        pieces = (self._get(key) for key, *_ in _pieces(file))
        path = os.path.realpath(file.path)  # what was behind a link is put back there
        with _written(path, pieces) as temporary:
            if temporary is None or contents.of(temporary).hash != file.hash:
                return False
            os.chmod(temporary, file.mode)
            os.replace(temporary, path)
        return True

    # ------------------------------------------------------------ records

    def share(self, slot: str, cwd: str, runs: list[Run]) -> None:
        """Keep a record for other computers."""
        for file in (file for run in runs for whole in run.files() for file in whole.files()):
            file.is_settled = False  # that is so on this computer alone
        content = np.frombuffer(encoded(cwd, runs), np.uint8)
        self._put(Key("commands/records", "json", slot, _METHOD), content)

    def shared(self, slot: str) -> list[Run]:
        """Return the runs in a record that another computer has kept."""
        content = self._get(Key("commands/records", "json", slot, _METHOD))
        return [] if content is None else decoded(bytes(content), slot)


def _options(place: str) -> dict[str, Any]:
    return {} if "://" in place else {"mmap_mode": "r"}


def _pieces(file: File) -> Iterator[tuple[Key, int, int]]:
    """Give the pieces of a file: by which key each is kept, where it starts, its size."""
    total = file.stat[2] if file.stat is not None else 0
    for number, start in enumerate(range(0, max(total, 1), PIECE_BYTES)):
        name = f"{file.hash}-{number}" if number else file.hash
        key = Key("commands/outputs", "sha256", name, _METHOD)
        yield key, start, min(PIECE_BYTES, total - start)


def _mapped(path: str, start: int, size: int) -> np.ndarray:
    if not size:
        return np.empty(0, np.uint8)
    return np.asarray(np.memmap(path, np.uint8, "r", start, (size,)))


@contextlib.contextmanager
def _written(path: str, pieces: Iterable[memoryview | None]) -> Iterator[str | None]:
    """Give a new file beside a path that holds all pieces; None where one is missing."""
    descriptor, temporary = create(path)
    try:
        with open(descriptor, "wb") as file:
            is_whole = all(_wrote(file, piece) for piece in pieces)
        yield temporary if is_whole else None
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def _wrote(file: IO[bytes], piece: memoryview | None) -> bool:
    if piece is None:
        return False
    file.write(piece)
    return True
