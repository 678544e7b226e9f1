"""Files in S3, and in stores that speak like it: one request for what is small, few for the rest.

A request for the first bytes tells how long the object is, so that the rest can be read in parts,
at once, straight into one buffer; all parts are of the same version.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import secrets
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from neurotools.memo.entry import Blob
from neurotools.memo.tiers.buffers import aligned
from neurotools.memo.tiers.moving import Moving
from neurotools.memo.tiers.objects import (
    FIRST,
    READ_PART,
    WRITE_PART,
    Moved,
    Objects,
    check_end,
    in_parts,
    in_time,
    mover,
    together,
)
from neurotools.memo.tiers.refusals import CutShort
from neurotools.memo.tiers.stores import LEFT_OVER_SECONDS
from neurotools.memo.watch import deadline

T = TypeVar("T")

#: What is read from a connection at once.
_PIECE = 1 << 20
#: Bytes that would take as long to send as a client may take to be made: 20 seconds.
_PREPARING = 40_000_000
#: What an object that one alone may create tells of who did.
_CREATOR = "neurotools-creator"
#: As many parts as one upload may have, less some.
_MOST_PARTS = 9000
#: As many keys as one request may list or remove.
_MOST_KEYS = 1000


class S3Objects(Objects):
    """Files below a prefix of a bucket."""

    _is_tidy = False

    def _run(self, work: Callable[..., Coroutine[Any, Any, T]], *arguments: Any) -> T:
        done: T = super()._run(_prepared, work, mover(), *arguments)
        return done

    # ------------------------------------------------------------ reading

    async def _read(
        self, system: Any, place: str, limit: int | None, moved: Moving
    ) -> memoryview | None:
        answer = await _get(system, place, f"bytes=0-{FIRST - 1}")
        if answer is None:
            return memoryview(bytearray())
        body, size = answer["Body"], _size(answer)
        try:
            if limit is not None and size > limit:
                return None
            moved.expect(size)
            buffer = aligned(size)
            first = int(answer["ContentLength"])
            if first >= size:
                await _pour(body, buffer, moved)
                return buffer
            fill = _filler(answer.get("ETag") or "")
            rest = partial(in_parts, fill, system, place, buffer, first, moved)
            await together([partial(_pour, body, buffer[:first], moved), rest])
        finally:
            body.close()
        return buffer

    def end(self, path: str, count: int) -> bytes | None:
        try:
            return self._run(_tail, self._at(path), count)
        except FileNotFoundError:
            return None

    def size(self, path: str) -> int | None:
        try:
            return self._run(_measure, self._at(path))
        except FileNotFoundError:
            return None

    # ------------------------------------------------------------ writing

    def write(self, path: str, blob: Blob) -> None:
        if blob.size < 2 * WRITE_PART:
            super().write(path, blob)
            return
        task = deadline.current()
        may_commit = deadline.commit if task is None else task.commit
        content = _Content(blob)
        with Moving("storing", path, blob.size) as moved:
            self._run(_upload, self._at(path), content, moved, may_commit)
        self._tidy()

    async def _create(self, system: Any, place: str, content: bytes) -> None:
        token = secrets.token_hex(16)
        try:
            await system._pipe_file(place, content, mode="create", Metadata={_CREATOR: token})
        except FileExistsError:
            # Asked twice, since its answer got lost, the store says so of our own object.
            if await _creator(system, place) != token:
                raise

    def _tidy(self) -> None:
        """Remove, once, parts that killed processes left: nobody sees them, but they cost money."""
        if not self._is_tidy:
            self._is_tidy = True
            with contextlib.suppress(OSError):
                self._run(_abort_old, self._root)

    # ------------------------------------------------------------ listing

    def remove(self, paths: Sequence[str]) -> None:
        for start in range(0, len(paths), _MOST_KEYS):
            places = [self._at(path) for path in paths[start : start + _MOST_KEYS]]
            self._run(_delete, places)
            deadline.moved()

    def listed(self, folder: str) -> Iterator[tuple[str, int]]:
        token = ""
        prefix = self._at(folder).rstrip("/")
        while True:
            found, token = self._run(_page, prefix, token)
            deadline.moved()
            yield from ((name[len(self._root) + 1 :], size) for name, size in found)
            if not token:
                return


async def _prepared(
    system: Any, work: Callable[..., Coroutine[Any, Any, T]], moved: Moved, *arguments: Any
) -> T:
    """Do something when there is a client: to make one takes long on a busy machine."""
    if getattr(system, "_s3", None) is None:
        await in_time(system.set_session(), _PREPARING, moved)
    return await work(system, *arguments)


async def _get(system: Any, place: str, span: str, version: str = "") -> Any:
    """Ask for some bytes of an object; return None where it has none of them: it is empty."""
    bucket, key, _ = system.split_path(place)
    same = {"IfMatch": version} if version else {}
    try:
        return await system._call_s3("get_object", Bucket=bucket, Key=key, Range=span, **same)
    except OSError as error:
        code = _code(error)
        if code == "InvalidRange":
            return None
        if code in {"PreconditionFailed", "412"}:
            raise CutShort(5, f"{place} was replaced while it was read") from None
        raise


def _code(error: OSError) -> str:
    response = getattr(error.__cause__, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


async def _creator(system: Any, place: str) -> str:
    answer = await _get(system, place, "bytes=0-0")
    if answer is None:
        return ""
    answer["Body"].close()
    return str(answer.get("Metadata", {}).get(_CREATOR, ""))


def _size(answer: Any) -> int:
    """Return the length of the whole object; a store may know no parts and give it all."""
    span = answer.get("ContentRange") or ""
    _, _, size = span.rpartition("/")
    return int(size) if size.isdecimal() else int(answer["ContentLength"])


async def _pour(body: Any, room: memoryview, moved: Moving) -> None:
    """Read an answer into a buffer, which it has to fill."""
    filled = 0
    while filled < len(room):
        piece = await body.read(min(_PIECE, len(room) - filled))
        if not piece:
            raise CutShort(5, f"an answer ends at byte {filled} of {len(room)}")
        room[filled : filled + len(piece)] = piece
        filled += len(piece)
        moved(len(piece))


def _filler(version: str) -> Any:
    async def fill(system: Any, place: str, buffer: memoryview, start: int, moved: Moving) -> None:
        end = min(start + READ_PART, len(buffer))
        answer = await _get(system, place, f"bytes={start}-{end - 1}", version)
        if answer is None or int(answer["ContentLength"]) != end - start:
            raise CutShort(5, f"an answer from byte {start} on has another length")
        try:
            await _pour(answer["Body"], buffer[start:end], moved)
        finally:
            answer["Body"].close()
        check_end(buffer, end, place)

    return fill


async def _tail(system: Any, place: str, count: int) -> bytes:
    answer = await _get(system, place, f"bytes=-{count}")
    content: bytes = b"" if answer is None else await answer["Body"].read()
    return content[-count:]


async def _measure(system: Any, place: str) -> int:
    answer = await _get(system, place, "bytes=0-0")
    if answer is None:
        return 0
    answer["Body"].close()
    return _size(answer)


# ---------------------------------------------------------------- writing


class _Content:
    """An entry's bytes, of which any stretch can be had without joining them all."""

    def __init__(self, blob: Blob) -> None:
        self.size = blob.size
        self._parts = [memoryview(part).cast("B") for part in blob.parts]

    def cut(self, start: int, end: int) -> bytes:
        pieces, place = [], 0
        for part in self._parts:
            if place < end and place + len(part) > start:
                pieces.append(part[max(0, start - place) : end - place])
            place += len(part)
        return b"".join(pieces)


async def _upload(
    system: Any, place: str, content: _Content, moved: Moving, may_commit: Callable[[], None]
) -> None:
    """Send an object in parts, several at a time; it appears with the last request."""
    bucket, key, _ = system.split_path(place)
    where = {"Bucket": bucket, "Key": key}
    upload = await system._call_s3("create_multipart_upload", **where)
    where["UploadId"] = upload["UploadId"]
    part_size = max(WRITE_PART, -(-content.size // _MOST_PARTS))
    starts = range(0, content.size, part_size)
    tags: dict[int, str] = {}

    async def send(number: int, start: int) -> None:
        # Cut out when it is its turn: so much memory is taken by what is under way alone.
        part = content.cut(start, start + part_size)
        request = system._call_s3("upload_part", **where, PartNumber=number, Body=part)
        tags[number] = (await in_time(request, len(part), moved))["ETag"]
        moved(len(part))

    try:
        await together(partial(send, number, start) for number, start in enumerate(starts, 1))
        parts = [{"PartNumber": number, "ETag": tags[number]} for number in sorted(tags)]
        may_commit()
        whole = {"Parts": parts}
        await system._call_s3("complete_multipart_upload", **where, MultipartUpload=whole)
    except BaseException:
        with contextlib.suppress(Exception):
            await system._call_s3("abort_multipart_upload", **where)
        raise


async def _abort_old(system: Any, root: str) -> None:
    bucket, prefix, _ = system.split_path(f"{root}/x")
    listing = await system._call_s3("list_multipart_uploads", Bucket=bucket, Prefix=prefix[:-1])
    eldest = dt.datetime.now(dt.timezone.utc) - dt.timedelta(seconds=LEFT_OVER_SECONDS)
    for upload in listing.get("Uploads", ()):
        if upload["Initiated"] < eldest:
            where = {"Key": upload["Key"], "UploadId": upload["UploadId"]}
            await system._call_s3("abort_multipart_upload", Bucket=bucket, **where)


# ---------------------------------------------------------------- listing


async def _page(system: Any, prefix: str, token: str) -> tuple[list[tuple[str, int]], str]:
    bucket, key, _ = system.split_path(f"{prefix}/x")
    more = {"ContinuationToken": token} if token else {}
    where = {"Bucket": bucket, "Prefix": key[:-1], "MaxKeys": _MOST_KEYS}
    found = await system._call_s3("list_objects_v2", **where, **more)
    names = [(f"{bucket}/{one['Key']}", int(one["Size"])) for one in found.get("Contents", ())]
    return names, found.get("NextContinuationToken", "") if found.get("IsTruncated") else ""


async def _delete(system: Any, places: list[str]) -> None:
    bucket, key, _ = system.split_path(places[0])
    if len(places) == 1:
        await system._call_s3("delete_object", Bucket=bucket, Key=key)
        return
    keys = [{"Key": system.split_path(place)[1]} for place in places]
    told = await system._call_s3(
        "delete_objects", Bucket=bucket, Delete={"Objects": keys, "Quiet": True}
    )
    for error in told.get("Errors", ()):
        raise PermissionError(13, f"{error.get('Key')} stays there: {error.get('Message')}")
