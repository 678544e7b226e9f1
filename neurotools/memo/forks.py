"""A forked child has none of its parent's other threads: it waits for none, and none of its locks.

Locks are new in the child. Nor is there a fork while another thread imports something for us: the
child would wait for ever for the end of that import, as soon as it wanted the same module.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

_OWNERS: weakref.WeakSet[Any] = weakref.WeakSet()
#: Seconds that a fork waits for imports of ours, and between two looks at them.
_LONGEST_IMPORT, _LOOK = 10.0, 0.001
_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def lock_of(owner: Any) -> Any:
    """Return a lock for the attribute ``_lock`` of an object.

    It may be taken again by who has it: a signal handler, or what is run when an object goes, may
    call a memoized function at any moment.

    Parameters
    ----------
    owner : object or str
        What the attribute belongs to, or a module's name.
    """
    _OWNERS.add(sys.modules[owner] if isinstance(owner, str) else owner)
    return threading.RLock()


def _renew() -> None:
    for owner in list(_OWNERS):
        owner._lock = threading.RLock()


def _wait_for_imports() -> None:
    ends = time.monotonic() + _LONGEST_IMPORT
    while _is_importing() and time.monotonic() < ends:
        time.sleep(_LOOK)


def _is_importing() -> bool:
    """Tell whether another thread imports a module of ours, or one that we ask for."""
    me = threading.get_ident()
    frames = sys._current_frames().items()
    return any(_is_importing_for_us(frame) for thread, frame in frames if thread != me)


def _is_importing_for_us(frame: Any) -> bool:
    # What a user's code imports, called by us or not, is none of our business: it may take hours.
    above = ""
    for place in _places(frame):
        ours = place.startswith(_OURS)
        if (ours and _is_import(above)) or (_is_import(place) and above.startswith(_OURS)):
            return True
        above = place
    return False


def _places(frame: Any) -> Iterator[str]:
    """Give the files of a stack's code, innermost first."""
    while frame is not None:
        yield frame.f_code.co_filename
        frame = frame.f_back


def _is_import(place: str) -> bool:
    return place.startswith("<frozen importlib")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_wait_for_imports, after_in_child=_renew)
