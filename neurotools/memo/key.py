"""A call -> its Key: the function's folder, the code's fingerprint, the arguments' name."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from neurotools.memo import literals, naming
from neurotools.memo.digest.files import File
from neurotools.memo.digest.values import qualified_name
from neurotools.memo.entry import Key, Signature
from neurotools.memo.making import files_in
from neurotools.memo.signature import LITERAL_LENGTH, Binder, canonical

if TYPE_CHECKING:
    from neurotools.memo.fingerprint.reach import Fingerprint, Tracker

#: Types whose values never change, and are equal only where they are the same argument (but for
#: zeros: see `_shortcut`).
_PLAIN = frozenset([int, str, bool, bytes, float, type(None)])
_LONG = frozenset([str, bytes])
#: Stands in the text of a signature for a file.
_OF_FILE = f"{File.__module__}.{File.__qualname__}'".encode()
#: Calls whose names are remembered, for each function.
_REMEMBERED = 4096
#: The longest signature whose name is remembered.
_LONGEST_TEXT = 1024


class KeyMaker:
    """Makes the keys of one function's calls.

    Parameters
    ----------
    function : callable
        The function as it would run, not yet memoized.
    ignore : iterable of str
        Parameters that do not count.
    strict : bool
        Whether to refuse a function that depends on something that cannot be followed.
    folder : str, optional
        The function's folder, where that does not follow from its name.
    tracker : Tracker, optional
        What follows the code, where that is more than the function's.
    **tracking
        Options of `Tracker`, such as ``packages`` and ``shelf``.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        ignore: Iterable[str] = (),
        *,
        strict: bool = False,
        folder: str = "",
        tracker: Any = None,
        **tracking: Any,
    ) -> None:
        from neurotools.memo.fingerprint.reach import Tracker  # not loaded before it is needed

        self.folder = folder or naming.function_folder(function)
        self.binder = Binder(function, ignore)
        self.tracker = tracker or Tracker(function, **tracking)
        self._room = _room(self.folder)
        self._keys: dict[Any, Key] = {}
        self._stems: dict[bytes, str] = {}
        self._strict = strict
        self._accepted: Fingerprint | None = None

    @property
    def fingerprint(self) -> Fingerprint:
        """The code that would run now.

        Raises
        ------
        UnsafeBinding
            If it depends on something that cannot be followed, and that is not allowed.
        """
        fingerprint = self.tracker.current()
        if fingerprint is not self._accepted:
            if self._strict and (refusals := self.tracker.refusals):
                # It is kept, and would keep the frames of all who were told.
                raise refusals[0].with_traceback(None)
            self._accepted = fingerprint
        return fingerprint

    def belong_to(self, folder: str) -> None:
        """Have the keys that the function has where it comes from, a script or a notebook."""
        if folder != self.folder:
            self.folder, self._room = folder, _room(folder)
            self._keys.clear()
            self._stems.clear()

    def signature(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Signature:
        """Return a call's canonical signature.

        Raises
        ------
        WrongArguments
            If the function does not take these arguments.
        UndigestableValue
            If one of them has no reliable digest.
        """
        return canonical(self.binder.bind(args, kwargs), code_name)

    def text(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bytes:
        """Return a call's signature as it is written into names and records."""
        return literals.encode(self.signature(args, kwargs))

    def files(
        self, text: bytes, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> dict[str, list[str]]:
        """Return the files that stand for their content in a call: argument to path and digest.

        Parameters
        ----------
        text : bytes
            What `text` returns for the call; few have files in them.
        args, kwargs
            The call's.
        """
        if self.binder.reads_files or _OF_FILE in text:
            return files_in(self.binder.bind(args, kwargs))
        return {}

    def key(self, signature: Signature, method: str) -> Key:
        """Return the key of a call, from its canonical signature."""
        return Key(
            self.folder, self.fingerprint.code, self._stem(literals.encode(signature)), method
        )

    def key_of_call(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], method: str
    ) -> tuple[Key, bytes | None]:
        """Return the key of a call, and its signature's text unless the key was known without it.

        Raises
        ------
        WrongArguments, UndigestableValue
            As `signature` does.
        UnsafeBinding
            As `fingerprint` does.
        """
        known = None if self.binder.reads_files else _shortcut(args, kwargs)
        key = None if known is None else self._keys.get(known)
        if key is not None:
            code = self.fingerprint.code
            if key.code != code or key.method != method:
                key = self._keys[known] = key._replace(code=code, method=method)
            return key, None
        text = self.text(args, kwargs)
        key = Key(self.folder, self.fingerprint.code, self._stem(text), method)
        if known is not None and all(map(_is_small, known[1])):
            if len(self._keys) >= _REMEMBERED:
                self._keys.clear()
            self._keys[known] = key
        return key, text

    def _stem(self, text: bytes) -> str:
        # Compressing and hashing a text takes three times as long as making it.
        stem = self._stems.get(text)
        if stem is None:
            stem = naming.stem_of(text, room=self._room)
            if len(text) <= _LONGEST_TEXT:
                if len(self._stems) >= _REMEMBERED:
                    self._stems.clear()
                self._stems[text] = stem
        return stem


def _room(folder: str) -> int:
    # Beside the names of function and code in `signature_to_file_string`, 15 with its dot.
    return naming.room_beside(len(folder) + 15)


def _is_small(value: Any) -> bool:
    # Large ones would stay in memory for as long as their names are remembered.
    kind = type(value)
    if kind is int:
        return bool(value.bit_length() <= 256)
    return kind not in _LONG or len(value) <= LITERAL_LENGTH


def _shortcut(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Return what tells a call from all others, if its arguments are plain values; else None.

    The plain road to a call's name takes some 50 microseconds; this one, taken again, takes one.
    """
    values = (*args, *kwargs.values()) if kwargs else args
    kinds = tuple(map(type, values))
    if not _PLAIN.issuperset(kinds):
        return None
    # 0.0 and -0.0 are equal and are different arguments.
    if float in kinds and 0.0 in values:
        return None
    return kinds, values, tuple(kwargs) if kwargs else ()


_MAKERS: weakref.WeakKeyDictionary[Any, KeyMaker] = weakref.WeakKeyDictionary()


def key_maker(function: Callable[..., Any]) -> KeyMaker:
    """Return the key maker of a function that is not memoized, the same one where possible."""
    try:
        maker = _MAKERS.get(function)
        if maker is None:
            maker = _MAKERS[function] = KeyMaker(function)
    except TypeError:  # objects with slots, and some made in C, take no weak references
        return KeyMaker(function)
    return maker


# Functions and classes are met as arguments again and again; each is followed once.
_TRACKERS: weakref.WeakKeyDictionary[Any, Tracker] = weakref.WeakKeyDictionary()


def code_name(value: Any) -> str:
    """Return what stands for a function or class among the arguments: its name and fingerprint."""
    try:
        tracker = _TRACKERS.get(value)
        if tracker is None:
            tracker = _TRACKERS[value] = _made_tracker(value)
    except TypeError:  # ufuncs and some others take no weak references
        tracker = _tracker(value)
    return f"{qualified_name(value)}#{tracker.current().code}"


def _made_tracker(value: Any) -> Tracker:
    from neurotools.memo.fingerprint.reach import Tracker

    return Tracker(value)


#: Trackers of what takes no weak references.
_tracker = functools.lru_cache(maxsize=256)(_made_tracker)
