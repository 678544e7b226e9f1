"""Entries in this process's memory, bounded in bytes, the least recently used going first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator

from neurotools.memo.entry import Blob, Key, Record
from neurotools.memo.seal import Sealed, record_of
from neurotools.memo.tiers.buffers import own_copy

#: Bytes kept unless told otherwise: what a laptop can spare.
DEFAULT_MAX_BYTES = 1 << 30


class RamTier:
    """Entries in memory.

    Parameters
    ----------
    max_bytes : int
        How much is kept; an entry larger than that is not kept at all.

    Notes
    -----
    What is kept are the bytes of an entry, and every hit gets a copy of its own, so that no caller
    can spoil what the next one is given.
    """

    def __init__(self, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        if max_bytes < 0:
            raise ValueError(f"max_bytes is {max_bytes}; give the bytes to keep, 0 or more")
        self.name = "ram://"
        self.max_bytes = max_bytes
        self._size = 0
        self._entries: OrderedDict[Key, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Sealed | None:
        with self._lock:
            content = self._entries.get(key)
            if content is None:
                return None
            self._entries.move_to_end(key)
        # Checked when it came in, and nobody but us has had it since.
        return Sealed(own_copy(content), key, self.location(key), verify=False)

    def put(self, key: Key, blob: Blob) -> None:
        content = b"".join(blob.parts) if blob.size <= self.max_bytes else b""
        with self._lock:
            self._size -= len(self._entries.pop(key, b""))
            if not content:
                return
            self._entries[key] = content
            self._size += len(content)
            while self._size > self.max_bytes:
                _, oldest = self._entries.popitem(last=False)
                self._size -= len(oldest)

    def discard(self, key: Key) -> bool:
        with self._lock:
            content = self._entries.pop(key, None)
            self._size -= len(content or b"")
        return content is not None

    def record(self, key: Key) -> Record | None:
        content = self._entries.get(key)
        return None if content is None else record_of(content, self.location(key))

    def size(self, key: Key) -> int:
        return len(self._entries.get(key, b""))

    def has(self, key: Key) -> bool:
        return key in self._entries

    def keys(self, function: str = "") -> Iterator[Key]:
        with self._lock:
            keys = list(self._entries)
        return (key for key in keys if not function or key.function == function)

    def location(self, key: Key) -> str:
        return f"ram://{key.path}"

    def put_manifest(self, key: Key, content: bytes) -> None:
        """Do nothing: what this process has run is known to it."""

    def get_manifest(self, function: str, code: str) -> bytes | None:  # noqa: ARG002 - see above
        return None

    def __getstate__(self) -> dict[str, int]:
        # Another process starts with an empty memory of the same size.
        return {"max_bytes": self.max_bytes}

    def __setstate__(self, state: dict[str, int]) -> None:
        self.__init__(**state)  # type: ignore[misc]
