import builtins
import io
import os

import pytest

from neurotools.memo.digest import mounts
from neurotools.memo.digest.mounts import is_elsewhere

pytestmark = pytest.mark.skipif(not hasattr(os, "major"), reason="devices have no numbers here")

_MOUNTS = """\
25 30 0:25 / /dev/shm rw,relatime shared:3 - tmpfs tmpfs rw
31 27 0:44 /home /home rw - nfs4 server:/home rw,vers=4.2
32 27 0:45 / /lab\\040share rw master:1 - fuse.sshfs me@there: rw
33 27 8:1 / / rw - nfs oddity rw
"""


@pytest.fixture
def table(monkeypatch):
    is_elsewhere.cache_clear()
    real = builtins.open

    def opened(path, *args, **kwargs):
        is_table = path == "/proc/self/mountinfo"
        return io.StringIO(_MOUNTS) if is_table else real(path, *args, **kwargs)

    monkeypatch.setattr(mounts, "open", opened, raising=False)
    yield
    is_elsewhere.cache_clear()


@pytest.mark.parametrize(
    ("device", "elsewhere"),
    [((0, 25), False), ((0, 44), True), ((0, 45), True), ((0, 99), False), ((8, 1), False)],
)
def test_networks_are_told_from_disks_and_memory(table, device, elsewhere):
    assert is_elsewhere(os.makedev(*device)) == elsewhere


def test_without_a_table_all_is_here(monkeypatch):
    def refused(*_, **__):
        raise PermissionError

    is_elsewhere.cache_clear()
    monkeypatch.setattr(mounts, "open", refused, raising=False)
    assert not is_elsewhere(os.makedev(0, 44))
    is_elsewhere.cache_clear()
