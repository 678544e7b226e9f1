"""What every format promises. Not here: the formats, and the table of them (`registry`).

A format turns a value into the parts of a payload and back, exactly: type by type, bit by bit; or
it refuses before anything is written. It never opens a file: it sees buffers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from neurotools.memo.entry import Buffer

#: The key in a layout that tells a compressed payload; its content is the inner layout.
MARK = "zstd"


class Payload:
    """A value as bytes.

    Attributes
    ----------
    parts : tuple of bytes-like
        C-contiguous buffers; joined, in order, they are the payload. Large arrays appear here as
        views, not copies, so a payload is only valid while its value is not changed.
    layout : dict
        What `PayloadFormat.decode` needs besides the bytes; plain JSON, empty for most values.
    """

    __slots__ = ("layout", "parts")

    def __init__(self, parts: tuple[Buffer, ...], layout: dict[str, Any] | None = None) -> None:
        self.parts = parts
        self.layout: dict[str, Any] = {} if layout is None else layout


class PayloadFormat(Protocol):
    """Turns a value into a payload and back."""

    method: str
    """Name of the format, and suffix of its files."""

    runs_code: bool
    """Whether opening a hostile payload could run code."""

    def encode(self, value: Any) -> Payload:
        """Return the payload of a value.

        Raises
        ------
        UnstorableValue
            If the payload could not give the same value back, with the same types throughout.
        """

    def decode(self, payload: memoryview, layout: Mapping[str, Any]) -> Any:
        """Return the value that was encoded.

        Parameters
        ----------
        payload : memoryview, contiguous, of unsigned bytes
            Starts at an address that is a multiple of 64, or of 16 if it is small. Arrays in the
            value may be views of it: the caller gives it away. Where it is read-only, they are.
        layout : dict
            As `encode` returned it.

        Raises
        ------
        ValueError
            If the payload is not of this format, whatever it holds instead.
        """

    def bridge(self, payload_size: int, trailer_size: int) -> bytes:
        """Return what must stand between a payload and a trailer of so many bytes.

        With it the file still opens in the field's ordinary tools, which ignore the trailer.
        """
