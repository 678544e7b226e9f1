"""What a class is made of, as far as a program can see it run. Not here: following it (`walk`).

A class counts as it is now: decorators, metaclasses and assignments have had their say. What Python
itself writes into classes is left out, since it differs between versions.
"""

from __future__ import annotations

import contextlib
import enum
import functools
import inspect
import sys
from collections.abc import Iterator
from types import CodeType, FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import Any

from neurotools.memo.fingerprint import origin

#: Written by the interpreter and the standard library; the content counts elsewhere, or not.
_WRITTEN = frozenset(
    {
        *("__module__", "__qualname__", "__doc__", "__dict__", "__weakref__", "__classcell__"),
        *("__annotations__", "__annotate__", "__annotate_func__", "__annotations_cache__"),
        *("__firstlineno__", "__static_attributes__", "__type_params__", "__parameters__"),
        *("__orig_bases__", "__orig_class__", "__abstractmethods__", "__final__", "_abc_impl"),
        *("__slotnames__", "_new_member_"),
        *("__dataclass_fields__", "__dataclass_params__", "__protocol_attrs__", "_is_protocol"),
        *("_is_runtime_protocol", "__callable_proto_members_only__"),
        *("__non_callable_proto_members__", "__required_keys__", "__optional_keys__"),
        *("__readonly_keys__", "__mutable_keys__", "__total__", "__closed__", "__extra_items__"),
    }
)

#: Modules that put functions of their own into classes, and others in each version.
_MAKERS = frozenset(("abc", "collections", "dataclasses", "enum", "reprlib", "typing"))

#: Made by pydantic from fields, hints and decorated functions, which count themselves.
_OF_PYDANTIC = frozenset(
    {
        *("__pydantic_core_schema__", "__pydantic_serializer__", "__pydantic_validator__"),
        *("__pydantic_complete__", "__pydantic_computed_fields__", "__signature__"),
        *("__pydantic_generic_metadata__", "__pydantic_parent_namespace__"),
        *(
            "__pydantic_setattr_handlers__",
            "__pydantic_post_init__",
            "__pydantic_fields_complete__",
        ),
        "__pydantic_decorators__",
    }
)

_DESCRIPTORS_IN_C: tuple[type, ...] = (
    MemberDescriptorType,
    GetSetDescriptorType,
    type(vars(origin.Package)["name"]),  # of named tuples
)


def guarded(cls: type) -> list[str]:
    """Return all names in the body of a class but those that come and go by themselves."""
    return [name for name in cls.__dict__ if name not in _WRITTEN]


def members(cls: type) -> Iterator[tuple[str, Any]]:
    """Yield names and values in the body of a class that count, in order of name."""
    for name in sorted(map(str, cls.__dict__)):
        value = cls.__dict__.get(name)
        if name not in _WRITTEN and not _is_made(cls, name, value):
            # Only since 3.13 this one is kept as a static method.
            if name == "_generate_next_value_" and isinstance(value, staticmethod):
                value = value.__func__
            yield name, value


def _is_made(cls: type, name: str, value: Any) -> bool:
    """Whether an attribute was made from others that count, by the standard library."""
    if isinstance(value, _DESCRIPTORS_IN_C):
        return True
    if value is object.__init__:  # protocols put it into their subclasses when these are used
        return True
    if issubclass(cls, enum.Enum) and _is_of_enum(cls, name, value):
        return True
    if name in _OF_PYDANTIC and "__pydantic_decorators__" in cls.__dict__:
        return True
    function = getattr(value, "__func__", value)
    if not isinstance(function, FunctionType):
        return False
    if any(_is_code(held) and not _is_written(held) for held in cells(function)):
        return False  # it was put around a method of the user's
    home = str(function.__globals__.get("__name__"))
    if home in _MAKERS and origin.of_function(function) is origin.LIBRARY:
        # What the module offers to everyone was put there by the user.
        return name.startswith("_") or function.__globals__.get(function.__name__) is not function
    return _is_generated(cls, name, function, home)


def _is_written(function: Any) -> bool:
    return str(function.__code__.co_filename) == "<string>"


def cells(function: FunctionType) -> Iterator[Any]:
    """Yield what a closure holds, but for what is not there yet."""
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):  # it is empty
            yield cell.cell_contents


def _is_of_enum(cls: type[enum.Enum], name: str, value: Any) -> bool:
    return name in cls.__members__ or (_is_sunder(name) and not _is_code(value))


def _is_code(value: Any) -> bool:
    function = getattr(value, "__func__", value)
    return isinstance(function, FunctionType) and origin.of_function(function) is origin.USER


def _is_generated(cls: type, name: str, function: FunctionType, home: str) -> bool:
    """Whether a method was written by `dataclass`, `namedtuple` or `attrs` from the fields."""
    if function.__code__.co_filename.startswith("<attrs generated "):
        return "__attrs_attrs__" in cls.__dict__
    if function.__code__.co_filename != "<string>":
        return False
    if name == "__new__":
        return home == f"namedtuple_{cls.__name__}" or home.startswith("namedtuple_")
    named = function.__name__ in (name, "_recursive_repr", "wrapper")
    if not named or name not in _OF_DATACLASSES or "__dataclass_fields__" not in cls.__dict__:
        return False
    return _is_wrapped_by_dataclass(function.__code__)


def _is_wrapped_by_dataclass(code: CodeType) -> bool:
    """Whether code is defined inside the function that `dataclass` generates around it."""
    qualname = getattr(code, "co_qualname", None)
    if qualname is None:  # Python 3.10 writes each method below one line
        return code.co_firstlineno == 2
    return bool(qualname.startswith("__create_fn__."))


_OF_DATACLASSES = frozenset(
    {
        *("__init__", "__repr__", "__eq__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__"),
        *("__setattr__", "__delattr__", "__replace__", "__getstate__", "__setstate__"),
    }
)


def fields(cls: type) -> list[tuple[Any, ...]] | None:
    """Return what `dataclass` made its methods from, or None for another class."""
    if "__dataclass_fields__" not in cls.__dict__:
        return None
    params: Any = cls.__dict__.get("__dataclass_params__")
    names = ("init", "repr", "eq", "order", "unsafe_hash", "frozen")
    listed: list[tuple[Any, ...]] = [tuple(bool(getattr(params, name, None)) for name in names)]
    for field in cls.__dict__["__dataclass_fields__"].values():
        flags = (field.init, field.repr, field.hash, field.compare, bool(field.kw_only))
        listed.append((field.name, *flags, getattr(field._field_type, "name", "")))
    return listed


def field_values(cls: type) -> Iterator[tuple[str, Any]]:
    """Yield the defaults, factories and metadata of a dataclass's fields."""
    missing = sys.modules["dataclasses"].MISSING  # which has made the class, and takes 1 ms to load
    for field in cls.__dict__["__dataclass_fields__"].values():
        for part in ("default", "default_factory", "metadata"):
            value = getattr(field, part)
            if value is not missing and (part != "metadata" or value):
                yield f"{field.name}.{part}", value


def enumerated(cls: type) -> tuple[tuple[str, Any], ...] | None:
    """Return the members of an enumeration in order, aliases as well, or None for another class."""
    if not issubclass(cls, enum.Enum):
        return None
    return tuple((name, member._value_) for name, member in cls.__members__.items())


def enumerated_more(cls: type[enum.Enum]) -> Iterator[tuple[enum.Enum, str]]:
    """Yield what members of an enumeration have besides name and value: member and attribute."""
    for member in cls:
        for name in sorted(member.__dict__):
            if not _is_sunder(name) and name not in cached_names(cls):
                yield member, name


def boundary(cls: type) -> str:
    """Return what a `Flag` does with bits that it does not name, where its bases do otherwise."""
    if not issubclass(cls, enum.Flag):
        return ""
    own = getattr(cls, "_boundary_", None)
    inherited = [getattr(base, "_boundary_", None) for base in cls.__bases__]
    return "" if own is None or own in inherited else own.name


def _is_sunder(name: str) -> bool:
    return name.startswith("_") and name.endswith("_")


def cached_names(cls: type) -> set[str]:
    """Return the names under which instances keep what a property has computed."""
    return {
        held.attrname or name
        for base in cls.__mro__
        for name, held in base.__dict__.items()
        if isinstance(held, functools.cached_property)
    }


def protocol(cls: type) -> str:
    """Return what `isinstance` looks at where a class is a protocol: the names of attributes."""
    if not cls.__dict__.get("_is_protocol"):
        return ""
    return f"{sorted(hints(cls))} {bool(getattr(cls, '_is_runtime_protocol', False))}"


def keys(cls: type) -> str:
    """Return what a `TypedDict` says of its keys, without their types."""
    if "__total__" not in cls.__dict__:
        return ""
    kinds = (getattr(cls, name, ()) for name in ("__required_keys__", "__optional_keys__"))
    return f"{cls.__dict__['__total__']} {[sorted(kind) for kind in kinds]}"


def hints(cls: type) -> dict[str, Any]:
    """Return the hints in a class's own body."""
    return dict(inspect.get_annotations(cls))


def plain_attribute(cls: type, name: str) -> tuple[list[type], Any] | None:
    """Return a class attribute that is only a value, and the classes searched for it.

    None if asking for the attribute may run code, or there is none.
    """
    if type(cls) is not type:
        return None
    for place, owner in enumerate(cls.__mro__):
        if name in owner.__dict__:
            value = owner.__dict__[name]
            searched = list(cls.__mro__[: place + 1])
            return None if hasattr(type(value), "__get__") else (searched, value)
    return None


def is_overridden(cls: type, name: str) -> bool:
    """Whether a property or its like comes before what an instance has under a name."""
    held = next((c.__dict__[name] for c in cls.__mro__ if name in c.__dict__), None)
    return any(hasattr(type(held), method) for method in ("__set__", "__delete__"))


def is_plain_instance(value: Any) -> bool:
    """Whether the state of an instance is its ``__dict__``, read without running code."""
    cls = type(value)
    return (
        type(getattr(value, "__dict__", None)) is dict
        and all(getattr(cls, name, None) is getattr(object, name, None) for name in _STATE)
        and cls.__basicsize__ <= _PLAIN_SIZE
    )


_STATE = (
    *("__getattribute__", "__reduce_ex__", "__reduce__", "__getstate__"),
    "__neurotools_digest__",
)


class _Plain:
    pass


class _Slotted:
    __slots__ = ("__dict__", "__weakref__")


#: Larger instances hold more than their ``__dict__``: items, slots, things in C.
_PLAIN_SIZE = max(_Plain.__basicsize__, _Slotted.__basicsize__)
