"""Whole files at a URL, by their paths: what every store promises, and how file systems keep it.

Files appear whole or not at all. A file system where that is not so by itself (SFTP, SMB) writes
under another name, and renames. Not here: object stores (`objects`).
"""

from __future__ import annotations

import contextlib
import posixpath
import secrets
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from neurotools.memo.entry import Blob
from neurotools.memo.tiers.buffers import aligned
from neurotools.memo.tiers.filesystems import FileSystems
from neurotools.memo.tiers.folders import PRIVATE
from neurotools.memo.tiers.moving import Moving
from neurotools.memo.tiers.refusals import CutShort, plainly
from neurotools.memo.watch.deadline import commit, moved

#: What is moved at once where somebody wants to see that something moves.
_PIECE = 1 << 20
#: Where files are written before they are renamed; after so many seconds there, they are left over.
_WRITING, LEFT_OVER_SECONDS = f"{PRIVATE}/writing", 24 * 3600.0
#: Who creates a file looks whether there is one, and makes it, without others in between.
_creating = threading.Lock()


class Store(Protocol):
    """Files below one root, by paths with forward slashes. Methods raise `OSError` alone."""

    is_exclusive: bool
    """Whether `create` lets one alone succeed, of all who try at once."""
    is_proven: bool
    """Whether that is certain: some stores do not know the condition, and write all the same."""

    def read(self, path: str, limit: int | None = None) -> memoryview | None:
        """Return a file in a new buffer; None where there is none, or it is larger than a limit."""

    def end(self, path: str, count: int) -> bytes | None:
        """Return the last bytes of a file, or all if it is shorter; None where there is none."""

    def size(self, path: str) -> int | None:
        """Return the length of a file in bytes; None where there is none."""

    def write(self, path: str, blob: Blob) -> None:
        """Put a file in its place, whole or not at all."""

    def create(self, path: str, content: bytes) -> bool:
        """Make a small file unless there is one; tell whether it was made."""

    def remove(self, paths: Sequence[str]) -> None:
        """Remove files; those that are not there are removed."""

    def listed(self, folder: str) -> Iterator[tuple[str, int]]:
        """Give the paths of all files below a folder, and their lengths in bytes."""


class Files:
    """Files of a file system that is used by one thread at a time.

    Parameters
    ----------
    systems : FileSystems
        What reads and writes them.
    """

    def __init__(self, systems: FileSystems) -> None:
        self._systems, self._root = systems, systems.root
        self._is_memory = systems.scheme == "memory"
        self.is_exclusive = systems.scheme in {"sftp", "ssh", "memory"}
        self.is_proven = True
        self._made: set[str] = set()
        self._is_tidy = self._is_memory

    @contextlib.contextmanager
    def _lent(self) -> Iterator[Any]:
        with plainly(), self._systems.lent() as system:
            yield system

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}"

    # ------------------------------------------------------------ reading

    def read(self, path: str, limit: int | None = None) -> memoryview | None:
        try:
            with self._lent() as system:
                if self._is_memory:
                    content = system.cat_file(self._at(path))
                    return _copied(content) if limit is None or len(content) <= limit else None
                with system.open(self._at(path), "rb") as file:
                    size = _size(file)
                    if limit is not None and size > limit:
                        return None
                    with Moving("loading", path, size) as moving:
                        return _read(file, size, moving)
        except FileNotFoundError:
            return None

    def end(self, path: str, count: int) -> bytes | None:
        try:
            with self._lent() as system:
                if self._is_memory:
                    return bytes(system.cat_file(self._at(path))[-count:])
                with system.open(self._at(path), "rb") as file:
                    size = _size(file)
                    file.seek(max(0, size - count))
                    return bytes(file.read(count))
        except FileNotFoundError:
            return None

    def size(self, path: str) -> int | None:
        try:
            with self._lent() as system:
                facts = system.info(self._at(path))
        except FileNotFoundError:
            return None
        return int(facts["size"]) if facts["type"] == "file" else None

    # ------------------------------------------------------------ writing

    def write(self, path: str, blob: Blob) -> None:
        with self._lent() as system:
            if self._is_memory:
                commit()
                system.pipe_file(self._at(path), b"".join(blob.parts))
                return
            self._tidy(system)
            try:
                self._write(system, path, blob)
            except FileNotFoundError:  # somebody removed the folder since we made it
                self._made.clear()
                self._write(system, path, blob)

    def _write(self, system: Any, path: str, blob: Blob) -> None:
        self._make(system, posixpath.dirname(path))
        self._make(system, _WRITING)
        temporary = self._at(f"{_WRITING}/{secrets.token_hex(8)}")
        try:
            with (
                Moving("storing", path, blob.size) as moving,
                system.open(temporary, "wb") as file,
            ):
                _fill(file, blob.parts, moving)
            commit()
            _rename(system, temporary, self._at(path))
        except BaseException:
            with contextlib.suppress(Exception):
                system.rm_file(temporary)
            raise

    def create(self, path: str, content: bytes) -> bool:
        if not self.is_exclusive:
            if self.size(path) is not None:
                return False
            self.write(path, Blob((content,), len(content)))
            return True
        place = self._at(path)
        with self._lent() as system, _creating:
            if self._is_memory:
                if system.exists(place):
                    return False
                system.pipe_file(place, content)
                return True
            self._make(system, posixpath.dirname(path))
            try:
                with system.open(place, "wbx") as file:
                    file.write(content)
            except FileNotFoundError:
                self._made.clear()
                raise
            except OSError:
                # The protocol has no word for "there is one already".
                if system.exists(place):
                    return False
                raise
        return True

    def _make(self, system: Any, folder: str) -> None:
        if folder not in self._made:
            try:
                system.makedirs(self._at(folder), exist_ok=True)
            except OSError:
                # Somebody else may be making the same one.
                if not system.isdir(self._at(folder)):
                    system.makedirs(self._at(folder), exist_ok=True)
            self._made.add(folder)

    def _tidy(self, system: Any) -> None:
        """Remove, once, what killed processes left."""
        if self._is_tidy:
            return
        self._is_tidy = True
        with contextlib.suppress(Exception):
            for facts in system.ls(self._at(_WRITING), detail=True):
                if _age(facts) > LEFT_OVER_SECONDS:
                    system.rm_file(facts["name"])

    # ------------------------------------------------------------ listing

    def remove(self, paths: Sequence[str]) -> None:
        with self._lent() as system:
            for path in paths:
                with contextlib.suppress(FileNotFoundError):
                    system.rm_file(self._at(path))
                moved()

    def listed(self, folder: str) -> Iterator[tuple[str, int]]:
        top = self._at(folder).rstrip("/")
        with self._lent() as system:
            system.invalidate_cache()
            found = []
            left = [top]
            while left:
                try:
                    inside = system.ls(left.pop(), detail=True)
                except (FileNotFoundError, NotADirectoryError):
                    continue
                moved()
                for facts in inside:
                    if facts["type"] == "directory":
                        left.append(facts["name"])
                    elif facts["type"] == "file":
                        found.append((facts["name"].lstrip("/"), int(facts["size"])))
        start = len(self._root.lstrip("/")) + 1
        yield from ((name[start:], size) for name, size in found)


def _rename(system: Any, temporary: str, place: str) -> None:
    try:
        system.mv(temporary, place)
    except FileNotFoundError:
        raise
    except OSError:
        # Some refuse to rename to what is there; a reader may find nothing for a moment.
        if not system.exists(place):
            raise
        system.rm_file(place)
        system.mv(temporary, place)


def _fill(file: Any, parts: Iterable[Any], moving: Moving) -> None:
    if (pipeline := getattr(file, "set_pipelined", None)) is not None:
        pipeline(True)  # SFTP: not to wait for each piece to arrive
    for part in parts:
        content = memoryview(part).cast("B")
        for start in range(0, len(content), _PIECE):
            piece = bytes(content[start : start + _PIECE])
            file.write(piece)
            moving(len(piece))


def _size(file: Any) -> int:
    file.seek(0, 2)
    size = int(file.tell())
    file.seek(0)
    return size


def _read(file: Any, size: int, moving: Moving) -> memoryview:
    if size and (prefetch := getattr(file, "prefetch", None)) is not None:
        prefetch(size)  # SFTP: to ask for all pieces at once
    buffer, filled = aligned(size), 0
    while filled < size:
        piece = file.read(min(_PIECE, size - filled))
        if not piece:
            raise CutShort(5, f"it ends at byte {filled} of {size}")
        buffer[filled : filled + len(piece)] = piece
        filled += len(piece)
        moving(len(piece))
    return buffer


def _copied(content: bytes) -> memoryview:
    buffer = aligned(len(content))
    buffer[:] = content
    return buffer


def _age(facts: Any) -> float:
    changed = facts.get("mtime") or facts.get("modified") or facts.get("LastModified")
    stamp = changed.timestamp() if hasattr(changed, "timestamp") else float(changed)
    return time.time() - stamp
