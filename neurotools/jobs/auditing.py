"""How many of a function's kept results are stale, measured. Not loaded for memoizing."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from neurotools.jobs.entries import require_folder
from neurotools.jobs.names import keys_of, plain_function
from neurotools.memo.function import Memoized
from neurotools.memo.progress import bar
from neurotools.memo.signing import signer_with
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.upkeep.agreement import checked_tolerance
from neurotools.memo.upkeep.audit import Subject, audited, sample_of
from neurotools.memo.upkeep.measured import Audit
from neurotools.memo.upkeep.outdated import Finding

__all__ = ["Audit", "Finding", "audit"]


def audit(
    f: Callable[..., Any] | Iterable[Callable[..., Any]],
    sample: str | int = "1%",
    *,
    cache_root: str | os.PathLike[str] | None = None,
    seed: int = 0,
    rtol: float = 0.0,
    atol: float = 0.0,
    max_seconds: float | None = None,
) -> Audit:
    """Compute a sample of the results that are kept anew, and tell how many are stale.

    Stale are results that would be found now although the function gives something else by now:
    because it reads a file by a path of its own, say, or asks the clock. The calls are really made,
    with all that they do besides, and without looking into any cache.

    Parameters
    ----------
    f : callable, or iterable of them
        Memoized functions.
    sample : str or int
        How many results: a part of all (``'1%'``), a number, or ``'all'``.
    cache_root : str or path, optional
        The cache's folder, by default that of each function.
    seed : int
        Decides which results.
    rtol, atol : float
        How far numbers may be apart, see `combine_caches`.
    max_seconds : float, optional
        No call is begun later than that.

    Returns
    -------
    Audit
        The rate of stale results with its interval, which they are, and what could not be looked
        at. Printed, it shows all this.

    Raises
    ------
    FileNotFoundError
        If there is no such cache.
    ValueError
        If the sample, a tolerance or a time is none, or a function keeps results in no folder.

    Examples
    --------
    >>> import tempfile
    >>> from neurotools.jobs.cache import disk_cacher
    >>> @disk_cacher(tempfile.mkdtemp())
    ... def double(x):
    ...     return 2 * x
    >>> [double(x) for x in range(4)]
    [0, 2, 4, 6]
    >>> audit(double, "all").rate
    0.0
    """
    functions = [f] if callable(f) else list(f)
    subjects = [subject_of(one, cache_root) for one in functions]
    return run_audit(subjects, sample, seed, rtol, atol, max_seconds)


def run_audit(
    subjects: list[Subject],
    sample: str | int,
    seed: int,
    rtol: float,
    atol: float,
    max_seconds: float | None,
    left_out: Counter[str] | None = None,
) -> Audit:
    """Audit what was found, with a bar on a terminal."""
    if max_seconds is not None and not max_seconds > 0:
        raise ValueError(f"max_seconds={max_seconds!r} is no time; give seconds, more than 0")
    done = audited(
        subjects,
        sample_of(sample),
        seed=seed,
        tolerance=checked_tolerance(rtol, atol),
        max_seconds=math.inf if max_seconds is None else float(max_seconds),
        showing=lambda total: bar("computing again", total, "call"),
    )
    done.left_out.update(left_out or {})
    return done


def subject_of(f: Callable[..., Any], cache_root: str | os.PathLike[str] | None = None) -> Subject:
    """Return a function's entries in a cache, by default its own.

    Raises
    ------
    FileNotFoundError
        If there is no such cache.
    ValueError
        If the function has none in a folder.
    """
    inner: Any = getattr(f, "__func__", f)
    is_memoized = isinstance(inner, Memoized)
    root = cache_root or (inner.cache_root if is_memoized else None)
    keys, plain = keys_of(f), plain_function(f)
    name = f"{plain.__module__}.{plain.__qualname__}"
    if root is None:
        raise ValueError(f"{name} keeps no results in a folder; name one with cache_root=")
    require_folder(os.fspath(root))
    access = inner.access if is_memoized else {"signer": signer_with()}
    tier = DirectoryTier(os.fspath(root), **access)
    if is_memoized:
        return Subject(name, plain, keys, tier, inner._outdated_by)
    return Subject(name, plain, keys, tier)
