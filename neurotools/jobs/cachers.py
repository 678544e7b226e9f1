"""Decorators that make functions remember their results."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from neurotools.memo.arranged import Access, arrange, places
from neurotools.memo.errors import UnknownChoice
from neurotools.memo.formats.registry import Compression, format_named
from neurotools.memo.function import memoized
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.options import LEASE_SECONDS, Options
from neurotools.memo.tiers.base import Tier
from neurotools.memo.tiers.limits import Folder, budget_of

__all__ = [
    "Cacher",
    "disk_cacher",
    "flush",
    "hierarchical_cacher",
]

#: What a tier can be given as.
Location = str | os.PathLike[str] | Folder | Tier


class Cacher:
    """A decorator that makes functions remember their results; made by the functions below.

    Parameters
    ----------
    tiers : sequence of Tier
        Fastest first; all functions that are decorated share them.
    options : Options
        How functions are memoized.
    write_back : bool or 'async'
        Whether new results go to all tiers.
    flush_seconds : float, optional
        How long the end of the program may wait for results that are sent in the background.

    Attributes
    ----------
    cache_root : str or None
        Folder of the fastest tier that is one.
    """

    def __init__(
        self,
        tiers: Sequence[Tier],
        options: Options,
        *,
        write_back: bool | str,
        flush_seconds: float | None = None,
    ) -> None:
        self.tiers, self.options, self.write_back = tuple(tiers), options, write_back
        self.flush_seconds = flush_seconds
        self.cache_root = options.cache_root

    def __call__(self, function: Any) -> Any:
        hierarchy = Hierarchy(
            self.tiers, write_back=self.write_back, flush_seconds=self.flush_seconds
        )
        return memoized(function, hierarchy, self.options)

    def __repr__(self) -> str:
        return f"<cacher in {' > '.join(tier.name for tier in self.tiers)}>"

    def _repr_html_(self) -> str:
        """Return where it keeps results, and what is there, for notebooks."""
        from neurotools.memo.look.remembered import cacher_html  # not loaded for memoizing

        return cacher_html(self)


def disk_cacher(
    cache_location: str | os.PathLike[str],
    method: str = "npy",
    write_back: bool | str = True,
    skip_fast: bool = False,
    verbose: bool = False,
    allow_mutable_bindings: bool = False,
    cache_identifier: str = "__neurotools_cache__",
    *,
    compress: Compression = None,
    mmap_mode: str | None = None,
    ignore: str | Iterable[str] = (),
    packages: str = "minor",
    trace: bool = False,
    verify: bool = True,
    durability: str = "process",
    trusted_owners: str | int | Iterable[str | int] = (),
    key_file: str | os.PathLike[str] | None = None,
    shared: str | None = None,
    patience: float | None = None,
    storage_options: Mapping[str, Any] | None = None,
    on_busy: str = "wait",
    lease_seconds: float = LEASE_SECONDS,
    max_bytes: float | str | None = None,
    max_entries: int | None = None,
    min_free: float | str | None = None,
    evict: str = "value",
) -> Cacher:
    """Make a decorator that keeps results in a folder, or at a URL.

    A result is found again while the function, all code that it reaches, the constants that this
    code reads, and the arguments are the same.

    Parameters
    ----------
    cache_location : str or path
        The folder, or its URL, such as ``'s3://bucket/folder'``. The cache is a sub-folder of it.
    method : {'npy', 'pickle', 'mat', 'hdf5'}
        Format of the files. ``'npy'`` holds arrays, plain values and containers of them;
        ``'pickle'`` (or ``'p'``) any object; ``'mat'`` opens in Matlab and Octave, ``'hdf5'`` in
        what reads HDF5. Each gives back what was stored, type by type, or leaves it out with a
        warning.
    write_back : bool or 'async'
        Whether new results are kept. If not, those that are there are still used. ``'async'`` is
        for several tiers, see `hierarchical_cacher`; one folder is written to at once.
    skip_fast : bool
        Whether to compute again what measurably takes longer to load than to compute.
    verbose : bool
        Whether to print what happens.
    allow_mutable_bindings : bool
        Whether to memoize functions that depend on something that cannot be followed. Without it
        they raise `UnsafeBinding`.
    cache_identifier : str
        Name of the sub-folder.
    compress : {None, 'zstd', 'zstd:LEVEL', ('zstd', level)}
        How files are compressed, for ``'npy'`` and ``'pickle'``.
    mmap_mode : {None, 'r', 'c'}
        Map files into memory instead of reading them: read-only, or copy on write. A hit then takes
        the same time whatever its size.
    ignore : str or iterable of str
        Parameters that do not change the result, such as ``n_jobs``.
    packages : {'exact', 'minor', 'record', 'off'}
        How closely the versions of installed packages that the function reaches count.
    trace : bool
        Whether to note, while a result is computed, which files are opened for reading and which
        code runs that could not be followed before, and to compute again when any of it changes.
    verify : bool
        Whether the checksum of an entry is verified each time it is read. A mapped file is read as
        a whole for this, once in each process, and again when its size or times have changed.
    durability : {'process', 'power'}
        What a stored result outlives: that the process is killed, or that the power fails, too.
        ``'power'`` waits for the disk at each new result, typically for milliseconds.
    trusted_owners : str, int or iterable of them
        Names or numbers of users whose pickles are opened, besides your own and root's.
    key_file : str or path
        A private file (mode 0600) with some random text, the key. Pickles are signed with it, and
        opened wherever they lie if their signature is right. Without it the text is taken from the
        environment variable ``NEUROTOOLS_CACHE_KEY``, if there is one.
    shared : {None, 'group'}
        With whom new files and folders are shared: nobody, or the group of the folder in which
        they are. Pickles in folders that a group can write to are only opened if they are signed.
    patience : float, optional
        Seconds to wait for the folder to answer; one that does not is left alone and tried again
        later. By default, 5 seconds where it does not lie on a disk of this computer, and as long
        as it takes where it does. `math.inf` waits for ever.
    storage_options : mapping, optional
        What the drivers of URLs are told, as pandas and dask take it: options such as
        ``{'profile': 'lab'}``, or those for each scheme, ``{'s3': {'profile': 'lab'}}``.
    on_busy : {'wait', 'compute', 'raise'}
        What to do where a thread, a process or another computer computes what was asked for: wait
        for its result, compute it as well, or raise `Busy`, which says who it is.
    lease_seconds : float
        After so many seconds without a sign of life, a computation on another computer counts as
        dead, and one who waits for its result takes over. Counts where results are kept on a
        server. Give more where a computation runs C code for longer than half of it without
        letting other threads run.
    max_bytes, min_free : int or str, optional
        What all entries in the folder may take on the disk, and what is to stay free there: bytes,
        or text such as ``'50GB'``. Entries are given up to keep to it.
    max_entries : int, optional
        How many entries there may be in the folder.
    evict : {'value', 'lru', 'oldest'}
        What goes first: what saves the least time for its bytes, what was not used for longest, or
        what is oldest.

    Returns
    -------
    Cacher
        The decorator.

    Raises
    ------
    UnknownChoice
        If there is no such method, compression, mode, durability or order.
    UnusableLocation
        If no cache can be kept at the location.
    UnusableKey
        If there is no key in the file, or others could read or change it.
    ValueError
        If there is no such user, or a limit is no size or number.

    Examples
    --------
    >>> import tempfile
    >>> @disk_cacher(tempfile.mkdtemp())
    ... def double(x):
    ...     print("computing")
    ...     return 2 * x
    >>> double(2)
    computing
    4
    >>> double(x=2)
    4
    """
    return _cacher(
        (cache_location,),
        cache_identifier,
        method=method,
        compress=compress,
        mmap_mode=mmap_mode,
        verify=verify,
        durability=durability,
        trusted_owners=trusted_owners,
        key_file=key_file,
        shared=shared,
        patience=patience,
        storage_options=storage_options,
        on_busy=on_busy,
        lease_seconds=lease_seconds,
        ignore=ignore,
        packages=packages,
        trace=trace,
        store=bool(_checked_write_back(write_back)),
        skip_fast=skip_fast,
        verbose=verbose,
        allow_mutable_bindings=allow_mutable_bindings,
        budget=budget_of(max_bytes, max_entries, min_free, evict),
    )


def hierarchical_cacher(
    fast_to_slow: Location | Iterable[Location],
    method: str = "npy",
    write_back: bool | str = True,
    verbose: bool = False,
    allow_mutable_bindings: bool = False,
    cache_identifier: str = "neurotools_cache",
    *,
    skip_fast: bool = False,
    compress: Compression = None,
    mmap_mode: str | None = None,
    ignore: str | Iterable[str] = (),
    packages: str = "minor",
    trace: bool = False,
    verify: bool = True,
    durability: str = "process",
    trusted_owners: str | int | Iterable[str | int] = (),
    key_file: str | os.PathLike[str] | None = None,
    shared: str | None = None,
    patience: float | None = None,
    storage_options: Mapping[str, Any] | None = None,
    on_busy: str = "wait",
    lease_seconds: float = LEASE_SECONDS,
    flush_seconds: float | None = None,
) -> Cacher:
    """Make a decorator that keeps results in several tiers, from fast to slow.

    A result is looked for in each tier in turn, and copied to the faster ones where it is found.

    Parameters
    ----------
    fast_to_slow : sequence of str, path, `folder` or Tier
        The tiers: folders; `folder` with a budget, as in ``folder('/scratch', max_bytes='50GB')``;
        ``'ram://'`` for this process's memory (bounded, as in
        ``'ram://?max_bytes=2GB&max_entries=500'``); or URLs that fsspec knows, such as
        ``'s3://bucket/folder'`` or ``'sftp://host/folder'``, with ``pip install
        'neurotools[remote]'``. A single string is one tier.
    method : {'npy', 'pickle', 'mat', 'hdf5'}
        Format of the files, see `disk_cacher`.
    write_back : bool or 'async'
        Whether new results go to all tiers, or to the fastest alone. With ``'async'`` a call
        returns when the first folder has its result; the tiers behind that get it in the
        background. What has not arrived when the program ends, or is killed, is sent by the next
        program that uses the same tiers, or by ``neurotools sync``. Without a folder before the
        slow tiers, what a killed program has not sent is lost.
    verbose : bool
        Whether to print what happens.
    allow_mutable_bindings : bool
        Whether to memoize functions that depend on something that cannot be followed.
    cache_identifier : str
        Name of the sub-folder that holds the cache.
    flush_seconds : float, optional
        How long the end of the program may wait for results that are sent in the background, by
        default 30 seconds; 0 does not wait. `flush` waits before that.
    skip_fast, compress, mmap_mode, ignore, packages, trace, verify, patience
        See `disk_cacher`.
    on_busy, lease_seconds
        See `disk_cacher`.
    durability : {'process', 'power'}
        See `disk_cacher`; it holds for all folders given here, and for what is copied to faster
        ones.
    trusted_owners, key_file, shared
        See `disk_cacher`. Whoever can write to a bucket could put a pickle there, so pickles from
        a URL are opened only if they are signed: without ``key_file`` they are misses.
    storage_options : mapping, optional
        What the drivers of URLs are told, see `disk_cacher`. What is not given is taken from where
        a driver looks by itself, such as ``~/.aws`` and the environment.

    Returns
    -------
    Cacher
        The decorator.

    Raises
    ------
    UnknownChoice
        If there is no such method, compression, mode or durability.
    UnusableLocation
        If no cache can be kept at a location.
    MissingDriver
        If what a URL needs is not installed.
    ValueError
        If there is no tier.
    """
    return _cacher(
        places(fast_to_slow, "fast_to_slow"),
        cache_identifier,
        method=method,
        compress=compress,
        mmap_mode=mmap_mode,
        verify=verify,
        durability=durability,
        trusted_owners=trusted_owners,
        key_file=key_file,
        shared=shared,
        patience=patience,
        storage_options=storage_options,
        on_busy=on_busy,
        lease_seconds=lease_seconds,
        ignore=ignore,
        packages=packages,
        trace=trace,
        write_back=_checked_write_back(write_back),
        flush_seconds=None if flush_seconds is None else _checked_seconds(flush_seconds),
        skip_fast=skip_fast,
        verbose=verbose,
        allow_mutable_bindings=allow_mutable_bindings,
    )


def _checked_write_back(write_back: bool | str) -> bool | str:
    if isinstance(write_back, str) and write_back != "async":
        raise UnknownChoice("write_back", write_back, ["True", "False", "async"])
    return write_back if isinstance(write_back, str) else bool(write_back)


def _checked_seconds(seconds: Any) -> float:
    try:
        checked = float(seconds)
    except (TypeError, ValueError):
        checked = math.nan
    if not checked >= 0:
        raise ValueError(f"flush_seconds is {seconds!r}; give seconds, 0 or more") from None
    return checked


def flush(timeout: float | None = None) -> int:
    """Wait until slower tiers have all results that are sent to them in the background.

    Parameters
    ----------
    timeout : float, optional
        Seconds to wait at most; by default as long as it takes.

    Returns
    -------
    int
        How many results have not arrived: no time was left, or a tier cannot be used now. They
        stay where they are, and are sent later.
    """
    if "neurotools.memo.background.lanes" not in sys.modules:
        return 0  # nothing was ever sent
    from neurotools.memo.background.flushing import flush as flush_lanes
    from neurotools.memo.background.lanes import all_lanes

    return flush_lanes(all_lanes(), timeout)


def _cacher(
    locations: Sequence[Any],
    identifier: str,
    *,
    method: str,
    compress: Compression,
    trusted_owners: str | int | Iterable[str | int],
    key_file: str | os.PathLike[str] | None,
    shared: str | None,
    write_back: bool | str = True,
    flush_seconds: float | None = None,
    **options: Any,
) -> Cacher:
    tiers, made = arrange(
        locations,
        identifier,
        format_named(method, compress),
        access=Access(trusted_owners, key_file, shared),
        write_back=write_back,
        **options,
    )
    return Cacher(tiers, made, write_back=write_back, flush_seconds=flush_seconds)
