import os

import pytest

from neurotools.memo.watch import mounts
from neurotools.memo.watch.mounts import is_local_kind, mount_of

pytestmark = pytest.mark.skipif(os.name == "nt", reason="paths as on Linux")

KNOWN = {"/": "ext4", "/net": "nfs4", "/net/disk": "xfs", "/home": "ext4", "/mnt/a b": "fuse"}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/", ("/", "ext4")),
        ("/home/me/cache", ("/home", "ext4")),
        ("/homely", ("/", "ext4")),
        ("/net/lab/cache", ("/net", "nfs4")),
        ("/mnt/a b/c", ("/mnt/a b", "fuse")),
        ("/home/../net/x", ("/net", "nfs4")),
    ],
)
def test_a_path_lies_on_the_nearest_mount(path, found):
    assert mount_of(path, KNOWN) == found


def test_links_on_local_disks_are_followed(tmp_path):
    os.symlink("/net/lab", tmp_path / "lab")
    os.symlink("lab", tmp_path / "again")
    assert mount_of(str(tmp_path / "again" / "cache"), KNOWN) == ("/net", "nfs4")


def test_nothing_is_looked_at_beyond_a_server(monkeypatch):
    looked = []
    monkeypatch.setattr(mounts, "_target", looked.append)
    mount_of("/net/lab/deep/cache", KNOWN)
    assert not [path for path in looked if path.startswith("/net")]


def test_links_in_a_circle_end(tmp_path):
    os.symlink("b", tmp_path / "a")
    os.symlink("a", tmp_path / "b")
    assert mount_of(str(tmp_path / "a" / "cache"), KNOWN)[1] == "ext4"


def test_without_a_list_of_mounts_nothing_is_known(monkeypatch):
    monkeypatch.setattr(mounts, "_MOUNTS", "/nonexistent")
    assert mount_of("/anywhere") == ("", "")


def test_names_of_mounts_are_unescaped(tmp_path, monkeypatch):
    listing = tmp_path / "mountinfo"
    line = r"42 27 0:39 / /mnt/a\040b rw,relatime shared:1 - fuse.sshfs host:/x rw"
    listing.write_text(f"{line}\n")
    monkeypatch.setattr(mounts, "_MOUNTS", str(listing))
    assert mounts.mounts() == {"/mnt/a b": "fuse.sshfs"}


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "fuse.sshfs", "lustre", "never heard of"])
def test_what_is_not_known_as_local_may_hang(kind):
    assert not is_local_kind(kind)


@pytest.mark.parametrize("kind", ["ext4", "xfs", "tmpfs", ""])
def test_local_disks_do_not(kind):
    assert is_local_kind(kind)


@pytest.mark.parametrize(
    ("told", "reaches"),
    [
        ("rw,relatime - nfs4 host:/x rw,vers=4.2,local_lock=none", True),
        ("rw,relatime - nfs host:/x rw,vers=3,local_lock=all", False),
        ("rw,relatime - nfs host:/x rw,vers=3,nolock,local_lock=all", False),
        ("rw - lustre 10.0.0.1@tcp:/x rw,flock,lazystatfs", True),
        ("rw - lustre 10.0.0.1@tcp:/x rw,localflock", False),
        ("rw - lustre 10.0.0.1@tcp:/x rw,lazystatfs", False),
        ("rw - ceph host:/ rw", True),
        ("rw - cifs //host/x rw,nobrl", False),
        ("rw - fuse.sshfs host:/x rw", False),
        ("rw - beegfs beegfs_nodev rw", False),
    ],
)
def test_which_locks_other_computers_see(tmp_path, monkeypatch, told, reaches):
    listing = tmp_path / "mountinfo"
    listing.write_text(f"22 1 0:20 / / rw - ext4 /dev/x rw\n30 22 0:40 / /lab\\040x {told}\n")
    monkeypatch.setattr(mounts, "_MOUNTS", str(listing))
    assert mounts.locks_reach("/lab x") is reaches
    assert mounts.locks_reach("/") is False
    assert mounts.locks_reach("/nowhere") is False
