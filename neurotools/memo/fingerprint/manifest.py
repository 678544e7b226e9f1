"""What a fingerprint was made of, kept and compared. Not here: finding the parts (`walk`).

A manifest is read from a folder that others may write to, so reading one is bounded in size and
checks every type; nothing in it is ever run.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from neurotools.memo.rows import Row

#: Read no larger manifest, and unpack no more source from one, in characters and bytes.
LIMIT = 64 * 2**20

#: Since layout 2 a manifest has a checksum: it decides which results are merged.
_LAYOUT, _WITHOUT_CHECKSUM = 2, 1


class Part(Row):
    """One thing that a fingerprint depends on.

    Attributes
    ----------
    name : str
        Stable and readable: ``'pkg.mod:f'`` for code, ``'pkg.mod.RATE'`` for what a name holds.
    kind : str
        Such as ``'function'``, ``'class'``, ``'value'``, ``'name'`` or ``'package'``.
    digest : str
        Equal when the part is the same.
    source : str, optional
        Text to show a reader: the code, the value, the version.
    """

    name: str
    kind: str
    digest: str
    source: str | None = None


class Manifest(Row):
    """All parts of one fingerprint.

    Attributes
    ----------
    function : str
        Label of the function.
    code : str
        Code of the fingerprint.
    parts : tuple of Part
        Sorted by kind and name; each pair occurs once.
    doubts : tuple of str
        What could not be followed, in words. They do not count in the fingerprint.
    """

    function: str
    code: str
    parts: tuple[Part, ...] = ()
    doubts: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Return the manifest as ASCII text, sources compressed."""
        import json
        import zlib
        from base64 import b64encode

        sources = json.dumps([part.source for part in self.parts]).encode()
        content = {
            "layout": _LAYOUT,
            "function": self.function,
            "code": self.code,
            "parts": [[part.kind, part.name, part.digest] for part in self.parts],
            "doubts": list(self.doubts),
            "sources": b64encode(zlib.compress(sources)).decode(),
        }
        content["checksum"] = _checksum(content)
        return json.dumps(content, indent=0)

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Return the manifest that `to_json` wrote.

        Raises
        ------
        ValueError
            If the text is not one, whatever else it may be.
        """
        if len(text) > LIMIT:
            raise ValueError(f"a manifest of {len(text)} characters is too long")
        import json

        try:
            content = json.loads(text)
            return _read(content)
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"not a manifest: {error!r}") from None


def _read(content: dict[str, Any]) -> Manifest:
    if content["layout"] == _LAYOUT:
        if content.pop("checksum") != _checksum(content):
            raise ValueError("a manifest that is damaged")
    elif content["layout"] != _WITHOUT_CHECKSUM:
        raise ValueError(f"unknown layout {str(content['layout'])[:40]!r} of a manifest")
    sources = _unpacked(_text(content["sources"]))
    rows = content["parts"]
    if len(rows) != len(sources):
        raise ValueError(f"a manifest with {len(rows)} parts and {len(sources)} sources")
    parts = tuple(
        Part(_text(name), _text(kind), _text(digest), None if source is None else _text(source))
        for (kind, name, digest), source in zip(rows, sources, strict=True)
    )
    doubts = tuple(map(_text, content["doubts"]))
    return Manifest(_text(content["function"]), _text(content["code"]), parts, doubts)


def _checksum(content: dict[str, Any]) -> str:
    import json

    import xxhash

    return xxhash.xxh3_128_hexdigest(json.dumps(content, sort_keys=True).encode())


def _unpacked(packed: str) -> list[Any]:
    """Return the list in a packed text; a small text that unpacks to a huge one is refused."""
    import json
    import zlib
    from base64 import b64decode

    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(b64decode(packed, validate=True), LIMIT)
    except zlib.error as error:
        raise ValueError(f"sources of a manifest are damaged: {error}") from None
    if not unpacker.eof:
        raise ValueError("sources of a manifest are too long, or end early")
    sources = json.loads(content)
    if not isinstance(sources, list):
        raise TypeError("sources are no list")
    return sources


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:40]!r} is no text")
    return value


class Difference(Row):
    """What became of one part between two manifests.

    Attributes
    ----------
    what : str
        ``'added'``, ``'removed'`` or ``'changed'``.
    kind, name : str
        The part.
    lines : tuple of str
        Unified diff of the sources, without line ends; empty where there is nothing to show.
    """

    what: str
    kind: str
    name: str
    lines: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join([f"{self.what} {self.kind} {self.name}", *self.lines])


def difference(old: Manifest, new: Manifest) -> tuple[Difference, ...]:
    """Return what differs between two manifests, part by part, in order of kind and name.

    Examples
    --------
    >>> old = Manifest("m:f", "a", (Part("m.N", "value", "x", "1"),))
    >>> new = Manifest("m:f", "b", (Part("m.N", "value", "y", "2"),))
    >>> print(difference(old, new)[0])
    changed value m.N
    -1
    +2
    """
    return tuple(_differences(old, new))


def _differences(old: Manifest, new: Manifest) -> Iterator[Difference]:
    before = {(part.kind, part.name): part for part in old.parts}
    after = {(part.kind, part.name): part for part in new.parts}
    for key in sorted({*before, *after}):
        was, now = before.get(key), after.get(key)
        if was is None or now is None or was.digest != now.digest:
            what = "added" if was is None else "removed" if now is None else "changed"
            yield Difference(what, *key, _line_diff(was, now))


def _line_diff(was: Part | None, now: Part | None) -> tuple[str, ...]:
    before, after = [(part.source or "").splitlines() if part else [] for part in (was, now)]
    from difflib import unified_diff

    # The first two lines would name files, and hunk headers the lines in them.
    lines = islice(unified_diff(before, after, lineterm="", n=2), 2, None)
    return tuple(line for line in lines if not line.startswith("@@"))
