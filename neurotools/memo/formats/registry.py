"""All formats by name: the only module that knows them all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neurotools.memo.errors import UnknownChoice, UnstorableValue
from neurotools.memo.formats.base import PayloadFormat
from neurotools.memo.formats.compressed import DEFAULT_LEVEL, HIGHEST_LEVEL, MARK, Compressed
from neurotools.memo.formats.hdf5 import Hdf5
from neurotools.memo.formats.mat import Mat
from neurotools.memo.formats.npy import Npy
from neurotools.memo.formats.pickled import Pickled

FORMATS: dict[str, PayloadFormat] = {
    "npy": Npy(),
    "pickle": Pickled(),
    "mat": Mat(),
    "hdf5": Hdf5(),
}
_ALIASES = {"p": "pickle"}
#: The files of the others are for other programs, which could not open them.
_COMPRESSIBLE = ("npy", "pickle")
_ALGORITHMS = ("zstd",)

#: How a choice of compression may be written.
Compression = str | tuple[str, int] | bool | None


def format_named(method: str, compress: Compression = None) -> PayloadFormat:
    """Return the format that writes results.

    Parameters
    ----------
    method : {'npy', 'pickle', 'mat', 'hdf5'}
        Its name; ``'p'`` is ``'pickle'``.
    compress : {None, True, 'zstd', 'zstd:LEVEL', ('zstd', level)}
        How payloads are compressed, for ``npy`` and ``pickle``; levels go from 1 to 22.

    Raises
    ------
    UnknownChoice
        If there is no such method or compression.
    ValueError
        If the method cannot be compressed, or there is no such level.
    """
    form = FORMATS.get(_ALIASES.get(method, method)) if isinstance(method, str) else None
    if form is None:
        raise UnknownChoice("method", method, FORMATS)
    if compress is None or compress is False:
        return form
    level = _level(compress)
    if form.method not in _COMPRESSIBLE:
        known = " and ".join(_COMPRESSIBLE)
        raise ValueError(f"method {method!r} cannot be compressed with {compress!r}; {known} can")
    return Compressed(form, level)


def decoder(method: str, layout: Mapping[str, Any]) -> PayloadFormat:
    """Return the format that reads an entry: its layout tells whether it is compressed."""
    form = FORMATS.get(method) or format_named(method)
    return Compressed(form) if MARK in layout else form


def holds(form: PayloadFormat, value: Any) -> bool:
    """Return whether a format can store a value, and give the same back."""
    try:
        form.encode(value)
    except UnstorableValue:
        return False
    return True


def _level(compress: str | tuple[str, int] | bool) -> int:
    if compress is True:
        return DEFAULT_LEVEL
    name, level = _algorithm_and_level(compress)
    if name not in _ALGORITHMS:
        raise UnknownChoice("compress", compress, [*_ALGORITHMS, "zstd:LEVEL"])
    if isinstance(level, bool) or not isinstance(level, int) or not 1 <= level <= HIGHEST_LEVEL:
        raise ValueError(f"compress={compress!r}: levels go from 1 to {HIGHEST_LEVEL}")
    return level


def _algorithm_and_level(compress: Any) -> tuple[Any, Any]:
    if isinstance(compress, str):
        name, colon, level = compress.partition(":")
        return name, (int(level) if level.isdecimal() else None) if colon else DEFAULT_LEVEL
    if isinstance(compress, (tuple, list)) and len(compress) == 2:
        return compress[0], compress[1]
    return None, None
