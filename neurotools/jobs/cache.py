"""Memoize functions on disk.

`disk_cacher` keeps results in one folder, `hierarchical_cacher` in several tiers from fast to slow.
The other functions look into such caches, and turn calls into file names and back.
"""

from __future__ import annotations

import math
import os
import stat
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from neurotools.memo import naming
from neurotools.memo.digest.files import File
from neurotools.memo.digest.values import register_digest
from neurotools.memo.entry import Signature
from neurotools.memo.errors import UnknownChoice, WrongArguments
from neurotools.memo.formats.registry import FORMATS, format_named, holds
from neurotools.memo.function import Memoized, memoized
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.key import KeyMaker, code_name, key_maker
from neurotools.memo.literals import human_decode, human_encode
from neurotools.memo.naming import base64hash, base64hash10bytes
from neurotools.memo.options import LEASE_SECONDS, Options
from neurotools.memo.signature import canonical
from neurotools.memo.signing import signer_with
from neurotools.memo.supported import check_supported
from neurotools.memo.tiers.base import Tier
from neurotools.memo.tiers.directory import DURABILITIES
from neurotools.memo.tiers.folders import PRIVATE
from neurotools.memo.tiers.limits import Budget, Folder, budget_of, folder
from neurotools.memo.tiers.locations import tier_at
from neurotools.memo.tiers.trust import user_numbers
from neurotools.memo.turns.flight import ON_BUSY
from neurotools.memo.watch.health import checked_patience

if TYPE_CHECKING:
    from neurotools.memo.upkeep.maintenance import Combined

__all__ = [
    "Cacher",
    "Combined",
    "File",
    "base64hash",
    "base64hash10bytes",
    "combine_caches",
    "disk_cacher",
    "exists",
    "file_string_to_signature",
    "flush",
    "folder",
    "function_hash_no_subroutines",
    "function_hash_with_subroutines",
    "function_signature",
    "get_cache_path",
    "get_source",
    "hierarchical_cacher",
    "human_decode",
    "human_encode",
    "locate_cached",
    "read_cache_entry",
    "register_digest",
    "scan_cachedir",
    "signature_to_file_string",
    "validate_for_matfile",
    "validate_for_numpy",
]


def __getattr__(name: str) -> Any:
    if name == "Combined":
        from neurotools.memo.upkeep.maintenance import Combined  # not loaded for memoizing

        return Combined
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), "Combined"})


#: What a tier can be given as.
Location = str | os.PathLike[str] | Folder | Tier

# ---------------------------------------------------------------- decorators


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


def disk_cacher(
    cache_location: str | os.PathLike[str],
    method: str = "npy",
    write_back: bool | str = True,
    skip_fast: bool = False,
    verbose: bool = False,
    allow_mutable_bindings: bool = False,
    cache_identifier: str = "__neurotools_cache__",
    *,
    compress: str | tuple[str, int] | bool | None = None,
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
    compress: str | tuple[str, int] | bool | None = None,
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
        ``'ram://'`` for this process's memory (bounded, as in ``'ram://?max_bytes=2e9'``); or URLs
        that fsspec knows, such as ``'s3://bucket/folder'`` or ``'sftp://host/folder'``, with ``pip
        install 'neurotools[remote]'``. A single string is one tier.
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
    single = isinstance(fast_to_slow, (str, os.PathLike)) or not isinstance(fast_to_slow, Iterable)
    return _cacher(
        (fast_to_slow,) if single else tuple(fast_to_slow),  # type: ignore[arg-type]
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
    locations: tuple[Any, ...],
    identifier: str,
    *,
    method: str,
    compress: str | tuple[str, int] | bool | None,
    mmap_mode: str | None,
    verify: bool,
    durability: str,
    trusted_owners: str | int | Iterable[str | int],
    key_file: str | os.PathLike[str] | None,
    shared: str | None,
    patience: float | None,
    storage_options: Mapping[str, Any] | None,
    ignore: str | Iterable[str],
    packages: str,
    write_back: bool | str = True,
    flush_seconds: float | None = None,
    budget: Budget | None = None,
    **options: Any,
) -> Cacher:
    form = format_named(method, compress)  # complains before any folder is made
    if mmap_mode not in (None, "r", "c"):
        raise UnknownChoice("mmap_mode", mmap_mode, ["None", "c", "r"])
    if packages not in _PACKAGES:
        raise UnknownChoice("packages", packages, _PACKAGES)
    if durability not in DURABILITIES:
        raise UnknownChoice("durability", durability, DURABILITIES)
    if options["on_busy"] not in ON_BUSY:
        raise UnknownChoice("on_busy", options["on_busy"], ON_BUSY)
    options["lease_seconds"] = checked_patience(options["lease_seconds"], "lease_seconds")
    if not locations:
        raise ValueError("fast_to_slow is empty; give one folder at least, or 'ram://'")
    signer = signer_with(key_file)
    access = {"trusted_owners": user_numbers(trusted_owners), "signer": signer, "shared": shared}
    if patience is not None:
        patience = checked_patience(patience)
    of_folders = {"verify": verify, "durability": durability, "patience": patience, **access}
    kept: dict[str, Any] = {
        "mmap_mode": mmap_mode,
        "storage_options": storage_options,
        **of_folders,
    }
    if budget is not None and budget.is_limited:
        kept["budget"] = budget
    tiers = [tier_at(place, identifier, **kept) for place in locations]
    for depth, tier in enumerate(tiers):
        if getattr(tier, "budget", None) is not None:
            tier.slower = tuple(tiers[depth + 1 :])  # type: ignore[attr-defined]
    roots = [str(root) for tier in tiers if (root := getattr(tier, "root", None))]
    # The slowest folder that is written to is the one that most other processes see.
    seen = roots if write_back else roots[:1]
    made = Options(
        form,
        cache_root=roots[0] if roots else None,
        lock_folder=os.path.join(seen[-1], PRIVATE) if seen else None,
        ignore=(ignore,) if isinstance(ignore, str) else tuple(ignore),
        tracking={"packages": packages},
        access=access,
        **options,
    )
    return Cacher(tiers, made, write_back=write_back, flush_seconds=flush_seconds)


_PACKAGES = ("exact", "minor", "record", "off")


# ---------------------------------------------------------------- functions to names


def _keys(f: Callable[..., Any]) -> KeyMaker:
    """Return the key maker of a memoized function, or one for a plain function."""
    inner = getattr(f, "__func__", f)
    if isinstance(inner, Memoized):
        return inner.keys
    check_supported(f)
    return key_maker(f)


def _bound_to(f: Callable[..., Any]) -> tuple[Any, ...]:
    """Return the instance or class that a memoized method is bound to, its first argument."""
    memoized_method = isinstance(getattr(f, "__func__", None), Memoized)
    return (f.__self__,) if memoized_method else ()  # type: ignore[attr-defined]


def _plain(f: Callable[..., Any]) -> Callable[..., Any]:
    inner: Callable[..., Any] = getattr(f, "__func__", f)
    return inner.__wrapped__ if isinstance(inner, Memoized) else f  # type: ignore[attr-defined]


def get_source(f: Callable[..., Any]) -> str:
    """Return the source code of a function.

    Parameters
    ----------
    f : callable
        The function; decorators are looked through.

    Returns
    -------
    str
        The text of its definition.

    Raises
    ------
    UnsupportedFunction
        If there is no source, as for builtins.
    """
    from neurotools.memo.fingerprint import documented  # loads the parser, 20 ms

    return documented.get_source(_plain(f))


def function_hash_no_subroutines(f: Callable[..., Any]) -> str:
    """Return a hash of a function's own definition.

    It depends on the undecorated source code, the docstring, the function's name, its module's
    name, and its parameters; not on functions that it calls, global variables or closures. It is
    the same in every process, on every supported Python.

    Parameters
    ----------
    f : callable
        The function.

    Returns
    -------
    str
        The hash, URL-safe base64.

    See Also
    --------
    function_hash_with_subroutines : depends on all code that the function reaches, too.
    """
    from neurotools.memo.fingerprint import documented  # loads the parser, 20 ms

    return documented.own_hash(_plain(f))


def function_hash_with_subroutines(f: Callable[..., Any], force: bool = False) -> str:
    """Return a hash of a function's definition and of all that it reaches.

    Parameters
    ----------
    f : callable
        The function.
    force : bool
        Accepted for callers of earlier versions, which asked for it; it changes nothing.

    Returns
    -------
    str
        The hash, URL-safe base64.
    """
    from neurotools.memo.fingerprint import documented  # loads the parser, 20 ms

    del force
    return documented.deep_hash(_plain(f))


def function_signature(f: Callable[..., Any]) -> str:
    """Return the text that names a function's cache folder: ``name + '.' + code``.

    The code is the function's fingerprint: it changes with the function's module, name, parameters
    and source, with the file's name, and with all code and constants that the function reaches. It
    does not change with comments, layout, type hints or docstrings.

    Parameters
    ----------
    f : callable
        The function.

    Returns
    -------
    str
        Module and name with dots, then 14 characters.
    """
    keys = _keys(f)
    return f"{keys.folder.replace('/', '.')}.{keys.fingerprint.code}"


def signature_to_file_string(
    f: Callable[..., Any] | str,
    sig: Signature,
    mode: str = "repr",
    compressed: bool = True,
    base64encode: bool = True,
    truncate: bool = True,
) -> str:
    """Return a file name, without suffix, that holds an argument signature.

    Parameters
    ----------
    f : callable or str
        The function, or what `function_signature` returned for it.
    sig : Signature
        As `neurotools.jobs.ndecorator.argument_signature` returns it.
    mode : {'repr', 'json', 'pickle', 'human'}
        How the signature is written: as a Python literal, exact and safe; as JSON, which does not
        tell tuples from lists; as a pickle of literals; or as a Python call, for people.
    compressed : bool
        Whether to compress the text with zlib.
    base64encode : bool
        Whether to write it in URL-safe base64. Without it, characters that file systems refuse are
        written as ``%xx``.
    truncate : bool
        Whether a name that would be too long holds a digest instead of the signature.

    Returns
    -------
    str
        ``name.code.hash.key``.

    Raises
    ------
    UnknownChoice
        If there is no such mode.
    ValueError
        If compressed bytes are to be written without base64, or a name that is too long must not
        be truncated.
    """
    name = f if isinstance(f, str) else function_signature(f)
    stem = naming.stem(
        canonical(sig, code_name),
        mode=mode,
        compressed=compressed,
        base64encode=base64encode,
        truncate=truncate,
        room=naming.room_beside(len(name)),
    )
    return naming.file_string(name, stem)


def file_string_to_signature(
    filename: str, mode: str = "repr", compressed: bool = True, base64encode: bool = True
) -> Signature:
    """Return the argument signature that a file name holds; executes nothing.

    Parameters
    ----------
    filename : str
        As `signature_to_file_string` returned it, without suffix; only its last part counts.
    mode, compressed, base64encode
        As they were given to `signature_to_file_string`.

    Returns
    -------
    named : tuple of (str, object) pairs
        The arguments. What was too large to be written out is a `Digested`.
    extra : tuple or None
        Extra positional arguments, if any.

    Raises
    ------
    UnreadableName
        If there is none in it, as when it was truncated.
    """
    return naming.signature_of(
        filename, mode=mode, compressed=compressed, base64encode=base64encode
    )


# ---------------------------------------------------------------- where things are


def get_cache_path(
    cache_root: str | os.PathLike[str], f: Callable[..., Any], *args: Any, **kwargs: Any
) -> str:
    """Return the folder of a function's present version.

    Parameters
    ----------
    cache_root : str or path
        The cache's folder, as in ``f.cache_root``.
    f : callable
        The function.
    *args, **kwargs
        Accepted for callers that pass a whole call; all calls share the folder.

    Returns
    -------
    str
        Its path, ending with a separator.
    """
    del args, kwargs
    keys = _keys(f)
    return os.path.join(os.fspath(cache_root), *keys.folder.split("/"), keys.fingerprint.code, "")


def locate_cached(
    cache_root: str | os.PathLike[str],
    f: Callable[..., Any],
    method: str,
    *args: Any,
    **kwargs: Any,
) -> tuple[str, Signature, str, str, str]:
    """Return where the entry of a call is, or would be.

    Parameters
    ----------
    cache_root : str or path
        The cache's folder, as in ``f.cache_root``.
    f : callable
        The function.
    method : str
        Suffix of the file: ``'npy'``, ``'pickle'``, ``'mat'`` or ``'hdf5'``.
    *args, **kwargs
        The call's arguments.

    Returns
    -------
    fn : str
        ``name.code.hash.key``, without suffix.
    sig : Signature
        The call's signature.
    path : str
        The folder, ending with a separator.
    filename : str
        Name of the file in it.
    location : str
        Path of the file.

    Raises
    ------
    ValueError
        If the function does not take these arguments, or there is no such method.
    """
    keys = _keys(f)
    try:
        sig = keys.signature((*_bound_to(f), *args), kwargs)
    except WrongArguments as error:
        raise ValueError(str(error)) from None
    key = keys.key(sig, format_named(method).method)
    path = get_cache_path(cache_root, f)
    filename = f"{key.call}.{key.method}"
    fn = naming.file_string(f"{key.function.replace('/', '.')}.{key.code}", key.call)
    return fn, sig, path, filename, os.path.abspath(path + filename)


def exists(
    cache_root: str | os.PathLike[str],
    f: Callable[..., Any],
    method: str,
    *args: Any,
    **kwargs: Any,
) -> bool:
    """Return whether the result of a call is in a cache.

    It is not loaded for that: damage inside of it is not seen, but a file that is no entry at all.

    Parameters
    ----------
    cache_root : str or path
        The cache's folder, as in ``f.cache_root``.
    f : callable
        The function.
    method : str
        Suffix of the file.
    *args, **kwargs
        The call's arguments.
    """
    from neurotools.memo.upkeep import maintenance  # not loaded for memoizing

    return maintenance.is_entry(locate_cached(cache_root, f, method, *args, **kwargs)[-1])


def read_cache_entry(location: str | os.PathLike[str], method: str) -> Any:
    """Return the result in an entry's file.

    Parameters
    ----------
    location : str or path
        The file.
    method : str
        Its format.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    CorruptEntry
        If it is damaged, or no entry of that name.
    UntrustedEntry
        If opening it could run code that somebody else wrote.
    """
    from neurotools.memo.upkeep import maintenance  # not loaded for memoizing

    return maintenance.read_value(os.fspath(location), method=format_named(method).method)


def scan_cachedir(
    cachedir: str | os.PathLike[str], method: str = "npy", verbose: bool = False, **kw: Any
) -> dict[str, tuple[dict[str, Any], list[Any] | None]]:
    """List the entries of a folder with their arguments; executes nothing.

    Parameters
    ----------
    cachedir : str or path
        Folder of a function's version, as `get_cache_path` returns it; of a function, or of a whole
        cache, whose sub-folders are listed as well. Caches of earlier versions are read, too.
    method : str
        Suffix of the files that count.
    verbose : bool
        Whether to print each entry, and each file that is left out since its arguments cannot be
        read.
    **kw
        Passed on to `file_string_to_signature`.

    Returns
    -------
    dict
        File name (its path below `cachedir`) to ``(args, varargs)``: arguments by name, and a list
        of extra positional ones, or None.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    OSError
        If it cannot be looked at.
    """
    from neurotools.memo.upkeep import maintenance  # not loaded for memoizing

    folder, suffix = os.fspath(cachedir), format_named(method).method
    _require_folder(folder)
    listing: dict[str, tuple[dict[str, Any], list[Any] | None]] = {}
    for name, signature in maintenance.scan(folder, suffix, **kw):
        if verbose:
            told = "no arguments to be read" if signature is None else human_encode(signature)
            print(f"{name}: {told}")  # noqa: T201 - asked for
        if signature is not None:
            named, extra = signature
            listing[name] = dict(named), None if extra is None else list(extra)
    return listing


def combine_caches(cache_root: str | os.PathLike[str], f: Callable[..., Any]) -> Combined:
    """Copy the entries of a function's earlier versions to its present one.

    Do this when you are certain that a change of the code did not change its results. Nothing that
    the present version has is overwritten. What may come from another function in the same folder
    (a closure over other values, another lambda, another script's function) is left out.

    Parameters
    ----------
    cache_root : str or path
        The cache's folder, as in ``f.cache_root``.
    f : callable
        The function.

    Returns
    -------
    Combined
        The present version's code, and what was merged, kept, foreign and unreadable.

    Raises
    ------
    FileNotFoundError
        If there is no such cache.
    OSError
        If it cannot be looked at, or written to.
    """
    from neurotools.memo.upkeep import maintenance  # not loaded for memoizing

    keys, root = _keys(f), os.fspath(cache_root)
    _require_folder(root)
    inner = getattr(f, "__func__", f)
    access = inner.access if isinstance(inner, Memoized) else {"signer": signer_with()}
    manifest, script = keys.fingerprint.manifest, naming.script_of(f)
    return maintenance.combine(root, keys.folder, manifest, script, **access)


def _require_folder(path: str) -> None:
    # Not isdir, which takes a disk that does not answer for a folder that is not there.
    try:
        is_folder = stat.S_ISDIR(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        is_folder = False
    if not is_folder:
        raise FileNotFoundError(2, "there is no cache folder", path)


# ---------------------------------------------------------------- what formats can hold


def validate_for_matfile(x: Any) -> bool:
    """Return whether a value can be stored safely in a Matlab file, and comes back as it was.

    Parameters
    ----------
    x : nested tuple or array-like
        Arrays of booleans, integers of 8 to 64 bits, floats of 16 to 64 bits and complex numbers of
        two such; plain values, and containers of all these.
    """
    return holds(FORMATS["mat"], x)


def validate_for_numpy(x: Any) -> bool:
    """Return whether a value can be stored safely in a numpy file, and comes back as it was.

    Parameters
    ----------
    x : object
        Arrays of every plain dtype, plain values, and containers of all these.
    """
    return holds(FORMATS["npy"], x)
