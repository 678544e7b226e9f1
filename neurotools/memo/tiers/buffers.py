"""Buffers as formats want them: starting at a multiple of 64."""

from __future__ import annotations

import numpy as np


def aligned(size: int) -> memoryview:
    """Return a new, writable, uninitialised buffer that starts at a multiple of 64."""
    array = np.empty(size + 63, np.uint8)
    start = -array.__array_interface__["data"][0] % 64
    return array.data[start : start + size]


def own_copy(content: bytes | memoryview) -> memoryview:
    """Return the bytes in a new buffer."""
    room = aligned(len(content))
    room[:] = content
    return room
