"""Paths inside the project's folder, told from that folder: where a project lies does not count."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from neurotools.memo.fingerprint import origin
from neurotools.memo.pathlike import is_path

#: They stand at the top of a project, as many folders at most above the code that is imported.
_MARKERS = (".git", ".hg", "pyproject.toml", "setup.py", "setup.cfg")
_HIGHEST = 3

#: Containers with more in them are taken as they are.
_MOST = 1_000


@cache
def project_folder(file: str) -> str | None:
    """Return the folder of the project that a file of code belongs to, or None for a cell."""
    if file.startswith("<") or not os.path.isabs(file):
        return None
    top = folder = origin.import_root(file)
    for _ in range(_HIGHEST):
        if any(os.path.exists(os.path.join(folder, marker)) for marker in _MARKERS):
            return folder
        folder = os.path.dirname(folder)
    return top if os.path.dirname(top) != top else None


def relocated(value: Any, folder: str | None) -> Any:
    """Return a value with paths in a folder told from there; the value itself if it has none.

    Paths are looked for in text, in path objects, and in plain containers of those.
    """
    if folder is None:
        return value
    if isinstance(value, str) or is_path(value):
        inside = _inside(os.fspath(value), folder)
        return value if inside is None else (type(value), "in the project", inside)
    if type(value) in (list, tuple, set, frozenset) and len(value) <= _MOST:
        moved = [relocated(item, folder) for item in value]
        return value if _are_same(moved, value) else type(value)(moved)
    if type(value) is dict and len(value) <= _MOST:
        items = [relocated(item, folder) for item in value.values()]
        return value if _are_same(items, value.values()) else dict(zip(value, items, strict=True))
    return value


def _inside(path: str, folder: str) -> str | None:
    if path == folder or path.startswith(folder + os.sep):
        return path[len(folder) :].replace(os.sep, "/")
    return None


def _are_same(moved: list[Any], items: Any) -> bool:
    return all(new is old for new, old in zip(moved, items, strict=True))
