"""Ways in which a file can be damaged, or be something else than it should be."""

import contextlib
import os
import shutil
import socket
import stat

import pytest


def clear(path):
    """Remove whatever is there."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def content(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, new):
    clear(path)
    with open(path, "wb") as file:
        file.write(new)


def flip(old, bit):
    """Return bytes with one bit changed."""
    new = bytearray(old)
    new[bit // 8] ^= 1 << bit % 8
    return bytes(new)


def changed(change):
    return lambda path, _: write(path, change(content(path)))


def replaced(make):
    """Return a damage that puts something else in place of a file, by path and an entry's path."""

    def put(path, other):
        clear(path)
        make(path, other)

    return put


def bound_socket(path, _):
    # Names of sockets are short; that of its own folder is the working directory.
    before = os.getcwd()
    os.chdir(os.path.dirname(path))
    try:
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as one:
            one.bind("s")
        os.rename("s", os.path.basename(path))
    finally:
        os.chdir(before)


def device(minor):
    def make(path, _):
        try:
            os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, minor))
        except OSError as error:
            pytest.skip(f"no device can be made here: {error}")

    return make


def sparse(size):
    def make(path, _):
        with open(path, "wb") as file:
            try:
                file.truncate(size)
            except OSError as error:
                pytest.skip(f"no file of {size} bytes can be made here: {error}")

    return make


def sparse_with_seal(path, _):
    """Keep the end of an entry behind a terabyte of nothing."""
    end = content(path)[-512:]
    with open(path, "r+b") as file:
        file.truncate(1 << 40)
        file.seek((1 << 40) - 512)
        file.write(end)


def folder_with_content(path, _):
    os.mkdir(path)
    write(os.path.join(path, "thesis.tex"), b"x")


#: What may lie in place of any file.
ODD = {
    "folder": replaced(lambda path, _: os.mkdir(path)),
    "folder with content": replaced(folder_with_content),
    "link to nowhere": replaced(lambda path, _: os.symlink("/nowhere/at/all", path)),
    "link to /dev/zero": replaced(lambda path, _: os.symlink("/dev/zero", path)),
    "link to itself": replaced(lambda path, _: os.symlink(path, path)),
    "link to an entry": replaced(lambda path, other: os.symlink(other, path)),
    "fifo": replaced(lambda path, _: os.mkfifo(path)),
    "socket": replaced(bound_socket),
    "null device": replaced(device(3)),
    "zero device": replaced(device(5)),
    "huge": replaced(sparse(1 << 42)),
    "empty": changed(lambda _: b""),
    "foreign": changed(lambda _: b"hello, world\n" * 100),
    "another entry": replaced(lambda path, other: shutil.copy(other, path)),
    "link of another entry": replaced(lambda path, other: os.link(other, path)),
}

DAMAGES = {
    **ODD,
    "one byte": changed(lambda old: old[:1]),
    "half": changed(lambda old: old[: len(old) // 2]),
    "one byte short": changed(lambda old: old[:-1]),
    "without its seal": changed(lambda old: old[:-64]),
    "zeros": changed(lambda old: bytes(len(old))),
    "zeros at its end": changed(lambda old: old[: len(old) // 2] + bytes(len(old) - len(old) // 2)),
    "a page of zeros": changed(lambda old: bytes(len(old) // 3) + old[len(old) // 3 :]),
    "longer by one": changed(lambda old: old + b"\0"),
    "longer by a page": changed(lambda old: old + bytes(4096)),
    "twice": changed(lambda old: old + old),
    "begins later": changed(lambda old: b"\0" + old),
    "a bit at the start": changed(lambda old: flip(old, 0)),
    "a bit in the middle": changed(lambda old: flip(old, len(old) * 4)),
    "a bit at the end": changed(lambda old: flip(old, len(old) * 8 - 1)),
    "seal behind nothing": sparse_with_seal,
}
