"""What is on a disk when the power fails: made of what was done to its files before.

All that was done to a file before its last fsync is there. Of what was done later, anything may be:
nothing, all, the first part, single blocks, or the new length with zeros in it. The same holds for
a folder's names. Whole folders are lost with their names. Real file systems lose less than this.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.watched import Operation

_BLOCK = 4096
_KEPT = ("nothing", "all", "first", "some")


@dataclass
class _File:
    """A file: what was done to its content, and how much of that is there for certain."""

    done: list[tuple[str, int, bytes]] = field(default_factory=list)
    certain: int = 0

    def content(self, chance: random.Random, kept: str) -> bytes:
        later = self.done[self.certain :]
        if kept != "all" and chance.random() < 0.3:
            # The length is kept elsewhere than the data.
            later = [("t", _length(self.done), b"")]
        steps = [*self.done[: self.certain], *_chosen(_blocks(later), chance, kept)]
        content = bytearray()
        for what, place, data in steps:
            if what == "t":
                content = content[:place] + bytes(max(0, place - len(content)))
            elif what == "a":
                content += bytes(max(0, place - len(content)))
            else:
                content += bytes(max(0, place - len(content)))
                content[place : place + len(data)] = data
        return bytes(content)


@dataclass
class _Folder:
    """A folder: its names now, and what was done to them."""

    names: dict[str, Any] = field(default_factory=dict)
    done: list[dict[str, Any]] = field(default_factory=list)
    certain: int = 0

    def change(self, names: dict[str, Any]) -> None:
        self.done.append(names)
        _apply(self.names, names)

    def later(self, chance: random.Random, kept: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for change in [
            *self.done[: self.certain],
            *_chosen(self.done[self.certain :], chance, kept),
        ]:
            _apply(found, change)
        return found


def _apply(names: dict[str, Any], change: dict[str, Any]) -> None:
    for name, what in change.items():
        if what is None:
            names.pop(name, None)
        else:
            names[name] = what


def _blocks(steps: list[tuple[str, int, bytes]]) -> list[tuple[str, int, bytes]]:
    return [
        (what, place + start, data[start : start + _BLOCK])
        for what, place, data in steps
        for start in range(0, max(len(data), 1), _BLOCK)
    ]


def _length(steps: list[tuple[str, int, bytes]]) -> int:
    length = 0
    for what, place, data in steps:
        length = place if what == "t" else max(length, place + len(data))
    return length


def _chosen(steps: list[Any], chance: random.Random, kept: str) -> list[Any]:
    if kept == "nothing":
        return []
    if kept == "all":
        return steps
    if kept == "first":
        return steps[: chance.randint(0, len(steps))]
    return [step for step in steps if chance.random() < 0.5]


class Disk:
    """A folder on a disk whose power may fail; at first it is empty.

    Parameters
    ----------
    root : str
        The folder, absolute.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self._top = _Folder()
        self._open: dict[int, _File | _Folder] = {}

    def _parts(self, path: bytes) -> list[str]:
        inner = os.path.relpath(os.fsdecode(path), self.root)
        return [] if inner == "." else inner.split(os.sep)

    def _at(self, path: bytes) -> tuple[_Folder | None, str, Any]:
        """Return the folder that has a path, its name there, and what it names."""
        parts = self._parts(path)
        if not parts:
            return None, "", self._top
        folder = self._top
        for part in parts[:-1]:
            folder = folder.names[part]
        return folder, parts[-1], folder.names.get(parts[-1])

    def do(self, operation: Operation) -> None:
        """Do what was done."""
        getattr(self, f"_do_{operation.what}", lambda _: None)(operation)

    def _do_o(self, operation: Operation) -> None:
        folder, name, found = self._at(operation.one)
        if found is None:
            found = _File()
            folder.change({name: found})  # type: ignore[union-attr]
        elif operation.place & os.O_TRUNC:
            found.done.append(("t", 0, b""))
        self._open[operation.fd] = found

    def _do_c(self, operation: Operation) -> None:
        del self._open[operation.fd]

    def _do_w(self, operation: Operation) -> None:
        self._open[operation.fd].done.append(("w", operation.place, operation.one))

    def _do_t(self, operation: Operation) -> None:
        self._open[operation.fd].done.append(("t", operation.place, b""))

    def _do_a(self, operation: Operation) -> None:
        self._open[operation.fd].done.append(("a", operation.place, b""))

    def _do_f(self, operation: Operation) -> None:
        known = self._open[operation.fd]
        known.certain = len(known.done)

    def _do_m(self, operation: Operation) -> None:
        folder, name, _ = self._at(operation.one)
        folder.change({name: _Folder()})  # type: ignore[union-attr]

    def _do_u(self, operation: Operation) -> None:
        folder, name, _ = self._at(operation.one)
        folder.change({name: None})  # type: ignore[union-attr]

    _do_d = _do_u

    def _do_r(self, operation: Operation) -> None:
        before, old, found = self._at(operation.one)
        after, new, _ = self._at(operation.two)
        if before is after:  # one step
            after.change({old: None, new: found})  # type: ignore[union-attr]
        else:
            after.change({new: found})  # type: ignore[union-attr]
            before.change({old: None})  # type: ignore[union-attr]

    def fail(self, place: Path, chance: random.Random, *, names: str = "") -> None:
        """Write to a folder what is there after the power failed now.

        Which later names are there may be given; by default it is left to chance for each folder.
        """
        _write(self._top, place, chance, names)


def _write(folder: _Folder, place: Path, chance: random.Random, names: str) -> None:
    place.mkdir(mode=0o700)
    for name, what in folder.later(chance, names or chance.choice(_KEPT)).items():
        if isinstance(what, _Folder):
            _write(what, place / name, chance, names)
        else:
            (place / name).write_bytes(what.content(chance, chance.choice(_KEPT)))
            (place / name).chmod(0o600)
