"""The values that travel: Signature, Key, Record, Blob. They hold facts and do nothing else.

No dataclasses: to make them takes longer than to load all else that a call needs from here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neurotools.memo.rows import Row

#: Bytes in one of the shapes that the buffer protocol gives them.
Buffer = bytes | bytearray | memoryview


class Key(Row):
    """Names one result: which function, which code, which arguments, which method.

    Attributes
    ----------
    function : str
        Folder of the function below the tier, ``'pkg/mod/f'``, parts safe on every file system.
    code : str
        The fingerprint's code, 14 characters.
    call : str
        Stem of the file name, ``'<hash>.<key>'``.
    method : str
        Format of the payload, and suffix of the file name.
    """

    function: str
    code: str
    call: str
    method: str

    @property
    def path(self) -> str:
        """Path of the entry below its tier, with forward slashes."""
        return f"{self.function}/{self.code}/{self.call}.{self.method}"


class Record:
    """What is known of an entry besides its value.

    Attributes
    ----------
    created : float
        When it was computed, seconds since the epoch.
    seconds : float
        How long the computation took.
    layout : dict
        What the format needs to read its payload back; plain JSON.
    details : dict
        The rest, plain JSON: signature, host, versions.
    """

    __slots__ = ("created", "details", "layout", "seconds")

    def __init__(
        self,
        created: float,
        seconds: float,
        layout: dict[str, Any] | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        self.created, self.seconds = created, seconds
        self.layout: dict[str, Any] = {} if layout is None else layout
        self.details: dict[str, Any] = {} if details is None else details

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Record):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]


class Digested:
    """Stands in a signature for a value that is too large, or too special, to be written out.

    Attributes
    ----------
    kind : str
        Qualified name of the value's type, ``'numpy.ndarray'``.
    detail : str
        What a reader wants to know of it, ``'(3, 4) float64'``.
    digest : str
        128-bit digest of its content, URL-safe base64.
    """

    __slots__ = ("detail", "digest", "kind")

    def __init__(self, kind: str, detail: str, digest: str) -> None:
        self.kind, self.detail, self.digest = kind, detail, digest

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Digested):
            return NotImplemented
        return (self.kind, self.detail, self.digest) == (other.kind, other.detail, other.digest)

    def __hash__(self) -> int:
        return hash((self.kind, self.detail, self.digest))

    def __repr__(self) -> str:
        name = self.kind.rpartition(".")[2]
        return f"<{' '.join(filter(None, (name, self.detail, self.digest[:6])))}>"


#: Arguments bound to names: pairs sorted by name, and the extra positional ones, if any.
Signature = tuple[tuple[tuple[str, Any], ...], tuple[Any, ...] | None]


class Blob(Row):
    """The bytes of one entry, as they stand in its file: payload, record and seal.

    Attributes
    ----------
    body : tuple of bytes-like
        All but the checksum; arrays of a new result appear here without being copied.
    size : int
        Length of the whole in bytes.
    checksum : callable or None
        Returns what stands behind the body; it may take as long as to write that. None where the
        body has it already.
    """

    body: tuple[Buffer, ...]
    size: int
    checksum: Callable[[], bytes] | None = None

    @property
    def parts(self) -> tuple[Buffer, ...]:
        """What makes the file, joined."""
        return self.body if self.checksum is None else (*self.body, self.checksum())
