"""What was evicted, and when: a line for each entry in one bounded file, for people to be told.

It is for `explain` and for nothing else: lines may be lost, and anybody who may write to the cache
may have made them up.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from typing import NamedTuple

from neurotools.memo.entry import Key
from neurotools.memo.tiers.census import PRIVATE, mark_of

#: When the file is longer, the older half of it is forgotten.
LIMIT = 1 << 20
_NAME = "evicted"
_SAFE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class Grave(NamedTuple):
    """What is left of an entry: when it went (since the epoch), why, what it had cost; seconds."""

    when: float
    why: str
    seconds: float


def bury(root: str, graves: Iterable[tuple[str, str, Grave]]) -> None:
    """Note what was evicted: the place of the version, the entry's short name, and the rest."""
    lines = "".join(
        f"{grave.when:.0f}\t{grave.seconds:.6g}\t{shelf}\t{mark}\t{grave.why}\n"
        for shelf, mark, grave in graves
    )
    path = os.path.join(root, PRIVATE, _NAME)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | _SAFE
    with contextlib.suppress(OSError):
        descriptor = os.open(path, flags, os.stat(os.path.dirname(path)).st_mode & 0o660 | 0o600)
        try:
            os.write(descriptor, lines.encode("utf-8", "surrogatepass"))
            is_long = os.fstat(descriptor).st_size > LIMIT
        finally:
            os.close(descriptor)
        if is_long:
            _shorten(path)


def grave_of(root: str, key: Key) -> Grave | None:
    """Return what is noted of an entry that was evicted, the last time; None if nothing is."""
    wanted = f"\t{key.function}/{key.code}\t{mark_of(f'{key.call}.{key.method}')}\t".encode(
        "utf-8", "surrogatepass"
    )
    content = _content(os.path.join(root, PRIVATE, _NAME))
    place = content.rfind(wanted)
    if place < 0:
        return None
    start = content.rfind(b"\n", 0, place) + 1
    end = content.find(b"\n", place)
    try:
        when, seconds = map(float, content[start:place].split(b"\t"))
    except ValueError:
        return None
    why = content[place + len(wanted) : end if end >= 0 else None].decode("utf-8", "replace")
    return Grave(when, why[:200], seconds) if 0 <= when < 1e12 else None


def _content(path: str) -> bytes:
    try:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | _SAFE)) as file:
            return file.read(2 * LIMIT)
    except OSError:
        return b""


def _shorten(path: str) -> None:
    content = _content(path)[-LIMIT // 2 :]
    new = f"{path}.{os.getpid()}"
    mode = os.stat(path).st_mode & 0o777
    with open(new, "wb", opener=lambda name, flags: os.open(name, flags | _SAFE, mode)) as file:
        file.write(content[content.find(b"\n") + 1 :])
    os.replace(new, path)
