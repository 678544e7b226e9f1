"""Two tiers -> each has what the other had. What ``neurotools sync`` does.

Each side is listed once; what is missing is read, its checksum verified, and written as it is.
Whatever stops this, what was copied is whole, and the next time begins with what is still missing.
Not here: the command (`neurotools.console.sync`), and what programs send by themselves
(`neurotools.memo.background.lanes`).
"""

from __future__ import annotations

import contextlib
import errno
import math
import threading
import time
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import NamedTuple

from neurotools.memo.background.carrying import carried
from neurotools.memo.background.unsent import Unsent
from neurotools.memo.entry import Blob, Key
from neurotools.memo.errors import CacheError, CopyStopped, CorruptEntry, LeftAlone
from neurotools.memo.formats.registry import RUNS_CODE, decoder
from neurotools.memo.progress import bar, passing
from neurotools.memo.seal import CHECKSUM_SIZE, Sealed, reseal
from neurotools.memo.signing import Signer
from neurotools.memo.tiers.base import Entry, Tier
from neurotools.memo.tiers.guarded import Guarded
from neurotools.memo.watch.deadline import NoAnswer

#: Seconds without any success after which a place that fails is not waited for any longer.
PATIENCE_SECONDS = 60.0
#: Seconds between two looks at whether it is back.
_GLANCE_SECONDS = 0.2
#: What does not pass by itself: no room, or no permission to write at all.
_FINAL = frozenset({errno.ENOSPC, errno.EROFS, getattr(errno, "EDQUOT", errno.ENOSPC)})
#: An entry that fails so often is left out.
_MOST_FAILURES = 5
#: Seconds that threads get to finish what they have begun, when somebody stops it all.
_LAST_SECONDS = 5.0
#: Threads that copy where both sides answer at once, and where one is far.
_NEAR, _FAR = 2, 8


class _Stop(NamedTuple):
    """A place that does not work any more, and why."""

    place: str
    error: OSError


#: What became of a copy: its bytes, why there is none, or that there was nothing to be copied.
Came = int | str | _Stop | None


@dataclass
class Way:
    """One direction: what is to be copied, and what came of it.

    Attributes
    ----------
    source, target : Guarded
        From where to where.
    missing : list of Key
        What the target lacks.
    copied : list of Key
        What was copied.
    size_bytes : int
        How much that was.
    bad : dict
        What could not be copied, and why.
    """

    source: Guarded
    target: Guarded
    missing: list[Key]
    copied: list[Key] = field(default_factory=list)
    size_bytes: int = 0
    bad: dict[Key, str] = field(default_factory=dict)

    @property
    def by_function(self) -> Counter[str]:
        """How many results of each function are to be copied."""
        return Counter(key.function for key in self.missing)


@dataclass(frozen=True)
class Comparison:
    """What two tiers have.

    Attributes
    ----------
    to, back : Way
        From the fast tier to the slow one, and from there to the fast one.
    in_both : int
        How many results both have.
    """

    to: Way
    back: Way
    in_both: int


def compare(fast: Tier, slow: Tier) -> Comparison:
    """List two tiers, once each.

    Raises
    ------
    OSError
        If one of them cannot be listed.
    """
    one, other = (tier if isinstance(tier, Guarded) else Guarded(tier) for tier in (fast, slow))
    # What is marked was found to be missing, or to be older: so it is, whatever is listed.
    marked = {note.key for note in _unsent(one, other).notes()}
    here, there = (set(tier.keys()) for tier in passing((one, other), 2, "listing"))
    missing_there = (here - there) | (here & marked)
    return Comparison(
        Way(one, other, sorted(missing_there)),
        Way(other, one, sorted(there - here)),
        len(here & there),
    )


def copy(
    way: Way,
    *,
    verify: bool = False,
    signer: Signer | None = None,
    threads: int | None = None,
) -> None:
    """Copy what a target lacks; what cannot be copied is noted in the way.

    Parameters
    ----------
    way : Way
        From where to where, and what.
    verify : bool
        Whether to read each copy back.
    signer : Signer, optional
        Signs what could run code when opened, unless it is signed.
    threads : int, optional
        How many entries to copy at a time.

    Raises
    ------
    CopyStopped
        If one of the two tiers does not work any more.
    """
    _copy_manifests(way)
    copier = _Copier(way, verify=verify, signer=signer)
    count = threads or (_NEAR if _is_near(way.source) and _is_near(way.target) else _FAR)
    stop: _Stop | None = None
    with (
        bar(f"to {way.target.name}", len(way.missing)) as show,
        # Closed at once, whatever ends this: what threads are at is finished first.
        contextlib.closing(_in_threads(copier, way.missing, count)) as all_that_came,
    ):
        for done, (key, came) in enumerate(all_that_came, 1):
            if isinstance(came, _Stop):
                stop = stop or came
                copier.stopped.set()  # what others are at is finished, and counts
            elif isinstance(came, str):
                way.bad[key] = came
            elif came is not None:
                way.copied.append(key)
                way.size_bytes += came
            show(done)
    if stop is not None:
        raise CopyStopped(stop.place, stop.error, len(way.copied))


def settle(comparison: Comparison) -> None:
    """Drop the marks of what has arrived in the slow tier."""
    way = comparison.to
    copied, unsent = set(way.copied), _unsent(way.source, way.target)
    for note in list(unsent.notes()):
        if note.key in copied:
            unsent.drop(note)


def _unsent(fast: Guarded, slow: Guarded) -> Unsent:
    return Unsent(fast, slow.name)


def _is_near(tier: Guarded) -> bool:
    return hasattr(tier, "root") and not tier.health.is_guarded


def _copy_manifests(way: Way) -> None:
    # Before the entries: who is stopped here finds the same entries missing the next time.
    for version, key in {(key.function, key.code): key for key in way.missing}.items():
        try:
            if (content := way.source.get_manifest(*version)) is not None:
                way.target.put_manifest(key, content)
        except OSError as error:
            if isinstance(error, (LeftAlone, NoAnswer)) or error.errno in _FINAL:
                raise CopyStopped(way.target.name, error, 0) from None
            way.bad[key._replace(call="manifest")] = str(error)


class _Copier:
    """Copies entries one by one; used by several threads."""

    def __init__(self, way: Way, *, verify: bool, signer: Signer | None) -> None:
        self._way, self._verify, self._signer = way, verify, signer
        self._last_success, self._failing_since = time.monotonic(), math.inf
        self.stopped = threading.Event()

    def __call__(self, key: Key) -> Came:
        """Return the bytes that were copied, why they were not, or None if there is no entry."""
        failures, alone, failed_at = 0, 0, math.inf
        while not self.stopped.is_set():
            try:
                size = self._copied(key)
                self._last_success, self._failing_since = time.monotonic(), math.inf
                return size
            except (LeftAlone, NoAnswer) as error:
                self._failing_since = min(self._failing_since, time.monotonic())
                if time.monotonic() - self._failing_since > PATIENCE_SECONDS:
                    place = next(filter(_is_shut, (self._way.source, self._way.target)), None)
                    name = (place or self._way.target).name
                    return _Stop(name, error)
                self.stopped.wait(_GLANCE_SECONDS)
            except CacheError as error:
                return str(error)
            except OSError as error:
                # One that fails while others are copied is to blame itself.
                alone += self._last_success > failed_at
                if error.errno in _FINAL:
                    return _Stop(self._way.target.name, error)
                failures, failed_at = failures + 1, time.monotonic()
                if alone > 1 or failures >= _MOST_FAILURES:
                    return str(error)
                self.stopped.wait(_GLANCE_SECONDS)
            except Exception as error:  # a boundary: one bad entry does not keep the others
                return repr(error)
        return None

    def _copied(self, key: Key) -> int | None:
        entry = carried(self._way.source, key)
        if entry is None:
            return None  # it was removed since the listing
        blob = self._signed(key, entry)
        self._way.target.put(key, blob)
        if self._verify:
            self._compare(key, blob)
        return blob.size

    def _signed(self, key: Key, entry: Entry) -> Blob:
        """Return an entry's bytes, signed if there is a key and they could run code."""
        signer = self._signer
        if key.method not in RUNS_CODE or signer is None or not isinstance(entry, Sealed):
            return entry.blob
        if entry.is_signed(signer, key):
            return entry.blob
        return reseal(entry, key, decoder(key.method, entry.layout), signer)

    def _compare(self, key: Key, blob: Blob) -> None:
        location = self._way.target.location(key)
        found = self._way.target.looked_at(key)
        if found is None:
            raise CorruptEntry(location, "it was written, and is not there")
        if _end(found.blob) != _end(blob):
            raise CorruptEntry(location, "it is not what was written")


def _end(blob: Blob) -> bytes:
    """Return an entry's checksum, which covers all else."""
    return bytes(blob.parts[-1])[-CHECKSUM_SIZE:]


def _is_shut(tier: Guarded) -> bool:
    return bool(tier.health.left_alone)


def _until_all_ended(
    done: SimpleQueue[tuple[Key, Came] | None], threads: int, stopped: threading.Event
) -> Iterator[tuple[Key, Came]]:
    """Give what threads have done; once they are stopped, only what comes soon."""
    ends = math.inf
    while threads:
        if stopped.is_set():
            ends = min(ends, time.monotonic() + _LAST_SECONDS)
        left = None if ends == math.inf else max(0.0, ends - time.monotonic())
        try:
            one = done.get(timeout=left)
        except Empty:
            return
        if one is None:
            threads -= 1
        else:
            yield one


def _in_threads(
    copier: _Copier, keys: Iterable[Key], count: int
) -> Generator[tuple[Key, Came], None, None]:
    """Give what becomes of each key, in any order, as soon as it is known."""
    left, lock = iter(keys), threading.Lock()
    done: SimpleQueue[tuple[Key, Came] | None] = SimpleQueue()

    def serve() -> None:
        try:
            while not copier.stopped.is_set():
                with lock:
                    key = next(left, None)
                if key is None:
                    break
                done.put((key, copier(key)))
        finally:
            done.put(None)

    # Daemons: one that hangs does not keep the program from ending.
    threads = [threading.Thread(target=serve, daemon=True) for _ in range(count)]
    begun: list[threading.Thread] = []
    try:
        # Ctrl-C may come while one starts and another is at work already.
        for thread in threads:
            begun.append(thread)
            thread.start()
        yield from _until_all_ended(done, count, copier.stopped)
    finally:
        copier.stopped.set()
        ends = time.monotonic() + _LAST_SECONDS
        for thread in begun:
            if thread.ident is not None:
                thread.join(max(0.0, ends - time.monotonic()))
