"""Changed copies of real inputs: bytes, texts, and trees of JSON."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Sequence
from typing import Any

#: What lengths, counts and offsets are when they hurt.
_NUMBERS = (
    0,
    1,
    7,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0xFFFF,
    1 << 31,
    (1 << 32) - 1,
    1 << 62,
    (1 << 64) - 1,
)
_LONG = 3000
_TEXTS = (
    b"(" * _LONG,
    b"[" * _LONG,
    b"-" * _LONG,
    b"~" * _LONG,
    b'{"a":' * _LONG,
    b"9" * 5000,
    b"\0",
)
_ODD = (
    b"..",
    b"/",
    b"\xff",
    b"None",
    b"nan",
    b"1e999",
    b"\\u0000",
    b"__import__('os')",
    b"{}",
    b"''",
)

#: What does not belong where it is put in a tree.
_NODES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1 << 31, 1 << 63, 10**40, 1.5, float("inf"), float("nan")),
    *("", "x", "|O", "<f8", "O", "V0", "[('a', 'O')]", "\ud800", "x" * 2000),
    *([], {}, [[]], [0], {"array": 0}, {"array": -1}, {"array": 10**9}, {"same": 0}, {"same": 99}),
    *({"tuple": 3}, {"dict": 1}, {"scalar": ["O", 1]}, {"bytes": "!"}, {"range": [0, 1 << 62, 1]}),
)


def of_bytes(content: bytes, others: Sequence[bytes], dice: random.Random) -> bytes:
    """Return changed bytes; parts of others may be in them."""
    new = bytearray(content)
    for _ in range(1 + int(dice.expovariate(0.7))):
        dice.choice(_CHANGES)(new, others, dice)
    return bytes(new)


def _flip(new: bytearray, _: Sequence[bytes], dice: random.Random) -> None:
    if new:
        new[dice.randrange(len(new))] ^= 1 << dice.randrange(8)


def _set(new: bytearray, _: Sequence[bytes], dice: random.Random) -> None:
    if new:
        new[dice.randrange(len(new))] = dice.choice((0, 255, dice.randrange(256)))


def _cut(new: bytearray, _: Sequence[bytes], dice: random.Random) -> None:
    del new[dice.randrange(len(new) + 1) :]


def _remove(new: bytearray, _: Sequence[bytes], dice: random.Random) -> None:
    start = dice.randrange(len(new) + 1)
    del new[start : start + dice.randrange(1, 40)]


def _double(new: bytearray, _: Sequence[bytes], dice: random.Random) -> None:
    start = dice.randrange(len(new) + 1)
    new[start:start] = bytes(new[start : start + dice.randrange(1, 200)]) * dice.choice((1, 1, 20))


def _splice(new: bytearray, others: Sequence[bytes], dice: random.Random) -> None:
    other = dice.choice(others)
    start = dice.randrange(len(other) + 1)
    place = dice.randrange(len(new) + 1)
    part = other[start : start + dice.randrange(1, 200)]
    new[place : place + dice.choice((0, len(part)))] = part


def _number(new: bytearray, _: Sequence[bytes], dice: random.Random) -> None:
    size = dice.choice((1, 2, 4, 8))
    place = dice.randrange(len(new) + 1)
    number = dice.choice(_NUMBERS) & ((1 << 8 * size) - 1)
    new[place : place + size] = number.to_bytes(size, "little")


def _odd(new: bytearray, _: Sequence[bytes], dice: random.Random) -> None:
    place = dice.randrange(len(new) + 1)
    new[place:place] = dice.choice(_ODD if dice.random() < 0.9 else _TEXTS)


_CHANGES = (_flip, _flip, _set, _cut, _remove, _double, _splice, _number, _number, _odd)


def of_tree(tree: Any, dice: random.Random) -> Any:
    """Return a changed copy of what JSON gives."""
    new = [copy.deepcopy(tree)]
    for _ in range(1 + int(dice.expovariate(0.7))):
        holder, place = _somewhere(new, dice)
        if dice.random() < 0.15 and isinstance(holder, list) and holder is not new:
            del holder[place]
        elif dice.random() < 0.05:
            holder[place] = _deep(dice)
        else:
            holder[place] = copy.deepcopy(dice.choice(_NODES))
    return new[0] if new else None


def of_json(text: bytes, dice: random.Random) -> bytes:
    """Return a changed text of JSON, still JSON."""
    return json.dumps(of_tree(json.loads(text), dice)).encode()


def _somewhere(holder: Any, dice: random.Random) -> tuple[Any, Any]:
    """Return a list or dict somewhere in a tree, and a place in it."""
    while True:
        places = list(holder) if isinstance(holder, dict) else range(len(holder))
        place = dice.choice(list(places))
        below = holder[place]
        if not isinstance(below, (list, dict)) or not below or dice.random() < 0.25:
            return holder, place
        holder = below


def _deep(dice: random.Random) -> Any:
    tree: Any = 0
    for _ in range(dice.choice((50, 150, 250))):
        tree = dice.choice(([tree], {"tuple": [tree]}, {"list": [tree]}))
    return tree
