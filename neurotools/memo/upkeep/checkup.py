"""What may be wrong with a cache's folder: a list of findings, each with what to do about it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

from neurotools.memo.progress import passing
from neurotools.memo.tiers.census import PRIVATE, Shelf, census
from neurotools.memo.tiers.trust import Trust
from neurotools.memo.watch.mounts import is_local_kind, mount_of

#: So far apart may the clocks be, in seconds.
_APART = 2.0
#: Less free room than this is worth a word.
_SCARCE = 0.05
#: What is younger may still be written.
_YOUNG_SECONDS = 3600.0
_LOCK = """
import sys
from neurotools.memo.tiers import alive
print(alive.lives(sys.argv[1], sys.argv[2]))
"""
_SECONDS = 20


class Finding(NamedTuple):
    """One thing that was looked at: its name, whether all is well, and what was found.

    ``remedy``, what can be done about it, is the end of the text where it is not empty.
    """

    what: str
    is_well: bool
    text: str
    remedy: str = ""


def examine(root: str) -> Iterator[Finding]:
    """Look at a cache's folder from all sides; leaves nothing behind."""
    yield from surroundings(root)
    yield from _clock(root)
    yield _locks(root)
    errors: list[OSError] = []
    shelves = list(passing(census(root, told=errors.append), what="looking"))
    yield from content(root, shelves, errors)


def surroundings(root: str) -> Iterator[Finding]:
    """Look at what is around a cache, at once: disk, room, who may do what."""
    yield _disk(root)
    yield _room(root)
    yield from _permissions(root)


def _disk(root: str) -> Finding:
    where, kind = mount_of(root)
    local = "on this computer" if is_local_kind(kind) else "perhaps on another computer"
    return Finding("disk", True, f"{kind or 'unknown kind'}, mounted at {where or '?'}, {local}")


def _room(root: str) -> Finding:
    import shutil

    usage = shutil.disk_usage(root)
    share = usage.free / usage.total if usage.total else 1.0
    text = f"{usage.free / 1e9:,.1f} GB free of {usage.total / 1e9:,.1f} GB"
    return Finding("room", share > _SCARCE, text)


def _permissions(root: str) -> Iterator[Finding]:
    facts = os.stat(root)
    mode = f"mode {stat.S_IMODE(facts.st_mode):04o}"
    can_write = os.access(root, os.W_OK | os.X_OK)
    text = f"you can read and write, {mode}" if can_write else f"you cannot write here, {mode}"
    yield Finding("access", can_write, text)
    doubt = Trust().in_folder(root, root)
    if doubt is None:
        yield Finding("trust", True, "nobody else can write here: pickles are opened")
    else:
        text = f"{doubt.reason}: {doubt.location}; pickles are opened only if they are signed"
        yield Finding("trust", False, text)


def _clock(root: str) -> Iterator[Finding]:
    path = os.path.join(root, f".clock-{os.getpid()}-{os.urandom(4).hex()}")
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        yield Finding("clock", False, f"not seen, since nothing can be written: {error.strerror}")
        return
    try:
        apart = os.stat(path).st_mtime - time.time()
    finally:
        os.unlink(path)
    text = f"the disk's clock and yours are {abs(apart):.1f} s apart"
    is_well = abs(apart) < _APART
    yield Finding("clock", is_well, "the disk's clock is yours" if is_well else text)


def _locks(root: str) -> Finding:
    """See whether another process notices a lock of ours."""
    from neurotools.memo.tiers import alive

    path, name = os.path.join(root, PRIVATE, "alive"), f"doctor-{os.getpid()}"
    if not os.path.isdir(os.path.dirname(path)):
        return Finding("locks", True, "not tried: nothing has been written here yet")
    alive.show(path, name)
    try:
        done = subprocess.run(
            [sys.executable, "-c", _LOCK, path, name],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding("locks", False, f"not tried: {error}")
    if done.stdout.strip() == "True":
        return Finding("locks", True, "another process sees ours")
    return Finding(
        "locks", False, "another process does not see ours: two may compute the same at once"
    )


def content(root: str, shelves: list[Shelf], errors: list[OSError]) -> Iterator[Finding]:
    """Look at what a census of a cache has found, and at the folders that it could not look at."""
    for error in errors:
        yield Finding("folders", False, f"{error.filename}: {error.strerror}")
    now = time.time()
    yield _listed("leftovers", _leftovers(shelves, now), "neurotools verify --repair removes them",
                  "none")  # fmt: skip
    foreign = [os.path.join(shelf.path, name) for shelf in shelves for name in shelf.foreign]
    yield _listed("foreign", foreign, "they are left alone", "no files of others")
    ahead = [
        os.path.join(shelf.path, found.name)
        for shelf in shelves
        for found in shelf.entries
        if found.written > now + _APART
    ]
    yield _listed(
        "dates", ahead, "written in the future, by somebody's clock", "none in the future"
    )
    empty = [
        os.path.join(shelf.path, found.name)
        for shelf in shelves
        for found in shelf.entries
        if not found.size
    ]
    yield _listed("empty", empty, "they count as misses", "no empty entries")
    lone = [shelf.path for shelf in shelves if shelf.entries and not shelf.has_manifest]
    yield _listed("manifests", lone, "explain cannot say what changed", "each version has its own")
    damaged = _names(os.path.join(root, PRIVATE, "damaged"))
    yield _listed("set aside", damaged, "look at them, then remove them", "nothing")


def _leftovers(shelves: list[Shelf], now: float) -> list[str]:
    found = []
    for shelf in shelves:
        for name in shelf.unfinished:
            path = os.path.join(shelf.path, name)
            try:
                if now - os.lstat(path).st_mtime > _YOUNG_SECONDS:
                    found.append(path)
            except OSError:
                continue
    return found


def _names(folder: str) -> list[str]:
    try:
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    except OSError:
        return []


def _listed(what: str, paths: list[str], remedy: str, none: str) -> Finding:
    if not paths:
        return Finding(what, True, none)
    more = f" and {len(paths) - 1:,} more" if len(paths) > 1 else ""
    return Finding(what, False, f"{paths[0]}{more}: {remedy}", remedy)
