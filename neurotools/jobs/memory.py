"""A memory for interfaces, such as nipype's, and for plain functions.

`Memory` turns an interface class into a function: each call runs in a folder of its own, and is not
run again while its inputs, its code and its program are the same. A plain function remembers its
results, as with `neurotools.jobs.cache.disk_cacher`; so a `Memory` serves where joblib's does, and
takes what that takes.
"""

from __future__ import annotations

import datetime as dt
import functools
import inspect
import os
import sys
import time
import types
import warnings
from collections.abc import Container, Iterable, Mapping
from typing import Any

from neurotools.memo.arranged import check
from neurotools.memo.errors import InterfaceFailed, UnknownChoice, UnusableLocation
from neurotools.memo.fingerprint import GRANULARITIES
from neurotools.memo.formats.registry import format_named
from neurotools.memo.joblib_terms import compression_of, expires_after, mapping_of
from neurotools.memo.nodes.calls import Nodes
from neurotools.memo.nodes.clearing import clear
from neurotools.memo.nodes.holders import holders_of
from neurotools.memo.nodes.packed import Packed
from neurotools.memo.nodes.pipe import PipeFunc
from neurotools.memo.nodes.result import Bunch, Result
from neurotools.memo.nodes.shrinking import nodes_in, results_in, shrink
from neurotools.memo.nodes.uses import Uses
from neurotools.memo.remembering import FUNCTIONS, chosen_for, remembering
from neurotools.memo.shelved import forgetting
from neurotools.memo.signing import signer_with
from neurotools.memo.tiers.base import Tier
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.tiers.locations import checked_identifier, tier_at
from neurotools.memo.tiers.trust import user_numbers

__all__ = ["Bunch", "InterfaceFailed", "Memory", "PipeFunc", "Result", "expires_after"]


class Memory:
    """A context in which interfaces and functions are not run twice.

    Parameters
    ----------
    base_dir, location : str or path
        Where it is kept: in a sub-folder, so that nothing else is touched. Made if it is missing.
        joblib calls it ``location``; give one of the two. With neither, or None, nothing is kept,
        and functions run at each call.
    backend, backend_options
        As joblib has them: ``'local'``, and nothing.
    mmap_mode : {None, 'r', 'c'}
        Map results of functions into memory instead of reading them, read-only or copy on write.
        joblib's ``'r+'`` and ``'w+'`` are refused: what a caller changes would change what is kept.
    compress : bool, int, (str, int) or None
        How strongly results of functions are compressed: as in joblib, levels from 0 (not at all)
        to 9, where the algorithm is zstd whatever is named; or as in
        `neurotools.jobs.cache.disk_cacher`.
    verbose : int
        How much is printed of calls of functions: 0 for nothing; 1 for what is computed, and how
        long that took; 2 for what is loaded as well; 11 for what is written, and where.
    cache_identifier : str
        Name of the sub-folder.
    slower : str, path, Tier, or a sequence of these
        Slower or remote places, folders or URLs, to which new results are written as well, and from
        which they are restored where the folder has none: another computer's, or one that was
        cleared.
    storage_options : mapping, optional
        What the drivers of URLs need, as in `neurotools.jobs.cache.hierarchical_cacher`.
    method : {'pickle', 'npy', 'mat', 'hdf5'}
        Format in which results of functions are kept, see `neurotools.jobs.cache.disk_cacher`.
    packages, trusted_owners, key_file
        For functions, as in `neurotools.jobs.cache.disk_cacher`.
    allow_mutable_bindings : bool
        Whether to accept functions and classes that depend on something that cannot be followed.

    Attributes
    ----------
    base_dir : str or None
        The sub-folder.
    location : str or None
        The folder that was given, as joblib calls it.

    Raises
    ------
    UnusableLocation
        If there can be no such folder.
    ValueError
        If a backend, mode or compression is none that there is.

    Examples
    --------
    >>> import tempfile
    >>> mem = Memory(base_dir=tempfile.mkdtemp())
    >>> from nipype.interfaces import fsl  # doctest: +SKIP
    >>> bet = mem.cache(fsl.BET)  # doctest: +SKIP
    >>> bet(in_file="sub-01_T1w.nii.gz", mask=True).outputs.mask_file  # doctest: +SKIP
    """

    def __init__(
        self,
        base_dir: str | os.PathLike[str] | None = None,
        backend: str = "local",
        mmap_mode: str | None = None,
        compress: str | tuple[str, int] | bool | int | None = None,
        verbose: bool | int = 0,
        backend_options: Mapping[str, Any] | None = None,
        *,
        location: str | os.PathLike[str] | None = None,
        cache_identifier: str = "nipype_mem",
        slower: str | os.PathLike[str] | Tier | Iterable[str | os.PathLike[str] | Tier] = (),
        storage_options: Mapping[str, Any] | None = None,
        method: str = "pickle",
        packages: str = "minor",
        trusted_owners: str | int | Iterable[str | int] = (),
        key_file: str | os.PathLike[str] | None = None,
        allow_mutable_bindings: bool = False,
    ) -> None:
        self._options = {name: value for name, value in locals().items() if name in _KEPT}
        self.verbose, self.mmap_mode, self.compress = verbose, mapping_of(mmap_mode), compress
        self.backend = _checked_backend(backend, backend_options)
        # Complains before any folder is made.
        format_named(method, compression_of(compress))
        check(packages=(packages, GRANULARITIES))
        if compress and mmap_mode:
            warnings.warn("compressed results cannot be mapped into memory", stacklevel=2)
        place = _one_of(base_dir, location)
        self.location = None if place is None else os.path.abspath(os.path.expanduser(place))
        self.base_dir = None
        if self.location is not None:
            self.base_dir = os.path.join(self.location, checked_identifier(cache_identifier))
            self._open(self.base_dir, cache_identifier, slower)

    def _open(self, base_dir: str, identifier: str, slower: Any) -> None:
        options = self._options
        self._access: dict[str, Any] = {
            "trusted_owners": user_numbers(options["trusted_owners"]),
            "signer": signer_with(options["key_file"]),
        }
        try:
            os.makedirs(base_dir, mode=0o700, exist_ok=True)
        except OSError as error:
            reason = error.strerror or str(error)
            raise UnusableLocation(base_dir, f"base_dir cannot be made: {reason}") from None
        single = isinstance(slower, (str, os.PathLike)) or not isinstance(slower, Iterable)
        places: Any = (slower,) if single else tuple(slower)
        of_places = {"storage_options": options["storage_options"], **self._access}
        self._slower = [tier_at(place, identifier, **of_places) for place in places]
        self._uses = Uses(base_dir)
        packed = Packed(self._slower) if self._slower else None
        self._holders = holders_of(base_dir)
        self._nodes = Nodes(base_dir, self._uses, packed, self._holders)

    def cache(
        self,
        interface: Any = None,
        *args: Any,
        callback: Any = None,
        copy_to: str | os.PathLike[str] | None = None,
        link_to: str | os.PathLike[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Return a callable that remembers the results of an interface, or of a function.

        Parameters
        ----------
        interface : class or function
            An interface class, not an instance: of nipype, or any with inputs as attributes of
            ``inputs``, ``run(cwd=...)`` and a result with ``outputs``. Or a function. Without it,
            `cache` is a decorator.
        *args, **kwargs
            For a class, what its constructor takes: ``cache(Merge, numinputs=2)``. For a function,
            as joblib has them, ``ignore``, ``verbose``, ``mmap_mode`` (False for that of the
            memory), and ``cache_validation_callback``, which is given what is known of a kept
            result, ``duration``, ``time`` and ``input_args``, and tells whether it still counts
            (see `expires_after`); and ``method`` and ``compress``, see `Memory`.
        callback : callable, optional
            For a class: called after each call that gave a result, with the names of the folder of
            the class and of the node's folder in it.
        copy_to, link_to : str or path, optional
            For a class: folder into which the files among the outputs are copied, or linked.

        Returns
        -------
        PipeFunc or function
            Of an interface, a function of its inputs, by keyword.

        Raises
        ------
        ValueError
            If it is an instance, a class that is no interface, or neither class nor function.
        TypeError
            If there is no such option.

        Examples
        --------
        >>> import tempfile
        >>> mem = Memory(tempfile.mkdtemp())
        >>> @mem.cache
        ... def double(x):
        ...     print("computing")
        ...     return 2 * x
        >>> double(2), double(2)
        computing
        (4, 4)
        """
        if interface is None:
            options = {"callback": callback, "copy_to": copy_to, "link_to": link_to, **kwargs}
            return functools.partial(self.cache, **options)
        if inspect.isclass(interface) or _is_instance(interface):
            if self.base_dir is None:
                raise ValueError("interfaces run in folders: give Memory(base_dir=...)")
            return PipeFunc(
                interface,
                self.base_dir,
                callback,
                args=args,
                kwargs=kwargs,
                copy_to=copy_to,
                link_to=link_to,
                allow_mutable_bindings=self._options["allow_mutable_bindings"],
                nodes=self._nodes,
            )
        _require_none(callback=callback, copy_to=copy_to, link_to=link_to)
        if not callable(interface) and not isinstance(interface, (classmethod, staticmethod)):
            kind = type(interface).__name__
            raise ValueError(
                f"cache() takes an interface class or a function, not {interface!r} (type {kind})"
            )
        mine = chosen_for(args, kwargs)
        if self.base_dir is None:
            return forgetting(interface)
        chosen = {**self._options, **mine}
        return remembering(interface, self.base_dir, self._slower, self._access, chosen)

    def eval(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Return what a function, or an interface class, gives for arguments, remembered."""
        return self.cache(function)(*args, **kwargs)

    # ------------------------------------------------------------ cleaning up

    def clear_previous_runs(self, warn: bool = True) -> None:
        """Remove the runs of interfaces that nobody has used since this object was made.

        No folder is removed that the cache did not make, in which an interface runs, or that was
        given to another process that still runs.

        Parameters
        ----------
        warn : bool
            Whether to print the name of each directory that is removed.
        """
        if self.base_dir is not None:
            self._clear(self._uses.since_made(), warn=warn)

    def clear_runs_since(
        self,
        day: int | None = None,
        month: int | None = None,
        year: int | None = None,
        warn: bool = True,
    ) -> None:
        """Remove the runs of interfaces that nobody has used on a day, or later.

        What stays besides is as for `clear_previous_runs`.

        Parameters
        ----------
        day, month, year : int, optional
            The local date; what is not given is that of today.
        warn : bool
            Whether to print the name of each directory that is removed.

        Raises
        ------
        ValueError
            If there is no such date.
        """
        now = time.localtime()
        given = (year, month, day)
        date = dt.date(*(a if b is None else b for a, b in zip(now[:3], given, strict=True)))
        if self.base_dir is not None:
            self._clear(self._uses.since(date), warn=warn)
            self._uses.forget_before(date)

    def clear(self, warn: bool = True) -> None:
        """Remove everything: the runs of interfaces, and the results of functions.

        Parameters
        ----------
        warn : bool
            Whether to print the name of each directory that is removed.
        """
        if self.base_dir is None:
            return
        self._clear((), warn=warn)
        for item in results_in(self._results()):
            item.remove()

    def reduce_size(
        self,
        bytes_limit: int | str | None = None,
        items_limit: int | None = None,
        age_limit: dt.timedelta | None = None,
    ) -> None:
        """Remove what was used least lately, until the rest is small enough.

        Parameters
        ----------
        bytes_limit : int or str, optional
            So many bytes may stay: a number, or text such as ``'50GB'``.
        items_limit : int, optional
            So many results and runs may stay.
        age_limit : timedelta, optional
            What was not used for longer goes.

        Raises
        ------
        ValueError, TypeError
            If a limit is none.
        """
        if self.base_dir is None:
            return
        items = [
            *results_in(self._results()),
            *nodes_in(self.base_dir, self._uses, self._holders.others),
        ]
        limits: Any = {"bytes_limit": bytes_limit, "items_limit": items_limit}
        shrink(iter(items), age_limit=age_limit, **limits)

    def _clear(self, keep: Container[str], *, warn: bool) -> None:
        if self.base_dir is not None:
            clear(self.base_dir, keep, in_use=self._holders.others, warn=warn)

    def _results(self) -> DirectoryTier:
        return DirectoryTier(os.path.join(str(self.base_dir), FUNCTIONS))

    # ------------------------------------------------------------ what others ask of it

    @property
    def store_backend(self) -> Any:
        """What joblib's scripts ask where results of functions are: None if nothing is kept."""
        if self.base_dir is None:
            return None
        return types.SimpleNamespace(location=os.path.join(self.base_dir, FUNCTIONS))

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        # nilearn takes nothing but joblib's: where that is loaded, this passes for one of them.
        base = getattr(sys.modules.get("joblib"), "Memory", None)
        return Memory if base is None else _passing_for(base)

    def __neurotools_digest__(self) -> Any:
        return ()  # an estimator that has a memory gives what it gives without

    def __copy__(self) -> Memory:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Memory:
        return self

    def __reduce__(self) -> Any:
        return _memory, (self.location, self._options)

    def __repr__(self) -> str:
        return f"Memory(base_dir={self.base_dir})"

    def _repr_html_(self) -> str:
        """Return what it keeps of functions, for notebooks."""
        from neurotools.memo.look.remembered import folders_html

        base = self.base_dir
        kept = [] if base is None else [(os.path.join(base, FUNCTIONS), "")]
        return folders_html(repr(self), kept)


_KEPT = frozenset(inspect.signature(Memory).parameters) - {"base_dir", "location"}


def _memory(location: str | None, options: dict[str, Any]) -> Memory:
    return Memory(location, **options)


def _one_of(base_dir: Any, location: Any) -> str | None:
    """Return the folder that was given under one of its two names."""
    if base_dir is not None and location is not None:
        raise TypeError(f"base_dir={base_dir!r} and location={location!r} are two names for one")
    place = location if base_dir is None else base_dir
    return None if place is None else os.fspath(place)


def _checked_backend(backend: Any, options: Any) -> str:
    if backend != "local":
        raise UnknownChoice("backend", backend, ["local"])
    if options:
        raise ValueError(
            f"backend_options={options!r}: there are none; give compress= or mmap_mode="
        )
    return "local"


@functools.cache
def _passing_for(base: type) -> type:
    return type("Memory", (Memory, base), {})


def _is_instance(value: Any) -> bool:
    """Tell whether something is an interface, and no class."""
    return hasattr(value, "inputs") and callable(getattr(value, "run", None))


def _require_none(**options: Any) -> None:
    if given := ", ".join(name for name, value in options.items() if value is not None):
        raise TypeError(
            f"cache() of a function does not take {given}: they are for interface classes"
        )
