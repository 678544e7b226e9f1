"""What a cell prints and displays: passed on as it comes, and noted to be shown again."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from typing import Any, TypedDict

#: So much is noted, in characters of texts and bytes of pictures.
_MOST = 4 << 20
#: What lives in the kernel that made it.
_ALIVE = "application/vnd.jupyter.widget-view+json"


class Shown(TypedDict, total=False):
    """One piece of output: a text and its stream, or something displayed."""

    stream: str
    text: str
    data: dict[str, Any]
    metadata: dict[str, Any]


class Said:
    """The output of one run of a cell."""

    def __init__(self) -> None:
        self._pieces: list[tuple[Shown, list[str]]] = []
        self._size = 0
        self._is_displaying = False

    @property
    def pieces(self) -> list[Shown]:
        """All of it in order; plain values alone."""
        return [
            Shown(stream=piece["stream"], text="".join(texts)) if texts else piece
            for piece, texts in self._pieces
        ]

    def add_text(self, stream: str, text: str) -> None:
        """Note what was printed."""
        if self._is_displaying or not self._has_room(len(text)):
            return
        if not self._pieces or self._pieces[-1][0].get("stream") != stream:
            self._pieces.append((Shown(stream=stream), []))
        # Joined at the end: to add to a long text takes longer and longer.
        self._pieces[-1][1].append(text)

    def add_display(self, data: Mapping[str, Any], metadata: Mapping[str, Any]) -> None:
        """Note what was displayed."""
        if self._has_room(sum(len(str(part)) for part in data.values())):
            self._pieces.append((Shown(data=dict(data), metadata=dict(metadata)), []))

    @contextlib.contextmanager
    def displaying(self) -> Iterator[None]:
        """Leave out what is printed in the block: a terminal prints what it displays."""
        self._is_displaying = True
        try:
            yield
        finally:
            self._is_displaying = False

    def _has_room(self, size: int) -> bool:
        if self._size > _MOST:
            return False  # it was said that there was more
        self._size += size
        if self._size > _MOST:
            self._pieces.append((Shown(stream="stdout"), ["... and more, when the cell ran\n"]))
        return self._size <= _MOST


@contextlib.contextmanager
def recorded(shell: Any) -> Iterator[Said]:
    """Note what is printed and displayed while the block runs."""
    said = Said()
    outputs = sys.stdout, sys.stderr, shell.display_pub
    mine = _Stream(outputs[0], "stdout", said), _Stream(outputs[1], "stderr", said)
    sys.stdout, sys.stderr = mine
    shell.display_pub = _Publisher(outputs[2], said)
    try:
        yield said
        _flush_figures()
    finally:
        sys.stdout, sys.stderr, shell.display_pub = outputs


def show_again(pieces: list[Shown], shell: Any) -> None:
    """Show what a cell has shown when it ran."""
    for piece in pieces:
        if "text" in piece:
            stream = sys.stderr if piece.get("stream") == "stderr" else sys.stdout
            stream.write(piece["text"])
        else:
            shell.display_pub.publish(data=piece["data"], metadata=piece["metadata"])


def display(shell: Any, value: Any) -> None:
    """Show the value of a cell's last line, as a cell does."""
    if value is None:
        return
    data, metadata = shell.display_formatter.format(value)
    if data:
        shell.display_pub.publish(data=data, metadata=metadata)


def _flush_figures() -> None:
    """Have figures shown that would be shown at the end of the cell."""
    backend = sys.modules.get("matplotlib_inline.backend_inline")
    pyplot = sys.modules.get("matplotlib.pyplot")
    if backend is not None and pyplot is not None and "inline" in pyplot.get_backend().lower():
        backend.flush_figures()


class _Stream:
    """A stream that notes what passes."""

    def __init__(self, inner: Any, name: str, said: Said) -> None:
        self._inner, self._name, self._said = inner, name, said

    def write(self, text: str) -> Any:
        self._said.add_text(self._name, text)
        return self._inner.write(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Publisher:
    """What publishes displays, and notes those that can be shown in another kernel."""

    def __init__(self, inner: Any, said: Said) -> None:
        self._inner, self._said = inner, said

    def publish(self, data: Any, metadata: Any = None, *args: Any, **options: Any) -> Any:
        if not options.get("update") and _ALIVE not in data:
            self._said.add_display(data, metadata or {})
        with self._said.displaying():
            return self._inner.publish(data, metadata, *args, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
