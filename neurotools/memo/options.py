"""How a function is memoized."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from neurotools.memo.formats.base import PayloadFormat

#: A heartbeat may come twice too late, or not be seen for as long as NFS believes what it knows.
LEASE_SECONDS = 60.0
#: What a caller does where somebody else computes what it asks for.
ON_BUSY = ("wait", "compute", "raise")


class Options:
    """How a function is memoized; a plain class, since a dataclass takes a millisecond to make.

    Attributes
    ----------
    form : PayloadFormat
        How results become bytes.
    cache_root : str or None
        Folder of the fastest tier that is one.
    lock_folder : str or None
        Where computations under way are seen by other processes.
    on_busy : {'wait', 'compute', 'raise'}
        What to do where somebody else computes what was asked for.
    lease_seconds : float
        Without a sign of life for so long, a computation on another computer counts as dead.
    store : bool
        Whether new results are kept.
    skip_fast : bool
        Whether results are computed again where that is faster than loading them.
    verbose : bool or int
        Whether to print what happens, and how much of it.
    allow_mutable_bindings : bool
        Whether functions are memoized that depend on something that cannot be followed.
    trace : bool or 'files'
        Whether to note what really runs and is read, or only which files are, and to compute again
        when that changes.
    ignore : tuple of str
        Parameters that do not count.
    tracking : dict
        Options of `Tracker`.
    validate : callable, optional
        Told of a kept result what is known of it, tells whether it still counts.
    mmap_mode : {None, 'r', 'c'}
        How files are mapped whose results are given, at the first call, too; None where they are
        read.
    access : dict
        Who else may read and write what is kept, and whose files are opened; options of tiers that
        are folders. Its ``signer`` signs results that could run code when opened.
    """

    def __init__(
        self,
        form: PayloadFormat,
        *,
        cache_root: str | None = None,
        lock_folder: str | None = None,
        on_busy: str = "wait",
        lease_seconds: float = LEASE_SECONDS,
        store: bool = True,
        skip_fast: bool = False,
        verbose: bool | int = False,
        allow_mutable_bindings: bool = False,
        trace: bool | str = False,
        ignore: tuple[str, ...] = (),
        validate: Callable[[dict[str, Any]], Any] | None = None,
        mmap_mode: str | None = None,
        tracking: Mapping[str, Any],
        access: Mapping[str, Any],
    ) -> None:
        self.form, self.cache_root, self.lock_folder = form, cache_root, lock_folder
        self.on_busy, self.lease_seconds = on_busy, lease_seconds
        self.store, self.skip_fast, self.verbose = store, skip_fast, verbose
        self.allow_mutable_bindings, self.trace = allow_mutable_bindings, trace
        self.validate, self.mmap_mode = validate, mmap_mode
        self.ignore, self.tracking, self.access = ignore, tracking, access
