"""Instances of any class -> their parts, as pickle would take them. Not here: how they are written.

What pickle refuses for good reason is refused too, and so is what it would take although there is
no content to speak of.
"""

from __future__ import annotations

import copyreg
import sys
import types
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any

from neurotools.memo.careful import is_meant_to_end
from neurotools.memo.digest.walk import refusal
from neurotools.memo.rows import Row

#: Functions compiled by Cython are of a type of their own in each library.
COMPILED = frozenset({"cython_function_or_method", "fused_cython_function"})

_LAZY = "its content is still in a file; pass it as an array, or the file as File"

#: Name of a class -> why its instances are refused, and those of its subclasses.
_REFUSED = {
    "_io._IOBase": "an open file has a position, and content that changes",
    "_io.IOBase": "an open file has a position, and content that changes",
    "io.IOBase": "an open file has a position, and content that changes",
    "_thread.lock": "a lock is held or free, and has no content",
    "_thread.RLock": "a lock is held or free, and has no content",
    "socket.socket": "a connection is not data",
    "_socket.socket": "a connection is not data",
    "threading.Thread": "a thread is running code, not data",
    "weakref.ReferenceType": "what a weak reference points to may be gone at any time",
    "weakref.ProxyType": "what a weak reference points to may be gone at any time",
    "weakref.CallableProxyType": "what a weak reference points to may be gone at any time",
    "builtins.generator": "a generator is used up by reading it",
    "builtins.coroutine": "a coroutine is running code, not data",
    "builtins.async_generator": "a generator is used up by reading it",
    "builtins.frame": "a frame is running code, not data",
    "unittest.mock.NonCallableMock": "a mock counts its calls, and answers whatever it is asked",
    "ctypes.CDLL": "a loaded library is an address in this process",
    "_ctypes._Pointer": "a pointer is an address in this process",
    "_ctypes.CFuncPtr": "a pointer is an address in this process",
    "h5py._hl.attrs.AttributeManager": _LAZY,
    "h5py._hl.base.HLObject": _LAZY,
    "h5py._objects.ObjectID": _LAZY,
    "numpy.lib.npyio.NpzFile": _LAZY,
    "zarr.core.Array": _LAZY,
    "zarr.core.array.Array": _LAZY,
    "zarr.hierarchy.Group": _LAZY,
    "zarr.core.group.Group": _LAZY,
    "dask.base.DaskMethodsMixin": "it is not computed yet, and what it will read may change",
    "polars.lazyframe.frame.LazyFrame": "it is not computed yet, and what it will read may change",
    "pyarrow._dataset.Dataset": _LAZY,
}

#: Modules whose iterators show nothing of their position, or not in every version of Python.
_ITERATORS = frozenset({"builtins", "itertools", "collections", "_collections", "array"})

#: These, and their subclasses, lose their attributes in pickle.
_FORGETFUL = frozenset(
    {
        *("collections.Counter", "collections.defaultdict", "numpy.generic"),
        *("datetime.date", "datetime.time", "datetime.timedelta"),
        *("decimal.Decimal", "fractions.Fraction"),
    }
)

_NO_GETSTATE = getattr(object, "__getstate__", None)


class Parts(Row):
    """What an object is made of.

    Attributes
    ----------
    constructor : callable or str or None
        Makes the object. None is its class, ``'new'`` the class's ``__new__``; ``'name'`` says that
        the arguments are its name in a module.
    arguments : tuple
        Of the constructor, less the class.
    state : dict or tuple or object
        Attributes by name; anything else that the class calls its state.
    items : list or None
        Members of a list.
    pairs : dict or list of pairs or None
        Members of a dictionary; a list if their order counts.
    """

    constructor: Any
    arguments: tuple[Any, ...]
    state: Any
    items: Any
    pairs: Any


def _ancestry(cls: type) -> list[str]:
    return [f"{base.__module__}.{base.__qualname__}" for base in cls.__mro__]


def refused(cls: type) -> str | None:
    """Return why values of a class have no reliable digest, or None."""
    for name in _ancestry(cls):
        if (reason := _REFUSED.get(name)) is not None:
            return reason
    # Looked up without asking: a class may answer with something made for the occasion.
    if cls.__module__ in _ITERATORS and any("__next__" in vars(base) for base in cls.__mro__):
        return "an iterator is used up by reading it"
    return None


def parts(value: Any) -> Parts:
    """Return what an object is made of.

    Raises
    ------
    UndigestableValue
        If it refuses to tell.
    """
    try:
        return _parts(value, type(value))
    except RecursionError:
        raise
    except Exception as error:
        # Boundary: what an object does when asked for its state may fail in any way.
        if is_meant_to_end(error):
            raise
        raise refusal(value, str(error) or type(error).__name__) from error


def _parts(value: Any, cls: type) -> Parts:
    reducer = copyreg.dispatch_table.get(cls)
    reduced = reducer(value) if reducer is not None else value.__reduce_ex__(4)
    if isinstance(reduced, str):
        return Parts("name", (reduced,), None, None, None)
    constructor, arguments, *rest = reduced
    state, items, pairs = (*rest, None, None, None)[:3]
    if constructor is cls:
        constructor = None
    elif constructor is copyreg.__newobj__ and arguments[0] is cls:  # type: ignore[attr-defined]
        constructor, arguments = "new", arguments[1:]
    if state is None and constructor != "new" and not _FORGETFUL.isdisjoint(_ancestry(cls)):
        state = attributes(value)
    state = _canonical(cls, state)
    arguments = _arguments(value, cls, arguments)
    return Parts(
        constructor, arguments, state, _items(value, cls, items), _pairs(value, cls, pairs)
    )


def _canonical(cls: type, state: Any) -> Any:
    if type(state) is tuple and len(state) == 2 and type(state[1]) is dict:
        return tuple(_canonical(cls, part) for part in state)
    # Without attributes, the default state is None or empty, depending on the version of Python.
    default = getattr(cls, "__getstate__", None) is _NO_GETSTATE
    return {} if state is None and default else state


# A subclass of a container may show other members than it has; those that it has are counted.


def _arguments(value: Any, cls: type, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    for base in (set, frozenset):
        if issubclass(cls, base) and arguments and type(arguments[0]) is list:
            return frozenset(base.__iter__(value)), *arguments[1:]
    return tuple(arguments)


def _items(value: Any, cls: type, items: Iterable[Any] | None) -> Any:
    if items is not None and issubclass(cls, list):
        return list.copy(value)
    return None if items is None else list(items)


def _pairs(value: Any, cls: type, pairs: Iterable[tuple[Any, Any]] | None) -> Any:
    if issubclass(cls, OrderedDict):
        return list(OrderedDict.items(value))
    if pairs is not None and issubclass(cls, dict):
        return dict(dict.items(value))
    return None if pairs is None else dict(pairs)


def attributes(value: Any) -> dict[str, Any]:
    """Return what an object holds by name, in its dictionary or in slots."""
    found = dict(getattr(value, "__dict__", None) or {})
    for name in copyreg._slotnames(type(value)):  # type: ignore[attr-defined]
        if hasattr(value, name):
            found[name] = getattr(value, name)
    return found


#: Objects that are only equal to themselves -> their names, and the other way round.
_global_names: dict[int, tuple[Any, str]] = {}
_global_values: dict[str, Any] = {}


def global_name(value: Any) -> str:
    """Return the name of a bare ``object()``, such as the marker of a missing argument.

    Raises
    ------
    UndigestableValue
        If no module has a name for it that always means this object.
    """
    if (known := _global_names.get(id(value))) is None:
        # The module that defines it is loaded whenever another one is that imports it from there.
        name = min(_names_of(value), default=(0, ""))[1]
        if not name or not _is_constant(name, value):
            raise refusal(value, "it is equal to itself only, and no module has a constant for it")
        known = _global_names[id(value)] = value, name
    return known[1]


def _is_constant(name: str, value: Any) -> bool:
    # A constant may be made anew, when a cell or a module is run once more; a variable may not.
    return name.rpartition(":")[2].isupper() or _global_values.setdefault(name, value) is value


def _names_of(value: Any) -> Iterator[tuple[int, str]]:
    for module in list(sys.modules.values()):
        # The builtins hold what was printed last; a script's variables come and go.
        if not isinstance(module, types.ModuleType) or module.__name__ == "builtins":
            continue
        script = module.__name__ == "__main__"
        for name, item in list(vars(module).items()):
            if item is value and (name.isupper() or not script):
                yield (1000 if script else len(module.__name__)), f"{module.__name__}:{name}"
