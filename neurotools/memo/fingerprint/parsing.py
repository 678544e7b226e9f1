"""Text -> syntax tree, also where several threads ask for one at the same time."""

from __future__ import annotations

import ast

from neurotools.memo import forks

#: Some Pythons (3.11.7 is one) count the depth of a tree for all threads together, and fail
#: when another thread makes one meanwhile (CPython issue 106905). Ours take turns; others' end.
_ATTEMPTS = 20
_lock = forks.lock_of(__name__)


def parsed(text: str) -> ast.Module | None:
    """Return the tree of a module; None if it is no Python, as a file that is being edited.

    Parameters
    ----------
    text : str
        The module's text.
    """
    for attempts_left in reversed(range(_ATTEMPTS)):
        try:
            with _lock:
                return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        except SystemError:
            if not attempts_left:
                raise
    raise AssertionError("unreachable")
