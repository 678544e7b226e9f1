"""Calls on some folders that fail, hang or do half their work, steered while a program runs.

`library` compiles the shim of ``broken.c``; a program that is started with `environment` obeys the
rules that a `Control` of the same file lays down, in that program or in another one.
"""

import atexit
import contextlib
import functools
import mmap
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

#: In the order of the shim; some stand for several: ``open`` for openat, ``unlink`` for unlinkat.
CALLS = (
    *("open", "read", "pread", "write", "writev", "rename", "mkdir", "unlink", "stat", "fstat"),
    *("fsync", "ftruncate", "close", "mmap", "lock", "opendir", "readdir", "readlink", "fallocate"),
)
_RULE = struct.Struct("=6i3qd512s")
_RULES = 4

needs_shim = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64" or shutil.which("cc") is None,
    reason="needs Linux and a C compiler",
)


@functools.cache
def library():
    """Return the path of the compiled shim."""
    folder = tempfile.mkdtemp(prefix="broken-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = os.path.join(folder, "broken.so")
    source = Path(__file__).with_name("broken.c")
    command = ["cc", "-shared", "-fPIC", "-O1", "-w", "-U_FORTIFY_SOURCE", "-o", made]
    subprocess.run([*command, str(source), "-ldl"], check=True)
    return made


def environment(control):
    """Return the environment of a program that obeys a control file."""
    return {**os.environ, "LD_PRELOAD": library(), "BROKEN_CONTROL": str(control)}


class Control:
    """Rules of what fails."""

    def __init__(self, path):
        size = _RULE.size * _RULES
        if not os.path.exists(path) or os.path.getsize(path) < size:
            Path(path).write_bytes(bytes(size))
        with open(path, "r+b") as file:
            self._rules = mmap.mmap(file.fileno(), size)

    def lay(self, below, calls, *, error=0, first=1, every=1, seconds=0.0, shorter=False, rule=0):
        """Begin an outage: calls below a folder fail from the `first` on, each or every so many.

        ``every=0`` is once; below 0, `seconds` are until the rule is over.
        """
        bits = sum(1 << CALLS.index(call) for call in calls)
        facts = (1, error, first, every, int(shorter), 0, bits, 0, 0, seconds)
        self.end(rule)
        _RULE.pack_into(self._rules, rule * _RULE.size, 0, *facts[1:], os.fsencode(str(below)))
        struct.pack_into("=i", self._rules, rule * _RULE.size, 1)

    def end(self, rule=0):
        """End an outage."""
        struct.pack_into("=i", self._rules, rule * _RULE.size, 0)

    @contextlib.contextmanager
    def calm(self, rule=0):
        """Hold an outage back while the block runs: what a test does itself is not to fail."""
        place = "=i", self._rules, rule * _RULE.size
        before = struct.unpack_from(*place)[0]
        struct.pack_into(*place, 0)
        try:
            yield
        finally:
            struct.pack_into(*place, before)

    def struck(self, rule=0):
        """Return how many calls were made to fail since the outage began."""
        return _RULE.unpack_from(self._rules, rule * _RULE.size)[8]
