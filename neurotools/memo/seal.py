"""What stands behind a payload in its file: the record, and a seal over everything.

An entry is one file: payload, bridge (what the format needs so that ordinary tools ignore the
rest), signature (32 bytes, only if there is a key and the payload could run code), record (JSON),
seal (64 bytes). The seal ends with an XXH3-128 over all that stands before
it, started from the entry's key: a file that was damaged, or renamed to another key, does not open.
"""

from __future__ import annotations

import functools
import struct
import threading
from collections.abc import Callable, Iterable
from math import isfinite
from typing import Any

import xxhash

from neurotools.memo.entry import Blob, Buffer, Key, Record
from neurotools.memo.errors import CorruptEntry
from neurotools.memo.formats.base import Payload, PayloadFormat
from neurotools.memo.formats.registry import decoder
from neurotools.memo.rows import Row
from neurotools.memo.signing import SIGNATURE_SIZE, Signer

#: Magic, payload size, record size, time of creation, seconds of computing, flags, reserved.
_SEAL = struct.Struct("<8sQQddII")
_MAGIC = b"NTmemo1\n"
CHECKSUM_SIZE = 16
SIZE = _SEAL.size + CHECKSUM_SIZE
#: Flag: the record holds a layout, without which the payload cannot be decoded.
_LAYOUT = 1
#: So long at most is what stands between payload and record, without a signature: a file that is
#: longer than its seal says is refused before anybody reads, or hashes, what may be a terabyte.
_LONGEST_BRIDGE = 1024
#: Smaller entries are made in one piece: to look at each part takes longer than to copy it.
_SMALL = 64 << 10
#: Flag: a signature stands before the record.
_SIGNED = 2


class Sealed:
    """An entry's file in memory, checked. Its buffer belongs to whoever asked for it.

    Parameters
    ----------
    buffer : memoryview, contiguous, of unsigned bytes
        The whole file.
    key : Key
        The entry that it is said to be.
    location : str
        Where it was read, for messages.
    verify : bool
        Whether the checksum counts.
    found : bytes, optional
        The checksum, if it was computed while reading.

    Raises
    ------
    CorruptEntry
        If it is not a whole, undamaged entry of that key.
    """

    __slots__ = (
        "_flags",
        "_method",
        "_payload_size",
        "_record_size",
        "buffer",
        "created",
        "location",
        "seconds",
    )

    def __init__(
        self,
        buffer: memoryview,
        key: Key,
        location: str,
        *,
        verify: bool = True,
        found: bytes | None = None,
    ) -> None:
        size = len(buffer)
        if size < SIZE:
            raise CorruptEntry(location, f"{size} bytes are too few")
        facts = _SEAL.unpack_from(buffer, size - SIZE)
        magic, self._payload_size, self._record_size, self.created, self.seconds, flags, _ = facts
        self.buffer, self.location, self._method = buffer, location, key.method
        self._flags, signed = flags, SIGNATURE_SIZE if flags & _SIGNED else 0
        bridge = size - self._payload_size - signed - self._record_size - SIZE
        if magic != _MAGIC or not 0 <= bridge <= _LONGEST_BRIDGE:
            raise CorruptEntry(location, _unsealed(magic))
        if verify:
            if found is None:
                found = xxhash.xxh3_128_digest(buffer[:-CHECKSUM_SIZE], seed(key))
            if found != bytes(buffer[-CHECKSUM_SIZE:]):
                raise CorruptEntry(location, "its checksum does not fit its content and name")

    def value(self) -> Any:
        """Return the value, decoded now; arrays in it are views of the buffer.

        Raises
        ------
        ValueError
            If the payload is not of its format; `pickle` may raise anything.
        """
        layout = self.layout
        return decoder(self._method, layout).decode(self.payload, layout)

    def is_signed(self, signer: Signer, key: Key) -> bool:
        """Tell whether it carries the right signature for its content and its key."""
        if not self._flags & _SIGNED:
            return False
        end = len(self.buffer) - SIZE - self._record_size
        start = end - SIGNATURE_SIZE
        parts = (self.buffer[:start], self.buffer[end:-CHECKSUM_SIZE])
        return signer.is_right(self.buffer[start:end], key, parts)

    @property
    def payload(self) -> memoryview:
        """The payload alone."""
        return self.buffer[: self._payload_size]

    @property
    def record(self) -> Record:
        """The record, parsed now."""
        end = len(self.buffer) - SIZE
        facts = _parse(bytes(self.buffer[end - self._record_size : end]), self.location)
        return Record(self.created, self.seconds, facts.get("layout", {}), facts.get("details", {}))

    @property
    def layout(self) -> dict[str, Any]:
        """The record's layout; the record is parsed only if there is one."""
        return self.record.layout if self._flags & _LAYOUT else {}

    @property
    def checksum(self) -> bytes:
        """The checksum over all of it, 16 bytes."""
        return bytes(self.buffer[-CHECKSUM_SIZE:])

    @property
    def blob(self) -> Blob:
        """The entry as another tier would store it."""
        return Blob((self.buffer,), len(self.buffer))


def _parse(content: bytes | bytearray, location: str) -> dict[str, Any]:
    import json  # not needed for most hits

    try:
        facts = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise CorruptEntry(location, f"its record is no JSON: {error}") from None
    if not isinstance(facts, dict):
        raise CorruptEntry(location, "its record is no JSON object")
    return facts


def _unsealed(magic: bytes) -> str:
    if magic[:6] == _MAGIC[:6] and magic != _MAGIC:
        return "another version of neurotools wrote it"
    return "it does not end with a seal"


def check_foot(foot: bytes, size: int, location: str) -> None:
    """Raise `CorruptEntry` unless the last bytes of a file of some size may be its seal."""
    magic, payload_size, record_size, *_ = _SEAL.unpack_from(foot.rjust(SIZE, b"\0"))
    rest = size - payload_size - record_size - SIZE
    if magic != _MAGIC or not 0 <= rest <= _LONGEST_BRIDGE + SIGNATURE_SIZE:
        raise CorruptEntry(location, _unsealed(magic))


def seed(key: Key) -> int:
    """Return where the checksum of a key's entry starts, so that it covers the entry's name."""
    return xxhash.xxh3_64_intdigest(key.path.encode("utf-8", "surrogatepass"))


def checksum(key: Key) -> xxhash.xxh3_128:
    """Return the checksum of a key's entry, still without content."""
    return xxhash.xxh3_128(seed=seed(key))


def seal(
    payload: Payload, record: Record, key: Key, form: PayloadFormat, signer: Signer | None = None
) -> Blob:
    """Return the bytes of an entry's file, the payload's parts uncopied.

    It is signed if there is something to sign with, and opening the payload could run code.
    """
    facts: dict[str, Any] = {"details": {**record.details, "key": key.path}}
    if record.layout:
        facts["layout"] = record.layout
    text = _encoder()(facts).encode()
    # Formats whose elements are aligned (mat) count on a trailer of whole eights.
    text += b" " * (-len(text) % 8)
    size = sum(map(_length, payload.parts))
    flags = _LAYOUT if record.layout else 0
    signing = signer if form.runs_code and signer is not None and signer.has_key else None
    signature_size = 0 if signing is None else SIGNATURE_SIZE
    flags |= 0 if signing is None else _SIGNED
    foot = _SEAL.pack(_MAGIC, size, len(text), record.created, record.seconds, flags, 0)
    bridge = form.bridge(size, signature_size + len(text) + SIZE)
    parts = (*payload.parts, bridge, text, foot)
    if signing is not None:
        signature = signing.sign(key, parts)
        parts = (*payload.parts, bridge, signature, text, foot)
    total = size + len(bridge) + signature_size + len(text) + SIZE
    if total <= _SMALL:
        content = b"".join(parts)
        return Blob((content + xxhash.xxh3_128_digest(content, seed(key)),), total)
    return Blob(parts, total, _Checksum(key, parts).digest)


def checksum_of(blob: Blob) -> bytes:
    """Return the checksum of an entry's bytes, computed now if nobody has stored them yet."""
    if blob.checksum is not None:
        return blob.checksum()
    return bytes(memoryview(blob.body[-1]).cast("B")[-CHECKSUM_SIZE:])


class _Checksum:
    """The checksum of an entry's parts, computed once, by whoever needs it first."""

    def __init__(self, key: Key, parts: Iterable[Buffer]) -> None:
        self._hasher, self._parts = checksum(key), parts
        self._lock = threading.Lock()
        self._digest = b""

    def digest(self) -> bytes:
        with self._lock:
            if not self._digest:
                for part in self._parts:
                    self._hasher.update(part)
                self._digest = self._hasher.digest()
                # Whoever was asked to compute it, and comes too late, keeps nothing alive.
                self._parts = ()
        return self._digest


@functools.cache
def _encoder() -> Callable[[Any], str]:
    from neurotools.memo.json_in_c import encoder  # not needed for most hits

    return encoder(",", ":")


def reseal(entry: Sealed, key: Key, form: PayloadFormat, signer: Signer | None = None) -> Blob:
    """Return a checked entry's file under another key, its payload uncopied."""
    return seal(Payload((entry.payload,), entry.layout), entry.record, key, form, signer)


def record_of(tail: bytes | bytearray, location: str) -> Record:
    """Return the record in the last bytes of a file, unchecked: good for listings alone.

    Raises
    ------
    CorruptEntry
        If there is no seal, or the record begins before these bytes.
    """
    if len(tail) < SIZE:
        raise CorruptEntry(location, "it is too short")
    magic, _, size, created, seconds, _, _ = _SEAL.unpack_from(tail, len(tail) - SIZE)
    if magic != _MAGIC or size > len(tail) - SIZE:
        raise CorruptEntry(location, _unsealed(magic))
    facts = _parse(tail[len(tail) - SIZE - size : len(tail) - SIZE], location)
    return Record(created, seconds, facts.get("layout", {}), facts.get("details", {}))


class Times(Row):
    """When an entry was computed, seconds since the epoch, and how long that took."""

    created: float
    seconds: float


def times_in(foot: bytes) -> Times | None:
    """Return the times in the last `SIZE` bytes of an entry, unchecked; None without a seal."""
    magic, _, _, created, seconds, _, _ = _SEAL.unpack_from(foot.rjust(SIZE, b"\0"))
    # Anybody's file may say anything: what is no number would break every sum that it is part of.
    is_sound = magic == _MAGIC and isfinite(created) and isfinite(seconds) and seconds >= 0
    return Times(created, seconds) if is_sound else None


def seconds_of(blob: Blob) -> float:
    """Return how long an entry took to compute, wherever its bytes come from; 0 without a seal."""
    if blob.checksum is None and type(end := blob.body[-1]) is bytes and len(end) >= SIZE:
        foot = end[-SIZE:]
    else:
        ends = (bytes(memoryview(part).cast("B")[-SIZE:]) for part in blob.body[-2:])
        foot = b"".join((*ends, b"" if blob.checksum is None else bytes(CHECKSUM_SIZE)))[-SIZE:]
    times = times_in(foot)
    return 0.0 if times is None else times.seconds


def _length(part: Buffer) -> int:
    return part.nbytes if isinstance(part, memoryview) else len(part)
