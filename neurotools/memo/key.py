"""A call -> its Key: the function's folder, the code's fingerprint, the arguments' name."""

from __future__ import annotations

import types
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from neurotools.memo import naming
from neurotools.memo.digest.values import qualified_name
from neurotools.memo.entry import Key, Signature
from neurotools.memo.fingerprint.reach import Fingerprint, Tracker
from neurotools.memo.signature import Binder, canonical


class KeyMaker:
    """Makes the keys of one function's calls.

    Parameters
    ----------
    function : callable
        The function as it would run, not yet memoized.
    ignore : iterable of str
        Parameters that do not count.
    **tracking
        Options of `Tracker`, such as ``packages``.
    """

    def __init__(
        self, function: Callable[..., Any], ignore: Iterable[str] = (), **tracking: Any
    ) -> None:
        self.folder = naming.function_folder(function)
        self.binder = Binder(function, ignore)
        # Beside the names of function and code in `signature_to_file_string`, 15 with its dot.
        self._room = naming.room_beside(len(self.folder) + 15)
        self.tracker = Tracker(function, **tracking)

    @property
    def fingerprint(self) -> Fingerprint:
        """The code that would run now."""
        return self.tracker.current()

    def signature(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Signature:
        """Return a call's canonical signature.

        Raises
        ------
        TypeError
            If the function does not take these arguments, or one of them cannot be digested.
        """
        return canonical(self.binder.bind(args, kwargs), code_name)

    def key(self, signature: Signature, method: str) -> Key:
        """Return the key of a call, from its canonical signature."""
        stem = naming.stem(signature, room=self._room)
        return Key(self.folder, self.fingerprint.code, stem, method)


_MAKERS: weakref.WeakKeyDictionary[Any, KeyMaker] = weakref.WeakKeyDictionary()


def key_maker(function: Callable[..., Any]) -> KeyMaker:
    """Return the key maker of a function that is not memoized, the same one each time."""
    maker = _MAKERS.get(function)
    if maker is None:
        maker = _MAKERS[function] = KeyMaker(function)
    return maker


# Functions and classes are met as arguments again and again; each is followed once.
_TRACKERS: weakref.WeakKeyDictionary[Any, Tracker] = weakref.WeakKeyDictionary()


def code_name(value: Any) -> str:
    """Return what stands for a function or class among the arguments: its name and fingerprint."""
    if isinstance(value, types.ModuleType):
        return qualified_name(value)
    tracker = _TRACKERS.get(value)
    if tracker is None:
        tracker = _TRACKERS[value] = Tracker(value)
    return f"{qualified_name(value)}#{tracker.current().code}"
