"""How a function is memoized."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neurotools.memo.formats.base import PayloadFormat


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
    store : bool
        Whether new results are kept.
    skip_fast : bool
        Whether results are computed again where that is faster than loading them.
    verbose : bool
        Whether to print what happens.
    allow_mutable_bindings : bool
        Whether functions are memoized that depend on something that cannot be followed.
    trace : bool or 'files'
        Whether to note what really runs and is read, or only which files are, and to compute again
        when that changes.
    ignore : tuple of str
        Parameters that do not count.
    tracking : dict
        Options of `Tracker`.
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
        store: bool = True,
        skip_fast: bool = False,
        verbose: bool = False,
        allow_mutable_bindings: bool = False,
        trace: bool | str = False,
        ignore: tuple[str, ...] = (),
        tracking: Mapping[str, Any],
        access: Mapping[str, Any],
    ) -> None:
        self.form, self.cache_root, self.lock_folder = form, cache_root, lock_folder
        self.store, self.skip_fast, self.verbose = store, skip_fast, verbose
        self.allow_mutable_bindings, self.trace = allow_mutable_bindings, trace
        self.ignore, self.tracking, self.access = ignore, tracking, access
