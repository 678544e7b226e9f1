"""A code object -> the source it was compiled from, and no other.

The file on disk may have been edited since it was imported, and several lambdas can stand on one
line. So a definition found in the source is compiled again, and counts only when it gives the code
that runs. Not here: what the source says (`normal`, `reader`), which is loaded when it is needed.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from neurotools.memo.fingerprint.bytecode import code_digest, reads_of_code
from neurotools.memo.fingerprint.known import Described, Known
from neurotools.memo.rows import Row

if TYPE_CHECKING:
    from neurotools.memo.fingerprint.scopes import Definition
    from neurotools.memo.fingerprint.texts import Text


class Source(Row):
    """The source of one code object.

    Attributes
    ----------
    node : node of a function
        Its definition.
    qualname : str
        Such as ``'make.<locals>.inner'``.
    text : str
        The definition as written, decorators included.
    """

    node: Definition
    qualname: str
    text: str


def described(
    code: CodeType, namespace: dict[str, Any], docstrings: bool, known: Known | None = None
) -> Described:
    """Return what a code object does; computed once for each.

    Parameters
    ----------
    code : code
        Of a function.
    namespace : dict
        The function's globals, from which modules in archives can be read.
    docstrings : bool
        Whether docstrings inside the function count.
    known : Known, optional
        What earlier processes have learnt; what is found new is added.
    """
    key = id(code), docstrings
    found, _ = _DESCRIBED.get(key, (None, None))
    if found is None:
        found = known.described(code, docstrings) if known is not None else None
        if found is None:
            found = _describe(code, namespace, docstrings)
            if known is not None:
                known.learn(code, docstrings, found)
        _DESCRIBED[key] = found, weakref.ref(code, functools.partial(_forget, key))
    return found


#: By identity, with a reference that removes the entry when the code goes.
_DESCRIBED: dict[tuple[int, bool], tuple[Described, weakref.ref[CodeType]]] = {}


def _forget(key: tuple[int, bool], _: object, forget: Callable[..., Any] = _DESCRIBED.pop) -> None:
    # Bound as a default: at the end of the program, modules are emptied.
    forget(key, None)


def _describe(code: CodeType, namespace: dict[str, Any], docstrings: bool) -> Described:
    from neurotools.memo.fingerprint.normal import canonical
    from neurotools.memo.fingerprint.reader import reads_of

    try:
        if (found := find(code, namespace)) is not None:
            body = canonical(found.node, docstrings=docstrings)
            reads = reads_of(found.node, _class_around(found.qualname))
            return Described(found.qualname, found.text, body, reads)
    except RecursionError:
        pass  # nested too deeply for the compiler to be asked again
    return Described(None, None, code_digest(code), reads_of_code(code))


def _class_around(qualname: str) -> str:
    """Return the class in whose body a definition stands, at any depth, or nothing."""
    parts = qualname.split(".")
    while len(parts) > 1:
        if parts[-2] != "<locals>":
            return parts[-2]
        parts = parts[:-2]
    return ""


def normalized(function: FunctionType, *, docstrings: bool = False) -> str:
    """Return a function's own code, normalized: equal whatever its layout, comments and hints.

    Parameters
    ----------
    function : function
        As it is now.
    docstrings : bool, default False
        Whether docstrings inside the function count.

    Returns
    -------
    str
        Canonical text; a digest of the code object, holding for this version of Python only,
        where no source can be found that gives the code that runs.
    """
    return described(function.__code__, function.__globals__, docstrings).body


def find(code: CodeType, namespace: dict[str, Any]) -> Source | None:
    """Return the source of a code object, or None if there is none that gives this code."""
    from neurotools.memo.fingerprint.texts import sent_text, text_of

    for text in (text_of(code, namespace), sent_text(code)):
        if text is not None and (found := _found_in(text, code)) is not None:
            return found
    return None


def _found_in(text: Text, code: CodeType) -> Source | None:
    # In an unchanged file the line decides. In one edited since it was imported the definition may
    # have moved, and any that gives the same code will do.
    found: Source | None = None
    for statement in text.candidates(code):
        for node, compiled in statement.giving(code):
            source = Source(node, statement.qualname(node), text.segment(node))
            if compiled.co_firstlineno == code.co_firstlineno:
                return source
            found = found or source
    return found
