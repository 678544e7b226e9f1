"""What is inside the nodes of a walk that are no functions: classes, modules, dispatchers."""

from __future__ import annotations

import abc
import enum
import functools
import re
from collections.abc import Mapping
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from neurotools.memo.digest import files
from neurotools.memo.errors import UndigestableValue
from neurotools.memo.fingerprint import classes, origin
from neurotools.memo.fingerprint.limits import OF_IMPORT
from neurotools.memo.fingerprint.reads import READ
from neurotools.memo.fingerprint.unwrap import is_dunder, name_of

if TYPE_CHECKING:
    from neurotools.memo.fingerprint.walk import Walk

#: Descriptors of the standard library, and the attributes that hold their functions.
_DESCRIPTORS: dict[type, tuple[str, ...]] = {
    staticmethod: ("__func__",),
    classmethod: ("__func__",),
    property: ("fget", "fset", "fdel"),
    functools.cached_property: ("func",),
    functools.partialmethod: ("func", "args", "keywords"),
    functools.singledispatchmethod: ("dispatcher",),
}


_PARTS = ({part for parts in _DESCRIPTORS.values() for part in parts} | {"__wrapped__"}) - {
    *("args", "keywords")
}


def cls(walk: Walk, value: type, label: str) -> None:
    """Visit a class: its bases, its metaclass, and what its body holds now."""
    guards = walk.ledger.guards
    guards.size(value.__dict__)
    guards.attribute(value, "__bases__")
    bases = [walk.label(base) for base in value.__bases__ if base is not object]
    meta = "" if type(value) is type else walk.label(type(value))
    shape = [bases, meta, classes.fields(value)]
    walk.ledger.part("class", label, repr(shape))
    place = label.replace(":", ".", 1)
    for name in classes.guarded(value):
        guards.entry(value.__dict__, name)  # what was generated may be replaced
    for name, held in classes.members(value):
        _member(walk, f"{place}.{name}", held)
    if shape[2] is not None:
        for name, held in classes.field_values(value):
            walk.bind(f"{place}.{name}", held)
    if names := value.__dict__.get("__abstractmethods__"):
        guards.entry(value.__dict__, "__abstractmethods__")
        walk.ledger.part("abstract", label, repr(sorted(names)))
    if "_abc_impl" in value.__dict__:
        registered(walk, value, label)
    if (members := classes.enumerated(value)) is not None:
        walk.bind(f"{place}.__members__", members)
        _enumerated(walk, value, place)
    if text := classes.boundary(value):
        walk.ledger.part("boundary", label, text)
    if text := classes.protocol(value):
        walk.ledger.part("protocol", label, text)
    if any(_reads_hints(base) for base in (*value.__mro__, type(value))):
        hints(walk, value, label)


def _enumerated(walk: Walk, value: type[enum.Enum], place: str) -> None:
    """Count what the members of an enumeration were given later."""
    for member, name in classes.enumerated_more(value):
        walk.ledger.guards.entry(member.__dict__, name)
        held = member.__dict__[name]
        walk.bind(f"{place}.{member.name}.{name}", held, READ, wide=True)


def _reads_hints(base: type) -> bool:
    """Whether a base class or metaclass may make something of hints: one of a distribution."""
    return isinstance(origin.of_class(base), origin.Package)


def _member(walk: Walk, place: str, value: Any) -> None:
    kind = next((kind for kind in _DESCRIPTORS if isinstance(value, kind)), None)
    if kind is None:
        walk.bind(place, value)
        return
    walk.ledger.part("descriptor", place, kind.__name__)
    parts = _DESCRIPTORS[kind]
    for part in parts:
        if (held := getattr(value, part)) is not None:
            walk.bind(f"{place}.{part}" if len(parts) > 1 else place, held)
    if origin.of_class(type(value)) is origin.USER:
        walk.bind(f"{place}.__class__", type(value))
        walk.bind(f"{place}.__dict__", dict(getattr(value, "__dict__", {})))


def module(walk: Walk, value: ModuleType, label: str) -> None:
    """Visit a whole module of the user's."""
    namespace(walk, vars(value), label.rstrip(":"))


def namespace(walk: Walk, names: Mapping[str, Any], scope: str) -> None:
    """Visit all that the globals of a module hold."""
    interactive = "__file__" not in names
    walk.ledger.guards.size(names)
    for name in sorted(names):
        if name in _OF_MODULES:
            continue
        if interactive and re.fullmatch(OF_SHELL, name):
            continue
        walk.ledger.guards.entry(names, name)
        walk.bind(f"{scope}.{name}", names[name], READ, wide=True)


#: What Python keeps in modules.
_OF_MODULES = OF_IMPORT | {
    *("__doc__", "__file__", "__warningregistry__", "__annotate__", "__conditional_annotations__"),
}

#: What interactive sessions keep among the user's names.
OF_SHELL = r"In|Out|exit|quit|get_ipython|_+|_[io]?h|_dh|_i+|_i?\d+"


def dispatches_to_users(function: FunctionType) -> bool:
    """Whether a function of a library, made by `functools.singledispatch`, can run the user's."""
    if not (hasattr(function, "registry") and hasattr(function, "dispatch")):
        return False
    return any(map(_is_users, function.registry.values()))


def dispatched(walk: Walk, function: FunctionType, label: str) -> None:
    """Visit what `functools.singledispatch` made."""
    registry: Mapping[type, Any] = function.registry  # type: ignore[attr-defined]
    walk.ledger.guards.size(registry)
    for kind in registry:
        walk.ledger.guards.entry(registry, kind)
        walk.bind(f"{label}[{walk.label(kind)}]", registry[kind])


def binary(walk: Walk, value: Any) -> None:
    """Count the file of an extension module that belongs to no distribution."""
    import sys

    name = getattr(value, "__module__", None) or ""
    file = getattr(sys.modules.get(name), "__file__", None)
    if isinstance(file, str):
        try:
            walk.ledger.part("binary", name, files.file_digest(file))
        except (UndigestableValue, OSError) as error:
            walk.ledger.doubt(f"extension module {name} cannot be read: {error}")


def registered(walk: Walk, value: type, label: str) -> None:
    """Count the classes registered with an abstract one; with a library's, those of the user."""
    references: set[Any] = abc._get_dump(value)[0]  # type: ignore[attr-defined]
    found = [cls for cls in (reference() for reference in references) if cls]
    if origin.of_class(value) is not origin.USER:
        found = [cls for cls in found if origin.of_class(cls) is origin.USER]
    walk.ledger.guards.answer(abc.get_cache_token)
    if found:
        walk.ledger.part("registered", label, repr(sorted(map(walk.label, found))))


def patches(walk: Walk, value: type) -> None:
    """Count what the user has put into a class of a library."""
    for base in value.__mro__:
        is_known = base in walk.patched or origin.is_made_in_c(base)
        if is_known or origin.of_class(base) is origin.USER:
            continue
        walk.patched.add(base)
        walk.note_package(origin.of_class(base))
        if "_abc_impl" in base.__dict__:
            registered(walk, base, name_of(base))
        walk.ledger.guards.size(base.__dict__)
        for name, held in list(base.__dict__.items()):
            if _is_users(held):
                walk.ledger.guards.entry(base.__dict__, name)
                _member(walk, f"{name_of(base)}.{name}", held)


def _is_users(held: Any) -> bool:
    """Whether a function or class, or one inside a descriptor, is the user's."""
    try:
        inside = [held, *(getattr(held, part, None) for part in _PARTS)]
        if not isinstance(held, type):  # libraries have descriptors of their own
            inside += [type(held), *getattr(held, "__dict__", {}).values()]
    except Exception:
        return False  # boundary: libraries leave things in classes that may not be asked yet
    return any(map(_is_users_code, inside))


def _is_users_code(held: Any) -> bool:
    if isinstance(held, FunctionType):
        return origin.of_function(held) is origin.USER
    return isinstance(held, type) and origin.of_module_named(held.__module__) is origin.USER


def docstring(walk: Walk, value: Any, label: str) -> None:
    """Count the docstring of a function or class."""
    walk.ledger.guards.attribute(value, "__doc__")
    text = value.__dict__.get("__doc__") if isinstance(value, type) else value.__doc__
    if isinstance(text, str):
        lines = [line.strip() for line in text.strip().splitlines()]
        walk.ledger.part("docstring", label, "\n".join(lines) + "\n", text)


def text(walk: Walk, function: FunctionType, label: str) -> None:
    """Count the source of a function as written, comments and all."""
    if (found := walk.describe(function).text) is not None:
        walk.ledger.part("text", label, found + "\n", found)


def hints(walk: Walk, value: Any, label: str) -> None:
    """Count the hints of a function or class."""
    is_class = isinstance(value, type)
    found = classes.hints(value) if is_class else getattr(value, "__annotations__", {})
    if found:
        shown = "\n".join(f"{name}: {_hint(walk, hint)}" for name, hint in found.items())
        walk.ledger.part("hints", label, shown + "\n", shown)


def _hint(walk: Walk, hint: Any) -> str:
    """Return a hint as text that is the same in every process, visiting the classes in it."""
    if isinstance(hint, str):
        return repr(hint)
    if issubclass(type(hint), type):
        return walk.label(hint)
    inside = ", ".join(_hint(walk, part) for part in getattr(hint, "__args__", ()))
    text = repr(hint) if " at 0x" not in repr(hint) else type(hint).__name__
    return f"{text}[{inside}]"


def bases(walk: Walk, value: type, label: str) -> None:
    """Count the arguments of generic base classes."""
    if found := value.__dict__.get("__orig_bases__"):
        walk.ledger.part("bases", label, "\n".join(_hint(walk, base) for base in found) + "\n")


def keys(walk: Walk, value: type, label: str) -> None:
    """Count which keys a `TypedDict` requires."""
    if text := classes.keys(value):
        walk.ledger.part("keys", label, text)


def subclasses(walk: Walk, value: type, label: str) -> None:
    """Count the classes derived from a class, where something asks for them."""
    found = list(map(walk.label, type.__subclasses__(value)))
    walk.ledger.guards.answer(lambda: len(type.__subclasses__(value)))
    walk.ledger.part("subclasses", label, repr(found))


def order(walk: Walk, value: Any, label: str) -> None:
    """Count the order in which a class or a module defines its names."""
    held = classes.guarded(value) if isinstance(value, type) else getattr(value, "__dict__", ())
    names = [name for name in held if not is_dunder(name)]
    walk.ledger.part("order", label, repr(names))


def attributes(walk: Walk, function: FunctionType, label: str, mentioned: set[str]) -> None:
    """Count the attributes of a function whose names are mentioned somewhere."""
    place = label.replace(":", ".", 1)
    for name in sorted(mentioned & function.__dict__.keys() - {"__wrapped__"}):
        walk.ledger.guards.entry(function.__dict__, name)
        walk.bind(f"{place}.{name}", function.__dict__[name])
