"""The standard input, taken as a whole: what comes from it counts, and is given to the command."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import IO

from neurotools.memo.commands.contents import File


@contextlib.contextmanager
def taken(folder: str) -> Iterator[tuple[File, IO[bytes]]]:
    """Give all that comes from the standard input: its digest, and a file to read it from.

    It may be large: it goes to a file, not into memory.
    """
    import hashlib
    import tempfile

    with contextlib.ExitStack() as stack:
        place = folder if os.path.isdir(folder) and os.access(folder, os.W_OK) else None
        copy = stack.enter_context(tempfile.TemporaryFile(dir=place))
        hasher = hashlib.sha256()
        while piece := os.read(0, 1 << 20):
            hasher.update(piece)
            copy.write(piece)
        copy.seek(0)
        yield File("stdin", hasher.hexdigest()), copy
