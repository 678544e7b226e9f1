"""Everything that reads what others may have written, with real inputs to start from."""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import math
import os
import random
import tempfile
import zlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from benchmarks.reliability import mutants
from neurotools.memo import key as keys
from neurotools.memo import literals, naming, seal
from neurotools.memo.entry import Digested, Key, Record
from neurotools.memo.errors import CorruptEntry, UnreadableName, UnusableKey
from neurotools.memo.fingerprint import known
from neurotools.memo.fingerprint.manifest import Manifest, Part
from neurotools.memo.formats import dtypes, pickled
from neurotools.memo.formats.compressed import Compressed
from neurotools.memo.formats.registry import FORMATS
from neurotools.memo.formats.structure import rebuild
from neurotools.memo.signature import canonical
from neurotools.memo.signing import read_key
from neurotools.memo.tiers import unfinished
from neurotools.memo.tiers.folders import Folders
from neurotools.memo.tiers.trust import Trust
from neurotools.memo.upkeep.maintenance import scan

#: Makes an input from the dice.
Maker = Callable[[random.Random], Any]


class Decoder(NamedTuple):
    """One thing that reads.

    Attributes
    ----------
    make : callable
        Makes an input.
    read : callable
        Reads it.
    refuses : tuple of types
        The errors that it is documented to raise.
    share : int
        How many of a thousand inputs are for it.
    """

    make: Maker
    read: Callable[[Any], Any]
    refuses: tuple[type[Exception], ...]
    share: int


VALUES: tuple[Any, ...] = (
    *(None, 3, -2.5, "text", b"bytes", True, 10**30, 1 + 2j),
    *([1, 2, [3, "x"]], {"a": (1, None), "b": {1, 2}}, "ü" * 2000, list(range(100))),
    *(np.arange(12.0).reshape(3, 4), np.arange(6, dtype=">i4"), np.array("2020-01-01", "M8[D]")),
    *(np.zeros(3, [("x", "<f4"), ("y", "<i2", (2,))]), np.array(["a", "bc"]), np.float32(0.5)),
    {"data": np.arange(300.0), "names": ["a", "b"], "range": range(3), "slice": slice(1, None)},
)
_KEY = Key("pkg/f", "code", "hash.key", "npy")


def _entries(method: str, compress: bool) -> list[tuple[bytes, dict[str, Any]]]:
    """Return payloads of a format, with their layouts."""
    form: Any = Compressed(FORMATS[method]) if compress else FORMATS[method]
    made = []
    for value in VALUES:
        try:
            payload = form.encode(value)
        except TypeError:
            continue  # not for this format
        made.append((b"".join(map(bytes, payload.parts)), payload.layout))
    return made


def _whole(method: str, payload: bytes, layout: Mapping[str, Any]) -> bytes:
    """Return an entry's file, whole, with a checksum that fits: that is no secret."""
    form = FORMATS[method]
    record = Record(1.0, 1.0, dict(layout), {"signature": "((('x',1),),None)"})
    parts = seal.Payload((payload,), dict(layout))
    blob = seal.seal(parts, record, _KEY._replace(method=method), form)
    return b"".join(map(bytes, blob.parts))


def _files(method: str, *, compress: bool = False) -> Maker:
    seeds = _entries(method, compress)
    payloads = [payload for payload, _ in seeds]
    plain = [_whole(method, payload, layout) for payload, layout in seeds]

    def make(dice: random.Random) -> bytes:
        number, way = dice.randrange(len(seeds)), dice.random()
        payload, layout = seeds[number]
        if way < 0.3:
            return mutants.of_bytes(plain[number], plain, dice)
        if way < 0.7 or not layout:
            return _whole(method, mutants.of_bytes(payload, payloads, dice), layout)
        changed = mutants.of_tree(layout, dice)
        return _whole(method, payload, changed if isinstance(changed, dict) else {})

    return make


def _read_file(method: str) -> Callable[[bytes], Any]:
    key = _KEY._replace(method=method)

    def read(content: bytes) -> Any:
        # As if the checksum fitted: who writes a hostile file computes one.
        found = seal.Sealed(memoryview(bytearray(content)), key, "file", verify=False)
        found.record  # noqa: B018 - it is read
        return found.value()

    return read


def _read_record(content: bytes) -> Any:
    return seal.record_of(content, "file")


def _signatures() -> list[Any]:
    digested = Digested("numpy.ndarray", "(3,) float64", "x" * 22)
    named = [
        ("x", value) for value in (1, -0.0, "a b", b"\0", (1, [2]), {"k": {1}}, None, digested)
    ]
    bound = [(tuple(named[: n + 1]), None if n % 2 else (1, "more")) for n in range(len(named))]
    return [canonical(signature, keys.code_name) for signature in bound]


def _names(mode: str) -> Maker:
    texts = [literals.encode(signature, mode) for signature in _signatures()]
    stems = [naming.stem(signature, mode=mode).encode() for signature in _signatures()]

    def make(dice: random.Random) -> str:
        if dice.random() < 0.3:
            return mutants.of_bytes(dice.choice(stems), stems, dice).decode("latin-1")
        text = mutants.of_bytes(dice.choice(texts), texts, dice)
        if dice.random() < 0.01:
            text = text[:50] * 100_000  # a small name that unpacks to a large text
        packed = base64.urlsafe_b64encode(zlib.compress(text)).rstrip(b"=")
        return f"hash.{packed.decode()}"

    return make


def _told() -> Maker:
    texts = [literals.encode(signature, "human") for signature in _signatures()]
    return lambda dice: mutants.of_bytes(dice.choice(texts), texts, dice).decode("latin-1")


def _read_name(mode: str) -> Callable[[str], Any]:
    return lambda name: naming.signature_of(name, mode=mode)


def _manifests() -> Maker:
    parts = (Part("m:f", "function", "d" * 22, "def f(): 1"), Part("m.N", "value", "e", None))
    seeds = [
        Manifest("m:f", "code", parts, ("a doubt",)).to_json().encode(),
        Manifest("m:(lambda)", "code").to_json().encode(),
    ]

    def make(dice: random.Random) -> str:
        if dice.random() < 0.5:
            return mutants.of_bytes(dice.choice(seeds), seeds, dice).decode("latin-1")
        content = json.loads(dice.choice(seeds))
        sources = mutants.of_json(zlib.decompress(base64.b64decode(content["sources"])), dice)
        content = mutants.of_tree({**content, "layout": 1}, dice)
        if isinstance(content, dict) and dice.random() < 0.5:
            content["sources"] = base64.b64encode(zlib.compress(sources)).decode()
        return json.dumps(content)

    return make


class _Shelf:
    """A shelf on which lies one note."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def note(self, _: str) -> bytes:
        return self.content

    def keep_note(self, _: str, content: bytes) -> None:
        self.content = content


def _notes() -> Maker:
    row = known._encoded(  # the rows of a note, as they are written
        known.Described("f", "def f(): g(N)", "body", known.Reads({}, {}, set(), {"a"}))
    )
    row[3:7] = [["g", [], True, 1]], [["h", ["a"], False, ["x", None]]], [[0, "os", None]], ["a"]
    note = {"layout": known._LAYOUT, "file": "digest", "rows": {"name": row}}

    def make(dice: random.Random) -> bytes:
        text = mutants.of_json(json.dumps(note).encode(), dice)
        if dice.random() < 0.3:
            text = mutants.of_bytes(text, [text], dice)
        checksum = known.short_digest(text.decode("utf-8", "replace")).encode()
        return checksum + b"\n" + text

    return make


def _read_note(content: bytes) -> Any:
    rows = known.Known(_Shelf(content))._rows("/some/file.py", "digest")
    return [known._decoded(row) for row in rows.values()]


def _trees() -> Maker:
    trees = [layout["structure"] for _, layout in _entries("hdf5", compress=False)]
    return lambda dice: mutants.of_tree(dice.choice(trees), dice)


def _dtypes() -> Maker:
    seeds = [b"<f8", b"|S12", b"<M8[ns]", b"[('x', '<f4'), ('y', '<i2', (2,))]", b"|V0", b"<c16"]
    return lambda dice: mutants.of_bytes(dice.choice(seeds), seeds, dice).decode("latin-1")


def _buffers(dice: random.Random) -> Any:
    count = dice.randrange(4)
    numbers = (0, 1, 9, 64, 128, -1, 1 << 40, 1 << 70, dice.randrange(300))
    rows = [[dice.choice(numbers) for _ in range(3)] for _ in range(count)]
    return mutants.of_bytes(bytes(300), [bytes(300)], dice), rows


def _read_buffers(given: Any) -> Any:
    content, rows = given
    return pickled._without_buffers(memoryview(content), rows)


_PLACE = tempfile.mkdtemp(prefix="neurotools-fuzz-")


def _secrets(dice: random.Random) -> bytes:
    return mutants.of_bytes(b"a secret\n", [b" \n", b"x" * 5000], dice)


def _written(content: bytes) -> str:
    path = os.path.join(_PLACE, f"file-{os.getpid()}")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    return path


def _lists(dice: random.Random) -> tuple[str, bytes]:
    seeds = [b"host-123-abc", b"a/.host-123-abc-1\nb/../.host-123-abc-2\n/etc/.host-123-abc-3\n"]
    name = mutants.of_bytes(seeds[0], seeds, dice).decode("latin-1")
    return name.replace("/", "").replace("\0", "")[:80] or "x", mutants.of_bytes(
        seeds[1], seeds, dice
    )


def _read_list(given: tuple[str, bytes]) -> None:
    name, content = given
    lists = os.path.join(_PLACE, f"lists-{os.getpid()}", ".neurotools", "writing")
    os.makedirs(lists, exist_ok=True)
    path = os.path.join(lists, name)
    try:
        with open(path, "wb") as file:
            file.write(content)
        os.utime(path, (1, 1))
    except OSError:
        return  # no name of a file
    root = os.path.dirname(os.path.dirname(lists))
    unfinished.Unfinished(root, lists, Folders(root, Trust()))._look_around()
    if os.path.lexists(path):
        os.unlink(path)


def _scanned(given: tuple[str, bytes]) -> Any:
    """List a folder with one file, of a hostile name and content."""
    name, content = given
    folder = os.path.join(_PLACE, f"scan-{os.getpid()}")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name.replace("/", "").replace("\0", "")[:200] + ".npy")
    try:
        with open(path, "wb") as file:
            file.write(content)
    except OSError:
        return None
    try:
        return list(scan(folder, "npy"))
    finally:
        os.unlink(path)


def _scan_inputs() -> Maker:
    names, files = _names("repr"), _files("npy")
    return lambda dice: (names(dice), files(dice))


_DAMAGE = (CorruptEntry, ValueError)


@functools.cache
def decoders() -> dict[str, Decoder]:
    """Return all of them, by what they read."""
    entry = {
        f"{method} entries": Decoder(_files(method), _read_file(method), _DAMAGE, share)
        for method, share in (("npy", 180), ("mat", 90), ("hdf5", 50))
    }
    names = {
        f"file names, {mode}": Decoder(_names(mode), _read_name(mode), (UnreadableName,), share)
        for mode, share in (("repr", 120), ("json", 50), ("pickle", 50), ("human", 60))
    }
    compressed = Decoder(_files("npy", compress=True), _read_file("npy"), _DAMAGE, 100)
    said = Decoder(_told(), literals.human_decode, (UnreadableName,), 30)
    return {
        **names,
        "calls in words": said,
        **entry,
        "compressed entries": compressed,
        "records": Decoder(_files("npy"), _read_record, (CorruptEntry,), 60),
        "places in pickles": Decoder(_buffers, _read_buffers, (ValueError, OverflowError), 30),
        "structures": Decoder(_trees(), lambda tree: rebuild(tree, []), (ValueError,), 60),
        "types of arrays": Decoder(_dtypes(), dtypes.from_text, (ValueError,), 40),
        "manifests": Decoder(_manifests(), Manifest.from_json, (ValueError,), 50),
        "notes": Decoder(_notes(), _read_note, (), 40),
        "lists of unfinished files": Decoder(_lists, _read_list, (), 6),
        "listings of folders": Decoder(_scan_inputs(), _scanned, (), 10),
        "files with keys": Decoder(_secrets, lambda c: read_key(_written(c)), (UnusableKey,), 4),
    }


def numbers(many: int) -> dict[str, int]:
    """Return how many of so many inputs each decoder gets."""
    shares = {name: decoder.share for name, decoder in decoders().items()}
    total = sum(shares.values())
    return {name: math.ceil(many * share / total) for name, share in shares.items()}


def look_at(value: Any) -> None:
    """Look at what was read as a whole."""
    # An array of text holds numbers, not all of which are characters: numpy says so when asked.
    with contextlib.suppress(SystemError):
        repr(value)
