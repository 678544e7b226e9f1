"""Which type is written how. Not here: containers (`walk`), what others are made of (`objects`)."""

from __future__ import annotations

import enum
import functools
import pathlib
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from neurotools.memo.careful import is_meant_to_end
from neurotools.memo.digest import arrays, files, foreign, mapped, objects, plain
from neurotools.memo.digest.scalars import text
from neurotools.memo.digest.walk import Walk, Writer, kind_name, refusal
from neurotools.memo.errors import UndigestableValue

Rule = Callable[[Any], Any]

#: Type -> rule for it and its subclasses, as its users gave them.
registered: dict[type, Rule] = {}


#: Tag of arrays, see `Walk`.
ARRAY = b"A"


def plain_array(value: np.ndarray[Any, Any]) -> bytes | None:
    """Return what a walk writes of an array of plain numbers; None of any other.

    It needs no walk: nothing in it has to be named or chosen.
    """
    dtype = value.dtype
    if dtype.isbuiltin != 1 or dtype.kind not in "biufc" or dtype.metadata:
        return None
    return _plain_head(dtype.str, value.shape) + mapped.content(value, _in_memory)


def _array(walk: Walk, value: Any) -> bytes:
    value = np.ndarray.view(value, np.ndarray)
    if (plain := plain_array(value)) is not None:
        return plain
    dtype = value.dtype
    head = walk.encode(arrays.describe(dtype)) + walk.sequence(value.shape)
    if not dtype.hasobject:
        return head + mapped.content(value, _in_memory)
    if dtype.names is None:
        return head + walk.sequence(list(value.flat))
    return head + b"".join(_array(walk, value[name]) for name in dtype.names)


@functools.lru_cache(maxsize=1024)
def _plain_head(dtype: str, shape: tuple[int, ...]) -> bytes:
    """Return what a walk writes of an array of plain numbers before its content."""
    walk = Walk(str, choose)  # numbers and text alone: nothing is named or chosen
    return walk.encode(dtype) + walk.sequence(shape)


def _in_memory(array: np.ndarray[Any, Any]) -> bytes:
    if array.flags.writeable or array.nbytes < arrays.LARGE:
        return arrays.content(array)
    from neurotools.memo.digest import watched  # not loaded before somebody has such an array

    return watched.content(array, arrays.content)


#: Subclasses of numpy's own, by the names of several versions -> one name for all versions.
_NUMPY_NAMES = {
    "numpy.matrix": "matrix",
    "numpy.matrixlib.defmatrix.matrix": "matrix",
    "numpy.recarray": "recarray",
    "numpy.rec.recarray": "recarray",
    "numpy.ma.MaskedArray": "masked",
    "numpy.ma.core.MaskedArray": "masked",
}


def _class(walk: Walk, cls: type) -> bytes:
    known = _NUMPY_NAMES.get(kind_name(cls))
    return b"@" + walk.name(cls) if known is None else text(known)


def _array_subclass(walk: Walk, value: Any) -> bytes:
    return _class(walk, type(value)) + _array(walk, value) + walk.fields(objects.attributes(value))


#: What a masked array keeps in its dictionary besides its users' attributes.
_OF_MASKS = frozenset(
    {
        *("_basedict", "_baseclass", "_fill_value", "_hardmask", "_isfield", "_mask", "_optinfo"),
        "_sharedmask",
    }
)


def _masked(walk: Walk, value: Any) -> bytes:
    # What lies under the mask counts: functions can see it.
    found = {name: part for name, part in vars(value).items() if name not in _OF_MASKS}
    found |= {"mask": value.mask, "fill": value.fill_value, "hard": value.hardmask}
    found |= {"data": value.data, "info": value._optinfo}
    return _class(walk, type(value)) + walk.fields(found)


def _record(walk: Walk, value: Any) -> bytes:
    return _array(walk, np.asarray(value))


def _ufunc(walk: Walk, value: np.ufunc) -> bytes:
    for module in ("numpy", "scipy.special"):
        if getattr(sys.modules.get(module), value.__name__, None) is value:
            return text(module) + walk.name(value)
    raise refusal(value, "a ufunc does not show the function that it was made of")


def _builtin(walk: Walk, value: Any) -> bytes:
    if value.__self__ is None or isinstance(value.__self__, types.ModuleType):
        return b"@" + walk.name(value)
    return text(value.__name__) + walk.encode(value.__self__)


def _member(walk: Walk, value: enum.Enum) -> bytes:
    # A combination of flags has a name in some versions of Python only.
    name = value._name_ if value._name_ in type(value).__members__ else None
    content = None if type(value._value_) is object else value._value_
    return walk.name(type(value)) + walk.sequence((name, content))


def _path_subclass(walk: Walk, value: pathlib.PurePath) -> bytes:
    return walk.name(type(value)) + text(str(value)) + walk.fields(getattr(value, "__dict__", {}))


def _object(walk: Walk, value: Any) -> bytes:
    constructor, arguments, state, items, pairs = objects.parts(value)
    return b"".join(
        (
            walk.name(type(value)),
            walk.encode(constructor),
            walk.sequence(arguments),
            _state(walk, state),
            b"0" if items is None else b"1" + walk.sequence(items),
            _pairs(walk, pairs),
        )
    )


def _state(walk: Walk, state: Any) -> bytes:
    if type(state) is tuple and len(state) == 2 and type(state[1]) is dict:
        return b":" + _content(walk, state[0]) + _content(walk, state[1])
    return _content(walk, state)


def _content(walk: Walk, content: Any) -> bytes:
    if type(content) is dict and set(map(type, content)) <= {str}:
        return b"." + walk.fields(content)
    return b"," + walk.encode(content)


def _pairs(walk: Walk, pairs: Any) -> bytes:
    if pairs is None:
        return b"0"
    return b"1" + (walk.ordered(pairs) if type(pairs) is list else walk.mapping(pairs))


def _by_rule(walk: Walk, value: Any, rule: Rule) -> bytes:
    try:
        content = rule(value)
    except (UndigestableValue, RecursionError):
        raise
    except Exception as error:
        # Boundary: a rule may be anybody's, and fail in any way.
        if is_meant_to_end(error):
            raise
        raise refusal(value, f"{type(error).__name__}: {error}") from error
    return _content(walk, content)


def _plain(walk: Walk, value: Any, name: str, rule: Rule) -> bytes:
    return text(name) + _by_rule(walk, value, rule)


def _foreign(walk: Walk, value: Any, rule: Rule) -> bytes:
    return walk.name(type(value)) + _by_rule(walk, value, rule)


def _own(walk: Walk, value: Any, rule: Rule) -> bytes:
    # The rule counts as well: after a change to it, it may say the same of other values.
    return walk.name(type(value)) + walk.name(rule) + _by_rule(walk, value, rule)


_NAMED = b"@", Walk.name

_FUNCTIONS = (
    types.FunctionType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.ClassMethodDescriptorType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
    types.ModuleType,
    type(np.mean),
    type,
)

#: Exact type -> tag and writer.
CORE: dict[type, tuple[bytes, Writer]] = {
    list: (b"l", Walk.sequence),
    tuple: (b"t", Walk.sequence),
    dict: (b"d", Walk.mapping),
    set: (b"{", Walk.members),
    frozenset: (b"}", Walk.members),
    np.ndarray: (ARRAY, _array),
    np.memmap: (ARRAY, _array),
    np.void: (b"V", _record),
    np.record: (b"V", _record),
    np.ufunc: (b"U", _ufunc),
    types.BuiltinFunctionType: (b"q", _builtin),
    type(functools.lru_cache(len)): (b"L", Walk.name),
    **dict.fromkeys(_FUNCTIONS, _NAMED),
}

#: Class -> tag and writer of its subclasses; the first that fits.
_INHERITED: tuple[tuple[type, tuple[bytes, Writer]], ...] = (
    (type, _NAMED),
    (types.ModuleType, _NAMED),
    (enum.Enum, (b"e", _member)),
    (np.ndarray, (b"a", _array_subclass)),
    (files.File, (b"F", functools.partial(_foreign, rule=files.content))),
    (np.dtype, (b"D", functools.partial(_by_rule, rule=arrays.describe))),
    (pathlib.PurePath, (b"P", _path_subclass)),
)


def choose(cls: type) -> tuple[bytes, Writer]:
    """Return the tag of a type, and the function that writes its values."""
    if (found := CORE.get(cls) or _ruled(cls)) is not None:
        return found
    if (named := plain.rule(cls)) is not None:
        return b"p", functools.partial(_plain, name=named[0], rule=named[1])
    if cls.__name__ in objects.COMPILED:
        return _NAMED
    if cls is object:
        return b"g", lambda walk, value: walk.encode(objects.global_name(value))
    for base, writer in _INHERITED:
        if issubclass(cls, base):
            return _masks(cls) or writer
    if (reason := objects.refused(cls)) is not None:
        return b"", functools.partial(_refuse, reason=reason)
    return b"r", _object


def _masks(cls: type) -> tuple[bytes, Writer] | None:
    # Newer versions of numpy load this module only where it is used.
    module = sys.modules.get("numpy.ma")
    if module is None or not issubclass(cls, module.MaskedArray):
        return None
    if cls is type(module.masked):
        return b"M", lambda walk, value: b""  # noqa: ARG005 - there is but one
    return b"m", _masked


def _ruled(cls: Any) -> tuple[bytes, Writer] | None:
    for base in cls.__mro__:
        if (rule := registered.get(base)) is not None:
            return b"o", functools.partial(_own, rule=rule)
        if "__neurotools_digest__" in vars(base):
            return b"o", functools.partial(_own, rule=base.__neurotools_digest__)
        if (rule := foreign.rule(base)) is not None:
            return b"x", functools.partial(_foreign, rule=rule)
    return None


def _refuse(walk: Walk, value: Any, reason: str) -> bytes:  # noqa: ARG001 - shape of a writer
    raise refusal(value, reason)
