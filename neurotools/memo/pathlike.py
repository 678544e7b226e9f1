"""Whether a value is a path, asked without loading `pathlib`: before that is loaded, there is none.

Loading it takes a new process as long as everything that a hit does.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import PurePath
    from typing import TypeGuard

_PLAIN = frozenset(["PosixPath", "PurePosixPath", "PureWindowsPath", "WindowsPath"])


def is_path(value: Any) -> TypeGuard[PurePath]:
    """Tell whether a value is a path object."""
    pathlib = sys.modules.get("pathlib")
    return pathlib is not None and isinstance(value, getattr(pathlib, "PurePath", ()))


def is_plain_path(kind: type) -> bool:
    """Tell whether a class is one of those that `pathlib` makes paths of, not derived from one."""
    name = kind.__name__
    return name in _PLAIN and kind is getattr(sys.modules.get("pathlib"), name, None)


def stem_of_file(file: str | os.PathLike[str]) -> str:
    """Return the last part of a file's path without its suffix: ``PurePath(file).stem``."""
    name = os.path.basename(file)
    dot = name.rfind(".")
    return name[:dot] if 0 < dot < len(name) - 1 else name
