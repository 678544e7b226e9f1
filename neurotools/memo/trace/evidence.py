"""What a result was seen to depend on, kept in its record, and whether all that is still the same.

Only what the fingerprint does not cover is kept: files that were opened, and code of the user's
that ran and could not be followed before.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from neurotools.memo.digest.files import identity_of
from neurotools.memo.fingerprint import origin
from neurotools.memo.fingerprint.bytecode import nested
from neurotools.memo.fingerprint.reach import Tracker
from neurotools.memo.trace.recording import ABSENT, Recording, content_of

FILE, CODE = "file", "code"


class Seen(NamedTuple):
    """One thing that a computation used.

    Attributes
    ----------
    kind : {'file', 'code'}
        What it is.
    name : str
        Absolute path, or ``'module:qualname'`` of a function.
    digest : str
        Of the file's content, or the function's fingerprint.
    identity : str
        Of the file, where that tells whether its content has changed: it is not read again then.
    """

    kind: str
    name: str
    digest: str
    identity: str = ""


class Witness:
    """Knows what one function's computations used, beyond its fingerprint.

    Parameters
    ----------
    tracker : Tracker
        Of the function.
    """

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._trackers: dict[str, Tracker | None] = {}

    def seen(self, recording: Recording) -> list[Seen]:
        """Return what counts of what was recorded, in order."""
        # What was made meanwhile, and is gone, was on the way: another program's own file.
        gone = {path for path in recording.made if not os.path.lexists(path)}
        there = (pair for pair in recording.files.items() if pair[0] not in gone)
        files = (pair for pair in there if _is_users_file(pair[0]))
        found = {Seen(FILE, path, digest, identity_of(path, digest)) for path, digest in files}
        found.update(Seen(*fact) for fact in recording.handed_on if len(fact) == len(Seen._fields))
        for code, namespace in self._unfollowed(recording):
            found.add(self._of_code(code, namespace))
        return sorted(found)

    def changed(self, facts: Any, may_load: Callable[[], bool]) -> str:
        """Return the name of something that is no longer what it was, or nothing.

        Parameters
        ----------
        facts : list of list
            What `seen` returned, as it came back from a record.
        may_load : callable
            Tells whether modules that they name may be loaded, which runs their code.
        """
        rows: list[Any] = facts if isinstance(facts, list) else [None]
        for fact in rows:
            try:
                kind, name, digest, identity = map(str, fact)
            except (TypeError, ValueError):
                return "something that cannot be read"
            if identity and identity == identity_of(name):
                continue
            now = content_of(name) if kind == FILE else self._code_of(name, may_load)
            if now != digest:
                return name
        return ""

    def digests(self, facts: Any, name: str) -> dict[str, tuple[str, str]]:
        """Return a file's digest as it was noted and as it is, by its path; {} for code."""
        rows: list[Any] = facts if isinstance(facts, list) else []
        for row in rows:
            if isinstance(row, list) and row[:2] == [FILE, name] and len(row) > 2:
                return {name: (str(row[2]), content_of(name))}
        return {}

    def _unfollowed(self, recording: Recording) -> list[tuple[CodeType, dict[str, Any]]]:
        """Return the user's code that ran and was not followed, without what is inside other."""
        followed: set[CodeType] = set()
        for value in self._tracker.reached:
            if isinstance(value, FunctionType):
                followed.update(nested(value.__code__))
        ran = {code: space for code, space in recording.codes.items() if code not in followed}
        ran = {code: space for code, space in ran.items() if _is_users_code(code)}
        inside = {inner for code in ran for inner in nested(code)[1:]}
        return [(code, space) for code, space in ran.items() if code not in inside]

    def _of_code(self, code: CodeType, namespace: dict[str, Any]) -> Seen:
        """Return what stands for code: a function by name where it has one, else its whole file."""
        qualname = getattr(code, "co_qualname", code.co_name)
        name = f"{namespace.get('__name__')}:{qualname}"
        function = _found(name, _yes)
        if getattr(function, "__code__", None) is code and (now := self._code_of(name, _yes)):
            return Seen(CODE, name, now)
        path = os.path.abspath(code.co_filename)
        return Seen(FILE, path, content_of(path))

    def _code_of(self, name: str, may_load: Callable[[], bool]) -> str:
        """Return the fingerprint of a function, nothing if there is none."""
        if self._trackers.get(name) is None:
            function = _found(name, may_load)
            self._trackers[name] = None if function is None else Tracker(function)
        tracker = self._trackers[name]
        try:
            return ABSENT if tracker is None else tracker.current().code
        except Exception:
            return ABSENT  # boundary: the walk looks at objects of the user's


def _is_users_code(code: CodeType) -> bool:
    file = code.co_filename
    return not file.startswith("<") and origin.of_file(os.path.abspath(file)) is origin.USER


def _is_users_file(path: str) -> bool:
    """Whether a file is no part of a library: those count by their versions."""
    return origin.of_file(path) is origin.USER


def _yes() -> bool:
    return True


def _found(name: str, may_load: Callable[[], bool]) -> Any:
    """Return the function of a name, loading its module as the computation would; None if none."""
    module, _, qualname = name.partition(":")
    if module not in sys.modules and not may_load():
        return None
    try:
        value: Any = sys.modules.get(module) or importlib.import_module(module)
        for part in qualname.split("."):
            value = getattr(value, part)
    except Exception:
        return None  # boundary: loading a module of the user's may fail in any way
    return value if isinstance(value, FunctionType) else None
