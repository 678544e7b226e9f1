"""The walk over all that a function can reach, as it is bound now.

Functions, classes and modules are nodes: each has a label, and is visited once. What names and
cells hold is looked up by `chains`; classes and modules are taken apart by `bodies`; values are
digested by `holdings`, which finds further nodes in them. Every step notes its parts and guards in
the `ledger`.
"""

from __future__ import annotations

import functools
import gc
import sys
from collections import deque
from collections.abc import Callable
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from neurotools.memo import json_in_c as json
from neurotools.memo.fingerprint import bodies, origin, places, source
from neurotools.memo.fingerprint.chains import Chains, Place
from neurotools.memo.fingerprint.holdings import Holdings
from neurotools.memo.fingerprint.known import Described, Known, Shelf
from neurotools.memo.fingerprint.ledger import Ledger
from neurotools.memo.fingerprint.lineage import State, original
from neurotools.memo.fingerprint.manifest import Manifest
from neurotools.memo.fingerprint.reads import COMPUTED, READ
from neurotools.memo.fingerprint.unwrap import IN_C, LruCache, is_code, name_of, unwrapped

#: Names whose mention makes the reader see docstrings, or hints.
_SEES_DOCSTRINGS = {"__doc__", "getdoc"}
_SEES_HINTS = {
    *("__annotations__", "get_type_hints", "get_annotations", "getfullargspec"),
    *("__dataclass_fields__", "ForwardRef"),
}
#: Functions of the standard library that read them, under whatever name.
_READ_DOCSTRINGS = {"inspect:getdoc", "pydoc:getdoc", "pydoc:render_doc", "doctest:DocTestFinder"}
_READ_HINTS = {
    *("dataclasses:fields", "inspect:signature", "inspect:Signature", "inspect:getfullargspec"),
    *("inspect:get_annotations", "typing:get_type_hints", "annotationlib:get_annotations"),
}
_READ_SOURCE = {
    *("inspect:getsource", "inspect:getsourcelines", "inspect:findsource", "inspect:getcomments"),
    "doctest:DocTestFinder",
}
#: Names through which all attributes of functions can be seen, and the order of what is defined.
_SEES_ALL = {"__dict__", "vars", COMPUTED}
_SEES_ORDER = {"__dict__", "vars", "globals", "__subclasses__"}
#: Distributions that read the hints of what they are given.
_LIVE_ON_HINTS = {
    *("beartype", "cattrs", "dacite", "hydra-core", "jsonargparse", "marshmallow-dataclass"),
    *("mashumaro", "msgspec", "omegaconf", "plum-dispatch", "pydantic", "serde", "pyserde"),
    *("simple-parsing", "typeguard", "typer", "tyro"),
}
_SEES_SOURCE = {"getsource", "getsourcelines", "findsource", "__code__", "get_source"}
#: Distributions whose decorators are known not to read hints.
_DEAF_TO_HINTS = {
    *("cachetools", "click", "dask", "decorator", "joblib", "numba", "numpy", "scipy", "tenacity"),
    *("tqdm", "wrapt"),
}


class Unseen(Exception):
    """A finished walk was asked about an object that it has not met."""


class Walk:
    """One walk.

    Parameters
    ----------
    packages : str
        Granularity of versions of distributions.
    docstrings : bool
        Whether docstrings count.
    shelf : Shelf, optional
        Where what is learnt of source is kept for other processes.
    """

    def __init__(self, packages: str, docstrings: bool, shelf: Shelf | None = None) -> None:
        self.ledger = Ledger(packages)
        self._known = None if shelf is None else Known(shelf)
        self.docstrings = docstrings
        self.chains = Chains(self)
        self.holdings = Holdings(self)
        self.mentioned: set[str] = set()
        self.used: set[str] = set()
        self.folder: str | None = None
        self.packages: set[str] = set()
        self.nodes: dict[int, tuple[Any, str]] = {}
        self.patched: set[type] = set()
        self._places: dict[str, Any] = {}
        self._hinted: dict[int, FunctionType] = {}
        self._queue: deque[Callable[[], None]] = deque()
        self._open = True

    def run(self, root: Any) -> None:
        """Visit all that a callable reaches."""
        root = unwrapped(root)
        self.ledger.function = name_of(root)
        if isinstance(root, FunctionType):
            # It is followed wherever it comes from: somebody asked for it.
            self.folder = places.project_folder(root.__code__.co_filename)
            self.ledger.function = self._new(root, self._name_of(root), self._function)
        else:
            self.bind("", root)
        self._visit()
        while self._loose_ends():
            self._visit()
        self.ledger.guards.close()
        self._open = False
        if self._known is not None:
            self._known.save()

    def _visit(self) -> None:
        """Visit nodes until none is left; values only then, when all that may change is known."""
        while self._queue or self.holdings.digest_next():
            while self._queue:
                self._queue.popleft()()

    def _visit_one(self, visit: Callable[[Any, str], None], value: Any, label: str) -> None:
        self.holdings.user = label
        visit(value, label)

    @property
    def state(self) -> State:
        """All parts and values that were met."""
        return State(self.ledger.parts, self.holdings.values, self.holdings.rebound)

    def manifest(self, code: Callable[[str], str]) -> Manifest:
        """Return what was found, and a digest of it, in which values count as they first were."""
        ledger = self.ledger
        found = (part for _, part in sorted(ledger.parts.items()) if not ledger.is_repeated(part))
        parts = [original(part) for part in found]
        changed = [part.name for part in parts if ledger.parts[part.kind, part.name] != part]
        doubts = [
            f"{name} is changed by the code as it runs: what it was counts" for name in changed
        ]
        rows = [(part.kind, part.name, part.digest) for part in parts]
        text = json.dumps([ledger.function, rows])
        doubts = sorted([*ledger.doubts, *doubts])
        return Manifest(ledger.function, code(text), tuple(parts), tuple(doubts))

    # Labels

    def label(self, value: Any) -> str:
        """Return what stands for a function, class or module, and see to it that it is visited."""
        value = unwrapped(value)
        known = self.nodes.get(id(value))
        if known is not None:
            return known[1]
        for kind, method in _LABELLED:
            if isinstance(value, kind):
                return method(self, value)
        return self.foreign(value)

    def _new(self, value: Any, name: str, visit: Callable[[Any, str], None]) -> str:
        if not self._open:
            raise Unseen(name)
        label = self.ledger.unique(name)
        self.nodes[id(value)] = value, label
        self._queue.append(functools.partial(self._visit_one, visit, value, label))
        return label

    def _label_function(self, function: FunctionType) -> str:
        home = origin.of_function(function)
        if home is origin.USER:
            return self._new(function, self._name_of(function), self._function)
        self._note_package(home)
        name = f"{function.__globals__.get('__name__')}:{function.__code__.co_name}"
        holds = function.__closure__ or hasattr(function, "__wrapped__")
        if (holds and not origin.is_at_home(function)) or bodies.dispatches_to_users(function):
            return self._new(function, name, self._wrapper)
        return self.foreign(function)

    def _name_of(self, function: FunctionType) -> str:
        qualname = self.describe(function).qualname or function.__qualname__
        return f"{self.ledger.scope(function.__globals__)}:{qualname}"

    def _label_class(self, cls: type) -> str:
        home = origin.of_class(cls)
        if home is not origin.USER:
            return self.foreign(cls)
        module = "__main__" if cls.__module__ == "__mp_main__" else cls.__module__
        return self._new(cls, f"{module}:{cls.__qualname__}", functools.partial(bodies.cls, self))

    def _label_module(self, module: ModuleType) -> str:
        if origin.of_module(module) is not origin.USER:
            return self.foreign(module)
        name = self.ledger.scope(vars(module)) + ":"
        return self._new(module, name, functools.partial(bodies.module, self))

    def _label_cached(self, value: Any) -> str:
        name = f"functools:lru_cache(typed={value.cache_parameters()['typed']})"
        if is_code(unwrapped(value.__wrapped__)):
            return f"{name} of {self.label(value.__wrapped__)}"
        return self._new(value, name, self._cached)

    def _label_ufunc(self, value: np.ufunc) -> str:
        # Those made by `frompyfunc` hold their function where only the garbage collector sees it.
        inside = [r for r in gc.get_referents(value) if callable(r)]
        if not all(isinstance(held, FunctionType) for held in inside):
            name = f"{self.foreign(value)}({value.nin}, {value.nout})"
            return self._new(value, name, self._held_in_c)
        name = (
            f"{self.foreign(value)}({value.nin}, {value.nout})" if inside else self.foreign(value)
        )
        return " of ".join([name, *map(self.label, inside)])

    def foreign(self, value: Any) -> str:
        """Return the name of something that is not followed, counting its distribution."""
        home = origin.of(value)
        self._note_package(home)
        self.used.add(name_of(value))
        if isinstance(value, type) and self._open:
            bodies.patches(self, value)
        if home is origin.USER and isinstance(value, IN_C) and self._open:
            bodies.binary(self, value)
        return name_of(value)

    def _note_package(self, home: origin.Origin) -> None:
        if self._open:
            self.note_package(home)

    def note_package(self, home: origin.Origin) -> None:
        """Count the distribution that something comes from."""
        self.ledger.package(home)
        if isinstance(home, origin.Package):
            self.packages.add(home.name)

    # Bindings

    def bind(self, place: str, value: Any, how: int = READ, *, wide: bool = False) -> None:
        """Note what a name, cell, default or attribute holds.

        Parameters
        ----------
        place : str
            Readable and unique.
        value : object
            What it holds.
        how : int
            How it is used.
        wide : bool
            Whether it is only reached by taking a whole module: what cannot be followed is then
            a doubt, not a reason to refuse.
        """
        value = unwrapped(value)
        place = self._place(place, value)
        if not is_code(value):
            self.holdings.add(place, value, how, wide)
            return
        label = self.label(value)
        # Where a thing is bound under its own name, the name says nothing new.
        if label.replace(":", ".", 1).rstrip(".") != place:
            self.ledger.part("name", place, label, label.rstrip(":"))

    def _place(self, place: str, value: Any) -> str:
        """Return a name for a place that no other has: ``a.b.c`` can be read in several ways."""
        name, number = place, 1
        while (known := self._places.setdefault(name, value)) is not value:
            if type(known) is type(value) is MethodType and known == value:
                break  # made anew each time it is asked for
            number += 1
            name = f"{place}#{number}"
        return name

    # Functions

    def _function(self, function: FunctionType, label: str) -> None:
        described = self.describe(function)
        self.ledger.guards.function(function)
        self.ledger.part("function", label, "\n" + described.body, described.text)
        if described.text is None:
            self.ledger.doubt(f"{label} has no source: its bytecode counts, for this Python only")
        self._defaults(function, label)
        self.mentioned |= described.reads.attributes
        if described.reads.debug and sys.flags.optimize:
            self.ledger.part("environment", "python -O", str(sys.flags.optimize))
        place = Place(function, label, self.ledger.scope(function.__globals__))
        self.chains.resolve(place, described.reads)

    def describe(self, function: FunctionType) -> Described:
        """Return what the code of a function does."""
        code, namespace = function.__code__, function.__globals__
        return source.described(code, namespace, self.docstrings, self._known)

    def _defaults(self, function: FunctionType, label: str) -> None:
        code, values = function.__code__, function.__defaults__ or ()
        names = code.co_varnames[: code.co_argcount][code.co_argcount - len(values) :]
        named = [*zip(names, values, strict=True), *sorted((function.__kwdefaults__ or {}).items())]
        for name, value in named:
            self.bind(f"{label}({name}=)", value)

    def _wrapper(self, function: FunctionType, label: str) -> None:
        """Visit a function of a library that holds functions of the user: a decorator's result."""
        self.ledger.guards.function(function)
        if hasattr(function, "registry") and hasattr(function, "dispatch"):
            bodies.dispatched(self, function, label)
            return
        inner = function.__dict__.get("__wrapped__")
        if inner is not None:
            self.ledger.guards.entry(function.__dict__, "__wrapped__")
            self.bind(f"{label}.__wrapped__", inner)
        self._defaults(function, label)
        cells = function.__closure__ or ()
        for name, cell in zip(function.__code__.co_freevars, cells, strict=True):
            self.ledger.guards.cell(cell)
            self._held(f"{label}^{name}", cell.cell_contents)
        self.see_hints(inner, origin.of_function(function))

    def _cached(self, value: Any, label: str) -> None:
        """Visit what `lru_cache` made of something that is no function."""
        self.bind(f"{label}.__wrapped__", value.__wrapped__)

    def _held_in_c(self, value: Any, label: str) -> None:
        """Visit what `frompyfunc` made of something that is no function."""
        for number, held in enumerate(r for r in gc.get_referents(value) if callable(r)):
            self.bind(f"{label}({number})", held)

    def _held(self, place: str, value: Any) -> None:
        """Note what a wrapper of a library holds; its tables and counters as first seen."""
        if is_code(unwrapped(value)) or origin.of_class(type(value)) is origin.USER:
            self.bind(place, value)
        else:
            self.holdings.add_frozen(place, value)

    def see_hints(self, function: Any, home: origin.Origin) -> None:
        """Note that a wrapper of a library may read the hints of a function when it runs."""
        is_package = isinstance(home, origin.Package) and home.name not in _DEAF_TO_HINTS
        if is_package and isinstance(function, FunctionType):
            self._hinted[id(function)] = function

    # What is known only when all has been visited

    def _loose_ends(self) -> bool:
        """Visit what only counts because something mentions it; whether there was anything new."""
        before = self._size()
        seen_by_name = self.mentioned | self.chains.names
        sees_docstrings = seen_by_name & _SEES_DOCSTRINGS or self.used & _READ_DOCSTRINGS
        sees_source = seen_by_name & _SEES_SOURCE or self.used & _READ_SOURCE
        sees_hints = seen_by_name & _SEES_HINTS or self.used & _READ_HINTS
        sees_hints = sees_hints or self.packages & _LIVE_ON_HINTS
        for value, label in list(self.nodes.values()):
            if self.docstrings or sees_docstrings:
                bodies.docstring(self, value, label)
            if sees_hints or id(value) in self._hinted:
                bodies.hints(self, value, label)
            if isinstance(value, type):
                for names, count in _SEEN_OF_CLASSES:
                    if seen_by_name & names:
                        count(self, value, label)
            if isinstance(value, FunctionType) and sees_source:
                bodies.text(self, value, label)
            if isinstance(value, FunctionType):
                if sees_all := bool(seen_by_name & _SEES_ALL):
                    self.ledger.guards.size(value.__dict__)
                names = set(value.__dict__) if sees_all else seen_by_name
                bodies.attributes(self, value, label, names)
            elif seen_by_name & _SEES_ORDER:
                bodies.order(self, value, label)
        return before != self._size()

    def _size(self) -> tuple[int, int, int]:
        return len(self.ledger.parts), len(self.nodes), self.holdings.met


#: Names whose mention makes the reader see more of all classes, and what counts it.
_SEEN_OF_CLASSES: tuple[tuple[set[str], Callable[[Walk, type, str], None]], ...] = (
    ({"__subclasses__"}, bodies.subclasses),
    ({"__orig_bases__", "get_original_bases", "get_args", "__args__"}, bodies.bases),
    ({"__total__", "__required_keys__", "__optional_keys__"}, bodies.keys),
)

_LABELLED: tuple[tuple[Any, Callable[[Walk, Any], str]], ...] = (
    (FunctionType, Walk._label_function),
    (type, Walk._label_class),
    (ModuleType, Walk._label_module),
    (LruCache, Walk._label_cached),
    (np.ufunc, Walk._label_ufunc),
)
