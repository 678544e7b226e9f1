"""Results of a function's earlier code, taken over by its present one. Not loaded for memoizing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from neurotools.jobs.entries import local, require_folder
from neurotools.jobs.names import keys_of, plain_function
from neurotools.memo import naming
from neurotools.memo.formats.base import PayloadFormat
from neurotools.memo.function import Memoized
from neurotools.memo.log import Log
from neurotools.memo.progress import bar, passing
from neurotools.memo.signing import signer_with
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.upkeep import legacy as old
from neurotools.memo.upkeep.agreement import checked_tolerance
from neurotools.memo.upkeep.combining import Combined, combined
from neurotools.memo.upkeep.earlier import Earlier, Kept, earlier
from neurotools.memo.upkeep.verdicts import Verification, checked_sample

__all__ = ["Combined", "combine_caches"]

log = Log(__name__)


def combine_caches(
    cache_root: str | os.PathLike[str],
    f: Callable[..., Any],
    *,
    verify: int | str | None = None,
    rtol: float = 0.0,
    atol: float = 0.0,
    seed: int = 0,
    strict: bool = False,
    legacy: bool = False,
) -> Combined:
    """Copy the entries of a function's earlier versions to its present one.

    Do this when you are certain that a change of the code did not change its results, or have it
    looked at with ``verify=``. Nothing that the present version has is overwritten. What may come
    from another function in the same folder (a closure over other values, another lambda, another
    script's function) is left out.

    Parameters
    ----------
    cache_root : str or path
        The cache's folder, as in ``f.cache_root``.
    f : callable
        The function.
    verify : int or 'all', optional
        So many calls of each version are computed again with the present code, without looking
        into any cache. If one of them gives something else, or raises an error, nothing of that
        version is copied; nor is it if no call could be computed again, as where all arguments are
        arrays, of which only digests are kept.
    rtol, atol : float
        How far numbers may be apart then: ``abs(now - before) <= atol + rtol * abs(before)``. By
        default they must be equal. Types, dtypes and shapes must be the same always, and NaN is
        equal to NaN.
    seed : int
        Decides which calls are computed again.
    strict : bool
        Whether to raise an error, and copy nothing, if a version is refused.
    legacy : bool
        Whether to take over what the earlier neurotools, up to 2024, has kept of the function in
        the same folder, as well. Its files are pickles: they are opened only where nobody else
        could have written them.

    Returns
    -------
    Combined
        The present version's code, and what was merged, kept, foreign, unreadable and refused.
        Printed, it shows which calls differ and by how much.

    Raises
    ------
    FileNotFoundError
        If there is no such cache.
    OSError
        If it cannot be looked at, or written to.
    ValueError
        If a sample or a tolerance is none, or tolerances are given without ``verify=``.
    VersionsDisagree
        If a version is refused, and ``strict=True``.

    Examples
    --------
    >>> import tempfile
    >>> from neurotools.jobs.cache import disk_cacher
    >>> f = disk_cacher(tempfile.mkdtemp())(abs)
    >>> f(-1)
    1
    >>> done = combine_caches(f.cache_root, f, verify=20, rtol=1e-9)
    >>> done.merged, done.refused
    ((), ())
    """
    options: Any = {"verify": verify, "rtol": rtol, "atol": atol, "seed": seed, "strict": strict}
    done = combine(cache_root, f, legacy=legacy, **options)
    for verdict in done.verdicts:
        if verdict.is_refused:
            log.warning("not combined: %s", verdict)
    return done


def combine(
    cache_root: str | os.PathLike[str],
    f: Callable[..., Any],
    *,
    verify: int | str | None,
    rtol: float,
    atol: float,
    seed: int,
    strict: bool,
    legacy: bool,
) -> Combined:
    """Do what `combine_caches` does, and leave it to the caller to tell what was refused."""
    tolerance = checked_tolerance(rtol, atol)
    if verify is None and not (tolerance.is_exact and not strict):
        raise ValueError("rtol=, atol= and strict= belong to verify=; say how many calls to verify")
    keys, root = keys_of(f), local(cache_root)
    require_folder(root)
    inner: Any = getattr(f, "__func__", f)
    is_memoized = isinstance(inner, Memoized)
    access = inner.access if is_memoized else {"signer": signer_with()}
    tier, code = DirectoryTier(root, **access), keys.fingerprint.code
    form = inner.form if is_memoized else None
    looked_at = _found(tier, f, form, access.get("signer"), legacy=legacy)
    found = list(passing(looked_at, what="looking"))
    if verify is None:
        return combined(code, found)
    sample, plain = checked_sample(verify), plain_function(f)
    with bar("computing again", _most(found, sample), "call") as moved:
        check = Verification(plain, keys, sample, seed=seed, tolerance=tolerance, moved=moved)
        return combined(code, found, check, strict=strict)


def _found(
    tier: DirectoryTier,
    f: Callable[..., Any],
    form: PayloadFormat | None,
    signer: Any,
    *,
    legacy: bool,
) -> Iterator[Kept]:
    keys = keys_of(f)
    manifest, script = keys.fingerprint.manifest, naming.script_of(f)
    ours: Iterator[Earlier] = earlier(tier, keys.folder, manifest, script, signer)
    if not legacy:
        return iter(ours)
    theirs = old.legacy_entries(tier, plain_function(f), keys, form, signer)
    return chain((one for one in ours if not old.is_legacy(one.location)), theirs)


def _most(found: list[Kept], sample: int | str) -> int:
    """Return how many calls are computed again at most."""
    counts: dict[str, int] = {}
    for one in found:
        counts[one.code] = counts.get(one.code, 0) + 1
    return sum(n if sample == "all" else min(n, int(sample)) for n in counts.values())
