"""What import statements in bodies load."""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from neurotools.memo.fingerprint import origin
from neurotools.memo.fingerprint.reads import Import

if TYPE_CHECKING:
    from neurotools.memo.fingerprint.walk import Walk


class Imports:
    """Finds the modules that import statements name, for one walk."""

    def __init__(self, walk: Walk) -> None:
        self.walk, self.ledger = walk, walk.ledger

    def loaded(self, namespace: dict[str, Any], target: Import) -> ModuleType | None:
        """Return the module that an import statement would load; the user's is loaded for it.

        Not loading it would give another fingerprint before the first run than after.
        """
        name = target.module
        if target.level:
            from importlib.util import resolve_name

            package = namespace.get("__package__") or str(namespace.get("__name__"))
            try:
                name = resolve_name("." * target.level + name, package)
            except ImportError:
                self.ledger.part("missing", f"import {'.' * target.level}{name}", "")
                return None
        module = self._load(name)
        within = target.name and module is not None and not hasattr(module, target.name)
        if within and hasattr(module, "__path__"):
            self._load(f"{name}.{target.name}")
        return module

    def _load(self, name: str) -> ModuleType | None:
        self.ledger.guards.entry(sys.modules, name)
        module = sys.modules.get(name)
        if module is not None:
            return module
        home = _home_on_path(name.partition(".")[0])
        if home is None:
            self.ledger.part("missing", f"import {name}", "")
        elif home is not origin.USER:
            self.walk.note_package(home)
        else:
            module = self._import(name)
        return module

    def _import(self, name: str) -> ModuleType | None:
        try:
            return importlib.import_module(name)
        except (Exception, SystemExit) as error:
            # Boundary: a module of the user's, which may do anything when it is loaded.
            self.ledger.part("missing", f"import {name}", "")
            self.ledger.doubt(f"module {name} cannot be loaded: {type(error).__name__}: {error}")
            return None


def _home_on_path(name: str) -> origin.Origin | None:
    """Return where a module that is not loaded would come from, without loading it."""
    from importlib.util import find_spec  # most modules are loaded

    try:
        spec = find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return None
    if spec is None:
        return None
    if spec.has_location and spec.origin:
        return origin.of_file(spec.origin)
    for folder in spec.submodule_search_locations or ():
        return origin.of_file(os.path.join(folder, "__init__.py"))
    return origin.LIBRARY
