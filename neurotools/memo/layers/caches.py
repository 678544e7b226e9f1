"""Layers that keep values of fields: in memory, on disk, or in any tiers.

Not here: how a value is looked for and kept (`kept`).
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from neurotools.memo.arranged import Access, arrange, check, places
from neurotools.memo.errors import WrongLayer
from neurotools.memo.fingerprint import GRANULARITIES
from neurotools.memo.formats.base import PayloadFormat
from neurotools.memo.formats.registry import Compression, format_named
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.layers.graph import Node
from neurotools.memo.layers.kept import KeptNode
from neurotools.memo.layers.layer import CacheLayer
from neurotools.memo.layers.views import Kept, View
from neurotools.memo.options import LEASE_SECONDS, Options
from neurotools.memo.runs import FILES
from neurotools.memo.tiers.base import Tier
from neurotools.memo.tiers.limits import bytes_of
from neurotools.memo.tiers.ram import RamTier

#: What holds values unless told otherwise: the first that can hold one exactly.
_AUTOMATIC = ("npy", "pickle")

#: Values of the option ``trace``.
_TRACES = (FILES, True, False)


class CacheToRam(CacheLayer):
    """Keeps values of fields in the memory of this process.

    What is handed out can be changed without changing what is kept.

    Parameters
    ----------
    names : str or iterable of str, optional
        The fields to keep; by default, all that are computed from an id.
    *others : str
        More of them.
    size : int or str, optional
        How many values of each field are kept, the least recently used going first; or as text,
        how many bytes of all together, ``'2 GB'``. By default, all are kept.
    impure : bool
        Whether to keep fields that depend on impure functions, too, for each value of these.
    packages, trace, allow_mutable_bindings
        See `CacheToDisk`.

    Raises
    ------
    ValueError
        If there is no such size.

    Examples
    --------
    >>> from neurotools.jobs.layers import Transform
    >>> twice = Transform(image=lambda image: 2 * image) >> CacheToRam()
    >>> twice.image(21)
    42
    """

    def __init__(
        self,
        names: str | Iterable[str] | None = None,
        *others: str,
        size: int | str | None = None,
        impure: bool = False,
        packages: str = "minor",
        trace: bool | str = FILES,
        allow_mutable_bindings: bool = False,
    ) -> None:
        check(packages=(packages, GRANULARITIES), trace=(trace, _TRACES))
        self._names, self._impure = _chosen(names, *others), impure
        self._max_entries, self._max_bytes = _bounds(size)
        self._size = self._max_entries or size
        self._options = Options(
            format_named("pickle"),
            tracking={"packages": packages},
            access={},
            trace=trace,
            allow_mutable_bindings=allow_mutable_bindings,
        )

    def _attach(self, before: View) -> View:
        shared, most = RamTier(self._max_bytes), self._max_entries

        def keep(name: str, node: Node) -> Node:
            tier = shared if most is None else RamTier(sys.maxsize, most)
            forms = (self._options.form,)
            return KeptNode(name, node, Hierarchy([tier]), self._options, forms)

        return Kept(before, "CacheToRam", self._names, keep, impure=self._impure)

    def __neurotools_digest__(self) -> Any:
        return "CacheToRam"

    def __repr__(self) -> str:
        told = [] if self._names is None else [", ".join(map(repr, sorted(self._names)))]
        told += [] if self._size is None else [f"size={self._size!r}"]
        return f"CacheToRam({', '.join(told)})"


class CacheToDisk(CacheLayer):
    """Keeps values of fields in folders, for other processes and for later.

    Parameters
    ----------
    names : str or iterable of str
        The fields to keep.
    root : str, path, Tier or sequence of them
        The folder, or its URL; or several places, from fast to slow, such as
        ``('ram://', '/scratch')``.
    method : str or sequence of str, optional
        Formats of the files, see `neurotools.jobs.cache.disk_cacher`; the first that can hold a
        value exactly is used. By default ``'npy'``, and ``'pickle'`` for what it cannot hold.
    compress : {None, 'zstd', 'zstd:LEVEL', ('zstd', level)}
        How files are compressed.
    impure : bool
        Whether to keep fields that depend on impure functions, too, for each value of these.
    trace : {'files', True, False}
        Whether to note the files that are opened while a value is computed, and to compute again
        when one of them has changed; with True, also code that only running shows.
    allow_mutable_bindings : bool
        Whether to keep fields that depend on something that cannot be followed.
    write_back : bool or 'async'
        Whether new values go to all places, or to the fastest alone; with ``'async'``, to slow ones
        in the background, see `neurotools.jobs.cache.hierarchical_cacher`.
    packages, mmap_mode, verify, durability, trusted_owners, key_file, shared, patience, verbose
        See `neurotools.jobs.cache.disk_cacher`.
    storage_options, on_busy, lease_seconds
        See `neurotools.jobs.cache.disk_cacher`.
    cache_identifier : str
        Name of the sub-folder that holds the cache.

    Raises
    ------
    UnknownChoice
        If there is no such method, compression, mode or durability.
    UnusableLocation
        If no cache can be kept at a place.
    WrongLayer
        If no field is named.
    """

    def __init__(
        self,
        names: str | Iterable[str],
        root: str | os.PathLike[str] | Tier | Iterable[str | os.PathLike[str] | Tier],
        *,
        method: str | Iterable[str] | None = None,
        compress: Compression = None,
        impure: bool = False,
        trace: bool | str = FILES,
        allow_mutable_bindings: bool = False,
        write_back: bool | str = True,
        packages: str = "minor",
        mmap_mode: str | None = None,
        verify: bool = True,
        durability: str = "process",
        trusted_owners: str | int | Iterable[str | int] = (),
        key_file: str | os.PathLike[str] | None = None,
        shared: str | None = None,
        patience: float | None = None,
        storage_options: Mapping[str, Any] | None = None,
        on_busy: str = "wait",
        lease_seconds: float = LEASE_SECONDS,
        verbose: bool = False,
        cache_identifier: str = "__neurotools_cache__",
    ) -> None:
        chosen = _chosen(names)
        if not chosen:
            raise WrongLayer("CacheToDisk", "it names no field to keep; give one, such as 'image'")
        self._names, self._impure, self._write_back = chosen, impure, write_back
        self._forms = _forms(method, compress)
        check(trace=(trace, _TRACES), write_back=(write_back, (True, False, "async")))
        self._tiers, self._options = arrange(
            places(root, "root"),
            cache_identifier,
            self._forms[0],
            access=Access(trusted_owners, key_file, shared),
            mmap_mode=mmap_mode,
            packages=packages,
            durability=durability,
            on_busy=on_busy,
            lease_seconds=lease_seconds,
            verify=verify,
            patience=patience,
            storage_options=storage_options,
            write_back=write_back,
            trace=trace,
            allow_mutable_bindings=allow_mutable_bindings,
            verbose=verbose,
        )

    @classmethod
    def simple(
        cls,
        *names: str,
        root: str | os.PathLike[str],
        serializer: str | Iterable[str] | None = None,
        labels: object = None,
    ) -> CacheToDisk:
        """Keep fields in a folder, with defaults for all else.

        Parameters
        ----------
        *names : str
            The fields to keep.
        root : str or path
            The folder.
        serializer : str or sequence of str, optional
            The method, see `CacheToDisk`.
        labels : object
            Accepted for callers of connectome; it changes nothing.

        Raises
        ------
        WrongLayer, UnknownChoice, UnusableLocation
            As `CacheToDisk` does.
        """
        del labels
        return cls(names, root, method=serializer)

    def _attach(self, before: View) -> View:
        return Kept(before, "CacheToDisk", self._names, self._kept, impure=self._impure)

    def _kept(self, name: str, node: Node) -> Node:
        hierarchy = Hierarchy(self._tiers, write_back=self._write_back)
        return KeptNode(name, node, hierarchy, self._options, self._forms)

    def __neurotools_digest__(self) -> Any:
        return "CacheToDisk"

    def __repr__(self) -> str:
        names, places = sorted(self._names), " > ".join(_shown(tier) for tier in self._tiers)
        return f"CacheToDisk({names if len(names) > 1 else names[0]!r}, root={places!r})"


def _shown(tier: Tier) -> str:
    root = getattr(tier, "root", None)
    return os.path.dirname(str(root)) if root else tier.name


def _chosen(names: str | Iterable[str] | None, *others: str) -> frozenset[str] | None:
    if names is None and not others:
        return None
    is_single = isinstance(names, (str, bytes)) or not isinstance(names, Iterable)
    chosen = [*([names] if is_single else names), *others]  # type: ignore[misc]
    if wrong := [name for name in chosen if not isinstance(name, str)]:
        raise WrongLayer("cache", f"fields are named by text, not by {wrong[0]!r}")
    return frozenset(chosen)


def _forms(method: str | Iterable[str] | None, compress: Compression) -> tuple[PayloadFormat, ...]:
    methods = (
        [method] if isinstance(method, str) else list(_AUTOMATIC if method is None else method)
    )
    if not methods:
        raise ValueError("method is empty; give one, such as 'npy'")
    return tuple(format_named(one, compress) for one in methods)


def _bounds(size: object) -> tuple[int | None, int]:
    """Return how many values of each field a size means, or None, and how many bytes of all."""
    if size is None:
        return None, sys.maxsize
    if isinstance(size, (int, np.integer)) and not isinstance(size, bool) and size > 0:
        return int(size), sys.maxsize
    if isinstance(size, str):
        with contextlib.suppress(ValueError):
            return None, bytes_of(size)
    raise ValueError(f"size={size!r} is neither a number of entries nor bytes, such as '2 GB'")
