"""Objects that order, record or show what runs, and do not change what comes out."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Iterator
from types import BuiltinMethodType
from typing import Any

from neurotools.memo.fingerprint.shown import kind

_HARMLESS: tuple[type, ...] = (
    type(threading.Lock()),
    type(threading.RLock()),
    threading.Condition,
    threading.Semaphore,
    threading.Event,
    threading.Barrier,
)
#: Types of modules that nobody may have loaded: then there are no such objects either.
_OF_MODULES = {
    "logging": ("Logger", "LoggerAdapter", "Handler"),
    "concurrent.futures._base": ("Executor",),
}


def is_harmless(value: Any) -> bool:
    """Whether an object is such a one."""
    if type(value) is BuiltinMethodType:  # `write = sys.stdout.write`
        value = value.__self__
    return issubclass(type(value), (*_HARMLESS, *_of_modules())) or _only_shows(value)


def _of_modules() -> Iterator[type]:
    for name, kinds in _OF_MODULES.items():
        if (module := sys.modules.get(name)) is not None:
            yield from (getattr(module, kind) for kind in kinds)


def _only_shows(value: Any) -> bool:
    """Whether an object is there to print or write to, and cannot be read."""
    if issubclass(type(value), io.IOBase):
        return bool(not value.closed and value.writable() and not value.readable())
    return kind(value) in _SHOWING or kind(value).startswith("multiprocessing.synchronize.")


#: Consoles, progress bars, and pools that other processes run in.
_SHOWING = frozenset(
    {
        *("rich.console.Console", "tqdm.std.tqdm", "tqdm.asyncio.tqdm_asyncio"),
        *("multiprocessing.pool.Pool", "multiprocessing.pool.ThreadPool"),
    }
)
