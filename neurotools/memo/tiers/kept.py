"""One entry in memory: its bytes, and how its value is made anew for each hit.

The plain road of a hit decodes a copy of the bytes. It is left at the first hit, where the value
has a `Template`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from neurotools.memo.entry import Blob, Key, Record
from neurotools.memo.seal import Sealed, record_of
from neurotools.memo.tiers.buffers import aligned
from neurotools.memo.tiers.pages import SMALLEST, Arrays, Pages
from neurotools.memo.tiers.template import NoTemplate, Template


class Kept:
    """An entry that is kept in memory.

    Parameters
    ----------
    key : Key
        The entry's.
    blob : Blob
        Its bytes, checked, which are copied.
    grown : callable
        Told of the entry when it has become larger.

    Attributes
    ----------
    size : int
        How many bytes it takes.
    """

    __slots__ = ("_content", "_grown", "_make", "_record", "checksum", "key", "seconds", "size")

    def __init__(self, key: Key, blob: Blob, grown: Callable[[Kept, int], None]) -> None:
        self.key, self.size = key, blob.size
        self._content = _own(blob)
        self._grown = grown
        sealed = self._sealed()
        self.seconds, self.checksum = sealed.seconds, sealed.checksum
        self._make: Callable[[], Any] | None = None
        self._record: Record | None = None

    def value(self) -> Any:
        """Return the value, independent of what other calls return."""
        make = self._make
        return self._first_value() if make is None else make()

    @property
    def location(self) -> str:
        return f"ram://{self.key.path}"

    @property
    def blob(self) -> Blob:
        return self._sealed().blob

    @property
    def record(self) -> Record:
        # Kept once it was asked for: with tracing, every hit asks.
        if self._record is None:
            content = self._content
            if isinstance(content, Pages):
                self._record = self._sealed().record
            else:
                self._record = record_of(content, self.location)
        return self._record

    def _first_value(self) -> Any:
        try:
            made = self._made_anew()
        except (NoTemplate, RecursionError):
            made = self._decoded
        self._make = made
        return made()

    def _decoded(self) -> Any:
        return self._sealed(own=True).value()

    def _made_anew(self) -> Callable[[], Any]:
        """Return a short way to the value."""
        content, sealed = self._content, self._sealed()
        value = sealed.value()
        if not isinstance(content, Pages):
            template = Template(value)
            self._grown(self, template.size)
            if type(value) is np.ndarray:
                return functools.partial(value.copy, "K")
            return functools.partial(template.make, None)
        extent = _extent(sealed.buffer)
        if type(value) is np.ndarray and (start := _place(value, extent)) is not None:
            return Arrays(content, value.shape, value.dtype.str, start).make
        template = Template(value, extent)
        self._grown(self, template.size)
        return functools.partial(_placed, template.make, content)

    def _sealed(self, *, own: bool = False) -> Sealed:
        """Return the entry, in a buffer that may be changed if it is to be the caller's own."""
        # Checked when it came in, and nobody but us has had it since.
        content = self._content
        if isinstance(content, Pages):
            buffer = memoryview(content.copied())
        elif own:
            buffer = aligned(len(content))
            buffer[:] = content
        else:
            buffer = memoryview(content)
        return Sealed(buffer, self.key, self.location, verify=False)


def _own(blob: Blob) -> Pages | bytearray:
    if blob.size >= SMALLEST:
        try:
            return Pages(blob)
        except OSError:
            pass  # no such files here, or no more: a plain copy does as well, if not as fast
    return bytearray().join(blob.parts)


def _place(value: np.ndarray[Any, Any], extent: tuple[int, int]) -> int | None:
    """Return where an array lies in memory, if its place and a text say all about it."""
    dtype, start = value.dtype, value.__array_interface__["data"][0] - extent[0]
    plain = dtype.kind in "biufcmMSU" and dtype.metadata is None
    if not plain or np.dtype(dtype.str).num != dtype.num:
        return None
    inside = value.flags.c_contiguous and value.flags.writeable and start >= 0
    return start if inside and start + value.nbytes <= extent[1] else None


def _placed(make: Callable[[Any], Any], pages: Pages) -> Any:
    return make(pages.copied())


def _extent(buffer: memoryview) -> tuple[int, int]:
    address = np.frombuffer(buffer, np.uint8).__array_interface__["data"][0]
    return address, len(buffer)
