"""Canonical signatures <-> text that reads as a Python literal, and three other spellings of it.

Values that have no literal of their own (numpy scalars, paths, sets, digests) stand as
``{...: (tag, facts)}``: a dictionary that no argument can be, since a user's own dictionary with
the key ``...`` is tagged as well. Not here: file names (naming).
"""

from __future__ import annotations

import ast
import functools
import keyword
import pickle
import re
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from neurotools.memo.entry import Digested, Signature
from neurotools.memo.errors import UnknownChoice, UnreadableName
from neurotools.memo.pathlike import is_path

if TYPE_CHECKING:
    from pathlib import PurePath

#: Text longer than this does not come from a file name or a record: refuse to inflate or parse it.
TEXT_LIMIT = 1 << 20

MODES = ("repr", "json", "pickle", "human")


def utf8(text: str) -> bytes:
    """Return a text as bytes, be it half of a character."""
    return text.encode("utf-8", "surrogatepass")


# ---------------------------------------------------------------- values without a literal


def tag(value: Any) -> Any:
    """Return a canonical value as nothing but Python literals."""
    rule = _TAG.get(type(value))
    if rule is not None:
        return rule(value)
    if isinstance(value, np.generic):
        return {...: ("numpy", value.dtype.str, str(value))}
    if is_path(value):
        return {...: ("path", type(value).__name__, str(value))}
    return value


def _tag_mapping(value: dict[Any, Any]) -> dict[Any, Any]:
    items = sorted(((tag(k), tag(v)) for k, v in value.items()), key=lambda item: text(item[0]))
    if all(type(k) in _PLAIN_KEYS for k, _ in items):
        return dict(items)
    return {...: ("dict", *items)}


def _tag_set(name: str) -> Callable[[Any], Any]:
    return lambda value: {...: (name, *sorted((tag(item) for item in value), key=text))}


_PLAIN_KEYS = frozenset([str, bytes, int, float, bool, type(None)])
_TAG: dict[type, Callable[[Any], Any]] = {
    tuple: lambda value: tuple(tag(item) for item in value),
    list: lambda value: [tag(item) for item in value],
    dict: _tag_mapping,
    set: _tag_set("set"),
    frozenset: _tag_set("frozenset"),
    complex: lambda value: {...: ("complex", repr(value))},
    Digested: lambda value: {...: ("digest", value.kind, value.detail, value.digest)},
}


def untag(value: Any) -> Any:
    """Return the canonical value that `tag` was given."""
    if type(value) is tuple:
        return tuple(untag(item) for item in value)
    if type(value) is list:
        return [untag(item) for item in value]
    if type(value) is not dict:
        return value
    if list(value) != [...]:
        return {key: untag(item) for key, item in value.items()}
    name, *facts = value[...]
    return _UNTAG[name](*facts)


def _hashable(value: Any) -> Any:
    # A list in such a place was a tuple before it was written as JSON.
    return tuple(map(_hashable, value)) if isinstance(value, (list, tuple)) else value


def _untag_path(kind: str, path: str) -> PurePath:
    import pathlib  # loaded only for paths

    pure = {"PosixPath": "PurePosixPath", "WindowsPath": "PureWindowsPath"}
    if kind not in {*pure, *pure.values()}:
        raise ValueError(f"no path type is called {kind!r}")
    # A cache that was written on another system is read with that system's rules for paths.
    concrete = type(pathlib.Path()).__name__ == kind
    chosen: Callable[[str], PurePath] = getattr(pathlib, kind if concrete else pure.get(kind, kind))
    return chosen(path)


def _untag_numpy(kind: str, value: str) -> Any:
    dtype = np.dtype(kind)
    if dtype.kind not in "biuf":
        raise ValueError(f"no plain numpy scalar has dtype {kind!r}")
    return dtype.type(value == "True" if dtype.kind == "b" else value)


_UNTAG: dict[str, Callable[..., Any]] = {
    "dict": lambda *items: {_hashable(untag(key)): untag(value) for key, value in items},
    "set": lambda *items: {_hashable(untag(item)) for item in items},
    "frozenset": lambda *items: frozenset(_hashable(untag(item)) for item in items),
    "complex": complex,
    "numpy": _untag_numpy,
    "path": _untag_path,
    "digest": Digested,
}


# ---------------------------------------------------------------- tagged values as text


def text(tagged: Any) -> str:
    """Return a tagged value as a Python literal, without spaces it does not need."""
    rule = _TEXT.get(type(tagged))
    return repr(tagged) if rule is None else rule(tagged)


def _text_tuple(value: tuple[Any, ...]) -> str:
    return f"({','.join(map(text, value))}{',' if len(value) == 1 else ''})"


def _text_float(value: float) -> str:
    # repr gives "inf", which is a name and no literal; 1e999 overflows to it.
    return repr(value).replace("inf", "1e999")


_TEXT: dict[type, Callable[[Any], str]] = {
    tuple: _text_tuple,
    list: lambda value: f"[{','.join(map(text, value))}]",
    dict: lambda value: f"{{{','.join(f'{text(k)}:{text(v)}' for k, v in value.items())}}}",
    float: _text_float,
    int: lambda value: repr(value) if value.bit_length() < 4096 else hex(value),
    type(...): lambda _: "...",
}


def _canonical_text(value: Any) -> str:
    """Return the text of the tagged value; the commonest kinds take a shorter way."""
    kind = type(value)
    if kind is Digested:
        return f"{{...:('digest',{value.kind!r},{value.detail!r},{value.digest!r})}}"
    if kind not in _PLAIN_KEYS:
        return text(tag(value))
    rule = _TEXT.get(kind)
    return repr(value) if rule is None else rule(value)


def _signature_text(signature: Signature) -> str:
    """Return the text of the tagged signature, without a walk over its frame and plain values."""
    named, extra = signature
    pairs = [f"({name!r},{_canonical_text(value)})" for name, value in named]
    end = "," if len(pairs) == 1 else ""
    rest = "None" if extra is None else text(tag(extra))
    return f"(({','.join(pairs)}{end}),{rest})"


def human_encode(sig: Signature) -> str:
    """Return a signature as a Python call spells it: ``x=1,name='v1',*(2,3)``."""
    named, extra = sig
    pieces = [f"{name}={text(tag(value))}" for name, value in named if _is_name(name)]
    odd = {name: tag(value) for name, value in named if not _is_name(name)}
    if extra is not None:
        pieces.append(f"*{text(tag(tuple(extra)))}")
    if odd:
        pieces.append(f"**{text(odd)}")
    return ",".join(pieces)


def _is_name(name: str) -> bool:
    import unicodedata

    # Python reads a name in its normal form, where º is o: such names are written as text.
    plain = unicodedata.normalize("NFKC", name) == name
    return plain and name.isidentifier() and not keyword.iskeyword(name)


#: What parsers make of a text that is no signature.
_UNREADABLE = (SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError)


def human_decode(key: str) -> Signature:
    """Return the signature that `human_encode` was given.

    Raises
    ------
    UnreadableName
        If the text is not of that form.
    """
    try:
        node = ast.parse(f"_({key})", mode="eval").body
        if not isinstance(node, ast.Call):
            raise ValueError("not of the form name=value")
        named: list[tuple[str, Any]] = []
        for given in node.keywords:
            value = untag(ast.literal_eval(given.value))
            named.extend(value.items() if given.arg is None else [(given.arg, value)])
        stars = [ast.literal_eval(a.value) for a in node.args if isinstance(a, ast.Starred)]
        if len(stars) != len(node.args):
            raise ValueError("a value has no name")
        extra = untag(tuple(stars[0])) if stars else None
        return tuple(sorted(named, key=lambda pair: pair[0])), extra
    except (*_UNREADABLE, RecursionError, MemoryError) as error:
        raise UnreadableName(key, str(error)) from None


# ---------------------------------------------------------------- modes


def _from_json(content: bytes) -> Any:
    import json

    return json.loads(content, object_hook=_json_keys)


def _json_tags(value: Any) -> Any:
    """Return a tagged value as JSON holds it: the key ``...`` becomes text, bytes become tags."""
    if isinstance(value, dict):
        if list(value) == [...]:
            return {"...": [_json_tags(item) for item in value[...]]}
        if all(type(key) is str and key != "..." for key in value):
            return {key: _json_tags(item) for key, item in value.items()}
        return {"...": ["dict", *([_json_tags(k), _json_tags(v)] for k, v in value.items())]}
    if isinstance(value, (tuple, list)):
        return [_json_tags(item) for item in value]
    if isinstance(value, (bytes, type(...))):
        return {"...": ["literal", text(value)]}
    return value


def _json_keys(value: dict[str, Any]) -> Any:
    return {...: tuple(value["..."])} if list(value) == ["..."] else value


_UNTAG["literal"] = ast.literal_eval


#: What pickles of literals are made of; nothing here calls, or allocates more than is there.
_OPCODES = frozenset(
    [
        "PROTO",
        "FRAME",
        "STOP",
        "MARK",
        "MEMOIZE",
        "BINGET",
        "LONG_BINGET",
        "NONE",
        "NEWTRUE",
        "NEWFALSE",
        "BININT",
        "BININT1",
        "BININT2",
        "LONG1",
        "BINFLOAT",
        "SHORT_BINUNICODE",
        "BINUNICODE",
        "SHORT_BINBYTES",
        "BINBYTES",
        "EMPTY_TUPLE",
        "TUPLE1",
        "TUPLE2",
        "TUPLE3",
        "TUPLE",
        "EMPTY_LIST",
        "APPEND",
        "APPENDS",
        "EMPTY_DICT",
        "SETITEM",
        "SETITEMS",
        "STACK_GLOBAL",
    ]
)


class _Plain(pickle.Unpickler):
    """Opens pickles of literals: only the name of ``...`` means something."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("builtins", "Ellipsis"):
            return ...
        raise pickle.UnpicklingError(f"{module}.{name} has no place in an argument signature")


def _from_pickle(content: bytes) -> Any:
    import pickletools  # 5 ms to load, for this mode only

    for opcode, _, _ in pickletools.genops(content):
        if opcode.name not in _OPCODES:
            raise pickle.UnpicklingError(f"{opcode.name} has no place in an argument signature")
    return _Plain(BytesIO(content)).load()


def encode(signature: Signature, mode: str = "repr") -> bytes:
    """Return a canonical signature as bytes, in one of the `MODES`.

    Raises
    ------
    UnknownChoice
        If there is no such mode.
    """
    if mode == "human":
        return utf8(human_encode(signature))
    if mode == "repr":
        return utf8(_signature_text(signature))
    tagged = tag(signature)
    if mode == "json":
        import json

        return json.dumps(_json_tags(tagged), separators=(",", ":")).encode()
    if mode == "pickle":
        return pickle.dumps(tagged, protocol=4)
    raise UnknownChoice("mode", mode, MODES)


def decode(content: bytes, mode: str = "repr") -> Signature:
    """Return the signature that `encode` was given. Executes nothing, whatever the bytes.

    Raises
    ------
    UnreadableName
        If the bytes hold no signature.
    """
    if mode not in MODES:
        raise UnknownChoice("mode", mode, MODES)
    if len(content) > TEXT_LIMIT:
        raise UnreadableName("", f"{len(content)} bytes are too many")
    if mode == "repr" and (short := _plain_signature(content)) is not None:
        return short
    try:
        if mode == "human":
            return human_decode(content.decode("utf-8", "surrogatepass"))
        read = {"repr": _literal, "json": _from_json, "pickle": _from_pickle}
        named, extra = untag(read[mode](content))
        if len(named) == 2 and isinstance(named[0], str):
            named = (named,)  # as the earlier neurotools wrote a single argument
        named = tuple((str(name), value) for name, value in named)
        return named, None if extra is None else tuple(extra)
    except UnreadableName:
        raise
    except Exception as error:  # hostile bytes make parsers fail in every way there is
        raise UnreadableName(repr(content[:40]), f"{type(error).__name__}: {error}") from None


#: A number, a text without anything special, or a name for a constant.
_NUMBER = r"-?(?:0|[1-9]\d{0,17})(?:\.\d{1,30})?(?:e[+-]\d{1,3})?"
_WORD = rf"(?:{_NUMBER}|'[^'\\\x00-\x1f\x7f]*'|None|True|False)"
_TWO = rf"\('\w+',{_WORD}\)"
_PAIRS = rf"\(\((?:{_TWO},|{_TWO}(?:,{_TWO})+)?\),None\)"
_PAIR = rf"\('(\w+)',({_WORD})\)"
_CONSTANTS = {"None": None, "True": True, "False": False}


def _plain_signature(content: bytes) -> Signature | None:
    """Return a signature of plain values alone, or None where it takes the plain road.

    Python's own parser takes five times as long: a listing of many entries is had sooner.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    pairs, pair = _patterns()
    if not pairs.fullmatch(text):
        return None
    return tuple([(name, _word(word)) for name, word in pair.findall(text)]), None


@functools.cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of a signature and of its pairs, compiled; only listings need them."""
    return re.compile(_PAIRS, re.ASCII), re.compile(_PAIR, re.ASCII)


def _word(word: str) -> Any:
    if word[0] == "'":
        return word[1:-1]
    if word in _CONSTANTS:
        return _CONSTANTS[word]
    return float(word) if "." in word or "e" in word else int(word)


def _literal(content: bytes) -> Any:
    return ast.literal_eval(content.decode("utf-8", "surrogatepass"))
