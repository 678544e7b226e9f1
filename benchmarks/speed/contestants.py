"""The caches that are compared, each set up as suits the work best.

An adapter takes a function, a folder and what the work wishes for, and returns the remembered
function; or raises `Cannot` with the reason. Caches are imported inside: a process runs one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Function = Callable[..., Any]

RAW, OURS = "raw", "neurotools"


class Cannot(Exception):
    """A contestant has no way to do a work."""


@dataclass(frozen=True)
class Wish:
    """What a work needs of a cache, besides remembering.

    Attributes
    ----------
    method : str
        ``'npy'`` or ``'pickle'``, where there is a choice.
    tiers : int
        Folders, fast to slow.
    ram : bool
        Whether results are to be kept in memory, too.
    mmap : bool
        Whether results are to be mapped instead of read.
    compress : bool
        Whether files are to be compressed.
    ignore : str
        Parameter that does not tell calls apart.
    """

    method: str = "npy"
    tiers: int = 1
    ram: bool = False
    mmap: bool = False
    compress: bool = False
    ignore: str = ""


@dataclass(frozen=True)
class Remembered:
    """A function that remembers, and how to make it forget all it knows."""

    call: Function
    clear: Callable[[], Any]


def neurotools(function: Function, folder: Path, wish: Wish) -> Remembered:
    from neurotools.jobs.cache import disk_cacher, hierarchical_cacher

    options: dict[str, Any] = {
        "method": wish.method,
        "ignore": wish.ignore or (),
        "mmap_mode": "r" if wish.mmap else None,
        "compress": "zstd" if wish.compress else None,
    }
    folders = [folder / f"tier-{i}" for i in range(wish.tiers)]
    if wish.ram or wish.tiers > 1:
        made = hierarchical_cacher((*["ram://?max_bytes=8e9"] * wish.ram, *folders), **options)
    else:
        made = disk_cacher(folders[0], **options)
    call = made(function)
    return Remembered(call, call.cache_clear)


def joblib(function: Function, folder: Path, wish: Wish) -> Remembered:
    from joblib import Memory

    _only_files(wish)
    options: dict[str, Any] = {"mmap_mode": "r" if wish.mmap else None}
    if wish.compress:
        options["compress"] = True
    memory = Memory(folder, verbose=0, **options)
    call = memory.cache(function, ignore=[wish.ignore] if wish.ignore else None)
    return Remembered(call, lambda: memory.clear(warn=False))


def diskcache(function: Function, folder: Path, wish: Wish) -> Remembered:
    from diskcache import Cache

    _only_files(wish)
    _only_read(wish)
    # Without a limit nothing is thrown out, and nothing is kept on when it was used last.
    cache = Cache(str(folder), size_limit=1 << 42, eviction_policy="none")
    call = cache.memoize(ignore={wish.ignore} if wish.ignore else ())(function)
    return Remembered(call, cache.clear)


def checkpointer(function: Function, folder: Path, wish: Wish) -> Remembered:
    from checkpointer import Checkpointer, NoHash

    _one_folder(wish)
    _only_read(wish)
    if wish.ignore:
        function.__annotations__[wish.ignore] = NoHash[Any]
    storage = "memory" if wish.ram else "pickle"
    call = Checkpointer(directory=folder, verbosity=0, storage=storage)(function)
    return Remembered(call, call.storage.clear)


def cachier(function: Function, folder: Path, wish: Wish) -> Remembered:
    from cachier import cachier as remember

    _one_folder(wish)
    _only_read(wish)
    options: dict[str, Any] = {"backend": "memory" if wish.ram else "pickle"}
    if not wish.ram:
        options |= {"cache_dir": str(folder), "separate_files": True}
    if wish.ignore:
        # The works that ignore a parameter have one other.
        options["hash_func"] = lambda args, named: repr(args[0] if args else named["number"])
    call = remember(**options)(function)
    return Remembered(call, call.clear_cache)


def klepto(function: Function, folder: Path, wish: Wish) -> Remembered:
    from klepto import inf_cache
    from klepto.archives import dir_archive
    from klepto.keymaps import hashmap, picklemap

    _one_folder(wish)
    _no_compression(wish)
    archive = dir_archive(
        str(folder), cached=wish.ram, serialized=True, memmode="r" if wish.mmap else None
    )
    keymap = picklemap(serializer="pickle") + hashmap(algorithm="md5")
    call = inf_cache(cache=archive, keymap=keymap, ignore=wish.ignore or None)(function)
    return Remembered(call, archive.clear)


def lru_cache(function: Function, folder: Path, wish: Wish) -> Remembered:  # noqa: ARG001
    from functools import lru_cache as remember

    call = remember(maxsize=None)(function)
    return Remembered(call, call.cache_clear)


def cachetools(function: Function, folder: Path, wish: Wish) -> Remembered:  # noqa: ARG001
    from cachetools import LRUCache, cached

    store: LRUCache[Any, Any] = LRUCache(1000)
    return Remembered(cached(store)(function), store.clear)


def _only_files(wish: Wish) -> None:
    _one_folder(wish)
    if wish.ram:
        raise Cannot("no memory tier")


def _only_read(wish: Wish) -> None:
    if wish.mmap:
        raise Cannot("does not map files")
    _no_compression(wish)


def _no_compression(wish: Wish) -> None:
    if wish.compress:
        raise Cannot("does not compress")


def _one_folder(wish: Wish) -> None:
    if wish.tiers > 1:
        raise Cannot("one place only")


ADAPTERS: dict[str, Callable[[Function, Path, Wish], Remembered]] = {
    OURS: neurotools,
    "joblib": joblib,
    "diskcache": diskcache,
    "checkpointer": checkpointer,
    "cachier": cachier,
    "klepto": klepto,
    "lru_cache": lru_cache,
    "cachetools": cachetools,
}

#: Caches that keep results for the next process, ours not among them.
PEERS = ("joblib", "diskcache", "checkpointer", "cachier", "klepto")
#: They remember within a process, without care for who changes a result.
IN_MEMORY = ("lru_cache", "cachetools")
