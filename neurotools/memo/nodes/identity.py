"""An interface, its inputs and what it runs -> the 32 characters that name its folder.

Order and spelled-out defaults do not matter. A file counts by its content and its own name, since
outputs are named after it; where it lies does not count.
"""

from __future__ import annotations

import base64
import os
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

from neurotools.memo.digest.files import content, identity
from neurotools.memo.digest.values import digest
from neurotools.memo.errors import UndigestableValue
from neurotools.memo.key import code_name
from neurotools.memo.log import Log
from neurotools.memo.nodes.noted import Noted
from neurotools.memo.nodes.shape import CONTENT, VALUE, Input, Shape, is_path

log = Log(__name__)

#: Files that are one image: what is said of one of them depends on the others.
_TOGETHER = ({".hdr", ".img", ".mat"}, {".nii", ".mat"}, {".BRIK", ".HEAD"})

#: Kind and digest of a file or a folder.
Content = tuple[bytes, bytes]
Files = list[tuple[str, Content]]


class Identity(NamedTuple):
    """What names a node.

    Attributes
    ----------
    name : str
        32 hexadecimal digits.
    paths : tuple of str
        The files and folders among the inputs, in their order there.
    files : dict
        Path of each of them -> its content.
    program : str or None
        Path of the program that runs.
    program_facts : tuple of int, or None
        What would change with the program.
    absent : tuple of str
        Files that would count if they were there.
    is_lasting : bool
        Whether another call can have it: not where an input has no content to speak of, or inputs
        do not tell what comes out.
    """

    name: str
    paths: tuple[str, ...]
    files: dict[str, Content]
    program: str | None
    program_facts: tuple[int, ...] | None
    absent: tuple[str, ...] = ()
    is_lasting: bool = True


class Identifier:
    """Names nodes of one interface class.

    Parameters
    ----------
    shape : Shape
        The class.
    code : callable
        Returns the fingerprint of its code as it is now.
    noted : Noted
        Knows large files.
    """

    def __init__(self, shape: Shape, code: Any, noted: Noted) -> None:
        self.shape, self._code, self._noted = shape, code, noted
        self._constructor = (list(shape.args), shape.kwargs)
        self._versions: dict[Any, str | None] = {}
        self._programs: dict[str, tuple[int, ...]] = {}
        self._told: set[str] = set()

    def of(self, made: Any) -> Identity:
        """Return what names the node of an instance."""
        if self.shape.runs_always(made):
            return _of_once()
        files: list[tuple[str, Content]] = []
        try:
            inputs = self.shape.inputs(made)
            values = [[each.name, self._digested(each, files)] for each in inputs]
            program, facts, *counting = self._program(made)
            named = (self.shape.name, self._code(), self._constructor, values, counting)
            name = _hexadecimal(digest(named, code_name))
            paths = tuple(path for path, _ in files)
            absent = tuple(p for path in paths for p in _siblings(path) if not _is_there(p))
            return Identity(name, paths, dict(files), program, facts, absent)
        except UndigestableValue as error:
            if str(error) not in self._told:
                self._told.add(str(error))
                log.warning("%s runs each time: %s", self.shape.name, error)
            return _of_once()

    def _digested(self, given: Input, files: Files) -> str:
        try:
            return digest(self._value(given, given.value, files), code_name)
        except UndigestableValue as error:
            raise UndigestableValue(error.kind, error.reason, f"input {given.name!r}") from None

    def _value(self, given: Input, value: Any, files: Files) -> Any:
        """Return what counts of a value, and note the files in it."""
        if isinstance(value, (str, os.PathLike)):
            return self._text(given, value, files)
        if type(value) in (list, tuple):
            return [type(value).__name__, *(self._value(given, item, files) for item in value)]
        if type(value) is dict:
            pairs = ((key, self._value(given, item, files)) for key, item in value.items())
            return ["dict", dict(pairs)]
        return value

    def _text(self, given: Input, value: Any, files: Files) -> Any:
        path = os.fspath(value)
        if given.counts == VALUE or not isinstance(path, str) or not _is_there(path):
            return value if type(value) is str else path
        if given.counts != CONTENT and not is_path(value) and not os.path.isfile(path):
            return value
        kept: list[Any] = [os.path.basename(os.path.normpath(path))]
        for part in (path, *filter(_is_there, _siblings(path))):
            found = self._noted.content(part)
            files.append((part, found))
            kept.append((os.path.splitext(part)[1], *found))
        if given.counts != CONTENT and not is_path(value):
            kept.append(path)  # nobody says that it is a path, and not a text to be handed on
        return ["file", *kept]

    def _program(self, made: Any) -> tuple[Any, ...]:
        """Return the path of the program, what would change with it, and what counts of it."""
        asked = self.shape.program(made)
        path = None if asked is None else find_program(*asked)
        facts = None if path is None else identity(os.stat(path))
        known = path, facts
        if known not in self._versions:
            self._versions[known] = self.shape.version(made)
        version = self._versions[known]
        if path is None or facts is None:
            return None, None, version, None
        # nipype asks a program for its version once: one that changed meanwhile counts itself.
        is_first = self._programs.setdefault(path, facts) == facts
        is_told = version is not None and is_first
        return path, facts, version, None if is_told else self._noted.content(path)


def _of_once() -> Identity:
    """Return what names a node that no other call has."""
    return Identity(uuid.uuid4().hex, (), {}, None, None, is_lasting=False)


def find_program(name: str, path: str) -> str | None:
    """Return where a program is, or None.

    Parameters
    ----------
    name : str
        Its name, or its path.
    path : str
        The folders in which it is looked for, as in ``PATH``.
    """
    if os.name == "nt":
        import shutil

        return shutil.which(name, path=path)
    return next(filter(runs, candidates(name, path)), None)


def candidates(name: str, path: str) -> list[str]:
    """Return where a program could be, in the order in which it is looked for."""
    if os.name == "nt" or os.sep in name:
        return [name]
    folders = dict.fromkeys(path.split(os.pathsep))
    return [os.path.join(folder or os.curdir, name) for folder in folders]


def runs(path: str) -> bool:
    """Tell whether there is a program."""
    # Asked of folder after folder: what raises for each that lacks it takes far longer.
    return os.access(path, os.X_OK) and os.path.isfile(path)


def _is_there(path: str) -> bool:
    try:
        return os.path.exists(path)
    except ValueError:
        return False


def _siblings(path: str) -> Iterator[str]:
    stem, suffix = os.path.splitext(path)
    for group in _TOGETHER:
        if suffix in group:
            yield from (stem + other for other in sorted(group - {suffix}))


def _hexadecimal(name: str) -> str:
    return base64.urlsafe_b64decode(f"{name}==").hex()


def holds(files: dict[str, Content]) -> bool:
    """Tell whether files have the content that they had; those that look the same are not read."""
    try:
        return all(content(path) == was for path, was in files.items())
    except UndigestableValue:
        return False
