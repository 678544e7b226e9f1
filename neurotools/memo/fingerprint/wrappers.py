"""Objects of libraries that run a function of the user's: the function, and the settings."""

from __future__ import annotations

import contextlib
from operator import attrgetter
from typing import Any

from neurotools.memo.fingerprint import origin
from neurotools.memo.fingerprint.fixed import is_fixed
from neurotools.memo.fingerprint.unwrap import is_code, is_dunder

#: Attributes under which libraries keep the function that an object of theirs runs.
_WRAPPED = ("__wrapped__", "py_func", "pyfunc", "func", "kernel_ir.func_id.func")

#: What such objects keep besides settings, and what is read nowhere but in help.
_NO_SETTINGS = {"timestamp", "_wrapper_address", "_cache_hits", "doc", "_doc"}


def inner_of(value: Any) -> tuple[str, Any] | None:
    """Return the function inside an object of a library, and the attribute that holds it."""
    cls = type(value)
    if not callable(value) or not isinstance(origin.of_class(cls), origin.Package):
        return None
    for name in _WRAPPED:
        with contextlib.suppress(AttributeError):
            inner = attrgetter(name)(value)
            if is_code(inner):
                return name, inner
    return None


def settings_of(value: Any, held_as: str) -> dict[str, Any]:
    """Return what an object keeps beside the function that it holds under a name."""
    state = getattr(value, "__dict__", {})
    left_out = {held_as, *_NO_SETTINGS}
    return {
        name: state[name]
        for name in sorted(state)
        if name not in left_out and not is_dunder(name) and _is_setting(state[name])
    }


def _is_setting(value: Any) -> bool:
    held = value.values() if type(value) is dict else value
    return is_fixed(value) or (type(value) in (list, tuple, dict) and all(map(is_fixed, held)))
