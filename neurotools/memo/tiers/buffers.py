"""Buffers as formats want them: starting at a multiple of 64 where that pays."""

from __future__ import annotations

import numpy as np

#: Below, a start at a multiple of 16, as the allocator gives it, is as good and made sooner.
_SMALL = 1 << 14


def aligned(size: int) -> memoryview:
    """Return a new, writable buffer; one of 16 KiB or more starts at a multiple of 64."""
    if size < _SMALL:
        return memoryview(bytearray(size))
    array = np.empty(size + 63, np.uint8)
    start = -array.__array_interface__["data"][0] % 64
    return array.data[start : start + size]
