"""Locks that are new in a forked child, where the thread that held them is not there."""

from __future__ import annotations

import os
import sys
import threading
import weakref
from typing import Any

_OWNERS: weakref.WeakSet[Any] = weakref.WeakSet()


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


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
