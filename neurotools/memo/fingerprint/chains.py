"""What a name and the attributes taken from it are bound to now.

A chain is followed as far as that runs no code and stays exact: through modules, attributes of
functions, class attributes that are plain values, and the dictionaries of plain instances. What it
ends at is bound whole.
"""

from __future__ import annotations

import os
import sys
from types import FunctionType, ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from neurotools.memo.fingerprint import bodies, classes, origin
from neurotools.memo.fingerprint.imports import Imports
from neurotools.memo.fingerprint.limits import (
    COMPUTED_IMPORTS,
    DOUBTFUL_METHODS,
    OF_IMPORT,
    SEES_GLOBALS,
    SEES_MODULE,
    doubtful,
)
from neurotools.memo.fingerprint.reads import CHANGED, READ, REBOUND, Import, Read, Reads
from neurotools.memo.fingerprint.theirs import NUMBERS, is_foreign, is_plain_data
from neurotools.memo.fingerprint.unwrap import is_code, is_dunder, name_of, unwrapped

if TYPE_CHECKING:
    from neurotools.memo.fingerprint.walk import Walk

MISSING: Any = object()


class Place:
    """Where names are looked up: a function, its label, and the name of its module."""

    __slots__ = ("function", "label", "scope")

    def __init__(self, function: FunctionType, label: str, scope: str) -> None:
        self.function, self.label, self.scope = function, label, scope


class Chains:
    """Resolves what functions read, for one walk."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.ledger = walk.ledger
        self.imports = Imports(walk)
        self.names: set[str] = set()
        self._ends: dict[tuple[int, int, Read, int], Any] = {}
        self._minded: dict[int, Any] = {}

    def resolve(self, place: Place, reads: Reads) -> None:
        """Follow everything that a function reads."""
        self.walk.holdings.user = place.label
        for target in sorted(reads.imports, key=str):
            self.imports.loaded(place.function.__globals__, target)
        for read in sorted(reads.uses, key=str):
            value = self._read(place, read, reads.uses[read])
            self._mind(place, value)
        for read in sorted(reads.computed, key=str):
            value = self._read(place, read, READ)
            self._mind(place, value, constant=None not in reads.computed[read])
        for method in sorted(reads.attributes & DOUBTFUL_METHODS.keys()):
            self.ledger.doubt(f"{method} is used: {DOUBTFUL_METHODS[method]}")
        if reads.attributes & SEES_GLOBALS:
            self._widen(place, min(reads.attributes & SEES_GLOBALS))
        if "__class__" in place.function.__code__.co_freevars:  # for `super()`
            self._read(place, Read("__class__"), READ)

    def _read(self, place: Place, read: Read, how: int) -> Any:
        """Follow one chain, and return what it ends at."""
        try:
            return self._resolved_once(place, read, how)
        except (RecursionError, MemoryError):
            raise
        except Exception as error:
            # Boundary: objects may run code of their own when they are asked for an attribute.
            name = ".".join([str(read.root), *read.chain])
            reason = f"looking at it fails with {type(error).__name__}: {error}"
            self.ledger.refuse(f"{name} in {place.label}", reason)
            return MISSING

    def _resolved_once(self, place: Place, read: Read, how: int) -> Any:
        """Follow a chain that starts at a global; only once, where that ends at code.

        What is noted of code is the same for all functions of a module. Of values it is noted who
        uses them: they are followed each time.
        """
        function = place.function
        if read.root in function.__code__.co_freevars:
            return self._resolved(place, read, how)
        builtins: Any = function.__builtins__
        key = id(function.__globals__), id(builtins), read, how
        if key in self._ends:
            return self._ends[key]
        noted = self.walk.holdings.noted
        value = self._resolved(place, read, how)
        if noted == self.walk.holdings.noted and isinstance(read.root, str) and is_code(value):
            self._ends[key] = value
        return value

    def _resolved(self, place: Place, read: Read, how: int) -> Any:
        if isinstance(read.root, Import):
            self.names.add(read.root.name or read.root.module)
            return self._imported(place, read.root, read.chain, how)
        self.names.add(read.root)
        freevars = place.function.__code__.co_freevars
        if read.root in freevars and not read.declared:
            return self._cell(place, freevars.index(read.root), read, how)
        return self._global(place, read, how)

    def _cell(self, place: Place, index: int, read: Read, how: int) -> Any:
        cell = (place.function.__closure__ or ())[index]
        name = f"{place.label}^{read.root}"
        try:
            value = cell.cell_contents
        except ValueError:
            self.ledger.guards.answer(lambda: _is_empty(cell))
            self.ledger.part("missing", name, "")
            return MISSING
        self.ledger.guards.cell(cell)
        return self.follow(name, value, read.chain, how)

    def _global(self, place: Place, read: Read, how: int) -> Any:
        name = str(read.root)
        if name in OF_IMPORT:
            return MISSING
        builtins: Any = place.function.__builtins__
        for namespace, home in ((place.function.__globals__, place.scope), (builtins, "builtins")):
            self.ledger.guards.entry(namespace, name)
            if name in namespace:
                value = namespace[name]
                if home == "builtins" and is_foreign(value, home):
                    return value
                return self.follow(f"{home}.{name}", value, read.chain, how)
        if how != REBOUND:
            self.ledger.part("missing", f"{place.scope}.{name}", "")
        return MISSING

    # Steps along a chain

    def follow(self, place: str, value: Any, chain: tuple[str, ...], how: int) -> Any:
        """Follow a chain from what a place holds, bind what it ends at, and return that."""
        while True:
            value = unwrapped(value)
            if isinstance(value, ModuleType):
                return self._module(place, value, chain, how)
            if not chain:
                break
            if how == REBOUND and len(chain) == 1 and self._can_step(value):
                self.walk.holdings.used(f"{place}.{chain[0]}", how)
                self._runs_when_changed(value)
                return MISSING
            step = self._step(value, chain[0])
            if step is MISSING:
                self._warn_of(value, chain[0])
                how |= READ  # of the whole value: what the attribute is cannot be told
                break
            place, value, chain = f"{place}.{chain[0]}", step, chain[1:]
        if how & (READ | CHANGED):
            self.walk.bind(place, value, how)
        else:
            self.walk.holdings.used(place, how)
            self._runs_when_changed(value)
        return value

    def _runs_when_changed(self, value: Any) -> None:
        """Count the class of what is assigned to: properties, ``__setattr__``, ``__iadd__``."""
        if not is_code(value) or isinstance(value, type):
            kind = type(value)
            if kind is not type and origin.of_class(kind) is origin.USER:
                self.walk.label(kind)

    def _can_step(self, value: Any) -> bool:
        return isinstance(value, (FunctionType, type)) or _is_plain(value)

    def _step(self, value: Any, name: str) -> Any:
        """Return an attribute that can be read without running code, or MISSING."""
        guards = self.ledger.guards
        if isinstance(value, FunctionType):
            guards.entry(value.__dict__, name)
            return value.__dict__.get(name, MISSING)
        if isinstance(value, type):
            found = classes.plain_attribute(value, name)
            guards.attribute(value, "__mro__")
            for cls in found[0] if found else ():
                guards.entry(cls.__dict__, name)
            return found[1] if found else MISSING
        if not _is_plain(value) or name not in vars(value):
            return MISSING
        if classes.is_overridden(type(value), name):
            return MISSING
        self.walk.label(type(value))
        guards.attribute(value, "__class__")
        guards.attribute(value, "__dict__")
        guards.entry(vars(value), name)
        return vars(value)[name]

    def _module(self, place: str, module: ModuleType, chain: tuple[str, ...], how: int) -> Any:
        home = origin.of_module(module)
        is_user = home is origin.USER
        name = self.ledger.scope(vars(module)) if is_user else name_of(module).rstrip(":")
        if not chain:
            self.walk.bind(place, module)
            return module
        if place != name:
            self.ledger.part("name", place, f"{name}:", name)
        if is_user:
            if type(module) is not ModuleType:
                self._special(module, chain[0])
            return self._attribute(name, module, chain, how)
        self.walk.note_package(home)
        return self._foreign(module, chain, how)

    def _special(self, module: ModuleType, name: str) -> None:
        """Count the class of a module that is more than a module; one loaded late loads now."""
        if name not in vars(module):
            _asked(module, name)
        self.walk.label(type(module))

    def _attribute(self, name: str, module: ModuleType, chain: tuple[str, ...], how: int) -> Any:
        """Follow a chain through a module of the user's."""
        first, rest = chain[0], chain[1:]
        namespace, place = vars(module), f"{name}.{first}"
        if first in OF_IMPORT:
            return MISSING
        self.ledger.guards.entry(namespace, first)
        if how == REBOUND and not rest:
            self.walk.holdings.used(place, how)
            return MISSING
        if first in namespace:
            return self.follow(place, namespace[first], rest, how)
        if first == "__dict__":
            self.walk.bind(name, module)
            return namespace
        if "__getattr__" in namespace:
            self._attribute(name, module, ("__getattr__",), READ)
            value = _asked(module, first)
            if value is not MISSING:
                self.ledger.guards.answer(lambda: _asked(module, first) is value)
                return self.follow(place, value, rest, how)
        self.ledger.part("missing", place, "")
        return MISSING

    def _foreign(self, module: ModuleType, chain: tuple[str, ...], how: int) -> Any:
        """Follow a chain through a library's module, for what the user may have put there."""
        first, rest = chain[0], chain[1:]
        self.ledger.guards.entry(vars(module), first)
        value = unwrapped(vars(module).get(first, MISSING))
        if isinstance(value, ModuleType):
            place = name_of(value).rstrip(":")
            return self.follow(place, value, rest, how) if rest else value
        if rest and self._given(f"{module.__name__}.{first}", value, rest[0]):
            return value
        is_of_import = is_dunder(first) and first != "__version__"
        if value is MISSING or is_of_import or is_foreign(value, module.__name__):
            if is_code(value):
                self.walk.used.add(name_of(value))
                self.walk.note_package(origin.of(value))  # it may be handed on from another one
            self._warn(".".join((module.__name__, first, *rest)))
            self._warn(f"{module.__name__}.{first}")
            if isinstance(value, type):
                bodies.patches(self.walk, value)
            return value
        return self.follow(f"{module.__name__}.{first}", value, rest, READ)

    def _given(self, place: str, value: Any, name: str) -> bool:
        """Count an attribute of a library's object that may be the user's setting."""
        if is_code(value) or not classes.is_plain_instance(value) or name not in vars(value):
            return False
        held = vars(value)[name]
        if not (is_code(held) or type(held) in NUMBERS or is_plain_data(held)):
            return False
        self.ledger.guards.entry(vars(value), name)
        self.walk.bind(f"{place}.{name}", held)
        return True

    # Imports inside bodies

    def _imported(self, place: Place, target: Import, chain: tuple[str, ...], how: int) -> Any:
        module = self.imports.loaded(place.function.__globals__, target)
        if module is None:
            return MISSING
        if target.name is not None:
            chain = (target.name, *chain)
        is_user = origin.of_module(module) is origin.USER
        name = self.ledger.scope(vars(module)) if is_user else name_of(module).rstrip(":")
        return self._module(name, module, chain, how)

    # What cannot be followed

    def _mind(self, place: Place, value: Any, *, constant: bool = False) -> None:
        """Widen, refuse or doubt where a function decides at run time what it reaches."""
        if value is MISSING or id(value) in self._minded:
            return
        if value is sys.modules:
            self._widen(place, "sys.modules")
        if value is os.environ:
            self._warn("os.environ")
        if not is_code(value):
            if (name := name_of(type(value)).replace(":", ".")) in COMPUTED_IMPORTS:
                self.ledger.refuse(f"{name} in {place.label}", "it names what it loads by text")
            return
        name = name_of(value).replace(":", ".")
        if name not in SEES_MODULE and name not in COMPUTED_IMPORTS:
            self._minded[id(value)] = value  # whoever uses it; kept, as ids are used again
        if isinstance(value, type) and name not in COMPUTED_IMPORTS:
            return
        self._warn(name)
        if name in SEES_MODULE and not constant:
            self._widen(place, name)
        if name in COMPUTED_IMPORTS and not constant:
            reason = "the module is named at run time"
            self.ledger.refuse(f"{name} in {place.label}", reason)

    def _widen(self, place: Place, name: str) -> None:
        self.ledger.doubt(f"{place.label} uses {name}: all of {place.scope} counts")
        module = sys.modules.get(str(place.function.__globals__.get("__name__")))
        if module is not None and vars(module) is place.function.__globals__:
            self.walk.label(module)
        else:
            bodies.namespace(self.walk, place.function.__globals__, place.scope)

    def _warn_of(self, value: Any, attribute: str) -> None:
        if isinstance(value, type):
            self._warn(f"{name_of(value).replace(':', '.')}.{attribute}")

    def _warn(self, name: str) -> None:
        if (reason := doubtful(name)) is not None:
            self.ledger.doubt(f"{name} is used: {reason}")


def _is_plain(value: Any) -> bool:
    return type(value) is SimpleNamespace or classes.is_plain_instance(value)


def _is_empty(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - asked for its error
    except ValueError:
        return True
    return False


def _asked(module: ModuleType, name: str) -> Any:
    """Return what a module's own ``__getattr__`` answers."""
    try:
        return getattr(module, name)
    except Exception:
        return MISSING  # boundary: code of the user's
