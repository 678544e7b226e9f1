"""Files in an object store, where each appears whole by itself, read and written by coroutines.

What is large moves in parts, several at a time. Not here: what is done better for S3 (`s3`).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from neurotools.memo.entry import Blob
from neurotools.memo.seal import SIZE, check_foot
from neurotools.memo.tiers.buffers import aligned
from neurotools.memo.tiers.filesystems import FileSystems
from neurotools.memo.tiers.moving import Moving
from neurotools.memo.tiers.refusals import CutShort, plainly
from neurotools.memo.watch import deadline

T = TypeVar("T")

#: So much is asked for at once: what is smaller comes with one request.
FIRST = 16 << 20
#: What is larger is read and written in such parts, so many at a time.
READ_PART, WRITE_PART, AT_ONCE = 32 << 20, 8 << 20, 8
#: A part of so many bytes that goes out may take a second, although nothing is seen to move.
_SLOWEST = 2e6
#: What is smaller needs no time of its own.
_SMALL = 1 << 20

Moved = Callable[[], None]


class Objects:
    """Files of an object store.

    Parameters
    ----------
    systems : FileSystems
        What reads and writes them.
    """

    def __init__(self, systems: FileSystems) -> None:
        self._systems, self._root = systems, systems.root
        # Drivers of others may take it for a plain write.
        self.is_exclusive = systems.scheme in {"gs", "gcs", "az", "abfs", "abfss", "s3", "s3a"}
        self.is_proven = not self.is_exclusive

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}"

    def _run(self, work: Callable[..., Coroutine[Any, Any, T]], *arguments: Any) -> T:
        """Have a coroutine run where the driver's run, and wait for it."""
        from fsspec.asyn import sync  # as nobody needs it who has no URL

        try:
            with plainly(), self._systems.lent() as system:
                result: T = sync(system.loop, work, system, *arguments)
                return result
        except PermissionError:
            self._systems.forget()
            raise

    # ------------------------------------------------------------ reading

    def read(self, path: str, limit: int | None = None) -> memoryview | None:
        try:
            with Moving("loading", path) as moved:
                return self._run(self._read, self._at(path), limit, moved)
        except FileNotFoundError:
            return None

    async def _read(
        self, system: Any, place: str, limit: int | None, moved: Moving
    ) -> memoryview | None:
        first = await _range(system, place, 0, FIRST)
        size = len(first)
        if size == FIRST:
            size = int((await system._info(place))["size"])
        if limit is not None and size > limit:
            return None
        moved.expect(size)
        moved(len(first))
        buffer = aligned(size)
        buffer[: len(first)] = first
        del first
        await in_parts(self._fill, system, place, buffer, FIRST, moved)
        return buffer

    async def _fill(
        self, system: Any, place: str, buffer: memoryview, start: int, moved: Moving
    ) -> None:
        end = min(start + READ_PART, len(buffer))
        part = await in_time(_range(system, place, start, end), end - start, moved)
        if len(part) != end - start:
            raise CutShort(5, f"it ends at byte {start + len(part)} of {len(buffer)}")
        buffer[start:end] = part
        moved(end - start)
        check_end(buffer, end, place)

    def end(self, path: str, count: int) -> bytes | None:
        try:
            return self._run(_range, self._at(path), -count, None)
        except FileNotFoundError:
            return None

    def size(self, path: str) -> int | None:
        try:
            facts = self._run(_info, self._at(path))
        except FileNotFoundError:
            return None
        return int(facts["size"]) if facts["type"] == "file" else None

    # ------------------------------------------------------------ writing

    def write(self, path: str, blob: Blob) -> None:
        deadline.commit()
        with Moving("storing", path, blob.size) as moved:
            self._run(self._write, self._at(path), b"".join(blob.parts), moved)

    async def _write(self, system: Any, place: str, content: bytes, moved: Moving) -> None:
        await in_time(system._pipe_file(place, content), len(content), moved)
        moved(len(content))

    def create(self, path: str, content: bytes) -> bool:
        if not self.is_exclusive:
            if self.size(path) is not None:
                return False
            self.write(path, Blob((content,), len(content)))
            return True
        try:
            self._run(self._create, self._at(path), content)
        except FileExistsError:
            return False
        return True

    async def _create(self, system: Any, place: str, content: bytes) -> None:
        await system._pipe_file(place, content, mode="create")

    # ------------------------------------------------------------ listing

    def remove(self, paths: Sequence[str]) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._run(_remove, [self._at(path) for path in paths], mover())

    def listed(self, folder: str) -> Iterator[tuple[str, int]]:
        try:
            found = self._run(_find, self._at(folder).rstrip("/"))
        except FileNotFoundError:
            return iter(())
        start = len(self._root) + 1
        return ((name[start:], size) for name, size in found)


async def _range(system: Any, place: str, start: int, end: int | None) -> bytes:
    content: bytes = await system._cat_file(place, start=start, end=end)
    return content


async def _info(system: Any, place: str) -> Any:
    return await system._info(place)


async def _find(system: Any, place: str) -> list[tuple[str, int]]:
    system.invalidate_cache()
    found = await system._find(place, detail=True)
    return [(name, int(facts["size"])) for name, facts in found.items()]


async def _remove(system: Any, places: list[str], moved: Moved) -> None:
    async def one(place: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            await system._rm_file(place)
        moved()

    await together(partial(one, place) for place in places)


# ---------------------------------------------------------------- many at a time


async def in_parts(
    fill: Callable[..., Awaitable[None]],
    system: Any,
    place: str,
    buffer: memoryview,
    first: int,
    moved: Moving,
) -> None:
    """Fill what lies behind the first bytes of a buffer; the end of it first."""
    starts = reversed(range(first, len(buffer), READ_PART))
    await together(partial(fill, system, place, buffer, start, moved) for start in starts)


def check_end(buffer: memoryview, filled_to: int, place: str) -> None:
    """Look at the end of a large entry as soon as it is there: others may lay a terabyte there."""
    if filled_to == len(buffer):
        check_foot(bytes(buffer[-SIZE:]), len(buffer), place)


async def together(works: Iterable[Callable[[], Awaitable[None]]]) -> None:
    """Do several things at once, but not too many; none goes on when one has failed."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(work: Callable[[], Awaitable[None]]) -> None:
        async with turns:
            await work()

    tasks = [asyncio.ensure_future(one(work)) for work in works]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def in_time(work: Coroutine[Any, Any, T], size: int, moved: Moved) -> T:
    """Do something of which nothing is seen to move; it may take as long as its size needs."""
    if size < _SMALL:
        return await work
    task, ends = asyncio.ensure_future(work), time.monotonic() + size / _SLOWEST
    try:
        while not (await asyncio.wait({task}, timeout=0.5))[0]:
            if time.monotonic() < ends:
                moved()
        return task.result()
    except BaseException:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise


def mover() -> Moved:
    """Return what says that the work of this thread goes on, for coroutines elsewhere."""
    task = deadline.current()
    return _nothing if task is None else task.moved


def _nothing() -> None:
    pass
