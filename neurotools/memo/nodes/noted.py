"""The digests of large files, remembered for other processes.

A file that has the device, inode, size and times that it had when its content was digested has not
changed, where the system keeps a time of change that nobody can set. Each process knows that of the
files that it has read (`neurotools.memo.digest.files`, which also says when the times can be relied
on); of large ones a note is kept, so that the next process need not read them either. A note counts
on the computer that wrote it, and only if nobody else could have written it.
"""

from __future__ import annotations

import json
import os
import platform
import stat
import time
from collections.abc import Iterator

import xxhash

from neurotools.memo.digest import files
from neurotools.memo.log import Log
from neurotools.memo.tiers.directory import DirectoryTier

log = Log(__name__)

#: Smaller files are read again by each process: that takes a millisecond at most.
_LARGE = 1 << 20
#: Of larger ones that were written a moment ago, times can be relied on a moment later.
_WORTH_WAITING, _LONGEST_WAIT = 16 << 20, 0.1


class Noted:
    """Digests of files, with notes in a folder.

    Parameters
    ----------
    tier : DirectoryTier
        Keeps the notes.
    """

    def __init__(self, tier: DirectoryTier) -> None:
        self._tier = tier
        self._kept: dict[str, files.Identity] = {}

    def content(self, path: str) -> tuple[bytes, bytes]:
        """Return the kind and digest of a file or folder, see `files.content`."""
        large = list(_large(path))
        for name, status in large:
            if files.known(status) is None and (digest := self._noted(name, status)) is not None:
                files.learn(status, digest)
            if files.known(status) is None and status.st_size >= _WORTH_WAITING:
                # To read it once more at the next call would take longer.
                seconds = files.seconds_to_settle(status)
                time.sleep(seconds if seconds < _LONGEST_WAIT else 0)
        found = files.content(path)
        for name, status in large:
            digest = files.known(status)
            if digest is not None and self._kept.get(name) != files.identity(status):
                self._note(name, status, digest)
        return found

    def _noted(self, path: str, status: os.stat_result) -> bytes | None:
        try:
            content = self._tier.note(_name(path))
            facts = None if content is None else json.loads(content)
            if facts is None or facts["of"] != [platform.node(), *files.identity(status)]:
                return None
            digest = bytes.fromhex(facts["digest"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        self._kept[path] = files.identity(status)
        return digest if len(digest) == 16 else None

    def _note(self, path: str, status: os.stat_result, digest: bytes) -> None:
        facts = {"of": [platform.node(), *files.identity(status)], "digest": digest.hex()}
        try:
            self._tier.keep_note(_name(path), json.dumps({"path": path, **facts}).encode())
        except OSError as error:
            log.info("no note of %s was kept: %s", path, error)
        self._kept[path] = files.identity(status)


def _name(path: str) -> str:
    raw = os.path.abspath(path).encode("utf-8", "surrogatepass")
    return f"file-{xxhash.xxh3_128_hexdigest(raw)}"


def _large(path: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the large files at or below a path."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return
    if stat.S_ISREG(status.st_mode):
        if status.st_size >= _LARGE:
            yield path, status
    elif stat.S_ISDIR(status.st_mode):
        for folder, _, names in os.walk(path):
            for name in names:
                inner = os.path.join(folder, name)
                try:
                    facts = os.stat(inner)
                except OSError:
                    continue
                if stat.S_ISREG(facts.st_mode) and facts.st_size >= _LARGE:
                    yield inner, facts
