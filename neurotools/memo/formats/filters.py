"""What is done to bytes of numbers before they are compressed, and undone after. Not here: `zstd`.

*Shuffle*: all first bytes of the items, then all second bytes, ...: exponents become neighbours,
where there is something to find. *Palette*: the different items, then for each item its number
among them: what a converter of 12 or 16 bits once measured has few different values, though it may
be kept as floats.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Bytes = np.ndarray[Any, np.dtype[np.uint8]]

#: Codes of filters: the width of a shuffle, or that of a palette's items plus this.
_PALETTE = 32
PLAIN, SHUFFLES, PALETTES = 1, (2, 4, 8, 16), (_PALETTE + 4, _PALETTE + 8)

_WORDS: dict[int, np.dtype[Any]] = {_PALETTE + 4: np.dtype("<u4"), _PALETTE + 8: np.dtype("<u8")}
_COUNT = np.dtype("<u4")
_LARGEST_PALETTE = 1 << 16
#: Items are looked up by some bits of their product with an odd number (after Fibonacci hashing).
_SLOT_BITS = 18
_FACTORS = {4: np.uint32(0x9E3779B1), 8: np.uint64(0x9E3779B97F4A7C15)}


def apply(code: int, block: Bytes) -> Bytes | None:
    """Return what is to be compressed in place of a block, or None if the filter is not for it."""
    if code in _WORDS:
        return _with_palette(block, _WORDS[code])
    return block if code == PLAIN else _shuffled(block, code)


def revert(code: int, content: Bytes, block: Bytes) -> None:
    """Fill a block from its filtered content.

    Raises
    ------
    ValueError
        If the content was not made by that filter from a block of that size.
    """
    if code in _WORDS:
        _fill_from_palette(code, content, block)
    elif code != PLAIN and code not in SHUFFLES:
        raise ValueError(f"unknown filter {code}")
    elif len(content) != len(block):
        raise ValueError(f"{len(content)} bytes in place of {len(block)}")
    else:
        _unshuffle(content, block, code)


def largest(code: int, size: int) -> int:
    """Return how long the filtered content of a block of so many bytes can be."""
    return size + _COUNT.itemsize + _LARGEST_PALETTE * 8 if code in _WORDS else size


def split_palette(code: int, content: Bytes) -> tuple[Bytes, Bytes]:
    """Return the palette and the numbers in what `apply` has returned."""
    size = int(content[: _COUNT.itemsize].view(_COUNT)[0])
    end = _COUNT.itemsize + size * _WORDS[code].itemsize
    return content[_COUNT.itemsize : end], content[end:]


def _shuffled(block: Bytes, width: int) -> Bytes:
    whole = len(block) - len(block) % width
    items = block[:whole].reshape(-1, width)
    content = np.empty(len(block), np.uint8)
    # One strided copy per byte is faster than one of the transposed array.
    for place, plane in enumerate(content[:whole].reshape(width, -1)):
        plane[:] = items[:, place]
    content[whole:] = block[whole:]
    return content


def _unshuffle(content: Bytes, block: Bytes, width: int) -> None:
    whole = len(block) - len(block) % width
    items = block[:whole].reshape(-1, width)
    for place, plane in enumerate(content[:whole].reshape(width, -1)):
        items[:, place] = plane
    block[whole:] = content[whole:]


def _with_palette(block: Bytes, word: np.dtype[Any]) -> Bytes | None:
    if len(block) % word.itemsize or not len(block):
        return None
    words = block.view(word)
    slots = _slots(words)
    palette = _different(words, slots)
    if len(palette) > _LARGEST_PALETTE:
        return None
    numbers = _numbers(words, slots, palette)
    planes = numbers.view(np.uint8).reshape(-1, 2).T[: 1 if len(palette) <= 256 else 2]
    size = np.array([len(palette)], _COUNT)
    return np.concatenate([size.view(np.uint8), palette.view(np.uint8), planes.ravel()])


def _slots(words: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    bits = words.itemsize * 8
    slots: np.ndarray[Any, Any] = words * _FACTORS[words.itemsize] >> (bits - _SLOT_BITS)
    return slots.astype(np.intp)


def _different(words: np.ndarray[Any, Any], slots: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the different words, ascending; sorting all of them would take ten times as long."""
    everyone = np.arange(len(words), dtype=np.int32)
    last = np.empty(1 << _SLOT_BITS, np.int32)
    last[slots] = everyone
    keeper = last[slots]
    # A word is alone in its slot, or stands for equals, or shares the slot with others: those few
    # are all kept.
    return np.unique(words[(keeper == everyone) | (words[keeper] != words)])


def _numbers(
    words: np.ndarray[Any, Any], slots: np.ndarray[Any, Any], palette: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """Return the place of each word in a palette that has them all."""
    number_in_slot = np.empty(1 << _SLOT_BITS, np.dtype("<u2"))
    number_in_slot[_slots(palette)] = np.arange(len(palette), dtype=np.dtype("<u2"))
    numbers: np.ndarray[Any, Any] = number_in_slot[slots]
    wrong = np.flatnonzero(palette[numbers] != words)
    numbers[wrong] = np.searchsorted(palette, words[wrong])
    return numbers


def _fill_from_palette(code: int, content: Bytes, block: Bytes) -> None:
    word = _WORDS[code]
    if len(content) < _COUNT.itemsize or len(block) % word.itemsize:
        raise ValueError("no palette")
    head, planes = split_palette(code, content)
    size, count = len(head) // word.itemsize, len(block) // word.itemsize
    if size > _LARGEST_PALETTE or len(planes) != count * (1 if size <= 256 else 2):
        raise ValueError(f"a palette of {size} does not fit {len(content)} bytes")
    # Copied: the items of the content need not be aligned.
    palette = np.frombuffer(head.tobytes(), word)
    numbers: np.ndarray[Any, Any] = planes[:count]
    if len(planes) > count:
        numbers = numbers.astype(np.uint16) | planes[count:].astype(np.uint16) << np.uint16(8)
    if count and int(numbers.max()) >= size:
        raise ValueError(f"a number beyond its palette of {size}")
    block.view(word)[:] = palette[numbers]
