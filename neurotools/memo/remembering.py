"""Functions of a ``Memory``: what was chosen for one, as a function that remembers."""

from __future__ import annotations

import contextlib
import inspect
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from neurotools.memo.formats.registry import format_named
from neurotools.memo.function import memoized
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.joblib_terms import compression_of, mapping_of
from neurotools.memo.options import Options
from neurotools.memo.shelved import Remembered, RememberedCoroutine
from neurotools.memo.tiers.base import Tier
from neurotools.memo.tiers.folders import PRIVATE
from neurotools.memo.tiers.locations import tier_at

#: Folder of the results of functions, below that of the memory.
FUNCTIONS = "functions"
#: What joblib's ``Memory.cache`` takes behind the function, in its order.
_AS_JOBLIB = ("ignore", "verbose", "mmap_mode", "cache_validation_callback")
_KNOWN = (*_AS_JOBLIB, "method", "compress")


def chosen_for(args: tuple[Any, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was given for one function, by name; what says nothing is left out.

    Raises
    ------
    TypeError
        If there is no such option, or it was given twice.
    ValueError
        If what is to tell whether a result still counts cannot be called.
    """
    if len(args) > len(_AS_JOBLIB):
        raise TypeError(f"cache() of a function was given too many arguments: {len(args) + 1}")
    by_place = dict(zip(_AS_JOBLIB, args, strict=False))
    if twice := sorted(by_place.keys() & given):
        raise TypeError(f"cache() of a function was given {twice} twice")
    named = {**by_place, **given}
    if unknown := sorted(named.keys() - set(_KNOWN)):
        raise TypeError(f"cache() of a function takes {', '.join(_KNOWN)}; not {unknown}")
    validate = named.get("cache_validation_callback")
    if validate is not None and not callable(validate):
        raise ValueError(f"cache_validation_callback={validate!r} cannot be called")
    # None is a mode: with it files are read. False is joblib's way to say nothing.
    mapping = named.pop("mmap_mode", False)
    kept = {name: value for name, value in named.items() if value is not None}
    return kept if mapping is False else {**kept, "mmap_mode": mapping}


def remembering(
    function: Any,
    base_dir: str,
    slower: Sequence[Tier],
    access: Mapping[str, Any],
    chosen: Mapping[str, Any],
) -> Any:
    """Return a function that remembers, for those who know joblib's.

    Parameters
    ----------
    function : callable
        The function, or one that remembers already.
    base_dir : str
        Folder of the memory.
    slower : sequence of Tier
        Where else results are kept.
    access : mapping
        Who else may read and write them.
    chosen : mapping
        All that is chosen, for the memory or for this function.
    """
    mmap_mode = mapping_of(chosen["mmap_mode"])
    tier = tier_at(base_dir, FUNCTIONS, mmap_mode=mmap_mode, **access)
    root, ignore = os.path.join(base_dir, FUNCTIONS), chosen.get("ignore") or ()
    options = Options(
        format_named(chosen["method"], compression_of(chosen["compress"])),
        cache_root=root,
        lock_folder=os.path.join(root, PRIVATE),
        verbose=int(chosen["verbose"]),
        allow_mutable_bindings=chosen["allow_mutable_bindings"],
        ignore=(ignore,) if isinstance(ignore, str) else tuple(ignore),
        validate=chosen.get("cache_validation_callback"),
        mmap_mode=mmap_mode,
        tracking={"packages": chosen["packages"]},
        access=access,
    )
    return _made(function, Hierarchy([tier, *slower]), options)


def _made(function: Any, hierarchy: Hierarchy, options: Options) -> Any:
    if isinstance(function, (Remembered, RememberedCoroutine)):
        function = function.func
    if isinstance(function, (classmethod, staticmethod)):
        return memoized(function, hierarchy, options)
    kind = RememberedCoroutine if _is_coroutine(function) else Remembered
    made = kind(function, hierarchy, options)
    if kind is RememberedCoroutine and sys.version_info >= (3, 12):
        inspect.markcoroutinefunction(made)
    return made


def _is_coroutine(function: Any) -> bool:
    with contextlib.suppress(Exception):  # callables may fail in any way when they are looked at
        return inspect.iscoroutinefunction(function)
    return False
