"""All formats by name: the only module that knows them all. Each is loaded when first used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from neurotools.memo.careful import is_meant_to_end
from neurotools.memo.errors import UnknownChoice
from neurotools.memo.formats.base import MARK, PayloadFormat


def _npy() -> PayloadFormat:
    from neurotools.memo.formats.npy import Npy

    return Npy()


def _pickle() -> PayloadFormat:
    from neurotools.memo.formats.pickled import Pickled

    return Pickled()


def _mat() -> PayloadFormat:
    from neurotools.memo.formats.mat import Mat

    return Mat()


def _hdf5() -> PayloadFormat:
    from neurotools.memo.formats.hdf5 import Hdf5

    return Hdf5()


class _Formats(Mapping[str, PayloadFormat]):
    """Formats by name, each made when it is first asked for."""

    def __init__(self, makers: Mapping[str, Callable[[], PayloadFormat]]) -> None:
        self._makers = makers
        self._made: dict[str, PayloadFormat] = {}

    def __getitem__(self, method: str) -> PayloadFormat:
        form = self._made.get(method)
        if form is None:
            # Two threads may both make it; all get the one that was kept.
            form = self._made.setdefault(method, self._makers[method]())
        return form

    def __contains__(self, method: object) -> bool:
        return method in self._makers

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


FORMATS: Mapping[str, PayloadFormat] = _Formats(
    {"npy": _npy, "pickle": _pickle, "mat": _mat, "hdf5": _hdf5}
)
#: Those whose files could run code when opened, known without loading any.
RUNS_CODE = frozenset(["pickle"])
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
    from neurotools.memo.formats.compressed import Compressed

    level = _level(compress)
    if form.method not in _COMPRESSIBLE:
        known = " and ".join(_COMPRESSIBLE)
        raise ValueError(f"method {method!r} cannot be compressed with {compress!r}; {known} can")
    return Compressed(form, level)


def decoder(method: str, layout: Mapping[str, Any]) -> PayloadFormat:
    """Return the format that reads an entry: its layout tells whether it is compressed."""
    form = FORMATS[method] if method in FORMATS else format_named(method)
    if MARK not in layout:
        return form
    from neurotools.memo.formats.compressed import Compressed

    return Compressed(form)


def holds(form: PayloadFormat, value: Any) -> bool:
    """Return whether a format can store a value, and give the same back."""
    try:
        form.encode(value)
    except BaseException as error:  # pickling runs the user's own code
        if is_meant_to_end(error):
            raise
        return False
    return True


def _level(compress: str | tuple[str, int] | bool) -> int:
    from neurotools.memo.formats.compressed import DEFAULT_LEVEL, HIGHEST_LEVEL

    if compress is True:
        return DEFAULT_LEVEL
    name, level = _algorithm_and_level(compress)
    if name not in _ALGORITHMS:
        raise UnknownChoice("compress", compress, [*_ALGORITHMS, "zstd:LEVEL"])
    if isinstance(level, bool) or not isinstance(level, int) or not 1 <= level <= HIGHEST_LEVEL:
        raise ValueError(f"compress={compress!r}: levels go from 1 to {HIGHEST_LEVEL}")
    return level


def _algorithm_and_level(compress: Any) -> tuple[Any, Any]:
    from neurotools.memo.formats.compressed import DEFAULT_LEVEL

    if isinstance(compress, str):
        name, colon, level = compress.partition(":")
        return name, (int(level) if level.isdecimal() else None) if colon else DEFAULT_LEVEL
    if isinstance(compress, (tuple, list)) and len(compress) == 2:
        return compress[0], compress[1]
    return None, None
