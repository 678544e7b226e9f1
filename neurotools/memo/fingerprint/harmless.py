"""Objects that order, record or show what runs, and do not change what comes out."""

from __future__ import annotations

import io
import logging
import threading
from concurrent.futures import Executor
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
    logging.Logger,
    logging.LoggerAdapter,
    logging.Handler,
    Executor,
)


def is_harmless(value: Any) -> bool:
    """Whether an object is such a one."""
    if type(value) is BuiltinMethodType:  # `write = sys.stdout.write`
        value = value.__self__
    return issubclass(type(value), _HARMLESS) or _only_shows(value)


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
