"""Whose clock and whose writers a file system has: this computer's alone, or others' too."""

from __future__ import annotations

import functools
import os

#: Kinds of file systems that need nobody but this computer. All else may be another's.
LOCAL = {
    *("apfs", "bcachefs", "btrfs", "devtmpfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs"),
    *("hfs", "hfsplus", "iso9660", "jfs", "msdos", "nilfs2", "ntfs", "ntfs3", "overlay", "ramfs"),
    *("reiserfs", "rootfs", "squashfs", "tmpfs", "udf", "ufs", "vfat", "xfs", "zfs"),
}


@functools.lru_cache(maxsize=64)
def is_elsewhere(device: int) -> bool:
    """Return whether a device of files may be used, and its files be dated, by other computers.

    Linux says so; in other systems, and of what has no name there, it is assumed not to be.
    """
    if not hasattr(os, "major") or os.major(device):
        return False  # a disk of this computer's
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as mounts:
            rows = [line.split() for line in mounts]
    except OSError:
        return False
    kinds = {row[row.index("-") + 1] for row in rows if row[2] == number and "-" in row}
    return bool(kinds - LOCAL)
