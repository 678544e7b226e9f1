"""Signature <-> file name; function -> folder. Not here: a signature's text (literals).

A file name is ``<hash>.<key>.<method>``: ``hash`` is the first ten bytes of a SHA-224 of the
signature's text, ``key`` the text itself, compressed with zlib, in URL-safe base64. So a directory
listing can be turned back into calls. Where the name would be too long for a file system, ``key``
is a SHA-224 of the key, and the signature stands in the entry's record.
"""

from __future__ import annotations

import binascii
import functools
import inspect
import os
import re
import sys
import zlib
from collections.abc import Callable
from typing import Any

from neurotools.memo.digest.files import base64
from neurotools.memo.entry import Record, Signature
from neurotools.memo.errors import UnreadableName
from neurotools.memo.literals import TEXT_LIMIT, decode, encode, utf8
from neurotools.memo.pathlike import stem_of_file

#: What file systems allow: bytes in a name, characters in a whole path.
NAME_LENGTH, PATH_LENGTH = 255, 4096
#: The longest method's suffix, so that the key of a call does not depend on its method.
_SUFFIX_LENGTH = len(".pickle")
#: Characters that stand for ten bytes.
_SHORT = 14
#: So many bytes are compressed in little room.
_FEW = 256
#: What begins a stream of zlib's, at its default level (RFC 1950).
_ZLIB_HEADER = b"\x78\x9c"


def base64hash(obj: Any) -> str:
    """Return the SHA-224 of an object as URL-safe base64 without padding, 38 characters.

    Text is encoded as UTF-8, bytes are taken as they are, anything else by its ``repr``.
    """
    return base64(_sha224(obj))


def base64hash10bytes(obj: Any) -> str:
    """Return the first ten bytes of `base64hash`'s digest, 14 characters."""
    return base64(_sha224(obj)[:10])


def _sha224(obj: Any) -> bytes:
    content = obj if isinstance(obj, bytes) else utf8(obj if isinstance(obj, str) else repr(obj))
    return _digest()(content)


@functools.cache
def _digest() -> Callable[[bytes], bytes]:
    from neurotools.memo.digest.sha import sha224  # not loaded before it is needed

    return sha224


# ---------------------------------------------------------------- file names


def file_string(name: str, stem: str) -> str:
    """Return a function's name and a stem as one file name of at most `NAME_LENGTH` characters."""
    # Long names are cut: function and code stand in the folders, too.
    return f"{name[: NAME_LENGTH - _SUFFIX_LENGTH - len(stem) - 1]}.{stem}"


def room_beside(length: int) -> int:
    """Return how many characters a stem may have beside a name of so many, in one file name."""
    return NAME_LENGTH - _SUFFIX_LENGTH - length - 1


def stem(
    signature: Signature,
    *,
    mode: str = "repr",
    compressed: bool = True,
    base64encode: bool = True,
    room: int = NAME_LENGTH - _SUFFIX_LENGTH,
    truncate: bool = True,
) -> str:
    """Return ``<hash>.<key>`` for a canonical signature, at most `room` characters long.

    Raises
    ------
    ValueError
        If compression is asked for without base64, or the name is too long and must stay whole.
    """
    if compressed and not base64encode:
        raise ValueError("compressed=True needs base64encode=True: raw bytes are no file name")
    content, text = encode(signature, mode), encode(signature)
    packed = _deflated(content) if compressed else content
    key = base64(packed) if base64encode else _quoted(packed, mode)
    return _joined(base64hash10bytes(text), key, room, truncate=truncate)


def stem_of(text: bytes, *, room: int) -> str:
    """Return what `stem` returns with its defaults, given what `encode` returned."""
    name = f"{base64(_digest()(text)[:10])}.{base64(_deflated(text))}"
    return name if len(name) <= room else f"{name[:_SHORT]}.{base64hash(name[_SHORT + 1 :])}"


def _deflated(content: bytes) -> bytes:
    """Return what zlib makes of some bytes; sooner where they are few, as they mostly are.

    zlib works in 256 kB, which are taken from the system and given back each time: that takes 20
    times as long as to compress a signature. In less room, this many bytes come out the same.
    """
    if len(content) > _FEW:
        return zlib.compress(content)
    small = _unused().copy()
    packed: bytes = small.compress(content) + small.flush()
    return _ZLIB_HEADER + packed + zlib.adler32(content).to_bytes(4, "big")


@functools.cache
def _unused() -> Any:
    # Copied for each use, which takes half as long as to make another.
    return zlib.compressobj(zlib.Z_DEFAULT_COMPRESSION, zlib.DEFLATED, -10, 4)


def _joined(short: str, key: str, room: int, *, truncate: bool) -> str:
    if len(short) + 1 + len(key) <= room:
        return f"{short}.{key}"
    if not truncate:
        raise ValueError(f"the arguments take {len(key)} characters, {room} fit into a file name")
    return f"{short}.{base64hash(key)}"


def _quoted(content: bytes, mode: str) -> str:
    if mode == "pickle":
        raise ValueError("mode='pickle' needs base64encode=True: raw bytes are no file name")
    from urllib.parse import quote  # seldom asked for

    # Only what breaks file systems, or our splitting at dots, is quoted: the rest stays legible.
    return quote(content, safe=" ()[]{}=,'+-_~@#&!;^").replace(".", "%2E")


def signature_of(
    name: str, *, mode: str = "repr", compressed: bool = True, base64encode: bool = True
) -> Signature:
    """Return the signature held by a file name (without its suffix).

    Raises
    ------
    UnreadableName
        If there is none in it, as when it was too long and holds a digest instead.
    """
    key = name.rpartition(".")[2]
    try:
        if not base64encode:
            from urllib.parse import unquote

            return decode(
                unquote(key, "utf-8", "surrogatepass").encode("utf-8", "surrogatepass"), mode
            )
        from base64 import b64decode  # names are read by listings only

        content = b64decode(_padded(key), altchars=b"-_", validate=True)
        if compressed:
            content = _inflate(content)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise UnreadableName(name, str(error)) from None
    return decode(content, mode)


def recorded(record: Record) -> Signature:
    """Return the signature that stands in an entry's record.

    Raises
    ------
    UnreadableName
        If there is none in it.
    """
    return decode(utf8(str(record.details.get("signature", ""))))


def signature_told(name: str, record: Callable[[], Record | None], **decoding: Any) -> Signature:
    """Return the signature of an entry, from its name or, where that is too short, its record.

    Parameters
    ----------
    name : str
        The file's, without its suffix.
    record : callable
        Returns the record, if there is one; what it raises is passed on.
    **decoding
        How the name is read, see `signature_of`.

    Raises
    ------
    UnreadableName
        If neither tells it.
    """
    try:
        return signature_of(name, **decoding)
    except UnreadableName:
        if (found := record()) is None:
            raise
    return recorded(found)


def _padded(key: str) -> str:
    bare = key.rstrip("=")
    return bare + "=" * (-len(bare) % 4)


def _inflate(content: bytes) -> bytes:
    inflater = zlib.decompressobj()
    plain = inflater.decompress(content, TEXT_LIMIT)
    if not inflater.eof:
        raise ValueError("it inflates to more than a signature, or ends early")
    return plain


# ---------------------------------------------------------------- folders

# Names that Windows keeps for devices, with or without a suffix.
_UNSAFE = r'[\x00-\x1f\x7f\\/<>:"|?*%]|^[. ]|[. ]$'
_DEVICES = frozenset(["con", "prn", "aux", "nul"])


def function_parts(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the folders of a function below its cache: module parts, then its qualified name.

    Scripts and notebooks add their own name to ``__main__``, so that two of them with a function
    of the same name do not share a folder.
    """
    while isinstance(function, functools.partial):
        function = function.func
    module = getattr(function, "__module__", None) or "builtins"
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    parts = _main_parts(function) if module in {"__main__", "__mp_main__"} else module.split(".")
    return tuple(safe_part(part) for part in (*parts, name.replace("<", "(").replace(">", ")")))


def function_folder(function: Callable[..., Any]) -> str:
    """Return `function_parts` as a relative path with forward slashes."""
    return "/".join(function_parts(function))


def _main_parts(function: Callable[..., Any]) -> tuple[str, ...]:
    scope = getattr(function, "__globals__", None) or vars(sys.modules["__main__"])
    script = scope.get("__vsc_ipynb_file__") or scope.get("__file__")
    if script is None and "ipykernel" in sys.modules:
        script = os.environ.get("JPY_SESSION_NAME", "notebook")
    return ("__main__", stem_of_file(script)) if script else ("__main__", "interactive")


def script_of(function: Callable[..., Any]) -> str:
    """Return the file that a function was defined in, or nothing where there is none."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    path = os.path.abspath(code.co_filename) if code else ""
    return path if os.path.isfile(path) else ""


def safe_part(part: str) -> str:
    """Return a folder name that every file system takes, different for different parts."""
    clean = part
    if not part.isidentifier():  # mostly it is one, and patterns take long to compile
        clean = re.sub(_UNSAFE, lambda match: f"%{ord(match.group()):02x}", part) or "%"
    if is_device(clean):
        clean = f"%{ord(clean[0]):02x}{clean[1:]}"
    if len(utf8(clean)) > 120:
        clean = f"{clean[:60]}~{base64hash10bytes(part)}"
    return clean


def is_device(name: str) -> bool:
    """Tell whether Windows takes a file name for that of a device, whatever its suffix."""
    stem = name.partition(".")[0].lower()
    is_port = len(stem) == 4 and stem[:3] in {"com", "lpt"} and stem[3].isdecimal()
    return is_port or stem in _DEVICES
