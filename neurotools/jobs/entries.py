"""Where results are, what a folder holds, and what can be held.

Not loaded for memoizing. Not here: how calls are named (`names`).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import Any

from neurotools.jobs.names import bound_to, keys_of
from neurotools.memo import naming
from neurotools.memo.entry import Signature
from neurotools.memo.errors import WrongArguments
from neurotools.memo.formats.registry import FORMATS, format_named, holds
from neurotools.memo.literals import human_encode
from neurotools.memo.progress import passing
from neurotools.memo.upkeep import maintenance

__all__ = [
    "exists",
    "get_cache_path",
    "locate_cached",
    "read_cache_entry",
    "scan_cachedir",
    "validate_for_matfile",
    "validate_for_numpy",
]


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
    keys = keys_of(f)
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
    keys = keys_of(f)
    try:
        sig = keys.signature((*bound_to(f), *args), kwargs)
    except WrongArguments as error:
        raise ValueError(str(error)) from None
    key = keys.key(sig, format_named(method).method)
    path = get_cache_path(cache_root, f)
    filename = f"{key.call}.{key.method}"
    fn = naming.file_string(f"{key.function.replace('/', '.')}.{key.code}", key.call)
    location = path + filename
    return fn, sig, path, filename, location if "://" in location else os.path.abspath(location)


def exists(
    cache_root: str | os.PathLike[str],
    f: Callable[..., Any],
    method: str,
    *args: Any,
    **kwargs: Any,
) -> bool:
    """Return whether the result of a call is in a cache.

    It is not loaded for that: damage inside of it is not seen, but a file that is no entry at all.
    Of places that are no folders of this computer, ``f.check_call_in_cache`` tells.

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

    Raises
    ------
    ValueError
        If the function does not take these arguments, there is no such method, or the cache lies in
        no folder of this computer.
    """
    local(cache_root)
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
    return maintenance.read_value(local(location), method=format_named(method).method)


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
    folder, suffix = local(cachedir), format_named(method).method
    require_folder(folder)
    listing: dict[str, tuple[dict[str, Any], list[Any] | None]] = {}
    for name, signature in passing(maintenance.scan(folder, suffix, **kw), what="scanning"):
        if verbose:
            told = "no arguments to be read" if signature is None else human_encode(signature)
            print(f"{name}: {told}")  # noqa: T201 - asked for
        if signature is not None:
            named, extra = signature
            listing[name] = dict(named), None if extra is None else list(extra)
    return listing


def local(path: str | os.PathLike[str] | None) -> str:
    """Return a path of this computer, or raise a `ValueError`."""
    if path is None or "://" in os.fspath(path):
        raise ValueError(
            f"{path} is no folder of this computer; f.check_call_in_cache(...), f.lscache() and "
            "f.explain(...) tell what is in other places"
        )
    return os.fspath(path)


def require_folder(path: str) -> None:
    """Raise `FileNotFoundError` where there is no such folder."""
    # Not isdir, which takes a disk that does not answer for a folder that is not there.
    try:
        is_folder = stat.S_ISDIR(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        is_folder = False
    if not is_folder:
        raise FileNotFoundError(2, "there is no cache folder", path)


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
