"""Entries of the earlier neurotools (up to 2024), to be taken over by a function of today.

Its files hold a pair, pickled (``.pickle``, or ``.npy`` with an array of two objects): what the
function was called with, and the result. The name holds a hash of the arguments after some of their
types were lost (``[1]``, ``(1,)`` and ``1`` have one name), so the arguments are taken from inside,
and count only where they lead to that name. To open a pickle can run code: that is done only where
nobody else could have written it. Not here: what is done with the entries (`combining`).
"""

from __future__ import annotations

import inspect
import os
import pickle
import stat
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from neurotools.memo.details import Details
from neurotools.memo.entry import Key, Record
from neurotools.memo.errors import (
    CannotRebuild,
    CorruptEntry,
    UndigestableValue,
    UnstorableValue,
    WrongArguments,
)
from neurotools.memo.formats.base import PayloadFormat
from neurotools.memo.formats.registry import FORMATS
from neurotools.memo.key import KeyMaker
from neurotools.memo.literals import encode
from neurotools.memo.naming import base64hash10bytes
from neurotools.memo.seal import seal
from neurotools.memo.signing import Signer
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.tiers.files import READ, read_record
from neurotools.memo.upkeep.earlier import LeftOut
from neurotools.memo.upkeep.recomputing import Arguments

#: Formats that the earlier neurotools could really write; its ``mat`` never worked.
_METHODS = ("npy", "pickle")
_CODE_LENGTH = 14
#: The header of a ``.npy`` file of two objects.
_HEADER = 128


class Legacy:
    """An entry that the earlier neurotools has written.

    Parameters
    ----------
    tier : DirectoryTier
        The cache.
    key : Key
        Its folder and name.
    function : callable
        The function that is to have it, not memoized.
    keys : KeyMaker
        Of that function.
    form : PayloadFormat or None
        How the result is written anew; by default as it was.
    signer : Signer or None
        Signs what is written.
    foreign : bool
        Whether it may be another function's.
    """

    def __init__(
        self,
        tier: DirectoryTier,
        key: Key,
        function: Callable[..., Any],
        keys: KeyMaker,
        *,
        form: PayloadFormat | None,
        signer: Signer | None,
        foreign: bool,
    ) -> None:
        self._tier, self._key, self._function, self._keys = tier, key, function, keys
        self._form, self._signer, self.foreign = form or FORMATS[key.method], signer, foreign
        self.location = tier.location(key)
        self.path = key.path[len(key.function) + 1 :]
        self.code, self.method = key.code, self._form.method

    def arguments(self, keys: KeyMaker) -> Arguments:
        """Return what the function was called with, as it stands in the file."""
        del keys
        try:
            return self._read()[0]
        except LeftOut as error:
            raise CannotRebuild(str(error)) from None

    def value(self) -> Any:
        """Return the result."""
        return self._read()[1]

    def adopt(self) -> bool:
        """Write the result anew, unless the present version has an entry for the call."""
        (args, kwargs), value, written = self._read()
        try:
            signature = self._keys.signature(args, kwargs)
            target = self._keys.key(signature, self._form.method)
            if self._tier.has(target):
                return False
            payload = self._form.encode(value)
        except (UndigestableValue, UnstorableValue, OSError) as error:
            raise LeftOut("unreadable", str(error)) from None
        name = f"{self._function.__module__}.{self._function.__qualname__}"
        details = Details(self._function, name).of(encode(signature))
        details["adopted"] = self._key.path
        record = Record(written, 0.0, payload.layout, details)  # how long it took is not known
        self._tier.put(target, seal(payload, record, target, self._form, self._signer))
        return True

    def _read(self) -> tuple[Arguments, Any, float]:
        """Return the arguments, the result, and when it was written."""
        if self.foreign:
            raise LeftOut("foreign", "it may be the result of another function with this name")
        if self._key.method not in _METHODS:
            raise LeftOut("unreadable", f"{self._key.method} files were never written rightly")
        try:
            if doubt := self._tier.doubt(self._key):
                why = f"will not be opened: it is a pickle, and {doubt.reason}: {doubt.location}"
                raise LeftOut("unreadable", why)
            content, written = _opened(self.location)
        except OSError as error:
            raise LeftOut("unreadable", error.strerror or str(error)) from None
        try:
            (args, pairs), value = content
            args, kwargs = tuple(args), dict(pairs)
        except (TypeError, ValueError):
            raise LeftOut("unreadable", "it does not hold arguments and a result") from None
        return self._checked(args, kwargs), value, written

    def _checked(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments:
        try:
            self._keys.binder.bind(args, kwargs)
        except WrongArguments as error:
            raise LeftOut("unreadable", str(error)) from None
        try:
            hashes = _hashes(self._keys, args, kwargs)
        except Exception:  # arguments of which names could not be made then, nor can now
            hashes = set()
        if self._key.call.partition(".")[0] not in hashes:
            why = "its name does not fit the arguments in it: the function has others now, or "
            raise LeftOut("unreadable", f"{why}changed them as it ran")
        return args, kwargs


def _opened(path: str) -> tuple[Any, float]:
    """Return what a file holds that is trusted, and when it was written."""
    descriptor = os.open(path, READ)
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise LeftOut("unreadable", "it is no regular file")
        try:
            if path.endswith(".pickle"):
                return pickle.load(file), facts.st_mtime
            content = np.lib.format.read_array(file, allow_pickle=True)
        except Exception as error:  # damaged pickles, and the user's classes, fail in any way
            raise LeftOut("unreadable", f"it cannot be opened: {error!r}") from None
    if content.dtype != object or content.shape != (2,):
        raise LeftOut("unreadable", "it does not hold arguments and a result")
    return tuple(content), facts.st_mtime


def legacy_entries(
    tier: DirectoryTier,
    function: Callable[..., Any],
    keys: KeyMaker,
    form: PayloadFormat | None,
    signer: Signer | None,
) -> Iterator[Legacy]:
    """Give the entries that the earlier neurotools has kept of a function.

    Parameters
    ----------
    tier : DirectoryTier
        The cache.
    function : callable
        The function, not memoized.
    keys : KeyMaker
        Of the function.
    form : PayloadFormat or None
        How the results are written anew; by default as they were.
    signer : Signer or None
        Signs what is written.
    """
    module, name = str(function.__module__), function.__name__
    folder = "/".join((*module.split("."), name))
    # Only there is a folder one function's: elsewhere it is shared by all of that name.
    is_alone = module != "__main__" and function.__qualname__ == name
    for key in sorted(tier.keys(folder), key=lambda key: key.path):
        if len(key.code) == _CODE_LENGTH and is_legacy(tier.location(key)):
            foreign = not is_alone and (_closes(function) or key.code != legacy_code(function))
            yield Legacy(tier, key, function, keys, form=form, signer=signer, foreign=foreign)


def is_legacy(path: str) -> bool:
    """Tell whether a file with the name of an entry does not end as one of ours."""
    try:
        read_record(path)
    except CorruptEntry:
        return True
    except OSError:
        return False
    return False


def seems_whole(path: str) -> bool:
    """Tell whether a file, not one of ours, looks like a whole one of the earlier neurotools."""
    try:
        with open(path, "rb", opener=_regular) as file:
            start = file.read(_HEADER)
            file.seek(-1, os.SEEK_END)
            end = file.read(1)
    except OSError:
        return False
    if path.endswith(".npy"):
        return start.startswith(b"\x93NUMPY") and b"'descr': '|O'" in start and end == pickle.STOP
    return path.endswith(".pickle") and start.startswith(pickle.PROTO) and end == pickle.STOP


def _regular(path: str, flags: int) -> int:
    return os.open(path, flags | READ)


def _closes(function: Callable[..., Any]) -> bool:
    return bool(getattr(function, "__closure__", None))


def legacy_code(function: Callable[..., Any]) -> str:
    """Return the code that the earlier neurotools gave to a function; empty without source."""
    try:
        source = inspect.getsource(inspect.unwrap(function))
    except (OSError, TypeError):
        return ""
    facts = inspect.getfullargspec(function)
    spec = _loose((facts.args, facts.varargs, facts.varkw, facts.defaults))
    identity = (function.__module__, function.__name__)
    return base64hash10bytes((identity, (inspect.getdoc(function), source, spec)))


# ---------------------------------------------------------------- names as they were made


def _hashes(keys: KeyMaker, args: tuple[Any, ...], kwargs: dict[str, Any]) -> set[str]:
    """Return the hashes that a call may have had, of a function with these parameters then."""
    found = keys.binder.signature.parameters.values()
    places = [one for one in found if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    names = [one.name for one in places]
    defaults = {one.name: one.default for one in places if one.default is not one.empty}
    # What has a default now may not have been there.
    return {_hash(names, args, {**defaults, **kwargs}), _hash(names[: len(args)], args, kwargs)}


def _hash(parameters: list[str], args: tuple[Any, ...], given: dict[str, Any]) -> str:
    """Return the hash of a call, its arguments bound as they were, which has to be followed."""
    rest, count = dict(given), len(parameters)
    # A single parameter's name was taken for a list of names, of one letter each.
    names: Any = parameters[0] if count == 1 else parameters
    named = dict(zip(names, args, strict=False))
    for name in names[len(args) :] if count > len(args) else ():
        if name in rest:
            named[name] = rest[name]
    for name in parameters:
        rest.pop(name, None)
    named.update(rest)
    pairs = _loose(tuple(sorted(named.items(), key=lambda pair: pair[0])))
    if len(named) == 1:
        pairs = (pairs,)
    extra = args[count:] if len(args) > count else None
    return base64hash10bytes(_text(_loose((pairs, _loose(extra)))))


def _loose(value: Any) -> Any:
    """Return a value as tuples, the only type of container that names had; one item is itself."""
    if isinstance(value, (list, tuple, np.ndarray)):
        items = tuple(value)
        return _loose(items[0]) if len(items) == 1 else tuple(map(_loose, items))
    if isinstance(value, dict):
        return tuple(_loose((key, value[key])) for key in sorted(value))
    if isinstance(value, set):
        return tuple(map(_loose, sorted(value)))
    if hasattr(value, "__iter__") and not isinstance(value, str):
        try:
            return tuple(map(_loose, value))
        except Exception:  # it only looked as if it had items
            return value
    return value


def _text(value: Any) -> str:
    """Return the ``repr`` of such a value as numpy spelled numbers then."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_text, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, np.generic) and not isinstance(value, (str, bytes)):
        return str(value)
    return repr(str(value)) if isinstance(value, np.str_) else repr(value)
