"""Real disks that are full, gone or stopped; programs in narrow circumstances."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tests.faults.stopping import stop

ROOT = Path(__file__).resolve().parents[2]

needs_mounts = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="needs Linux and root, to mount disks"
)
needs_fuse = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("bindfs") is None or not os.path.exists("/dev/fuse"),
    reason="needs bindfs and FUSE",
)
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")


@contextlib.contextmanager
def small_disk(folder, **options):
    """Mount a disk in memory of so many bytes or inodes."""
    os.makedirs(folder, exist_ok=True)
    told = ",".join(f"{name}={value}" for name, value in options.items())
    if subprocess.run(["mount", "-t", "tmpfs", "-o", told, "none", folder], check=False).returncode:
        pytest.skip("cannot mount disks here")
    try:
        yield str(folder)
    finally:
        subprocess.run(["umount", "-l", folder], check=False, capture_output=True)


class Served:
    """A folder that a program of its own serves: one that can be stopped, as a server can."""

    def __init__(self, top):
        self.folder = os.path.join(top, "served")
        behind = os.path.join(top, "behind")
        os.makedirs(self.folder)
        os.makedirs(behind)
        self._server = subprocess.Popen(["bindfs", "-f", behind, self.folder])
        end = time.monotonic() + 60
        while not os.path.ismount(self.folder):
            if time.monotonic() > end or self._server.poll() is not None:
                self.end()
                pytest.skip("cannot mount with FUSE here")
            time.sleep(0.01)

    def stop(self):
        stop(self._server.pid)

    def go_on(self):
        self._server.send_signal(signal.SIGCONT)

    def end(self):
        self._server.kill()
        self._server.wait()
        subprocess.run(["umount", "-l", self.folder], check=False, capture_output=True)


@contextlib.contextmanager
def served(top):
    """Serve a folder below another one."""
    place = Served(str(top))
    try:
        yield place
    finally:
        place.end()


_PRELUDE = """
import logging, os, sys
import numpy as np
from neurotools.jobs.cache import disk_cacher, hierarchical_cacher
TOLD = []
class Listener(logging.Handler):
    def emit(self, record):
        TOLD.append(record.getMessage())
logging.getLogger("neurotools").addHandler(Listener(logging.WARNING))
def load():
    # Whoever becomes another user may not be able to read the modules any more.
    import difflib, queue, tempfile
    from neurotools.memo.background import flushing, outbox
    f = hierarchical_cacher(("ram://", tempfile.mkdtemp()))(lambda x: 0)
    f(1), f(1), str(f.explain(2)), f.lscache(), f.versions(), f.purge()
def become_another_user():
    load()
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
"""


def run(tmp_path, code, *arguments, timeout=60, before=(), environment=None):
    """Run a program that memoizes; return what it printed, by lines."""
    script = tmp_path / "program.py"
    script.write_text(_PRELUDE + textwrap.dedent(code))
    command = [*before, sys.executable, str(script), *map(str, arguments)]
    done = subprocess.run(
        command,
        env={**(environment or os.environ), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def unfinished(folder):
    """Return the files of a cache that hold half an entry."""
    found = []
    for place, _, names in os.walk(folder):
        if ".neurotools" not in place:
            found += [os.path.join(place, name) for name in names if name.startswith(".")]
    return found
