"""Where code comes from: the user, an installed distribution, or the standard library.

Only the user's code is followed. A distribution counts by its version, the standard library not at
all. Installed means: metadata in the same folder names it. What is installed in editable mode, or
lies on the path without metadata, is the user's.
"""

from __future__ import annotations

import os
import re
import sys
from functools import cache, lru_cache
from types import FunctionType, ModuleType
from typing import Any

from neurotools.memo.digest.sha import sha224
from neurotools.memo.rows import Row


class Package(Row):
    """An installed distribution.

    Attributes
    ----------
    name : str
        Normalized name.
    version : str
        Version as its metadata has it.
    metadata : str
        Path of the metadata.
    """

    name: str
    version: str
    metadata: str


class Library:
    """The standard library, and neurotools itself: what counts for nothing."""


class User:
    """Code of the user's own, which is followed."""


Origin = Package | Library | User

USER, LIBRARY = User(), Library()

_INSTALLED = ("site-packages", "dist-packages")

_HERE = os.path.normcase(os.path.abspath(__file__))
_HOUSE = os.path.dirname(os.path.dirname(os.path.dirname(_HERE)))

#: Parts of neurotools that stand between a function and its result, and change neither.
_OWN = tuple(os.path.join(_HOUSE, part) + os.sep for part in ("memo", "jobs"))


def of(value: Any) -> Origin:
    """Return where a function, class, module or other object with a home module comes from."""
    if isinstance(value, FunctionType):
        return of_function(value)
    if isinstance(value, ModuleType):
        return of_module(value)
    if isinstance(value, type):
        return of_class(value)
    name = getattr(value, "__module__", None)
    return of_module_named(name) if isinstance(name, str) else LIBRARY


def of_function(function: FunctionType) -> Origin:
    """Return where a function's code comes from, whatever it says of itself."""
    file = function.__code__.co_filename
    if file.startswith("<frozen "):
        return LIBRARY
    namespace = function.__globals__
    if not file.startswith("<"):
        return of_file(file)
    if file.startswith("<attrs generated ") and "__name__" not in namespace:
        return LIBRARY  # attrs writes methods for its own classes, too
    home = namespace.get("__file__")
    return of_file(home) if isinstance(home, str) else of_module_named(namespace.get("__name__"))


def is_at_home(value: Any) -> bool:
    """Whether a library's function is one that it offers, not one that it made for the user."""
    name = getattr(value, "__module__", None) or "builtins"
    inside = "<locals>" in getattr(value, "__qualname__", "")
    return not inside and of_module_named(name) is not USER


def of_class(cls: type) -> Origin:
    """Return where a class comes from.

    A class made at run time may name a module that does not hold it; it is followed like the
    user's, which is always safe.
    """
    if cls in BUILT_IN:
        return LIBRARY
    module = sys.modules.get(cls.__module__)
    home = of_module(module) if module is not None else of_module_named(cls.__module__)
    if home is USER or is_made_in_c(cls):
        return home
    found: Any = module
    for name in cls.__qualname__.split("."):
        found = getattr(found, "__dict__", {}).get(name)
    return home if found is cls else USER


#: What most values are, so that nothing needs to be looked up for them.
BUILT_IN = frozenset([object, bool, int, float, complex, str, bytes, tuple, list, dict, set])


def is_made_in_c(cls: type) -> bool:
    """Whether a class can have no attributes but its own."""
    return not cls.__flags__ & _HEAP_TYPE or bool(cls.__flags__ & _IMMUTABLE_TYPE)


#: Set in the flags of classes made at run time, and of those among them that are made in C.
_HEAP_TYPE, _IMMUTABLE_TYPE = 1 << 9, 1 << 8


def of_module(module: Any) -> Origin:
    """Return where a module comes from."""
    if not isinstance(module, ModuleType):
        return USER  # something of the user's put in the place of a module
    file = getattr(module, "__file__", None)
    if isinstance(file, str):
        return of_file(file)
    for folder in getattr(module, "__path__", ()):
        return of_file(os.path.join(folder, "__init__.py"))
    return of_module_named(module.__name__)


def of_module_named(name: Any) -> Origin:
    """Return where a module without a file comes from; one made at run time is the user's."""
    if not isinstance(name, str) or name == "__main__":
        return USER
    module = sys.modules.get(name)
    if module is not None and _has_place(module):
        return of_module(module)
    built_in = name in sys.builtin_module_names or name.partition(".")[0] in sys.stdlib_module_names
    return LIBRARY if built_in else USER


def _has_place(module: Any) -> bool:
    is_module = isinstance(module, ModuleType)
    return not is_module or bool(getattr(module, "__file__", None)) or hasattr(module, "__path__")


@cache
def of_file(file: str) -> Origin:
    """Return where a file of code comes from."""
    path = _normal(file)
    if path.startswith(_OWN):
        return LIBRARY
    root = _root(path)
    installed = os.path.basename(root) in _INSTALLED
    if not installed and path.startswith(_library_folders()):
        return LIBRARY
    return _package(root, os.path.relpath(path, root), installed) or USER


@lru_cache(maxsize=1)
def _library_folders() -> tuple[str, ...]:
    # As `sysconfig` has them, which takes a millisecond to load.
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    compiled = os.path.join(sys.base_exec_prefix, sys.platlibdir, version)
    return tuple({_normal(folder) + os.sep for folder in (os.path.dirname(os.__file__), compiled)})


def _normal(path: str) -> str:
    return os.path.normcase(os.path.abspath(path))


def import_root(file: str) -> str:
    """Return the folder on the import path that a file lies under, for a script its own."""
    return _root(os.path.abspath(file))


def _root(path: str) -> str:
    parts = path.split(os.sep)
    for place in range(len(parts) - 1, 0, -1):
        if parts[place] in _INSTALLED:
            return os.sep.join(parts[: place + 1])
    folder = os.path.dirname(path)
    while os.path.exists(os.path.join(folder, "__init__.py")) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    return folder


def _package(root: str, relative: str, installed: bool) -> Package | None:
    """Return the distribution that a file below an import folder belongs to."""
    found = _metadata(root, installed)
    if not found:
        return None
    top = relative.split(os.sep)[0].partition(".")[0]
    if (package := found.get(_normalized(top))) is not None:
        return package
    claims = [package for package in found.values() if top in _top_levels(package.metadata)]
    if len(claims) > 1:  # a namespace that several distributions share
        listed = relative.replace(os.sep, "/")
        claims = [package for package in claims if listed in _record(package.metadata)] or claims
    return claims[0] if claims else None


@cache
def _metadata(root: str, installed: bool) -> dict[str, Package]:
    """Return the distributions in a folder. Only installers write there ``.egg-info`` as well."""
    found = {}
    try:
        entries = sorted(os.listdir(root))
    except OSError:
        return {}
    for entry in entries:
        if entry.endswith("-info") and (told := _name_and_version(entry, installed)):
            name = _normalized(told[0])
            found[name] = Package(name, told[1], os.path.join(root, entry))
    return found


def _name_and_version(entry: str, installed: bool) -> tuple[str, str] | None:
    """Return what the name of a metadata folder tells: ``name-version.dist-info``, or more.

    Installers also wrote ``name[-version[-py3.11]].egg-info``.
    """
    # Without patterns: they take longer to compile than all these folders take to be looked at.
    stem, _, kind = entry.rpartition(".")
    if not installed:
        name, _, version = stem.partition("-")
        return (name, version) if kind == "dist-info" and name and version else None
    if kind not in {"dist-info", "egg-info"} or not stem:
        return None
    *before, last = stem.split("-")
    if len(before) > 1 and last[:2] == "py" and not last[2:].strip("0123456789."):
        *before, last = before
    return ("-".join(before), last) if any(before) and last else (stem, "")


def _normalized(name: str) -> str:
    parts = name.replace("_", "-").replace(".", "-").split("-")
    return "-".join([parts[0], *filter(None, parts[1:-1]), *parts[1:][-1:]]).lower()


@cache
def _top_levels(metadata: str) -> frozenset[str]:
    """Return the names that a distribution can be imported by."""
    listed = _read(os.path.join(metadata, "top_level.txt")).split()
    paths = (line.partition("/")[0] for line in _record(metadata))
    return frozenset([*listed, *(path.partition(".")[0] for path in paths)])


@cache
def _record(metadata: str) -> frozenset[str]:
    """Return the paths of a distribution's files, below the folder it is installed in."""
    lines = _read(os.path.join(metadata, "RECORD")).splitlines()
    return frozenset(line.rsplit(",", 2)[0].strip('"') for line in lines)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def version_of(package: Package, packages: str) -> str:
    """Return what counts of a distribution, at a granularity.

    Parameters
    ----------
    package : Package
        The distribution.
    packages : {'exact', 'minor', 'record'}
        See `Tracker`.
    """
    return _GRANULARITIES[packages](package)


def _exact(package: Package) -> str:
    return package.version


def _minor(package: Package) -> str:
    """Return ``'1.26'`` for 1.26.4; all of it for what is no final release, and may change."""
    if all(map(str.isdecimal, parts := package.version.split("."))):
        return ".".join(parts[:2])
    final = re.fullmatch(r"v?(\d+(?:\.\d+)*)(?:\.?post\d+)?", package.version)
    return ".".join(final[1].split(".")[:2]) if final else package.version


def _recorded(package: Package) -> str:
    content = _read(os.path.join(package.metadata, "RECORD")) or package.version
    # Installers add what they compile and note about an installation; that differs for equal files.
    lines = [line for line in content.splitlines() if ".dist-info/" not in line]
    kept = sorted(line for line in lines if not line.partition(",")[0].endswith(".pyc"))
    return sha224("\n".join(kept).encode()).hex()[:32]


_GRANULARITIES = {"exact": _exact, "minor": _minor, "record": _recorded}
