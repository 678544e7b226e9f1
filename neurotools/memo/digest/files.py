"""Files and folders -> digests of their content."""

from __future__ import annotations

import binascii
import os
import stat
import time
from collections.abc import Iterator
from typing import Any

import xxhash

from neurotools.memo import forks
from neurotools.memo.errors import UndigestableValue

_CHUNK_BYTES = 1 << 20
_TRIES = 3
_REMEMBERED = 20_000

# Some file systems keep time in steps of two seconds: a file as young as that could be written
# once more and look the same.
_SETTLED_NANOSECONDS = 2_000_000_000

#: Times are kept in steps of up to two seconds. Where a time is no multiple of 10 milliseconds,
#: they are kept as the kernel counts, in steps of 10 milliseconds at most.
_COARSE, _SETTLED_COARSE, _SETTLED_FINE = 10_000_000, 2_000_000_000, 50_000_000

_URLSAFE = bytes.maketrans(b"+/", b"-_")

Identity = tuple[int, ...]

_digests: dict[Identity, bytes] = {}
_lock = forks.lock_of(__name__)


class File(str):
    """A path that stands for the content of what lies there, a file or a folder.

    Two calls with the same content are the same call, whatever the file's name; a file that was
    changed makes another call. Everywhere else a `File` is a plain string.

    Examples
    --------
    >>> File("scan.nii.gz").upper()
    'SCAN.NII.GZ'
    """

    __slots__ = ()


def base64(digest: bytes) -> str:
    """Return 128 bits as 22 characters of URL-safe base64."""
    return binascii.b2a_base64(digest, newline=False)[:22].translate(_URLSAFE).decode("ascii")


def file_digest(path: str | os.PathLike[str]) -> str:
    """Return the digest of a file's content.

    An unchanged file is not read again in the same process.

    Parameters
    ----------
    path : str or path-like
        A regular file, or a link to one.

    Returns
    -------
    str
        128 bits as URL-safe base64, 22 characters.

    Raises
    ------
    UndigestableValue
        If there is no such file, it cannot be read, or it keeps changing.
    """
    name = os.fspath(path)
    status = _status(name)
    if stat.S_ISDIR(status.st_mode):
        raise _refusal(name, "is a folder, not a file")
    return base64(_file(name, status))


def content(path: str | os.PathLike[str]) -> tuple[bytes, bytes]:
    """Return what a path stands for: a file's content, or all names and contents below a folder.

    Parameters
    ----------
    path : str or path-like
        File or folder; its own name does not count. Links are followed.

    Returns
    -------
    kind : bytes
        One letter, for a file or a folder.
    digest : bytes
        128 bits.

    Raises
    ------
    UndigestableValue
        If anything there cannot be read, or is neither file nor folder.
    """
    return _entry(os.fspath(path), ())


def _entry(path: str, above: tuple[tuple[int, int], ...]) -> tuple[bytes, bytes]:
    status = _status(path)
    if not stat.S_ISDIR(status.st_mode):
        return b"f", _file(path, status)
    place = status.st_dev, status.st_ino
    if place in above:
        raise _refusal(path, "is a folder that links back into itself")
    return b"d", _folder(path, (*above, place))


def _folder(path: str, above: tuple[tuple[int, int], ...]) -> bytes:
    hasher = xxhash.xxh3_128()
    for name in sorted(_names(path), key=os.fsencode):
        inner = os.path.join(path, name)
        kind, content = _dangling(inner) or _entry(inner, above)
        raw = os.fsencode(name)
        hasher.update(len(raw).to_bytes(8, "little") + raw + kind + content)
    return hasher.digest()


def _names(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except OSError as error:
        raise _refusal(path, f"cannot be listed ({error.strerror})") from None


def _dangling(path: str) -> tuple[bytes, bytes] | None:
    if os.path.exists(path) or not os.path.islink(path):
        return None
    return b"l", xxhash.xxh3_128_digest(os.fsencode(os.readlink(path)))


def _status(path: str) -> os.stat_result:
    try:
        return os.stat(path)
    except (OSError, ValueError) as error:
        raise _refusal(path, _reason(error)) from None


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "does not exist"
    return f"cannot be read ({getattr(error, 'strerror', None) or error})"


def _file(path: str, status: os.stat_result) -> bytes:
    if not stat.S_ISREG(status.st_mode):
        # To open a pipe would wait for its other end; a device may have no end.
        raise _refusal(path, "is neither a file nor a folder")
    known = _digests.get(identity(status))
    return known if known is not None else _read_unchanged(path)


def identity(status: os.stat_result) -> Identity:
    """Return what changes with a file's content: device, inode, size, times."""
    times = status.st_mtime_ns, status.st_ctime_ns
    return (status.st_dev, status.st_ino, status.st_size, *times)


def is_settled(status: os.stat_result) -> bool:
    """Tell whether a change made from now on would change a file's times, on a local disk."""
    fine = status.st_mtime_ns % _COARSE
    youngest = max(status.st_mtime_ns, status.st_ctime_ns)
    return youngest < time.time_ns() - (_SETTLED_FINE if fine else _SETTLED_COARSE)


def _read_unchanged(path: str) -> bytes:
    for _ in range(_TRIES):
        started = time.time_ns()
        try:
            before, digest, after = _read(path)
        except OSError as error:
            raise _refusal(path, _reason(error)) from None
        if identity(before) == identity(after):
            _remember(after, digest, started)
            return digest
    raise _refusal(path, "changes while it is read")


def _read(path: str) -> tuple[os.stat_result, bytes, os.stat_result]:
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags), "rb", buffering=0) as file:
        before = os.fstat(file.fileno())
        if not stat.S_ISREG(before.st_mode):
            raise _refusal(path, "is neither a file nor a folder")
        hasher = xxhash.xxh3_128()
        for chunk in _chunks(file):
            hasher.update(chunk)
        return before, hasher.digest(), os.fstat(file.fileno())


def _chunks(file: Any) -> Iterator[memoryview]:
    buffer = memoryview(bytearray(_CHUNK_BYTES))
    while count := file.readinto(buffer):
        yield buffer[:count]


def _remember(status: os.stat_result, digest: bytes, started: int) -> None:
    youngest = max(status.st_mtime_ns, status.st_ctime_ns)
    if youngest > started - _SETTLED_NANOSECONDS:
        return
    with _lock:
        while len(_digests) >= _REMEMBERED:
            del _digests[next(iter(_digests))]
        _digests[identity(status)] = digest


def _refusal(path: str, reason: str) -> UndigestableValue:
    return UndigestableValue("File", f"{path!r} {reason}")
