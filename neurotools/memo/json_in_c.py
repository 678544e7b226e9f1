"""JSON by what the standard library has written in C for it, without its part in Python.

That part compiles patterns when it is imported, which takes longer than to read all that a process
needs from a cache. Where the C part is missing, or a text is anything but one value from its first
character to its last, `json` does the work, and says what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

try:
    from _json import encode_basestring_ascii, make_encoder, make_scanner
except ImportError:  # not CPython

    def dumps(value: Any) -> str:
        """Return what `json.dumps` returns."""
        import json

        return json.dumps(value)

    def encoder(between: str, behind_names: str) -> Callable[[Any], str]:
        """Return what writes values as `json.dumps` does with these separators."""
        import json

        return json.JSONEncoder(separators=(between, behind_names)).encode

    def loads(text: str) -> Any:
        """Return what `json.loads` returns, or raise what it raises."""
        import json

        return json.loads(text)

else:

    def dumps(value: Any) -> str:
        """Return what `json.dumps` returns."""
        encode = make_encoder(
            {}, _refuse, encode_basestring_ascii, None, ": ", ", ", False, False, True
        )
        return "".join(encode(value, 0))

    def encoder(between: str, behind_names: str) -> Callable[[Any], str]:
        """Return what writes values as `json.dumps` does with these separators.

        It is made once, where `json` makes one for each value. Nothing that holds itself may be
        given to it.
        """
        encode = make_encoder(
            None, _refuse, encode_basestring_ascii, None, behind_names, between, False, False, True
        )
        return lambda value: "".join(encode(value, 0))

    def loads(text: str) -> Any:
        """Return what `json.loads` returns, or raise what it raises."""
        try:
            value, end = _scan(text, 0)
        except StopIteration:
            end = -1
        if end == len(text):
            return value
        import json

        return json.loads(text)

    class _Context:
        """What the scanner is made with: what `json.JSONDecoder` has by default."""

        strict = True
        object_hook = object_pairs_hook = None
        parse_float, parse_int = float, int
        parse_constant = {
            "-Infinity": float("-inf"),
            "Infinity": float("inf"),
            "NaN": float("nan"),
        }.__getitem__

    _scan = make_scanner(_Context())  # type: ignore[arg-type]

    def _refuse(value: Any) -> Any:
        raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
