"""The documented hashes of one function, with and without the functions it calls."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from types import FunctionType
from typing import Any

from neurotools.memo.digest.values import digest
from neurotools.memo.errors import UndigestableValue, UnsupportedFunction
from neurotools.memo.fingerprint import source
from neurotools.memo.fingerprint.reach import Tracker, short_code
from neurotools.memo.fingerprint.unwrap import name_of


def get_source(f: Callable[..., Any]) -> str:
    """Return the source of a function as written, without its decorators.

    Parameters
    ----------
    f : function
        May be decorated, if its decorators keep ``__wrapped__``.

    Returns
    -------
    str
        From ``def`` or ``lambda`` on, not indented.

    Raises
    ------
    UnsupportedFunction
        If it is no function written in Python.
    OSError
        If its source cannot be found, or is not what runs.
    """
    function = _plain(f)
    found = source.find(function.__code__, function.__globals__)
    if found is None:
        raise OSError(f"there is no source of {name_of(function)} that gives what runs")
    decorators = getattr(found.node, "decorator_list", [])
    skipped = found.node.lineno - min([found.node.lineno, *(d.lineno for d in decorators)])
    if isinstance(found.node, ast.Lambda):
        return found.text
    return textwrap.dedent("".join(found.text.splitlines(keepends=True)[skipped:]))


def own_hash(f: Callable[..., Any]) -> str:
    """Return a hash of a function's own code.

    It depends on the source without decorators, the docstring, the name, the module and the
    parameters with their defaults; not on layout, comments or hints.

    Parameters
    ----------
    f : function
        As for `get_source`; one without source counts by its bytecode.

    Returns
    -------
    str
        14 characters, safe in file names.

    Raises
    ------
    UnsupportedFunction
        If it is no function written in Python.
    """
    function = _plain(f)
    parameters = inspect.signature(function, follow_wrapped=False).parameters.values()
    described = [
        source.normalized(function, docstrings=True),
        inspect.getdoc(function) or "",
        name_of(function),
        *(f"{p.name} {p.kind.name} {_default(p.default)}" for p in parameters),
    ]
    return short_code(repr(described))


def deep_hash(f: Callable[..., Any]) -> str:
    """Return a hash of a function's code and of all that it calls, at any depth.

    Parameters
    ----------
    f : callable
        The function.

    Returns
    -------
    str
        14 characters, safe in file names: the function's fingerprint, with docstrings.
    """
    return Tracker(f, docstrings=True).current().code


def _plain(f: Callable[..., Any]) -> FunctionType:
    function = inspect.unwrap(getattr(f, "__func__", f))
    if not isinstance(function, FunctionType):
        raise UnsupportedFunction(name_of(f), "it is no function written in Python")
    return function


def _default(value: Any) -> str:
    if value is inspect.Parameter.empty:
        return ""
    try:
        return digest(value)
    except UndigestableValue as error:
        return error.kind
