"""A code object -> the source it was compiled from, and no other.

The file on disk may have been edited since it was imported, and several lambdas can stand on one
line. So a definition found in the source is compiled again, and counts only when it gives the code
that runs. Not here: what the source says (`normal`, `reads`).
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

from neurotools.memo.fingerprint.bytecode import code_digest, reads_of_code
from neurotools.memo.fingerprint.normal import canonical
from neurotools.memo.fingerprint.reads import Reads, reads_of
from neurotools.memo.fingerprint.scopes import Definition
from neurotools.memo.fingerprint.texts import text_of


@dataclass(frozen=True, slots=True)
class Source:
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


@dataclass(frozen=True, slots=True)
class Described:
    """What one code object does.

    Attributes
    ----------
    source : Source or None
        None where there is none, or where it is not the source of this code.
    body : str
        Canonical text, or a digest of the code object where there is no source.
    reads : Reads
        What it reads from outside itself.
    """

    source: Source | None
    body: str
    reads: Reads


def described(code: CodeType, namespace: dict[str, Any], docstrings: bool) -> Described:
    """Return what a code object does; computed once for each.

    Parameters
    ----------
    code : code
        Of a function.
    namespace : dict
        The function's globals, from which modules in archives can be read.
    docstrings : bool
        Whether docstrings inside the function count.
    """
    key = id(code), docstrings
    known = _DESCRIBED.get(key)
    if known is None:
        known = _DESCRIBED[key] = _describe(code, namespace, docstrings)
        weakref.finalize(code, _DESCRIBED.pop, key, None).atexit = False
    return known


_DESCRIBED: dict[tuple[int, bool], Described] = {}


def _describe(code: CodeType, namespace: dict[str, Any], docstrings: bool) -> Described:
    try:
        if (found := find(code, namespace)) is not None:
            body = canonical(found.node, docstrings=docstrings)
            return Described(found, body, reads_of(found.node))
    except RecursionError:
        pass  # nested too deeply for the compiler to be asked again
    return Described(None, code_digest(code), reads_of_code(code))


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
    text = text_of(code, namespace)
    if text is None:
        return None
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
