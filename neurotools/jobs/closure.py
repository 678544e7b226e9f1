"""What a function depends on besides its arguments, and whether that can be followed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neurotools.memo.fingerprint.reach import Tracker

__all__ = ["get_subroutines", "verify_function_closure"]


def verify_function_closure(f: Callable[..., Any]) -> bool:
    """Check that everything a function depends on can be followed.

    Functions, classes, modules, and values with a content that can be digested are followed,
    whether globals, closure cells or defaults. An open file, a generator or a connection cannot
    be, nor a module that is named at run time only.

    Parameters
    ----------
    f : callable
        The function.

    Returns
    -------
    bool
        True.

    Raises
    ------
    UnsafeBinding
        Naming the first binding that cannot be followed; the others are in its ``__notes__`` on
        Python 3.11 and later.
    """
    refusals = Tracker(f).refusals
    if not refusals:
        return True
    first, *others = refusals
    for other in others:
        if hasattr(first, "add_note"):
            first.add_note(str(other))
    raise first


def get_subroutines(f: Callable[..., Any]) -> tuple[Any, ...]:
    """Return the functions and classes of the user that a function can call, at any depth.

    Parameters
    ----------
    f : callable
        The function.

    Returns
    -------
    tuple
        Functions, classes, and modules taken whole, in the order in which they were reached; not
        the function itself. What belongs to an installed distribution or to the standard library
        is not among them.
    """
    return Tracker(f).reached[1:]
