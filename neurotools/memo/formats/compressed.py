"""A format whose payload is compressed: blocks of filtered bytes, each a zstd frame of its own.

The payload: magic, number of blocks, size of all; a table of the blocks; the blocks. Each is
filtered as suits the array that it is from (see `filters`), and stored as it was if that is no
longer. Two threads share the work: zstd and numpy let go of the interpreter.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from typing import Any, TypeVar

import numpy as np

from neurotools.memo.entry import Buffer
from neurotools.memo.formats import filters
from neurotools.memo.formats.base import MARK, Payload, PayloadFormat
from neurotools.memo.formats.filters import Bytes

DEFAULT_LEVEL, HIGHEST_LEVEL = 1, 22

_HEADER = struct.Struct("<8sQQ")
_MAGIC = b"NTzstd1\n"
_TABLE = np.dtype([("filter", "u1"), ("stored", "<u4"), ("size", "<u4")])
_STORED = 0
_BLOCK_SIZE = 1 << 20
#: Shorter parts are joined; filters are chosen by a sample of this size, in so many pieces.
_SAMPLE_SIZE, _SAMPLE_PIECES = 1 << 16, 4
_SMALLEST_SAMPLE = 1 << 12
#: A palette is tried where the sample repeats itself at least so often.
_REPEATS = 4
_THREADS = 2

_T = TypeVar("_T")
_R = TypeVar("_R")


class Compressed:
    """Another format, compressed.

    Parameters
    ----------
    form : PayloadFormat
        What turns values into bytes.
    level : int
        From 1 to 22, of zstd.
    """

    def __init__(self, form: PayloadFormat, level: int = DEFAULT_LEVEL) -> None:
        self.form, self.level = form, level
        self.method, self.runs_code = form.method, form.runs_code

    def encode(self, value: Any) -> Payload:
        payload = self.form.encode(value)
        blocks = list(_blocks(payload.parts, self.level))
        packed = _each(lambda block: _packed(*block, self.level), blocks)
        table = np.array([(code, len(content), size) for code, content, size in packed], _TABLE)
        total = sum(size for _, _, size in packed)
        head = _HEADER.pack(_MAGIC, len(packed), total) + table.tobytes()
        return Payload((head, *(content for _, content, _ in packed)), {MARK: payload.layout})

    def decode(self, payload: memoryview, layout: Mapping[str, Any]) -> Any:
        if not isinstance(layout.get(MARK), dict):
            raise ValueError("the layout is not that of a compressed payload")
        return self.form.decode(_unpacked(payload), layout[MARK])

    def bridge(self, payload_size: int, trailer_size: int) -> bytes:  # noqa: ARG002
        return b""  # no other tool reads this


def _each(work: Callable[[_T], _R], items: Sequence[_T]) -> list[_R]:
    if len(items) < 2:
        return list(map(work, items))
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(work, items))


# ---------------------------------------------------------------- packing


def _blocks(parts: Iterable[Buffer], level: int) -> Iterator[tuple[Bytes, Sequence[int]]]:
    """Give the blocks of a payload, each with the codes of filters to try, best first."""
    for run in _runs(parts):
        codes = _choice(run, level)
        for start in range(0, len(run), _BLOCK_SIZE):
            yield run[start : start + _BLOCK_SIZE], codes


def _runs(parts: Iterable[Buffer]) -> Iterator[Bytes]:
    """Give long parts as they are, and short ones joined."""
    short: list[Buffer] = []
    for part in parts:
        if len(part) < _SAMPLE_SIZE:
            short.append(part)
            continue
        if short:
            yield np.frombuffer(b"".join(short), np.uint8)
            short.clear()
        yield np.frombuffer(part, np.uint8)
    if short:
        yield np.frombuffer(b"".join(short), np.uint8)


def _choice(run: Bytes, level: int) -> Sequence[int]:
    """Return which filters suit the items of an array, found out by trial on a sample."""
    sample = _sample(run)
    if len(sample) < _SMALLEST_SAMPLE:
        return (filters.PLAIN,)
    sizes = {code: _size(sample, code, level) for code in (filters.PLAIN, *filters.SHUFFLES)}
    best = min(sizes, key=lambda code: sizes[code])
    rest = {code: _palette_size(sample, code, level) for code in filters.PALETTES}
    palette = min(rest, key=lambda code: rest[code])
    return (palette, best) if rest[palette] < sizes[best] else (best,)


def _sample(run: Bytes) -> Bytes:
    if len(run) <= _SAMPLE_SIZE:
        return run[: len(run) - len(run) % max(filters.SHUFFLES)]
    piece = _SAMPLE_SIZE // _SAMPLE_PIECES
    # Between items of any width, so that each piece begins with a whole one.
    step = (len(run) - piece) // _SAMPLE_PIECES // max(filters.SHUFFLES) * max(filters.SHUFFLES)
    return np.concatenate([run[at : at + piece] for at in range(0, step * _SAMPLE_PIECES, step)])


def _size(sample: Bytes, code: int, level: int) -> float:
    content = filters.apply(code, sample)
    return np.inf if content is None else len(_compress(content, level))


def _palette_size(sample: Bytes, code: int, level: int) -> float:
    """Return a palette's size, told from a sample; a block has one for all of its items."""
    content = filters.apply(code, sample)
    if content is None:
        return np.inf
    head, numbers = filters.split_palette(code, content)
    if len(head) * _REPEATS > len(sample):
        return np.inf
    return len(_compress(numbers, level)) + len(head) * len(sample) / _BLOCK_SIZE


def _packed(block: Bytes, codes: Sequence[int], level: int) -> tuple[int, Buffer, int]:
    """Return the filter used for a block, its compressed bytes, and its size."""
    for code in codes:
        content = filters.apply(code, block)
        if content is not None:
            frame = _compress(content, level)
            if len(frame) < len(block):
                return code, frame, len(block)
    return _STORED, block.data, len(block)


def _compress(content: Bytes, level: int) -> bytes:
    import zstandard

    frame: bytes = zstandard.ZstdCompressor(level=level).compress(content.data)
    return frame


# ---------------------------------------------------------------- unpacking


def _unpacked(payload: memoryview) -> memoryview:
    """Return the payload of the inner format, in a new aligned buffer.

    Raises
    ------
    ValueError
        If it is no such payload.
    """
    table, start = _read_table(payload)
    sizes = table["size"].tolist()
    whole = _aligned(sum(sizes))
    ends, froms = accumulate(sizes), accumulate(table["stored"].tolist(), initial=start)
    jobs = [
        (code, payload[at : at + stored], whole[end - size : end])
        for (code, stored, size), at, end in zip(table.tolist(), froms, ends, strict=False)
    ]
    _each(lambda job: _unpack(*job), jobs)
    return whole.data


def _read_table(payload: memoryview) -> tuple[np.ndarray[Any, Any], int]:
    """Return the table, checked, and where the first block begins."""
    if len(payload) < _HEADER.size:
        raise ValueError(f"{len(payload)} bytes are too few")
    magic, count, total = _HEADER.unpack_from(payload)
    end = _HEADER.size + count * _TABLE.itemsize
    if magic != _MAGIC or end > len(payload):
        raise ValueError("no table of blocks")
    table = np.frombuffer(payload, _TABLE, count, _HEADER.size)
    if int(table["stored"].sum(dtype=np.uint64)) != len(payload) - end:
        raise ValueError("its blocks do not fill the payload")
    # Bounds what is allocated, by the number of blocks that are really there.
    sizes = table["size"]
    if int(sizes.max(initial=0)) > _BLOCK_SIZE or int(sizes.sum(dtype=np.uint64)) != total:
        raise ValueError(f"its blocks do not make {total} bytes")
    return table, end


def _unpack(code: int, stored: memoryview, block: Bytes) -> None:
    if code == _STORED:
        block[:] = np.frombuffer(stored, np.uint8)
    else:
        filters.revert(code, _decompress(stored, filters.largest(code, len(block))), block)


def _decompress(frame: memoryview, largest: int) -> Bytes:
    import zstandard

    try:
        # The frame says how much memory it wants, and gets it: ask first.
        size = zstandard.frame_content_size(frame)
        if not 0 <= size <= largest:
            raise ValueError(f"a block of {size} bytes, where at most {largest} are possible")
        content = zstandard.ZstdDecompressor().decompress(frame)
    except zstandard.ZstdError as error:
        raise ValueError(f"damaged block: {error}") from None
    return np.frombuffer(content, np.uint8)


def _aligned(size: int) -> Bytes:
    room = np.empty(size + 63, np.uint8)
    start = -room.ctypes.data % 64
    return room[start : start + size]
