"""Files and folders -> digests of their content."""

from __future__ import annotations

import binascii
import os
import stat
import sys
import time
from collections.abc import Iterator
from typing import Any

import xxhash

from neurotools.memo import forks
from neurotools.memo.digest.mounts import is_elsewhere
from neurotools.memo.errors import UndigestableValue

_CHUNK_BYTES = 1 << 20
_TRIES = 3
#: A file below so many bytes needs no bar, wherever it is read from.
_SHOWN_BYTES = 16 << 20
_REMEMBERED = 20_000

# Some file systems keep time in steps of two seconds: a file as young as that could be written
# once more and look the same.
_SETTLED_NANOSECONDS = 2_000_000_000

#: Where a file's change time is no multiple of 10 milliseconds, the kernel has set it as it counts,
#: in steps of 10 milliseconds at most. Else it may be coarse, or whatever somebody has set the
#: modification time to: on FAT and some networks the two are one.
_COARSE, _SETTLED_FINE = 10_000_000, 50_000_000

_URLSAFE = bytes.maketrans(b"+/", b"-_")

Identity = tuple[int, ...]

_digests: dict[Identity, bytes] = {}
#: When files of other computers were first read as they are, by a clock that nobody sets.
_first_read: dict[Identity, int] = {}
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


def base64(content: bytes) -> str:
    """Return bytes as URL-safe base64 without padding: 22 characters for 128 bits.

    The module `base64` is loaded only by what reads it.
    """
    text = binascii.b2a_base64(content, newline=False).rstrip(b"=")
    return text.translate(_URLSAFE).decode("ascii")


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


def identity_of(path: str, digest: str | None = None) -> str:
    """Return a file's identity as text, by which a later process knows that it is unchanged.

    Parameters
    ----------
    path : str
        The file.
    digest : str, optional
        The digest of its content. If given, the identity counts only where a change of that would
        have changed it.

    Returns
    -------
    str
        The identity, or nothing if there is no such file, or its identity tells nothing.
    """
    try:
        known = identity(os.stat(path))
    except (OSError, ValueError):
        return ""
    if digest is not None:
        kept = _digests.get(known)
        if kept is None or base64(kept) != digest:
            return ""
    return ":".join(map(str, known))


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


def known(status: os.stat_result) -> bytes | None:
    """Return the digest of a file that has not changed since it was read, or None."""
    return _digests.get(identity(status))


def learn(status: os.stat_result, digest: bytes) -> None:
    """Remember the digest of a file that another process has read, and found to be settled."""
    with _lock:
        _kept(_digests, identity(status), digest)


def is_settled(status: os.stat_result) -> bool:
    """Tell whether a change made from now on would change a file's times, on a local disk."""
    return _tells_changes(status) and status.st_ctime_ns < kernel_time() - _SETTLED_FINE


def _tells_changes(status: os.stat_result) -> bool:
    """Tell whether a file has a change time, which no program can set."""
    # Windows calls the time of creation so.
    return os.name != "nt" and status.st_ctime_ns % _COARSE != 0


def kernel_time() -> int:
    """Return the time that the kernel would give to a file now, in nanoseconds."""
    # The clock that programs are shown may be another: tests and sandboxes set it.
    try:
        descriptor = os.memfd_create("neurotools-time")
    except (AttributeError, OSError):  # Linux has it, as long as there are descriptors left
        return time.time_ns()
    try:
        return os.fstat(descriptor).st_ctime_ns
    finally:
        os.close(descriptor)


def _read_unchanged(path: str) -> bytes:
    for _ in range(_TRIES):
        started, steady = kernel_time(), time.monotonic_ns()
        try:
            before, digest, after = _read(path)
        except OSError as error:
            raise _refusal(path, _reason(error)) from None
        if identity(before) == identity(after):
            _remember(after, digest, started, steady)
            return digest
    raise _refusal(path, "changes while it is read")


def _read(path: str) -> tuple[os.stat_result, bytes, os.stat_result]:
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags), "rb", buffering=0) as file:
        before = os.fstat(file.fileno())
        if not stat.S_ISREG(before.st_mode):
            raise _refusal(path, "is neither a file nor a folder")
        hasher = xxhash.xxh3_128()
        for chunk in shown(_chunks(file, before.st_size), before.st_size, path):
            hasher.update(chunk)
        return before, hasher.digest(), os.fstat(file.fileno())


def shown(chunks: Iterator[memoryview], size: int, path: str) -> Iterator[memoryview]:
    """Return what is read from a file, with a bar once that takes long, if the file is large."""
    if size < _SHOWN_BYTES:
        return chunks
    from neurotools.memo.progress import reading  # not loaded for hits

    return reading(chunks, size, path)


def _chunks(file: Any, size: int) -> Iterator[memoryview]:
    # To clear a buffer takes longer than to read a small file.
    buffer = memoryview(bytearray(min(_CHUNK_BYTES, size + 1)))
    while count := file.readinto(buffer):
        yield buffer[:count]


def _remember(status: os.stat_result, digest: bytes, started: int, steady: int) -> None:
    if not _tells_changes(status) or status.st_ctime_ns > started - _margin(status):
        return
    known = identity(status)
    with _lock:
        if is_elsewhere(status.st_dev):
            # Dated by a clock that need not agree with ours: time has to pass while we look.
            first = _kept(_first_read, known, steady)
            if steady - first < _SETTLED_NANOSECONDS:
                return
        _kept(_digests, known, digest)


def _margin(status: os.stat_result) -> int:
    """Return how old a file has to be, in nanoseconds, so that a change would change its times."""
    is_fine = sys.platform == "linux" and not is_elsewhere(status.st_dev)
    return min(_SETTLED_FINE, _SETTLED_NANOSECONDS) if is_fine else _SETTLED_NANOSECONDS


def seconds_to_settle(status: os.stat_result) -> float:
    """Return for how long a file that is read now would not be remembered; 0 if for ever."""
    if not _tells_changes(status):
        return 0.0
    # What `kernel_time` tells may lie behind the times of files, by less than this.
    return max(0, status.st_ctime_ns + _margin(status) + _COARSE - kernel_time()) / 1e9


def _kept(among: dict[Identity, Any], known: Identity, what: Any) -> Any:
    """Return what is kept for a file, after keeping this if there is nothing yet."""
    while known not in among and len(among) >= _REMEMBERED:
        del among[next(iter(among))]
    return among.setdefault(known, what)


def _refusal(path: str, reason: str) -> UndigestableValue:
    return UndigestableValue("File", f"{path!r} {reason}")
