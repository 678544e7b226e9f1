"""What the words of joblib's ``Memory`` mean here: compression, mapped files, validation.

Not here: the functions that it makes (`shelved`).
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

from neurotools.memo import naming
from neurotools.memo.entry import Record
from neurotools.memo.errors import UnknownChoice, UnreadableName

#: joblib's algorithms; all are zstd here, which is faster at any level.
_ALGORITHMS = ("zlib", "gzip", "bz2", "lzma", "xz", "lz4")
_HIGHEST_LEVEL = 9


def compression_of(compress: Any) -> Any:
    """Return how results are compressed, as `format_named` takes it.

    Parameters
    ----------
    compress : bool, int, str, (str, int) or None
        As joblib takes it: a level from 0 (not at all) to 9, the name of an algorithm, or both; or
        as `neurotools.jobs.cache.disk_cacher` takes it.

    Raises
    ------
    ValueError
        If there is no such level.
    """
    if isinstance(compress, int) and not isinstance(compress, bool):
        return _levelled(compress, compress)
    if isinstance(compress, str) and compress in _ALGORITHMS:
        return True
    if isinstance(compress, (tuple, list)) and len(compress) == 2 and compress[0] in _ALGORITHMS:
        return _levelled(compress[1], compress)
    return compress


def _levelled(level: Any, compress: Any) -> tuple[str, int] | None:
    if not isinstance(level, int) or isinstance(level, bool) or not 0 <= level <= _HIGHEST_LEVEL:
        raise ValueError(f"compress={compress!r}: levels go from 0 to {_HIGHEST_LEVEL}")
    return ("zstd", level) if level else None


def mapping_of(mmap_mode: Any) -> str | None:
    """Return how files are mapped into memory.

    Raises
    ------
    ValueError
        If there is no such mode, or with it callers could change what is kept.
    """
    if mmap_mode in ("r+", "w+"):
        raise ValueError(
            f"mmap_mode={mmap_mode!r} would let whoever changes a result change what is kept; "
            "with 'c' the changes stay in memory"
        )
    if mmap_mode not in (None, "r", "c"):
        raise UnknownChoice("mmap_mode", mmap_mode, ["None", "c", "r"])
    return mmap_mode  # type: ignore[no-any-return]


def as_mapped(value: Any, mmap_mode: str | None) -> Any:
    """Return a result as joblib gives it: arrays are `numpy.memmap`, with 'r' read-only.

    So are those in a tuple, list or dict that is the result. What is too small to be worth a map is
    in memory, and looks the same.
    """
    if mmap_mode is None:
        return value
    if type(value) is tuple:
        return tuple(_memmap(item, mmap_mode) for item in value)
    if type(value) is list:
        return [_memmap(item, mmap_mode) for item in value]
    if type(value) is dict:
        return {name: _memmap(item, mmap_mode) for name, item in value.items()}
    return _memmap(value, mmap_mode)


def _memmap(value: Any, mmap_mode: str) -> Any:
    import numpy as np

    if type(value) is not np.ndarray or value.dtype.hasobject:
        return value
    seen = value.view(np.memmap)
    seen.mode = mmap_mode
    if mmap_mode == "r":
        seen.flags.writeable = False
    return seen


def metadata_of(record: Record) -> dict[str, Any]:
    """Return what joblib tells of a kept result: ``duration``, ``time`` and ``input_args``.

    Arguments are told by their ``repr``, large ones by a summary of it.
    """
    try:
        named, extra = naming.recorded(record)
    except UnreadableName:
        named, extra = (), None
    told = {name: repr(value) for name, value in named}
    if extra:
        told["*"] = repr(list(extra))
    return {"duration": record.seconds, "time": record.created, "input_args": told}


def expires_after(
    days: float = 0,
    seconds: float = 0,
    microseconds: float = 0,
    milliseconds: float = 0,
    minutes: float = 0,
    hours: float = 0,
    weeks: float = 0,
) -> Callable[[dict[str, Any]], bool]:
    """Return a ``cache_validation_callback`` for results that are valid for a while.

    Parameters
    ----------
    days, seconds, microseconds, milliseconds, minutes, hours, weeks : float
        How long, all added.
    """
    span = dt.timedelta(days, seconds, microseconds, milliseconds, minutes, hours, weeks)
    return _Expiring(span.total_seconds())


class _Expiring:
    """Tells whether a result is young enough; a class, so that it can be pickled."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __call__(self, metadata: dict[str, Any]) -> bool:
        return bool(time.time() - metadata["time"] < self._seconds)
