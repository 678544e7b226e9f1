"""An entry -> an open file, its parts uncopied."""

from __future__ import annotations

import os

from neurotools.memo.entry import Blob

#: Parts handed to the operating system at once; POSIX promises 16, Linux takes 1,024.
_VECTOR = 64


def write_whole(descriptor: int, blob: Blob) -> None:
    """Write an entry's parts to an open file."""
    left = [memoryview(part).cast("B") for part in blob.parts if len(memoryview(part).cast("B"))]
    while left:
        vector = left[:_VECTOR]
        written = (
            os.writev(descriptor, vector)
            if hasattr(os, "writev")
            else os.write(descriptor, left[0])
        )
        while left and written >= len(left[0]):
            written -= len(left.pop(0))
        if written:
            left[0] = left[0][written:]
