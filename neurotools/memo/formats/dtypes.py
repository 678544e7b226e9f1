"""Dtypes as text, and back from text that may be hostile. Not here: arrays (`npy`, `placed`).

The text is what the header of a ``.npy`` file says: ``<f4``, or a list of fields. A dtype has a
text only if the text gives the whole dtype back. Texts of dtypes that hold Python objects are not
read.
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from typing import Any

import numpy as np

#: Headers of version 1 have two bytes for their length; nobody's records need more.
MAX_LENGTH = 60_000

#: Compiled when it is needed, by `re` itself: that takes longer than a hit does.
_ONE = (
    r"[|<>](?:b1|[iu][1248]|f(?:2|4|8|12|16)|c(?:8|16|24|32)|[SUV]\d{0,10}"
    r"|[mM]8(?:\[\d{0,9}[A-Za-z]{1,2}\])?)"
)
#: Those of which that is known.
_USUAL = frozenset(["|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f4", "<f8"])
#: Integer types of one size are told apart by their letters, in scalars.
_LETTERS = frozenset("ilqILQ")
#: Strings, numbers, brackets. No operators: deep expressions of these have crashed parsers, while
#: brackets are counted. `(?!\d)` leaves one way to match a run of digits, hence no backtracking.
_FIELDS = r"""\[(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\d+(?!\d)|[][(), ])*\]"""


def to_text(dtype: np.dtype[Any]) -> str:
    """Return the text of a dtype.

    Raises
    ------
    ValueError
        If no text gives the dtype back; it says why.
    """
    if dtype.hasobject:
        raise ValueError("it holds Python objects")
    if dtype.names is None and dtype.kind not in "biufcmMSUV":
        raise ValueError(f"dtype {dtype} has no plain description")
    text = dtype.str if dtype.names is None else _fields_text(dtype)
    # Plain types never differ from their text; what can is told in `_is_same`.
    if (dtype.kind == "V" or dtype.metadata) and not _is_same(from_text(text), dtype):
        raise ValueError(f"a description of dtype {dtype} would lose a part of it")
    return text


def scalar_text(value: np.generic) -> str:
    """Return the text of a scalar's dtype, from which its very type comes back."""
    text = to_text(value.dtype)
    return text if from_text(text).type is type(value) else value.dtype.char


def from_text(text: str) -> np.dtype[Any]:
    """Return the dtype of a text.

    Raises
    ------
    ValueError
        If it is not a text that `to_text` writes.
    """
    # Whoever has an array with fields can rename them in its dtype, which must not be another's.
    return _dtype_with_fields(text) if text.startswith("[") else _plain_dtype(text)


@lru_cache(maxsize=512)
def _plain_dtype(text: str) -> np.dtype[Any]:
    try:
        if text in _USUAL or re.fullmatch(_ONE, text) or text in _LETTERS:
            return np.dtype(text)
        raise ValueError("it is no description")
    except (ValueError, TypeError) as error:
        raise _unreadable(text, error) from None


def _dtype_with_fields(text: str) -> np.dtype[Any]:
    try:
        if len(text) > MAX_LENGTH or not re.fullmatch(_FIELDS, text):
            raise ValueError("it is no description")
        fields = ast.literal_eval(text)
        _check_fields(fields)
        return np.lib.format.descr_to_dtype(fields)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        raise _unreadable(text, error) from None


def _unreadable(text: str, error: BaseException) -> ValueError:
    return ValueError(f"unreadable dtype {text[:80]!r}: {error}")


def _fields_text(dtype: np.dtype[Any]) -> str:
    text = repr(dtype.descr)  # raises ValueError where fields overlap
    if len(text) > MAX_LENGTH:
        raise ValueError(f"the description of its fields has {len(text)} characters")
    return text


def _check_fields(fields: Any) -> None:
    """Raise ValueError or TypeError unless all types in a list of fields are plain."""
    for _, form, *_ in fields:
        if isinstance(form, list):
            _check_fields(form)
        elif not re.fullmatch(_ONE, form):
            raise ValueError(f"unknown type {form[:20]!r}")


def _is_same(one: np.dtype[Any], other: np.dtype[Any]) -> bool:
    """Tell whether dtypes agree also in what numpy's comparison leaves out."""
    if one != other or one.type is not other.type or bool(one.metadata) != bool(other.metadata):
        return False
    if one.subdtype and other.subdtype:
        return _is_same(one.subdtype[0], other.subdtype[0])
    if one.kind != "V":
        return True
    return one.isalignedstruct == other.isalignedstruct and all(
        _is_same(one[name], other[name]) for name in one.names or ()
    )
