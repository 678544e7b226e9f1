"""What several commands take: a cache, an entry, a function of the user's."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from neurotools.console import screen, spoken
from neurotools.memo.errors import CacheError, NoCache, NoEntry
from neurotools.memo.upkeep import inventory
from neurotools.memo.upkeep.inventory import Located, Place, VersionSummary

#: Places that fail for the same reason and are all named; of more, the first one is.
_MOST_TOLD = 3


class NoFunction(CacheError, LookupError):
    """A text names no function that remembers."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"cannot use {name}: {reason}")
        self.name, self.reason = name, reason


def add_cache(parser: argparse.ArgumentParser, *, option: bool = False) -> None:
    """Declare which cache is meant, and whether programs read what is printed."""
    text = "a cache, the folder given to disk_cacher, or a folder in a cache (default: here)"
    if option:
        parser.add_argument("--cache", default=os.curdir, metavar="CACHE", help=text)
    else:
        parser.add_argument("cache", nargs="?", default=os.curdir, metavar="CACHE", help=text)
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def places(options: argparse.Namespace) -> list[Place]:
    """Return the caches that are meant."""
    return inventory.places_at(options.cache)


class Problems:
    """What could not be looked at or removed; told at the end, in a few lines."""

    def __init__(self) -> None:
        self.found: list[OSError] = []

    def __call__(self, error: OSError) -> None:
        self.found.append(error)

    def tell(self, name: str) -> int:
        """Say what was left out; return the exit code."""
        alike: dict[str, list[OSError]] = {}
        for error in self.found:
            alike.setdefault(error.strerror or str(error), []).append(error)
        for reason, errors in alike.items():
            told = errors if len(errors) <= _MOST_TOLD else errors[:1]
            for error in told:
                place = error.filename if isinstance(error.filename, str) else "a folder"
                others = f" (and {len(errors) - 1:,} more alike)" if told is not errors else ""
                line = screen.clean(f"neurotools {name}: {place}: {reason}{others}")
                print(line, file=sys.stderr)
        return 1 if self.found else 0


def summaries(
    options: argparse.Namespace, problems: Problems
) -> dict[tuple[str, str], list[VersionSummary]]:
    """Return the versions that are kept of each function, by cache and function."""
    found: dict[tuple[str, str], list[VersionSummary]] = {}
    for place in places(options):
        for version in screen.progress(inventory.versions_in(place, problems), what="looking"):
            found.setdefault((version.root, version.function), []).append(version)
    return found


def as_data(version: VersionSummary) -> dict[str, Any]:
    """Return what a version is, for programs."""
    return {
        "version": version.code,
        "entries": version.entries,
        "bytes": version.size,
        "bytes_on_disk": version.room,
        "first_written": spoken.stamp(version.first),
        "last_written": spoken.stamp(version.last),
        "last_used": spoken.stamp(last_use([version])),
        "loads": version.use.times,
        "seconds_saved": version.use.seconds,
        "methods": version.methods,
    }


def last_use(versions: Iterable[VersionSummary]) -> float:
    """Return when one of some versions was last used or written."""
    return max(max(version.use.last, version.last) for version in versions)


def entry_data(entry: Located) -> dict[str, Any]:
    """Return what an entry is, for programs."""
    return {
        "path": entry.path,
        "function": inventory.human_name(entry.shelf.function),
        "version": entry.shelf.code,
        "method": entry.found.method,
        "bytes": entry.found.size,
        "written": spoken.stamp(entry.found.written),
    }


def entry_named(text: str, options: argparse.Namespace) -> tuple[Located, list[Place]]:
    """Return the entry that is meant, and the caches that were looked into for it.

    A file says itself in which cache it lies, so that ``--cache`` is not needed.

    Raises
    ------
    NoEntry
        If there is none, or more than one.
    """
    if os.path.isfile(os.path.expanduser(text)):
        return inventory.one_entry(text, []), []
    try:
        looked_into = places(options)
    except NoCache as error:
        if options.cache != os.curdir:
            raise
        raise NoEntry(text, _remedy(text, os.path.abspath(text), error)) from None
    return inventory.one_entry(text, looked_into), looked_into


def chosen_in(text: str, options: argparse.Namespace) -> tuple[str, list[Place]]:
    """Return a name as `inventory.chosen` takes it, and the caches in which it is looked for.

    The path of a file or a folder in a cache, as shells complete it, is told by its place below the
    cache.

    Raises
    ------
    NoEntry
        If it is a whole cache, or there is no cache.
    """
    path = os.path.abspath(os.path.expanduser(text))
    root = inventory.root_above(path) if os.path.lexists(path) else None
    if root is not None:
        return os.path.relpath(path, root).replace(os.sep, "/"), [Place(root)]
    try:
        return text, places(options)
    except NoCache as error:
        if options.cache != os.curdir:
            raise
        raise NoEntry(text, _remedy(text, path, error)) from None


def _remedy(text: str, path: str, error: NoCache) -> str:
    with contextlib.suppress(CacheError, OSError):
        if os.path.isdir(path) and inventory.places_at(path):
            return f"it is a whole cache; name what is meant in it, and say --cache {text}"
    return f"there is no such file, nor a cache at {error.location}; say which with --cache"


def function_named(text: str) -> Any:
    """Return a function of the user's that remembers, importing its module as a program would.

    Parameters
    ----------
    text : str
        ``'package.module:function'``.

    Raises
    ------
    NoFunction
        If there is none of that name.
    """
    module, _, name = text.partition(":")
    if not module or not name:
        raise NoFunction(text, "write it as package.module:function")
    if os.curdir not in sys.path and "" not in sys.path:
        sys.path.insert(0, os.getcwd())  # as `python -m` does
    try:
        found: Any = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except Exception as error:  # the module is the user's
        raise NoFunction(text, f"{type(error).__name__}: {error}") from error
    if not hasattr(found, "cache_root"):
        raise NoFunction(text, "it does not remember its results")
    return found
